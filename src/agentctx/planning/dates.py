"""Days that are told in words: "yesterday", "last week", "14 March", "the first quarter of 2025".

A grammar of its own, over the standard library: the parsers there are give a point for each of
these (docs/architecture.md has what was measured). What can be something else than a date ("may",
"sun", "a second") is taken for one only where its surroundings say so.
"""

import calendar
import re
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from functools import partial
from typing import NamedTuple

MONTHS = {name.lower(): number for number, name in enumerate(calendar.month_name) if name}
_SHORT = {name.lower(): number for number, name in enumerate(calendar.month_abbr) if name}
WEEKDAYS = {name.lower(): number for number, name in enumerate(calendar.day_name)}
_NUMBER_WORDS = [
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
]
NUMBERS = {word: number for number, word in enumerate(_NUMBER_WORDS, start=1)} | {
    "a": 1,
    "an": 1,
    "a couple of": 2,
    "a few": 3,
}
NUMBER = rf"(?:\d{{1,3}}|{'|'.join(sorted(NUMBERS, key=len, reverse=True))})"
_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4}

_WEEKDAY = "|".join(WEEKDAYS)
_MONTH = "|".join(MONTHS)
_ANY_MONTH = rf"(?:{_MONTH}|(?:{'|'.join(_SHORT)}|sept)\b\.?)"
_YEAR = r"(?:19|20)\d\d"
_DAY = r"[0-3]?\d(?:st|nd|rd|th)?\b"
_DAY_OF_MONTH = (
    rf"(?:the )?(?P<day>{_DAY})(?:\s?(?:-|to|and|through)\s?(?:the )?(?P<last>{_DAY}))? (?:of )?"
    rf"(?P<month>{_ANY_MONTH})\b(?:,? (?P<year>{_YEAR}))?"
)
_MONTH_DAY = (
    rf"(?P<month>{_ANY_MONTH}) (?:the )?(?P<day>{_DAY})"
    rf"(?:\s?(?:-|to|and|through)\s?(?P<last>{_DAY}))?(?:,? (?P<year>{_YEAR}))?(?!:)"
)


class Days(NamedTuple):
    """The days ``first <= day < stop``.

    ``bare``: a date also without a preposition. ``close``: counted in days from today, and so
    hardly ever what a text is about, but when it was. ``counted``: counted from today in some
    other way.
    """

    first: date
    stop: date
    bare: bool = True
    close: bool = False
    counted: bool = False


def match(text: str, place: int, today: date) -> tuple[Days, int] | None:
    """The days told in a text (in lower case) at a place, and where they end; None if none are.

    >>> match("14 march 2026", 0, date(2026, 3, 18))[0].first.isoformat()
    '2026-03-14'
    """
    for pattern, days in _PATTERNS:
        found = pattern.match(text, place)
        if found:
            try:
                return days(found.groupdict(), today), found.end()
            except (ValueError, OverflowError):  # no such day: 31 April, 13/14/2026, the year 0
                continue
    return None


Groups = Mapping[str, str | None]


def _text(groups: Groups, name: str) -> str:
    return groups[name] or ""


def number(words: str) -> int:
    """A number from 0 to 999, in digits or (up to twelve) in words."""
    return int(words) if words.isdecimal() else NUMBERS[words]


def _month_number(word: str) -> int:
    return MONTHS.get(word) or _SHORT[word.rstrip(".")[:3]]


def _one(day: date, *, bare: bool = True, close: bool = False) -> Days:
    return Days(day, day + timedelta(1), bare, close)


def _month(year: int, month: int, bare: bool = True) -> Days:
    first = date(year + (month - 1) // 12, (month - 1) % 12 + 1, 1)
    return Days(first, (first + timedelta(31)).replace(day=1), bare)


def _quarter(year: int, quarter: int) -> Days:
    """A quarter; 0 is the last one of the year before."""
    year, quarter = (year - 1, 4) if not quarter else (year, quarter)
    return Days(date(year, 3 * quarter - 2, 1), _month(year, 3 * quarter).stop)


def _in_year(groups: Groups, today: date, month: int, day: int = 1) -> int:
    """The year that is told, or the last one in which that day is not in the future."""
    if groups["year"]:
        return int(_text(groups, "year"))
    return today.year - ((month, day) > (today.month, today.day))


def _iso(groups: Groups, today: date) -> Days:
    return _one(date.fromisoformat(_text(groups, "iso")))


def _numeric(groups: Groups, today: date) -> Days:
    first, second = int(_text(groups, "first")), int(_text(groups, "second"))
    if groups["mark"] == "/":
        if first <= 12 and second <= 12 and first != second:
            raise ValueError("it may be either day of either month")
        first, second = (second, first) if second > 12 else (first, second)
    return _one(date(int(_text(groups, "year")), second, first), bare=False)


def _calendar_day(groups: Groups, today: date) -> Days:
    month = _month_number(_text(groups, "month"))
    day, last = (
        int(re.sub(r"\D", "", text)) if text else None for text in (groups["day"], groups["last"])
    )
    assert day is not None
    year = _in_year(groups, today, month, day)
    stop = date(year, month, last or day) + timedelta(1)
    if last is not None and last < day:
        raise ValueError("the days are not in order")
    return Days(date(year, month, day), stop, groups["year"] is not None)


def _calendar_month(groups: Groups, today: date) -> Days:
    month = _month_number(_text(groups, "month"))
    whole = _month(_in_year(groups, today, month), month, groups["year"] is not None)
    first, stop = whole.first, whole.stop
    match groups["part"]:
        case "early" | "the beginning of" | "the start of":
            return Days(first, first.replace(day=11))
        case "mid" | "the middle of":
            return Days(first.replace(day=11), first.replace(day=21))
        case "late" | "the end of":
            return Days(first.replace(day=21), stop)
    return whole


def _ordinal_day(groups: Groups, today: date) -> Days:
    day = int(_text(groups, "day"))
    month = today.month - (day > today.day)
    # Any January has the days that the December before has.
    first = _month(today.year, month).first
    return _one(first.replace(day=day), bare=False)


def _year(groups: Groups, today: date) -> Days:
    year = int(_text(groups, "year"))
    return Days(date(year, 1, 1), date(year + 1, 1, 1), bare=False)


def _calendar_quarter(groups: Groups, today: date) -> Days:
    which = _text(groups, "which")
    quarter = _ORDINALS.get(which) or int(re.sub(r"\D", "", which))
    months = 3 * quarter - 2
    return _quarter(_in_year(groups, today, months), quarter)


def _named_day(groups: Groups, today: date, back: int) -> Days:
    return _one(today - timedelta(back), close=True)


def _weekday(groups: Groups, today: date) -> Days:
    back = (today.weekday() - WEEKDAYS[_text(groups, "weekday")]) % 7
    which = groups["which"]
    if which == "next":
        back -= 7
    elif which in ("last", "past", "previous"):
        back = back or 7
    return _one(today - timedelta(back), bare=which is not None)._replace(counted=True)


def _week_of(groups: Groups, today: date) -> Days:
    found = match(_text(groups, "date"), 0, today)
    if found is None:
        raise ValueError("no date")
    monday = found[0].first - timedelta(found[0].first.weekday())
    return Days(monday, monday + timedelta(7))


def _period(groups: Groups, today: date) -> Days:
    which, unit = _text(groups, "which"), _text(groups, "unit")
    step = {"this": 0, "next": 1}.get(which, -1)
    monday = today - timedelta(today.weekday())
    match unit:
        case "week":
            first = monday + timedelta(7 * step)
            return Days(first, first + timedelta(7), counted=True)
        case "month":
            return _month(today.year, today.month + step)
        case "year":
            return Days(date(today.year + step, 1, 1), date(today.year + step + 1, 1, 1))
        case "quarter":
            return _quarter(today.year, (today.month + 2) // 3 + step)
    saturday = monday + timedelta(5 + 7 * step)
    return Days(saturday, saturday + timedelta(2))


def _the_weekend(groups: Groups, today: date) -> Days:
    saturday = today - timedelta((today.weekday() - 5) % 7)
    return Days(saturday, saturday + timedelta(2), bare=False)


def _back(day: date, count: int, unit: str) -> Days:
    """The day, week around the day, month or year that lies so many units before a day."""
    match unit:
        case "day":
            return _one(day - timedelta(count))
        case "week":
            middle = day - timedelta(7 * count)
            return Days(middle - timedelta(3), middle + timedelta(4))
        case "month":
            return _month(day.year, day.month - count)
    return Days(date(day.year - count, 1, 1), date(day.year - count + 1, 1, 1))


def _ago(groups: Groups, today: date) -> Days:
    unit = _text(groups, "unit")
    return _back(today, number(_text(groups, "count")), unit)._replace(close=unit == "day")


def _away(groups: Groups, today: date) -> Days:
    """Days by their distance from a date: "two weeks before 3 May", "the Sunday after 3 May"."""
    found = match(_text(groups, "date"), 0, today)
    if found is None or len(_text(groups, "date")) != found[1]:
        raise ValueError("no date")
    day, unit = found[0].first, _text(groups, "unit")
    sign = -1 if groups["way"] == "after" else 1
    if unit in WEEKDAYS:
        back = (sign * (day.weekday() - WEEKDAYS[unit])) % 7 or 7
        return _one(day - timedelta(sign * back))
    if unit == "weekend":
        back = (day.weekday() - 5) % 7 or 7
        saturday = day - timedelta(back if sign > 0 else back - 7)
        return Days(saturday, saturday + timedelta(2))
    if groups["count"] is None and unit == "week":
        first = day - timedelta(7) if sign > 0 else day + timedelta(1)
        return Days(first, first + timedelta(7))
    return _back(day, sign * number(groups["count"] or "a"), unit)


def _unnamed(pattern: str) -> str:
    return re.sub(r"\?P<\w+>", "?:", pattern)


_FULL_DATE = rf"(?P<date>{_unnamed(_DAY_OF_MONTH)}|{_unnamed(_MONTH_DAY)}|\d{{4}}-\d\d-\d\d)"
_UNIT = r"(?P<unit>day|week|month|year)"
_PATTERNS: list[tuple[re.Pattern[str], Callable[[Groups, date], Days]]] = [
    (re.compile(pattern), days)
    for pattern, days in (
        (r"(?P<iso>\d{4}-\d\d-\d\d)(?![\w-])", _iso),
        (
            rf"(?P<first>\d\d?)(?P<mark>[./])(?P<second>\d\d?)(?P=mark)(?P<year>{_YEAR})\b",
            _numeric,
        ),
        (rf"the week of {_FULL_DATE}", _week_of),
        (
            rf"(?:the |last |(?P<count>{NUMBER}) )"
            rf"(?P<unit>day|week|month|year|weekend|{_WEEKDAY})s? "
            rf"(?P<way>before|after) {_FULL_DATE}",
            _away,
        ),
        (_DAY_OF_MONTH, _calendar_day),
        (_MONTH_DAY, _calendar_day),
        (
            r"(?<!\d )(?<!\d\w\w )"
            rf"(?:(?P<part>early|mid|late|the (?:beginning|start|middle|end) of)[ -])?"
            rf"(?P<month>{_MONTH})\b(?:,?(?: of)? (?P<year>{_YEAR})\b)?",
            _calendar_month,
        ),
        (rf"(?<!\d )(?P<part>)(?P<month>{_ANY_MONTH}),? (?P<year>{_YEAR})\b", _calendar_month),
        (
            r"(?:the )?(?P<day>[0-3]?\d)(?:st|nd|rd|th)\b"
            r"(?=\s*(?:$|[,.;?!]|(?:at|between|from|when|while|before|after)\b))",
            _ordinal_day,
        ),
        (
            rf"(?:the )?(?P<which>{'|'.join(_ORDINALS)}|[1-4](?:st|nd|rd|th)) quarter (?:of )?"
            rf"(?P<year>{_YEAR})\b",
            _calendar_quarter,
        ),
        (rf"(?P<which>q[1-4])(?: (?:of )?(?P<year>{_YEAR}))?\b", _calendar_quarter),
        (rf"(?P<year>{_YEAR})\b(?=\s*(?:$|[,.;?!]|and\b|or\b|in\b|on\b|about\b))", _year),
        # "Today in history" is a title, like "today's headlines".
        (r"today\b(?!'| in history\b)", partial(_named_day, back=0)),
        (r"yesterday\b(?!')", partial(_named_day, back=1)),
        (r"tomorrow\b(?!')", partial(_named_day, back=-1)),
        (r"the day before yesterday\b(?!')", partial(_named_day, back=2)),
        (
            rf"(?:(?P<which>last|past|previous|this|next) )?(?P<weekday>{_WEEKDAY})\b(?!')",
            _weekday,
        ),
        (
            r"(?P<which>last|previous|this|next) (?P<unit>weekend|week|month|year|quarter)\b"
            r"(?!'| of\b)",
            _period,
        ),
        (r"the weekend\b(?!')", _the_weekend),
        (rf"(?P<count>{NUMBER}) {_UNIT}s? ago\b", _ago),
    )
]
# The words with which days may begin, besides digits.
BEGINNINGS = frozenset(
    [
        *(word.split()[0] for word in NUMBERS),
        *WEEKDAYS,
        *MONTHS,
        *_SHORT,
        *_ORDINALS,
        *str.split("sept q1 q2 q3 q4 today yesterday tomorrow the early mid late"),
        *str.split("last past previous this next"),
    ]
)
