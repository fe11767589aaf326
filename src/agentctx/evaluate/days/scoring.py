"""Whether what was found answers a question, and the figures over many of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import PurePath

import numpy as np

from agentctx.evaluate import metrics
from agentctx.evaluate.days.asking import COUNTS, GIBBERISH, OFF_TOPIC, TIME_TYPES, UNANSWERABLE
from agentctx.evaluate.days.records import Question, Target
from agentctx.evaluate.metrics import Estimate
from agentctx.records import Observation

DEPTH = 5
# What spans more than a right answer by this says too little about it: half a day that drifts.
_LOOSEST = timedelta(minutes=15)
_SEED = 20260314
_RESAMPLES = 1000


@dataclass(frozen=True, slots=True)
class Scores:
    """Shares of questions with a right observation among the first 5, and with all it takes.

    They differ where a question needs several: both screens of a change, or what was said and what
    was seen. ``unanswered`` counts the questions for which nothing was found.
    """

    questions: int
    unanswered: int
    any_at_5: Estimate
    all_at_5: Estimate


@dataclass(frozen=True, slots=True)
class Abstention:
    """How one type of unanswerable question fares: what share of them is refused, and how
    probably an answerable question has the better score than one of them (AUROC)."""

    questions: int
    refused: Estimate
    auroc: Estimate


@dataclass(frozen=True, slots=True)
class Outcome:
    """One question, asked in one way: which needs were met, and the best score, 0 for no hit."""

    question: Question
    met: Sequence[bool]
    found: int
    score: float


def file_of(source: str) -> str:
    """A source as a day names it, wherever the folder is: its last three parts."""
    return "/".join(PurePath(source).parts[-3:])


def answers(found: Observation, target: Target) -> bool:
    """Whether an observation is a right answer.

    It is when it comes from that file and channel and overlaps that span: by at least half of the
    shorter of the two, so that the next sentence is none, whose time was told a little early.
    """
    if file_of(found.source) != target.source:
        return False
    if target.channel and found.attributes.get("channel") != target.channel:
        return False
    lasting, wanted = found.ended_at - found.captured_at, target.end - target.start
    common = _overlap(found.captured_at, found.ended_at, target.start, target.end)
    return common >= min(lasting, wanted) / 2 and lasting <= wanted + _LOOSEST


def _overlap(start: datetime, end: datetime, since: datetime, until: datetime) -> timedelta:
    """How long both last together; negative when they are apart."""
    return min(end, until) - max(start, since)


def outcome(question: Question, found: Sequence[Observation], score: float) -> Outcome:
    """What the first 5 observations found are worth."""
    first = found[:DEPTH]
    met = [any(answers(one, target) for one in first for target in need) for need in question.needs]
    return Outcome(question, met, len(found), score)


def scores(outcomes: Sequence[Outcome]) -> Scores:
    """The means over answerable questions, at least one."""
    return Scores(
        len(outcomes),
        sum(one.found == 0 for one in outcomes),
        metrics.estimate([float(any(one.met)) for one in outcomes]),
        metrics.estimate([float(all(one.met)) for one in outcomes]),
    )


def by_type(outcomes: Sequence[Outcome]) -> Mapping[str, Scores]:
    """The scores of each type of answerable question that was asked, and of those on time."""
    groups = {type_: {type_} for type_ in COUNTS} | {"time, all": set(TIME_TYPES)}
    asked = {
        name: [one for one in outcomes if one.question.type in types]
        for name, types in groups.items()
    }
    return {name: scores(kept) for name, kept in asked.items() if kept}


def abstention(outcomes: Sequence[Outcome]) -> Mapping[str, Abstention]:
    """The figures of each type of unanswerable question, against all that have an answer."""
    positive = [one.score for one in outcomes if one.question.needs]
    groups = {type_: {type_} for type_ in UNANSWERABLE}
    groups |= {f"{OFF_TOPIC} and {GIBBERISH}": {OFF_TOPIC, GIBBERISH}}
    told = {}
    for name, types in groups.items():
        negative = [one.score for one in outcomes if one.question.type in types]
        if positive and negative:
            refused = metrics.estimate([float(score == 0.0) for score in negative])
            told[name] = Abstention(len(negative), refused, _auroc(positive, negative))
    return told


def _auroc(positive: Sequence[float], negative: Sequence[float]) -> Estimate:
    """The AUROC with a 95 % bootstrap interval: both sides drawn anew, from a fixed seed."""
    random = np.random.default_rng(_SEED)
    one, other = np.asarray(positive, np.float64), np.asarray(negative, np.float64)
    drawn = [
        metrics.auroc(
            random.choice(one, one.size).tolist(), random.choice(other, other.size).tolist()
        )
        for _ in range(_RESAMPLES)
    ]
    low, high = np.percentile(drawn, (2.5, 97.5))
    return Estimate(metrics.auroc(positive, negative), float(low), float(high))
