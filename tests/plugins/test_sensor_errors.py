"""Bad inputs and limits: an error that names the file, what is wrong and what to do."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from agentctx.config import Config
from agentctx.contracts import Source
from agentctx.errors import (
    ConfigError,
    SourceError,
    SourceInvalid,
    SourceNotFound,
    SourceTooLarge,
    SourceUnreadable,
)
from agentctx.limits import Limits
from agentctx.plugins.sensor import Sensor
from agentctx.records import Observation
from agentctx.registry import build
from agentctx.services import SharedServices


def observe(path: Path, limits: Limits | None = None, **options: Any) -> Iterator[Observation]:
    sensor = Sensor(SharedServices(Config()), **options)
    head = path.read_bytes()[:4096] if path.is_file() else b""
    return sensor.observe(Source(path, head=head, limits=limits or Limits()))


def refused(path: Path, kind: type[SourceError] = SourceInvalid, **options: Any) -> str:
    with pytest.raises(kind) as raised:
        list(observe(path, **options))
    assert type(raised.value) is kind
    assert raised.value.source == str(path)
    return raised.value.reason


def write(tmp_path: Path, content: bytes, name: str = "log.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(content)
    return path


def test_no_time_column_tells_the_columns_and_what_to_do(tmp_path: Path) -> None:
    path = write(tmp_path, b"name,phone\nAda,5551\nBob,5552\n")
    reason = refused(path)
    for part in ("no time column", "'name'", "'phone'", "time_column"):
        assert part in reason


def test_a_named_time_column(tmp_path: Path) -> None:
    path = write(tmp_path, b"taken,speed\n1773479520,1\n1773479521,2\n")
    assert "no time column" in refused(path)
    (window,) = observe(path, time_column="Taken")
    assert window.captured_at == datetime(2026, 3, 14, 9, 12, tzinfo=UTC)
    assert "no time column 'nope'" in refused(path, time_column="nope")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"\n\n# only a remark\n", "no rows"),
        (b"time,speed\n", "header but no rows"),
        (b"time,speed\n2026-03-14T09:12:00Z,fast\n2026-03-14T09:12:01Z,slow\n", "no numbers"),
        (b"time,speed\n2026-03-14T09:12:00Z,\n2026-03-14T09:12:01Z,NaN\n", "no numbers"),
        (b"time,a\n2026-03-14T09:12:00Z,1\n2026-03-14T09:12:01Z,1,2\n", "#3: Expected 2 columns"),
        (b"time,a\nyesterday,1\ntoday,2\n", "'yesterday'"),
        (b"date,a\n03/04/2026 10:00,1\n03/05/2026 10:00,2\n", "cannot be told"),
        (b"time,a\n1e30,1\n2e30,2\n", "years 1 to 9999"),
        (b"time,a\nNaN,1\n,2\n", "no time in any row"),
        (bytes(range(256)) * 20, "is no text"),
        (b"time,a\n1,2\n\x00\x00\x00", "is no text"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "is no text"),
        (b"\xff\xfet\x00i\x00m", "is no text"),
    ],
)
def test_bad_csv(tmp_path: Path, content: bytes, says: str) -> None:
    assert says in refused(write(tmp_path, content))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("log.parquet", b"PAR1 and no more"),
        ("log.parquet", b""),
        ("log.feather", b"ARROW1\x00\x00 cut off"),
        ("log.arrow", b"rubbish"),
        ("log.jsonl", b'{"time": 1, "value": 2}\n{"time": 2, "val'),
        ("log.jsonl", b'{"time": 1, "value": 2}\n{"time": 2, "value": {"a": 1}}\n'),
    ],
)
def test_damaged_files(tmp_path: Path, name: str, content: bytes) -> None:
    assert refused(write(tmp_path, content, name))


def test_a_missing_file_and_a_directory(tmp_path: Path) -> None:
    refused(tmp_path / "absent.csv", SourceNotFound)
    (tmp_path / "folder.csv").mkdir()
    refused(tmp_path / "folder.csv", SourceUnreadable)


def test_limits(tmp_path: Path) -> None:
    path = write(tmp_path, b"time,a,b\n" + b"1773479520,1,2\n" * 11)
    few = Limits(rows=10)
    assert "limits.rows" in refused(path, SourceTooLarge, limits=few)
    assert "max_columns" in refused(path, SourceTooLarge, max_columns=2)
    assert list(observe(path, limits=Limits(rows=11, cells=33), max_columns=3))
    json = write(tmp_path, b'{"time": 1773479520, "a": 1}\n' * 11, "log.jsonl")
    assert "limits.rows" in refused(json, SourceTooLarge, limits=few)
    pq.write_table(pa.table({"time": [1773479520] * 11, "a": [1] * 11}), tmp_path / "log.parquet")
    assert "limits.rows" in refused(tmp_path / "log.parquet", SourceTooLarge, limits=few)
    body = b"".join(b"1773479520,s%d,1\n" % number for number in range(11))
    long = write(tmp_path, b"time,sensor,value\n" + body, "long.csv")
    assert "max_columns" in refused(long, SourceTooLarge, max_columns=10)


@pytest.mark.parametrize(
    "options",
    [
        {"window": 0},
        {"window": -5.0},
        {"timezone": "Mars/Olympus"},
        {"thresholds": {"a": (3, 1)}},
        {"thresholds": {"a": (3,)}},
        {"max_columns": 0},
        {"max_events": -1},
        {"colour": "red"},
    ],
)
def test_options_that_make_no_sense(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        build("plugins", "sensor", SharedServices(Config()), options)


def test_too_little_memory_is_no_damage(tmp_path: Path) -> None:
    texts = pa.array(["x" * 1000]).take(pa.array([0] * 100_000))
    table = pa.table({"time": [1773479520.0] * 100_000, "note": texts})
    pq.write_table(pa.concat_tables([table] * 5), tmp_path / "log.parquet", compression="zstd")
    small = Limits(decoder_bytes=150_000_000)
    reason = refused(tmp_path / "log.parquet", SourceTooLarge, limits=small)
    assert "limits.decoder_bytes = 150,000,000" in reason
