"""Events: what is there is found, at its time and size; in noise alone there is nothing."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pytest

from agentctx.config import Config
from agentctx.contracts import Source
from agentctx.plugins.sensor import Sensor
from agentctx.plugins.sensor.events import Event, detect, notable
from agentctx.plugins.sensor.series import Series
from agentctx.plugins.sensor.windows import windows
from agentctx.records import Observation
from agentctx.services import SharedServices

START = datetime(2026, 3, 14, 8, tzinfo=UTC)
ORIGIN = int(START.timestamp()) * 1_000_000
SEEDS = range(6)
Floats = np.ndarray


def events(values: Floats, seconds: Floats | None = None, **options: Any) -> list[Event]:
    seconds = np.arange(values.size) if seconds is None else seconds
    times = ORIGIN + (seconds * 1e6).astype(np.int64)
    series = Series("a", "V", "", times, values.astype(np.float64))
    return detect(series, list(windows(series, 60.0)), **options)


def second(event: Event) -> float:
    return (event.start - ORIGIN) / 1e6


def noise(seed: int, count: int = 3600) -> Floats:
    return np.random.default_rng(seed).normal(20, 0.5, count)


@pytest.mark.parametrize(
    "make",
    [
        lambda rng: rng.normal(20, 0.5, 40_000),
        lambda rng: rng.normal(20, 0.5, 40_000).round(0),
        lambda rng: rng.normal(20, 0.05, 40_000).round(1),
        lambda rng: rng.uniform(-1, 1, 40_000),
        lambda rng: np.sin(np.arange(36_000) / 5) + rng.normal(0, 0.1, 36_000),
        lambda rng: np.sin(np.arange(36_000) / 60) + rng.normal(0, 0.1, 36_000),
        lambda rng: np.tile(np.linspace(-3, 3, 300), 40) * np.repeat([1, -1] * 20, 300),
        lambda rng: np.full(10_000, 21.5),
        lambda rng: rng.normal(20, 0.5, 60),
    ],
    ids=["normal", "whole numbers", "one decimal", "uniform", "wave", "slow wave", "triangle",
         "constant", "short"],
)  # fmt: skip
def test_no_false_alarm_without_an_event(make: Callable[[np.random.Generator], Floats]) -> None:
    for seed in range(2):
        found = events(make(np.random.default_rng(seed)))
        assert [event for event in found if event.kind not in ("oscillation", "drift")] == []


def test_there_is_no_drift_in_noise_nor_an_oscillation() -> None:
    for seed in SEEDS:
        assert events(noise(seed, 40_000)) == []


@pytest.mark.parametrize("decimals", [1, 2, 12])
def test_all_spikes_are_found_and_nothing_else(decimals: int) -> None:
    for seed in SEEDS:
        values = noise(seed)
        rng = np.random.default_rng(100 + seed)
        places = np.arange(200, 3500, 300) + rng.integers(0, 200, 11)
        sizes = rng.uniform(6, 20, 11) * rng.choice([-1, 1], 11)
        for place, size in zip(places, sizes, strict=True):
            values[place : place + rng.integers(1, 4)] += size
        found = events(values.round(decimals))
        assert {event.kind for event in found} == {"spike"}
        # A spike of two or three readings peaks at any of them.
        assert np.allclose([second(event) for event in found], places, atol=2)
        assert np.allclose([event.size for event in found], sizes, atol=2.5)


@pytest.mark.parametrize("size", [1.5, 3.0, -20.0])
def test_all_steps_are_found_at_their_reading(size: float) -> None:
    for seed in SEEDS:
        values = noise(seed)
        places = [700, 1900, 2800]
        for number, place in enumerate(places):
            values[place:] += size * (1 if number % 2 == 0 else -1)
        found = events(values.round(2))
        assert [event.kind for event in found] == ["step"] * 3
        # Where one level ends and the next begins is told as well as the noise (0.5) lets it.
        assert np.allclose([second(event) for event in found], places, atol=6 / abs(size))
        assert np.allclose([event.size for event in found], [size, -size, size], atol=0.5)


def test_a_step_that_takes_a_few_readings_and_one_in_a_long_log() -> None:
    values = noise(1)
    values[1800:1806] += np.linspace(0, 10, 6)
    values[1806:] += 10
    (step,) = events(values)
    assert step.kind == "step"
    assert second(step) == pytest.approx(1803, abs=4)
    values = noise(2, 200_000)
    values[123_456:] += 4
    (step,) = events(values)
    assert (step.kind, second(step)) == ("step", 123_456)
    assert (step.before, step.after) == pytest.approx((20, 24), abs=0.2)


def test_a_pump_that_goes_on_and_off() -> None:
    state = np.zeros(3600)
    for begin, end in ((600, 1500), (2000, 2500)):
        state[begin:end] = 1
    found = events(state)
    assert [(event.kind, second(event), event.size) for event in found] == [
        ("step", 600, 1), ("step", 1500, -1), ("step", 2000, 1), ("step", 2500, -1)
    ]  # fmt: skip


@pytest.mark.parametrize("size", [6.0, -30.0])
def test_a_drift_and_where_it_is(size: float) -> None:
    for seed in SEEDS:
        values = noise(seed)
        values[1000:2500] += np.linspace(0, size, 1500)
        values[2500:] += size
        (drift,) = events(values.round(2))
        assert drift.kind == "drift"
        assert second(drift) == pytest.approx(1000, abs=250)
        assert (drift.end - ORIGIN) / 1e6 == pytest.approx(2500, abs=250)
        assert drift.size == pytest.approx(size, rel=0.1)


def test_a_gap_and_a_run_of_missing_readings() -> None:
    seconds = np.delete(np.arange(3600), slice(1000, 1250))
    (gap,) = events(noise(3)[: seconds.size], seconds)
    assert (gap.kind, second(gap), gap.size) == ("dropout", 999, 251)


def test_readings_that_come_by_chance_do_not_drop_out() -> None:
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        seconds = np.cumsum(rng.exponential(2.0, 5000))
        assert events(rng.normal(0, 1, 5000), seconds) == []
        seconds[2500:] += 300
        (gap,) = events(rng.normal(0, 1, 5000), seconds)
        assert (gap.kind, second(gap)) == ("dropout", pytest.approx(seconds[2499], abs=1e-3))


def test_crossed_limits_are_merged_over_noise() -> None:
    values = noise(4)
    values[1000:1600] += np.sin(np.linspace(0, np.pi, 600)) * 8
    above = [e for e in events(values, limits=(15, 25)) if e.kind == "above limit"]
    assert len(above) <= 4, "noise around the limit must not make a crossing of each reading"
    assert above[0].before == 25
    assert max(event.after for event in above) == values.max()
    assert all(1000 <= second(event) <= 1600 for event in above)
    low = [e for e in events(values, limits=(19.2, None)) if e.kind == "below limit"]
    assert min(event.after for event in low) == values.min()


def test_an_oscillation_that_sets_in() -> None:
    for seed in SEEDS:
        values = noise(seed)
        values[1200:1800] += 2 * np.sin(np.arange(600) * 2 * np.pi / 5)
        found = [event for event in events(values) if event.kind == "oscillation"]
        assert [(second(event), event.end - event.start) for event in found] == [(1200, 600e6)]
        assert found[0].frequency == pytest.approx(0.2, abs=0.01)
        assert found[0].size == pytest.approx(2, abs=0.3)


def test_the_notable_ones_are_the_largest_of_each_kind() -> None:
    made = [Event("spike", n, n, float(n)) for n in range(30)]
    made += [Event("step", 100 + n, 100 + n, -1e6 * n) for n in range(3)]
    chosen = notable(made, 6)
    assert [(e.kind, e.start) for e in chosen] == [
        ("spike", 27), ("spike", 28), ("spike", 29), ("step", 100), ("step", 101), ("step", 102)
    ]  # fmt: skip
    assert notable(made, 0) == []


def observe(path: Path, columns: dict[str, Floats], **options: Any) -> list[Observation]:
    count = len(next(iter(columns.values())))
    micros = ORIGIN + np.arange(count) * 1_000_000
    times = pa.array(micros).cast(pa.timestamp("us", "UTC"))
    pa_csv.write_csv(pa.table({"time": times, **columns}), path)
    sensor = Sensor(SharedServices(Config()), **options)
    return list(sensor.observe(Source(path, path.read_bytes()[:4096])))


def test_an_event_is_an_observation_and_words_in_its_window(tmp_path: Path) -> None:
    values = np.random.default_rng(7).normal(61.2, 0.2, 3600)
    values[1923:] += 13.6
    values = values.round(1)
    values[2400:2600] = np.nan
    found = observe(
        tmp_path / "log.csv", {"bearing_temp [°C]": values}, thresholds={"bearing temp": (None, 70)}
    )
    told = {o.attributes["event"]: o for o in found if "event" in o.attributes}
    assert set(told) == {"step", "above limit", "dropout"}
    step = told["step"]
    assert step.modality == "sensor"
    assert step.captured_at == START + timedelta(seconds=1923)
    assert step.attributes["size"] == pytest.approx(13.6, abs=0.3)
    assert step.text == (
        f"Step in bearing temperature (bearing_temp) from {step.attributes['before']:.1f} to "
        f"{step.attributes['after']:.1f} °C: it suddenly jumped up by "
        f"{step.attributes['size']:.1f} °C at 08:32:03 UTC on 2026-03-14."
    )
    dropout = told["dropout"]
    assert dropout.duration == 201
    assert "no readings (missing data" in dropout.text
    assert "from 08:39:59 UTC on 2026-03-14 until 08:43:20 (3 min 21 s)" in dropout.text
    assert "Alarm: bearing temperature (bearing_temp) above its upper limit" in (
        told["above limit"].text
    )
    by_minute = {o.captured_at.minute: o for o in found if "shape" in o.attributes}
    assert by_minute[32].attributes["events"] == ("above limit", "step")
    assert "Sudden step up from" in by_minute[32].text
    assert "Dropout: no data for 3 min 21 s from 08:39:59." in by_minute[39].text
    assert not {40, 41, 42} & set(by_minute), "no window without a reading"
    assert all(o.media == found[0].media for o in found)


def test_events_left_out_are_told(tmp_path: Path) -> None:
    values = noise(8)
    values[100:3500:100] += np.linspace(10, 50, 34)
    found = observe(tmp_path / "log.csv", {"a": values}, max_events=5)
    told = [o for o in found if "event" in o.attributes]
    assert len(told) == 5
    assert all("One of the 5 largest of 34 events" in o.text for o in told)
    assert min(o.attributes["size"] for o in told) > 40  # type: ignore[type-var]
    marked = [o for o in found if o.attributes.get("events") == ("spike",)]
    assert len(marked) == 34
