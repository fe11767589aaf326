"""Each kind of file, as loggers write them, gives the readings that were logged."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta, timezone
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

from agentctx.config import Config
from agentctx.contracts import Source
from agentctx.memory.readings import Channel, channels, readings
from agentctx.plugins.sensor import Sensor
from agentctx.plugins.sensor.units import split
from agentctx.records import Observation
from agentctx.services import SharedServices

START = datetime(2026, 3, 14, 9, 12, tzinfo=UTC)
TIMES = [START + timedelta(seconds=second) for second in range(5)]
VALUES = [61.2, 61.25, 61.5, 60.75, 74.8]

Logged = dict[str, list[tuple[datetime, float]]]


def observe(path: Path, captured_at: datetime | None = None, **options: Any) -> list[Observation]:
    sensor = Sensor(SharedServices(Config()), **options)
    source = Source(path, head=path.read_bytes()[:4096], captured_at=captured_at)
    assert sensor.accepts(source)
    return list(sensor.observe(source))


def stored(path: Path, observations: Sequence[Observation]) -> Path:
    """The readings that the observations refer to, as the file that a memory would keep."""
    digests = {media.digest for o in observations for media in o.media}
    assert len(digests) == 1, "one file of readings per log"
    media = observations[0].media[0]
    assert (media.kind, media.mime) == ("readings", "application/vnd.apache.parquet")
    target = path.with_name("stored.parquet")
    target.write_bytes(media.read())
    return target


def logged(path: Path, captured_at: datetime | None = None, **options: Any) -> Logged:
    """All readings of a log by channel, by the way of its observations."""
    file = stored(path, observe(path, captured_at, **options))
    found: Logged = {}
    for channel in channels([file]):
        rows = readings([file], channel.name)
        assert isinstance(rows, list)
        found[channel.name] = [(row.time, row.value) for row in rows]
    return found


def units(path: Path, **options: Any) -> list[Channel]:
    return channels([stored(path, observe(path, **options))])


def expected(values: Sequence[float] = VALUES) -> list[tuple[datetime, float]]:
    return list(zip(TIMES, values, strict=True))


def rows(form: Callable[[datetime], str], delimiter: str = ",", decimal: str = ".") -> str:
    lines = (
        f"{form(when)}{delimiter}{str(value).replace('.', decimal)}"
        for when, value in zip(TIMES, VALUES, strict=True)
    )
    return "\n".join(lines) + "\n"


def table() -> pa.Table:
    return pa.table({"time": pa.array(TIMES), "temperature [°C]": VALUES, "note": ["ok"] * 5})


def test_csv_with_header_units_comments_bom_and_quotes(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    text = '# made by a logger\n\n"Time","temperature [°C]","note"\n'
    text += "".join(f'{t.isoformat()},{v},"all, well"\n' for t, v in expected())
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert logged(path) == {"temperature": expected()}
    assert units(path) == [Channel("temperature", "°C", "temperature [°C]")]
    assert observe(path)[0].attributes["ignored"] == ("note",)


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_decimal_comma(tmp_path: Path, delimiter: str) -> None:
    path = tmp_path / "log.csv"
    header = f"Zeit{delimiter}Temperatur (°C)\n"
    body = rows(lambda when: f"{when:%d.%m.%Y %H:%M:%S}", delimiter, ",")
    path.write_text(header + body, encoding="cp1252")
    assert logged(path, timezone="UTC") == {"Temperatur": expected()}
    assert units(path, timezone="UTC")[0].unit == "°C"


def test_preamble_units_row_and_trailing_delimiter(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    body = "".join(f"{t.isoformat()};{v};\n" for t, v in expected())
    path.write_text(f"Device: X12\nSerial: 7\n\ntime;pressure;\nISO;bar;\n{body}")
    assert logged(path) == {"pressure": expected()}
    assert units(path)[0].unit == "bar"


def test_csv_without_header(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(rows(datetime.isoformat))
    assert logged(path) == {"column 2": expected()}


def test_names_in_a_comment_and_numbers_as_names(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("# time, rpm\n" + rows(datetime.isoformat))
    assert logged(path) == {"rpm": expected()}
    path.write_text("time,1\n" + rows(datetime.isoformat))
    assert logged(path) == {"1": expected()}


def test_json_lines_with_nested_values_and_missing_keys(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    lines = [
        {"ts": when.isoformat().replace("+00:00", "Z"), "data": {"temp_c": value}, "id": 7}
        for when, value in expected()
    ]
    lines.append({"ts": "2026-03-14T09:13:00.250Z", "data": {"temp_c": None, "rpm": 900}, "id": 7})
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    found = logged(path)
    assert found["data.temp"] == expected()
    assert found["rpm" if "rpm" in found else "data.rpm"] == [
        (datetime(2026, 3, 14, 9, 13, 0, 250_000, tzinfo=UTC), 900.0)
    ]


def test_parquet_and_arrow(tmp_path: Path) -> None:
    log = table()
    pq.write_table(log, tmp_path / "log.parquet")
    feather.write_feather(log, str(tmp_path / "log.feather"))
    with pa.ipc.new_stream(tmp_path / "log.arrows", log.schema) as stream:
        stream.write_table(log)
    for name in ("log.parquet", "log.feather", "log.arrows"):
        assert logged(tmp_path / name) == {"temperature": expected()}, name


@pytest.mark.parametrize(
    ("header", "write"),
    [
        ("timestamp", lambda when: when.isoformat()),
        ("ts", lambda when: when.astimezone(timezone(timedelta(hours=5.5))).isoformat()),
        ("recorded_at", lambda when: f"{when:%Y-%m-%dT%H:%M:%S}.000000000Z"),
        ("date", lambda when: f"{when:%Y/%m/%d %H:%M:%S}"),
        ("date", lambda when: f"{when:%Y-%m-%d %H:%M:%S} UTC"),
        ("Datum", lambda when: f"{when.day}.{when.month}.{when.year} {when:%H:%M:%S}"),
        ("Date", lambda when: f"{when:%m/%d/%Y %I:%M:%S %p}"),
        ("time", lambda when: str(int(when.timestamp()))),
        ("time", lambda when: f"{when.timestamp():.1f}"),
        ("time_ms", lambda when: str(int(when.timestamp()) * 1000)),
        ("epoch", lambda when: str(int(when.timestamp()) * 10**6)),
        ("t", lambda when: str(int(when.timestamp()) * 10**9)),
    ],
)
def test_writings_of_time(tmp_path: Path, header: str, write: Callable[[datetime], str]) -> None:
    path = tmp_path / "log.csv"
    path.write_text(f"{header},speed\n{rows(write)}")
    assert logged(path, timezone="UTC") == {"speed": expected()}


@pytest.mark.parametrize(
    ("header", "scale"),
    [("Time (s)", 1.0), ("elapsed_ms", 1e3), ("time [min]", 1 / 60), ("t", 1.0), ("time_ns", 1e9)],
)
def test_relative_time_counts_from_the_capture(tmp_path: Path, header: str, scale: float) -> None:
    path = tmp_path / "log.csv"
    lines = (f"{number * scale!r},{value}" for number, value in enumerate(VALUES))
    path.write_text(f"{header},speed\n" + "\n".join(lines))
    assert logged(path, captured_at=START) == {"speed": expected()}
    named = tmp_path / "2026-03-14T091200Z_run.csv"
    path.rename(named)
    assert logged(named) == {"speed": expected()}


def test_naive_times_are_local_times_of_the_zone(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(
        "time,speed\n2026-03-29 01:59:59,1\n2026-03-29 03:00:00,2\n2026-07-01 12:00:00,3\n"
    )
    spring = datetime(2026, 3, 29, 0, 59, 59, tzinfo=UTC)
    found = [when for when, _ in logged(path, timezone="Europe/Berlin")["speed"]]
    assert found == [
        spring, spring + timedelta(seconds=1), datetime(2026, 7, 1, 10, tzinfo=UTC)
    ]  # fmt: skip
    local = [when for when, _ in logged(path)["speed"]]
    assert local[2] == datetime(2026, 7, 1, 12).astimezone()


def test_date_and_time_in_two_columns_and_a_time_of_day_over_midnight(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("Date,Time,speed\n" + rows(lambda when: f"{when:%Y-%m-%d,%H:%M:%S}"))
    assert logged(path, timezone="UTC") == {"speed": expected()}
    path.write_text("time,speed\n23:59:59.5,1\n00:00:00.5,2\n")
    found = logged(path, captured_at=START, timezone="UTC")["speed"]
    midnight = datetime.combine(date(2026, 3, 15), time(), UTC)
    half = timedelta(seconds=0.5)
    assert found == [(midnight - half, 1.0), (midnight + half, 2.0)]


def test_long_format_is_pivoted_with_its_units(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    body = "".join(
        f"{when.isoformat()},{name},{value + shift},{unit}\n"
        for when, value in expected()
        for name, shift, unit in (("oil", 0, "bar"), ("water [°C]", 1, ""))
    )
    path.write_text("time,sensor,value,unit\n" + body)
    assert logged(path) == {"oil": expected(), "water": expected([v + 1 for v in VALUES])}
    assert [(c.name, c.unit) for c in units(path)] == [("oil", "bar"), ("water", "°C")]


def test_long_format_with_several_values_and_a_number_as_key(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    body = "".join(
        f"{when.isoformat()},{number},{value},{number}\n"
        for when, value in expected()
        for number in (3, 12)
    )
    path.write_text("time,sensor_id,temp_c,rpm\n" + body)
    assert logged(path) == {
        "sensor 3 temp": expected(),
        "sensor 12 temp": expected(),
        "sensor 3 rpm": expected([3.0] * 5),
        "sensor 12 rpm": expected([12.0] * 5),
    }


def test_unsorted_repeated_and_missing_rows(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    lines = [f"{when.isoformat()},{value}" for when, value in expected()]
    late = f"{TIMES[4].isoformat()},99\n"
    gaps = f"{TIMES[0].isoformat()},NaN\n,5\n{TIMES[1].isoformat()},inf\n"
    path.write_text("time,a\n" + "\n".join(reversed(lines)) + "\n" + gaps + late)
    assert logged(path) == {"a": expected()}, "the first of two readings of one time counts"


def test_words_among_numbers_are_missing_readings(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    lines = [f"{when.isoformat()},{value},closed" for when, value in expected()]
    path.write_text("time,a,door\n" + "\n".join(lines) + "\n2026-03-14T09:12:05Z,ERROR,open\n")
    assert logged(path) == {"a": expected()}


def test_a_clock_coarser_than_the_log_is_spread(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    body = "".join(
        f"{when.isoformat()},{4 * number + part}\n"
        for number, when in enumerate(TIMES)
        for part in range(4)
    )
    path.write_text("time,a\n" + body)
    found = logged(path)["a"]
    assert [value for _, value in found] == list(range(20))
    gaps = {after[0] - before[0] for before, after in pairwise(found)}
    assert gaps == {timedelta(seconds=0.25)}


def test_same_name_in_two_units_stays_apart_and_counters_are_no_channels(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    body = "".join(f"{n},{t.isoformat()},{v},{v * 2},1\n" for n, (t, v) in enumerate(expected()))
    path.write_text(",time,temp_c,temp_f,on\n" + body)
    assert list(logged(path)) == ["on", "temp_c", "temp_f"]


def test_booleans_integers_and_decimals(tmp_path: Path) -> None:
    path = tmp_path / "log.parquet"
    log = pa.table(
        {
            "time": pa.array(TIMES),
            "open": [True, False, None, True, True],
            "count": pa.array([1, 2, 3, 4, None], pa.uint8()),
            "price": pa.array([1, 2, 3, 4, 5], pa.decimal128(10, 2)),
        }
    )
    pq.write_table(log, path)
    found = logged(path)
    assert [value for _, value in found["open"]] == [1, 0, 1, 1]
    assert [value for _, value in found["count"]] == [1, 2, 3, 4]
    assert [value for _, value in found["price"]] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("header", "channel", "unit"),
    [
        ("temperature [°C]", "temperature", "°C"),
        ("pressure (bar)", "pressure", "bar"),
        ("vibration_mm_s", "vibration", "mm/s"),
        ("accel (x)", "accel (x)", ""),
        ("temp (inside)", "temp (inside)", ""),
        ("Temperature, degC", "Temperature", "°C"),
        ("flow l/min", "flow", "l/min"),
        ("pm2.5 (µg/m³)", "pm2.5", "µg/m³"),
        ("battery_pct", "battery", "%"),
        ("phase_a", "phase_a", ""),
        ("current_a", "current", "A"),
        ("temp (C)", "temp", "°C"),
        ("_bar", "_bar", ""),
    ],
)
def test_headers(header: str, channel: str, unit: str) -> None:
    assert split(header) == (channel, unit)


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("talk.json", b'{"text": "hello", "segments": [{"start": 0.0, "end": 1.0}]}'),
        ("talk.jsonl", b'{"start": 0.0, "end": 1.5, "text": "hello"}\n'),
        ("chat.jsonl", b'{"timestamp": 1.5, "role": "user", "content": "hello", "id": 3}\n'),
        ("notes.txt", b"time,value\n1,2\n"),
        ("bad.jsonl", b"{not json"),
        ("list.json", b'[{"time": 1, "value": 2}]'),
    ],
)
def test_what_is_no_sensor_log_is_left_to_others(tmp_path: Path, name: str, head: bytes) -> None:
    sensor = Sensor(SharedServices(Config()))
    assert not sensor.accepts(Source(tmp_path / name, head=head))


def test_stored_readings_are_sorted_compressed_and_typed(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    body = "".join(f"{t.isoformat()},{v},{v}\n" for t, v in expected())
    path.write_text("time,b [V],a\n" + body)
    file = pq.ParquetFile(stored(path, observe(path)))
    log = file.read()
    assert log.schema.field("time").type == pa.timestamp("us", "UTC")
    assert pa.types.is_dictionary(log.schema.field("channel").type)
    assert log["channel"].to_pylist() == ["a"] * 5 + ["b"] * 5
    assert np.array_equal(log["value"].to_numpy(), VALUES * 2)
    assert file.metadata.row_group(0).column(2).compression == "ZSTD"
