"""Moments: what was on the screen, said and measured around the same time."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from agentctx.memory.store import Store
from agentctx.records import Filters, Hit, Moment, Observation


def join(store: Store, hits: Sequence[Hit], window: float, limit: int) -> list[Moment]:
    """Join hits into moments (see `group`), best first, each with what else overlaps it.

    A moment's score is that of its best hit.
    """
    margin = timedelta(seconds=window)
    found = []
    for hits_ in group(hits, window)[:limit]:
        start = min(hit.captured_at for hit in hits_)
        end = max(hit.observation.ended_at for hit in hits_)
        beside = companions(store, hits_, start, end, margin)
        found.append(Moment(start, end, hits_[0].score, tuple(hits_), beside))
    return found


def group(hits: Sequence[Hit], window: float = 0.0) -> list[list[Hit]]:
    """Hits that belong to one moment, the moment with the best hit first.

    Hits whose spans, widened by ``window`` seconds on both sides, touch each other within one
    session are one moment; within it, the best hit is first.
    """
    margin = timedelta(seconds=window)
    groups: list[list[Hit]] = []
    reach = None
    for hit in sorted(hits, key=lambda hit: (hit.session, hit.captured_at, hit.id)):
        if (
            reach is not None
            and hit.session == groups[-1][0].session
            and hit.captured_at - margin <= reach
        ):
            groups[-1].append(hit)
            reach = max(reach, hit.observation.ended_at + margin)
        else:
            groups.append([hit])
            reach = hit.observation.ended_at + margin
    for moment in groups:
        moment.sort(key=lambda hit: (-hit.score, hit.captured_at, hit.id))
    return sorted(groups, key=lambda moment: (-moment[0].score, moment[0].captured_at))


def companions(
    store: Store, hits: Sequence[Hit], start: datetime, end: datetime, margin: timedelta
) -> tuple[Observation, ...]:
    """What was perceived in the widened span besides the hits, in their session, by time."""
    found = {hit.id for hit in hits}
    filters = Filters(since=start - margin, until=end + margin + _TICK, session=(hits[0].session,))
    rows = store.catalog.select(filters)
    return tuple(row.observation for row in rows if row.observation.id not in found)


# `until` is exclusive; what begins exactly at the end of the span still belongs to it.
_TICK = timedelta(microseconds=1)
