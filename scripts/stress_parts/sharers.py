"""What one of several processes does to a directory that it shares: add, log, look, until the end.

An acknowledgement is a line in a file outside of the directory, appended and synced before
anything else is done: ``FIRST LAST`` of the numbers that were added.
"""

import json
import os
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agentctx import Memory
from agentctx.errors import AgentctxError
from agentctx.records import Passage
from agentctx.testing.doubles import HashEncoder
from stress_parts import light

_MOST_AT_ONCE = 8
# Among so many hits it must be: an approximate index may put another one before it.
_HITS = 5
_TOLD_EVERY_SECONDS = 1.0
COLLECTION = "shared"

Look = Callable[[str, int], bool]


def vectors(owner: str, numbers: Sequence[int]) -> NDArray[np.float32]:
    """The vectors of the observations of these numbers, float32 [numbers, 64]."""
    found = light.observations(owner, numbers)
    passages = [Passage(one, 0, one.text, 0, len(one.text)) for one in found]
    return HashEncoder().encode(passages).vectors


def acknowledged(log: Path) -> Iterator[int]:
    """The numbers that a log has acknowledged; a line that is not whole says nothing."""
    for line in log.read_text("ascii").splitlines(keepends=True):
        if line.endswith("\n"):
            first, last = map(int, line.split())
            yield from range(first, last + 1)


class Sharer:
    """One process's part: ``add`` stores numbers durably, ``look`` says whether one is found.

    ``looking``: the share of the times that it could look at which it does.
    """

    def __init__(
        self,
        logs: Path,
        owner: str,
        add: Callable[[Sequence[int]], object],
        look: Look,
        indexed: Callable[[], bool] = lambda: True,
        looking: float = 1.0,
    ) -> None:
        self._logs = logs
        self._owner = owner
        self._add = add
        self._look = look
        self._indexed = indexed
        self._looking = looking
        self._dice = random.Random(owner)
        self._told: dict[str, Any] = {
            "added": 0, "searches": 0, "with_index": 0, "missed_own": 0, "stale": 0, "errors": {},
            "add_ms": [], "search_ms": [],
        }  # fmt: skip

    def run(self, seconds: float) -> dict[str, Any]:
        """Add and look for so long; a killed process leaves what it told last."""
        began = time.monotonic()
        end = began + seconds
        tell = 0.0
        number = 0
        log = os.open(self._logs / f"{self._owner}.log", os.O_CREAT | os.O_APPEND | os.O_WRONLY)
        try:
            while time.monotonic() < end:
                count = self._dice.randint(1, _MOST_AT_ONCE)
                if self._timed("add_ms", lambda: self._add(range(number, number + count))):  # noqa: B023
                    os.write(log, f"{number} {number + count - 1}\n".encode("ascii"))
                    os.fsync(log)
                    self._told["added"] += count
                    if self._dice.random() < self._looking:
                        self._check("missed_own", self._owner, number)
                if self._dice.random() < self._looking:
                    self._check("stale", *self._of_another())
                number += count
                if time.monotonic() > tell:
                    self._tell()
                    tell = time.monotonic() + _TOLD_EVERY_SECONDS
        finally:
            os.close(log)
        self._tell()
        return {"added": self._told["added"], "seconds": time.monotonic() - began}

    def _check(self, what: str, owner: str, number: int) -> None:
        if not owner:
            return
        found: list[bool] = []
        if self._timed("search_ms", lambda: found.append(self._look(owner, number))):
            self._told["searches"] += 1
            self._told["with_index"] += self._indexed()
            self._told[what] += not found[0]

    def _of_another(self) -> tuple[str, int]:
        """The newest of what another process has acknowledged before now."""
        others = [path for path in self._logs.glob("*.log") if path.stem != self._owner]
        if not others:
            return "", 0
        chosen = self._dice.choice(sorted(others))
        numbers = list(acknowledged(chosen))
        return (chosen.stem, numbers[-1]) if numbers else ("", 0)

    def _timed(self, name: str, call: Callable[[], object]) -> bool:
        began = time.perf_counter()
        try:
            call()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is counted
            ours = "" if isinstance(error, AgentctxError) else "FOREIGN "
            said = f"{ours}{type(error).__name__}: {str(error)[:200]}"
            errors = self._told["errors"]
            errors[said] = errors.get(said, 0) + 1
            return False
        self._told[name].append(round(1000 * (time.perf_counter() - began), 2))
        return True

    def _tell(self) -> None:
        path = self._logs / f"{self._owner}.json"
        path.with_suffix(".new").write_text(json.dumps(self._told), "utf-8")
        path.with_suffix(".new").replace(path)


def share_memory(
    memory: Memory, logs: str, owner: str, seconds: float, looking: float = 1.0
) -> dict[str, Any]:
    """Share a memory of agentctx."""

    def look(whose: str, number: int) -> bool:
        wanted = light.text(whose, number)
        return any(hit.text == wanted for hit in memory.search(wanted, limit=_HITS))

    def add(numbers: Sequence[int]) -> None:
        memory.add(light.observations(owner, numbers))

    def indexed() -> bool:
        guard = memory._store._guard
        return guard is not None and guard.ready

    return Sharer(Path(logs), owner, add, look, indexed, looking).run(seconds)


@contextmanager
def opened(directory: Path) -> Iterator[Any]:
    """A persistent client of bare Chroma."""
    import chromadb

    client: Any = chromadb.PersistentClient(path=str(directory))
    try:
        yield client
    finally:
        client.close()


def share_chroma(
    directory: Path, logs: str, owner: str, seconds: float, looking: float = 1.0
) -> dict[str, Any]:
    """Share a directory of bare Chroma, by its persistent client."""
    with opened(directory) as client:
        collection = client.get_or_create_collection(
            COLLECTION, embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
        )

        def look(whose: str, number: int) -> bool:
            wanted = vectors(whose, [number])
            found = collection.query(query_embeddings=wanted, n_results=_HITS, include=[])
            return f"{whose}:{number}" in found["ids"][0]

        def add(numbers: Sequence[int]) -> None:
            collection.add(
                ids=[f"{owner}:{number}" for number in numbers],
                documents=[light.text(owner, number) for number in numbers],
                embeddings=vectors(owner, numbers),
            )

        return Sharer(Path(logs), owner, add, look, looking=looking).run(seconds)
