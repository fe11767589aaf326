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
# Readings (or medians of runs) on either side that are compared. A change that takes a few
# readings is found at a scale at which these do not count.
_SCALES = (6, 24, 96, 384, 1536)
_SETTLED = 24  # readings that tell a level, where there are as many
# Means differ by so many deviations within the sides. However steep, a straight ramp reaches
# sqrt(12) = 3.5 and a sine, from crest to trough, 4.1.
_STEP = 5.0
_LASTING = 3.0
_MOST = 64
# The squared correlation with a line; of a step that is at most 0.75.
_STRAIGHT = 0.8
_DRIFT = 6.0
_LEAST_DRIFT_BINS = 16


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
    level, run = medians(values, _BINS)
    floor = max(noise(level), resolution / 2)
    taken: list[tuple[int, int]] = []
    for width in _SCALES:
        for place in _peaks(level, width, floor):
            if all(abs(place - other) > min(width, reach) for other, reach in taken):
                taken.append((place, width))
    taken.sort()
    edges = [0, *(place for place, _ in taken), level.size]
    found = []
    for number, (place, width) in enumerate(taken, start=1):
        side = max(width, _SETTLED)
        before = level[max(edges[number - 1], place - side) : place]
        after = level[place : min(edges[number + 1], place + side)]
        if not _lasts(before, after, floor):
            continue
        zone = max(2, width // 8)
        first = max(0, (place - zone) * run)
        split = first + _split(values[first : (place + zone) * run])
        found.append(Change(split, split, float(np.median(before)), float(np.median(after))))
    return sorted(found, key=lambda change: change.begin)


def _lasts(before: Floats, after: Floats, floor: float) -> bool:
    """Whether two levels differ as such: those of a wave come back before they settle."""
    deviation = max(float(np.hypot(before.std(), after.std())) / 2**0.5, floor)
    return abs(float(np.median(after)) - float(np.median(before))) > _LASTING * deviation


def _peaks(level: Floats, width: int, floor: float) -> Iterator[int]:
    """Places where the means of ``width`` values on both sides differ most and enough."""
    places = np.arange(width, level.size - width + 1)
    if places.size == 0:
        return
    centred = level - level.mean()
    sums = np.concatenate(([0.0], np.cumsum(centred)))
    squares = np.concatenate(([0.0], np.cumsum(centred**2)))

    def moments(begin: NDArray[np.intp]) -> tuple[Floats, Floats]:
        mean = (sums[begin + width] - sums[begin]) / width
        square = (squares[begin + width] - squares[begin]) / width
        return mean, np.maximum(square - mean**2, 0.0)

    mean_before, var_before = moments(places - width)
    mean_after, var_after = moments(places)
    jump = np.abs(mean_after - mean_before)
    # Rounding in the sums must not pass for a step between equal values.
    least = floor + 1e-7 * float(np.abs(centred).max())
    contrast = jump / np.maximum(np.sqrt((var_before + var_after) / 2), least or 1.0)
    for _ in range(_MOST):
        best = int(contrast.argmax())
        if contrast[best] <= _STEP:
            return
        yield int(places[best])
        contrast[max(0, best - width) : best + width + 1] = 0.0


def _split(values: Floats) -> int:
    """Where a series is best cut into two levels (least squares): the first of the second."""
    if values.size < 2:
        return 0
    sums = np.cumsum(values - values.mean())[:-1]
    left = np.arange(1, values.size)
    return int((sums**2 / (left * (values.size - left))).argmax()) + 1


def drifts(values: Floats, resolution: float, jumps: list[Change]) -> list[Change]:
    """Slow changes of level that no step among ``jumps`` explains, in order, without overlap."""
    level, run = medians(values, _DRIFT_BINS)
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
    return [
        Change(c.begin * run, min(c.end * run, values.size) - 1, c.before, c.after)
        for c in sorted(kept, key=lambda c: c.begin)
    ]


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
