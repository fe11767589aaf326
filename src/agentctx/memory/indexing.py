"""The process that writes and reads Chroma's files: ``python -m agentctx.memory.indexing``.

Chroma's native code works in a process of its own, so that a crash or a hang there cannot take
the user's process along. And Chroma saves its graph together with memory that it never wrote to,
in which there can be anything that the process has freed: this one has read nothing but what it
indexes, and ends when something is forgotten, so none of that can get into the files.

Requests and replies are lines of JSON on standard input and output. The process ends when its
input does, that is with the process that started it.
"""

import base64
import contextlib
import json
import os
import queue
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

from agentctx.errors import AgentctxError
from agentctx.memory.catalog import Catalog
from agentctx.memory.checks import index_problems
from agentctx.memory.chroma import ChromaIndex
from agentctx.memory.lease import Lease
from agentctx.memory.media import MediaStore
from agentctx.memory.syncing import IndexSync

# How often an idle process looks for what others have added or forgotten.
_IDLE_SECONDS = 0.25


class Outdated(Exception):
    """Something was forgotten or repaired: Chroma's files are to be made by a fresh process."""


class Service:
    """Answers the requests of one parent process about one memory's index."""

    def __init__(self, directory: Path, patience: int, requests: IO[str], replies: IO[str]) -> None:
        self._catalog = Catalog(directory / "catalog.sqlite3", MediaStore(directory / "media"))
        self._sync = IndexSync(self._catalog, ChromaIndex(directory / "chroma"))
        self._patience = patience
        self._replies = replies
        self._queue: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        threading.Thread(target=self._listen, args=(requests,), daemon=True).start()

    def _listen(self, requests: IO[str]) -> None:
        for line in requests:
            self._queue.put(json.loads(line))
        self._queue.put(None)

    def _say(self, **message: Any) -> None:  # noqa: ANN401
        self._replies.write(json.dumps(message) + "\n")
        self._replies.flush()

    def run(self, *, remake: bool) -> None:
        """Bring the index into a sound state, then serve until the requests end."""
        with self._limited():
            problems = self._sync.prepare(remake=remake)
        self._say(event="ready", problems=problems)
        while (request := self._next()) is not None:
            if request:
                self._answer(request)
            elif self._sync.pending():
                self._index_batch()
        self._sync.close()

    def _next(self) -> dict[str, Any] | None:
        """The next request; {} when there is none for a while, None when there will be none."""
        try:
            request = self._queue.get(timeout=_IDLE_SECONDS)
        except queue.Empty:
            request = {}
        if not self._sync.current():
            raise Outdated
        return request

    def _answer(self, request: Mapping[str, Any]) -> None:
        number = request["number"]
        try:
            if request["verb"] == "search":
                query = np.frombuffer(base64.b64decode(request["vector"]), np.float32)
                with self._limited():
                    found = self._sync.index.search(request["space"], query, request["limit"])
                self._say(number=number, result=found)
            elif request["verb"] == "flush":
                self._say(number=number, result=self._flush())
            elif request["verb"] == "verify":
                problems = index_problems(self._catalog, self._sync.index, every=True)
                self._say(number=number, result=problems)
        except AgentctxError as error:
            self._say(number=number, error=str(error))

    def _flush(self) -> int:
        written, total = 0, self._sync.pending()
        while batch := self._index_batch():
            written += batch
            total = max(total, written)
            self._say(event="progress", done=written, total=total)
            if not self._sync.current():
                raise Outdated
        return written

    def _index_batch(self) -> int:
        with self._limited():
            return self._sync.index_batch()

    @contextlib.contextmanager
    def _limited(self) -> Iterator[None]:
        """Let the kernel end this process when native code does not come back.

        No Python code could: a thread cannot run while native code keeps the interpreter.
        """
        if hasattr(signal, "alarm"):
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(self._patience)
        try:
            yield
        finally:
            if hasattr(signal, "alarm"):
                signal.alarm(0)


def main(directory: str, patience: str, verb: str) -> int:
    """Serve the index of a memory; gives the exit code, 0 also when another process has it."""
    # What native code prints must not come between the replies.
    replies = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)
    os.umask(0o077)
    lease = Lease(Path(directory) / "lease")
    try:
        if not lease.acquire():
            replies.write(json.dumps({"event": "busy"}) + "\n")
            return 0
        Service(Path(directory), int(patience), sys.stdin, replies).run(remake=verb == "remake")
    except Outdated:
        replies.write(json.dumps({"event": "outdated"}) + "\n")
    except AgentctxError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    finally:
        with contextlib.suppress(OSError):
            replies.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
