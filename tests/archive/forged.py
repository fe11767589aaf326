"""Archives as somebody else might make them: changed inside, with every hash in step."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

Row = dict[str, Any]
PLAIN = {"compression": "NONE", "use_dictionary": False}


def members(archive: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(archive) as file:
        return {name: file.read(name) for name in file.namelist()}


def parquet(table: pa.Table, **options: Any) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table, buffer, **(PLAIN | options))
    return buffer.getvalue()


def put(held: dict[str, bytes], name: str, data: bytes, rows: int | None = None) -> None:
    """A table's new bytes, with the manifest in step."""
    held[name] = data
    manifest = json.loads(held["manifest.json"])
    about = manifest["tables"].setdefault(name, {"rows": 0})
    about |= {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    if rows is not None:
        about["rows"] = rows
    held["manifest.json"] = json.dumps(manifest).encode()


def retable(
    held: dict[str, bytes], name: str, change: Callable[[pa.Table], pa.Table], **options: Any
) -> None:
    table = change(pq.read_table(io.BytesIO(held[name])))
    put(held, name, parquet(table, **options), table.num_rows)


def rerow(held: dict[str, bytes], name: str, change: Callable[[list[Row]], None]) -> None:
    """A table with other rows."""

    def changed(table: pa.Table) -> pa.Table:
        times = [field.name for field in table.schema if pa.types.is_timestamp(field.type)]
        plain = table
        for column in times:  # as microseconds: Python's own times end before Arrow's
            at = plain.schema.get_field_index(column)
            plain = plain.set_column(at, column, plain[column].cast(pa.int64()))
        rows = plain.to_pylist()
        change(rows)
        arrays = []
        for field in table.schema:
            values = [row[field.name] for row in rows]
            array = pa.array(values, pa.int64() if field.name in times else field.type)
            arrays.append(array.cast(field.type))
        return pa.table(arrays, schema=table.schema)

    retable(held, name, changed)


def remanifest(held: dict[str, bytes], change: Callable[[dict[str, Any]], None]) -> None:
    manifest = json.loads(held["manifest.json"])
    change(manifest)
    held["manifest.json"] = json.dumps(manifest).encode()


def write(target: Path, held: Mapping[str, bytes], compression: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(target, "w", compression) as file:
        for name, data in held.items():
            file.writestr(name, data)
    return target
