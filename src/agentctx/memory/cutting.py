"""Parts of kept readings taken out for good, and readings as records that can be looked for."""

import hashlib
import io
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from agentctx.extras import require
from agentctx.memory.readings import File, channels, opened

# One reading: BLAKE2b of its channel (16 bytes), time (µs since 1970, int64), value (float64).
_RECORD = np.dtype([("channel", "V16"), ("time", "<i8"), ("value", "<f8")])
RECORD_BYTES = _RECORD.itemsize
# How many of the readings removed from a row group are looked for later.
_MOST_RECORDS = 1024


class Span(NamedTuple):
    """What is to be forgotten of a channel: ``start <= time < stop``, in µs since 1970 UTC."""

    channel: str
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Cut:
    """A file of readings without what was taken out.

    ``data``: the new file, None when nothing is left; ``removed`` and ``left`` count readings;
    ``records``: some of the removed ones, as `records` gives them.
    """

    data: bytes | None
    removed: int
    left: int
    records: bytes


@dataclass(frozen=True, slots=True, eq=False)
class _Group:
    """A row group: of each reading the number of its channel's name, its time (µs), its value."""

    names: Sequence[str]
    codes: NDArray[np.int32]
    times: NDArray[np.int64]
    values: NDArray[np.float64]

    def only(self, flags: NDArray[np.bool_]) -> "_Group":
        """The readings with a flag."""
        return _Group(self.names, self.codes[flags], self.times[flags], self.values[flags])

    def records(self) -> bytes:
        """The readings as records."""
        digests = [hashlib.blake2b(name.encode(), digest_size=16).digest() for name in self.names]
        found = np.empty(len(self.times), _RECORD)
        found["channel"] = np.array(digests, "V16")[self.codes]
        found["time"], found["value"] = self.times, self.values
        return found.tobytes()


def cut(file: File, spans: Sequence[Span]) -> Cut:
    """The readings in a Parquet file less those in the spans, as a new file.

    It has the schema and the encodings of the old one, and nothing of what was removed:
    dictionaries, statistics and the list of channels are those of what is left. Holds the new
    file and one row group of the old in memory. Raises StoreError for a file that cannot be read.
    """
    parquet = require("pyarrow.parquet", extra="sensor")
    known = {channel.name for channel in channels([file])}
    flat = {name: _merged(spans, name) for name in known}
    gone, removed, left = bytearray(), 0, 0
    names: set[str] = set()
    with opened(file) as source, parquet.ParquetFile(source) as table:
        for group in _groups(table):
            flags = _inside(group, flat)
            if flags.any():
                gone += _spread(group.only(flags)).records()
            removed += int(flags.sum())
            left += int((~flags).sum())
            names.update(group.names[code] for code in np.unique(group.codes[~flags]))
        # Read once more, rather than all of them held.
        parts = (group.only(~_inside(group, flat)) for group in _groups(table))
        data = _written(table, parts, names) if left else None
    return Cut(data, removed, left, bytes(gone))


def records(file: File) -> Iterator[bytes]:
    """All readings of a file as records of `RECORD_BYTES`, row group by row group.

    A record is the BLAKE2b of the channel's name (16 bytes), the time (µs since 1970 UTC, int64)
    and the value (float64). Raises StoreError for a file that holds none or cannot be read.
    """
    parquet = require("pyarrow.parquet", extra="sensor")
    channels([file])
    with opened(file) as source, parquet.ParquetFile(source) as table:
        for group in _groups(table):
            yield group.records()


def _groups(file: Any) -> Iterator[_Group]:  # noqa: ANN401
    arrow = require("pyarrow", extra="sensor")
    for number in range(file.num_row_groups):
        table = file.read_row_group(number)
        labels = table["channel"].combine_chunks().dictionary_encode()
        yield _Group(
            labels.dictionary.to_pylist(),
            labels.indices.to_numpy(),
            table["time"].cast(arrow.int64()).to_numpy(),
            table["value"].to_numpy(),
        )


def _merged(spans: Sequence[Span], name: str) -> NDArray[np.int64]:
    """The spans of a channel as [n, 2], in order and without overlaps."""
    merged: list[list[int]] = []
    for start, stop in sorted((one.start, one.stop) for one in spans if one.channel == name):
        if merged and start <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], stop)
        else:
            merged.append([start, stop])
    return np.array(merged, np.int64).reshape(-1, 2)


def _inside(group: _Group, flat: Mapping[str, NDArray[np.int64]]) -> NDArray[np.bool_]:
    """Which readings are in one of their channel's spans."""
    inside = np.zeros(len(group.times), np.bool_)
    for code, name in enumerate(group.names):
        spans = flat[name]
        own = np.flatnonzero(group.codes == code)
        if len(spans) and len(own):
            times = group.times[own]
            before = np.searchsorted(spans[:, 0], times, "right") - 1
            inside[own] = (before >= 0) & (times < spans[before, 1])
    return inside


def _spread(group: _Group) -> _Group:
    """At most so many of the readings, with the first and the last."""
    count = len(group.times)
    flags = np.zeros(count, np.bool_)
    flags[np.linspace(0, count - 1, min(count, _MOST_RECORDS)).round().astype(np.int64)] = True
    return group.only(flags)


def _written(file: Any, groups: Iterable[_Group], left: Collection[str]) -> bytes:  # noqa: ANN401
    """The groups as a file like the one they come from, of the channels that are left."""
    arrow = require("pyarrow", extra="sensor")
    parquet = require("pyarrow.parquet", extra="sensor")
    metadata = dict(file.schema_arrow.metadata)
    about = json.loads(metadata[b"channels"])
    about = {name: about[name] for name in about if name in left}
    metadata[b"channels"] = json.dumps(about, ensure_ascii=False).encode()
    schema = file.schema_arrow.with_metadata(metadata)
    codes = {name: code for code, name in enumerate(about)}
    labels = arrow.array(list(about), schema.field("channel").type.value_type)
    buffer = io.BytesIO()
    with parquet.ParquetWriter(buffer, schema, **_encodings(file)) as writer:
        for group in groups:
            if not len(group.times):
                continue
            # Of names that this group does not have, the number does not matter.
            new = np.array([codes.get(name, 0) for name in group.names], np.int32)
            columns = [
                arrow.array(group.times).cast(schema.field("time").type),
                arrow.DictionaryArray.from_arrays(new[group.codes], labels),
                arrow.array(group.values),
            ]
            writer.write_table(arrow.table(columns, schema=schema))
    return buffer.getvalue()


def _encodings(file: Any) -> dict[str, Any]:  # noqa: ANN401
    """How the columns are encoded and compressed, as options of a ParquetWriter."""
    first = file.metadata.row_group(0)
    columns = [first.column(number) for number in range(first.num_columns)]
    special = {"DELTA_BINARY_PACKED", "BYTE_STREAM_SPLIT"}
    return {
        "compression": {column.path_in_schema: column.compression for column in columns},
        "use_dictionary": [c.path_in_schema for c in columns if c.has_dictionary_page],
        "column_encoding": {
            column.path_in_schema: encoding
            for column in columns
            for encoding in special.intersection(column.encodings)
        },
    }
