"""Windows of time over a series, with exact statistics of the readings in each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agentctx.plugins.sensor.clock import SECOND
from agentctx.plugins.sensor.series import Series

MINUTE = 60.0
HOUR = 60 * MINUTE
DAY = 24 * HOUR
STEPS = (MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 6 * HOUR, DAY, 7 * DAY, 28 * DAY, 364 * DAY)
PER_CHANNEL = 300
PER_FILE = 30_000
POINTS = 16

_LEAST_FOR_FREQUENCY = 32
_FALSE_FREQUENCIES = 1e-6  # among windows of white noise
_LEAST_CYCLES = 3
_ABOVE_SLOWER = 4.0


@dataclass(frozen=True, slots=True)
class Window:
    """What one channel did from ``start`` (µs since 1970) for ``length`` seconds.

    ``slope``: least squares, unit per minute; ``fit``: how much of the variance it explains
    (0 to 1); ``std``: of the population; ``min_at`` and ``max_at``: the first time of the extreme
    (µs); ``shape``: `POINTS` means over the time from the first to the last reading, z-scored;
    ``frequency``: of the strongest oscillation in Hz with its ``amplitude``, 0 where there is none.
    """

    start: int
    length: float
    count: int
    min: float
    max: float
    mean: float
    last: float
    slope: float
    fit: float
    std: float
    min_at: int
    max_at: int
    shape: tuple[float, ...]
    frequency: float
    amplitude: float


def window_length(series: Sequence[Series]) -> float:
    """The least of the `STEPS` (seconds) that gives a file few enough windows."""
    allowed = max(1, min(PER_CHANNEL, PER_FILE // len(series)))
    best = 0
    for one in series:
        buckets = one.times
        for number, step in enumerate(STEPS):
            buckets = _distinct(buckets // int(step * SECOND)) * int(step * SECOND)
            if number >= best and (buckets.size <= allowed or number == len(STEPS) - 1):
                best = number
                break
    return STEPS[best]


def _distinct(ordered: NDArray[np.int64]) -> NDArray[np.int64]:
    return ordered[np.concatenate(([True], np.diff(ordered) > 0))]


def windows(series: Series, length: float) -> Iterator[Window]:
    """The windows of a series that hold a reading, in order; aligned to multiples of ``length``
    (seconds) since 1970. Each reading is in exactly one of them."""
    width = round(length * SECOND)
    number = series.times // width
    bounds = np.flatnonzero(np.diff(number, prepend=number[0] - 1, append=number[-1] + 1))
    for begin, end in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        times, values = series.times[begin:end], series.values[begin:end]
        yield _window(int(number[begin]) * width, width / SECOND, times, values)


def _window(
    start: int, length: float, times: NDArray[np.int64], values: NDArray[np.float64]
) -> Window:
    low, high = int(values.argmin()), int(values.argmax())
    mean = float(values.mean())
    apart = values - mean
    minutes = (times - times[0]) / (MINUTE * SECOND)
    minutes -= minutes.mean()
    square, together = float(apart @ apart), float(minutes @ apart)
    spread = float(minutes @ minutes)
    flat = low == high or values[low] == values[high]
    frequency, amplitude = (0.0, 0.0) if flat else _oscillation(times, apart)
    return Window(
        start=start,
        length=length,
        count=values.size,
        min=float(values[low]),
        max=float(values[high]),
        mean=mean,
        last=float(values[-1]),
        slope=0.0 if flat else together / spread,
        fit=0.0 if flat or not square else min(1.0, together / spread * together / square),
        std=0.0 if flat else (square / values.size) ** 0.5,
        min_at=int(times[low]),
        max_at=int(times[high]),
        shape=_shape(times, values),
        frequency=frequency,
        amplitude=amplitude,
    )


def _shape(times: NDArray[np.int64], values: NDArray[np.float64]) -> tuple[float, ...]:
    """The mean curve in `POINTS` equal steps of time, z-scored; zeros where it does not move."""
    extent = int(times[-1] - times[0])
    if extent == 0:
        return (0.0,) * POINTS
    edges = -(-np.arange(POINTS + 1) * extent // POINTS)
    places = np.searchsorted(times[:-1], times[0] + edges)
    counts = np.diff(places)
    counts[-1] += 1  # the last reading closes the last step
    sums = np.add.reduceat(values, np.minimum(places[:-1], values.size - 1))
    filled = counts > 0
    curve = np.interp(np.arange(POINTS), np.flatnonzero(filled), sums[filled] / counts[filled])
    curve -= curve.mean()
    size = float(curve.std())
    if size <= 1e-9 * float(np.abs(values).max()):
        return (0.0,) * POINTS
    return tuple(np.round(curve / size, 4).tolist())


def _oscillation(times: NDArray[np.int64], apart: NDArray[np.float64]) -> tuple[float, float]:
    """Frequency (Hz) and amplitude of the strongest oscillation, zeros where it may be chance.

    The test is Fisher's (1929) on the periodogram after the straight line is taken out; readings
    must come at an even rate, and what has fewer than three cycles is no oscillation.
    """
    count = apart.size
    if count < _LEAST_FOR_FREQUENCY:
        return 0.0, 0.0
    gaps = np.diff(times)
    step = float(times[-1] - times[0]) / gaps.size
    if float(np.abs(gaps - step).mean()) > 0.25 * step:
        return 0.0, 0.0
    ramp = np.arange(count) - (count - 1) / 2
    level = apart - ramp * (float(ramp @ apart) / float(ramp @ ramp))
    power = np.abs(np.fft.rfft(level)[1 : (count + 1) // 2]) ** 2
    total, peak = float(power.sum()), int(power.argmax())
    # P(strongest share > g) is at most m (1 - g)^(m - 1) for m frequencies of white noise.
    share = 1 - (_FALSE_FREQUENCIES / power.size) ** (1 / (power.size - 1))
    if total <= 0 or peak + 1 < _LEAST_CYCLES or power[peak] <= share * total:
        return 0.0, 0.0
    # Noise need not be white: what wanders has most power in the slowest waves.
    if power[peak] < _ABOVE_SLOWER * power[: peak - 1].max():
        return 0.0, 0.0
    span = (float(times[-1] - times[0]) + step) / SECOND
    return (peak + 1) / span, 2 * float(power[peak]) ** 0.5 / count
