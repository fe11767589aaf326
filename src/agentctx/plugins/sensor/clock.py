"""When each row was read: finds the time column and makes it microseconds since 1970, UTC."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

import numpy as np

from agentctx.errors import SourceInvalid
from agentctx.extras import require
from agentctx.plugins.sensor.dates import DAY, NONE, Micros, Moments, moments_of, unlike_times
from agentctx.plugins.sensor.units import split

SECOND = 1_000_000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# The ends of datetime, a day inside so that any zone can show them.
_FIRST = (datetime(1, 1, 2, tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)
_LAST = (datetime(9999, 12, 30, tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)
_TIME_WORDS = (
    "time times timestamp timestamps ts t date datetime epoch unix unixtime seconds elapsed when"
    " zeit datum uhrzeit zeitstempel zeitpunkt fecha hora heure tijd"
)
# Words beside these that change nothing: "Time (UTC)", "local_time", "date_time", "recorded_at".
_OTHER_WORDS = (
    "utc gmt local iso iso8601 stamp rel relative since start sensor log event server device gps"
    " of day recorded created measured logged at"
)
_NAMES = frozenset(_TIME_WORDS.split())
_FILLERS = frozenset(_OTHER_WORDS.split())
_UNITS = {"s": 1.0, "sec": 1.0, "seconds": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9,
          "min": 60.0, "h": 3600.0}  # fmt: skip
# Seconds, milli-, micro- and nanoseconds since 1970: from 1973 to 2286 they do not overlap.
_EPOCHS = ((1e8, 1e10, 1.0), (1e11, 1e13, 1e-3), (1e14, 1e16, 1e-6), (1e17, 9.3e18, 1e-9))
_WRITE = (
    "write them as ISO 8601 (2026-03-14T09:12:03Z) or as seconds since 1970, or name another "
    "column in the option time_column of the sensor plugin"
)


@dataclass(frozen=True, slots=True)
class Setting:
    """What a table cannot tell.

    ``zone`` of naive times, None for this machine's; ``start`` of relative ones, asked only when
    there are any; ``column`` that holds the time, when the user named it.
    """

    zone: tzinfo | None
    start: Callable[[], datetime]
    column: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Clock:
    """The time of each row (µs since 1970, UTC; NONE where missing), and the columns it used."""

    micros: Micros
    columns: frozenset[str]


def to_micros(when: datetime) -> int:
    """Microseconds since 1970 of an aware time, exactly."""
    return (when - _EPOCH) // timedelta(microseconds=1)


def to_datetime(micros: int) -> datetime:
    """The aware time (UTC) of microseconds since 1970, exactly."""
    return _EPOCH + timedelta(microseconds=int(micros))


def is_time_name(column: str) -> bool:
    """Whether a column's name says time: ``Time (s)``, ``ts``, ``recorded_at``; not ``runtime``."""
    words = re.findall(r"[a-zµ]+[0-9]*", column.lower())
    kept = [word for word in words if word not in _FILLERS and word not in _UNITS]
    return bool(kept and set(kept) <= _NAMES) or words[-1:] == ["at"] or words == ["seconds"]


def read_clock(name: str, table: Any, setting: Setting) -> Clock:  # noqa: ANN401
    """The clock of a table; raises SourceInvalid when it has none that can be read."""
    column, moments = _find(name, table, setting.column)
    columns = {column}
    if moments is None:
        micros = _numbers(name, column, table[column], setting)
    elif moments.of_day:
        start = setting.start().astimezone(setting.zone)
        midnight = to_micros(datetime(start.year, start.month, start.day, tzinfo=UTC))
        micros = _local(_add(_unwrapped(moments.micros), midnight), setting.zone)
    elif moments.dates_only and (found := _time_of_day(name, table, column)):
        columns.add(found[0])
        micros = _local(_add(moments.micros, found[1].micros), setting.zone)
    else:
        micros = _local(moments.micros, setting.zone) if moments.naive else moments.micros
    known = micros[micros != NONE]
    if not known.size:
        raise _timeless(name, column)
    if known.min() < _FIRST or known.max() > _LAST:
        raise _outside(name, column)
    return Clock(micros, frozenset(columns))


def _timeless(name: str, column: str) -> SourceInvalid:
    return SourceInvalid(name, f"has no time in any row of its time column {column!r}; {_WRITE}")


def _outside(name: str, column: str) -> SourceInvalid:
    return SourceInvalid(name, f"has times in {column!r} outside of the years 1 to 9999; {_WRITE}")


def _find(name: str, table: Any, wanted: str | None) -> tuple[str, Moments | None]:  # noqa: ANN401
    """The time column with its moments; these are None where it holds numbers.

    A column of dates goes before numbers called time, and these before times of the day.
    """
    columns = [c for c in table.column_names if wanted is None or c.lower() == wanted.lower()]
    named = [c for c in columns if wanted is not None or is_time_name(c)]
    of_day: tuple[str, Moments] | None = None
    for column in [*named, *(c for c in columns if c not in named)]:
        moments = moments_of(name, column, table[column])
        if moments and not moments.of_day:
            return column, moments
        if moments and of_day is None:
            of_day = column, moments
    if numbers := [c for c in named if is_number(table[c].type)]:
        return numbers[0], None
    if of_day:
        return of_day
    if named:
        present = table[named[0]].drop_null()
        if not len(present):
            raise _timeless(name, named[0])
        example = unlike_times(present)
        raise SourceInvalid(
            name, f"has times in {named[0]!r} that cannot be read, such as {example!r}; {_WRITE}"
        )
    listed = ", ".join(repr(c) for c in table.column_names[:20])
    more = ", ..." if table.num_columns > 20 else ""
    raise SourceInvalid(
        name, f"has no time column{f' {wanted!r}' if wanted else ''}; its columns are {listed}"
        f"{more}. Call one of them 'time' (ISO 8601, or seconds since 1970 or since the start), "
        "or name it in the option time_column of the sensor plugin"
    )  # fmt: skip


def is_number(kind: Any) -> bool:  # noqa: ANN401
    """Whether an Arrow type holds numbers."""
    types = require("pyarrow", extra="sensor").types
    return bool(types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind))


def _time_of_day(name: str, table: Any, date: str) -> tuple[str, Moments] | None:  # noqa: ANN401
    for column in table.column_names:
        if column != date and is_time_name(column):
            moments = moments_of(name, column, table[column])
            if moments and moments.of_day:
                return column, moments
    return None


def _numbers(name: str, column: str, values: Any, setting: Setting) -> Micros:  # noqa: ANN401
    """Seconds (or the unit in the header) since 1970, by magnitude, or else since the start."""
    arrow = require("pyarrow", extra="sensor")
    types = arrow.types
    unit = _UNITS.get(_unit_of(column))
    floats = np.asarray(values.cast(arrow.float64(), safe=False).to_numpy(), dtype=np.float64)
    finite = np.isfinite(floats)
    if not finite.any():
        raise _timeless(name, column)
    middle = float(np.median(np.abs(floats[finite])))
    scale = next((s for low, high, s in _EPOCHS if low <= middle < high), None)
    # "time_ns" may count from the start: what the header says goes before the magnitude.
    if unit is not None and not 1e8 <= middle * unit < 1e10:
        scale = scale if middle * unit >= 1e10 else None
    base = 0
    if scale is None:
        scale, base = unit or 1.0, to_micros(setting.start())
    if types.is_integer(values.type) and scale <= 1e-6:
        whole = integers_of(values)  # a float64 would round nanoseconds since 1970
        micros = whole if scale == 1e-6 else whole // 1000
        return _add(np.where(finite, micros, NONE), base)
    with np.errstate(invalid="ignore"):
        micros = np.rint(np.where(finite, floats, 0.0) * scale * SECOND)
    if np.abs(micros).max() > _LAST - min(base, 0):
        raise _outside(name, column)
    return _add(np.where(finite, micros.astype(np.int64), NONE), base)


def integers_of(values: Any) -> Micros:  # noqa: ANN401
    """An Arrow column of integers as int64, zero where it is null."""
    arrow = require("pyarrow", extra="sensor")
    return np.asarray(values.cast(arrow.int64()).fill_null(0).to_numpy(), dtype=np.int64)


def _unit_of(column: str) -> str:
    unit = split(column)[1] or re.split(r"[^a-zµ]+", column.lower())[-1]
    return unit if unit in _UNITS else ""


def _add(micros: Micros, offset: "Micros | int") -> Micros:
    missing = (micros == NONE) | (np.asarray(offset) == NONE)
    with np.errstate(over="ignore"):
        return np.where(missing, NONE, micros + offset)


def _unwrapped(of_day: Micros) -> Micros:
    """Times of the day over midnight: each jump back by more than half a day starts a new one."""
    known = of_day != NONE
    times = of_day[known]
    days = np.concatenate(([0], np.cumsum(np.diff(times) < -DAY // 2)))
    unwrapped = of_day.copy()
    unwrapped[known] = times + days * DAY
    return unwrapped


def _local(micros: Micros, zone: tzinfo | None) -> Micros:
    """Naive local times as UTC; of an hour that the clock shows twice, the first is taken.

    Offsets change at quarter-hours only, so that one is looked up for each of these.
    """
    quarter = 900 * SECOND
    known = micros != NONE
    if not known.any():
        return micros
    quarters, which = np.unique(micros[known] // quarter, return_inverse=True)
    if quarters[0] * quarter < _FIRST or quarters[-1] * quarter > _LAST:
        return micros  # the caller refuses these
    offsets = []
    for start in quarters.tolist():
        naive = to_datetime(start * quarter).replace(tzinfo=None)
        aware = naive.astimezone() if zone is None else naive.replace(tzinfo=zone)
        offsets.append((aware.utcoffset() or timedelta()) // timedelta(microseconds=1))
    local = micros.copy()
    local[known] -= np.array(offsets, dtype=np.int64)[which]
    return local
