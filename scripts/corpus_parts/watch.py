"""Runs batches in a child process, and watches its life, its time and its memory."""

import json
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

_LOOK = 0.03  # seconds between two looks at the memory
_SETTLE = 300.0  # seconds for what belongs to no single file: models, the commit at the end


@dataclass
class Outcome:
    """What came of one file."""

    kind: str = "?"  # added, known, error, crash, hang, lost
    error: str = ""
    message: str = ""
    seconds: float = 0.0
    peak_mb: float = 0.0


@dataclass
class Run:
    """What came of a batch: outcomes by path, and whether the child lives on."""

    outcomes: dict[str, Outcome] = field(default_factory=dict)
    alive: bool = True


class Watched:
    """A child process that adds files to a memory."""

    def __init__(self, memory: Path, options: Mapping[str, Any], hang_seconds: float) -> None:
        child = Path(__file__).with_name("child.py")
        self._log = memory.with_suffix(".log").open("ab")
        self._process = subprocess.Popen(
            [sys.executable, str(child), str(memory), json.dumps(options)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log,
        )  # fmt: skip
        self._hang_seconds = hang_seconds
        self._events: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._peak = 0.0
        assert self._process.stdout is not None
        self._listener = threading.Thread(
            target=self._listen, args=(self._process.stdout,), daemon=True
        )
        self._listener.start()
        threading.Thread(target=self._look, daemon=True).start()

    def close(self) -> int:
        """End the child; gives its exit code."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(OSError):  # it may have ended already
            self._process.stdin.close()
        try:
            return self._process.wait(_SETTLE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()
        finally:
            self._listener.join()
            self._process.stdout.close()
            self._log.close()

    def run(self, paths: Sequence[str]) -> Run:
        """Add a batch. When the child dies or hangs, the outcomes end with the file it was at."""
        assert self._process.stdin is not None
        with suppress(OSError):  # one that has ended is noticed below
            self._process.stdin.write(json.dumps(list(paths)).encode() + b"\n")
            self._process.stdin.flush()
        done = Run()
        current, since = "", time.monotonic()
        while True:
            allowed = self._hang_seconds if current else _SETTLE
            try:
                event = self._events.get(timeout=allowed)
            except queue.Empty:
                self._process.kill()
                done.outcomes.setdefault(current, Outcome()).kind = "hang"
                done.alive = False
                return done
            if event is None:
                done.outcomes.setdefault(current, Outcome()).kind = "crash"
                done.outcomes[current].message = f"exit code {self._process.wait()}"
                done.alive = False
                return done
            if "config" in event:
                continue
            if current:
                outcome = done.outcomes[current]
                outcome.seconds = round(time.monotonic() - since, 3)
                peak = max(self._peak, event.get("peak", 0) / 1024)
                outcome.peak_mb = max(outcome.peak_mb, round(peak, 1))
            if "results" in event:
                _judge(done.outcomes, event["results"])
                return done
            current, since, self._peak = event["item"], time.monotonic(), 0.0
            if current:
                done.outcomes.setdefault(current, Outcome())

    def _listen(self, output: IO[bytes]) -> None:
        for line in output:
            self._events.put(json.loads(line))
        self._events.put(None)

    def _look(self) -> None:
        """Note the most memory that the child and its own children ever hold together."""
        while self._process.poll() is None:
            self._peak = max(self._peak, sum(map(_megabytes, _family(self._process.pid))))
            time.sleep(_LOOK)


def _family(pid: int) -> list[int]:
    found = [pid]
    for one in found:
        try:
            for task in Path(f"/proc/{one}/task").iterdir():
                found += map(int, (task / "children").read_text("ascii").split())
        except OSError:  # it has just ended
            continue
    return found


def _megabytes(pid: int) -> float:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1])
    except (OSError, IndexError):  # it has just ended
        return 0.0
    return pages * 4096 / 1024**2


def _judge(outcomes: dict[str, Outcome], results: Mapping[str, Any]) -> None:
    for path, outcome in outcomes.items():
        if path in results["failed"]:
            outcome.error, outcome.message, ours = results["failed"][path]
            outcome.kind = "error" if ours else "foreign"
        elif path in results["found"]:
            outcome.kind = "added"
        else:
            outcome.kind = "known" if path in results["known"] else "lost"
