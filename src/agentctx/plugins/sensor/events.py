"""What happened in a series: crossed limits, spikes, steps, drifts, dropouts, oscillations."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from agentctx.extras import require
from agentctx.plugins.sensor.changes import Change, drifts, steps
from agentctx.plugins.sensor.clock import SECOND
from agentctx.plugins.sensor.precision import resolution_of, sample
from agentctx.plugins.sensor.series import Series
from agentctx.plugins.sensor.windows import Window

KINDS = ("above limit", "below limit", "step", "dropout", "spike", "drift", "oscillation")
Limits = tuple[float | None, float | None]

_LEAST = 20  # readings; with fewer, what is usual cannot be told
_NEIGHBOURS = 31  # readings of the rolling median; what lasts under half of it can be a spike
_BLOCK = 4096  # readings over which the noise is taken as one
_SPIKE = 6.0  # deviations; one in 500 million normal readings
_DROPOUT = 5.0  # usual intervals, of an even rate
_UNEVEN = 3.0  # 90th percentile of the intervals over their median


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, from ``start`` to ``end`` (µs since 1970).

    ``before`` and ``after`` are levels: of a limit the limit and the extreme beyond it, of a
    spike the level around it and its peak, of a dropout the readings on both sides. ``size`` is
    their difference; for a dropout the seconds without readings, for an oscillation its
    amplitude, at ``frequency`` Hz.
    """

    kind: str
    start: int
    end: int
    size: float
    before: float = 0.0
    after: float = 0.0
    frequency: float = 0.0


def detect(series: Series, windows: Sequence[Window], limits: Limits = (None, None)) -> list[Event]:
    """All events of a series, in order of time."""
    dropouts = list(_dropouts(series))
    found = [*_beyond(series, limits), *dropouts, *_oscillations(windows)]
    values = series.values
    if values.size >= _LEAST and values.min() < values.max():
        resolution = resolution_of(values)
        calm, spikes = _spikes(series, resolution)
        # What changed while nothing was read may have done so slowly; the dropout tells of it.
        resumed = {event.end for event in dropouts}
        jumps = [c for c in steps(calm, resolution) if int(series.times[c.begin]) not in resumed]
        slow = drifts(calm, resolution, jumps)
        found += spikes
        found += [_event("step", series, c) for c in jumps]
        # Within one window a drift is what that window says: rising or falling.
        width = round(windows[0].length * SECOND)
        moved = (_event("drift", series, c) for c in slow)
        found += [event for event in moved if event.start // width != event.end // width]
    return sorted(found, key=lambda event: (event.start, event.kind))


def _event(kind: str, series: Series, change: Change) -> Event:
    start, end = int(series.times[change.begin]), int(series.times[change.end])
    size = change.after - change.before
    return Event(kind, start, end, size, change.before, change.after)


def notable(events: Sequence[Event], most: int) -> list[Event]:
    """At most so many events, in order of time: the largest of each kind in turn."""
    ranks: dict[str, int] = {}
    ranked = []
    for event in sorted(events, key=lambda event: -abs(event.size)):
        rank = ranks[event.kind] = ranks.get(event.kind, -1) + 1
        ranked.append((rank, KINDS.index(event.kind), event))
    chosen = [event for _, _, event in sorted(ranked, key=lambda item: item[:2])[:most]]
    return sorted(chosen, key=lambda event: (event.start, event.kind))


def _runs(flags: NDArray[np.bool_], bridge: int = 0) -> list[tuple[int, int]]:
    """Stretches (begin, end) of true values; gaps of up to ``bridge`` values do not part them."""
    places = np.flatnonzero(flags)
    if not places.size:
        return []
    cuts = np.flatnonzero(np.diff(places) > bridge + 1)
    begins = places[np.concatenate(([0], cuts + 1))]
    ends = places[np.concatenate((cuts, [places.size - 1]))] + 1
    return list(zip(begins.tolist(), ends.tolist(), strict=True))


def _beyond(series: Series, limits: Limits) -> Iterator[Event]:
    times, values = series.times, series.values
    for kind, limit, sign in (("above limit", limits[1], 1), ("below limit", limits[0], -1)):
        if limit is None:
            continue
        # Noise around the limit is one crossing, not many.
        for begin, end in _runs(sign * values > sign * limit, bridge=5):
            extreme = sign * float((sign * values[begin:end]).max())
            span = int(times[begin]), int(times[end - 1])
            yield Event(kind, *span, extreme - limit, limit, extreme)


def _dropouts(series: Series) -> Iterator[Event]:
    gaps = np.diff(series.times)
    if gaps.size < 3:
        return
    usual, most, rare = np.quantile(sample(gaps), (0.5, 0.9, 0.99))
    # Readings that come by chance (on change, say) leave long gaps for no reason.
    uneven = most > _UNEVEN * usual
    allowed = max(2 * _DROPOUT * usual, 4 * rare) if uneven else _DROPOUT * usual
    for place in np.flatnonzero(gaps > allowed).tolist():
        start, end = int(series.times[place]), int(series.times[place + 1])
        before, after = float(series.values[place]), float(series.values[place + 1])
        yield Event("dropout", start, end, (end - start) / SECOND, before, after)


def _spikes(series: Series, resolution: float) -> tuple[NDArray[np.float64], list[Event]]:
    """Spikes, and the values with these replaced by the level around them.

    Distance from a rolling median in units of the median absolute deviation (Hampel's filter).
    """
    values = series.values
    neighbours = min(_NEIGHBOURS, values.size // 2 * 2 - 1)
    median_filter = require("scipy.ndimage", extra="sensor").median_filter
    # Mirrored at the ends: were the first reading repeated there, it would be its own level.
    level = median_filter(values, neighbours, mode="mirror")
    apart = values - level
    scores = np.abs(apart) / _deviation(values, apart, resolution)
    flags = scores > _SPIKE
    found = []
    for begin, end in _runs(flags, bridge=1):
        peak = begin + int(np.abs(apart[begin:end]).argmax())
        # The readings beside a spike are far from it; those beside a smooth crest are not.
        beside = values[[place for place in (begin - 1, end) if 0 <= place < values.size]]
        if (np.abs(values[peak] - beside) * 2 < abs(apart[peak])).any():
            flags[begin:end] = False
            continue
        at = int(series.times[peak])
        found.append(
            Event("spike", at, at, float(apart[peak]), float(level[peak]), float(values[peak]))
        )
    return np.where(flags, level, values), found


def _deviation(
    values: NDArray[np.float64], apart: NDArray[np.float64], resolution: float
) -> NDArray[np.float64]:
    """The usual deviation around each value, block by block.

    The 95th percentile speaks where most values do not deviate at all, and the usual change from
    one reading to the next where a smooth curve turns (a rolling median cuts its corner).
    """
    blocks = max(1, apart.size // _BLOCK)
    parts = (
        np.array_split(array, blocks)
        for array in (np.abs(apart), np.abs(np.diff(values, prepend=values[0])))
    )
    deviation = np.empty_like(apart)
    for off, change, out in zip(*parts, np.array_split(deviation, blocks), strict=True):
        # A quarter of a large block tells its quantiles to a few percent.
        every = 4 if off.size >= _BLOCK else 1
        half, most = np.quantile(off[::every], (0.5, 0.95))
        steady = float(np.median(change[::every]))
        out[:] = max(1.4826 * half, most / 1.96, steady, resolution / 2)
    # Nothing deviates but a few: these by far more than rounding does.
    return np.maximum(deviation, 1e-9 * float(np.abs(apart).max()) or 1.0)


def _oscillations(windows: Sequence[Window]) -> Iterator[Event]:
    """Stretches of windows that oscillate alike; not when most do, as then that is usual."""
    runs: list[list[Window]] = []
    for oscillates, group in groupby(windows, key=lambda window: window.frequency > 0):
        for window in group if oscillates else ():
            last = runs[-1][-1] if runs else None
            joined = last is not None and last.start + round(last.length * SECOND) == window.start
            if last and joined and 0.8 < window.frequency / last.frequency < 1.25:
                runs[-1].append(window)
            else:
                runs.append([window])
    for run in runs:
        if 2 * len(run) < len(windows):
            strongest = max(run, key=lambda window: window.amplitude)
            end = run[-1].start + round(run[-1].length * SECOND)
            yield Event("oscillation", run[0].start, end, strongest.amplitude,
                        frequency=strongest.frequency)  # fmt: skip
