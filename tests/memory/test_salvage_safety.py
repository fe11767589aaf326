"""Saving a catalog beside other processes, killed anywhere, encrypted, and after forgetting."""

import os
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import textwrap
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from agentctx.errors import EncryptionError, SchemaError, StoreError
from agentctx.memory import checks, state
from agentctx.memory.catalog import Catalog
from agentctx.memory.entries import Entry, NewVector
from agentctx.memory.keys import Keys
from agentctx.memory.lease import Lease
from agentctx.memory.media import MediaStore
from agentctx.memory.salvage import SalvageReport, damaged_copies, salvage
from agentctx.memory.store import Store
from agentctx.records import EncoderCard, Filters, Observation

from . import damaging
from .damaging import COUNT, PAGE, catalog_of, garbage, log_of, overwrite, overwrite_page, rows
from .test_processes import python, said

NINE = datetime(2026, 3, 14, 9, tzinfo=UTC)
CARD = EncoderCard("test", "1", "text-test", 8, ("text",), "Apache-2.0", "d" * 64)
STORED = Path(__file__).parent / "stored"


def note(n: int, text: str = "", **more: object) -> Observation:
    text = text or f"Note {n} about wort{n}."
    when = NINE + timedelta(minutes=n)
    return Observation(text=text, captured_at=when, session="s", source="f", **more)  # type: ignore[arg-type]


def entry(one: Observation) -> Entry:
    vector = np.random.default_rng(len(one.text)).normal(size=8).astype(np.float32)
    spans = [(0, len(one.text.rstrip()))]
    return Entry(one, spans, [NewVector("text-test", 0, vector / np.linalg.norm(vector))])


def open_store(directory: Path) -> Store:
    store = Store(directory, exact_limit=1_000_000)
    store.register(CARD)
    return store


def make(directory: Path, *notes: Observation) -> None:
    store = open_store(directory)
    store.add([entry(one) for one in notes], {})
    store.catalog.close()


def texts(directory: Path) -> list[str]:
    store = open_store(directory)
    found = [row.observation.text for row in store.catalog.select(Filters())]
    assert store.verify().problems == ()
    store.catalog.close()
    return found


def lose(directory: Path) -> None:
    """Take the catalog away."""
    for path in (catalog_of(directory), log_of(directory)):
        path.unlink(missing_ok=True)


def zero_header(directory: Path) -> None:
    overwrite(catalog_of(directory), 0, bytes(100))


# -- others -----------------------------------------------------------------------------------

_OPENER = """
import sys
from pathlib import Path
from agentctx.memory.catalog import Catalog
from agentctx.memory.media import MediaStore
folder = Path(sys.argv[1])
print("opening", flush=True)
try:
    catalog = Catalog(folder / "catalog.sqlite3", MediaStore(folder / "media"))
    print("open", flush=True)
    sys.stdin.readline()
    with catalog.transaction() as db:
        db.execute("INSERT INTO audit VALUES (1, 'test', 'acknowledged', 0)")
    print("done", flush=True)
except Exception as error:
    print(type(error).__name__, flush=True)
"""


def test_it_waits_for_nobody_who_has_the_memory_open(tmp_path: Path) -> None:
    make(tmp_path, note(1))
    content = catalog_of(tmp_path).read_bytes()
    with python(_OPENER, tmp_path) as other:
        assert (said(other), said(other)) == ("opening", "open")
        with pytest.raises(StoreError, match=r"another process has .* open"):
            salvage(tmp_path)
    assert catalog_of(tmp_path).read_bytes() == content
    assert damaged_copies(tmp_path) == []
    assert salvage(tmp_path).observations == 1


def test_nor_for_this_process(tmp_path: Path) -> None:
    make(tmp_path, note(1))
    catalog = Catalog(catalog_of(tmp_path), MediaStore(tmp_path / "media"))
    with pytest.raises(StoreError, match="close the memory first"):
        salvage(tmp_path)
    catalog.close()
    assert salvage(tmp_path).observations == 1


def test_nor_for_the_holder_of_the_index(tmp_path: Path) -> None:
    make(tmp_path, note(1))
    lease = Lease(tmp_path / "lease")
    assert lease.acquire()
    with pytest.raises(StoreError, match="another process holds the index"):
        salvage(tmp_path)
    lease.release()
    assert salvage(tmp_path).observations == 1
    assert lease.acquire(), "the lease is given back"
    lease.release()


def test_who_opens_meanwhile_writes_nothing_into_the_old_file(tmp_path: Path) -> None:
    make(tmp_path, note(1))
    processes: list[subprocess.Popen[str]] = []

    def progress(done: int, total: int) -> None:
        if not processes:
            command = [sys.executable, "-c", textwrap.dedent(_OPENER), str(tmp_path)]
            processes.append(
                subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            )
            assert said(processes[0]) == "opening"
            with pytest.raises(subprocess.TimeoutExpired):
                processes[0].wait(0.3)

    salvage(tmp_path, progress=progress)
    output, _ = processes[0].communicate("go\n", timeout=60)
    with closing(sqlite3.connect(catalog_of(tmp_path))) as db:
        written = db.execute("SELECT count(*) FROM audit WHERE rule = 'acknowledged'").fetchone()
    # It heard that the file is none, or it found the new one: in no case was a write lost.
    assert (output.split()[-1], *written) in [("CatalogDamaged", 0), ("done", 1)]


# -- kills ------------------------------------------------------------------------------------

# Salvages one copy of a memory after the other, each killed one file operation later.
_KILLED = """
import os, shutil, signal, sys
from pathlib import Path
import numpy
from agentctx.memory.salvage import salvage
salvage(Path(sys.argv[1]) / "first")  # imports what it needs
kills = 0
while True:
    here = Path(sys.argv[1]) / f"{kills}"
    shutil.copytree(sys.argv[2], here)
    if (pid := os.fork()) == 0:
        left = kills + 1
        def count(event, arguments):
            global left
            if event in ("open", "os.rename", "os.remove") and str(here) in str(arguments):
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
        sys.addaudithook(count)
        salvage(here)
        os._exit(0)
    if os.waitpid(pid, 0)[1] == 0:
        break
    kills += 1
print(kills)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_killed_anywhere_the_next_salvage_finishes(tmp_path: Path) -> None:
    made = tmp_path / "made"
    store = open_store(made)
    store.add([entry(note(n)) for n in range(9)], {})
    with store.catalog.alone() as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store.add([entry(note(n)) for n in range(9, 12)], {})  # in the log only
    damaged = tmp_path / "damaged"
    shutil.copytree(made, damaged)
    store.catalog.close()
    wanted = rows(made)
    zero_header(damaged)
    work = tmp_path / "work"
    shutil.copytree(damaged, work / "first")
    done = subprocess.run(
        [sys.executable, "-c", _KILLED, str(work), str(damaged)],
        capture_output=True, text=True, check=True, timeout=100,
    )  # fmt: skip
    kills = int(done.stdout)
    assert kills >= 8
    states = set[str]()
    for number in range(kills):
        here = work / f"{number}"
        states.add(_state_of(here))
        report = salvage(here)
        assert rows(here) == wanted
        assert (report.observations, report.lost, report.unaccounted) == (12, (), ())
        assert not list(here.glob("*.salvaged*"))
        assert texts(here) == [note(n).text for n in range(12)]
    assert states == {"damaged", "taken away", "new"}


def _state_of(directory: Path) -> str:
    head = catalog_of(directory).read_bytes()[:32]
    if head.startswith(b"SQLite format 3\0"):
        return "new"
    return "taken away" if head.startswith(b"agentctx salvage: catalog.sqlit") else "damaged"


# -- what Chroma still has --------------------------------------------------------------------


NOTES = [
    note(
        n, f"Note {n} about wort{n}." + " It is long." * 90 + "\n", attributes={"n": n, "on": n > 1}
    )
    for n in range(40)
]
# Chroma takes no lists, so that what it has does not prove the id of this one.
LISTED = note(50, attributes={"who": ("Ana", "Ben"), "x": 1.5})


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("indexed") / "m"
    store = open_store(directory)
    store.add([entry(one) for one in [*NOTES, LISTED]], {})
    assert store.flush() == 41
    store.close()
    return directory


def test_what_chroma_has_comes_back(tmp_path: Path, indexed: Path) -> None:
    here = tmp_path / "m"
    shutil.copytree(indexed, here)
    lose(here)
    report = salvage(here)
    assert set(report.restored) == {one.id for one in NOTES}
    assert (report.observations, report.chroma, report.kept) == (41, "current", None)
    store = open_store(here)
    found = [row.observation for row in store.catalog.select(Filters())]
    # What came back in part has an id of its own.
    assert found == [*NOTES, replace(LISTED, attributes={"x": 1.5})]
    assert report.partial == (found[-1].id,)
    assert LISTED.id != found[-1].id
    assert set(report.unencoded) == {one.id for one in found}, "vectors are made again"
    assert store.words("wort3", 3)
    store.catalog.close()
    assert texts(here) == [one.text for one in found]


def test_only_what_the_catalog_lost_comes_from_chroma(tmp_path: Path, indexed: Path) -> None:
    here = tmp_path / "m"
    shutil.copytree(indexed, here)
    overwrite_page(here, damaging.leaf_of(here, NOTES[20].id), bytes(PAGE))
    report = salvage(here)
    assert NOTES[20].id in report.restored
    assert 1 < len(report.restored) < 10
    assert (report.observations, report.lost, report.partial) == (41, (), ())
    assert report.vectors == 41, "what hangs on them is theirs again"
    assert report.unencoded == ()
    assert texts(here) == [one.text for one in [*NOTES, LISTED]]


def test_what_was_forgotten_does_not_come_back_from_chroma(tmp_path: Path, indexed: Path) -> None:
    here = tmp_path / "m"
    shutil.copytree(indexed, here)
    with closing(sqlite3.connect(catalog_of(here), isolation_level=None)) as db:
        # As a forget leaves it that is killed before it has erased Chroma's files.
        db.execute("PRAGMA foreign_keys = ON")
        db.execute("DELETE FROM observation WHERE text LIKE '%wort2%'")
        state.outdate_index(db)
    zero_header(here)
    report = salvage(here)
    assert (report.chroma, report.observations, report.restored) == ("outdated", 30, ())
    assert not [text for text in texts(here) if "wort2" in text]


def test_a_damaged_chroma_does_not_stop_it(tmp_path: Path) -> None:
    make(tmp_path, note(1))
    (tmp_path / "chroma").mkdir()
    (tmp_path / "chroma" / "chroma.sqlite3").write_bytes(garbage(1))
    zero_header(tmp_path)
    report = salvage(tmp_path)
    assert (report.chroma, report.observations) == ("damaged", 1)


# -- forgetting -------------------------------------------------------------------------------


def test_after_forgetting_the_gaps_are_explained(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.add([entry(note(n)) for n in range(30)], {})
    found = store.catalog.select(Filters())
    store.forget(found[10:15], "session")
    store.catalog.close()
    zero_header(tmp_path)
    report = salvage(tmp_path)
    assert (report.observations, report.unaccounted, report.forgotten) == (25, ((11, 15),), 5)
    assert (report.audit, report.whole) == (1, True)
    kept = [n for n in range(30) if not 10 <= n < 15]
    assert texts(tmp_path) == [note(n).text for n in kept]


def test_an_observation_whose_original_was_forgotten_is_kept_and_named(tmp_path: Path) -> None:
    make(tmp_path, *(note(n) for n in range(3)))
    # As when another part of the recording it came from was forgotten: its id stays.
    with closing(sqlite3.connect(catalog_of(tmp_path), isolation_level=None)) as db:
        db.execute("UPDATE observation SET id = ? WHERE pk = 2", ("ab" * 16,))
        db.execute("INSERT INTO audit VALUES (1, 'forget', 'ids', 1)")
        state.outdate_index(db)
    zero_header(tmp_path)
    report = salvage(tmp_path)
    assert (report.observations, report.unproven) == (3, ("ab" * 16,))


@pytest.mark.parametrize("source", ["", "file"])
def test_a_text_that_its_id_does_not_prove(tmp_path: Path, source: str) -> None:
    """Lost, or kept as unproven where the original of a file may have been forgotten."""
    notes = [replace(note(n), source=source) for n in range(3)]
    make(tmp_path, *notes)
    at = catalog_of(tmp_path).read_bytes().index(b"wort1.")
    overwrite(catalog_of(tmp_path), at, b"wart1.")
    catalog = Catalog(catalog_of(tmp_path), MediaStore(tmp_path / "media"))
    said = checks.file_problems(catalog)
    catalog.close()
    report = salvage(tmp_path)
    assert said == ["catalog: 1 observations are not what their ids say"]
    if source:
        assert (report.observations, report.unproven) == (3, (notes[1].id,))
    else:
        assert (report.observations, report.unproven) == (2, ())
        assert [lost.id for lost in report.lost] == [notes[1].id]


def test_attributes_that_are_no_json_are_found(tmp_path: Path) -> None:
    make(tmp_path, note(1, attributes={"n": 61}), note(2))
    at = catalog_of(tmp_path).read_bytes().index(b'{"n":61}')
    overwrite(catalog_of(tmp_path), at, b"[")
    catalog = Catalog(catalog_of(tmp_path), MediaStore(tmp_path / "media"))
    assert checks.file_problems(catalog) == ["catalog: 1 observations are not what their ids say"]
    catalog.close()
    report = salvage(tmp_path)
    assert (report.observations, len(report.lost)) == (1, 1)
    assert texts(tmp_path) == [note(2).text]


def test_an_unfinished_forget_is_finished_after(tmp_path: Path) -> None:
    make(tmp_path, note(1))
    digest = "c" * 64
    with closing(sqlite3.connect(catalog_of(tmp_path), isolation_level=None)) as db:
        db.execute("INSERT INTO doomed VALUES (?)", (digest,))
        state.outdate_index(db)
        state.put(db, state.ERASING, "yes")
    file = MediaStore(tmp_path / "media").path(digest)
    file.parent.mkdir()
    file.write_bytes(b"forgotten")
    zero_header(tmp_path)
    salvage(tmp_path)
    assert texts(tmp_path) == [note(1).text]
    assert not file.exists()


# -- earlier, newer and encrypted ones --------------------------------------------------------


def test_a_catalog_of_schema_1(tmp_path: Path) -> None:
    with tarfile.open(STORED / "schema1.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    here = tmp_path / "memory"
    wanted = {
        table: set(found)
        for table, found in rows(here).items()
        if table in ("observation", "vector", "passage", "media", "audit", "token_matrix")
    }
    zero_header(here)
    report = salvage(here)
    found = rows(here)
    # The original of the transcript was forgotten with a part of it, or its id proves it.
    assert {table: found[table] for table in wanted} == wanted
    assert {row[3] for row in found["space"]} == {"active"}
    assert report.lost == ()


def test_a_newer_catalog_is_left_alone(tmp_path: Path) -> None:
    make(tmp_path, note(1))
    overwrite(catalog_of(tmp_path), 60, (7).to_bytes(4, "big"))
    content = catalog_of(tmp_path).read_bytes()
    with pytest.raises(SchemaError, match="upgrade agentctx"):
        salvage(tmp_path)
    assert catalog_of(tmp_path).read_bytes() == content


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("sealed")
    damaging.make(folder / "closed", folder / "logged", Keys.derive(bytes(32)))
    return folder / "closed", folder / "logged"


@pytest.mark.parametrize("which", [0, 1])
def test_an_encrypted_catalog(tmp_path: Path, sealed: tuple[Path, Path], which: int) -> None:
    keys = Keys.derive(bytes(32))
    wanted = rows(sealed[0], keys)
    here = tmp_path / "m"
    shutil.copytree(sealed[which], here)
    half = catalog_of(here).stat().st_size // PAGE // 2
    for number in (1, half, half + 1):
        # Behind the salt: a single bit makes a page one that does not open.
        overwrite(catalog_of(here), (number - 1) * PAGE + 100, b"?")
    report = salvage(here, keys)
    found = rows(here, keys)
    assert {table for table in wanted if not found[table] <= wanted[table]} <= {"passage"}
    assert COUNT > report.observations >= COUNT - 10
    assert len(report.lost) == COUNT - report.observations
    assert (half, half + 1) in report.damaged_pages
    assert ((1, 1) in report.damaged_pages) == (which == 0), "the log has the first page, too"
    catalog = Catalog(catalog_of(here), MediaStore(here / "media", keys), keys)
    assert catalog.counts()["observations"] == report.observations
    catalog.close()
    assert b"wort" not in b"".join(path.read_bytes() for path in here.rglob("cat*"))


def test_an_encrypted_catalog_without_its_salt(tmp_path: Path, sealed: tuple[Path, Path]) -> None:
    """No page proves itself then; but the log has the salt, too."""
    keys = Keys.derive(bytes(32))
    counts = []
    for number, which in enumerate(sealed):
        here = tmp_path / f"{number}"
        shutil.copytree(which, here)
        zero_header(here)
        counts.append(salvage(here, keys).observations)
    assert counts == [0, COUNT]


def test_without_the_key_nothing_is_touched(tmp_path: Path) -> None:
    store = Store(tmp_path, exact_limit=10, key=bytes(32))
    store.close()
    content = catalog_of(tmp_path).read_bytes()
    with pytest.raises(EncryptionError, match="give its key"):
        salvage(tmp_path)
    assert catalog_of(tmp_path).read_bytes() == content
    assert isinstance(salvage(tmp_path, Keys.derive(bytes(32))), SalvageReport)


def test_a_key_to_a_catalog_in_clear_is_refused(tmp_path: Path) -> None:
    make(tmp_path, note(1))
    with pytest.raises(EncryptionError, match="not encrypted"):
        salvage(tmp_path, Keys.derive(bytes(32)))
    assert texts(tmp_path) == [note(1).text]
