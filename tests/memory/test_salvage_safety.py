"""Saving a catalog beside other processes, killed anywhere, encrypted, and after forgetting."""

import os
import shutil
import sqlite3
import subprocess
import sys
import textwrap
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from agentctx.errors import StoreError
from agentctx.memory.catalog import Catalog
from agentctx.memory.entries import Entry, NewVector
from agentctx.memory.lease import Lease
from agentctx.memory.media import MediaStore
from agentctx.memory.salvage import damaged_copies, salvage
from agentctx.memory.store import Store
from agentctx.records import EncoderCard, Filters, Observation

from .damaging import catalog_of, log_of, overwrite, rows
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
    spans = [(0, len(one.text))]
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
        with pytest.raises(StoreError, match="another process has .* open"):
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
