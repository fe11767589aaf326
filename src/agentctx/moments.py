"""Moments: what was on the screen, said and measured around the same time."""

from collections.abc import Sequence
from datetime import datetime

from agentctx.memory.store import Store
from agentctx.records import CONVERSATIONAL, Filters, Hit, Moment, Observation, Signal
from agentctx.values import shifted


def join(store: Store, hits: Sequence[Hit], window: float, limit: int) -> list[Moment]:
    """Join hits into moments (see `group`), best first, each with what else overlaps it.

    A moment's score is that of its best hit.
    """
    found = []
    for hits_ in group(hits, window)[:limit]:
        start = min(hit.captured_at for hit in hits_)
        end = max(hit.observation.ended_at for hit in hits_)
        beside = companions(store, hits_, start, end, window)
        found.append(Moment(start, end, hits_[0].score, tuple(hits_), beside))
    return found


def surrounded(store: Store, hits: Sequence[Hit], filters: Filters) -> list[Hit]:
    """Hits with, behind each of a conversation, what was said just before and after it.

    An answer is often the sentence next to the one that matched. A neighbour has the score of
    its hit, and passes the filters too.
    """
    found = {hit.id: hit for hit in hits}
    rows = {row.observation.id: row.pk for row in store.catalog.select(Filters(), list(found))}
    near = store.catalog.neighbours(list(rows.values()), CONVERSATIONAL, 1)
    beside_pks = [pk for items in near.values() for pk, _ in items]
    observations = store.catalog.observations(list(store.catalog.passing(beside_pks, filters)))
    ordered: dict[str, Hit] = {}
    for hit in hits:
        ordered.setdefault(hit.id, hit)
        for pk, _ in near.get(rows[hit.id], ()):
            if pk not in observations:
                continue
            beside = observations[pk]
            signal = Signal(f"next to {hit.id}", hit.score)
            new = Hit(beside, hit.score, (signal,), beside.text)
            ordered.setdefault(beside.id, found.get(beside.id, new))
    return list(ordered.values())


def group(hits: Sequence[Hit], window: float = 0.0) -> list[list[Hit]]:
    """Hits that belong to one moment, the moment with the best hit first.

    Hits whose spans, widened by ``window`` seconds on both sides, touch each other within one
    session are one moment; within it, the best hit is first.
    """
    groups: list[list[Hit]] = []
    reach = None
    for hit in sorted(hits, key=lambda hit: (hit.session, hit.captured_at, hit.id)):
        if (
            reach is not None
            and hit.session == groups[-1][0].session
            and shifted(hit.captured_at, -window) <= reach
        ):
            groups[-1].append(hit)
            reach = max(reach, shifted(hit.observation.ended_at, window))
        else:
            groups.append([hit])
            reach = shifted(hit.observation.ended_at, window)
    for moment in groups:
        moment.sort(key=lambda hit: (-hit.score, hit.captured_at, hit.id))
    return sorted(groups, key=lambda moment: (-moment[0].score, moment[0].captured_at))


def companions(
    store: Store, hits: Sequence[Hit], start: datetime, end: datetime, window: float
) -> tuple[Observation, ...]:
    """What was perceived in the widened span besides the hits, in their session, by time."""
    found = {hit.id for hit in hits}
    filters = Filters(
        since=shifted(start, -window),
        until=shifted(end, window + _TICK),
        session=(hits[0].session,),
    )
    rows = store.catalog.select(filters)
    return tuple(row.observation for row in rows if row.observation.id not in found)


# `until` is exclusive; what begins exactly at the end of the span still belongs to it.
_TICK = 1e-6
