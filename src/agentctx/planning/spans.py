"""From the times that are told to spans of absolute time."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from agentctx.planning.clocks import DAY, HOUR, MINUTE, NOON, PARTS, Clock
from agentctx.planning.plans import Span
from agentctx.planning.times import End, Phrase

# How far around a time is looked where it is told in hours, or with "around".
_AROUND = 5 * MINUTE
_ONE_DAY = timedelta(1)


@dataclass(frozen=True, slots=True)
class Time:
    """A span of absolute time that the text tells at ``places``.

    ``close``: it tells a time of day, or counts in days or less from now; so it is hardly what a
    text is about, but when it was.
    """

    places: tuple[tuple[int, int], ...]
    span: Span
    close: bool
    counted: bool = False

    @property
    def length(self) -> float:
        """In seconds; infinite where it is open."""
        since, until = self.span
        return (until - since).total_seconds() if since and until else math.inf


def resolve(phrases: Sequence[Phrase], now: datetime, *, ends: bool = False) -> list[Time]:
    """The spans of the phrases of one clause, in order.

    A day and a time of day that are told apart ("yesterday between two and three") are one. With
    ``ends``, two times of day are the ends of one span. What lies outside the calendar, or begins
    after ``now``, is left out: nothing of it is captured.
    """
    found = []
    joined = _joined(phrases)
    for phrase in _from_to(joined, now) if ends else joined:
        try:
            span = _span(phrase, now)
        except (OverflowError, ValueError):  # past an end of the calendar
            continue
        since, until = span
        if since is not None and since > now.astimezone(UTC):
            continue
        found.append(Time(phrase.spans, (since, until), phrase.close, phrase.counted))
    return found


def _from_to(phrases: list[Phrase], now: datetime) -> list[Phrase]:
    """Two times of day as the ends of one span, on one day if only one of them tells it."""
    points = [p for p in phrases if p.first.clock and p.last is None]
    if len(points) != 2:
        return phrases
    here = now.replace(tzinfo=None, fold=0)
    one, other = (p.first for p in points)
    pair = sorted(
        (_with_days_of(one, other), _with_days_of(other, one)), key=lambda end: _point(end, here)
    )
    spans = tuple(sorted(points[0].spans + points[1].spans))
    whole = replace(points[0], spans=spans, how="range", first=pair[0], last=pair[1])
    return [whole, *(p for p in phrases if p not in points)]


def _joined(phrases: Sequence[Phrase]) -> list[Phrase]:
    days = [p for p in phrases if p.first.days and not p.first.clock and p.how == "at"]
    clocks = [
        p for p in phrases if p.first.clock and not p.first.days and not (p.last and p.last.days)
    ]
    if len(days) != 1 or len(clocks) != 1 or len(phrases) != 2 or days[0].last:
        return list(phrases)
    day, clock = days[0], clocks[0]
    told = day.first.days
    assert told is not None
    if told.stop - told.first != _ONE_DAY:
        return list(phrases)
    ends = [
        end and end._replace(days=told, part=day.first.part) for end in (clock.first, clock.last)
    ]
    assert ends[0] is not None
    spans = tuple(sorted(day.spans + clock.spans))
    return [replace(clock, spans=spans, first=ends[0], last=ends[1])]


def _span(phrase: Phrase, now: datetime) -> Span:
    first, last = phrase.first, phrase.last
    if first.exact:
        return _of_exact(phrase.how, *first.exact, last.exact[1] if last and last.exact else None)
    start, stop = _local(phrase, now)
    since, until = (_utc(when, now) for when in (start, stop))
    if since is not None and until is not None and until <= since:
        # The clocks were put forward in between: what is told does not exist that day.
        assert start is not None
        assert stop is not None
        until = since + (stop - start)
    return since, until


def _of_exact(how: str, start: datetime, stop: datetime, last: datetime | None) -> Span:
    start, stop = start.astimezone(UTC), stop.astimezone(UTC)
    if how == "around":
        return start - timedelta(seconds=_AROUND), start + timedelta(seconds=_AROUND)
    span = _by_how(how, start, stop)
    if None not in span and last is not None and last.astimezone(UTC) > start:
        return start, last.astimezone(UTC)
    return span


def _utc(when: datetime | None, now: datetime) -> datetime | None:
    return when and when.replace(tzinfo=now.tzinfo).astimezone(UTC)


def _local(phrase: Phrase, now: datetime) -> tuple[datetime | None, datetime | None]:
    """The span by the clock on the wall, without a zone."""
    here = now.replace(tzinfo=None, fold=0)
    first, last = phrase.first, phrase.last
    if last is not None:
        return _range(_with_days_of(first, last), _with_days_of(last, first), here)
    if first.clock is None:
        return _by_how(phrase.how, *_extent(first))
    point = _point(first, here)
    midnight = datetime.combine(point, time())
    match phrase.how:
        case "since":
            return point, None
        case "after":
            return point, midnight + _ONE_DAY
        case "before" | "until" if point > midnight:
            return midnight, point
        case "before" | "until":
            return midnight - _ONE_DAY, midnight
    coarse = first.clock.unit == HOUR
    around = timedelta(seconds=_AROUND * 3 if coarse else _AROUND)
    if phrase.how == "around":
        return point - around, point + around
    if coarse:
        return point - around / 3, point + around / 3
    return point, point + timedelta(seconds=first.clock.unit)


def _by_how(how: str, start: datetime, stop: datetime) -> Span:
    match how:
        case "since":
            return start, None
        case "after":
            return stop, None
        case "before":
            return None, start
        case "until":
            return None, stop
    return start, stop


def _with_days_of(end: End, other: End) -> End:
    """A time of day in a range is on the day that the other end tells."""
    if end.days or end.part or other.days is None:
        return end
    return end._replace(days=other.days, part=other.part)


def _extent(end: End) -> tuple[datetime, datetime]:
    assert end.days is not None
    start = datetime.combine(end.days.first, time())
    if end.part:
        return tuple(start + timedelta(seconds=s) for s in PARTS[end.part])  # type: ignore[return-value]
    return start, datetime.combine(end.days.stop, time())


def _point(end: End, here: datetime) -> datetime:
    assert end.clock is not None
    clock = end.clock.within(end.part)
    if end.days and (end.days.first != here.date() or not clock.half):
        return _on(end.days.first, clock.usual())
    return _latest(clock, here)


def _on(day: date, seconds: int) -> datetime:
    return datetime.combine(day, time()) + timedelta(seconds=seconds)


def _latest(clock: Clock, here: datetime) -> datetime:
    """The last time that a clock has shown this."""
    options = [clock.seconds, clock.seconds + NOON] if clock.half else [clock.seconds]
    today = [when for s in options if (when := _on(here.date(), s)) <= here]
    return max(today) if today else _on(here.date() - _ONE_DAY, clock.usual())


def _range(first: End, last: End, here: datetime) -> tuple[datetime, datetime]:
    start = _point(first, here) if first.clock else _extent(first)[0]
    if last.clock is None:
        stop = _extent(last)[1]
    else:
        clock = last.clock.within(last.part)
        day = last.days.first if last.days else start.date()
        step = NOON if clock.half else DAY
        stop = _on(day, clock.seconds)
        # The next time that a clock shows this: "from 11 to 1", "from 22:00 to 6:00".
        while stop <= start and (last.days is None or stop.date() <= start.date()):
            stop += timedelta(seconds=step)
    if stop <= start:
        raise ValueError("it ends before it begins")
    return start, stop
