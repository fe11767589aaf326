"""Screens: does a task's description, in words, find a screenshot of that task?

``tasks.json`` lists the screenshots in its folder: ``file``, ``session`` (the recording it was
taken in) and ``task`` (what was being done). Only what is on the screens is searched.
"""

import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from agentctx.app import Memory
from agentctx.config import Config
from agentctx.errors import SourceInvalid
from agentctx.evaluate import metrics
from agentctx.evaluate.data import expecting, load
from agentctx.evaluate.first_stages import FirstStages
from agentctx.evaluate.metrics import Estimate, Latency
from agentctx.ingest import Progress

_DEPTH = 10


@dataclass(frozen=True, slots=True)
class ScreenScores:
    """How often a screenshot of the task is the first hit, or among 5; ``mrr`` is over 10 hits."""

    name: str
    found_at_1: Estimate
    found_at_5: Estimate
    mrr: Estimate


@dataclass(frozen=True, slots=True)
class TaskRank:
    """The rank of a task's first screenshot, by method; None when it is not in the first 10."""

    task: str
    ranks: Mapping[str, int | None]


@dataclass(frozen=True, slots=True)
class ScreensResult:
    """What the screens measure; ``seconds`` is what adding a screenshot takes (median)."""

    screens: int
    without_text: int
    tasks: Sequence[TaskRank]
    methods: Sequence[ScreenScores]
    seconds: float
    search: Latency


def evaluate(folder: Path, config: Config, progress: Progress) -> ScreensResult:
    """Measure with all screenshots of a folder in one memory.

    Raises SourceInvalid when tasks.json is no such list, and the error of a screenshot that
    cannot be added, since without it nothing that is counted would mean what it says.
    """
    listing = folder / "tasks.json"
    with expecting(listing, "a list of screenshots with file, session and task"):
        tasks = {str(folder / row["file"]): str(row["task"]) for row in load(listing)}
    if not tasks:
        raise SourceInvalid(listing, "it lists no screenshot")
    ranks: dict[str, dict[str, int | None]] = {task: {} for task in tasks.values()}
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary) / "memory"
        with Memory.open(directory, config) as memory:
            seconds: list[float] = []
            for file in tasks:
                progress(len(seconds), len(tasks), f"screens {Path(file).name}")
                seconds.append(_add(memory, file))
            progress(len(tasks), len(tasks), "screens")
            screens = memory.timeline()
            owners = {screen.id: tasks[screen.source] for screen in screens}
            timed = []
            memory.search("warm up")
            for task, row in ranks.items():
                started = time.perf_counter()
                hits = memory.search(task, _DEPTH)
                timed.append(time.perf_counter() - started)
                row["agentctx"] = _rank([owners[hit.id] for hit in hits], task)
        with FirstStages(directory, config) as stages:
            for task, row in ranks.items():
                # All passages, so that ten screens are found however many passages each has.
                dense = stages.dense(task, stages.passages)[:_DEPTH]
                row["dense (plain Chroma)"] = _rank([owners[id_] for id_ in dense], task)
    methods = list(next(iter(ranks.values())))
    return ScreensResult(
        screens=len(tasks),
        without_text=sum(not screen.text.strip() for screen in screens),
        tasks=[TaskRank(task, row) for task, row in ranks.items()],
        methods=[_scores(name, [row[name] for row in ranks.values()]) for name in methods],
        seconds=statistics.median(seconds),
        search=metrics.latency(timed),
    )


def _add(memory: Memory, file: str) -> float:
    started = time.perf_counter()
    report = memory.add(file)
    if report.failed:
        raise report.failed[0].error
    return time.perf_counter() - started


def _rank(found: Sequence[str], task: str) -> int | None:
    return found.index(task) + 1 if task in found else None


def _scores(name: str, ranks: Sequence[int | None]) -> ScreenScores:
    return ScreenScores(
        name,
        metrics.estimate([float(rank == 1) for rank in ranks]),
        metrics.estimate([float(rank is not None and rank <= 5) for rank in ranks]),
        metrics.estimate([0.0 if rank is None else 1.0 / rank for rank in ranks]),
    )
