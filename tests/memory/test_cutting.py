"""Readings taken out of a kept file: gone from all of it, and everything else as it was."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentctx.errors import StoreError
from agentctx.memory.cutting import RECORD_BYTES, Cut, Span, cut, records
from agentctx.memory.erasure import collect, scan
from agentctx.memory.readings import channels, readings
from agentctx.plugins.sensor.series import Series
from agentctx.plugins.sensor.store import store

START = datetime(2026, 3, 14, 9, 12, tzinfo=UTC)
ORIGIN = int(START.timestamp()) * 1_000_000

Values = dict[int, float]


def write(path: Path, logs: dict[str, Values]) -> Path:
    """A file of readings as the plugin makes it; times are microseconds after START."""
    path.write_bytes(
        store(
            [
                Series(
                    name,
                    "bar",
                    f"{name} [bar]",
                    ORIGIN + np.array(sorted(values), np.int64),
                    np.array([values[time] for time in sorted(values)]),
                )
                for name, values in logs.items()
            ]
        ).read()
    )
    return path


def content(path: Path) -> dict[str, Values]:
    """What is in a file, by the public way to read it."""
    found: dict[str, Values] = {}
    for channel in channels([path]):
        listed = readings([path], channel.name)
        assert isinstance(listed, list)
        found[channel.name] = {
            (one.time - START) // timedelta(microseconds=1): one.value for one in listed
        }
    return found


def rewritten(path: Path, spans: list[Span]) -> tuple[Cut, dict[str, Values]]:
    made = cut(path, [Span(one.channel, ORIGIN + one.start, ORIGIN + one.stop) for one in spans])
    if made.data is None:
        return made, {}
    new = path.with_suffix(".new")
    new.write_bytes(made.data)
    return made, content(new)


_MICROS = st.integers(-1000, 1000)
_LOG = st.dictionaries(_MICROS, st.floats(-1e6, 1e6), min_size=1, max_size=40)
_NAMES = ("intake", "outlet", "Öltemperatur")
_SPAN = st.builds(Span, st.sampled_from([*_NAMES, "absent"]), _MICROS, _MICROS)


@settings(deadline=None, max_examples=40)
@given(
    logs=st.dictionaries(st.sampled_from(_NAMES), _LOG, min_size=1),
    spans=st.lists(_SPAN, max_size=6),
)
def test_a_cut_leaves_what_a_plain_filter_leaves(
    logs: dict[str, Values], spans: list[Span]
) -> None:
    expected = {
        name: {
            time: value
            for time, value in log.items()
            if not any(one.channel == name and one.start <= time < one.stop for one in spans)
        }
        for name, log in logs.items()
    }
    with TemporaryDirectory() as folder:
        path = write(Path(folder) / "log.parquet", logs)
        before = path.read_bytes()
        made, left = rewritten(path, spans)
        assert path.read_bytes() == before
    assert left == {name: log for name, log in expected.items() if log}
    assert made.left == sum(map(len, expected.values()))
    assert made.removed == sum(map(len, logs.values())) - made.left
    assert (made.data is None) == (made.left == 0)
    assert len(made.records) == made.removed * RECORD_BYTES


def span(channel: str, start: int, stop: int) -> Span:
    return Span(channel, ORIGIN + start, ORIGIN + stop)


@pytest.fixture
def pumps(tmp_path: Path) -> Path:
    """Three row groups of `slow` and `fast` each; the values of `rare` come once only."""
    dice = np.random.default_rng(5)
    times = range(300_000)
    return write(
        tmp_path / "pumps.parquet",
        {
            "fast": dict(zip(times, dice.normal(size=300_000).tolist(), strict=True)),
            "slow": dict(zip(times, dice.normal(size=300_000).round(1).tolist(), strict=True)),
            "rare": {10: 777.25, 20: 1.5, 30: 2.5, 40: -999.75},
        },
    )


def test_schema_encodings_and_order_stay(pumps: Path) -> None:
    made = cut(pumps, [span("fast", 1000, 150_000)])
    assert (made.removed, made.left) == (149_000, 451_004)
    new = pumps.with_name("new")
    new.write_bytes(made.data or b"")
    old_file, new_file = pq.ParquetFile(pumps), pq.ParquetFile(new)
    assert new_file.schema_arrow.equals(old_file.schema_arrow, check_metadata=True)
    for number in range(3):
        old, fresh = (f.metadata.row_group(0).column(number) for f in (old_file, new_file))
        assert set(fresh.encodings) == set(old.encodings)
        assert fresh.compression == old.compression == "ZSTD"
    before, after = pq.read_table(pumps), pq.read_table(new)
    times = np.asarray(before["time"].cast(pa.int64())) - ORIGIN
    names = before["channel"].cast(pa.string()).to_numpy(zero_copy_only=False)
    kept = (names != "fast") | (times < 1000) | (times >= 150_000)
    assert after.cast(before.schema).equals(before.filter(pa.array(kept)))


def test_row_groups_that_are_gone_leave_none_behind(pumps: Path) -> None:
    new = pumps.with_name("new")
    new.write_bytes(cut(pumps, [span("fast", -1, 290_000), span("rare", 0, 50)]).data or b"")
    metadata = pq.ParquetFile(new).metadata
    assert [metadata.row_group(n).num_rows for n in range(metadata.num_row_groups)] == [
        10_000, 131_072, 131_072, 37_856,
    ]  # fmt: skip


def test_nothing_of_the_removed_is_in_the_new_file(pumps: Path) -> None:
    old = pumps.read_bytes()
    extremes = [np.float64(value).tobytes() for value in (777.25, -999.75)]
    assert all(extreme in old for extreme in extremes)  # in the statistics of the row group
    new = cut(pumps, [span("rare", 10, 11), span("rare", 40, 41)]).data or b""
    assert not any(extreme in new for extreme in extremes)
    path = pumps.with_name("new")
    path.write_bytes(new)
    statistics = next(
        group.column(2).statistics
        for group in map(pq.ParquetFile(path).metadata.row_group, range(7))
        if group.column(1).statistics.min == "rare"
    )
    assert (statistics.min, statistics.max, statistics.num_values) == (1.5, 2.5, 2)


def test_a_channel_without_readings_is_forgotten_by_name(pumps: Path) -> None:
    new = cut(pumps, [span("rare", 0, 100)]).data or b""
    assert b"rare" in pumps.read_bytes()
    assert b"rare" not in new
    path = pumps.with_name("new")
    path.write_bytes(new)
    assert [channel.name for channel in channels([path])] == ["fast", "slow"]
    about = json.loads(pq.read_schema(path).metadata[b"channels"])
    assert about["slow"] == {"unit": "bar", "column": "slow [bar]"}
    values = readings([path], "slow", aggregate="count")
    assert values == 300_000


def test_cutting_twice_is_cutting_once(pumps: Path) -> None:
    first, second = span("slow", 0, 9000), span("rare", 0, 25)
    both = cut(pumps, [first, second])
    path = pumps.with_name("new")
    path.write_bytes(cut(pumps, [first]).data or b"")
    again = cut(path, [second])
    assert again.data == both.data
    assert again.removed == 2
    path.write_bytes(again.data or b"")
    assert cut(path, [first, second]).removed == 0


@pytest.mark.parametrize(
    "data", [b"", b"PAR1", b"PAR1 of no kind PAR1", b"time,value\n1,2\n"], ids=repr
)
def test_a_damaged_file_is_named(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "readings"
    path.write_bytes(data)
    with pytest.raises(StoreError, match="readings"):
        cut(path, [span("fast", 0, 1)])
    with pytest.raises(StoreError, match="readings"):
        list(records(path))


def test_a_truncated_file_is_named(pumps: Path) -> None:
    data = pumps.read_bytes()
    pumps.write_bytes(data[: len(data) // 2])
    with pytest.raises(StoreError, match=r"pumps\.parquet"):
        cut(pumps, [span("fast", 0, 1)])


# -- proof ---------------------------------------------------------------------------------------


def test_records_tell_channel_time_and_value(tmp_path: Path) -> None:
    path = write(tmp_path / "a", {"intake": {0: 1.5, 5: 2.5}, "outlet": {0: 1.5}})
    found = b"".join(records(path))
    assert len(found) == 3 * RECORD_BYTES
    rows = np.frombuffer(found, [("channel", "V16"), ("time", "<i8"), ("value", "<f8")])
    assert rows["time"].tolist() == [ORIGIN, ORIGIN + 5, ORIGIN]
    assert rows["value"].tolist() == [1.5, 2.5, 1.5]
    names = [name.tobytes() for name in rows["channel"]]
    assert names[0] == names[1] != names[2]


def test_forgotten_readings_are_found_until_they_are_cut(pumps: Path, tmp_path: Path) -> None:
    memory = tmp_path / "memory"
    memory.mkdir()
    kept = memory / "kept"
    kept.write_bytes(pumps.read_bytes())
    made = cut(pumps, [span("fast", 5000, 6000), span("rare", 10, 11)])
    fingerprints = collect(readings=[made.records])
    assert fingerprints.counts() == {"reading": 1001}
    (finding,) = scan(memory, fingerprints).findings
    assert (finding.kind, finding.file, finding.offset) == ("reading", "kept", 5000)
    assert finding.places == 1001
    kept.write_bytes(made.data or b"")
    assert scan(memory, fingerprints).ok


def test_of_many_removed_readings_some_are_looked_for(pumps: Path) -> None:
    made = cut(pumps, [span("fast", 0, 300_000)])
    assert made.removed == 300_000
    assert len(made.records) == 3 * 1024 * RECORD_BYTES


def test_readings_that_cannot_be_read_are_no_proof(pumps: Path, tmp_path: Path) -> None:
    memory = tmp_path / "memory"
    memory.mkdir()
    (memory / "half").write_bytes(pumps.read_bytes()[:100_000])
    made = cut(pumps, [span("rare", 10, 11)])
    report = scan(memory, collect(readings=[made.records]))
    assert report.opaque == ("half",)
    assert not report.ok
    assert scan(memory, collect(texts=["no readings were forgotten here"])).ok
