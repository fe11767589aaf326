"""Exact readings: equal to brute force over what was logged, whatever is asked."""

import statistics
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentctx.errors import QueryError, StoreError
from agentctx.memory.readings import AGGREGATES, Channel, Reading, channels, readings
from agentctx.plugins.sensor.series import Series
from agentctx.plugins.sensor.store import store

START = datetime(2026, 3, 14, 9, 12, tzinfo=UTC)
ORIGIN = int(START.timestamp()) * 1_000_000

Values = dict[int, float]


def at(micros: int) -> datetime:
    return START + timedelta(microseconds=micros)


def write(path: Path, logs: dict[str, Values], column: str = "") -> Path:
    """A file of readings as the plugin makes it; times are microseconds after START."""
    series = []
    for channel, values in logs.items():
        times = np.array(sorted(values), dtype=np.int64)
        ordered = np.array([values[time] for time in times.tolist()])
        series.append(Series(channel, "V", column, ORIGIN + times, ordered))
    path.write_bytes(store(series).read())
    return path


def brute(aggregate: str, values: list[float]) -> float:
    return float(
        {
            "count": len, "sum": sum, "min": min, "max": max, "mean": statistics.fmean,
            "median": statistics.median, "std": statistics.pstdev,
            "first": lambda all_: all_[0], "last": lambda all_: all_[-1],
        }[aggregate](values)
    )  # fmt: skip


_MICROS = st.integers(-10_000_000, 10_000_000)
_LOG = st.dictionaries(_MICROS, st.floats(-1e6, 1e6, width=32), min_size=1, max_size=30)


@settings(deadline=None, max_examples=60)
@given(
    logs=st.lists(_LOG, min_size=1, max_size=3),
    since=st.none() | _MICROS,
    until=st.none() | _MICROS,
    aggregate=st.sampled_from([None, *AGGREGATES]),
)
def test_any_question_is_answered_as_by_brute_force(
    logs: list[Values], since: int | None, until: int | None, aggregate: str | None
) -> None:
    merged: Values = {}
    for log in logs:
        merged = log | merged  # of two files that hold a time, the first counts
    wanted = [
        Reading(at(time), merged[time])
        for time in sorted(merged)
        if (since is None or time >= since) and (until is None or time < until)
    ]
    values = [reading.value for reading in wanted]
    bounds = (None if since is None else at(since), None if until is None else at(until))
    with TemporaryDirectory() as folder:
        files = [
            write(Path(folder) / f"{number}.parquet", {"a": log, "b": {0: 5.0}})
            for number, log in enumerate(logs)
        ]
        if aggregate not in (None, "count", "sum") and not values:
            with pytest.raises(QueryError, match="its readings go from"):
                readings(files, "a", *bounds, aggregate)
            return
        found = readings(files, "a", *bounds, aggregate)
    if aggregate is None:
        assert found == wanted
    else:
        assert found == pytest.approx(brute(aggregate, values), rel=1e-9, abs=1e-6)


def test_many_row_groups_and_a_narrow_question(tmp_path: Path) -> None:
    values = np.random.default_rng(3).normal(0, 1, 400_000)
    times = ORIGIN + np.arange(values.size) * 1_000_000
    path = tmp_path / "readings.parquet"
    series = [Series(name, "V", "", times, values + shift) for name, shift in (("a", 0), ("b", 9))]
    path.write_bytes(store(series).read())
    assert pq.ParquetFile(path).metadata.num_row_groups == 8
    since, until = START + timedelta(seconds=131_070), START + timedelta(seconds=131_080)
    found = readings([path], "b", since, until)
    assert found == [
        Reading(START + timedelta(seconds=second), values[second] + 9)
        for second in range(131_070, 131_080)
    ]
    assert readings([path], "a", aggregate="max") == values.max()


def test_a_log_added_again_when_it_had_grown_counts_once(tmp_path: Path) -> None:
    short = write(tmp_path / "short.parquet", {"a": {n: float(n) for n in range(10)}})
    long = write(tmp_path / "long.parquet", {"a": {n: float(n) for n in range(25)}})
    for files in ([short, long], [long, short], [long, long, short]):
        assert readings(files, "a", aggregate="count") == 25
        assert readings(files, "a", aggregate="sum") == 300


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        ("bearing_temp", "bearing_temp"), ("Bearing Temp", "bearing_temp"),
        ("bearing-temp", "bearing_temp"), ("bea", "bearing_temp"),
        ("oil pressure", "oil pressure"), ("oil", "oil"), ("OIL", "oil"), ("Oil P", "oil pressure"),
    ],
)  # fmt: skip
def test_channels_are_known_by_name_or_beginning(tmp_path: Path, wanted: str, name: str) -> None:
    logs = {"bearing_temp": {1: 1.0}, "oil": {2: 2.0}, "oil pressure": {3: 3.0}}
    path = write(tmp_path / "a.parquet", logs)
    ((time, value),) = logs[name].items()
    assert readings([path], wanted) == [Reading(at(time), value)]


def test_a_channel_is_known_by_its_header_too(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", {"temp": {1: 1.0}}, column="temp [°C]")
    assert channels([path, path]) == [Channel("temp", "V", "temp [°C]")]
    assert readings([path], "temp [°C]", aggregate="last") == 1.0


def test_unknown_and_ambiguous_channels_are_told(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", {"oil in": {1: 1.0}, "oil out": {1: 2.0}, "rpm": {1: 3.0}})
    with pytest.raises(QueryError, match="'oil in', 'oil out', 'rpm'"):
        readings([path], "water")
    with pytest.raises(QueryError, match=r"say which: 'oil in', 'oil out'$"):
        readings([path], "oil")
    with pytest.raises(QueryError, match="'oil in', 'oil out', 'rpm'"):
        readings([path], "")
    with pytest.raises(QueryError, match="holds no sensor readings"):
        readings([], "water")
    with pytest.raises(QueryError, match="no aggregate 'mode'; there are: count"):
        readings([path], "rpm", aggregate="mode")


def test_naive_bounds_are_local_times(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", {"a": {0: 1.0, 5_000_000: 2.0}})
    local = (START + timedelta(seconds=1)).astimezone().replace(tzinfo=None)
    assert readings([path], "a", since=local) == [Reading(at(5_000_000), 2.0)]


def test_files_that_hold_no_readings(tmp_path: Path) -> None:
    damaged, other = tmp_path / "damaged.parquet", tmp_path / "other.parquet"
    damaged.write_bytes(b"PAR1 and no more")
    pq.write_table(pa.table({"a": [1]}), other)
    for path in (damaged, other, tmp_path / "absent.parquet"):
        with pytest.raises(StoreError, match=path.name):
            readings([path], "a")
