"""A fast part of the corpus of scripts/corpus.py, and that its watch notices what is wrong."""

import sys
from pathlib import Path

import pytest

from corpus import run
from corpus_parts.cases import Case, cases
from corpus_parts.watch import Outcome, Watched

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it watches through /proc")

# Small files, and none that takes a model to be judged.
LIES = (
    "lie-deep-3", "lie-deep-9", "lie-deep.", "lie-deep-h", "lie-nul", "lie-surrogate", "lie-boxes",
    "lie-huge-number.", "lie-footer", "lie-offsets", "lie-lies-0x0", "lie-rate-m", "lie-zip.",
    "lie-overlong",
)  # fmt: skip
SUFFIXES = {".csv", ".jsonl", ".parquet", ".feather", ".arrow", ".arrows", ".srt", ".vtt", ".json"}


def chosen() -> list[Case]:
    """A mutation of each table and transcript, and some lies of every kind."""
    return [
        case
        for case in cases(each=1)
        if case.name.startswith(LIES)
        or (
            Path(case.name).suffix in SUFFIXES
            and not case.name.startswith(("lie-", "good-", "disguised-", "spliced-"))
        )
    ]


def test_the_corpus_is_large_and_the_same_each_time() -> None:
    names = [case.name for case in cases()]
    assert len(names) >= 500
    assert len(set(names)) == len(names)
    first, again = ({case.name: case.make() for case in chosen()[::4]} for _ in range(2))
    assert first == again
    assert {case.name for case in cases(seed=2)} != set(names)


def test_nothing_crashes_hangs_or_takes_others_along() -> None:
    report = run(chosen(), {"limits": {"work_seconds": 30}}, hang_seconds=60)
    assert report["wrong"] == {}
    summary = report["summary"]
    assert summary["cases"] >= 40
    assert summary["good_files_lost"] == 0
    assert set(summary["outcomes"]) == {"added", "error"}
    assert summary["outcomes"]["error"] > 20


def add(memory: Path, options: dict[str, object], hang_seconds: float, name: str) -> Outcome:
    path = memory.with_name(name)
    path.write_text("The pump is warm.")
    child = Watched(memory, options, hang_seconds)
    done = child.run([str(path)])
    child.close()
    (outcome,) = done.outcomes.values()
    assert done.alive == (outcome.kind not in ("crash", "hang"))
    return outcome


def test_the_watch_notices(tmp_path: Path) -> None:
    assert add(tmp_path / "memory", {}, 1e-4, "b.txt").kind == "hang"
    assert add(tmp_path / "memory", {"no such": "option"}, 60, "c.txt").kind == "crash"
