"""Files into Arrow tables: CSV, JSON Lines, Parquet and Arrow IPC (Feather)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from agentctx.contracts import Source
from agentctx.errors import SourceInvalid, SourceNotFound, SourceTooLarge, SourceUnreadable
from agentctx.extras import require
from agentctx.plugins.sensor.sniff import SAMPLE, dialect_of, kind_of

_MISSING = ["", "-", "--", "NaN", "nan", "NAN", "NA", "N/A", "n/a", "#N/A", "null", "NULL", "None"]


def read(source: Source, max_rows: int, max_columns: int) -> tuple[Any, dict[str, str]]:
    """The table (pyarrow.Table, flat, unique column names) and the units a units row gave.

    Raises a SourceError: SourceInvalid for a damaged or empty file, SourceTooLarge over a limit.
    """
    with _mapped(source.name):
        if source.path.stat().st_size == 0:
            raise SourceInvalid(source.name, "is empty; nothing was logged into it")
        readers = {"csv": _csv, "jsonl": _jsonl, "parquet": _parquet, "arrow": _arrow}
        table, units = readers[kind_of(source) or "csv"](source, max_rows, max_columns)
        table = _flat(table)
    _limit(source.name, table.num_rows, max_rows, "rows")
    _limit(source.name, table.num_columns, max_columns, "columns")
    if table.num_rows == 0:
        raise SourceInvalid(source.name, "has a header but no rows; nothing was logged into it")
    return table, units


@contextmanager
def _mapped(name: str) -> Iterator[None]:
    """Errors of the file system and of Arrow as errors about this source."""
    arrow = require("pyarrow", extra="sensor")
    try:
        yield
    except FileNotFoundError as error:
        raise SourceNotFound(name, "there is no such file") from error
    except arrow.ArrowException as error:
        detail = str(error).splitlines()[0]
        raise SourceInvalid(name, f"cannot be read as a table: {detail}; repair or re-export it"
                            ) from error  # fmt: skip
    except OSError as error:
        raise SourceUnreadable(name, f"cannot be read: {error}") from error


def _limit(name: str, found: int, limit: int, what: str) -> None:
    if found > limit:
        reason = (
            f"has {found:,} {what}, the limit is {limit:,}; "
            f"split the file or raise the option max_{what} of the sensor plugin"
        )
        raise SourceTooLarge(name, reason)


def _limit_lines(source: Source, skip: int, limit: int) -> None:
    """Refuse a text with too many lines before it is read; a row of a table has three bytes."""
    if source.path.stat().st_size > 3 * limit:
        with source.path.open("rb") as file:
            lines = sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))
        _limit(source.name, lines - skip, limit, "rows")


def _csv(source: Source, max_rows: int, max_columns: int) -> tuple[Any, dict[str, str]]:
    csv = require("pyarrow.csv", extra="sensor")
    with source.path.open("rb") as file:
        sample = file.read(SAMPLE)
    dialect = dialect_of(source.name, sample, whole=len(sample) < SAMPLE)
    _limit(source.name, len(dialect.names), max_columns, "columns")
    _limit_lines(source, dialect.skip, max_rows)
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


def _jsonl(source: Source, max_rows: int, max_columns: int) -> tuple[Any, dict[str, str]]:
    _limit_lines(source, 0, max_rows)
    return require("pyarrow.json", extra="sensor").read_json(source.path), {}


def _parquet(source: Source, max_rows: int, max_columns: int) -> tuple[Any, dict[str, str]]:
    with require("pyarrow.parquet", extra="sensor").ParquetFile(source.path) as file:
        _limit(source.name, file.metadata.num_rows, max_rows, "rows")
        _limit(source.name, file.metadata.num_columns, max_columns, "columns")
        return file.read(), {}


def _arrow(source: Source, max_rows: int, max_columns: int) -> tuple[Any, dict[str, str]]:
    arrow = require("pyarrow", extra="sensor")
    with arrow.memory_map(str(source.path)) as file:
        # Without the magic of the file format it is the streaming format.
        framed = source.head.startswith(b"ARROW1")
        open_ = arrow.ipc.open_file if framed else arrow.ipc.open_stream
        with open_(file) as reader:
            _limit(source.name, len(reader.schema), max_columns, "columns")
            return reader.read_all(), {}


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
