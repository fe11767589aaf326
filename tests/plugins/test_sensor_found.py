"""Events placed at random on noise are found where they are, whatever the level and the unit."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from agentctx.plugins.sensor.changes import medians, noise
from agentctx.plugins.sensor.events import Event, detect
from agentctx.plugins.sensor.series import Series
from agentctx.plugins.sensor.windows import windows

ORIGIN = 1_773_446_400_000_000  # 2026-03-14, midnight
COUNT = 2000
Floats = np.ndarray


@dataclass(frozen=True)
class Ground:
    """Noise that events are put on: its level and deviation, and readings every ``step`` s."""

    seed: int
    level: float
    deviation: float
    step: float

    def values(self) -> Floats:
        return np.random.default_rng(self.seed).normal(self.level, self.deviation, COUNT)

    def second(self, micros: int) -> float:
        """Which reading was at that time."""
        return (micros - ORIGIN) / 1e6 / self.step

    def events(self, values: Floats, keep: Floats | None = None) -> list[Event]:
        times = ORIGIN + np.rint(np.arange(COUNT) * self.step * 1e6).astype(np.int64)
        if keep is not None:
            times, values = times[keep], values[keep]
        series = Series("a", "V", "", times, values)
        return detect(series, list(windows(series, 60 * self.step)))


GROUNDS = st.builds(
    Ground,
    seed=st.integers(0, 2**32),
    level=st.sampled_from([0.0, 20.0, -300.0, 1e5, 1e-3]),
    deviation=st.sampled_from([1e-4, 0.01, 0.5, 40.0]),
    step=st.sampled_from([0.02, 1.0, 60.0, 3600.0]),
)
SIGNS = st.sampled_from([-1, 1])
many = settings(max_examples=25, deadline=None, derandomize=True)


@many
@given(GROUNDS)
def test_noise_alone_holds_no_event(ground: Ground) -> None:
    assert ground.events(ground.values()) == []


@many
@given(GROUNDS, st.integers(0, COUNT - 1), st.floats(12, 1e4), SIGNS)
def test_a_spike_anywhere(ground: Ground, place: int, size: float, sign: int) -> None:
    values = ground.values()
    height = sign * size * ground.deviation
    values[place] += height
    (spike,) = ground.events(values)
    assert (spike.kind, spike.start, spike.end) == ("spike", spike.start, spike.start)
    assert ground.second(spike.start) == pytest.approx(place, abs=1e-3)
    assert spike.after == values[place]
    assert spike.size == pytest.approx(height, abs=6 * ground.deviation)
    assert spike.size == pytest.approx(spike.after - spike.before)


@pytest.mark.parametrize("place", [0, 1, COUNT - 2, COUNT - 1])
def test_a_spike_at_the_first_and_at_the_last_reading(place: int) -> None:
    ground = Ground(3, 20, 0.5, 1.0)
    values = ground.values()
    values[place] += 30
    (spike,) = ground.events(values)
    assert (spike.kind, ground.second(spike.start)) == ("spike", place)


@many
@given(GROUNDS, st.integers(100, COUNT - 100), st.floats(5, 1e3), SIGNS)
def test_a_step_anywhere(ground: Ground, place: int, size: float, sign: int) -> None:
    values = ground.values()
    height = sign * size * ground.deviation
    values[place:] += height
    (step,) = ground.events(values)
    assert step.kind == "step"
    assert ground.second(step.start) == pytest.approx(place, abs=2.01)
    assert step.size == pytest.approx(height, abs=2 * ground.deviation)
    assert step.before == pytest.approx(ground.level, abs=1.5 * ground.deviation)


@many
@given(
    GROUNDS, st.integers(150, 900), st.integers(150, 900), st.floats(6, 100), st.floats(6, 100),
    SIGNS, SIGNS,
)  # fmt: skip
def test_two_steps(
    ground: Ground, first: int, apart: int, one: float, two: float, up: int, again: int
) -> None:
    values = ground.values()
    values[first:] += up * one * ground.deviation
    values[first + apart :] += again * two * ground.deviation
    found = ground.events(values)
    assert [event.kind for event in found] == ["step", "step"]
    places = [ground.second(event.start) for event in found]
    assert places == pytest.approx([first, first + apart], abs=2.01)
    assert found[0].after == pytest.approx(found[1].before, abs=2 * ground.deviation)
    assert [np.sign(event.size) for event in found] == [up, again]


@many
@given(GROUNDS, st.integers(200, 600), st.integers(700, 1000), st.floats(15, 200), SIGNS)
@example(Ground(1757721598, 1e-3, 0.01, 1.0), 599, 996, 15.0, -1)  # found as two pieces
def test_a_drift_anywhere(ground: Ground, begin: int, length: int, size: float, sign: int) -> None:
    values = ground.values()
    height = sign * size * ground.deviation
    values += np.clip((np.arange(COUNT) - begin) / length, 0, 1) * height
    (drift,) = [event for event in ground.events(values) if event.kind == "drift"]
    assert ground.second(drift.start) == pytest.approx(begin, abs=length / 3)
    assert ground.second(drift.end) == pytest.approx(begin + length, abs=length / 3)
    assert drift.size == pytest.approx(height, rel=0.25)


@many
@given(GROUNDS, st.integers(10, COUNT - 500), st.integers(6, 400))
def test_a_dropout_anywhere(ground: Ground, place: int, length: int) -> None:
    keep = np.ones(COUNT, bool)
    keep[place : place + length] = False
    values = ground.values()
    (dropout,) = ground.events(values, keep)
    assert dropout.kind == "dropout"
    assert ground.second(dropout.start) == pytest.approx(place - 1, abs=1e-3)
    assert ground.second(dropout.end) == pytest.approx(place + length, abs=1e-3)
    assert dropout.size == pytest.approx((length + 1) * ground.step)
    assert (dropout.before, dropout.after) == (values[place - 1], values[place + length])


@many
@given(GROUNDS, st.lists(st.integers(0, 19), min_size=2, max_size=6, unique=True))
def test_each_of_several_dropouts(ground: Ground, hundreds: list[int]) -> None:
    assume(0 not in hundreds)
    keep = np.ones(COUNT, bool)
    for hundred in hundreds:
        keep[100 * hundred : 100 * hundred + 30] = False
    found = ground.events(ground.values(), keep)
    assert [event.kind for event in found] == ["dropout"] * len(hundreds)
    places = [ground.second(event.end) - 30 for event in found]
    assert places == pytest.approx([100 * hundred for hundred in sorted(hundreds)], abs=1e-3)


@many
@given(
    st.sampled_from([0.0, -1.0, 1e-12, 1e12, 0.1, -273.15]),
    st.integers(1, COUNT),
    st.sampled_from([0.001, 1.0, 3600.0]),
)
def test_a_constant_holds_no_event(level: float, count: int, step: float) -> None:
    times = ORIGIN + np.rint(np.arange(count) * step * 1e6).astype(np.int64)
    series = Series("a", "V", "", times, np.full(count, level))
    assert detect(series, list(windows(series, 60.0))) == []


@many
@given(GROUNDS, st.floats(-50, 50), st.sampled_from([10.0, 1e3, 1e6]))
def test_the_unit_and_the_zero_do_not_matter(ground: Ground, shift: float, scale: float) -> None:
    values = ground.values()
    values[500] += 30 * ground.deviation
    values[1200:] += 12 * ground.deviation
    plain = ground.events(values)
    other = ground.events((values + shift * ground.deviation) * scale)
    assert [(event.kind, event.start) for event in plain] == [
        (event.kind, event.start) for event in other
    ]
    assert [event.size * scale for event in plain] == pytest.approx([e.size for e in other])


@many
@given(GROUNDS, st.floats(1, 4), st.floats(1, 4))
def test_limits_are_crossed_where_readings_are_beyond(
    ground: Ground, below: float, above: float
) -> None:
    values = ground.values()
    low = ground.level - below * ground.deviation
    high = ground.level + above * ground.deviation
    times = ORIGIN + np.arange(COUNT) * 1_000_000
    series = Series("a", "V", "", times, values)
    found = detect(series, list(windows(series, 60.0)), (low, high))
    for kind, beyond, limit, extreme in (
        ("above limit", values > high, high, np.max), ("below limit", values < low, low, np.min)
    ):  # fmt: skip
        mine = [event for event in found if event.kind == kind]
        inside = np.zeros(COUNT, bool)
        for event in mine:
            begin, end = ((micros - ORIGIN) // 1_000_000 for micros in (event.start, event.end))
            inside[begin : end + 1] = True
            assert beyond[begin]
            assert beyond[end]
            assert (event.before, event.after) == (limit, extreme(values[begin : end + 1]))
        assert not (beyond & ~inside).any(), "no reading beyond a limit is left out"
        gaps = [later.start - event.end for event, later in pairwise(mine)]
        assert all(gap > 6 * 1_000_000 for gap in gaps)


@many
@given(
    st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=300).map(np.array), st.integers(1, 50)
)  # fmt: skip
def test_medians_of_runs(values: Floats, bins: int) -> None:
    level, run = medians(values, bins)
    assert 1 <= level.size <= bins
    assert level.tolist() == [
        np.median(values[n * run : (n + 1) * run]) for n in range(values.size // run)
    ]


def test_noise_is_the_deviation_and_a_few_spikes_do_not_change_it() -> None:
    values = np.random.default_rng(1).normal(7, 2.5, 10_000)
    assert noise(values) == pytest.approx(2.5, rel=0.05)
    values[::100] += 500
    assert noise(values) == pytest.approx(2.5, rel=0.08)
    assert noise(values[:1]) == 0.0
