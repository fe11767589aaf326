"""The scan in a process of its own, for a process that has the memory open.

SQLite's locks are POSIX ones: a process that closes any descriptor of a file loses all that it
has on it. So who has a catalog open must not read through its file beside SQLite
(https://www.sqlite.org/howtocorrupt.html, 2.2).
"""

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from agentctx import processes
from agentctx.errors import AgentctxError, StoreError
from agentctx.memory.erasure.catalog import stored_media
from agentctx.memory.erasure.fingerprints import Fingerprints
from agentctx.memory.erasure.scan import ErasureReport, Finding, Progress, scan
from agentctx.memory.keys import Keys
from agentctx.memory.media import MediaStore
from agentctx.records import Media


def scan_apart(
    directory: Path,
    fingerprints: Fingerprints,
    progress: Progress | None = None,
    words: Sequence[str] = (),
    sealed: Iterable[Media] = (),
    keys: Keys | None = None,
) -> ErasureReport:
    """What `scan` gives, found by another process; that one asks the catalog what is stored.

    ``sealed`` and ``keys``: of an encrypted memory, whose catalog it cannot read.
    """
    request = {
        "directory": str(directory.absolute()),
        "fingerprints": fingerprints.to_text(),
        "words": list(words),
        "sealed": [(media.kind, media.mime, media.digest, media.size) for media in sealed],
        # Through a pipe: arguments and environments can be read by others.
        "keys": keys and {name: key.hex() for name, key in asdict(keys).items()},
    }
    with subprocess.Popen(
        processes.command(__name__),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        with process.stdin as stdin:
            json.dump(request, stdin)
        for line in process.stdout:
            message = json.loads(line)
            if "report" in message:
                return _report(message["report"])
            if "error" in message:
                raise StoreError(message["error"])
            if progress:
                progress(message["done"], message["total"])
    raise StoreError(f"the search through {directory} ended early: exit code {process.returncode}")


def _report(plain: Mapping[str, Any]) -> ErasureReport:
    findings = tuple(Finding(**finding) for finding in plain["findings"])
    lists = {name: tuple(plain[name]) for name in ("opaque", "vanished")}
    return ErasureReport(**{**plain, **lists, "findings": findings})


def main() -> int:
    """Answer one request on standard input, with lines of JSON."""
    request = json.load(sys.stdin)
    directory = Path(request["directory"])
    keys = request["keys"] and Keys(**{k: bytes.fromhex(v) for k, v in request["keys"].items()})
    media = MediaStore(directory / "media", keys)

    def say(**message: Any) -> None:  # noqa: ANN401
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()

    try:
        stored = [media.media(*row) for row in request["sealed"]]
        report = scan(
            directory,
            Fingerprints.from_text(request["fingerprints"]),
            lambda done, total: say(done=done, total=total),
            request["words"],
            stored if keys else stored_media(directory, media),
        )
    except AgentctxError as error:
        say(error=str(error))
        return 1
    say(report=asdict(report))
    return 0
