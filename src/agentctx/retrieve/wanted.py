"""What questions want besides the best fit: one of each kind, two ends of a change, an extreme."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import zip_longest

from agentctx.memory.store import Store
from agentctx.planning import Plan
from agentctx.records import Filters, Hit, Observation, Signal
from agentctx.retrieve.request import Request
from agentctx.retrieve.retriever import Retriever

# Screens that fit the words of a question at least so well show the thing that it asks about.
_SAME = 0.6
_LOOKED_AT = 40
_EXTREMES = {"max": "max", "min": "min"}


def interleaved(lists: Sequence[Sequence[Hit]]) -> list[Hit]:
    """The best of every list, then the second of every list, and so on, each hit once."""
    found: dict[str, Hit] = {}
    for row in zip_longest(*lists):
        for hit in row:
            if hit is not None:
                found.setdefault(hit.id, hit)
    return descending(list(found.values()))


def ends(retriever: Retriever, request: Request, since: datetime, until: datetime) -> list[Hit]:
    """What there was at both ends of a span: of the best fits, the last before each end."""
    anytime = replace(request.filters, since=None, until=None)
    hits = retriever.search(replace(request, filters=anytime, limit=_LOOKED_AT))
    same = alike(hits)
    chosen: dict[str, Hit] = {}
    for name, when in (("at the beginning", since), ("at the end", until)):
        if (at := shown_at(same, when)) is not None:
            chosen.setdefault(at.id, replace(at, why=(*at.why, Signal(name, 1.0))))
    rest = [hit for hit in hits if hit.id not in chosen]
    return descending([*chosen.values(), *rest])


def alike(hits: Sequence[Hit]) -> list[Hit]:
    """The hits that show the same thing as the best one."""
    return [hit for hit in hits if hit.score >= _SAME * hits[0].score]


def shown_at(hits: Sequence[Hit], when: datetime) -> Hit | None:
    """What was there at a time: the last that was captured before it, else the first after."""
    before = [hit for hit in hits if hit.captured_at <= when]
    after = [hit for hit in hits if hit.captured_at > when]
    return max(before, key=_time) if before else min(after, key=_time, default=None)


def extremes(store: Store, plan: Plan, filters: Filters, hits: Sequence[Hit]) -> list[Hit]:
    """The windows in which a channel was highest or lowest, then the other hits."""
    name = _EXTREMES.get(plan.aggregate or "")
    if name is None or not plan.clause.attributes:
        return list(hits)
    windows = [
        row.observation
        for row in store.catalog.select(filters)
        if isinstance(row.observation.attributes.get(name), int | float)
    ]
    # A window may begin or end outside of the asked time, and be highest there.
    windows = [window for window in windows if _within(window, name, filters)] or windows
    if not windows:
        return list(hits)
    values = [float(window.attributes[name]) for window in windows]  # type: ignore[arg-type]
    best = max(values) if name == "max" else min(values)
    score = hits[0].score if hits else 1.0
    chosen = {
        window.id: Hit(window, score, (Signal(f"{name} of the channel", best),), window.text)
        for window, value in zip(windows, values, strict=True)
        if value == best
    }
    return descending([*chosen.values(), *(hit for hit in hits if hit.id not in chosen)])


def _within(window: Observation, name: str, filters: Filters) -> bool:
    try:
        when = datetime.fromisoformat(str(window.attributes.get(f"{name}_at"))).astimezone(UTC)
    except (ValueError, OverflowError):  # somebody else's attributes
        when = window.captured_at
    return (filters.since is None or when >= filters.since) and (
        filters.until is None or when < filters.until
    )


def _time(hit: Hit) -> datetime:
    return hit.captured_at


def descending(hits: Sequence[Hit]) -> list[Hit]:
    """The hits in this order, none with a higher score than the one before it."""
    least, found = 1.0, []
    top = max((hit.score for hit in hits), default=0.0)
    for place, hit in enumerate(hits):
        least = top if place == 0 else min(least, hit.score)
        found.append(replace(hit, score=least))
    return found
