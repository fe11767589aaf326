"""What speaks for and against a candidate besides its words: named signals, and their weights.

The weights were learned by a listwise linear model on LoCoMo, judged by leaving each conversation
out in turn; docs/architecture.md has what each is worth.
"""

import re
from collections.abc import Mapping
from functools import lru_cache

from agentctx.records import CONVERSATIONAL, Observation
from agentctx.retrieve.found import Found
from agentctx.words import telling

# A query's own words count most where the reranker, which knows meanings, is undecided.
WEIGHTS: Mapping[str, float] = {"rerank": 1.0, "words": 0.15, "reply": 0.06, "other speaker": -0.06}

# Who speaks, at the start of a turn: "Ann:", "Dr. Lee (remote):".
_SPEAKER = re.compile(r"\s*([^\W\d_][\w .'()-]{0,30}):\s")


def speaker(observation: Observation) -> str:
    """Who said it, in lower case; "" when that is not told."""
    named = observation.attributes.get("speaker")
    if isinstance(named, str):
        return named.lower()
    match = _SPEAKER.match(observation.text) if observation.modality in CONVERSATIONAL else None
    return match[1].lower() if match else ""


def replies(found: Mapping[int, Found]) -> dict[int, float]:
    """1 for what was said just after a question, by the candidate's key; else it is left out."""
    return {
        pk: 1.0
        for pk, candidate in found.items()
        for other, position in candidate.neighbours.items()
        if position == -1 and found[other].passage.text.rstrip().endswith("?")
    }


def other_speakers(
    question: str, observations: Mapping[int, Observation], found: Mapping[int, Found]
) -> dict[int, float]:
    """1 for what somebody else said than the one whom the question names, by the candidate's key.

    Nothing, when it names none of those who speak.
    """
    asked = set(telling(question))
    said = {pk: _names(speaker(observations[f.passage.observation_pk])) for pk, f in found.items()}
    if not any(names & asked for names in said.values()):
        return {}
    return {pk: 1.0 for pk, names in said.items() if names and not names & asked}


@lru_cache(maxsize=1024)
def _names(said_by: str) -> frozenset[str]:
    return frozenset(telling(said_by))


def combined(signals: Mapping[str, float], weights: Mapping[str, float]) -> float:
    """The signals of one candidate as its score, 0..1."""
    most = sum(weight for weight in weights.values() if weight > 0)
    total = sum(weights[name] * value for name, value in signals.items())
    return min(max(total / most, 0.0), 1.0) if most else 0.0
