"""Processes that hold a memory open, do what they are told, and can be killed at any moment.

A nursery is a process that has imported everything and opened nothing. It forks an actor in
milliseconds, which then gets its orders through a socket, one line of JSON each. An answer that
has arrived here is an acknowledgement: whatever is killed after it must not take it back.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy.ma
import numpy.random  # noqa: F401 - what is imported at first use would be in every actor anew

from agentctx import Memory
from agentctx.errors import AgentctxError
from stress_parts import light
from stress_parts.verbs import TASKS, VERBS

_BOOT = (
    "import sys; sys.path[:] = sys.argv[2].split({separator!r}); "
    "from stress_parts.actors import nurse; nurse(int(sys.argv[1]))"
)
_ORDER_BYTES = 4096


class ActorError(Exception):
    """An actor answered with an error: the name of its class, and what it says."""

    def __init__(self, kind: str, message: str) -> None:
        self.kind = kind
        super().__init__(f"{kind}: {message}")


class ActorDied(Exception):
    """An actor died before it answered."""


class Actor:
    """The near side of a process with a memory."""

    def __init__(self, near: socket.socket, pid: int) -> None:
        self.pid = pid
        self.ended = False
        self._socket = near
        self._lines = near.makefile("r", encoding="utf-8")

    def tell(self, verb: str, **arguments: Any) -> None:  # noqa: ANN401
        """Give an order, and do not wait for the answer."""
        try:
            self._socket.sendall((json.dumps([verb, arguments]) + "\n").encode())
        except OSError as error:
            raise ActorDied(verb) from error

    def answer(self, timeout: float | None = None) -> Any:  # noqa: ANN401
        """The next answer; raises ActorError when it is an error, ActorDied when none comes."""
        self._socket.settimeout(timeout)
        try:
            line = self._lines.readline()
        except ConnectionError:
            line = ""
        if not line.endswith("\n"):
            raise ActorDied(str(self.pid))
        good, said = json.loads(line)
        if not good:
            raise ActorError(*said)
        return said

    def ask(self, verb: str, **arguments: Any) -> Any:  # noqa: ANN401
        """Give an order and wait for the answer."""
        self.tell(verb, **arguments)
        return self.answer()

    def kill(self, *, family: bool = False) -> list[Any]:
        """End the process by SIGKILL, with its index process when ``family``; see `drain`."""
        if self.ended:
            return []
        pids = [self.pid, *(children(self.pid) if family else ())]
        for pid in pids:
            end(pid, signal.SIGKILL)
        return self.drain()

    def drain(self) -> list[Any]:
        """Wait for the end of the process; gives the good answers that it still gave."""
        found = []
        while True:
            try:
                found.append(self.answer(60.0))
            except ActorError:
                continue
            except ActorDied:
                break
        self._lines.close()
        self._socket.close()
        self.ended = True
        return found


class Nursery:
    """Forks actors; those that are left at the end of the block are killed."""

    def __init__(self) -> None:
        light.install()
        self._one_by_one = threading.Lock()
        self._actors: list[Actor] = []
        self._near, far = socket.socketpair()
        path = [str(Path(__file__).parents[1]), *sys.path]
        boot = _BOOT.format(separator=os.pathsep)
        with far:
            self._process = subprocess.Popen(
                [sys.executable, "-c", boot, str(far.fileno()), os.pathsep.join(path)],
                pass_fds=[far.fileno()],
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for actor in self._actors:
            actor.kill(family=True)
        self._near.close()
        self._process.wait()
        light.uninstall()

    def actor(
        self, directory: Path, encoder: str = "light", exact_limit: int | None = None
    ) -> Actor:
        """A new process, which opens the memory with the first order that needs it."""
        near, far = socket.socketpair()
        with far:
            order = json.dumps([str(directory), encoder, exact_limit]).encode()
            with self._one_by_one:
                socket.send_fds(self._near, [order], [far.fileno()])
                pid = int.from_bytes(self._near.recv(8), "big")
                actor = Actor(near, pid)
                self._actors = [*(one for one in self._actors if not one.ended), actor]
        return actor


def end(pid: int, how: signal.Signals) -> None:
    """Send a signal to a process that may have ended."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, how)


def children(pid: int) -> list[int]:
    """The processes that a process has started and that still run."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        return [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except OSError:  # it has just ended
        return []


# -- the far side -----------------------------------------------------------------------------


def nurse(descriptor: int) -> None:
    """Fork an actor for every order, until the orders end."""
    # The kernel buries the dead, so that nobody has to wait for them.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(fileno=descriptor) as orders:
        while True:
            order, descriptors, _, _ = socket.recv_fds(orders, _ORDER_BYTES, 1)
            if not order:
                return
            pid = os.fork()
            if pid == 0:
                orders.close()
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                directory, encoder, exact_limit = json.loads(order)
                play(descriptors[0], Path(directory), encoder, exact_limit)
                os._exit(0)
            os.close(descriptors[0])
            orders.sendall(pid.to_bytes(8, "big"))


def play(descriptor: int, directory: Path, encoder: str, exact_limit: int | None) -> None:
    """Carry out orders about one memory, until they end."""
    memory: Memory | None = None
    # Two files: one that reads and writes forgets what it has read ahead whenever it writes.
    with (
        socket.socket(fileno=descriptor) as near,
        near.makefile("r", encoding="utf-8") as orders,
        near.makefile("w", encoding="utf-8") as answers,
    ):
        for line in orders:
            verb, arguments = json.loads(line)
            try:
                if verb in TASKS:
                    said = [True, TASKS[verb](directory, **arguments)]
                else:
                    if memory is None:
                        memory = Memory.open(directory, light.config(encoder, exact_limit))
                    said = [True, VERBS[verb](memory, **arguments)]
                if verb == "close":
                    memory = None
            except AgentctxError as error:
                said = [False, [type(error).__name__, str(error)]]
            except Exception as error:  # noqa: BLE001 - a foreign error is a finding
                said = [False, [f"FOREIGN {type(error).__name__}", str(error)]]
            answers.write(json.dumps(said) + "\n")
            answers.flush()
