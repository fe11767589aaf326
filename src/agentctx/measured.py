"""The exact numbers that a question asks for, from the readings of a channel."""

from collections.abc import Iterator, Sequence
from datetime import datetime

import numpy as np

from agentctx.memory.readings import AGGREGATES, Reading, channels, readings
from agentctx.memory.store import Store
from agentctx.planning import Plan
from agentctx.quoting import one_line
from agentctx.records import Filters, Hit

# What is told of a channel when the question does not say which aggregate it wants.
_USUAL = ("min", "mean", "max", "first", "last")
_EXTREME = {"min": np.argmin, "max": np.argmax}


def facts(store: Store, plan: Plan, given: Filters, hits: Sequence[Hit]) -> list[str]:
    """A line for each number that the plan asks for; none when it asks for none.

    The span is the one that the question or ``given`` names; in a question about the time of
    something else it is that of the channel's best window. ``given.modality`` counts too.
    """
    named = dict(plan.clause.attributes).get("channel", ())
    if plan.wants == "change" or not (plan.wants or plan.relations or plan.clause.since):
        return []
    if given.modality and "sensor" not in given.modality:
        return []
    return [line for name in named for line in _channel(store, plan, given, hits, str(name))]


def _channel(
    store: Store, plan: Plan, given: Filters, hits: Sequence[Hit], name: str
) -> Iterator[str]:
    since, until = _span(plan, given, hits, name)
    if plan.relations and since is None:
        return
    recorded = Filters(("sensor",), None, None, given.session, given.source,
                       (*given.attributes, ("channel", (name,))))  # fmt: skip
    files = store.catalog.stored_media("readings", recorded)
    known = next((channel for channel in channels(files) if channel.name == name), None)
    rows = readings(files, name, since, until) if known else []
    if known is None or not isinstance(rows, list) or not rows:
        return
    values = np.array([row.value for row in rows])
    wanted = (plan.aggregate,) if plan.aggregate else _USUAL
    told = ", ".join(_told(one, rows, values, known.unit) for one in wanted)
    span = f"from {_time(rows[0].time)} to {_time(rows[-1].time)} UTC"
    yield f"{one_line(name)} {span}, {len(rows)} readings: {told}"


def _told(aggregate: str, rows: Sequence[Reading], values: np.ndarray, unit: str) -> str:
    # Twelve digits tell every reading apart, and not how binary fractions are rounded.
    number = f"{aggregate} {AGGREGATES[aggregate](values):.12g} {one_line(unit)}".strip()
    if aggregate not in _EXTREME:
        return number
    return f"{number} at {rows[int(_EXTREME[aggregate](values))].time:%H:%M:%S}"


def _span(
    plan: Plan, given: Filters, hits: Sequence[Hit], name: str
) -> tuple[datetime | None, datetime | None]:
    if plan.relations:
        for hit in hits:
            # An event has no length, or that of all that led to it; a window has its minute.
            if hit.attributes.get("channel") == name and "event" not in hit.attributes:
                return hit.captured_at, hit.observation.ended_at
        return None, None
    starts = [time for time in (plan.clause.since, given.since) if time is not None]
    ends = [time for time in (plan.clause.until, given.until) if time is not None]
    return max(starts, default=None), min(ends, default=None)


def _time(when: datetime) -> str:
    return f"{when:%Y-%m-%d %H:%M:%S}"
