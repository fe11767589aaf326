"""One open memory in forked processes, in threads and under asyncio."""

import asyncio
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from agentctx.memory.entries import Entry, NewVector
from agentctx.memory.store import Store
from agentctx.records import EncoderCard, Filters, Observation

from .test_processes import python, said

NINE = datetime(2026, 3, 14, 9, tzinfo=UTC)
CARD = EncoderCard("test", "1", "text-test", 16, ("text",), "Apache-2.0", "d" * 64)
COUNT = 40


def entry(name: str, n: int) -> Entry:
    seed = sum(name.encode()) * 1000 + n
    vector = np.random.default_rng(seed).normal(size=16).astype(np.float32)
    one = Observation(text=f"{name}{n}", captured_at=NINE + timedelta(seconds=n), session=name)
    spans = [(0, len(one.text))]
    return Entry(one, spans, [NewVector("text-test", 0, vector / np.linalg.norm(vector))])


def found(store: Store, new: Entry) -> bool:
    """Whether an entry is found by its own vector, and by its word."""
    (best, score), *_ = store.nearest("text-test", new.vectors[0].vector, 1)
    words = store.words(new.observation.text, 1)
    return score > 0.999 and bool(words) and words[0][0] == best


def open_store(directory: Path) -> Store:
    store = Store(directory, exact_limit=1_000_000)
    store.register(CARD)
    return store


# -- threads ----------------------------------------------------------------------------------


def test_eight_threads_add_and_find_what_they_added(tmp_path: Path) -> None:
    store = open_store(tmp_path / "m")
    start = threading.Barrier(8)

    def work(name: str) -> int:
        start.wait()
        own = 0
        for n in range(COUNT):
            new = entry(name, n)
            assert store.add([new], {}) == {new.observation.id}
            own += found(store, new)
        return own

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(work, "abcdefgh"))
    assert results == [COUNT] * 8
    assert len(store.catalog.select(Filters())) == 8 * COUNT
    assert store.catalog.query("PRAGMA integrity_check") == [("ok",)]
    store.catalog.close()


def test_of_the_same_observation_one_thread_is_the_first(tmp_path: Path) -> None:
    store = open_store(tmp_path / "m")
    start = threading.Barrier(8)

    def work(_: int) -> int:
        start.wait()
        return sum(len(store.add([entry("same", n)], {})) for n in range(10))

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(work, range(8))) == 10
    assert len(store.catalog.select(Filters())) == 10
    store.catalog.close()


def test_a_loop_goes_on_while_threads_work(tmp_path: Path) -> None:
    store = open_store(tmp_path / "m")
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0.001)

    async def work(name: str) -> bool:
        new = [entry(name, n) for n in range(COUNT)]
        await asyncio.to_thread(store.add, new, {})
        return await asyncio.to_thread(found, store, new[-1])

    async def main() -> list[bool]:
        ticking = asyncio.create_task(tick())
        done = await asyncio.gather(*(work(name) for name in "abcd"))
        ticking.cancel()
        return done

    assert asyncio.run(main()) == [True] * 4
    assert ticks > 1
    assert len(store.catalog.select(Filters())) == 4 * COUNT
    store.catalog.close()


# -- forks ------------------------------------------------------------------------------------

# A process of its own does the forking: this one has threads of all kinds.
_FORKING = """
import os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from tests.memory.test_forks_threads import COUNT, entry, found, open_store
from agentctx.records import Filters
store = open_store(Path(sys.argv[1]))
store.add([entry("before", n) for n in range(COUNT)], {{}})
{before}
read, write = os.pipe()
if (child := os.fork()) == 0:
    ok = all(found(store, entry("before", n)) for n in range(0, COUNT, 7))
    for n in range(COUNT):
        new = entry("child", n)
        store.add([new], {{}})
        ok = ok and found(store, new)
    os.write(write, b"1" if ok else b"0")
    {end}
own = True
for n in range(COUNT):
    new = entry("parent", n)
    store.add([new], {{}})
    own = own and found(store, new)
said = os.read(read, 1)
status = os.waitpid(child, 0)[1]
ok = own and all(found(store, entry("child", n)) for n in range(COUNT))
print(int(ok), said.decode(), status, len(store.catalog.select(Filters())), flush=True)
{after}
store.close()
print("closed", flush=True)
"""


def forked(directory: Path, *, before: str = "", end: str, after: str = "") -> list[str]:
    code = _FORKING.format(before=before, end=end, after=after)
    with python(code, directory, Path(__file__).parents[2]) as process:
        lines = [said(process)]
        assert process.stdout
        lines += process.stdout.read().split("\n")
        assert process.wait(60) == 0
    return [line for line in lines if line]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("end", ["os._exit(0)", "sys.exit(0)", "store.close(); os._exit(0)"])
def test_a_forked_process_and_its_parent_both_go_on(tmp_path: Path, end: str) -> None:
    """However the child ends: Python's clean-up in it must not touch what is the parent's."""
    assert forked(tmp_path / "m", end=end) == [f"1 1 0 {3 * COUNT}", "closed"]
    store = open_store(tmp_path / "m")
    assert len(store.catalog.select(Filters())) == 3 * COUNT
    assert store.catalog.query("PRAGMA integrity_check") == [("ok",)]
    store.catalog.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_the_child_leaves_the_parent_its_index_process(tmp_path: Path) -> None:
    before = "store.settle(); first = store._guard._process.pid"
    after = (
        "print(store.flush() >= 0, store._guard.ready, store._guard._process.pid == first,"
        " store.verify().problems, flush=True)"
    )
    lines = forked(tmp_path / "m", before=before, end="sys.exit(0)", after=after)
    assert lines == [f"1 1 0 {3 * COUNT}", "True True True ()", "closed"]
