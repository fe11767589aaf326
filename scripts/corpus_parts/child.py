"""The watched process: adds batches of files to one memory and tells of each what came of it.

It reads batches as JSON lines from standard input and writes events as JSON lines to standard
output: ``{"item": path}`` before each file, and ``{"results": ...}`` after each batch.
"""

import dataclasses
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agentctx import Config, Memory
from agentctx.errors import SourceError

_CLEAR_PEAK = "5"


def _peak_kilobytes() -> int:
    status = Path("/proc/self/status").read_text("utf-8")
    return int(status.split("VmHWM:")[1].split()[0])


def _tell(event: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


def _add(memory: Memory, paths: Sequence[str]) -> dict[str, Any]:
    def progress(done: int, total: int, name: str) -> None:
        # The peak since the item before; it starts anew for the next.
        _tell({"item": name, "peak": _peak_kilobytes()})
        Path("/proc/self/clear_refs").write_text(_CLEAR_PEAK, "utf-8")

    report = memory.add(list(paths), progress=progress)
    found = {one.source for one in memory.timeline(source=list(paths))}
    failed = {source for source, _ in report.failed}
    return {
        "added": report.added,
        "found": sorted(found),
        # Of nothing in them is there anything new: sound that was heard under another name.
        "known": [
            path
            for path in paths
            if path not in found | failed and (again := memory.add([path])).unchanged
            if not again.added
        ],
        "failed": {
            source: [type(error).__name__, str(error), isinstance(error, SourceError)]
            for source, error in report.failed
        },
    }


def main(directory: str, options: str) -> None:
    """Serve batches until standard input ends."""
    config = Config.from_mapping(json.loads(options))
    _tell({"config": repr(dataclasses.asdict(config))})
    with Memory.open(directory, config) as memory:
        for line in sys.stdin:
            _tell({"results": _add(memory, json.loads(line))})


if __name__ == "__main__":
    main(*sys.argv[1:])
