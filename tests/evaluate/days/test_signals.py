"""The logs: repeatable, and everything that was put into them can be seen in them."""

import csv
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from agentctx.evaluate.days.composing import INTERVAL, compose
from agentctx.evaluate.days.records import Channel, Day, Event
from agentctx.evaluate.days.signals import clock, decimals, simulate, wander, write_log

from .conftest import SEED, at, by_hand


def with_event(kind: str, *, up: bool = True, minutes: int = 0) -> Day:
    day = by_hand()
    start = at("12:00:00")
    event = Event(day.log, "sump level", kind, up, start, start + timedelta(minutes=minutes))
    return replace(day, events=[event])


def moved(day: Day) -> NDArray[np.float64]:
    """What the events changed, in deviations of the noise."""
    calm = simulate(replace(day, events=[]), SEED)["sump level"]
    return np.asarray((simulate(day, SEED)["sump level"] - calm) / day.channels[0].noise)


def place(day: Day, moment: str) -> int:
    return clock(day).index(at(moment))


def test_readings_come_every_ten_seconds_of_the_working_day() -> None:
    times = clock(by_hand())
    assert times[0] == at("08:00:00")
    assert times[-1] == at("16:59:50")
    assert {b - a for a, b in pairwise(times)} == {timedelta(seconds=INTERVAL)}


@pytest.mark.parametrize("up", [True, False])
def test_a_step_stays(up: bool) -> None:
    day = with_event("step", up=up)
    change = moved(day) * (1 if up else -1)
    here = place(day, "12:00:00")
    assert np.abs(change[:here]).max() == 0
    assert change[here:].min() > 10


def test_a_spike_is_short() -> None:
    day = with_event("spike")
    day = replace(day, events=[replace(day.events[0], end=at("12:00:10"))])
    change = moved(day)
    assert np.flatnonzero(change).tolist() == [place(day, "12:00:00"), place(day, "12:00:10")]
    assert change.max() > 20


def test_a_drift_takes_its_time() -> None:
    day = with_event("drift", up=False, minutes=60)
    change = moved(day)
    middle = change[place(day, "12:30:00")]
    end = change[place(day, "13:00:00")]
    assert end < -15
    assert middle == pytest.approx(end / 2, abs=0.6)
    assert change[-1] == pytest.approx(end, abs=0.6)


def test_a_dropout_has_no_readings_between_its_ends() -> None:
    day = with_event("dropout", minutes=5)
    values = simulate(day, SEED)["sump level"]
    start, end = place(day, "12:00:00"), place(day, "12:05:00")
    assert np.flatnonzero(np.isnan(values)).tolist() == list(range(start + 1, end))


def test_channels_are_simulated_apart_and_again() -> None:
    day = compose(1, 7, 14)[0]
    once, again, other = simulate(day, 7), simulate(day, 7), simulate(day, 8)
    for channel in day.channels:
        assert np.array_equal(once[channel.name], again[channel.name], equal_nan=True)
        assert not np.array_equal(once[channel.name], other[channel.name], equal_nan=True)


def test_a_channel_stays_near_its_level() -> None:
    for day in compose(12, 7, 14):
        for channel in day.channels:
            values = simulate(replace(day, events=[]), 7)[channel.name]
            reach = channel.season + 8 * channel.noise
            assert np.abs(values - channel.level).max() < reach


@pytest.mark.parametrize(
    ("noise", "expected"), [(2.0, 0), (12.0, 0), (0.5, 1), (0.012, 2), (0.1, 1), (0.006, 3)]
)
def test_decimals_show_the_noise(noise: float, expected: int) -> None:
    assert decimals(Channel("x", "", 1.0, noise, 1.0)) == expected


def test_wandering_has_the_size_that_was_asked_for() -> None:
    walk = wander(np.random.default_rng(1), 50_000, 2.0, 0.9)
    assert walk.std() == pytest.approx(2.0, rel=0.05)
    assert np.corrcoef(walk[:-1], walk[1:])[0, 1] == pytest.approx(0.9, abs=0.02)


def test_the_log_is_the_readings(tmp_path: Path) -> None:
    day = compose(1, 7, 14)[0]
    write_log(day, 7, tmp_path / "one")
    write_log(day, 7, tmp_path / "two")
    path = tmp_path / "one" / day.log
    assert path.read_bytes() == (tmp_path / "two" / day.log).read_bytes()
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["time", *(channel.column for channel in day.channels)]
    assert rows[1][0] == f"{day.date}T08:00:00Z"
    for number, channel in enumerate(day.channels, start=1):
        told = [float(row[number]) if row[number] else np.nan for row in rows[1:]]
        assert np.allclose(told, simulate(day, 7)[channel.name], equal_nan=True)
