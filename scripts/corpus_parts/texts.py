"""Good texts, transcripts and sensor logs, in every format and layout that is read."""

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial

import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as parquet

Make = Callable[[], bytes]

_START = datetime(2026, 3, 14, 9, tzinfo=UTC)
_ROWS = 120
_NOTE = "# Shift log\n\nThe pump was warm.\n\n- Valve 7 is shut.\n- Ölstand: 40 %, checked twice.\n"
_SAID = [("Pump A is at six bar.", 0.5, 2.25), ("Shut valve seven, please.", 3.0, 5.5)]


def log(rows: int = _ROWS) -> pa.Table:
    """A pump's log: times, a pressure, a temperature with gaps, a state."""
    times = [_START + timedelta(seconds=row) for row in range(rows)]
    return pa.table(
        {
            "time": pa.array(times, pa.timestamp("us", "UTC")),
            "pressure [bar]": [round(5 + (row * 37 % 11) / 10, 1) for row in range(rows)],
            "temp_c": [None if row % 17 == 0 else 60.0 + row / 8 for row in range(rows)],
            "state": ["run" if row % 40 else "stop" for row in range(rows)],
        }
    )


def _rows() -> Iterator[list[str]]:
    table = log()
    yield table.column_names
    for row in table.to_pylist():
        yield [_cell(value) for value in row.values()]


def _cell(value: object) -> str:
    if value is None:
        return ""
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _csv(delimiter: str = ",", comma: bool = False, encoding: str = "utf-8") -> bytes:
    text = io.StringIO()
    rows = ([cell.replace(".", ",") if comma else cell for cell in row] for row in _rows())
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return text.getvalue().encode(encoding)


def _long_csv() -> bytes:
    lines = ["timestamp,sensor_id,value,unit"]
    lines += [f"{1773478800 + n},probe {n % 3},{n % 7},bar" for n in range(_ROWS)]
    return "\n".join(lines).encode()


def _jsonl(nested: bool) -> bytes:
    rows = [
        {"ts": 1773478800 + n, **({"pump": {"flow": n / 4, "head": 3}} if nested else {"flow": n})}
        for n in range(_ROWS)
    ]
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def _parquet(table: pa.Table, **options: object) -> bytes:
    data = io.BytesIO()
    parquet.write_table(table, data, **options)
    return data.getvalue()


def _nested_table() -> pa.Table:
    rows = [
        {
            "time": _START + timedelta(seconds=n),
            "pump": {"flow": n / 2},
            "tags": ["a"] * (n % 3),
        }
        for n in range(_ROWS)
    ]
    return pa.Table.from_pylist(rows)


def _keyed_table() -> pa.Table:
    keys = pa.array([f"probe {n % 3}" for n in range(_ROWS)]).dictionary_encode()
    return log().append_column("sensor", keys).drop_columns(["state"])


def _ipc(table: pa.Table, stream: bool, compression: str | None = None) -> bytes:
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression=compression)
    make = pa.ipc.new_stream if stream else pa.ipc.new_file
    with make(sink, table.schema, options=options) as writer:
        writer.write_table(table, max_chunksize=50)
    return sink.getvalue().to_pybytes()


def _feather() -> bytes:
    data = io.BytesIO()
    feather.write_feather(log(), data, compression="lz4")
    return data.getvalue()


def _stamp(seconds: float, mark: str) -> str:
    whole, thousandths = divmod(round(seconds * 1000), 1000)
    return f"00:{whole // 60:02d}:{whole % 60:02d}{mark}{thousandths:03d}"


def _srt() -> bytes:
    blocks = [
        f"{number}\n{_stamp(start, ',')} --> {_stamp(end, ',')}\n<i>{text}</i>\n"
        for number, (text, start, end) in enumerate(_SAID, 1)
    ]
    return "\n".join(blocks).encode()


def _vtt() -> bytes:
    blocks = [
        f"{_stamp(start, '.')} --> {_stamp(end, '.')} align:start\n<v Ann>{text}</v>\n"
        for text, start, end in _SAID
    ]
    return "\n".join(["WEBVTT - shift", "", "NOTE of the day", "", *blocks]).encode()


def _whisper() -> bytes:
    segments = [
        {"id": number, "start": start, "end": end, "text": f" {text}", "avg_logprob": -0.2,
         "words": [{"word": text.split()[0], "start": start, "end": end, "probability": 0.9}]}
        for number, (text, start, end) in enumerate(_SAID)
    ]  # fmt: skip
    whole = " ".join(text for text, _, _ in _SAID)
    return json.dumps({"text": whole, "segments": segments, "language": "en"}).encode()


def _whisper_cpp() -> bytes:
    rows = [{"timestamps": {"from": _stamp(start, ","), "to": _stamp(end, ",")},
             "offsets": {"from": int(start * 1000), "to": int(end * 1000)}, "text": text}
            for text, start, end in _SAID]  # fmt: skip
    return json.dumps({"result": {"language": "en"}, "transcription": rows}, indent=1).encode()


def makers() -> Mapping[str, Make]:
    """What makes each good text, transcript or log, by its file name."""
    table = log()
    return {
        "note.txt": _NOTE.encode,
        "note.md": _NOTE.encode,
        "note.rst": _NOTE.encode,
        "run.log": lambda: b"".join(b"09:00:%02d pump started\n" % n for n in range(60)),
        "wide.txt": partial(_NOTE.encode, "utf-16"),
        "call.srt": _srt,
        "call.vtt": _vtt,
        "whisper.json": _whisper,
        "cpp.json": _whisper_cpp,
        "plain.csv": _csv,
        "wide.csv": partial(_csv, encoding="utf-16"),
        "german.csv": partial(_csv, ";", comma=True, encoding="cp1252"),
        "plain.tsv": partial(_csv, "\t"),
        "long.csv": _long_csv,
        "plain.jsonl": partial(_jsonl, nested=False),
        "nested.ndjson": partial(_jsonl, nested=True),
        "snappy.parquet": partial(_parquet, table),
        "zstd.parquet": partial(_parquet, table, compression="zstd", row_group_size=40),
        "split.parquet": partial(
            _parquet, table, use_dictionary=False, data_page_version="2.0", compression="gzip",
            column_encoding={"pressure [bar]": "BYTE_STREAM_SPLIT", "time": "DELTA_BINARY_PACKED",
                             "state": "DELTA_BYTE_ARRAY"},
        ),
        "nested.parquet": lambda: _parquet(_nested_table()),
        "plain.feather": _feather,
        "file.arrow": partial(_ipc, table, stream=False),
        "zstd.arrow": partial(_ipc, table, stream=False, compression="zstd"),
        "stream.arrows": partial(_ipc, table, stream=True),
        "nested.arrow": lambda: _ipc(_nested_table(), stream=False),
        "keyed.arrow": lambda: _ipc(_keyed_table(), stream=False),
    }  # fmt: skip
