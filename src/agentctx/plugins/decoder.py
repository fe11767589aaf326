"""What runs in a decoder process: task after task, read from standard input."""

import contextlib
import os
import pickle
import signal
import sys
import time
from collections.abc import Callable, Iterable
from importlib.abc import MetaPathFinder
from pathlib import Path
from typing import Any, BinaryIO

from agentctx.contracts import Source
from agentctx.errors import AgentctxError, PluginError, SourceTooLarge

_PROTOCOL = pickle.HIGHEST_PROTOCOL


def serve() -> None:
    """Serve tasks until standard input ends."""
    requests = sys.stdin.buffer
    # What libraries print must not get between the answers.
    answers = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    sys.meta_path.insert(0, _WithoutPandas())
    # Arrow's own allocator would reserve 1 GiB at once, which is all that a source may have.
    os.putenv("ARROW_DEFAULT_MEMORY_POOL", "system")
    while True:
        try:
            place, task, source, arguments = pickle.load(requests)  # noqa: S301 - from our own parent
        except EOFError:
            return
        except Exception as error:  # noqa: BLE001 - its module cannot be imported, for instance
            # What is left of the task may not be taken for the next one.
            _answer(answers, "spent", PluginError(f"a decoder cannot take its task: {error!r}"))
            return
        with contextlib.suppress(OSError):  # then a relative path is not found, and that is said
            os.chdir(place)
        _run(answers, task, source, arguments)


class _WithoutPandas(MetaPathFinder):
    """Arrow would import pandas wherever it is installed: seconds, for nothing that is used."""

    def find_spec(self, name: str, path: object, target: object = None) -> None:
        """Where a module is: nowhere, for pandas."""
        if name == "pandas":
            raise ModuleNotFoundError("no pandas in a decoder process", name=name)


def _run(
    answers: BinaryIO,
    task: Callable[..., Iterable[Any]],
    source: Source,
    arguments: tuple[Any, ...],
) -> None:
    _hold_memory(source.limits.decoder_bytes)
    _hold_time(source.deadline)
    try:
        for item in task(source, *arguments):
            _answer(answers, "item", item)
        last: tuple[str, object] = ("end", None)
    except AgentctxError as error:
        last = ("error", error)
    except MemoryError:
        last = ("spent", SourceTooLarge(
            source.name,
            f"decoding it takes more memory than limits.decoder_bytes = "
            f"{source.limits.decoder_bytes:,} allows: split it, or raise that option",
        ))  # fmt: skip
    except Exception as error:  # noqa: BLE001 - a defect of ours, told by the parent
        last = ("error", PluginError(f"{source.name!r}: decoding it failed: {error!r}"))
    _answer(answers, *last)


def _answer(answers: BinaryIO, kind: str, item: object) -> None:
    pickle.dump((kind, item), answers, _PROTOCOL)
    answers.flush()


def _hold_memory(limit: int) -> None:
    """Let this process have so much more memory than it has now; where the system can."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        pages = int(Path("/proc/self/statm").read_text("ascii").split()[5])  # as RLIMIT_DATA counts
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (pages * resource.getpagesize() + limit, hard))


def _hold_time(deadline: float) -> None:
    """End with the deadline even when the parent has ended, and cannot see to it."""
    if hasattr(signal, "alarm"):
        left = deadline - time.monotonic()
        signal.alarm(max(1, min(int(left) + 2, 2**31 - 1)) if left < 2**31 else 0)
