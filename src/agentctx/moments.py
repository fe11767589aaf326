"""Moments: what was on the screen, said and measured around the same time."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from agentctx.memory.store import Store
from agentctx.records import Filters, Hit, Moment, Observation


def join(store: Store, hits: Sequence[Hit], window: float, limit: int) -> list[Moment]:
    """Join hits into moments, best first, each with what else overlaps it.

    Hits whose spans, widened by ``window`` seconds on both sides, touch each other within one
    session are one moment. Its score is that of its best hit.
    """
    margin = timedelta(seconds=window)
    moments = []
    for group in _groups(hits, margin):
        start = min(hit.captured_at for hit in group)
        end = max(hit.observation.ended_at for hit in group)
        score = max(hit.score for hit in group)
        moments.append((score, start, end, group))
    moments.sort(key=lambda moment: (-moment[0], moment[1]))
    return [
        Moment(start, end, score, tuple(group), companions(store, group, start, end, margin))
        for score, start, end, group in moments[:limit]
    ]


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


def _groups(hits: Sequence[Hit], margin: timedelta) -> list[list[Hit]]:
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
    for group in groups:
        group.sort(key=lambda hit: -hit.score)
    return groups
