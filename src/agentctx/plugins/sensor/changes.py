"""Sudden and slow changes of level: steps and drifts.

Steps are found with moving sums (MOSUM; Eichinger & Kirch, "A MOSUM procedure for the estimation
of multiple random change points", 2018) at several scales; drifts are stretches, again at several
scales, that a straight line explains. Both work on medians of runs of readings, so that their
cost hardly grows with the log.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_BINS = 16_384
_DRIFT_BINS = 256
# At each scale as many means are compared on either side; from scale to scale, four are joined.
_SIDE = 6
_JOINED = 4
# Both sides differ by so many deviations within them. However steep, a straight ramp reaches
# sqrt(12) = 3.5 and a sine, which flattens towards crest and trough, 5.2.
_STEP = 6.0
# And they differ by so many times what sides anywhere in the log usually differ by, as those of
# a random walk do everywhere (the lower quartile, so that up to three quarters may hold steps).
_UNUSUAL = 4.0
_QUARTILE = 0.3186  # of the size of normal deviates
_MOST = 64
# The squared correlation with a line; of a step that is at most 0.75.
_STRAIGHT = 0.8
_DRIFT = 6.0
_LEAST_DRIFT_BINS = 16
# Two drifts with a pause of at most this share of their time may be one.
_PAUSE = 0.1


@dataclass(frozen=True, slots=True)
class Change:
    """A change of level between two readings: their places in the series, and both levels."""

    begin: int
    end: int
    before: float
    after: float


def medians(values: Floats, bins: int) -> tuple[Floats, int]:
    """Medians of runs of equal length, at most ``bins`` of them, and that length."""
    run = max(1, -(-values.size // bins))
    whole = values.size // run * run
    return np.median(values[:whole].reshape(-1, run), axis=1), run


def noise(values: Floats) -> float:
    """The standard deviation of what changes from one value to the next, spikes set aside."""
    return 1.4826 * float(np.median(np.abs(np.diff(values)))) / 2**0.5 if values.size > 1 else 0.0


def steps(values: Floats, resolution: float) -> list[Change]:
    """The sudden changes of level, in order of their places; ``begin == end``, the first reading
    of the new level. ``resolution``: what two readings differ by for no reason."""
    level, size = medians(values, _BINS)
    found: dict[int, int] = {}
    while level.size >= 2 * _SIDE:
        for place in _peaks(level, max(noise(level), resolution / 4)):
            # A finer scale has found it already, and better.
            if all(abs(place * size - split) > 3 * size for split in found):
                first = (place - 2) * size
                found[first + _split(values[first : (place + 2) * size])] = size
        whole = level.size // _JOINED * _JOINED
        level, size = level[:whole].reshape(-1, _JOINED).mean(axis=1), size * _JOINED
    splits = sorted(found)
    edges = [0, *splits, values.size]
    changes = []
    for number, split in enumerate(splits, start=1):
        reach = 2 * _SIDE * found[split]
        before = values[max(edges[number - 1], split - reach) : split]
        after = values[split : min(edges[number + 1], split + reach)]
        changes.append(Change(split, split, float(np.median(before)), float(np.median(after))))
    return changes


def _peaks(level: Floats, floor: float) -> Iterator[int]:
    """Places where the means of `_SIDE` values on both sides differ most and enough."""
    sides = np.lib.stride_tricks.sliding_window_view(level, _SIDE)
    means, variances = sides.mean(axis=1), sides.var(axis=1)
    jump = np.abs(means[_SIDE:] - means[:-_SIDE])
    deviation = np.sqrt((variances[_SIDE:] + variances[:-_SIDE]) / 2)
    # Where nothing deviates at all, rounding must not pass for a step.
    least = floor + 1e-9 * float(np.abs(level).max())
    usual = float(np.quantile(jump, 0.25)) / _QUARTILE
    contrast = np.where(jump > _UNUSUAL * usual, jump / np.maximum(deviation, least or 1.0), 0.0)
    for _ in range(_MOST):
        best = int(contrast.argmax())
        if contrast[best] <= _STEP:
            return
        yield best + _SIDE
        contrast[max(0, best - _SIDE) : best + _SIDE + 1] = 0.0


def _split(values: Floats) -> int:
    """Where a series is best cut into two levels (least squares): the first of the second."""
    if values.size < 2:
        return 0
    sums = np.cumsum(values - values.mean())[:-1]
    left = np.arange(1, values.size)
    return int((sums**2 / (left * (values.size - left))).argmax()) + 1


def drifts(values: Floats, resolution: float, jumps: list[Change]) -> list[Change]:
    """Slow changes of level that no step among ``jumps`` explains, in order, without overlap."""
    fine, first = medians(values, _BINS)
    level, second = medians(fine, _DRIFT_BINS)
    run = first * second
    floor = max(noise(level), resolution / 2)
    candidates = []
    length = level.size
    while length >= _LEAST_DRIFT_BINS:
        for begin in range(0, level.size - length + 1, max(1, length // 4)):
            change = _drift(level, begin, begin + length, floor)
            if change and not _explained(change, run, jumps):
                candidates.append(change)
        length //= 2
    kept: list[Change] = []
    for change in sorted(candidates, key=lambda c: -abs(c.after - c.before)):
        if all(change.end <= other.begin or change.begin >= other.end for other in kept):
            kept.append(change)
    whole: list[Change] = []
    for change in sorted(kept, key=lambda c: c.begin):
        joined = _as_one(level, whole[-1], change, floor) if whole else None
        if joined and not _explained(joined, run, jumps):
            whole[-1] = joined
        else:
            whole.append(change)
    return [
        Change(c.begin * run, min(c.end * run, values.size) - 1, c.before, c.after) for c in whole
    ]


def _as_one(level: Floats, one: Change, other: Change, floor: float) -> Change | None:
    """Two drifts in a row as one, where one line explains both.

    The stretches that are looked at begin and end at a few places only; so a ramp may be found as
    a long piece and a short one.
    """
    same = (one.after - one.before) * (other.after - other.before) > 0
    if not same or other.begin - one.end > _PAUSE * (other.end - one.begin):
        return None
    return _drift(level, one.begin, other.end, floor)


def _drift(level: Floats, begin: int, end: int, floor: float) -> Change | None:
    part = level[begin:end]
    ramp = np.arange(part.size) - (part.size - 1) / 2
    apart = part - part.mean()
    together, variance = float(ramp @ apart), float(apart @ apart)
    change = together / float(ramp @ ramp) * part.size
    if abs(change) <= _DRIFT * floor or not variance:
        return None
    if together**2 < _STRAIGHT * variance * float(ramp @ ramp):
        return None
    # Only the part that moves: from the last value near the first level to the first near the last.
    edge = max(3, part.size // 10)
    before, after = float(np.median(part[:edge])), float(np.median(part[-edge:]))
    if (after - before) * change <= 0:
        return None
    gone = (part - before) / (after - before)
    middle = int((gone >= 0.5).argmax())
    low = np.flatnonzero(gone[: middle + 1] <= 0.1)
    high = np.flatnonzero(gone[middle:] >= 0.9)
    first = int(low[-1]) if low.size else 0
    last = middle + int(high[0]) if high.size else part.size - 1
    return Change(begin + first, begin + last + 1, before, after)


def _explained(drift: Change, run: int, jumps: list[Change]) -> bool:
    inside = (j for j in jumps if drift.begin * run <= j.begin <= drift.end * run)
    size = sum(abs(jump.after - jump.before) for jump in inside)
    return size > 0.3 * abs(drift.after - drift.before)
