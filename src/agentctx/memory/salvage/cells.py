"""Rows out of the b-tree pages of an SQLite file, one page at a time.

Written after https://www.sqlite.org/fileformat2.html, sections 1.6 and 2. Rows are in the leaves of
tables, and anywhere in the trees of indexes and of tables without rowid; no page needs another one
to be understood, but for rows that are larger than a page.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from agentctx.memory.salvage.pages import Pages

Value = int | float | str | bytes | None

_TABLE_LEAF, _INDEX_LEAF, _INDEX_INTERIOR, _TABLE_INTERIOR = 13, 10, 2, 5
# The integers' lengths by serial type; 8 and 9 are the constants 0 and 1.
_INTEGERS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8, 8: 0, 9: 0}
_FILE_HEADER = 100


class Broken(Exception):
    """A cell that cannot be what SQLite wrote."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One row: the columns' kinds (n, i, r, t, b: null, integer, real, text, blob), and where.

    ``rowid`` is None in indexes and tables without rowid. ``values`` raises Broken when the row
    goes on in pages that are no part of it.
    """

    kinds: str
    rowid: int | None
    values: Callable[[], tuple[Value, ...]]


def cells(pages: Pages, number: int, broken: set[int]) -> Iterator[Cell]:
    """The rows of a page that can be read; nothing, when it is no page with rows.

    Adds the page to ``broken`` when it cannot be read, or not whole.
    """
    page = pages[number]
    if page is None:
        broken.add(number)
        return
    start = _FILE_HEADER if number == 1 else 0
    kind = page[start]
    if kind not in (_TABLE_LEAF, _INDEX_LEAF, _INDEX_INTERIOR):
        # The rest of a larger row, or a free page, begins with the number of the next one.
        (following,) = struct.unpack_from(">I", page, 0)
        if kind != _TABLE_INTERIOR and following > pages.count:
            broken.add(number)
        return
    pointers = start + (12 if kind == _INDEX_INTERIOR else 8)
    (count,) = struct.unpack_from(">H", page, start + 3)
    if pointers + 2 * count > pages.usable:
        broken.add(number)
        # A damaged count; pointers end where the cells begin at the latest.
        count = (pages.usable - pointers) // 2
    for place in struct.unpack_from(f">{count}H", page, pointers):
        try:
            yield _cell(pages, page, place, kind)
        except (Broken, IndexError, struct.error):
            broken.add(number)


def _cell(pages: Pages, page: bytes, place: int, kind: int) -> Cell:
    if not 8 <= place < pages.usable:
        raise Broken
    at = place + (4 if kind == _INDEX_INTERIOR else 0)
    size, at = _varint(page, at)
    rowid = None
    if kind == _TABLE_LEAF:
        rowid, at = _varint(page, at)
    local = _local(size, pages.usable, kind)
    if at + local > pages.usable:
        raise Broken
    head = page[at : at + local]
    following = 0
    if local < size:
        (following,) = struct.unpack_from(">I", page, at + local)
    kinds, types, begin = _header(head, size)

    def values() -> tuple[Value, ...]:
        rest = _chain(pages, following, size - local)
        return tuple(_values(head + rest, types, begin))

    return Cell(kinds, rowid, values)


def _local(size: int, usable: int, kind: int) -> int:
    """How many bytes of a row are in its page; the rest is in a chain of further pages."""
    most = usable - 35 if kind == _TABLE_LEAF else (usable - 12) * 64 // 255 - 23
    if size <= most:
        return size
    least = (usable - 12) * 32 // 255 - 23
    wanted = least + (size - least) % (usable - 4)
    return wanted if wanted <= most else least


def _chain(pages: Pages, number: int, size: int) -> bytes:
    """The rest of a row, which begins in the page of that number."""
    parts: list[bytes] = []
    while size > 0:
        page = pages[number] if 1 < number <= pages.count else None
        # More pages than there are: they go round in a circle.
        if page is None or len(parts) > pages.count:
            raise Broken
        parts.append(page[4 : min(pages.usable, size + 4)])
        size -= len(parts[-1])
        (number,) = struct.unpack_from(">I", page, 0)
    return b"".join(parts)


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for place in range(at, at + 8):
        byte = data[place]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, place + 1
    value = value << 8 | data[at + 8]
    return (value - (1 << 64) if value >> 63 else value), at + 9


def _header(head: bytes, size: int) -> tuple[str, list[int], int]:
    length, at = _varint(head, 0)
    if not 0 < length <= len(head):
        raise Broken
    types = []
    while at < length:
        serial, at = _varint(head, at)
        types.append(serial)
    if at != length or length + sum(map(_length, types)) != size:
        raise Broken
    return "".join(map(_kind, types)), types, length


def _kind(serial: int) -> str:
    if serial >= 12:
        return "t" if serial % 2 else "b"
    return "n" if serial == 0 else "r" if serial == 7 else "i"


def _length(serial: int) -> int:
    if serial >= 12:
        return (serial - 12) // 2
    if serial in (0, 7):
        return serial and 8
    if serial not in _INTEGERS:
        raise Broken
    return _INTEGERS[serial]


def _values(payload: bytes, types: list[int], at: int) -> Iterator[Value]:
    for serial in types:
        part = payload[at : at + _length(serial)]
        at += len(part)
        if serial >= 12:
            try:
                yield part.decode() if serial % 2 else part
            except UnicodeDecodeError as error:
                raise Broken from error
        elif serial == 7:
            yield struct.unpack(">d", part)[0]
        elif serial in (8, 9):
            yield serial - 8
        else:
            yield int.from_bytes(part, "big", signed=True) if serial else None
