"""Sentences say the numbers of their attributes, for any number; and readings() gives them back."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agentctx.config import Config
from agentctx.contracts import Source
from agentctx.errors import QueryError
from agentctx.memory.readings import Reading, readings
from agentctx.plugins.sensor import Sensor
from agentctx.records import Observation
from agentctx.services import SharedServices

START = datetime(2026, 3, 14, 9, tzinfo=UTC)
_NUMBER = r"(-?\d[\d.]*(?:e[+-]\d+)?)"
_WINDOW = re.compile(
    rf": mean {_NUMBER} V, lowest {_NUMBER} at ([\d:.]+), highest {_NUMBER} at ([\d:.]+), "
    rf"last {_NUMBER}, (.+?)\.(?: |$)"
)


def observe(folder: Path, values: list[float], **options: Any) -> list[Observation]:
    """What a log of a reading per second, ``a [V]``, says."""
    path = folder / "log.parquet"
    times = [START + timedelta(seconds=n) for n in range(len(values))]
    pq.write_table(pa.table({"time": times, "a [V]": pa.array(values, pa.float64())}), path)
    return list(Sensor(SharedServices(Config()), **options).observe(Source(path)))


def near(said: str, value: float, values: list[float]) -> bool:
    """Whether a written number is the value to three digits of the log's spread, or of itself."""
    spread = float(np.std(values)) or float(np.abs(values).max())
    return abs(float(said) - value) <= max(0.01 * abs(spread), 0.006 * abs(value))


@settings(max_examples=60, deadline=None)
@example(shape=[0.0, 1.0], scale=1e-6, shift=0.0)
@given(
    st.lists(st.floats(-1, 1), min_size=1, max_size=90),
    st.sampled_from([1e-12, 1e-6, 0.01, 1.0, 300.0, 1e6, 1e12]),
    st.sampled_from([0.0, 1.0, -40.0]),
)
def test_a_window_says_its_own_attributes(
    tmp_path_factory: pytest.TempPathFactory, shape: list[float], scale: float, shift: float
) -> None:
    values = [(value + shift) * scale for value in shape]
    for window in observe(tmp_path_factory.mktemp("any"), values):
        if "shape" not in window.attributes:
            continue
        has: dict[str, Any] = dict(window.attributes)
        second = (window.captured_at - START).seconds
        inside = values[second : second + 60]
        assert (has["min"], has["max"], has["last"]) == (min(inside), max(inside), inside[-1])
        assert has["count"] == len(inside)
        assert has["mean"] == pytest.approx(np.mean(inside), rel=1e-9, abs=1e-12 * scale)
        if has["min"] == has["max"]:
            constant = re.search(rf"constant at {_NUMBER} V (in all|\(one)", window.text)
            assert constant
            assert near(constant[1], has["mean"], values)
            continue
        match = _WINDOW.search(window.text)
        assert match, window.text
        mean, low, low_at, high, high_at, last, trend = match.groups()
        for said, name in ((mean, "mean"), (low, "min"), (high, "max"), (last, "last")):
            assert near(said, has[name], values), (name, window.text)
        assert has["min_at"][11:19] == low_at
        assert has["max_at"][11:19] == high_at
        assert trend.split()[0] in ("steady", "rising", "falling", "fluctuating", "oscillating")
        assert not (trend.startswith("rising") and has["slope"] <= 0)
        assert not (trend.startswith("falling") and has["slope"] >= 0)


@pytest.mark.parametrize("scale", [1e-12, 1e-6, 1.0, 1e6, 1e12, -1.0, -1e12])
@pytest.mark.parametrize("window", [10.0, 3600.0, 86_400.0, 31_536_000.0])
def test_events_of_any_size_are_said(tmp_path: Path, scale: float, window: float) -> None:
    values = np.random.default_rng(4).normal(20, 0.5, 1500)
    values[300] += 40
    values[700:] -= 15
    values[1100:1200] = np.nan
    limits = sorted((10 * scale, 50 * scale))
    found = observe(
        tmp_path, (values * scale).tolist(), window=window, thresholds={"a": (limits[0], limits[1])}
    )
    told = [o for o in found if "event" in o.attributes]
    kinds = {str(o.attributes["event"]) for o in told}
    assert {"dropout"} <= kinds
    if abs(scale) >= 1:
        assert {"dropout", "spike", "step"} <= kinds
        beyond = "above limit" if scale > 0 else "below limit"
        assert beyond in kinds
    for one in told:
        assert "nan" not in one.text.lower()
        assert one.text.endswith(".")
        assert f"{one.captured_at:%H:%M:%S} UTC on 2026-03-14" in one.text
        assert one.ended_at >= one.captured_at
        if one.attributes["event"] in ("spike", "step", "drift"):
            has: Any = one.attributes
            assert has["size"] == pytest.approx(has["after"] - has["before"])
            numbers = [float(n) for n in re.findall(rf"{_NUMBER} V", one.text)]
            assert any(
                near(str(n), has["after"], (values[:1100] * scale).tolist()) for n in numbers
            )


@pytest.mark.parametrize("value", [0.0, -0.0, 1e-12, -1e-12, 5.0, -273.15, 1e12, -1e12, 1e149])
@pytest.mark.parametrize("count", [1, 2, 30])
def test_one_value_however_often(tmp_path: Path, value: float, count: int) -> None:
    (window,) = observe(tmp_path, [value] * count)
    told = f"in all {count} readings" if count > 1 else "(one reading)"
    match = re.search(
        rf"A from 09:00 to 09:01 UTC on 2026-03-14: constant at {_NUMBER} V ", window.text
    )
    assert match
    assert told in window.text
    assert float(match[1]) == pytest.approx(value, rel=0.01)
    assert not match[1].startswith("-0.0 "), "there is no minus zero"
    assert window.attributes["std"] == 0.0
    assert set(window.attributes["shape"]) == {0.0}  # type: ignore[arg-type]


# -- readings ---------------------------------------------------------------------------------


def kept(folder: Path, name: str, text: str) -> Path:
    """The readings of a CSV log, as a memory keeps them."""
    path = folder / f"{name}.csv"
    path.write_text(text)
    first = next(Sensor(SharedServices(Config())).observe(Source(path)))
    target = folder / f"{name}.readings"
    target.write_bytes(first.media[0].read())
    return target


def at(second: float) -> datetime:
    return datetime(2026, 3, 14, 9, 12, tzinfo=UTC) + timedelta(seconds=second)


def test_a_span_holds_its_begin_and_not_its_end(tmp_path: Path) -> None:
    rows = "".join(f"{1773479520 + second},{second}\n" for second in range(10))
    file = kept(tmp_path, "log", "time,a\n" + rows)

    def values(since: float | None, until: float | None) -> list[float]:
        bounds = (None if bound is None else at(bound) for bound in (since, until))
        found = readings([file], "a", *bounds)
        assert isinstance(found, list)
        return [row.value for row in found]

    assert values(2, 5) == [2, 3, 4]
    assert values(1.000001, 3.000001) == [2, 3]
    assert values(5, 5) == values(7, 3) == values(10, None) == values(None, 0) == []
    assert values(9, None) == [9]
    assert [v for cut in range(0, 10, 3) for v in values(cut, cut + 3)] == values(None, None)
    assert readings([file], "a", at(2), at(5), "sum") == 9
    assert readings([file], "a", at(5), at(5), "count") == 0


def test_several_files_are_one_log(tmp_path: Path) -> None:
    first = kept(tmp_path, "first", "time,oil [bar],rpm\n1773479520,1,900\n1773479522,2,\n")
    second = kept(tmp_path, "second", "time,water_c,oil [bar]\n1773479521,50,3\n1773479522,51,4\n")
    merged = readings([first, second], "oil")
    assert merged == [Reading(at(0), 1.0), Reading(at(1), 3.0), Reading(at(2), 2.0)]
    assert readings([second, first], "oil") == [*merged[:2], Reading(at(2), 4.0)]  # type: ignore[index]
    assert readings([first, second], "rpm") == [Reading(at(0), 900.0)]
    assert readings([first, second], "water", aggregate="mean") == 50.5
    with pytest.raises(QueryError, match="no channel 'air'; there are: 'oil', 'rpm', 'water_c'"):
        readings([first, second], "air")
    with pytest.raises(QueryError, match="its readings go from 2026-03-14T09:12:00"):
        readings([first, second], "rpm", since=at(1), aggregate="max")
