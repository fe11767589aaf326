"""Abstention: is a question that nothing answers told from one that something does?

Two kinds of the former: gibberish, words made of letters drawn with a fixed seed, and questions
off the topic of the data, from a list of ours or one that the user gives. The score of a question
is that of its best hit, and 0 when nothing was found.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from agentctx.app import Memory
from agentctx.errors import SourceInvalid
from agentctx.evaluate import metrics
from agentctx.evaluate.datasets.reading import lines
from agentctx.evaluate.metrics import Estimate

_SEED = 20260314
# Questions of each kind that are put to one memory at most.
_MOST = 40
# The share of unanswerable questions that is to be refused when coverage is told.
_REFUSED = 0.95
_CONSONANTS, _VOWELS = "bcdfghjklmnpqrstvwxz", "aeiouy"

OFF_TOPIC = (
    "How many moons does Saturn have?",
    "Which enzyme unwinds the double helix of DNA?",
    "Who painted the ceiling of the Sistine Chapel?",
    "At what temperature does lead melt?",
    "What is the capital of Burkina Faso?",
    "Which treaty ended the Thirty Years' War?",
    "How is sourdough starter kept alive?",
    "What does the Coriolis effect do to trade winds?",
    "Which key has four flats in a major scale?",
    "How do bees tell each other where nectar is?",
    "Who proved the incompleteness theorems?",
    "What is the boiling point of liquid nitrogen?",
    "Why do leaves turn red in autumn?",
    "Which river flows through Baghdad?",
    "How does a Wankel engine work?",
    "Who wrote The Master and Margarita?",
    "What is the longest bone of the human body?",
    "Which dynasty built the Forbidden City?",
    "How many players are on a water polo team?",
    "What distinguishes a crocodile from an alligator?",
    "Which mineral is the hardest on the Mohs scale?",
    "How is a violin bow rehaired?",
    "When did the Roman Empire split in two?",
    "What makes concrete set under water?",
    "Which planet rotates on its side?",
    "How do vaccines with weakened viruses work?",
    "Who discovered the neutron?",
    "What is a haiku's pattern of syllables?",
    "Which desert is the driest on Earth?",
    "How does a sextant measure latitude?",
    "What causes the aurora borealis?",
    "Which country invented the printing of paper money?",
    "How long is the gestation of an elephant?",
    "What is the difference between a fugue and a canon?",
    "Which acid is in vinegar?",
    "How were the pyramids of Meroe built?",
    "Who was the first woman to win a Fields Medal?",
    "What is the Chandrasekhar limit?",
    "How do you castle in chess?",
    "Which language family does Basque belong to?",
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """How one kind of unanswerable question fares.

    ``refused``: the share for which nothing is found, as the memory is configured. ``auroc``: how
    probably an answerable question has the better score. ``coverage_at_95``: the share of
    answerable questions that stay when a bar on the score refuses 95 % of these.
    """

    kind: str
    questions: int
    refused: Estimate
    auroc: float
    coverage_at_95: float


@dataclass(frozen=True, slots=True)
class Abstention:
    """Answerable questions, the share of them that is refused, and each kind that should be."""

    answerable: int
    refused: Estimate
    kinds: Sequence[Refusal]


def gibberish(number: int, random: np.random.Generator) -> list[str]:
    """Questions of three to eight words that no language has.

    >>> gibberish(1, np.random.default_rng(1))
    ['gowex cuzupy kodop rivok zawop?']
    """
    return [
        " ".join(_word(random) for _ in range(random.integers(3, 9))) + "?" for _ in range(number)
    ]


def _word(random: np.random.Generator) -> str:
    letters = [
        (_VOWELS if place % 2 else _CONSONANTS)[
            random.integers(len(_VOWELS if place % 2 else _CONSONANTS))
        ]
        for place in range(random.integers(4, 9))
    ]
    return "".join(letters)


def questions_of(path: Path) -> list[str]:
    """Off-topic questions from a text file, one a line; raises SourceInvalid without any."""
    found = [line.strip() for _, line in lines(path)]
    if not found:
        raise SourceInvalid(path, "it has no question in it")
    return found


@dataclass(slots=True)
class AbstentionProbe:
    """Asks every memory of a dataset what it cannot answer."""

    off_topic: Sequence[str] = OFF_TOPIC
    _random: np.random.Generator = field(default_factory=lambda: np.random.default_rng(_SEED))
    _scores: dict[str, list[float]] = field(default_factory=dict)

    def ask(self, memory: Memory, answerable: Sequence[str]) -> None:
        """Put a collection's questions to its memory, and as many of each unanswerable kind."""
        number = min(len(answerable), _MOST)
        asked = self._random.permutation(len(answerable))[:number]
        off_topic = self._random.permutation(len(self.off_topic))[:number]
        kinds = {
            "answerable": [answerable[n] for n in asked],
            "gibberish": gibberish(number, self._random),
            "off topic": [self.off_topic[n] for n in off_topic],
        }
        for kind, questions in kinds.items():
            self._scores.setdefault(kind, []).extend(_score(memory, one) for one in questions)

    def result(self) -> Abstention | None:
        """The figures over all collections; None when no question was in words."""
        if not self._scores.get("answerable"):
            return None
        positive, *_ = self._scores.values()
        kinds = [
            Refusal(
                kind,
                len(scores),
                _refused(scores),
                metrics.auroc(positive, scores),
                metrics.coverage(positive, scores, _REFUSED),
            )
            for kind, scores in list(self._scores.items())[1:]
        ]
        return Abstention(len(positive), _refused(positive), kinds)


def _score(memory: Memory, question: str) -> float:
    hits = memory.search(question, 1)
    return hits[0].score if hits else 0.0


def _refused(scores: Sequence[float]) -> Estimate:
    return metrics.estimate([float(score == 0.0) for score in scores])
