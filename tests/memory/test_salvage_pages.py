"""Reading SQLite's files by page: as SQLite reads them, and whatever is in them."""

import io
import math
import random
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentctx.memory import cipher
from agentctx.memory.keys import Keys
from agentctx.memory.salvage.cells import Broken, cells
from agentctx.memory.salvage.ciphered import page_cipher
from agentctx.memory.salvage.finding import find
from agentctx.memory.salvage.pages import Pages
from agentctx.memory.salvage.report import gaps, ranges

KINDS = {type(None): "n", int: "i", float: "r", str: "t", bytes: "b"}
_VALUES = (
    st.none()
    | st.integers(-(1 << 63), (1 << 63) - 1)
    | st.sampled_from([0, 1, -1, 127, 128, -129, 1 << 23, 1 << 31, 1 << 40, 1 << 47, -(1 << 47)])
    | st.floats(allow_nan=False)
    | st.text(st.characters(codec="utf-8"), max_size=40)
    | st.binary(max_size=60)
    | st.sampled_from([5000, 20_000]).map(lambda size: b"\x0d" * size)
    | st.integers(4020, 4080).map(lambda size: "x" * size)
)
_ROWS = st.lists(st.tuples(_VALUES, _VALUES, _VALUES), max_size=20)


def read(
    path: Path, **given: Any
) -> tuple[list[tuple[str, int | None, tuple[Any, ...]]], set[int]]:
    log = path.with_name(f"{path.name}-wal")
    broken = set[int]()
    with path.open("rb") as file, log.open("rb") if log.exists() else io.BytesIO() as log_file:
        pages = Pages(file, log_file)
        found = [
            (cell.kinds, cell.rowid, cell.values())
            for number in range(1, pages.count + 1)
            for cell in cells(pages, number, broken)
        ]
    return found, broken


@settings(max_examples=25, deadline=None)
@given(_ROWS, st.sampled_from([512, 1024, 4096, 65536]))
def test_rows_are_read_as_sqlite_reads_them(
    tmp_path_factory: pytest.TempPathFactory, given_rows: list[tuple[Any, ...]], size: int
) -> None:
    path = tmp_path_factory.mktemp("db") / "x.sqlite3"
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        # Of other sizes than ours only a log tells.
        db.execute(f"PRAGMA page_size = {size}")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = OFF")
        db.execute("CREATE TABLE t (a, b, c)")
        db.execute("CREATE TABLE u (n INTEGER, a, PRIMARY KEY (n)) WITHOUT ROWID")
        db.executemany("INSERT INTO t VALUES (?, ?, ?)", given_rows)
        db.executemany("INSERT INTO u VALUES (?, ?)", enumerate(row[0] for row in given_rows))
        wanted = [(row[0], row[1:]) for row in db.execute("SELECT rowid, * FROM t")]
        without = [tuple(row) for row in db.execute("SELECT * FROM u")]
        found, broken = read(path)
    assert broken == set()
    table = sorted((rowid, values) for kinds, rowid, values in found
                   if rowid is not None and len(kinds) == 3)  # fmt: skip
    assert [rowid for rowid, _ in table] == [rowid for rowid, _ in wanted]
    for (_, values), (_, right) in zip(table, wanted, strict=True):
        assert list(map(same, values)) == list(map(same, right))
    in_index = sorted((v for _, rowid, v in found if rowid is None), key=lambda row: row[0])
    assert [list(map(same, row)) for row in in_index] == [list(map(same, row)) for row in without]
    assert {kinds for kinds, rowid, _ in found if rowid is not None and len(kinds) == 3} == {
        "".join(KINDS[type(value)] for value in row) for _, row in wanted
    }


def same(value: object) -> object:
    return (type(value), value, math.copysign(1, value) if isinstance(value, float) else 0)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 1 << 32), st.sampled_from([13, 10, 2]))
def test_no_bytes_break_it(seed: int, kind: int) -> None:
    """Garbage that begins like a page gives rows or none, and no error but Broken."""
    chance = random.Random(seed)
    content = bytearray(chance.randbytes(4096 * 6))
    for start in range(0, len(content), 4096):
        content[start] = kind
        content[start + 3 : start + 5] = chance.randrange(2000).to_bytes(2, "big")
    pages = Pages(io.BytesIO(bytes(content)))
    broken = set[int]()
    for number in range(1, pages.count + 2):
        for cell in cells(pages, number, broken):
            try:
                values = cell.values()
            except Broken:
                continue
            assert len(values) == len(cell.kinds)
    assert broken


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1 << 32))
def test_no_damage_breaks_the_search_for_rows(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    chance = random.Random(seed)
    path = tmp_path_factory.mktemp("db") / "x.sqlite3"
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA synchronous = OFF")
        db.execute("CREATE TABLE audit (a, b, c, d)")
        rows = [(n, f"forget {n}", "x" * (n * 211 % 9000), n) for n in range(60)]
        db.executemany("INSERT INTO audit VALUES (?, ?, ?, ?)", rows)
    content = bytearray(path.read_bytes())
    for _ in range(40):
        content[chance.randrange(len(content))] = chance.randrange(256)
    pages = Pages(io.BytesIO(bytes(content)))
    found = {row for table, row in find(pages, {"audit"}, set(), lambda done, total: None)}
    assert len(found & set(rows)) >= 10


def test_a_chain_that_goes_round_in_a_circle_ends() -> None:
    page = bytearray(4096)
    page[0], page[3:5], page[8:10] = 13, (1).to_bytes(2, "big"), (100).to_bytes(2, "big")
    # 1 GB of blob, of which 489 bytes are here, the rest in page 2, and then in page 2.
    size = 1 << 30
    head = bytes([6]) + _varint(2 * (size - 6) + 12)
    cell = _varint(size) + b"\x01" + head
    page[100 : 100 + len(cell)] = cell
    chain = (2).to_bytes(4, "big") + bytes(4092)
    pages = Pages(io.BytesIO(bytes(4096) + chain + bytes(page)))
    for found in cells(pages, 3, set()):
        with pytest.raises(Broken):
            found.values()


def _varint(value: int) -> bytes:
    parts = [value & 0x7F]
    while value := value >> 7:
        parts.append(value & 0x7F | 0x80)
    return bytes(reversed(parts))


# -- the log ----------------------------------------------------------------------------------


@pytest.fixture
def logged(tmp_path: Path) -> Path:
    """A database of 40 commits, of which 20 are in its log."""
    path = tmp_path / "x.sqlite3"
    made = tmp_path / "made.sqlite3"
    with closing(sqlite3.connect(made, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("CREATE TABLE t (a, b)")
        for n in range(40):
            if n == 20:
                db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            db.execute("INSERT INTO t VALUES (?, ?)", (n, "x" * 900))
        for end in ("", "-wal"):
            path.with_name(path.name + end).write_bytes(Path(f"{made}{end}").read_bytes())
    return path


def numbers(path: Path) -> list[int]:
    return sorted(values[0] for kinds, _, values in read(path)[0] if kinds == "it")


def test_the_log_comes_before_the_file(logged: Path) -> None:
    assert numbers(logged) == list(range(40))


def test_of_the_log_only_commits_count(logged: Path, tmp_path: Path) -> None:
    content = logged.with_name("x.sqlite3-wal").read_bytes()
    frame = 24 + 4096
    seen = []
    for frames in range((len(content) - 32) // frame + 1):
        path = tmp_path / f"{frames}.sqlite3"
        path.write_bytes(logged.read_bytes())
        Path(f"{path}-wal").write_bytes(content[: 32 + frames * frame])
        found = numbers(path)
        with closing(sqlite3.connect(path)) as db:
            assert found == [n for (n,) in db.execute("SELECT a FROM t ORDER BY a")]
        seen.append(len(found))
    assert (seen[0], seen[-1]) == (20, 40)


def test_frames_of_an_earlier_log_do_not_count(logged: Path) -> None:
    log = logged.with_name("x.sqlite3-wal")
    content = bytearray(log.read_bytes())
    content[16:24] = bytes(8)  # other salts in the header: its checksum is wrong, too
    log.write_bytes(content)
    assert numbers(logged) == list(range(20))


@pytest.mark.parametrize("place", [24 + 32 + 2000, 32 + 2, 32 + 10, 32 + 18])
def test_a_damaged_frame_is_left_out(logged: Path, place: int) -> None:
    """In its page, its number, its salt or its checksum; with the last, the next one as well."""
    log = logged.with_name("x.sqlite3-wal")
    content = bytearray(log.read_bytes())
    content[place] ^= 4
    log.write_bytes(content)
    with logged.open("rb") as file, log.open("rb") as log_file:
        assert Pages(file, log_file).log.damaged in (1, 2)
    assert set(numbers(logged)) >= set(range(21, 40))


@pytest.mark.parametrize("content", [b"", b"x", bytes(32), b"\x37\x7f\x06\x82" + bytes(9000)])
def test_what_is_no_log_is_left_alone(logged: Path, content: bytes) -> None:
    logged.with_name("x.sqlite3-wal").write_bytes(content)
    assert numbers(logged) == list(range(20))


# -- encrypted pages --------------------------------------------------------------------------


def test_encrypted_pages_are_opened_as_sqlcipher_does(tmp_path: Path) -> None:
    keys = Keys.derive(b"k" * 32)
    path = tmp_path / "x.sqlite3"
    with closing(cipher.connect(path, keys)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("CREATE TABLE t (a, b)")
        for n in range(40):
            if n == 20:
                db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            db.execute("INSERT INTO t VALUES (?, ?)", (n, "x" * n * 300))
        with path.open("rb") as file, Path(f"{path}-wal").open("rb") as log:
            pages = Pages(file, log)
            pages.decipher(page_cipher(pages, keys.catalog))
            broken = set[int]()
            found = Counter(
                cell.values()
                for number in range(1, pages.count + 1)
                for cell in cells(pages, number, broken)
                if cell.kinds == "it"
            )
            pages.decipher(page_cipher(pages, keys.media))
            assert [pages[number] for number in range(1, pages.count + 1) if pages[number]] == []
    assert found == Counter((n, "x" * n * 300) for n in range(40))
    assert broken == set()


# -- ranges -----------------------------------------------------------------------------------


@given(st.sets(st.integers(1, 60)), st.integers(0, 60))
def test_ranges_and_gaps(numbers: set[int], last: int) -> None:
    def members(found: tuple[tuple[int, int], ...]) -> list[int]:
        return [n for first, end in found for n in range(first, end + 1)]

    assert members(ranges(numbers)) == sorted(numbers)
    assert members(gaps(last, (n for n in numbers if n <= last))) == [
        n for n in range(1, last + 1) if n not in numbers
    ]
    assert all(b[0] > a[1] + 1 for a, b in zip(ranges(numbers), ranges(numbers)[1:], strict=False))
