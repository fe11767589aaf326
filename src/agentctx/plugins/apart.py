"""Decoding in a process of its own, which may crash, hang or ask for too much memory.

The decoders that plugins use are native code, and the files may be hostile: an Arrow file with
one changed byte, read in this process, ends it. What a decoder process gives are plain arrays and
texts, so nothing of the file itself is looked at by native code here.

One process serves file after file. It is ended when a file makes it hang or ask for too much, when
it has been idle for a while, and with this process.
"""

import atexit
import contextlib
import os
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from agentctx.contracts import Source
from agentctx.errors import PluginError, SourceInvalid

T = TypeVar("T")

_IDLE_SECONDS = 30.0
# The child imports what the parent can, and nothing from the directory it happens to be in.
_BOOT = (
    "import pickle, sys; sys.path[:] = pickle.load(sys.stdin.buffer); "
    "from agentctx.plugins.decoder import serve; serve()"
)


def stream(
    task: Callable[..., Iterable[T]], source: Source, *arguments: object
) -> Generator[T, None, None]:
    """What ``task(source, *arguments)`` gives, one by one, out of a decoder process.

    The task is a function of a module; its arguments and what it gives are pickled. It is stopped
    at the source's deadline, and held to ``limits.decoder_bytes`` where the system can (Linux).

    Raises what the task raises, SourceInvalid when it crashes, SourceTooLarge over a limit.
    """
    place = Path()
    # Paths are as they were given, so relative to where this process is now.
    with contextlib.suppress(OSError):  # the directory may be gone; full paths still lead somewhere
        place = Path.cwd()
    request = pickle.dumps((place, task, source, arguments), pickle.HIGHEST_PROTOCOL)
    decoder = _take()
    given = False
    try:
        while True:
            try:
                for item in decoder.run(request, source):
                    given = True
                    yield item
                break
            except _Died as error:
                # A file before this one may have harmed the process: only a new one is sure.
                if given or not decoder.served:
                    raise SourceInvalid(
                        source.name,
                        f"its decoder crashed ({error}), so it is damaged or made to do harm: get "
                        "it again, or export it from the program that wrote it",
                    ) from None
                decoder.end()
                decoder = _Decoder()
    finally:
        if decoder.ready:
            _give_back(decoder)
        else:
            decoder.end()


class _Died(Exception):
    """The decoder process ended in the midst of its work."""


class _Decoder:
    """The parent's side of one decoder process.

    ``ready``: it waits for a task; ``served``: how many it has brought to an end, well or not.
    """

    def __init__(self) -> None:
        self.ready = False
        self.served = 0
        self.idle: threading.Timer | None = None
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", _BOOT],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                # An interrupt from the keyboard is for the user's process; this one follows.
                start_new_session=True,
            )
        except OSError as error:
            raise PluginError(
                f"the decoder process cannot be started with {sys.executable!r}: {error}"
            ) from error
        self._write(pickle.dumps(sys.path))

    def _write(self, data: bytes) -> None:
        assert self._process.stdin is not None
        # One that has died is noticed, with its exit code, when it is read from.
        with contextlib.suppress(OSError):
            self._process.stdin.write(data)
            self._process.stdin.flush()

    def run(self, request: bytes, source: Source) -> Iterator[Any]:
        """The items of one task; raises _Died, or what the task raised."""
        assert self._process.stdout is not None
        left = source.deadline - time.monotonic()
        timer = threading.Timer(min(max(left, 0.0), threading.TIMEOUT_MAX), self._process.kill)
        timer.daemon = True
        timer.start()
        self.ready = False
        try:
            self._write(request)
            while True:
                try:
                    kind, item = pickle.load(self._process.stdout)  # noqa: S301 - our own process
                except (EOFError, pickle.UnpicklingError):
                    source.check_time()
                    raise _Died(f"exit code {self._process.wait()}") from None
                if kind == "item":
                    yield item
                    continue
                # One that ran out of memory is not sound any more.
                self.ready = kind != "spent"
                self.served += 1
                if kind != "end":
                    raise item
                return
        finally:
            timer.cancel()

    def end(self) -> None:
        """End the process."""
        self._process.kill()
        # Leaves the context: closes the pipes and waits.
        with contextlib.suppress(OSError), self._process:
            pass

    def forget(self) -> None:
        """In a forked process: leave the parent's decoder alone."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                os.close(pipe.fileno())
        self._process.returncode = 0


_idle: list[_Decoder] = []
_lock = threading.Lock()
# Kept from being collected: that would close what belongs to the parent process.
_abandoned: list[_Decoder] = []


def _take() -> _Decoder:
    with _lock:
        decoder = _idle.pop() if _idle else None
    if decoder is None:
        return _Decoder()
    if decoder.idle:
        decoder.idle.cancel()
    return decoder


def _give_back(decoder: _Decoder) -> None:
    def retire() -> None:
        with _lock:
            if decoder not in _idle:
                return
            _idle.remove(decoder)
        decoder.end()

    decoder.idle = threading.Timer(_IDLE_SECONDS, retire)
    decoder.idle.daemon = True
    with _lock:
        _idle.append(decoder)
    decoder.idle.start()


@atexit.register
def end_idle() -> None:
    """End the decoder processes that wait for a task."""
    while _idle:
        _take().end()


def _after_fork() -> None:
    global _lock
    _lock = threading.Lock()
    for decoder in _idle:
        decoder.forget()
    _abandoned.extend(_idle)
    _idle.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
