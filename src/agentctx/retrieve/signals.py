"""What speaks for and against a candidate besides its words: named signals, and their weights.

The weights of "rerank", "words", "reply" and "other speaker" were learned by a listwise linear
model on LoCoMo, judged by leaving each conversation out in turn; docs/architecture.md has what each
is worth. "seen" applies to pictures only, and the others where the question asks for them.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache

from agentctx.records import CONVERSATIONAL, Observation
from agentctx.retrieve.found import Found
from agentctx.retrieve.request import Place
from agentctx.words import telling

# A query's own words count most where the reranker, which knows meanings, is undecided.
WEIGHTS: Mapping[str, float] = {
    "rerank": 1.0,
    "seen": 1.0,
    "words": 0.15,
    "reply": 0.06,
    "other speaker": -0.06,
    "exact": 0.2,
    "speaker": 0.15,
    "without": -0.6,
    "told": 0.05,
    "near": 0.5,
    "event": 0.2,
}
# What is told of a time is often told a few days later.
_TOLD_AFTER = timedelta(days=7)

# What was there for a part of the asked time only loses at most so much.
_MISSED = 0.1

# Who speaks, at the start of a turn: "Ann:", "Dr. Lee (remote):".
_SPEAKER = re.compile(r"\s*([^\W\d_][\w .'()-]{0,30}):\s")


def speaker(observation: Observation) -> str:
    """Who said it, in lower case; "" when that is not told."""
    named = observation.attributes.get("speaker")
    if isinstance(named, str):
        return named.lower()
    match = _SPEAKER.match(observation.text) if observation.modality in CONVERSATIONAL else None
    return match[1].lower() if match else ""


def seen(fits: Mapping[int, float], reranked: Mapping[int, float]) -> dict[int, float]:
    """How much better a picture fits the question than the words on it do, by the key.

    With "rerank" it makes the better of the two, since what a picture shows need not be written.
    A fit is a likelihood, which is small where a reranker's score is not: its root is comparable.
    """
    roots = {pk: fit**0.5 - reranked.get(pk, 0.0) for pk, fit in fits.items()}
    return {pk: more for pk, more in roots.items() if more > 0}


def replies(found: Mapping[int, Found]) -> dict[int, float]:
    """1 for what was said just after a question, by the candidate's key; else it is left out."""
    return {
        pk: 1.0
        for pk, candidate in found.items()
        for other, position in candidate.neighbours.items()
        if position == -1 and found[other].passage.text.rstrip().endswith("?")
    }


def other_speakers(question: str, observations: Mapping[int, Observation]) -> dict[int, float]:
    """1 for what somebody else said than the one whom the question names, by the candidate's key.

    Nothing, when it names none of those who speak.
    """
    asked = set(telling(question))
    said = {pk: _names(speaker(one)) for pk, one in observations.items()}
    if not any(names & asked for names in said.values()):
        return {}
    return {pk: 1.0 for pk, names in said.items() if names and not names & asked}


def spoken_by(names: Sequence[str], observations: Mapping[int, Observation]) -> dict[int, float]:
    """1 for what one of those who are named said, by the candidate's key; else it is left out."""
    asked = frozenset(telling(" ".join(names)))
    return {pk: 1.0 for pk, one in observations.items() if _names(speaker(one)) & asked}


@lru_cache(maxsize=1024)
def _names(said_by: str) -> frozenset[str]:
    return frozenset(telling(said_by))


def quoting(phrases: Sequence[str], texts: Mapping[int, str]) -> dict[int, float]:
    """Which share of the quoted phrases a candidate has, by its key."""
    wanted = [" ".join(phrase.lower().split()) for phrase in phrases]
    found = {}
    for pk, text in texts.items():
        plain = " ".join(text.lower().split())
        if had := sum(phrase in plain for phrase in wanted):
            found[pk] = had / len(wanted)
    return found


def told(
    span: tuple[datetime | None, datetime | None], times: Mapping[int, Observation]
) -> dict[int, float]:
    """1 for what was captured in the span, less for what was soon after it, by the key."""
    since, until = span
    found = {}
    for pk, observation in times.items():
        when = observation.captured_at
        if since is not None and when < since:
            continue
        late = timedelta(0) if until is None else max(when - until, timedelta(0))
        if late < _TOLD_AFTER:
            found[pk] = 1.0 - late / _TOLD_AFTER
    return found


def nearness(place: Place, spans: Mapping[int, tuple[datetime, datetime]]) -> dict[int, float]:
    """1 for what was there all of the place's time, half at its reach, less beyond, by the key."""
    found = {}
    length = (place.end - place.start).total_seconds()
    for pk, (start, end) in spans.items():
        gap = max((start - place.end).total_seconds(), (place.start - end).total_seconds(), 0.0)
        both = (min(end, place.end) - max(start, place.start)).total_seconds()
        missed = 1.0 - max(both, 0.0) / length if length else 0.0
        found[pk] = place.reach / (place.reach + gap) * (1.0 - _MISSED * missed)
    return found


def combined(
    judged: Mapping[str, Mapping[int, float]], candidates: Collection[int]
) -> dict[int, float]:
    """The scores of candidates, 0..1, by the signals that were looked for, each by their keys."""
    most = sum(WEIGHTS[name] for name in judged if WEIGHTS[name] > 0)
    totals = dict.fromkeys(candidates, 0.0)
    for name, values in judged.items():
        for pk, value in values.items():
            totals[pk] += WEIGHTS[name] * value
    return {pk: min(max(t / most, 0.0), 1.0) if most else 0.0 for pk, t in totals.items()}
