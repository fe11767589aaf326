"""LoCoMo: questions about long conversations, by the turns that hold the evidence.

Maharana et al., "Evaluating Very Long-Term Conversational Memory of LLM Agents" (2024). No
language model answers here: what is measured is whether the evidence is found. ``*.json``, one
conversation each, with ``turns`` (id, session, when, speaker, text, image_caption) and
``questions`` (question, category, evidence).
"""

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from agentctx.app import Memory
from agentctx.config import Config
from agentctx.errors import SourceInvalid, SourceNotFound
from agentctx.evaluate import metrics
from agentctx.evaluate.data import expecting, load
from agentctx.evaluate.first_stages import FirstStages
from agentctx.evaluate.metrics import Estimate, Latency
from agentctx.ingest import Progress
from agentctx.records import Observation

CATEGORIES = {1: "multi-hop", 2: "temporal", 3: "open-domain", 4: "single-hop", 5: "adversarial"}
# How far a ranking is looked at.
_DEPTH = 50
_TOP = 10
_WHEN = "%I:%M %p on %d %B, %Y"


@dataclass(frozen=True, slots=True)
class Question:
    """A question, its category's name, and the ids of the turns that hold the evidence."""

    text: str
    category: str
    evidence: frozenset[str]


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation as observations, the turn behind each of them, and the questions about it.

    ``skipped`` counts the questions that name no turn of the conversation as evidence.
    """

    name: str
    observations: Sequence[Observation]
    turns: Mapping[str, str]
    sessions: Mapping[str, str]
    questions: Sequence[Question]
    skipped: int


@dataclass(frozen=True, slots=True)
class Scores:
    """How well evidence is found; each figure is a mean over questions.

    Recall is the share of the evidence turns (of the evidence's sessions) that are among the
    first 10 or 50 turns; ``mrr`` goes by the rank of the first evidence turn in 50.
    ``unanswered`` counts the questions for which nothing was found.
    """

    questions: int
    unanswered: int
    recall_at_10: Estimate
    recall_at_50: Estimate
    mrr: Estimate
    session_recall_at_10: Estimate


@dataclass(frozen=True, slots=True)
class Method:
    """One way to search, scored over all questions and by category."""

    name: str
    overall: Scores
    categories: Mapping[str, Scores]


@dataclass(frozen=True, slots=True)
class LocomoResult:
    """What LoCoMo measures: agentctx first, then the baselines; ``search`` is at limit 10."""

    conversations: int
    turns: int
    questions: int
    skipped: int
    methods: Sequence[Method]
    search: Latency


@dataclass(frozen=True, slots=True)
class _Answer:
    """The figures of one question, by one method."""

    category: str
    found: int
    recall_at_10: float
    recall_at_50: float
    mrr: float
    session_recall_at_10: float


def evaluate(folder: Path, config: Config, progress: Progress) -> LocomoResult:
    """Measure on every conversation in a folder, each in a memory of its own.

    Raises SourceNotFound for a folder without any, SourceInvalid for a file that is none.
    """
    paths = sorted(folder.glob("*.json"))
    if not paths:
        raise SourceNotFound(folder, "there is no conversation (*.json) in it")
    conversations = [read(path) for path in paths]
    asked = sum(len(one.questions) for one in conversations)
    if not asked:
        raise SourceInvalid(folder, "no question in it names a turn as evidence")
    answers: dict[str, list[_Answer]] = {}
    seconds: list[float] = []
    for conversation in conversations:

        def asking(number: int, done: int = len(seconds), name: str = conversation.name) -> None:
            progress(done + number, asked, f"locomo {name}")

        with tempfile.TemporaryDirectory() as directory:
            seconds += _ask(conversation, Path(directory) / "memory", config, answers, asking)
    progress(asked, asked, "locomo")
    return LocomoResult(
        conversations=len(conversations),
        turns=sum(len(one.observations) for one in conversations),
        questions=asked,
        skipped=sum(one.skipped for one in conversations),
        methods=[_method(name, found) for name, found in answers.items()],
        search=metrics.latency(seconds),
    )


def read(path: Path) -> Conversation:
    """A conversation from its file; raises SourceInvalid when it is none."""
    data = load(path)
    with expecting(path, "a LoCoMo conversation (turns and questions)"):
        observations = [_observation(turn, index) for index, turn in enumerate(data["turns"])]
        sessions = {turn["id"]: turn["session"] for turn in data["turns"]}
        turns = {o.id: turn["id"] for o, turn in zip(observations, data["turns"], strict=True)}
        asked = [
            Question(
                question["question"],
                CATEGORIES.get(question["category"], f"category {question['category']}"),
                frozenset(question["evidence"]) & sessions.keys(),
            )
            for question in data["questions"]
        ]
    questions = [question for question in asked if question.evidence]
    return Conversation(
        path.stem, observations, turns, sessions, questions, len(asked) - len(questions)
    )


def _observation(turn: Mapping[str, Any], index: int) -> Observation:
    text = f"{turn['speaker']}: {turn['text']}"
    if turn.get("image_caption"):
        text += f" [shares a picture: {turn['image_caption']}]"
    # A session has one time for all its turns: a second each keeps their order.
    when = datetime.strptime(turn["when"], _WHEN).replace(tzinfo=UTC) + timedelta(seconds=index)
    return Observation(text=text, captured_at=when, session=turn["session"], source="chat")


def _ask(
    conversation: Conversation,
    directory: Path,
    config: Config,
    answers: dict[str, list[_Answer]],
    asking: Callable[[int], None],
) -> list[float]:
    """Put a conversation's questions to every method; gives the seconds of each search."""

    def note(method: str, question: Question, ids: Sequence[str]) -> None:
        found = [conversation.turns[id_] for id_ in ids]
        answers.setdefault(method, []).append(_score(question, found, conversation.sessions))

    seconds = []
    with Memory.open(directory, config) as memory:
        memory.add(conversation.observations)
        memory.search("warm up")
        for number, question in enumerate(conversation.questions):
            asking(number)
            started = time.perf_counter()
            memory.search(question.text, _TOP)
            seconds.append(time.perf_counter() - started)
            note("agentctx", question, [hit.id for hit in memory.search(question.text, _DEPTH)])
            fused = memory.search(question.text, _DEPTH, rerank=False)
            note("RRF, no rerank", question, [hit.id for hit in fused])
    with FirstStages(directory, config) as stages:
        for question in conversation.questions:
            note("BM25", question, stages.bm25(question.text, _DEPTH))
            note("dense (plain Chroma)", question, stages.dense(question.text, _DEPTH))
    return seconds


def _score(question: Question, found: Sequence[str], sessions: Mapping[str, str]) -> _Answer:
    return _Answer(
        question.category,
        len(found),
        metrics.recall(found, question.evidence, _TOP),
        metrics.recall(found, question.evidence, _DEPTH),
        metrics.reciprocal_rank(found, question.evidence),
        metrics.recall(
            [sessions[turn] for turn in found], {sessions[turn] for turn in question.evidence}, _TOP
        ),
    )


def _method(name: str, answers: Sequence[_Answer]) -> Method:
    categories = {
        category: _scores([answer for answer in answers if answer.category == category])
        for category in sorted({answer.category for answer in answers})
    }
    return Method(name, _scores(answers), categories)


def _scores(answers: Sequence[_Answer]) -> Scores:
    return Scores(
        len(answers),
        sum(answer.found == 0 for answer in answers),
        metrics.estimate([answer.recall_at_10 for answer in answers]),
        metrics.estimate([answer.recall_at_50 for answer in answers]),
        metrics.estimate([answer.mrr for answer in answers]),
        metrics.estimate([answer.session_recall_at_10 for answer in answers]),
    )
