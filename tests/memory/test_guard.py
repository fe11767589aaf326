"""Chroma's files, damaged, and its process, killed or hanging: the user's process goes on."""

import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from agentctx.errors import StoreError
from agentctx.memory.entries import Entry, NewVector
from agentctx.memory.guard import IndexGuard
from agentctx.memory.store import Store
from agentctx.records import EncoderCard, Observation

NINE = datetime(2026, 3, 14, 9, tzinfo=UTC)
CARD = EncoderCard("test", "1", "text-test", 8, ("text",), "Apache-2.0", "d" * 64)
# More than Chroma keeps before it writes its graph to files.
COUNT = 1100
_random = np.random.default_rng(1).normal(size=(COUNT + 100, 8)).astype(np.float32)
VECTORS = _random / np.linalg.norm(_random, axis=1)[:, None]


def entry(n: int) -> Entry:
    one = Observation(text=f"note {n}", captured_at=NINE + timedelta(seconds=n))
    return Entry(one, [(0, len(one.text))], [NewVector("text-test", 0, VECTORS[n])])


def open_store(directory: Path, exact_limit: int = 1_000_000) -> Store:
    store = Store(directory, exact_limit=exact_limit)
    store.register(CARD)
    return store


@contextmanager
def guarding(directory: Path, patience: int = 60) -> Iterator[IndexGuard]:
    guard = IndexGuard(directory, patience)
    try:
        yield guard
    finally:
        guard.stop()


def exactly(n: int, count: int) -> list[int]:
    """The keys of the passages that are nearest to the nth, by plain numpy."""
    scores = VECTORS[:count] @ VECTORS[n]
    return [int(place) + 1 for place in np.argsort(-scores, kind="stable")[:5]]


def check_searches(store: Store, count: int = COUNT) -> None:
    for n in (0, 7, count - 1):
        assert [pk for pk, _ in store.nearest("text-test", VECTORS[n], 5)] == exactly(n, count)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("sound") / "m"
    store = open_store(directory)
    store.add([entry(n) for n in range(COUNT)], {})
    assert store.flush() == COUNT
    store.close()
    assert list(directory.glob("chroma/*/data_level0.bin"))
    return directory


@pytest.fixture
def directory(tmp_path: Path, sound: Path) -> Path:
    """A copy of a memory whose index is sound."""
    return Path(shutil.copytree(sound, tmp_path / "m"))


# -- damage -----------------------------------------------------------------------------------


def segment(directory: Path, name: str) -> Path:
    (path,) = directory.glob(f"chroma/*/{name}")
    return path


def missing(directory: Path) -> None:
    shutil.rmtree(directory / "chroma")


def garbage_database(directory: Path) -> None:
    (directory / "chroma" / "chroma.sqlite3").write_bytes(os.urandom(100_000))


def cut_graph(directory: Path) -> None:
    os.truncate(segment(directory, "data_level0.bin"), 5000)


def garbage_links(directory: Path) -> None:
    path = segment(directory, "link_lists.bin")
    path.write_bytes(os.urandom(path.stat().st_size))


def garbage_pickle(directory: Path) -> None:
    segment(directory, "index_metadata.pickle").write_bytes(os.urandom(1000))


def of_another_memory(directory: Path) -> None:
    """Chroma's files of an hour ago, as from a backup."""
    store = open_store(directory)
    store.add([entry(n) for n in range(COUNT, COUNT + 50)], {})
    with store.catalog.transaction() as db:
        db.execute("DELETE FROM pending")
    store.catalog.close()


@pytest.mark.parametrize(
    "damage",
    [missing, garbage_database, cut_graph, garbage_links, garbage_pickle, of_another_memory],
)
def test_a_damaged_index_is_made_anew(directory: Path, damage: Callable[[Path], None]) -> None:
    damage(directory)
    count = COUNT + 50 if damage is of_another_memory else COUNT
    store = open_store(directory)
    check_searches(store, count)  # by exact scan
    with guarding(directory) as guard:
        assert guard.wait_ready()
        check_searches(store, count)
        # Of its own accord, when nobody asks for anything, it begins to index.
        written = guard.flush()
        assert written is not None
        assert written <= count
        assert guard.ask("verify") == []
        found = guard.search("text-test", VECTORS[7], 1, timeout=20)
        assert found is not None
        assert found[0][0] == f"{entry(7).observation.id}:0"
    store.catalog.close()


def test_a_sound_index_is_left_as_it_is(directory: Path) -> None:
    with guarding(directory) as guard:
        assert guard.wait_ready()
        assert guard.problems == []
        assert guard.flush() == 0
        assert guard.ask("verify") == []


# -- death ------------------------------------------------------------------------------------


def test_the_death_of_the_process_is_survived(directory: Path) -> None:
    store = open_store(directory)
    with guarding(directory) as guard:
        assert guard.wait_ready()
        assert guard._process is not None
        os.kill(guard._process.pid, signal.SIGSEGV)
        assert guard.search("text-test", VECTORS[0], 1, timeout=20) is None
        check_searches(store)
        store.add([entry(COUNT)], {})
        check_searches(store, COUNT + 1)
        assert guard.flush() == 1, "another one is started, which goes on where that was"
        assert guard.ask("verify") == []
    store.catalog.close()


def test_killed_while_it_indexes_another_goes_on(directory: Path) -> None:
    missing(directory)
    killed: list[int] = []
    with guarding(directory) as guard:

        def progress(done: int, total: int) -> None:
            if not killed and guard._process is not None:
                killed.append(done)
                os.kill(guard._process.pid, signal.SIGKILL)

        written = guard.flush(progress)
        assert killed
        # What the first had done, the second does not do again.
        assert written in (0, COUNT - 1000)
        assert guard.ask("verify") == []


def test_one_that_dies_each_time_is_given_up(directory: Path) -> None:
    missing(directory)
    (directory / "chroma").mkdir()
    # In the way of throwing the damaged index away.
    (directory / "chroma.erased").write_text("in the way")
    store = open_store(directory)
    with guarding(directory) as guard:
        with pytest.raises(StoreError, match=r"died 3 times.*cannot be erased.*searches go on"):
            guard.wait_ready()
        guard.nudge()
        check_searches(store)
    store.catalog.close()


def test_an_error_of_who_watches_is_theirs(directory: Path) -> None:
    missing(directory)
    with guarding(directory) as guard:

        def progress(done: int, total: int) -> None:
            raise RuntimeError(f"{done} of {total}")

        with pytest.raises(RuntimeError, match="of 1100"):
            guard.flush(progress)
        assert guard.flush() == 0, "it was indexed all the same"


# -- hangs ------------------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_hang_in_native_code_is_ended(directory: Path) -> None:
    graph = segment(directory, "data_level0.bin")
    graph.unlink()
    os.mkfifo(graph)  # whoever opens it waits for ever
    store = open_store(directory)
    began = time.monotonic()
    with guarding(directory, patience=8) as guard:
        guard.start()
        check_searches(store)
        assert time.monotonic() - began < 8
        assert guard.wait_ready(), "another one was started, which made all anew"
        assert time.monotonic() - began > 8
        check_searches(store)
    store.catalog.close()


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="needs SIGSTOP")
def test_a_process_that_stands_still_holds_nobody_up(directory: Path) -> None:
    store = open_store(directory)
    with guarding(directory, patience=2) as guard:
        guard.start()
        assert guard._process is not None
        os.kill(guard._process.pid, signal.SIGSTOP)
        began = time.monotonic()
        assert guard.search("text-test", VECTORS[0], 1, timeout=0.2) is None
        check_searches(store)
        assert time.monotonic() - began < 20
        guard.stop()
        assert time.monotonic() - began < 40, "it is not waited for without end"
        assert guard.wait_ready(), "the lease is free again"
    store.catalog.close()


# -- others -----------------------------------------------------------------------------------


def test_one_process_has_the_index_and_the_next_takes_over(directory: Path) -> None:
    store = open_store(directory)
    with guarding(directory) as one, guarding(directory) as two:
        assert one.wait_ready()
        assert not two.wait_ready()
        assert two.busy
        assert two.flush() is None
        check_searches(store)
        one.stop()
        time.sleep(2.1)  # a guard does not ask again at once
        assert two.wait_ready()
        assert two.flush() == 0
    store.catalog.close()
