"""What kind of file it is, and how a text table is laid out. Reads text only, no library."""

import codecs
import csv
import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from agentctx.contracts import Source
from agentctx.errors import SourceInvalid

SAMPLE = 65_536
_LOOKED_AT = 500  # lines
_DELIMITERS = ("\t", ";", "|", ",")
_COMMENTS = ("#", "//", "%")
_DECIMAL_COMMA = re.compile(r"[-+]?\d+,\d+(?:[eE][-+]?\d+)?$")
_DECIMAL_POINT = re.compile(r"[-+]?\d*\.\d+(?:[eE][-+]?\d+)?$")
_DATA = re.compile(r"[-+]?[\d.,:/TZ +eE-]*\d[\d.,:/TZ +eE-]*(?:[AP]M)?$", re.IGNORECASE)
_MISSING = frozenset(("", "nan", "na", "n/a", "null", "none", "-", "inf", "-inf"))
# NUL and control characters other than tab, line feed, form feed and carriage return.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f]")
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"),
         (codecs.BOM_UTF16_BE, "utf-16"))  # fmt: skip
_TIME_KEY = re.compile(
    r"(?:^|[^a-z])(?:time|timestamp|ts|date|datetime|epoch)(?:[^a-z]|$)|^t$|_at$", re.IGNORECASE
)
# JSON lines that carry these are transcripts, chats or logs of words, not of readings.
_WORDS = frozenset(("text", "content", "message", "msg", "words", "transcript", "role"))


def kind_of(source: Source) -> str | None:
    """``csv``, ``jsonl``, ``parquet`` or ``arrow``; None for what is no sensor log."""
    head = source.head
    if head.startswith(b"PAR1") or source.suffix == ".parquet":
        return "parquet"
    if head.startswith(b"ARROW1") or source.suffix in (".feather", ".arrow", ".arrows", ".ipc"):
        return "arrow"
    if source.suffix in (".csv", ".tsv"):
        return "csv"
    if source.suffix in (".jsonl", ".ndjson", ".json") and _is_reading(head):
        return "jsonl"
    return None


def _is_reading(head: bytes) -> bool:
    line = head.removeprefix(codecs.BOM_UTF8).lstrip().partition(b"\n")[0]
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return False
    if not isinstance(row, dict) or not any(_TIME_KEY.search(key) for key in row):
        return False
    if any(isinstance(row.get(key), str) for key in _WORDS):
        return False
    values = [value for key, value in row.items() if not _TIME_KEY.search(key)]
    nested = [inner for value in values if isinstance(value, dict) for inner in value.values()]
    # A first reading may well be missing: null counts as one.
    return any(value is None or isinstance(value, int | float) for value in values + nested)


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a text table is laid out.

    ``skip``: lines before the first row of data; ``names`` and ``units``: one per column.
    """

    encoding: str
    delimiter: str
    decimal: str
    skip: int
    names: tuple[str, ...]
    units: tuple[str, ...]


def dialect_of(name: str, sample: bytes, *, whole: bool) -> Dialect:
    """The dialect of a text table from its first bytes; ``whole`` when these are all it has.

    Raises SourceInvalid when they are empty, no text, or no table.
    """
    encoding, text = _decode(name, sample, whole)
    lines = text.splitlines()
    if not whole and len(lines) > 1:
        lines.pop()
    if lines and (match := re.fullmatch(r"\ufeff?sep=(.)", lines[0].strip())):
        delimiters: Sequence[str] = match[1]
        lines[0] = ""
    else:
        delimiters = _DELIMITERS
    body = [i for i, line in enumerate(lines) if line.strip() and not line.startswith(_COMMENTS)]
    if not body:
        raise SourceInvalid(
            name, "has no rows, a log needs a header and at least one reading; export it again"
        )
    delimiter, width = _delimiter([lines[i] for i in body[-_LOOKED_AT:]], delimiters)
    first = next(i for i in body if len(_fields(lines[i], delimiter)) == width)
    header = _fields(lines[first], delimiter)
    rows = [_fields(lines[i], delimiter) for i in body[:_LOOKED_AT] if i > first]
    skip, units = first + 1, ("",) * width
    if not _is_header(header, rows[0] if rows else ()):
        skip, header = first, _commented(lines[:first], delimiter, width)
    elif len(rows) > 1 and _is_units(rows[0], width) and _is_data(rows[1]):
        skip, units = next(i for i in body if i > first) + 1, tuple(rows[0])
    return Dialect(encoding, delimiter, _decimal(rows), skip, tuple(header), units)


def _decode(name: str, sample: bytes, whole: bool) -> tuple[str, str]:
    encoding = next((e for bom, e in _BOMS if sample.startswith(bom)), "utf-8")
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(sample, final=whole)
    except UnicodeDecodeError:
        # Loggers on Windows write the degree sign as one byte; every byte means something in it.
        encoding, text = "cp1252", sample.decode("cp1252", "replace")
    if _CONTROL.search(text) or "\ufffd" in text:
        raise SourceInvalid(name, "is no text; export it again, as a table in UTF-8")
    return encoding, text


def _fields(line: str, delimiter: str) -> list[str]:
    row = next(csv.reader([line], delimiter=delimiter), [])
    return [field.strip() for field in row]


def _delimiter(lines: list[str], candidates: Sequence[str]) -> tuple[str, int]:
    """The delimiter that gives most lines one number of fields, and that number."""
    best, found = 0.0, (",", 1)
    for delimiter in candidates:
        widths = Counter(len(_fields(line, delimiter)) for line in lines)
        width, count = widths.most_common(1)[0]
        if width > 1 and count / len(lines) > best:
            best, found = count / len(lines), (delimiter, width)
    return found


def _is_data(row: Sequence[str]) -> bool:
    return any(_DATA.match(field) for field in row)


def _is_header(row: Sequence[str], below: Sequence[str]) -> bool:
    """Whether a row names columns: somewhere it has a word where the row below has data."""
    words = [field.lower() not in _MISSING and not _DATA.match(field) for field in row]
    if any(word and _DATA.match(field) for word, field in zip(words, below, strict=False)):
        return True
    return not _is_data(row)


def _is_units(row: Sequence[str], width: int) -> bool:
    """Whether a row below the header names units: short words, and not all of them missing."""
    filled = [field for field in row if field.lower() not in _MISSING]
    short = len(row) == width and all(len(field) <= 8 for field in row)
    return bool(filled) and short and not _is_data(row)


def _commented(lines: Sequence[str], delimiter: str, width: int) -> list[str]:
    """Names for a table without a header: a comment line just above may hold them."""
    comments = [line.lstrip("#/% ") for line in lines if line.startswith(_COMMENTS)]
    if comments and len(names := _fields(comments[-1], delimiter)) == width:
        return names
    return [f"column {number}" for number in range(1, width + 1)]


def _decimal(rows: Sequence[Sequence[str]]) -> str:
    fields = [field for row in rows for field in row]
    commas = sum(bool(_DECIMAL_COMMA.match(field)) for field in fields)
    points = sum(bool(_DECIMAL_POINT.match(field)) for field in fields)
    return "," if commas > points else "."
