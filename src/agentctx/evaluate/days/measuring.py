"""The evaluation over working days: all of them in one memory, each day a session of its own."""

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from agentctx.app import Memory
from agentctx.config import Config
from agentctx.errors import SourceNotFound
from agentctx.evaluate import metrics
from agentctx.evaluate.days.files import read
from agentctx.evaluate.days.records import Day, Question, Target
from agentctx.evaluate.days.scoring import (
    DEPTH,
    Abstention,
    Outcome,
    Scores,
    abstention,
    by_type,
    file_of,
    outcome,
    scores,
)
from agentctx.evaluate.first_stages import FirstStages
from agentctx.evaluate.metrics import Latency
from agentctx.ingest import Progress
from agentctx.records import Hit, Observation

# Passages that a baseline reads: those of five observations, however many each has.
_PASSAGES = 20

Way = Callable[[Question], list[Hit]]


@dataclass(frozen=True, slots=True)
class Method:
    """One way to search: over all questions that have an answer, by type, and abstention.

    A baseline's scores do not compare between questions; it has no figures for abstention.
    """

    name: str
    overall: Scores
    types: Mapping[str, Scores]
    abstention: Mapping[str, Abstention]


@dataclass(frozen=True, slots=True)
class Failure:
    """A question that was not answered in full: what was expected, and what was found instead."""

    id: str
    type: str
    text: str
    now: str
    expected: Sequence[Sequence[str]]
    met: Sequence[bool]
    found: Sequence[str]


@dataclass(frozen=True, slots=True)
class DaysResult:
    """What working days measure; ``failures`` are those of each method that searches a memory.

    ``word_error_rate``: of the recordings, against what was said in them; None without any.
    ``adding_seconds``: what it took to put everything into the memory, None when that was there
    already. ``search``: how long the first method took.
    """

    days: int
    screens: int
    clips: int
    channels: int
    observations: int
    questions: int
    unanswerable: int
    methods: Sequence[Method]
    failures: Mapping[str, Sequence[Failure]]
    word_error_rate: float | None
    adding_seconds: float | None
    search: Latency


def evaluate(
    folder: Path, config: Config, progress: Progress, memory: Path | None = None
) -> DaysResult:
    """Measure on the days in a folder.

    They are kept in a memory, in a directory of the folder that is named after what would make
    another memory of them, or in ``memory``: a second evaluation does not read and hear them
    again. Raises SourceNotFound or SourceInvalid, and the error of a file that cannot be added.
    """
    days = read(folder)
    # What is measured are searches; and nothing of old days may be forgotten meanwhile.
    config = replace(config, key=None, retention={}, keep_originals=False)
    directory = memory or folder / f".memory-{fingerprint(config)}"
    questions = [question for day in days for question in day.questions]
    with Memory.open(directory, config) as opened:
        seconds = _fill(opened, folder, days, progress)
        opened.search("warm up")
        ways = _ways(opened)
        asked = {name: _Asked(name, way) for name, way in ways.items()}
        for number, question in enumerate(questions):
            progress(number, len(questions), "days: questions")
            for one in asked.values():
                one.ask(question)
        rate = _word_error_rate(opened, folder, days)
        everything = {one.id: one for one in opened.timeline()}
    answerable = [question for question in questions if question.needs]
    baselines = _baselines(directory, config, answerable, everything)
    progress(len(questions), len(questions), "days")
    first = next(iter(asked.values()))
    return DaysResult(
        days=len(days),
        screens=sum(len(day.screens) for day in days),
        clips=sum(len(day.clips) for day in days),
        channels=sum(len(day.channels) for day in days),
        observations=len(everything),
        questions=len(answerable),
        unanswerable=len(questions) - len(answerable),
        methods=[*(one.method() for one in asked.values()), *baselines],
        failures={name: one.failures for name, one in asked.items()},
        word_error_rate=rate,
        adding_seconds=seconds,
        search=metrics.latency(first.seconds),
    )


def fingerprint(config: Config) -> str:
    """A name for everything in a config that what is added depends on."""
    told = [config.plugins, config.encoders, config.options, config.weights]
    packed = json.dumps(told, sort_keys=True, default=str)
    return hashlib.sha256(packed.encode()).hexdigest()[:12]


def _ways(memory: Memory) -> Mapping[str, Way]:
    """The searches that are compared: as it is, and with a question taken as words only."""
    return {
        "agentctx": lambda q: memory.search(q.text, DEPTH, now=q.now),
        "agentctx, plan off": lambda q: memory.search(q.text, DEPTH, now=q.now, plan=False),
    }


class _Asked:
    """One way to search, with what came of each question."""

    def __init__(self, name: str, way: Way) -> None:
        self._name = name
        self._way = way
        self.outcomes: list[Outcome] = []
        self.failures: list[Failure] = []
        self.seconds: list[float] = []

    def ask(self, question: Question) -> None:
        started = time.perf_counter()
        hits = self._way(question)
        self.seconds.append(time.perf_counter() - started)
        found = [hit.observation for hit in hits]
        came = outcome(question, found, hits[0].score if hits else 0.0)
        self.outcomes.append(came)
        if not all(came.met):
            self.failures.append(_failure(came, found))

    def method(self) -> Method:
        return _method(self._name, self.outcomes, abstention(self.outcomes))


def _method(name: str, outcomes: Sequence[Outcome], told: Mapping[str, Abstention]) -> Method:
    answerable = [one for one in outcomes if one.question.needs]
    return Method(name, scores(answerable), by_type(answerable), told)


def _failure(came: Outcome, found: Sequence[Observation]) -> Failure:
    question = came.question
    expected = [[_place(target) for target in need] for need in question.needs]
    shown = [
        f"{file_of(one.source)} {one.attributes.get('channel', '')} "
        f"{one.captured_at:%H:%M:%S}-{one.ended_at:%H:%M:%S} {one.text[:80]!r}"
        for one in found
    ]
    now = question.now.isoformat()
    return Failure(question.id, question.type, question.text, now, expected, came.met, shown)


def _place(target: Target) -> str:
    return f"{target.source} {target.channel} {target.start:%H:%M:%S}-{target.end:%H:%M:%S}"


def _fill(memory: Memory, folder: Path, days: Sequence[Day], progress: Progress) -> float | None:
    """Add what is not there yet; gives the seconds, None when all of it was."""
    started, added = time.perf_counter(), 0
    files = {
        day.name: [
            folder / file
            for file in (*(s.file for s in day.screens), *(c.file for c in day.clips), day.log)
        ]
        for day in days
    }
    for path in (path for paths in files.values() for path in paths):
        if not path.is_file():
            raise SourceNotFound(path, "its day names it, but it is gone; make the set again")
    for day in days:

        def tell(done: int, total: int, name: str, day: Day = day) -> None:
            progress(done, total, f"days: {day.name} {Path(name).name}")

        report = memory.add(files[day.name], session=day.name, progress=tell)
        if report.failed:
            raise report.failed[0].error
        added += report.added
    return time.perf_counter() - started if added else None


def _baselines(
    directory: Path,
    config: Config,
    questions: Sequence[Question],
    everything: Mapping[str, Observation],
) -> list[Method]:
    with FirstStages(directory, config) as stages:
        ways = {"BM25": stages.bm25, "dense (plain Chroma)": stages.dense}
        came = {
            name: [
                outcome(question, [everything[id_] for id_ in way(question.text, _PASSAGES)], 0.0)
                for question in questions
            ]
            for name, way in ways.items()
        }
    return [_method(name, outcomes, {}) for name, outcomes in came.items()]


def _word_error_rate(memory: Memory, folder: Path, days: Sequence[Day]) -> float | None:
    wrong = total = 0
    for clip in (clip for day in days for clip in day.clips):
        said = metrics.spoken_words(" ".join(sentence.text for sentence in clip.sentences))
        heard = memory.timeline(source=str(folder / clip.file))
        told = metrics.spoken_words(" ".join(one.text for one in heard))
        wrong += metrics.edits(said, told)
        total += len(said)
    return wrong / total if total else None
