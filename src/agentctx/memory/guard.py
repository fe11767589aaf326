"""The parent's side of the process that has Chroma open: see agentctx.memory.indexing."""

import base64
import collections
import contextlib
import json
import os
import subprocess
import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agentctx import processes
from agentctx.errors import StoreError
from agentctx.memory.lease import Lease

Progress = Callable[[int, int], None]

# How long native code may take for one step before its process is ended.
PATIENCE_SECONDS = 120
# After another process was found to have the index, it is not asked again for so long.
_BUSY_SECONDS = 2.0
# How often a process that dies is started again before the index is given up.
_MOST_DEATHS = 3
_running: "weakref.WeakSet[IndexGuard]" = weakref.WeakSet()


class IndexGuard:
    """Starts the index process when it is needed, asks it, and survives its death.

    ``busy``: another process of this memory has the index.
    """

    def __init__(self, directory: Path, patience: int = PATIENCE_SECONDS) -> None:
        self._directory = directory
        self._patience = patience
        self._reset()
        _running.add(self)

    def _reset(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._changed = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._replies: dict[int, dict[str, Any]] = {}
        self._errors: collections.deque[str] = collections.deque(maxlen=20)
        self._number = 0
        # Deaths in a row before it was ready, and deaths at all.
        self._deaths = self._crashes = 0
        self._busy_until = 0.0
        self.ready = False
        self.problems: list[str] = []
        self._progress: Progress | None = None
        self._raised: BaseException | None = None

    def after_fork(self) -> None:
        """In a forked process: forget the parent's index process, which goes on serving it."""
        process = self._process
        if process is not None:
            for pipe in (process.stdin, process.stdout, process.stderr):
                if pipe is not None:
                    os.close(pipe.fileno())
            # Nobody here may wait for a process that is no child of this one.
            process.returncode = 0
        _abandoned.append(process)
        self._reset()

    @property
    def running(self) -> bool:
        """Whether there is an index process of this one now, ready or not."""
        return self._process is not None

    @property
    def busy(self) -> bool:
        """Whether another process was found to have the index just now."""
        return time.monotonic() < self._busy_until

    def start(self, *, remake: bool = False) -> None:
        """Start the process if it is not running; it gets ready by itself."""
        with self._changed:
            if self._process is not None or self.busy:
                return
            if self._deaths >= _MOST_DEATHS:
                raise self._given_up(self._deaths)
            if Lease(self._directory / "lease").is_held():
                # Cheaper than a process that finds out, and ends.
                self._busy_until = time.monotonic() + _BUSY_SECONDS
                return
            verb = "remake" if remake or self._deaths else "open"
            arguments = [str(self._directory), str(self._patience), verb]
            try:
                self._process = subprocess.Popen(
                    processes.command("agentctx.memory.indexing", *arguments),
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                    text=True, encoding="utf-8", errors="replace",
                    # An interrupt from the keyboard is for the user's process; this one follows.
                    start_new_session=True,
                )  # fmt: skip
            except OSError as error:
                raise StoreError(f"the index process cannot be started: {error}") from error
            self._threads = [
                threading.Thread(target=target, args=(self._process,), daemon=True)
                for target in (self._hear, self._collect)
            ]
            for thread in self._threads:
                thread.start()

    def nudge(self) -> None:
        """Start the process, for somebody who goes on without it when that cannot be.

        `wait_ready` says why not, to those who need it.
        """
        with contextlib.suppress(StoreError):
            self.start()

    def _hear(self, process: "subprocess.Popen[str]") -> None:
        stdout = process.stdout
        assert stdout is not None
        ended = ""
        with stdout:
            for line in stdout:
                ended = self._take(json.loads(line)) or ended
        code = process.wait()
        with self._changed:
            if process.stdin is not None:
                with contextlib.suppress(OSError):  # what was not read any more
                    process.stdin.close()
            if self._process is process:
                if ended == "busy":
                    self._busy_until = time.monotonic() + _BUSY_SECONDS
                elif code != 0 and not ended:
                    if code < 0 or not self._errors:
                        self._errors.append(f"exit code {code}")
                    self._crashes += 1
                    # One that had been working was killed by somebody: no reason for doubt.
                    self._deaths += not self.ready
                self._process, self.ready = None, False
            self._changed.notify_all()

    def _take(self, message: dict[str, Any]) -> str:
        """Note a message; gives the reason when it says that the process is about to end."""
        ended = ""
        with self._changed:
            if "number" in message:
                self._replies[message["number"]] = message
            elif message["event"] == "ready":
                self.ready, self.problems, self._deaths = True, message["problems"], 0
            elif message["event"] == "progress":
                self._tell(message["done"], message["total"])
            else:
                ended = message["event"]
            self._changed.notify_all()
        return ended

    def _tell(self, done: int, total: int) -> None:
        try:
            if self._progress is not None:
                self._progress(done, total)
        except BaseException as error:  # noqa: BLE001 - it belongs to who asked, not to this thread
            self._progress, self._raised = None, error

    def _collect(self, process: "subprocess.Popen[str]") -> None:
        assert process.stderr is not None
        with process.stderr as stderr:
            for line in stderr:
                self._errors.append(line.strip())

    def _last_words(self) -> str:
        return self._errors[-1] if self._errors else "nothing"

    def wait_ready(self) -> bool:
        """Wait until the process serves; False when another process has the index.

        Raises StoreError when it dies each time it is started.
        """
        while True:
            self.start()
            with self._changed:
                self._changed.wait_for(lambda: self.ready or self._process is None)
                if self.ready:
                    return True
                if self.busy:
                    return False

    def _given_up(self, deaths: int) -> StoreError:
        return StoreError(
            f"the index process of {self._directory} died {deaths} times, last with: "
            f"{self._last_words()}. Nothing is lost, and searches go on without it"
        )

    def ask(self, verb: str, timeout: float | None = None, **arguments: Any) -> Any:  # noqa: ANN401
        """What the process replies; None when there is no reply in time, or it died.

        Raises StoreError when it replies with an error.
        """
        with self._changed:
            process = self._process
            if process is None or process.stdin is None:
                return None
            self._number += 1
            number = self._number
            try:
                request = {"number": number, "verb": verb, **arguments}
                process.stdin.write(json.dumps(request) + "\n")
                process.stdin.flush()
            except OSError:  # it has just died; what reads from it says how
                return None
            self._changed.wait_for(
                lambda: number in self._replies or self._process is not process, timeout
            )
            reply = self._replies.pop(number, None)
            self._replies = {n: r for n, r in self._replies.items() if n >= number}
        if reply is not None and "error" in reply:
            raise StoreError(reply["error"])
        return None if reply is None else reply["result"]

    def search(
        self, space: str, query: NDArray[np.float32], limit: int, timeout: float
    ) -> list[tuple[str, float]] | None:
        """The nearest rows (id, cosine), best first; None when there is no answer in time."""
        vector = base64.b64encode(query.astype(np.float32).tobytes()).decode()
        found = self.ask("search", timeout, space=space, vector=vector, limit=limit)
        return None if found is None else [(id_, score) for id_, score in found]

    def flush(self, progress: Progress | None = None) -> int | None:
        """Index all that is pending; gives the rows written, None when another process does it.

        Raises StoreError when the process dies of it again and again.
        """
        before = self._crashes
        while self.wait_ready():
            self._progress, self._raised = progress, None
            try:
                written = self.ask("flush")
            finally:
                self._progress = None
            if self._raised is not None:
                raise self._raised
            if written is not None:
                return int(written)
            if (deaths := self._crashes - before) >= _MOST_DEATHS:
                raise self._given_up(deaths)
        return None

    def stop(self) -> None:
        """End the process and wait for it; what it was doing, it finishes first."""
        with self._changed:
            process, self._process = self._process, None
            self.ready = False
        if process is None:
            return
        try:
            if process.stdin is not None:
                process.stdin.close()
            process.wait(timeout=self._patience)
        except (OSError, subprocess.TimeoutExpired):
            process.kill()
            process.wait()
        for thread in self._threads:
            thread.join()


# Kept from being collected: that would wait for, or close, what belongs to the parent process.
_abandoned: list[object] = []


def _after_fork() -> None:
    for guard in list(_running):
        guard.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
