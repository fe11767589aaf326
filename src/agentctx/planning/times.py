"""When: the times in a question, with their prepositions, as spans of absolute time."""

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from agentctx.planning import clocks, dates
from agentctx.planning.clocks import DAY, HOUR, MINUTE, Clock
from agentctx.planning.dates import NUMBER, Days

# A preposition before a time, and what it makes of it.
_HOW = {
    "since": "since",
    "until": "until",
    "till": "until",
    "up to": "until",
    "before": "before",
    "after": "after",
    "around": "around",
    "about": "around",
    "at about": "around",
    "at around": "around",
    "compared to": "at",
    "compared with": "at",
    "from": "range",
    "between": "range",
}
_PREPOSITION = re.compile(
    rf"(?:{'|'.join(sorted(_HOW, key=len, reverse=True))}|at|on|in|during|over|throughout|within)"
    r"(?: exactly)? "
)
_AND = re.compile(r"\s?(?:-|–)\s?|(?:,)? (?:to|and|until|till|through) ")
_BEFORE_CLOCK = re.compile(r",? at (?:about |around |exactly )?|[ ,]+")
_BEFORE_DAY = re.compile(r",? (?:on |of )?")
_OF = re.compile(" (?:of|on) (?:the )?| (?=yesterday|today)")
_PART = re.compile(
    r"(?:the )?(?P<part>(?:(?:early|late) )?(?:morning|afternoon|evening)|night)\b(?!')"
)
_EARLY = re.compile(
    rf"(?P<early>early|late)(?= (?:in|on|this|yesterday|{'|'.join(dates.WEEKDAYS)})\b)"
)
_ABOUT = re.compile(r"(?<!\w)(?:about|around) (?=\w)")
_LOOKING = re.compile(r"(?<!\w)look(?:ed|ing)? at $")
_LUNCH = re.compile(r"(?:around|at|over) lunch(?:time)?\b")
_NAMED_PART = re.compile(
    r"this (?P<part>morning|afternoon|evening)\b|(?P<last>last night|tonight)\b"
)
_STAMP = re.compile(
    r"\d{4}-\d\d-\d\d[t ]\d\d:\d\d(?P<second>:\d\d)?(?:\.\d+)?(?P<zone>z|[+-]\d\d:?\d\d)?(?![\w:])"
)
_UNIT = r"(?P<unit>second|minute|min|hour|day|week|month|year)"
_LAST = re.compile(
    rf"(?:(?:in|within|over|during|for) )?the (?:last|past|previous) "
    rf"(?:(?P<count>{NUMBER}) )?{_UNIT}s?\b(?! of\b)|(?P<now>just now)\b"
)
_AGO = re.compile(
    rf"(?:about |around )?(?P<count>{NUMBER}|half an) (?P<unit>second|minute|min|hour)s? ago\b"
)
_SECONDS = {"second": 1, "minute": MINUTE, "min": MINUTE, "hour": HOUR, "day": DAY, "week": 7 * DAY}
_SECONDS |= {"month": 30 * DAY, "year": 365 * DAY}
# How far around a time is looked where it is told in hours, or with "around".
_AROUND = timedelta(minutes=5)
# Where a time may begin, and with what.
_NEXT = re.compile(r"\w+")
_FIRST_WORDS = {
    *(word for how in _HOW for word in how.split()[:1]),
    *(word for word in dates.BEGINNINGS | clocks.BEGINNINGS),
    *str.split("at on in during over throughout within for the this last just tonight"),
}
_START = re.compile(rf"(?<![\w\x00])(?=\d|(?:{'|'.join(sorted(_FIRST_WORDS))})(?!\w))")


class End(NamedTuple):
    """One time that is told: days, a time or part of a day, or both; or an absolute span."""

    days: Days | None = None
    clock: Clock | None = None
    part: str | None = None
    exact: tuple[datetime, datetime] | None = None

    @property
    def bare(self) -> bool:
        """Whether it is a time also without a preposition."""
        parts = (self.days, self.clock)
        return self.part is not None or self.exact is not None or any(p and p.bare for p in parts)


@dataclass(frozen=True, slots=True)
class Phrase:
    """A time in a text, at ``spans`` (one, or two that belong together)."""

    spans: tuple[tuple[int, int], ...]
    how: str
    first: End
    last: End | None = None

    @property
    def close(self) -> bool:
        """Whether it tells a time of day, or counts from now: about when, not about what."""
        return any(
            end and (end.clock or end.part or end.exact or (end.days and end.days.close))
            for end in (self.first, self.last)
        )

    @property
    def counted(self) -> bool:
        """Whether its days are counted from today, as a weekday is."""
        return any(end and end.days and end.days.counted for end in (self.first, self.last))


def find(text: str, now: datetime) -> list[Phrase]:
    """The times in a text (in lower case), in order; relative ones are counted from ``now``."""
    found, place = [], 0
    while start := _START.search(text, place):
        place = start.start()
        phrase = _phrase(text, place, now)
        if phrase:
            found.append(phrase)
            place = phrase.spans[0][1]
        else:
            place = _NEXT.search(text, place).end()  # type: ignore[union-attr]
    return found


def _phrase(text: str, start: int, now: datetime) -> Phrase | None:
    if early := _EARLY.match(text, start):
        whole = _phrase(text, early.end() + 1, now)
        if (
            whole is None
            or f"{early['early']} {whole.first.part}" not in clocks.PARTS
            or whole.last
        ):
            return None
        part = f"{early['early']} {whole.first.part}"
        return replace(
            whole, spans=((start, whole.spans[0][1]),), first=whole.first._replace(part=part)
        )
    if lunch := _LUNCH.match(text, start):
        on = _BEFORE_DAY.match(text, lunch.end())
        dated = dates.match(text, on.end(), now.date()) if on else None
        today = Days(now.date(), now.date() + timedelta(1), close=True)
        days, stop = dated or (today, lunch.end())
        return Phrase(((start, stop),), "at", End(days, part="lunch"))
    if exact := _counted(text, start, now):
        return Phrase(((start, exact[1]),), "at", End(exact=exact[0]))
    preposition = _PREPOSITION.match(text, start)
    place = preposition.end() if preposition else start
    how = _HOW.get(preposition.group().strip(), "at") if preposition else "at"
    if preposition and how != "around" and (exact := _counted(text, place, now)):
        return Phrase(((start, exact[1]),), how, End(exact=exact[0]))
    one = _end(text, place, now, ranges=how == "range")
    if one is None:
        return None
    first, stop = one
    if how == "at" and first.clock:
        how = "around" if _ABOUT.search(text, place, stop) else how
    elif preposition and _LOOKING.search(text, 0, place):
        return None  # "look at this": the time comes without it
    if how == "around" and not (first.clock or first.exact):
        return None  # "about Monday" tells a topic
    last = None
    if how == "range" or not preposition:
        between = _AND.match(text, stop)
        other = _end(text, between.end(), now) if between else None
        if other and (preposition or _alike(first, other[0])):
            last, stop = other
    if how == "range" and last is None:
        several = first.days is not None and first.days.stop - first.days.first > timedelta(1)
        if preposition and preposition.group() == "between " and not several:
            return None
        how = "at"
    # At the beginning, before a comma, it stands where a preposition would.
    leading = not text[:start].strip() and text[stop : stop + 1] == ","
    if not (preposition or leading or first.bare or (last and last.bare)):
        return None
    return Phrase(((start, stop),), "range" if last else how, first, last)


def _alike(first: End, last: End) -> bool:
    return bool(first.clock) == bool(last.clock) and bool(last.bare)


def _counted(text: str, place: int, now: datetime) -> tuple[tuple[datetime, datetime], int] | None:
    """A span that is counted from now in hours or less, or a whole time stamp."""
    if found := _STAMP.match(text, place):
        try:
            when = datetime.fromisoformat(found.group().upper())
        except ValueError:
            return None
        when = when if when.tzinfo else when.replace(tzinfo=now.tzinfo)
        return (when, when + timedelta(seconds=1 if found["second"] else MINUTE)), found.end()
    if found := _LAST.match(text, place):
        count = dates.number(found["count"] or "a") if not found["now"] else 5
        length = _SECONDS[found["unit"] or "minute"] * count
        return (_before(now, length), now.astimezone(UTC)), found.end()
    if found := _AGO.match(text, place):
        unit = _SECONDS[found["unit"]]
        half = found["count"] == "half an"
        length = unit // 2 if half else unit * dates.number(found["count"])
        around = max(min(length / 5, 15 * MINUTE), min(length, MINUTE))
        around = 15 * MINUTE if found["unit"] == "hour" and not half else around
        when = _before(now, length)
        return (_before(when, around), _before(when, -around)), found.end()
    return None


def _before(when: datetime, seconds: float) -> datetime:
    return when.astimezone(UTC) - timedelta(seconds=seconds)


def _end(text: str, place: int, now: datetime, *, ranges: bool = False) -> tuple[End, int] | None:
    """One time: a day, a part of it, a time of day, or a day and one of these in either order."""
    today = now.date()
    if found := _NAMED_PART.match(text, place):
        night = found["last"] == "last night"
        day = today - timedelta(1) if night else today
        return End(
            Days(day, day + timedelta(1), close=True), part=found["part"] or "night"
        ), found.end()
    if found := _PART.match(text, place):
        # "the morning of 14 March"
        of = _OF.match(text, found.end())
        dated = dates.match(text, of.end(), today) if of else None
        return (End(dated[0], part=found["part"]), dated[1]) if dated else None
    if dated := dates.match(text, place, today):
        days, stop = dated
        if part := _PART.match(text, stop + 1):
            return End(days._replace(bare=True), part=part["part"]), part.end()
        at = _BEFORE_CLOCK.match(text, stop)
        timed = clocks.match(text, at.end(), ranges=ranges) if at and at.end() > stop else None
        told = at is not None and "at" in at.group()
        if timed and (told or timed[0].bare or timed[0].unit < HOUR):
            return End(days, timed[0]), timed[1]
        return End(days), stop
    if timed := clocks.match(text, place, ranges=ranges):
        clock, stop = timed
        on = _BEFORE_DAY.match(text, stop)
        dated = dates.match(text, on.end(), today) if on else None
        told = on is not None and "on" in on.group()
        if dated and (told or dated[0].bare):
            return End(dated[0], clock), dated[1]
        return End(clock=clock), stop
    return None
