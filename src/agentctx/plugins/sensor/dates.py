"""Columns of dates and times, in whatever type or writing, as microseconds since 1970."""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agentctx.errors import SourceInvalid
from agentctx.extras import require

Micros = NDArray[np.int64]
NONE = np.iinfo(np.int64).min  # a row without a time
DAY = 86_400_000_000

_TIME_OF_DAY = re.compile(r"\d{1,2}:\d{2}(?::\d{2})?(?:[.,]\d+)?(?:\s*[AP]M)?$", re.IGNORECASE)
# Other writings are rewritten into ISO 8601, which Arrow parses: pattern of a value's begin, ISO.
_YEAR_FIRST = (r"^(\d{4})[/.](\d{1,2})[/.](\d{1,2})", r"\1-\2-\3")
_DAY_FIRST = (r"^(\d{1,2})[./-](\d{1,2})[./-](\d{4})", r"\3-\2-\1")
_MONTH_FIRST = (r"^(\d{1,2})[./-](\d{1,2})[./-](\d{4})", r"\3-\1-\2")
_ONE_DIGIT = (r"([-T ])(\d)([-T :]|$)", r"\10\2\3")  # Arrow reads one digit: group 1, then 0
_TIME_LIKE = r"^[-+0-9/.,:TZ ]*(?:[AaPp][Mm]|UTC|GMT)?$"


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """Microseconds since 1970 (NONE where missing). When ``naive`` they are read off a clock
    whose zone is not told; when ``of_day`` they count from a midnight that is not told."""

    micros: Micros
    naive: bool
    of_day: bool = False

    @property
    def dates_only(self) -> bool:
        """Whether they are all midnights: days, without the time of the day."""
        return self.naive and not (self.micros[self.micros != NONE] % DAY).any()


def moments_of(name: str, column: str, values: Any) -> Moments | None:  # noqa: ANN401
    """The moments in an Arrow column; None when it holds none (numbers are none).

    Raises SourceInvalid for dates whose order of day and month cannot be told.
    """
    arrow = require("pyarrow", extra="sensor")
    kind = values.type
    if arrow.types.is_dictionary(kind):
        kind = kind.value_type
        values = values.cast(kind)
    if arrow.types.is_timestamp(kind):
        return _moments(values.cast(arrow.timestamp("us", kind.tz), safe=False))
    if arrow.types.is_date(kind):
        return _moments(values.cast(arrow.timestamp("us")))
    if arrow.types.is_time(kind):
        micros = values.cast(arrow.time64("us"), safe=False)
        return Moments(integers(micros.cast(arrow.int64())), naive=True, of_day=True)
    if arrow.types.is_string(kind) or arrow.types.is_large_string(kind):
        return _parse(name, column, values)
    return None


def unlike_times(values: Any) -> object:  # noqa: ANN401
    """Of a column that holds no moments, the first value that does not even look like a time.

    The first of all where each of them does. The column has no nulls, and at least one row.
    """
    arrow = require("pyarrow", extra="sensor")
    compute = require("pyarrow.compute", extra="sensor")
    place = -1
    if arrow.types.is_string(values.type) or arrow.types.is_large_string(values.type):
        alike = compute.match_substring_regex(values, _TIME_LIKE)
        place = compute.index(alike, False).as_py()
    found: object = values[max(place, 0)].as_py()
    return found


def integers(values: Any) -> Micros:  # noqa: ANN401
    """An Arrow column of 64-bit integers as an array, NONE where it is null."""
    filled = values.fill_null(NONE) if values.null_count else values
    return np.asarray(filled.to_numpy(), dtype=np.int64)


def _moments(values: Any) -> Moments:  # noqa: ANN401
    arrow = require("pyarrow", extra="sensor")
    return Moments(integers(values.cast(arrow.int64())), naive=values.type.tz is None)


def _parse(name: str, column: str, values: Any) -> Moments | None:  # noqa: ANN401
    compute = require("pyarrow.compute", extra="sensor")
    values = compute.utf8_trim_whitespace(values)
    sample = [v for v in values.slice(0, 10_000).to_pylist() if v]
    if not sample or not sample[0][0].isdigit():
        return None
    of_day = bool(_TIME_OF_DAY.match(sample[0]))
    afternoon = None
    if sample[0][-2:].upper() in ("AM", "PM"):
        afternoon = compute.match_substring_regex(values, "[Pp][Mm]$").fill_null(False)
        values = compute.replace_substring_regex(values, r"\s*[AaPp][Mm]$", "")
    if of_day:
        values = compute.binary_join_element_wise("1970-01-01", values, " ")
    for pattern, iso in _rewriting(name, column, sample):
        values = compute.replace_substring_regex(values, pattern, iso)
    moments = _iso(values)
    if moments is None:
        return None
    micros = moments.micros
    if afternoon is not None:
        hour = DAY // 24
        twelfth = micros // hour % 24 == 12
        shift = 12 * hour * (afternoon.to_numpy().astype(np.int64) - twelfth)
        micros = np.where(micros == NONE, NONE, micros + shift)
    return Moments(micros, moments.naive, of_day)


def _rewriting(name: str, column: str, sample: list[str]) -> list[tuple[str, str]]:
    """What makes values like the sample ISO 8601; nothing for those that are."""
    steps = []
    if re.match(_YEAR_FIRST[0], sample[0]):
        steps.append(_YEAR_FIRST)
    elif re.match(_DAY_FIRST[0], sample[0]):
        steps.append(_order(name, column, sample))
    if any(re.search(r"(?<!\d)\d(?=[-./T :]|$)", value) for value in sample):
        # Twice: two one-digit parts in a row share the mark between them.
        steps += [_ONE_DIGIT, _ONE_DIGIT]
    if "," in sample[0]:
        steps += [(r",\s+", " "), (",", ".")]
    if re.search(r"(UTC|GMT)$", sample[0]):
        steps.append((r"\s*(UTC|GMT)$", "Z"))
    return steps


def _order(name: str, column: str, sample: list[str]) -> tuple[str, str]:
    """Whether 03/04/2026 has the day first; dots mean that, else the numbers have to tell."""
    if sample[0].lstrip("0123456789").startswith("."):
        return _DAY_FIRST
    parts = [m.groups() for value in sample if (m := re.match(_DAY_FIRST[0], value))]
    if any(int(first) > 12 for first, _, _ in parts):
        return _DAY_FIRST
    if any(int(second) > 12 for _, second, _ in parts):
        return _MONTH_FIRST
    raise SourceInvalid(
        name, f"has dates such as {sample[0]!r} in {column!r}, whose day and month cannot be told "
        "apart; write them as ISO 8601 (2026-03-14 09:12:03)"
    )  # fmt: skip


def _iso(values: Any) -> Moments | None:  # noqa: ANN401
    arrow = require("pyarrow", extra="sensor")
    for unit, zone in (("us", None), ("us", "UTC"), ("ns", None), ("ns", "UTC")):
        try:
            parsed = values.cast(arrow.timestamp(unit, zone))
        except arrow.ArrowInvalid:  # not in this form: the next one is tried
            continue
        return _moments(parsed.cast(arrow.timestamp("us", zone), safe=False))
    return None
