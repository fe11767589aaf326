"""The same readings out of every layout, type and file format that may hold them."""

import decimal
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentctx.config import Config
from agentctx.contracts import Source
from agentctx.errors import SourceInvalid, SourceTooLarge
from agentctx.limits import Limits
from agentctx.memory.readings import channels, readings
from agentctx.plugins.sensor import Sensor
from agentctx.records import Observation
from agentctx.services import SharedServices

START = datetime(2026, 3, 14, 9, 12, tzinfo=UTC)
TIMES = [START + timedelta(seconds=second) for second in range(3)]
ISO = [when.isoformat().replace("+00:00", "Z") for when in TIMES]


def observe(path: Path, limits: Limits | None = None, **options: Any) -> list[Observation]:
    sensor = Sensor(SharedServices(Config()), **({"timezone": "UTC"} | options))
    head = path.read_bytes()[:4096]
    source = Source(path, head, captured_at=START, limits=limits or Limits())
    assert sensor.accepts(source)
    return list(sensor.observe(source))


def logged(
    path: Path, limits: Limits | None = None, **options: Any
) -> dict[str, list[tuple[float, float]]]:
    """By channel: (seconds after START, value) of each reading."""
    stored = path.with_name("stored")
    stored.write_bytes(observe(path, limits, **options)[0].media[0].read())
    found: dict[str, list[tuple[float, float]]] = {}
    for channel in channels([stored]):
        rows = readings([stored], channel.name)
        assert isinstance(rows, list)
        found[channel.name] = [((row.time - START).total_seconds(), row.value) for row in rows]
    return found


def of_csv(folder: Path, content: str | bytes, **options: Any) -> dict[str, Any]:
    path = folder / "log.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return logged(path, **options)


def of_arrow(folder: Path, columns: dict[str, Any] | pa.Table, **options: Any) -> dict[str, Any]:
    table = columns if isinstance(columns, pa.Table) else pa.table(columns)
    path = folder / "log.arrow"
    with pa.ipc.new_file(path, table.schema) as writer:
        writer.write_table(table)
    return logged(path, **options)


def of_lines(folder: Path, *rows: dict[str, Any]) -> dict[str, Any]:
    path = folder / "log.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return logged(path)


# -- text -------------------------------------------------------------------------------------

COMMA = f"time,a,b\n{ISO[0]},1,0.5\n{ISO[1]},2,1.5\n{ISO[2]},3,2.5\n"
TWO = {"a": [(0, 1), (1, 2), (2, 3)], "b": [(0, 0.5), (1, 1.5), (2, 2.5)]}


@pytest.mark.parametrize(
    "content",
    [
        COMMA,
        COMMA.replace(",", ";"),
        COMMA.replace(",", "|"),
        COMMA.replace(",", "\t"),
        COMMA.replace(",", ";").replace(".", ","),
        "sep=;\n" + COMMA.replace(",", ";").replace(".", ","),
        "sep=|\r\n" + COMMA.replace(",", "|").replace("\n", "\r\n"),
        COMMA.replace("\n", "\r\n"),
        COMMA.replace("\n", "\r"),
        COMMA.replace("\n", "\n\n"),
        COMMA.rstrip("\n"),
        COMMA.replace(",", ", "),
        COMMA.replace(",", '","').replace("\n", '"\n"').removesuffix('"').replace("time", '"time'),
        COMMA.replace("0.5", '"0,5"').replace("1.5", '"1,5"').replace("2.5", '"2,5"'),
        COMMA.replace("0.5", "+.5").replace("2.5", "25e-1"),
        "# made by a logger, in hall 4\n# for a test\n" + COMMA,
        "// made by a logger\n" + COMMA,
        "% made by a logger\n% " + COMMA,
        COMMA.replace(f"{ISO[1]}", f"# a remark\n{ISO[1]}"),
        "Device;X12\nSerial;7\n\n" + COMMA.replace(",", ";"),
        COMMA.encode("utf-8-sig"),
        COMMA.encode("utf-16"),
        b"\xfe\xff" + COMMA.encode("utf-16-be"),
        b"\xef\xbb\xbfsep=;\n" + COMMA.replace(",", ";").encode(),
    ],
)
def test_a_table_in_many_dialects(tmp_path: Path, content: str | bytes) -> None:
    assert of_csv(tmp_path, content) == TWO


@settings(max_examples=20, deadline=None)
@given(
    values=st.lists(st.floats(-1e6, 1e6).map(lambda v: round(v, 3)), min_size=2, max_size=9),
    delimiter=st.sampled_from([";", "\t", "|"]),
    decimal_mark=st.sampled_from([".", ","]),
    quoted=st.booleans(),
)
def test_any_numbers_in_any_dialect(
    tmp_path_factory: pytest.TempPathFactory,
    values: list[float],
    delimiter: str,
    decimal_mark: str,
    quoted: bool,
) -> None:
    mark = '"' if quoted else ""
    rows = (
        f"{1773479520 + second}{delimiter}{mark}{value:.3f}{mark}".replace(".", decimal_mark)
        for second, value in enumerate(values)
    )
    found = of_csv(tmp_path_factory.mktemp("any"), f"time{delimiter}a\n" + "\n".join(rows))
    assert found == {"a": list(enumerate(values))}


@pytest.mark.parametrize(
    ("field", "value"),
    [("", None), ("NaN", None), ("N/A", None), ("null", None), ("--", None), ("inf", None),
     ("-inf", None), ("1e400", None), ("1e151", None), ("ERROR", None), ("-1e-300", -1e-300),
     ("1e149", 1e149), ("+7", 7), ("-0.0", 0), ("1E3", 1000)],
)  # fmt: skip
def test_what_counts_as_a_reading(tmp_path: Path, field: str, value: float | None) -> None:
    found = of_csv(tmp_path, f"time,a\n{ISO[0]},1\n{ISO[1]},{field}\n{ISO[2]},3\n")
    assert found["a"] == [(0, 1), *([] if value is None else [(1, value)]), (2, 3)]


def test_quotes_and_line_ends_within_fields(tmp_path: Path) -> None:
    body = "".join(f'{when},{n},"so ""far""\nso good, {n}"\n' for n, when in enumerate(ISO))
    found = of_csv(tmp_path, f'time,"speed ""x"", raw [V]",note\n{body}')
    assert found == {'speed "x", raw': [(0, 0), (1, 1), (2, 2)]}


@pytest.mark.parametrize(
    "names", [["a", "a", "a 2"], ["a", "a 2", "a"], ["a 2", "a", "a"], ["a", "a", "a"], ["a", "A"]]
)
def test_every_column_is_a_channel_whatever_its_name(tmp_path: Path, names: list[str]) -> None:
    columns = [[n, n + 0.5, n + 0.25] for n in range(len(names))]
    rows = [",".join(map(str, row)) for row in zip(ISO, *columns, strict=True)]
    text = of_csv(tmp_path, f"time,{','.join(names)}\n" + "\n".join(rows))
    arrays = [pa.array(TIMES), *map(pa.array, columns)]
    binary = of_arrow(tmp_path, pa.table(arrays, names=["time", *names]))
    for found in (text, binary):
        assert len(found) == len(names)
        wanted = [[(s, v) for s, v in enumerate(column)] for column in columns]
        assert sorted(found.values()) == sorted(wanted)


# -- long tables ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind",
    [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())],
    ids=str,
)
def test_a_long_table_with_keys_of_any_type(tmp_path: Path, kind: pa.DataType) -> None:
    keys = pa.array(["oil", "water", "oil", None, "water"]).cast(kind)
    times = [TIMES[0], TIMES[0], TIMES[1], TIMES[1], TIMES[2]]
    found = of_arrow(tmp_path, {"time": times, "sensor": keys, "value": [1.0, 2, 3, 4, 5]})
    assert found == {"oil": [(0, 1), (1, 3)], "water": [(0, 2), (2, 5)]}


def test_a_long_table_with_missing_combinations(tmp_path: Path) -> None:
    rows = [(0, "a", "1", ""), (0, "b", "2", "7"), (1, "a", "", "8"), (2, "c", "", ""),
            (2, "b", "x", "9"), (1, "b", "4", "")]  # fmt: skip
    body = "".join(f"{ISO[second]},{key},{x},{y}\n" for second, key, x, y in rows)
    assert of_csv(tmp_path, f"time,device,x,y\n{body}") == {
        "a x": [(0, 1)], "a y": [(1, 8)], "b x": [(0, 2), (1, 4)], "b y": [(0, 7), (2, 9)]
    }  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(
    st.dictionaries(
        st.tuples(st.integers(0, 50), st.sampled_from("abcd")), st.integers(-9, 9), min_size=1
    ),
    st.randoms(use_true_random=False),
)
def test_long_and_wide_tables_hold_the_same(
    tmp_path_factory: pytest.TempPathFactory, cells: dict[tuple[int, str], int], random: Any
) -> None:
    folder = tmp_path_factory.mktemp("both")
    rows = list(cells.items())
    random.shuffle(rows)
    long = "".join(f"{1773479520 + s},{key},{value}\n" for (s, key), value in rows)
    seconds = sorted({second for second, _ in cells})
    wide = "".join(
        f"{1773479520 + s},{','.join(str(cells.get((s, key), '')) for key in 'abcd')}\n"
        for s in seconds
    )
    found = of_csv(folder, f"time,sensor,value\n{long}")
    assert found == of_csv(folder, f"time,a,b,c,d\n{wide}")
    assert sum(map(len, found.values())) == len(cells)


# -- coarse clocks ----------------------------------------------------------------------------


def test_rows_between_ticks_of_a_coarse_clock_are_spread(tmp_path: Path) -> None:
    counts = [2, 4, 5]
    body = "".join(
        f"{when},{n}{part}\n"
        for n, (when, count) in enumerate(zip(ISO, counts, strict=True))
        for part in range(count)
    )
    found = of_csv(tmp_path, f"time,a\n{body}")["a"]
    spread = [n + part / count for n, count in enumerate(counts) for part in range(count)]
    assert [second for second, _ in found] == pytest.approx(spread, abs=1e-5)
    assert [value for _, value in found] == [0, 1, 10, 11, 12, 13, 20, 21, 22, 23, 24]


def test_a_gap_in_a_coarse_clock_is_not_filled(tmp_path: Path) -> None:
    seconds = [0, 0, 0, 1, 1, 1, 60, 60, 60, 61, 61, 61]
    found = of_csv(tmp_path, "time,a\n" + "".join(f"{1773479520 + s},1\n" for s in seconds))["a"]
    assert [round(s, 3) for s, _ in found][3:7] == [1.0, 1.333, 1.667, 60.0]


def test_few_repeated_times_are_rows_logged_twice(tmp_path: Path) -> None:
    seconds = [0, 1, 1, 2, 3, 3, 4]
    body = "".join(f"{1773479520 + s},{row}\n" for row, s in enumerate(seconds))
    assert of_csv(tmp_path, f"time,a\n{body}")["a"] == [(0, 0), (1, 1), (2, 3), (3, 4), (4, 6)]
    assert of_csv(tmp_path, f"time,a\n{ISO[0]},1\n{ISO[0]},2\n")["a"] == [(0, 1)]


# -- Arrow types ------------------------------------------------------------------------------

_MICROS = [int(when.timestamp()) * 10**6 for when in TIMES]
_NAIVE = [when.replace(tzinfo=None) for when in TIMES]


@pytest.mark.parametrize(
    "times",
    [
        *(pa.array(TIMES, pa.timestamp(unit, "UTC")) for unit in ("s", "ms", "us", "ns")),
        *(pa.array(_NAIVE, pa.timestamp(unit)) for unit in ("s", "ms", "us", "ns")),
        pa.array(TIMES, pa.timestamp("us", "Europe/Berlin")),
        pa.array(TIMES, pa.timestamp("ms", "+05:30")),
        pa.array(TIMES, pa.timestamp("us", "UTC")).dictionary_encode(),
        pa.array([micros * 1000 + 999 for micros in _MICROS]),
        pa.array([micros * 1000 for micros in _MICROS], pa.uint64()),
        pa.array([micros // 1000 for micros in _MICROS]),
        pa.array([micros // 10**6 for micros in _MICROS], pa.int32()),
        pa.array([micros / 1e6 for micros in _MICROS]),
        pa.array([decimal.Decimal(m) / 10**6 for m in _MICROS], pa.decimal128(20, 6)),
        pa.array([when.time() for when in TIMES], pa.time32("ms")),
        pa.array([when.time() for when in TIMES], pa.time64("ns")),
        pa.array(ISO),
        pa.array(ISO, pa.large_string()),
        pa.array(ISO, pa.string_view()),
        pa.array(ISO).dictionary_encode(),
    ],
    ids=lambda times: str(times.type),
)
def test_times_of_every_type(tmp_path: Path, times: pa.Array) -> None:
    assert of_arrow(tmp_path, {"time": times, "a": [1, 2, 3]}) == {"a": [(0, 1), (1, 2), (2, 3)]}
    # Without a time the row is left out, at the end of the log as anywhere.
    for place in range(3):
        kept = [None if n == place else one for n, one in enumerate(times.to_pylist())]
        encoded = pa.types.is_dictionary(times.type)
        holed = pa.array(kept, times.type.value_type if encoded else times.type)
        holed = holed.dictionary_encode() if encoded else holed
        expected = [(n, n + 1) for n in range(3) if n != place]
        assert of_arrow(tmp_path, {"time": holed, "a": [1, 2, 3]}) == {"a": expected}


@pytest.mark.parametrize("kind", [pa.date32(), pa.date64()], ids=str)
def test_dates(tmp_path: Path, kind: pa.DataType) -> None:
    days = pa.array([date(2026, 3, 14), None, date(2026, 3, 16), None], kind)
    found = of_arrow(tmp_path, {"date": days, "a": [1, 2, 3, 4]}, timezone="Europe/Berlin")
    midnight = (datetime(2026, 3, 13, 23, tzinfo=UTC) - START).total_seconds()
    assert found == {"a": [(midnight, 1), (midnight + 2 * 86_400, 3)]}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pa.array(np.array([1, 2.5, 60_000], np.float16)), [1, 2.5, 60_000]),
        (pa.array([0.5, None, np.nan], pa.float32()), [0.5]),
        (pa.array([2**62, -(2**62), 7]), [2.0**62, -(2.0**62), 7]),
        (pa.array([2**64 - 1, 1, None], pa.uint64()), [2.0**64, 1]),
        (pa.array([-1, 0, 127], pa.int8()), [-1, 0, 127]),
        (pa.array([True, None, False]), [1, 0]),
        (pa.array([decimal.Decimal("1.25"), None, decimal.Decimal("-3.5")]), [1.25, -3.5]),
        (pa.array([decimal.Decimal("1.25")] * 3, pa.decimal256(50, 2)), [1.25] * 3),
        (pa.array(["1.5", " 2 ", "over range"]), [1.5, 2]),
        (pa.array(["1.5", "2", None], pa.string_view()), [1.5, 2]),
        (pa.array([1.5, 2.5, 1.5]).dictionary_encode(), [1.5, 2.5, 1.5]),
        (pa.array(["1", "x", "2"]).dictionary_encode(), [1, 2]),
    ],
    ids=lambda one: str(one.type) if isinstance(one, pa.Array) else "",
)
def test_values_of_every_type(tmp_path: Path, values: pa.Array, expected: list[float]) -> None:
    for path, write in (("log.parquet", pq.write_table), ("log.arrow", _write_ipc)):
        try:
            write(pa.table({"time": TIMES, "a": values}), tmp_path / path)
        except pa.ArrowNotImplementedError:  # Parquet has no such type
            assert path == "log.parquet"
            continue
        assert [value for _, value in logged(tmp_path / path)["a"]] == expected


def _write_ipc(table: pa.Table, path: Path) -> None:
    with pa.ipc.new_file(path, table.schema) as writer:
        writer.write_table(table)


@pytest.mark.parametrize(
    "other",
    [
        pa.array([[1, 2], [], None]),
        pa.array([b"x", b"y", b"z"]),
        pa.array([timedelta(seconds=1)] * 3),
        pa.nulls(3),
        pa.array(["open", "closed", "open"]),
        pa.array([None, None, None], pa.float64()),
    ],
    ids=lambda other: str(other.type),
)
def test_what_is_no_number_is_left_out_and_told(tmp_path: Path, other: pa.Array) -> None:
    table = {"time": TIMES, "other": other, "a": [1, 2, 3]}
    assert list(of_arrow(tmp_path, table)) == ["a"]
    ignored = observe(tmp_path / "log.arrow")[0].attributes.get("ignored", ())
    assert ignored == (() if other.type == pa.float64() else ("other",))


def test_tables_without_rows_or_columns(tmp_path: Path) -> None:
    empty = {"time": pa.array([], pa.timestamp("us", "UTC")), "a": pa.array([], pa.float64())}
    for table in (empty, {}):
        with pytest.raises(SourceInvalid, match="no rows"):
            of_arrow(tmp_path, table)


# -- JSON lines -------------------------------------------------------------------------------


def test_nested_and_missing_keys(tmp_path: Path) -> None:
    found = of_lines(
        tmp_path,
        {"time": ISO[0], "imu": {"acc": {"x": 1}, "on": True}, "v": 1},
        {"time": ISO[1], "v": 2.5, "note": "late"},
        {"v": 9},
        {"time": ISO[2], "imu": {"acc": {"x": 3, "y": 4}}, "v": None},
    )
    assert found == {
        "imu.acc.x": [(0, 1), (2, 3)], "imu.acc.y": [(2, 4)], "imu.on": [(0, 1)],
        "v": [(0, 1), (1, 2.5)],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ('{"ts":1773479520123,"a":1}\n{"ts":1773479521123,"a":2}', [(0.123, 1), (1.123, 2)]),
        ('{"ts":1773479520.5,"a":"1","b":0}\n{"ts":1773479521,"a":"2"}', [(0.5, 1), (1, 2)]),
        ('{"ts":"2026-03-14T10:12:00+01:00","a":1}', [(0, 1)]),
        ('{"ts":"2026-03-14 09:12:00","a":NaN}\n{"ts":"2026-03-14 09:12:02","a":-1}', [(2, -1)]),
        ('\ufeff{"ts":"2026-03-14T09:12:00.25Z","a":1}\n\n', [(0.25, 1)]),
        ('{"ts":"2026-03-14T09:12:01Z","sensor":"a","value":4}', [(1, 4)]),
    ],
)
def test_writings_of_json_lines(
    tmp_path: Path, lines: str, expected: list[tuple[float, float]]
) -> None:
    path = tmp_path / "log.ndjson"
    path.write_text(lines)
    assert logged(path)["a"] == expected


def test_a_key_that_changes_its_type_or_comes_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceInvalid, match="changed from number to string"):
        of_lines(tmp_path, {"ts": 1, "a": 1}, {"ts": 2, "a": "x"})
    path = tmp_path / "log.jsonl"
    path.write_text('{"ts": 1, "a": 1, "a": 2}\n')
    with pytest.raises(SourceInvalid, match="twice"):
        observe(path)


# -- agreement --------------------------------------------------------------------------------


def _as_lines(table: pa.Table, path: Path) -> None:
    rows = (row | {"time": row["time"].isoformat()} for row in table.to_pylist())
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def _as_stream(table: pa.Table, path: Path) -> None:
    with pa.ipc.new_stream(path, table.schema) as writer:
        writer.write_table(table)


FORMATS: dict[str, Callable[[pa.Table, Path], None]] = {
    "log.csv": pa_csv.write_csv,
    "log.jsonl": _as_lines,
    "log.parquet": pq.write_table,
    "log.arrow": _write_ipc,
    "log.arrows": _as_stream,
}


def test_all_formats_and_a_second_reading_give_the_same_observations(tmp_path: Path) -> None:
    rng = np.random.default_rng(11)
    temp = rng.normal(20, 0.5, 900).round(2)
    temp[400] += 30
    load = np.where(np.arange(900) < 500, 1.0, 7.0) + rng.normal(0, 0.1, 900).round(3)
    micros = pa.array(_MICROS[0] + np.arange(900) * 1_000_000).cast(pa.timestamp("us", "UTC"))
    table = pa.table({"time": micros, "temp_c": temp, "load [kg]": load, "on": temp > 20})
    table = table.set_column(1, "temp_c", pa.array([*temp[:100], *[None] * 50, *temp[150:]]))
    seen: dict[str, list[Any]] = {}
    for name, write in FORMATS.items():
        write(table, tmp_path / name)
        first, again = observe(tmp_path / name), observe(tmp_path / name)
        assert [o.id for o in first] == [o.id for o in again]
        assert {o.source for o in first} == {str(tmp_path / name)}
        seen[name] = [
            (o.text, o.captured_at, o.duration, dict(o.attributes), o.media[0].digest)
            for o in first
        ]
    reference = seen.pop("log.parquet")
    assert {"spike", "step", "dropout"} <= {row[3].get("event") for row in reference}
    for name, rows in seen.items():
        assert rows == reference, name


# -- limits -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FORMATS)
def test_limits_hold_in_every_format(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    times = [START + timedelta(seconds=n) for n in range(20)]
    FORMATS[name](pa.table({"time": times, "a": [1.5] * 20, "b": [2.5] * 20}), path)
    assert set(logged(path, Limits(rows=20, cells=60), max_columns=3)) == {"a", "b"}
    with pytest.raises(SourceTooLarge, match=r"20 rows; limits\.rows allows 19: split"):
        observe(path, Limits(rows=19))
    with pytest.raises(SourceTooLarge, match=r"60 cells in all; limits\.cells allows 59: split"):
        observe(path, Limits(cells=59))
    with pytest.raises(SourceTooLarge, match=r"has 3 columns; max_columns allows 2: split"):
        observe(path, max_columns=2)


@pytest.mark.parametrize(("window", "count"), [(0.5, 7), (1.0, 4), (2, 2), (60, 1), (86_400, 1)])
def test_the_window_option(tmp_path: Path, window: float, count: int) -> None:
    path = tmp_path / "log.csv"
    seconds = [0, 0.4, 0.5, 1, 1.5, 2, 2.5, 3.4]
    path.write_text("time,a\n" + "".join(f"{1773479520 + s},{s}\n" for s in seconds))
    found = observe(path, window=window)
    assert [o.duration for o in found] == [window] * count
    assert sum(o.attributes["count"] for o in found) == len(seconds)  # type: ignore[misc]
    for observation in found:
        assert (observation.captured_at.timestamp() / window) % 1 == 0
