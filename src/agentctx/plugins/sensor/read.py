"""Files into Arrow tables: CSV, JSON Lines, Parquet and Arrow IPC (Feather)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from agentctx.contracts import Source
from agentctx.errors import SourceInvalid, SourceNotFound, SourceTooLarge, SourceUnreadable
from agentctx.extras import require
from agentctx.plugins.sensor.sniff import SAMPLE, dialect_of, kind_of

_MISSING = ["", "-", "--", "NaN", "nan", "NAN", "NA", "N/A", "n/a", "#N/A", "null", "NULL", "None"]
# Arrow reads text in blocks of a megabyte.
_MEANINGS = {
    "straddling object": "a row is longer than a megabyte",
    "out of sync with chunker": "a cell has a line break in it, or a quote that is not closed",
    "Could not skip initial": "what comes before its rows is longer than a megabyte",
}


def read(source: Source, max_columns: int) -> tuple[Any, dict[str, str]]:
    """The table (pyarrow.Table, flat, unique column names) and the units a units row gave.

    Raises SourceInvalid for an empty file, SourceTooLarge over a limit, and what `mapped` maps.
    """
    if source.path.stat().st_size == 0:
        raise SourceInvalid(source.name, "is empty; export it again")
    readers = {"csv": _csv, "jsonl": _jsonl, "parquet": _parquet, "arrow": _arrow}
    table, units = readers[kind_of(source) or "csv"](source, max_columns)
    table = _flat(table)
    _hold(source, table.num_rows, table.num_columns, max_columns)
    if table.num_rows == 0:
        raise SourceInvalid(source.name, "has a header but no rows; export it again")
    return table, units


@contextmanager
def mapped(name: str) -> Iterator[None]:
    """Errors of the file system and of Arrow as errors about this source.

    Raises SourceNotFound, SourceUnreadable, or SourceInvalid for damage.
    """
    arrow = require("pyarrow", extra="sensor")
    try:
        yield
    except FileNotFoundError as error:
        raise SourceNotFound(name, "there is no such file; check the path") from error
    except MemoryError:  # Arrow's own is an ArrowException too, but says nothing of the file
        raise
    except (arrow.ArrowException, OSError, UnicodeDecodeError) as error:
        # Arrow's own OSError tells of damage, and has no number.
        if isinstance(error, OSError) and error.errno is not None:
            reason = f"cannot be read: {error}; check the file"
            raise SourceUnreadable(name, reason) from error
        raise SourceInvalid(
            name, f"cannot be read as a table: {_told(str(error))}; repair or re-export it"
        ) from error


def _told(words: str) -> str:
    """Arrow's reason, without its advice to programmers."""
    for sign, meaning in _MEANINGS.items():
        if sign in words:
            return meaning
    return (words.splitlines() or ["damaged"])[0].rstrip(".")


def _hold(source: Source, rows: int, columns: int, max_columns: int) -> None:
    """Refuse a table that is too large."""
    if columns > max_columns:
        raise SourceTooLarge(
            source.name,
            f"has {columns:,} columns; max_columns allows {max_columns:,}: split the file, or "
            "raise that option of the sensor plugin",
        )
    source.limits.hold(source.name, "rows", rows, "rows", "split the file")
    source.limits.hold(source.name, "cells", rows * columns, "cells in all", "split the file")


def _hold_lines(source: Source, skip: int, columns: int, max_columns: int) -> None:
    """Refuse a text of too many lines before it is read; a row of a table has three bytes."""
    if source.path.stat().st_size > min(3 * source.limits.rows, source.limits.cells):
        with source.path.open("rb") as file:
            lines = sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))
        _hold(source, lines - skip, columns, max_columns)


def _csv(source: Source, max_columns: int) -> tuple[Any, dict[str, str]]:
    csv = require("pyarrow.csv", extra="sensor")
    with source.path.open("rb") as file:
        sample = file.read(SAMPLE)
    dialect = dialect_of(source.name, sample, whole=len(sample) < SAMPLE)
    _hold(source, 0, len(dialect.names), max_columns)
    _hold_lines(source, dialect.skip, len(dialect.names), max_columns)
    names = _unique(dialect.names)

    def convert(threads: bool) -> Any:  # noqa: ANN401
        return csv.read_csv(
            source.path,
            read_options=csv.ReadOptions(
                column_names=names,
                skip_rows=dialect.skip,
                encoding=dialect.encoding.removesuffix("-sig"),
                use_threads=threads,
            ),
            parse_options=csv.ParseOptions(
                delimiter=dialect.delimiter, invalid_row_handler=_comment_or_error
            ),
            convert_options=csv.ConvertOptions(
                decimal_point=dialect.decimal, null_values=_MISSING, strings_can_be_null=True
            ),
        )

    arrow = require("pyarrow", extra="sensor")
    try:
        table = convert(True)
    except arrow.ArrowInvalid:
        # Once more in order: only then does the error tell the number of the row.
        table = convert(False)
    return table, dict(zip(names, dialect.units, strict=True))


def _comment_or_error(row: Any) -> str:  # noqa: ANN401
    return "skip" if row.text.startswith("#") else "error"


def _jsonl(source: Source, max_columns: int) -> tuple[Any, dict[str, str]]:
    _hold_lines(source, 0, 1, max_columns)
    return require("pyarrow.json", extra="sensor").read_json(source.path), {}


def _parquet(source: Source, max_columns: int) -> tuple[Any, dict[str, str]]:
    with require("pyarrow.parquet", extra="sensor").ParquetFile(source.path) as file:
        _hold(source, file.metadata.num_rows, file.metadata.num_columns, max_columns)
        return file.read(), {}


def _arrow(source: Source, max_columns: int) -> tuple[Any, dict[str, str]]:
    arrow = require("pyarrow", extra="sensor")
    with arrow.memory_map(str(source.path)) as file:
        # Without the magic of the file format it is the streaming format.
        framed = source.head.startswith(b"ARROW1")
        open_ = arrow.ipc.open_file if framed else arrow.ipc.open_stream
        with open_(file) as reader:
            _hold(source, 0, len(reader.schema), max_columns)
            table = reader.read_all()
            # Arrow believes its own files: places outside of the data would be read as they are.
            table.validate(full=True)
            return table, {}


def _flat(table: Any) -> Any:  # noqa: ANN401
    """Nested objects as columns ``outer.inner``, and all strings of one type."""
    arrow = require("pyarrow", extra="sensor")
    types = arrow.types
    while any(types.is_struct(field.type) for field in table.schema):
        table = table.flatten()
    table = table.rename_columns(_unique(table.column_names))
    # Polars writes views, which few of Arrow's functions take.
    views = [number for number, kind in enumerate(table.schema.types) if types.is_string_view(kind)]
    for number in views:
        strings = table[number].cast(arrow.string())
        table = table.set_column(number, table.column_names[number], strings)
    return table


def _unique(names: list[str] | tuple[str, ...]) -> list[str]:
    """Names with a number after each repeated one."""
    found: dict[str, int] = {}
    unique: dict[str, None] = {}
    for name in names:
        number, free = found.get(name, 1), name
        # "a 2" may be the name of another column too.
        while free in unique:
            number += 1
            free = f"{name} {number}"
        found[name] = number
        unique[free] = None
    return list(unique)
