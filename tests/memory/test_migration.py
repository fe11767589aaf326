"""Memories of earlier versions: opened by this one they become its own, and lose nothing."""

import os
import shutil
import sqlite3
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from agentctx import Memory
from agentctx.errors import CatalogDamaged, SchemaError
from agentctx.memory.catalog import Catalog
from agentctx.memory.media import MediaStore
from agentctx.memory.schema import VERSION, connect
from agentctx.records import Observation

from .test_processes import python, said

STORED = Path(__file__).parent / "stored"
# What is in every stored memory: two sentences of a transcript, four observations of a pump's log,
# two notes; a third note was forgotten.
TEXTS = (
    "The valve on line two is stuck again.",
    "Lock it out until Monday.",
    "The spare seal is in cabinet V-417.",
    "Soup for lunch on Friday.",
)
VERSIONS = sorted(int(path.name[6:-7]) for path in STORED.glob("schema*.tar.gz"))
EARLIER = [version for version in VERSIONS if version < VERSION]


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Mapping[int, Path]:
    found = {}
    for version in VERSIONS:
        folder = tmp_path_factory.mktemp(f"schema{version}")
        with tarfile.open(STORED / f"schema{version}.tar.gz") as archive:
            archive.extractall(folder, filter="data")
        found[version] = folder / "memory"
    return found


@pytest.fixture
def old(version: int, tmp_path: Path, stored: Mapping[int, Path]) -> Path:
    """A copy of the stored memory of a version, to be changed."""
    return Path(shutil.copytree(stored[version], tmp_path / "memory"))


@pytest.fixture
def first(tmp_path: Path, stored: Mapping[int, Path]) -> Path:
    """A copy of the memory of the first version."""
    return Path(shutil.copytree(stored[1], tmp_path / "memory"))


def catalog_of(directory: Path) -> Path:
    return directory / "catalog.sqlite3"


def tables(directory: Path) -> dict[str, set[tuple[Any, ...]]]:
    """All rows of the tables that every version has, by plain SQLite."""
    names = ("observation", "passage", "vector", "token_matrix", "media", "ingested", "audit")
    with closing(sqlite3.connect(catalog_of(directory))) as db:
        found = {name: set(db.execute(f"SELECT * FROM {name}").fetchall()) for name in names}
        found["space"] = set(db.execute("SELECT pk, name, card FROM space").fetchall())
        return found


def version_of(directory: Path) -> int:
    with closing(sqlite3.connect(catalog_of(directory))) as db:
        return int(db.execute("PRAGMA user_version").fetchone()[0])


def form(path: Path) -> set[tuple[Any, ...]]:
    """What a catalog's tables and indexes are, however they came to be."""
    with closing(sqlite3.connect(path)) as db:
        names = [name for (name,) in db.execute("SELECT name FROM sqlite_schema")]
        columns = {
            (name, *column)
            for name in names
            for column in db.execute(f"SELECT * FROM pragma_table_xinfo('{name}')")
        }
        keys = {
            (name, *key)
            for name in names
            for key in db.execute(f"SELECT * FROM pragma_foreign_key_list('{name}')")
        }
        # An index that a constraint makes has a number in its name.
        indexes = {
            (name, *about, *columns)
            for name in names
            for number, index, *about in db.execute(f"SELECT * FROM pragma_index_list('{name}')")
            for columns in db.execute(f"SELECT * FROM pragma_index_xinfo('{index}')")
        }
        kinds = set(db.execute("SELECT type, name, tbl_name FROM sqlite_schema").fetchall())
        strict = set(db.execute("SELECT name, type, wr, strict FROM pragma_table_list").fetchall())
    return columns | keys | indexes | kinds | strict


def observations(directory: Path) -> list[Observation]:
    with Memory.open(directory) as memory:
        return memory.timeline()


# -- what is kept -----------------------------------------------------------------------------


def test_every_version_is_stored() -> None:
    """A new schema needs a new one: made with the release before, without ``chroma/``."""
    assert list(range(1, VERSION + 1)) == VERSIONS


def test_ids_are_the_same_in_every_version(stored: Mapping[int, Path]) -> None:
    ids = [{row[1] for row in tables(directory)["observation"]} for directory in stored.values()]
    assert all(found == ids[0] for found in ids)


@pytest.mark.parametrize("version", VERSIONS)
def test_no_row_is_changed(old: Path) -> None:
    before = tables(old)
    assert len(before["observation"]) == 8
    assert len(before["audit"]) == 1
    connect(catalog_of(old)).close()
    assert version_of(old) == VERSION
    assert tables(old) == before
    connect(catalog_of(old)).close()
    assert tables(old) == before


@pytest.mark.parametrize("version", VERSIONS)
def test_what_comes_out_is_as_a_new_catalog(old: Path, tmp_path: Path) -> None:
    connect(catalog_of(old)).close()
    connect(tmp_path / "new.sqlite3").close()
    assert form(catalog_of(old)) == form(tmp_path / "new.sqlite3")
    with closing(sqlite3.connect(catalog_of(old))) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
        assert {status for (status,) in db.execute("SELECT status FROM space")} == {"active"}


@pytest.mark.parametrize("version", EARLIER)
def test_a_memory_goes_on_as_it_was(old: Path) -> None:
    with Memory.open(old) as memory:
        # Chroma's files are not stored with it.
        assert memory.rebuild_index() == 11
        report = memory.verify()
        assert report.problems == ()
        assert (report.observations, report.pending) == (8, 0)
        found = memory.timeline()
        assert {one.text for one in found if one.modality != "sensor"} == {*TEXTS}
        for text in TEXTS:
            (best, *_) = memory.search(text)
            assert best.text == text
        (spike, *_) = memory.search("vibration spike of the pump")
        assert spike.modality == "sensor"
        values = memory.readings("vibration")
        assert isinstance(values, list)
        assert len(values) == 180
        assert max(reading.value for reading in values) == 10.0
        (note,) = memory.timeline(session="notes", until=found[-1].captured_at)
        assert dict(note.attributes) == {"author": "Ana"}
        standup = next(one for one in found if one.session == "shift")
        original = standup.find_media("original") or standup.media[0]
        assert original.read()
        # What is there already is left, what is new is taken.
        again = memory.add([note, Observation(text="A new note.", captured_at=note.captured_at)])
        assert (again.added, again.unchanged) == (1, 1)
    assert [one.id for one in observations(old) if one.text != "A new note."] == [
        one.id for one in found
    ]


@pytest.mark.parametrize("version", EARLIER)
def test_forgetting_works_on_it(old: Path) -> None:
    with Memory.open(old) as memory:
        receipt = memory.forget(session="notes")
        assert receipt.forgotten == 2
        assert memory.search("spare seal cabinet", session="notes") == []
        assert len(memory.timeline()) == 6
        assert memory.verify().problems == ()
    left = b"".join(path.read_bytes() for path in old.rglob("*") if path.is_file())
    assert b"V-417" not in left
    assert b"stuck again" in left


@pytest.mark.parametrize("version", VERSIONS)
def test_what_was_forgotten_before_is_not_there(old: Path) -> None:
    with Memory.open(old) as memory:
        assert "secret" not in " ".join(one.text for one in memory.timeline())
    with closing(sqlite3.connect(catalog_of(old))) as db:
        assert db.execute("SELECT action, observations FROM audit").fetchall() == [("forget", 1)]


# -- newer ones, and others -------------------------------------------------------------------


@pytest.mark.parametrize("newer", [VERSION + 1, VERSION + 50])
def test_a_newer_one_is_refused_and_left_as_it_is(first: Path, newer: int) -> None:
    connect(catalog_of(first)).close()
    with closing(sqlite3.connect(catalog_of(first))) as db:
        db.execute(f"PRAGMA user_version = {newer}")
    content = {path: path.read_bytes() for path in first.rglob("*") if path.is_file()}
    message = f"has schema {newer}, this agentctx knows up to {VERSION}; upgrade agentctx"
    with pytest.raises(SchemaError, match=message):
        Memory.open(first)
    assert {path: path.read_bytes() for path in first.rglob("*") if path.is_file()} == content


@pytest.mark.parametrize("version", [1 << 20, -1])
def test_a_version_that_cannot_be_is_damage(first: Path, version: int) -> None:
    with closing(sqlite3.connect(catalog_of(first))) as db:
        db.execute(f"PRAGMA user_version = {version}")
    with pytest.raises(CatalogDamaged, match="agentctx repair"):
        connect(catalog_of(first))


def test_the_database_of_another_program_is_refused(tmp_path: Path) -> None:
    path = catalog_of(tmp_path)
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE theirs (a)")
    with pytest.raises(SchemaError, match="another program"):
        Catalog(path, MediaStore(tmp_path / "media"))
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT name FROM sqlite_schema").fetchall() == [("theirs",)]


# -- kills, and others at the same time -------------------------------------------------------

# Opens copies of a memory one after the other, each killed before one more call to SQLite.
_KILLED = """
import os, shutil, signal, sys
from pathlib import Path
from agentctx.memory.schema import connect
kills = 0
while True:
    here = Path(sys.argv[1]) / f"{kills}"
    shutil.copytree(sys.argv[2], here)
    if (pid := os.fork()) == 0:
        left = kills + 1
        def count(frame, event, function):
            global left
            if event == "c_call" and function.__name__ == "execute":
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
        sys.setprofile(count)
        connect(here / "catalog.sqlite3")
        os._exit(0)  # without closing it
    if os.waitpid(pid, 0)[1] == 0:
        break
    kills += 1
print(kills)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_killed_at_every_statement_it_opens_again(first: Path, tmp_path: Path) -> None:
    before = tables(first)
    work = tmp_path / "work"
    done = subprocess.run(
        [sys.executable, "-c", _KILLED, str(work), str(first)],
        capture_output=True, text=True, check=True, timeout=100,
    )  # fmt: skip
    kills = int(done.stdout)
    assert kills > 10
    connect(tmp_path / "new.sqlite3").close()
    wanted = form(tmp_path / "new.sqlite3")
    seen = []
    for number in range(kills + 1):
        here = work / f"{number}"
        seen.append(version_of(here))
        assert seen[-1] in (1, VERSION), "all of it or nothing"
        assert tables(here) == before
        connect(catalog_of(here)).close()
        assert tables(here) == before
        assert form(catalog_of(here)) == wanted
    assert seen == sorted(seen)
    assert set(seen) == {1, VERSION}


_OPENER = """
import sys
from pathlib import Path
from agentctx.memory.catalog import Catalog
from agentctx.memory.media import MediaStore
folder = Path(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
catalog = Catalog(folder / "catalog.sqlite3", MediaStore(folder / "media"))
with catalog.transaction() as db:
    db.execute("INSERT INTO audit VALUES (1, 'test', 'was there', 0)")
print(catalog.counts()["observations"], flush=True)
"""


def test_of_several_that_open_it_at_once_one_migrates(first: Path) -> None:
    before = tables(first)
    with python(_OPENER, first) as a, python(_OPENER, first) as b, python(_OPENER, first) as c:
        assert [said(process) for process in (a, b, c)] == ["ready"] * 3
        for process in (a, b, c):
            assert process.stdin
            print("go", file=process.stdin, flush=True)
        assert [said(process) for process in (a, b, c)] == ["8"] * 3
        assert [process.wait() for process in (a, b, c)] == [0, 0, 0]
    after = tables(first)
    assert len(after["audit"]) == len(before["audit"]) + 1  # three rows that are the same
    with closing(sqlite3.connect(catalog_of(first))) as db:
        assert db.execute("SELECT count(*) FROM audit").fetchone() == (4,)
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert {name: after[name] for name in after if name != "audit"} == {
        name: before[name] for name in before if name != "audit"
    }
    assert version_of(first) == VERSION
