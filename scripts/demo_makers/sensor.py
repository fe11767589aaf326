"""The sensor log: four channels of pump A, simulated at 1 Hz."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from agentctx.evaluate.days.signals import wander
from demo_makers.story import (
    BEFORE,
    CHANNELS,
    DRIFT,
    GAP,
    LENGTH,
    LIMIT,
    PEAK,
    PEAK_VIBRATION,
    STEP,
    STOP_A,
    VIBRATION,
    Floats,
    SampleError,
    at,
    iso,
)


@dataclass(frozen=True)
class Signals:
    """The simulated channels by column name, one value per second from -BEFORE to LENGTH."""

    channels: dict[str, Floats]

    def value(self, channel: str, offset: int) -> float:
        """The reading at an offset in seconds."""
        return float(self.channels[channel][offset + BEFORE])

    def last(self, channel: str, offset: int, seconds: int) -> Floats:
        """The readings of the seconds that end at an offset."""
        return self.channels[channel][offset + BEFORE - seconds : offset + BEFORE + 1]


def settle(t: Floats, start: int, tau: float) -> Floats:
    """0 before the start, then towards 1 with the time constant tau in seconds."""
    return np.where(t < start, 0.0, 1 - np.exp(-np.maximum(t - start, 0) / tau))


def simulate(rng: np.random.Generator) -> Signals:
    """What the instruments of pump A read: normal, drift, step and spike, change-over, rest."""
    t = np.arange(-BEFORE, LENGTH, dtype=np.float64)
    size = len(t)
    broken = settle(t, STEP - 1, 0.6)
    off = settle(t, STOP_A, 4.0)
    drift = np.clip(t - DRIFT, 0, None)

    running = 2.05 + 0.0008 * drift * (t < STEP) + 5.9 * broken
    running += wander(rng, size, 0.06) + rng.normal(0, 0.05 + 0.16 * broken)
    rise = PEAK_VIBRATION - running[t == PEAK][0]
    running += rise * np.exp(-0.5 * ((t - PEAK) / 1.7) ** 2)
    vibration = running * (1 - off) + off * (0.22 + np.abs(rng.normal(0, 0.03, size)))

    heat = 0.0185 * drift + 0.026 * np.clip(t - STEP, 0, None)
    hot = 48.2 + np.where(t < STOP_A, heat, heat[t == STOP_A][0])
    temperature = hot - (hot - 33.0) * settle(t, STOP_A + 15, 780.0)
    temperature += wander(rng, size, 0.12) + rng.normal(0, 0.04, size)

    leak = 0.28 * settle(t, STEP, 70.0) * (t < STOP_A + 6)
    dip = 0.75 * np.exp(-0.5 * ((t - STOP_A - 5) / 4.0) ** 2)
    pressure = 5.82 - leak - dip + wander(rng, size, 0.02, 0.9) + rng.normal(0, 0.006, size)

    load = 41.6 + 3.9 * broken + wander(rng, size, 0.2, 0.9) + rng.normal(0, 0.1 + 0.4 * broken)
    current = np.abs(load * (1 - settle(t, STOP_A, 1.5)) + rng.normal(0, 0.015, size))
    columns = (vibration, temperature, pressure, current)
    signals = Signals(dict(zip(CHANNELS, columns, strict=True)))
    check_story(signals)
    return signals


def check_story(signals: Signals) -> None:
    """Refuse readings that contradict the times which the screens and the operator name."""
    logged = signals.last(VIBRATION, LENGTH - 1, LENGTH - 1)
    first_high = int(np.argmax(logged > LIMIT))
    if first_high != STEP or not (logged[STEP : STOP_A + 1] > LIMIT).all():
        raise SampleError(f"vibration passes {LIMIT} mm/s at {iso(first_high)}, not {iso(STEP)}")
    if int(np.argmax(logged)) != PEAK:
        raise SampleError(f"vibration peaks at {iso(int(np.argmax(logged)))}, not {iso(PEAK)}")


def write_log(signals: Signals, path: Path) -> None:
    """Write the log as CSV, 1 Hz, with its gap and its NaN."""
    missing = {
        name: range(at(rows[0]), at(rows[1]) + 1) if rows else range(0)
        for name, (_, rows) in CHANNELS.items()
    }
    lines = ["time," + ",".join(CHANNELS)]
    for offset in range(LENGTH):
        if GAP[0] <= offset < GAP[1]:
            continue
        cells = [
            "NaN" if offset in missing[name] else f"{signals.value(name, offset):.{decimals}f}"
            for name, (decimals, _) in CHANNELS.items()
        ]
        lines.append(",".join([iso(offset), *cells]))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
