"""What changed between two times: on screens line by line, in channels by statistics and events."""

import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import SequenceMatcher
from pathlib import PurePath

from agentctx.memory import readings
from agentctx.memory.store import Store
from agentctx.records import Filters, Hit, Observation
from agentctx.retrieve import Request, Retriever
from agentctx.retrieve.wanted import alike, shown_at

# Two lines that are at least so alike are one line that changed.
_ALIKE = 0.5
# A channel is compared over so long before each of the two times.
_SPAN = timedelta(minutes=5)
_LOOKED_AT = 40
Box = tuple[float, float, float, float]
Line = tuple[str, Box | None]


@dataclass(frozen=True, slots=True)
class LineChange:
    """A line of a screen: new when ``before`` is "", gone when ``after`` is.

    The boxes are (left, top, right, bottom) in pixels of the original; None where not known.
    """

    before: str
    after: str
    box_before: Box | None = None
    box_after: Box | None = None


@dataclass(frozen=True, slots=True)
class ScreenChange:
    """Two screens of the same thing, and the lines in which they differ, in reading order."""

    before: Observation
    after: Observation
    lines: tuple[LineChange, ...]


@dataclass(frozen=True, slots=True)
class Level:
    """A channel in the five minutes before a time."""

    count: int
    mean: float
    low: float
    high: float
    last: float


@dataclass(frozen=True, slots=True)
class ChannelChange:
    """A channel before and after, and the events between; a level is None without readings."""

    channel: str
    unit: str
    before: Level | None
    after: Level | None
    events: tuple[Observation, ...]


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed from ``since`` to ``until``."""

    since: datetime
    until: datetime
    screens: tuple[ScreenChange, ...]
    channels: tuple[ChannelChange, ...]

    def __str__(self) -> str:
        """The changes in lines, for people and prompts."""
        lines = [f"from {self.since:%Y-%m-%d %H:%M:%S} to {self.until:%Y-%m-%d %H:%M:%S} UTC"]
        for screen in self.screens:
            lines += _screen_lines(screen)
        for channel in self.channels:
            lines += _channel_lines(channel)
        return "\n".join(lines if len(lines) > 1 else [*lines, "nothing is known to have changed"])


def find(
    retriever: Retriever,
    subject: str,
    since: datetime,
    until: datetime,
    filters: Filters,
    channels: Sequence[str],
) -> Changes:
    """Compare what was there at ``since`` with what was there at ``until``.

    ``subject`` names the page or the channel; "" means whatever the screen showed, and every
    channel. ``channels``: those that the subject names.
    """
    screens = [] if channels else list(_screens(retriever, subject, since, until, filters))
    if not channels and not subject:
        channels = [one.name for one in readings.channels(_files(retriever.store))]
    return Changes(
        since,
        until,
        tuple(screens),
        tuple(_channel(retriever.store, name, since, until, filters) for name in channels),
    )


def _screens(
    retriever: Retriever, subject: str, since: datetime, until: datetime, filters: Filters
) -> Iterator[ScreenChange]:
    screens = Filters(("screenshot",), session=filters.session, source=filters.source)
    if subject:
        found = retriever.search(Request([Observation(text=subject)], _LOOKED_AT, screens))
        found = alike(found)
    else:
        rows = retriever.store.catalog.select(screens)
        found = [Hit(row.observation, 1.0) for row in rows]
    pair = [shown_at(found, when) for when in (since, until)]
    before, after = (hit.observation if hit else None for hit in pair)
    if before is not None and after is not None and before.id != after.id:
        yield ScreenChange(before, after, tuple(compare(before, after)))


def compare(before: Observation, after: Observation) -> list[LineChange]:
    """The lines in which two screens differ; one that has only moved is no difference.

    A line became another when it stands in the same place, or reads alike.
    """
    old, new = _lines(before), _lines(after)
    stayed = Counter(text for text, _ in old) & Counter(text for text, _ in new)
    gone, come = _without(old, stayed), _without(new, stayed)
    changes = []
    for text, box in come:
        likeness = [_likeness(line, (text, box)) for line in gone]
        best = max(range(len(gone)), key=likeness.__getitem__, default=None)
        if best is not None and likeness[best] >= _ALIKE:
            other, other_box = gone.pop(best)
            changes.append(LineChange(other, text, other_box, box))
        else:
            changes.append(LineChange("", text, None, box))
    return changes + [LineChange(text, "", box, None) for text, box in gone]


def _without(lines: Sequence[Line], stayed: Mapping[str, int]) -> list[Line]:
    left, kept = Counter(stayed), []
    for line in lines:
        if left[line[0]]:
            left[line[0]] -= 1
        else:
            kept.append(line)
    return kept


def _likeness(old: Line, new: Line) -> float:
    """1 and more for lines in one place, below that how alike they read."""
    (text, box), (other, other_box) = old, new
    alike = SequenceMatcher(None, text, other).ratio()
    if box is None or other_box is None:
        return alike
    width = min(box[2], other_box[2]) - max(box[0], other_box[0])
    height = min(box[3], other_box[3]) - max(box[1], other_box[1])
    least = min((b[2] - b[0]) * (b[3] - b[1]) for b in (box, other_box))
    shared = max(width, 0.0) * max(height, 0.0) / least if least > 0 else 0.0
    return alike + (1.0 if shared >= _ALIKE else 0.0)


def _lines(screen: Observation) -> list[Line]:
    layout = screen.find_media("layout")
    if layout is None:
        return [(line, None) for line in screen.text.splitlines() if line.strip()]
    rows = json.loads(layout.read())
    return [(row["text"], tuple(row["box"])) for row in rows if row["text"].strip()]


def _channel(
    store: Store, channel: str, since: datetime, until: datetime, filters: Filters
) -> ChannelChange:
    files = _files(store)
    unit = next((one.unit for one in readings.channels(files) if one.name == channel), "")
    named = (*filters.attributes, ("channel", (channel,)))
    between = Filters(("sensor",), since, until, filters.session, filters.source, named)
    events = [
        row.observation
        for row in store.catalog.select(between)
        if "event" in row.observation.attributes
    ]
    before, after = (_level(files, channel, when) for when in (since, until))
    return ChannelChange(channel, unit, before, after, tuple(events))


def _level(files: Sequence[readings.File], channel: str, until: datetime) -> Level | None:
    found = readings.readings(files, channel, until - _SPAN, until, None)
    values = [row.value for row in found] if isinstance(found, list) else []
    values = [value for value in values if math.isfinite(value)]
    if not values:
        return None
    mean = math.fsum(values) / len(values)
    return Level(len(values), mean, min(values), max(values), values[-1])


def _files(store: Store) -> Sequence[readings.File]:
    return store.catalog.stored_media("readings")


def _screen_lines(change: ScreenChange) -> Iterator[str]:
    yield (
        f"screen {change.before.captured_at:%H:%M:%S} ({PurePath(change.before.source).name}) "
        f"against {change.after.captured_at:%H:%M:%S} ({PurePath(change.after.source).name}):"
    )
    for line in change.lines:
        if line.before and line.after:
            yield f"  {line.before!r} became {line.after!r}"
        elif line.after:
            yield f"  new: {line.after!r}"
        else:
            yield f"  gone: {line.before!r}"
    if not change.lines:
        yield "  the same text"


def _channel_lines(change: ChannelChange) -> Iterator[str]:
    yield f"{change.channel}: {_told(change.before, change.unit)}, then " + _told(
        change.after, change.unit
    )
    for event in change.events:
        yield f"  {event.text}"


def _told(level: Level | None, unit: str) -> str:
    if level is None:
        return "no readings"
    return f"mean {level.mean:.4g} {unit} ({level.low:.4g} to {level.high:.4g})".replace("  ", " ")
