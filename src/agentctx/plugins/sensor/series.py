"""A table as one series of readings per channel, wide or long as it may be."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agentctx.errors import SourceInvalid, SourceTooLarge
from agentctx.extras import require
from agentctx.plugins.sensor.clock import Clock, is_number, is_time_name
from agentctx.plugins.sensor.dates import NONE
from agentctx.plugins.sensor.units import split, tidy

_CHANNEL_NAMES = (
    "channel channel_id channel_name sensor sensor_id sensor_name sensorid tag tag_name metric"
    " variable parameter signal series device device_id name entity_id measurement quantity item"
    " point node node_id station station_id topic field key probe"
)
_KEYS = frozenset(_CHANNEL_NAMES.split())
_VALUES = frozenset(
    ("value", "val", "reading", "measurement", "data", "state", "y", "wert", "result", "number")
)
_UNIT_KEYS = frozenset(("unit", "units", "uom", "unit_of_measurement", "einheit"))
_COUNTERS = frozenset(("", "index", "id", "row", "no", "nr", "#", "sample", "record", "seq"))
# Larger numbers stand for "no reading" (the largest double) and would overflow a variance.
_SENTINEL = 1e150
_NUMBER = r"^\s*[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?\s*$"


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """The readings of one channel.

    ``times``: int64 [n], µs since 1970 (UTC), strictly increasing; ``values``: float64 [n],
    finite; ``column``: the header it came from, where that is not the channel's name.
    """

    channel: str
    unit: str
    column: str
    times: NDArray[np.int64]
    values: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Log:
    """All series of a file that hold at least one reading, and the columns left out."""

    series: tuple[Series, ...]
    ignored: tuple[str, ...]


def log_of(name: str, table: Any, clock: Clock, units: dict[str, str], max_channels: int) -> Log:  # noqa: ANN401
    """The log in a table; raises SourceInvalid when no column holds a number."""
    columns = [c for c in table.column_names if c not in clock.columns]
    key = _key(table, columns)
    rest = [c for c in columns if c not in (key, _unit_key(columns))]
    numeric: dict[str, NDArray[np.float64]] = {}
    for column in rest:
        values = None if _is_counter(table, column) else _floats(table[column])
        if values is not None and not (is_time_name(column) and values.size):
            numeric[column] = values
    ignored = tuple(c for c in rest if c not in numeric)
    if key is None:
        series = list(_wide(numeric, clock, units))
    else:
        series = list(_long(name, table, key, numeric, clock, max_channels))
    if not series:
        listed = ", ".join(repr(c) for c in rest[:20]) or "none beside the time"
        raise SourceInvalid(
            name, f"holds no numbers; the columns looked at: {listed}. If it writes decimals with "
            "a comma, separate the columns with semicolons"
        )  # fmt: skip
    return Log(tuple(series), ignored)


def _wide(
    numeric: dict[str, NDArray[np.float64]], clock: Clock, units: dict[str, str]
) -> Iterator[Series]:
    times, order = _ordered(clock.micros)
    names = _names(list(numeric))
    for column, values in numeric.items():
        channel, unit = names[column]
        unit = tidy(units.get(column, ""), channel) or unit
        ordered = values if order is None else values[order]
        if (series := _series(channel, unit, column, times, ordered)) is not None:
            yield series


def _long(
    name: str,
    table: Any,  # noqa: ANN401
    key: str,
    numeric: dict[str, NDArray[np.float64]],
    clock: Clock,
    max_channels: int,
) -> Iterator[Series]:
    """One channel per distinct key, times the value columns where there are several."""
    types = require("pyarrow", extra="sensor").types
    keys = table[key].combine_chunks()
    if types.is_dictionary(keys.type):
        keys = keys.cast(keys.type.value_type)
    encoded = keys.dictionary_encode(null_encoding="mask")
    labels = [str(label) for label in encoded.dictionary.to_pylist()]
    if len(labels) * max(len(numeric), 1) > max_channels:
        reason = f"has {len(labels):,} channels in {key!r}, the limit is {max_channels:,}"
        raise SourceTooLarge(name, f"{reason}; split it or raise the option max_columns")
    codes = encoded.indices.fill_null(-1).to_numpy()
    order = np.lexsort((clock.micros, codes))
    order = order[(codes[order] >= 0) & (clock.micros[order] != NONE)]
    bounds = np.searchsorted(codes[order], np.arange(len(labels) + 1))
    if is_number(table[key].type):
        labels = [f"{key.lower().removesuffix('_id').removesuffix('id')} {x}" for x in labels]
    units = _row_units(table, codes, labels)
    alone = len(numeric) == 1 and next(iter(numeric)).lower() in _VALUES
    names = _names(labels if alone else list(numeric))
    for code, label in enumerate(labels):
        rows = order[bounds[code] : bounds[code + 1]]
        for column, values in numeric.items():
            channel, unit = names[label if alone else column]
            if not alone and len(labels) > 1:
                channel = f"{label} {channel}"
            unit = units[code] or unit
            series = _series(channel, unit, label, clock.micros[rows], values[rows])
            if series is not None:
                yield series


def _ordered(micros: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.intp] | None]:
    """Times in order without the missing, and the order of rows that gives it (None: as is)."""
    # Compared, not subtracted: the difference of a time and NONE would overflow.
    if (micros[1:] >= micros[:-1]).all() and (micros.size == 0 or micros[0] != NONE):
        return micros, None
    order = np.argsort(micros, kind="stable")
    order = order[np.searchsorted(micros[order], NONE, side="right") :]
    return micros[order], order


def _series(
    channel: str,
    unit: str,
    column: str,
    times: NDArray[np.int64],
    values: NDArray[np.float64],
) -> Series | None:
    """A series from times in order; None when it holds no reading."""
    finite = np.abs(values) < _SENTINEL
    if not finite.all():
        times, values = times[finite], values[finite]
    if times.size == 0:
        return None
    fresh = np.diff(times) > 0
    if not fresh.all():
        times = _spread(times, fresh)
        kept = np.concatenate(([True], np.diff(times) > 0))
        times, values = times[kept], values[kept]
    return Series(channel, unit, column if column != channel else "", times, values)


def _spread(times: NDArray[np.int64], fresh: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Times of a clock that is coarser than the log, spread evenly between its ticks.

    That is so when most rows repeat the time before them. Otherwise a repeated time is a row
    that was logged twice, and the times stay: the first of them counts.
    """
    if fresh.sum() * 2 > fresh.size or not fresh.any():
        return times
    starts = np.flatnonzero(np.concatenate(([True], fresh)))
    counts = np.diff(np.append(starts, times.size))
    ticks = np.diff(times[starts])
    width = np.append(np.minimum(ticks, int(np.median(ticks))), int(np.median(ticks)))
    rank = np.arange(times.size) - np.repeat(starts, counts)
    offsets = rank * np.repeat(width, counts) // np.repeat(counts, counts)
    spread: NDArray[np.int64] = times + offsets
    return spread


def _key(table: Any, columns: Sequence[str]) -> str | None:  # noqa: ANN401
    """The column that names the channel of each row, when the table is long."""
    types = require("pyarrow", extra="sensor").types
    for column in columns:
        if _plain(column) not in _KEYS:
            continue
        kind = table[column].type
        kind = kind.value_type if types.is_dictionary(kind) else kind
        if types.is_string(kind) or types.is_large_string(kind):
            if _floats(table[column]) is None:
                return column
        elif types.is_integer(kind) and _plain(column).endswith("id"):
            return column
    return None


def _unit_key(columns: Sequence[str]) -> str | None:
    return next((c for c in columns if _plain(c) in _UNIT_KEYS), None)


def _plain(column: str) -> str:
    return "_".join(column.lower().replace("-", " ").split())


def _row_units(table: Any, codes: NDArray[np.int64], labels: Sequence[str]) -> list[str]:  # noqa: ANN401
    """The unit of each channel of a long table: that of its first row."""
    column = _unit_key(table.column_names)
    if column is None:
        return [""] * len(labels)
    known, first = np.unique(codes, return_index=True)
    units = [""] * len(labels)
    for code, row in zip(known.tolist(), first.tolist(), strict=True):
        if code >= 0:
            units[code] = tidy(str(table[column][row].as_py() or ""), labels[code])
    return units


def _names(headers: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Channel and unit by header; where two channels would share a name, the header stays whole."""
    found = {header: split(header) for header in headers}
    uses = Counter(channel.lower() for channel, _ in found.values())
    return {
        header: (channel if uses[channel.lower()] == 1 else header, unit)
        for header, (channel, unit) in found.items()
    }


def _is_counter(table: Any, column: str) -> bool:  # noqa: ANN401
    """Whether a column numbers the rows."""
    types = require("pyarrow", extra="sensor").types
    plain = _plain(column)
    if plain not in _COUNTERS and not plain.startswith(("unnamed", "__index")):
        return False
    values = table[column]
    if not types.is_integer(values.type) or values.null_count:
        return False
    return bool((np.diff(values.to_numpy()) == 1).all())


def _floats(values: Any) -> NDArray[np.float64] | None:  # noqa: ANN401
    """A column as float64 with NaN where it is missing; None when it holds no numbers.

    Words among numbers (``ERROR``, ``over range``) are missing readings, as long as at least
    half of what is there are numbers.
    """
    arrow = require("pyarrow", extra="sensor")
    compute = require("pyarrow.compute", extra="sensor")
    types = arrow.types
    kind = values.type
    if types.is_dictionary(kind):
        values = values.cast(kind.value_type)
        kind = kind.value_type
    if types.is_string(kind) or types.is_large_string(kind):
        valid = compute.match_substring_regex(values, _NUMBER).fill_null(False)
        present = len(values) - values.null_count
        if not present or 2 * compute.sum(valid).as_py() < present:
            return None
        trimmed = compute.utf8_trim_whitespace(values)
        values = compute.if_else(valid, trimmed, arrow.scalar(None, kind)).cast(arrow.float64())
    elif types.is_boolean(kind):
        values = values.cast(arrow.uint8())
    elif not is_number(kind):
        return None
    return np.asarray(values.cast(arrow.float64(), safe=False).to_numpy(), dtype=np.float64)
