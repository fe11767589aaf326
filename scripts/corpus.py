"""A corpus of damaged and hostile files, and what adding them to a memory does.

    python scripts/corpus.py list
    python scripts/corpus.py make DIRECTORY
    python scripts/corpus.py run --report REPORT.json [--each 9] [--seed 20260314] [--only TEXT]

``run`` adds every file through ``Memory.add`` in batches, between good files that must survive,
in a child process that is watched for crashes, hangs and its peak memory (with its children; Linux
only). It needs every extra, ends with 0 when nothing went wrong, and with 1 otherwise.
"""

import argparse
import json
import re
import statistics
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from corpus_parts.cases import SEED, Case, cases
from corpus_parts.pictures import saved, screen
from corpus_parts.watch import Outcome, Watched

_BATCH = 12
# The default, an hour, is for long recordings; what is observed for a minute here is given up.
# What was found by then is encoded, which takes as long as it takes: so a hang is much longer.
_CONFIG = '{"limits": {"work_seconds": 60}}'
_MOST_MB = 2048
_LONGEST_MESSAGE = 600
_SLOWEST = 15
# What a message of ours says to do; a message without any of these words leaves its reader alone.
_ADVICE = re.compile(
    r"\b(again|export|convert|repair|raise|allow|split|crop|scale|rename|save|write|call|name"
    r"|install|check|copy|cut|choose|separate|use)\b"
)


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("list", "make", "run"):
        command = commands.add_parser(name)
        command.add_argument("--each", type=int, default=9, help="mutations of each good file")
        command.add_argument("--seed", type=int, default=SEED)
        command.add_argument("--only", default="", help="cases with this in their names")
        if name == "make":
            command.add_argument("directory", type=Path)
        if name == "run":
            command.add_argument("--report", type=Path, required=True)
            command.add_argument("--hang", type=float, default=600.0, help="seconds for one file")
            command.add_argument("--config", default=_CONFIG, help="of the memory, as JSON")
    given = parser.parse_args()
    chosen = [case for case in cases(given.seed, given.each) if given.only in case.name]
    if given.command == "list":
        print("\n".join(case.name for case in chosen))
        return 0
    if given.command == "make":
        given.directory.mkdir(parents=True, exist_ok=True)
        for case in chosen:
            case.write(given.directory)
        return 0
    report = run(chosen, json.loads(given.config), given.hang)
    given.report.write_text(json.dumps({"seed": given.seed, **report}, indent=1), "utf-8")
    print(json.dumps({name: report[name] for name in ("summary", "wrong")}, indent=1))
    return 1 if report["wrong"] else 0


def run(chosen: Sequence[Case], options: Mapping[str, Any], hang_seconds: float) -> dict[str, Any]:
    """Add all cases, and tell what came of each."""
    started = time.monotonic()
    outcomes: dict[str, Outcome] = {}
    lost: list[str] = []
    with tempfile.TemporaryDirectory(prefix="corpus-") as place:
        directory = Path(place)
        child = Watched(directory / "memory", options, hang_seconds)
        for number, batch in enumerate(_batches(chosen)):
            good = _good(directory, number)
            waiting = [[*good[:2], *(str(case.write(directory)) for case in batch), *good[2:]]]
            while waiting:
                together = waiting.pop(0)
                done = child.run(together)
                for path in [path for path in together if path in done.outcomes]:
                    outcomes[Path(path).name] = done.outcomes[path]
                if not done.alive:
                    child.close()
                    child = Watched(directory / "memory", options, hang_seconds)
                    # What a batch leaves to be committed may be to blame: each one by itself.
                    if len(together) > 1:
                        waiting = [[path] for path in together]
            lost += [path for path in good if outcomes.pop(Path(path).name).kind != "added"]
            for case in batch:
                (directory / case.name).unlink()
                if complaint := _complaint(case.name, outcomes[case.name]):
                    print(f"{case.name}: {complaint}", file=sys.stderr)
            print(f"{len(outcomes)} of {len(chosen)}", file=sys.stderr, flush=True)
        code = child.close()
    return _report(outcomes, lost, code, time.monotonic() - started)


def _batches(chosen: Sequence[Case]) -> Iterator[Sequence[Case]]:
    for start in range(0, len(chosen), _BATCH):
        yield chosen[start : start + _BATCH]


def _good(directory: Path, number: int) -> list[str]:
    """Four good files that no other batch has."""
    files = {
        "first.md": f"The pump of batch {number} is warm.".encode(),
        "second.csv": b"time,flow\n" + b"".join(b"%d,%d\n" % (1773478800 + n, number + n)
                                                for n in range(60)),
        "third.srt": f"1\n00:00:01,000 --> 00:00:02,000\nBatch {number}.\n".encode(),
        "last.png": saved(screen(f"Batch {number}"), "PNG"),
    }  # fmt: skip
    paths = [directory / f"ok-{number}-{name}" for name in files]
    for path, data in zip(paths, files.values(), strict=True):
        path.write_bytes(data)
    return [str(path) for path in paths]


def _complaint(name: str, outcome: Outcome) -> str:
    """What is wrong with an outcome, empty when nothing is."""
    if outcome.kind not in ("added", "known", "error"):
        return f"{outcome.kind} {outcome.error} {outcome.message}"
    if outcome.peak_mb > _MOST_MB:
        return f"peak memory {outcome.peak_mb} MB"
    if outcome.kind != "error":
        return ""
    said = outcome.message
    if name not in said:
        return f"does not name the file: {said}"
    if len(said) > _LONGEST_MESSAGE or not said.isprintable():
        return f"too long, or not printable: {said[:_LONGEST_MESSAGE]!r}"
    if not _ADVICE.search(said.split(name, 1)[1]):
        return f"does not say what to do: {said}"
    return ""


def _formats(outcomes: Mapping[str, Outcome]) -> dict[str, dict[str, int]]:
    """What came of the files of each extension."""
    formats: dict[str, Counter[str]] = defaultdict(Counter)
    for name, outcome in outcomes.items():
        formats[Path(name).suffix][outcome.error or outcome.kind] += 1
    return {suffix: dict(formats[suffix]) for suffix in sorted(formats)}


def _report(
    outcomes: Mapping[str, Outcome], lost: Sequence[str], code: int, seconds: float
) -> dict[str, Any]:
    kinds = Counter(outcome.kind for outcome in outcomes.values())
    errors = Counter(outcome.error for outcome in outcomes.values() if outcome.error)
    complaints = {name: _complaint(name, outcome) for name, outcome in outcomes.items()}
    slowest = sorted(outcomes, key=lambda name: -outcomes[name].seconds)[:_SLOWEST]
    largest = sorted(outcomes, key=lambda name: -outcomes[name].peak_mb)[:_SLOWEST]
    wrong = {name: complaint for name, complaint in complaints.items() if complaint}
    wrong |= dict.fromkeys(lost, "a good file was lost")
    if code:
        wrong["the child"] = f"ended with {code}"
    summary = {
        "cases": len(outcomes),
        "outcomes": dict(kinds),
        "errors": dict(errors),
        "formats": _formats(outcomes),
        "decoder_crashes": sum("its decoder crashed" in one.message for one in outcomes.values()),
        "good_files_lost": len(lost),
        "peak_mb": max(outcome.peak_mb for outcome in outcomes.values()),
        "median_seconds": statistics.median(outcome.seconds for outcome in outcomes.values()),
        "slowest": {name: outcomes[name].seconds for name in slowest},
        "largest_mb": {name: outcomes[name].peak_mb for name in largest},
        "seconds": round(seconds, 1),
    }
    every = {name: asdict(outcome) for name, outcome in outcomes.items()}
    return {"summary": summary, "wrong": wrong, "cases": every}


if __name__ == "__main__":
    raise SystemExit(main())
