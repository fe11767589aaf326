"""The logs: channels with a swing over the day, noise that wanders, and what was put into them."""

import csv
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agentctx.evaluate.days.composing import END, INTERVAL, START
from agentctx.evaluate.days.records import Channel, Day, Event

Floats = NDArray[np.float64]

# Sizes in deviations of the noise, to which a share of the day's swing is added.
_SIZES = {"step": (14.0, 0.5), "spike": (22.0, 0.5), "drift": (18.0, 1.2)}
_WANDER = 0.6  # of the noise
_MEMORY = 0.97  # of what wanders, from one reading to the next


def clock(day: Day) -> list[datetime]:
    """When the readings of a day were taken."""
    start = datetime.combine(day.date, START, UTC)
    seconds = (datetime.combine(day.date, END, UTC) - start).total_seconds()
    return [start + timedelta(seconds=second) for second in range(0, int(seconds), INTERVAL)]


def wander(rng: np.random.Generator, size: int, scale: float, memory: float = _MEMORY) -> Floats:
    """A slow zero-mean random walk (AR(1)) with the given standard deviation."""
    steps = rng.normal(0.0, scale * np.sqrt(1 - memory**2), size)
    walk = np.zeros(size)
    for i in range(1, size):
        walk[i] = memory * walk[i - 1] + steps[i]
    return walk


def simulate(day: Day, seed: int) -> Mapping[str, Floats]:
    """The readings by channel; NaN where there is none."""
    times = np.array([moment.timestamp() for moment in clock(day)])
    return {
        channel.name: _series(
            channel,
            times,
            [event for event in day.events if event.channel == channel.name],
            np.random.default_rng([seed, day.date.toordinal(), number]),
        )
        for number, channel in enumerate(day.channels)
    }


def decimals(channel: Channel) -> int:
    """How many decimals an instrument shows: enough for its noise to be seen."""
    return max(0, -int(np.floor(np.log10(channel.noise))))


def _series(
    channel: Channel, times: Floats, events: list[Event], rng: np.random.Generator
) -> Floats:
    phase = rng.uniform(0, 2 * np.pi)
    day = 2 * np.pi * (times - times[0]) / 86_400
    values = channel.level + channel.season * np.sin(day + phase)
    values += wander(rng, times.size, _WANDER * channel.noise)
    values += rng.normal(0.0, channel.noise, times.size)
    for event in events:
        values += _shape(event, times) * _size(channel, event)
    for event in events:
        if event.kind == "dropout":
            gone = (times > event.start.timestamp()) & (times < event.end.timestamp())
            values[gone] = np.nan
    return np.asarray(np.round(values, decimals(channel)), np.float64)


def _size(channel: Channel, event: Event) -> float:
    noises, swings = _SIZES.get(event.kind, (0.0, 0.0))
    size = noises * channel.noise + swings * channel.season
    return size if event.up else -size


def _shape(event: Event, times: Floats) -> Floats:
    """How much of an event there is at each time: 0 to 1."""
    start, end = event.start.timestamp(), event.end.timestamp()
    match event.kind:
        case "step":
            return (times >= start).astype(np.float64)
        case "spike":
            return ((times >= start) & (times <= end)).astype(np.float64)
        case "drift":
            return np.clip((times - start) / (end - start), 0, 1)
        case _:
            return np.zeros(times.size)


def write_log(day: Day, seed: int, folder: Path) -> None:
    """A day's readings as CSV."""
    series = simulate(day, seed)
    path = folder / day.log
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["time", *(channel.column for channel in day.channels)])
        for number, moment in enumerate(clock(day)):
            cells = (_cell(series[channel.name][number], channel) for channel in day.channels)
            rows.writerow([f"{moment:%Y-%m-%dT%H:%M:%SZ}", *cells])


def _cell(value: float, channel: Channel) -> str:
    return "" if np.isnan(value) else f"{value:.{decimals(channel)}f}"
