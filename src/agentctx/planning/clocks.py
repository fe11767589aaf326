"""Times of day that are told in words: "9:12", "half past two", "3 pm", "noon"."""

import re
from typing import NamedTuple

from agentctx.planning.dates import NUMBERS, WEEKDAYS

MINUTE = 60
HOUR = 60 * MINUTE
NOON = 12 * HOUR
DAY = 24 * HOUR
# Parts of a day, in seconds from its midnight. A night ends on the next day.
PARTS = {
    "morning": (5 * HOUR, NOON),
    "afternoon": (NOON, 18 * HOUR),
    "evening": (17 * HOUR, 23 * HOUR),
    "night": (18 * HOUR, 30 * HOUR),
    "early morning": (5 * HOUR, 9 * HOUR),
    "late morning": (10 * HOUR, NOON),
    "early afternoon": (NOON, 15 * HOUR),
    "late afternoon": (15 * HOUR, 18 * HOUR),
    "early evening": (17 * HOUR, 20 * HOUR),
    "late evening": (20 * HOUR, 23 * HOUR),
    "lunch": (11 * HOUR + 30 * MINUTE, 14 * HOUR),
}
# Of a bare hour, that between 7 and 18 o'clock is meant, where nothing else tells.
_EARLIEST = 7 * HOUR


class Clock(NamedTuple):
    """A time of day, in seconds from midnight, and how finely it is told: ``unit`` seconds.

    ``half``: it may as well be twelve hours later. ``bare``: a time also without a preposition.
    """

    seconds: int
    unit: int
    half: bool = False
    bare: bool = True

    def usual(self) -> int:
        """The seconds from midnight that are meant on an ordinary day."""
        return self.seconds + NOON if self.half and self.seconds < _EARLIEST else self.seconds

    def within(self, part: str | None) -> "Clock":
        """The same where a part of the day tells which half of it is meant."""
        if not self.half or part is None:
            return self
        late = part.endswith(("afternoon", "evening", "lunch")) or (
            part == "night" and self.seconds >= 6 * HOUR
        )
        # Three at night is after midnight, on the day that follows.
        shift = NOON if late else DAY if part == "night" else 0
        return self._replace(seconds=self.seconds + shift, half=False)


_HOUR = (
    rf"(?P<hour>\d\d?|{'|'.join(word for word, n in NUMBERS.items() if not word.startswith('a'))})"
)
_HALF = r"(?:\s?(?P<half>[ap])(?:m\b|\.m\.?(?!\w)))"
_DAYTIME = r"(?: in the (?P<part>morning|afternoon|evening)| at (?P<night>night))"
# What may follow a bare number that is an hour: anything else makes it a number of something.
_ENDS = (
    r"(?![:.]\d)(?=\s*(?:$|[,.;:!?)\-–]|(?:yesterday|today|on|in|at|last|this|to|till|until|when|while|before|compared|"
    rf"after|with|from|and|or|what|which|who|where|how|was|were|is|did|sharp|{'|'.join(WEEKDAYS)})\b))"
)
_PATTERNS = [
    re.compile(pattern)
    for pattern in (
        rf"(?P<hour>\d\d?):(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d)(?:\.\d+)?)?(?![\d:])"
        rf"(?:{_HALF}|{_DAYTIME})?",
        # 14.40 may be a number of anything, and so needs the surroundings of a time.
        rf"(?P<hour>[01]?\d|2[0-4])\.(?P<minute>[0-5]\d)(?![\d.])(?:{_HALF}|{_DAYTIME}|{_ENDS})",
        rf"{_HOUR}(?= o'clock|\s?[ap]\.?m\b| in the (?:morning|afternoon|evening)| at night)"
        rf"(?: o'clock)?{_HALF}?{_DAYTIME}?(?!\w)",
        r"(?P<name>noon|midday|midnight)\b",
        r"(?:(?P<minute>half|(?:a )?quarter|ten|twenty|five|[1-5]?\d)(?: minutes)? "
        rf"(?P<way>past|to) ){_HOUR}\b(?:{_HALF}|{_DAYTIME})?",
        rf"{_HOUR}\b{_ENDS}",
    )
]
# The words with which times of day may begin, besides digits.
BEGINNINGS = frozenset(
    [
        *(word.split()[0] for word in NUMBERS),
        *str.split("noon midday midnight half quarter twenty"),
        *(part.split()[0] for part in PARTS),
    ]
)
_MINUTES = {"half": 30, "quarter": 15, "a quarter": 15, "five": 5, "ten": 10, "twenty": 20}


def match(text: str, place: int, *, ranges: bool = False) -> tuple[Clock, int] | None:
    """The time of day told in a text (in lower case) at a place, and where it ends; None if none.

    In ``ranges``, "ten to eleven" is no single time.

    >>> match("half past two", 0)
    (Clock(seconds=9000, unit=60, half=True, bare=True), 13)
    """
    for pattern in _PATTERNS:
        found = pattern.match(text, place)
        if found and not (ranges and found.groupdict().get("way") == "to"):
            clock = _clock({"hour": None, "minute": None, "second": None} | found.groupdict())
            if clock is not None:
                return clock, found.end()
    return None


def _clock(groups: dict[str, str | None]) -> Clock | None:
    name, way, written = groups.get("name"), groups.get("way"), groups["hour"] or ""
    if name:
        return Clock(0 if name == "midnight" else NOON, HOUR)
    hour = int(written) if written.isdecimal() else NUMBERS[written]
    minute = groups["minute"]
    told = 0 if minute is None else int(minute) if minute.isdecimal() else _MINUTES[minute]
    second = int(groups["second"] or 0)
    half, part = groups.get("half"), groups.get("part") or groups.get("night")
    if hour > 23 or ((half or part or way) and not 1 <= hour <= 12):
        return None
    seconds = (hour % 12 if half or part or way else hour) * HOUR
    seconds += MINUTE * (-told if way == "to" else told) + second
    unit = 1 if groups["second"] else HOUR if minute is None else MINUTE
    if half:
        return Clock(seconds + NOON * (half == "p"), unit)
    # 09:12 and 9:12 are taken as written, 2:30 may be in the afternoon.
    open_ = way is not None or minute is None or hour < _EARLIEST // HOUR
    unsure = open_ and 1 <= hour <= 12 and not written.startswith("0")
    # A bare number, and 9:15 too (a ratio, a verse), needs a preposition.
    clock = Clock(
        seconds % DAY if seconds < 0 else seconds,
        unit,
        unsure,
        bare=minute in ("half", "quarter", "a quarter"),
    )
    if part:
        return clock._replace(half=True, bare=True).within(part)
    if hour == 12 and unsure:
        return clock._replace(seconds=seconds % NOON, half=True)
    return clock
