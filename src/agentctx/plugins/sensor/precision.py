"""How fine the values of a channel are, and numbers written no finer than that."""

import math
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

_Number = TypeVar("_Number", np.float64, np.int64)
_SAMPLE = 10_000
_MOST_DECIMALS = 6


def sample(values: NDArray[_Number]) -> NDArray[_Number]:
    """At most 10,000 of the values, evenly picked."""
    return values[:: max(1, -(-values.size // _SAMPLE))]


def decimals_of(values: NDArray[np.float64]) -> int:
    """How many decimals are worth writing: those in the data, but three digits of its spread.

    >>> decimals_of(np.array([61.2, 74.85, 70.0]))
    2
    """
    some = sample(values)
    tolerance = 1e-9 * np.maximum(1.0, np.abs(some))
    written = _MOST_DECIMALS + 6
    for decimals in range(_MOST_DECIMALS + 1):
        if (np.abs(some - np.round(some, decimals)) <= tolerance).all():
            written = decimals
            break
    return min(written, decimals_of_spread(values))


def decimals_of_spread(values: NDArray[np.float64]) -> int:
    """How many decimals three digits of the values' spread (or of themselves) take.

    >>> decimals_of_spread(np.array([0.0, 0.01]))
    5
    """
    some = sample(values)
    scale = float(some.std()) or float(np.abs(some).max())
    return max(0, 2 - math.floor(math.log10(scale))) if scale else 0


def resolution_of(values: NDArray[np.float64]) -> float:
    """The least difference that means something: the smallest between values as they were written.

    Zero where that cannot be told (values of full precision), and for states (0 and 1), which
    differ by all they have.
    """
    distinct = np.unique(np.round(sample(values), _MOST_DECIMALS))
    if distinct.size < 2 or np.isin(distinct, (0.0, 1.0)).all():
        return 0.0
    least = float(np.diff(distinct).min())
    if distinct.size > 2:
        return least
    return float(min(least, 10.0 ** -decimals_of(values)))


def number(value: float, decimals: int) -> str:
    """A number for people: as many decimals as asked, none of them a trailing zero past the first.

    >>> number(74.80, 2), number(3.0, 1), number(-0.001, 1)
    ('74.8', '3.0', '0.0')
    """
    if value and (abs(value) >= 1e15 or (decimals == 0 and abs(value) < 0.5)):
        return f"{value:.3g}"
    text = f"{value:.{decimals}f}"
    if decimals > 1:
        whole, fraction = text.split(".")
        text = f"{whole}.{fraction.rstrip('0') or '0'}"
    return text.removeprefix("-") if not float(text) else text


def significant(value: float, digits: int = 2) -> str:
    """A number with so many significant digits, without an exponent where that reads well.

    >>> significant(3.217), significant(0.00432), significant(1234.5)
    ('3.2', '0.0043', '1200')
    """
    if not value:
        return "0"
    decimals = digits - 1 - math.floor(math.log10(abs(value)))
    return f"{round(value, decimals):.{min(max(decimals, 0), 12)}f}"
