"""How people name times: of the day, and days as seen from when they ask."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from random import Random

ROUNDED = timedelta(minutes=5)  # to which people tell the time

_HOURS = (
    "twelve", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven",
)  # fmt: skip


def rounded(at: datetime, *, up: bool = False) -> datetime:
    """The last time of five full minutes, or the next one."""
    start = at.replace(hour=0, minute=0, second=0, microsecond=0)
    steps, rest = divmod(at - start, ROUNDED)
    return start + ROUNDED * (steps + (up and rest > timedelta(0)))


def nearest(at: datetime) -> datetime:
    """The nearest time of five full minutes."""
    return rounded(at + ROUNDED / 2)


def clock_words(at: datetime, rng: Random) -> str:
    """A time of day as someone may say it.

    >>> sorted({clock_words(datetime(2026, 3, 2, 14, 30), Random(n)) for n in range(20)})
    ['14.30', '14:30', '2:30 pm', 'half past two in the afternoon']
    """
    half = "morning" if at.hour < 12 else "afternoon"
    hour, after = _HOURS[at.hour % 12], _HOURS[(at.hour + 1) % 12]
    words = {0: f"{hour} o'clock", 15: f"a quarter past {hour}", 30: f"half past {hour}",
             45: f"a quarter to {after}"}.get(at.minute)  # fmt: skip
    said = [f"{at.hour}:{at:%M}", f"{at.hour}.{at:%M}", f"{at.hour % 12 or 12}:{at:%M} "
            f"{'am' if at.hour < 12 else 'pm'}"]  # fmt: skip
    return rng.choice([*said, f"{words} in the {half}"] if words else said)


def evening(day: date, rng: Random) -> datetime:
    """A time after work on that day."""
    return datetime.combine(day, time(17, rng.randrange(15, 55)), UTC)


def same_day(day: date, rng: Random) -> tuple[str, datetime]:
    """``today``, and when that is said."""
    return "today", evening(day, rng)


def next_day(day: date, rng: Random) -> tuple[str, datetime]:
    """``yesterday``, and when that is said."""
    morning = datetime.combine(day + timedelta(days=1), time(8, rng.randrange(20, 55)), UTC)
    return "yesterday", morning


def within_a_week(day: date, rng: Random) -> tuple[str, datetime]:
    """The weekday, and when that is said: the last such day."""
    _, now = same_day(day, rng)
    now += timedelta(days=rng.randrange(2, 6))
    return f"on {day:%A}", now


def much_later(day: date, rng: Random) -> tuple[str, datetime]:
    """The date, and when that is said."""
    _, now = same_day(day, rng)
    now += timedelta(days=rng.randrange(4, 40))
    ending = {1: "st", 2: "nd", 3: "rd"}.get(day.day % 10 if day.day // 10 != 1 else 0, "th")
    said = [
        f"on {day.day} {day:%B}",
        f"on {day:%B} {day.day}",
        f"on the {day.day}{ending} of {day:%B}",
        f"on {day.isoformat()}",
    ]
    return rng.choice(said), now


WAYS: Sequence[Callable[[date, Random], tuple[str, datetime]]] = (
    same_day,
    next_day,
    within_a_week,
    much_later,
)


def part_of_day(at: datetime, rng: Random) -> tuple[str, datetime]:
    """``this morning``, ``yesterday afternoon``, ..., and when that is said."""
    half = "morning" if at.hour < 12 else "afternoon"
    said, now = rng.choice((same_day, same_day, next_day, within_a_week))(at.date(), rng)
    return (f"this {half}" if said == "today" else f"{said} {half}"), now
