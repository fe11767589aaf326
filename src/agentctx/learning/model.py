"""Which of several hits somebody takes: a logistic model of choices, one weight for each signal.

The conditional logit (McFadden, 1974): of the hits that were compared, each is taken with a
probability in proportion to ``exp(SHARPNESS * score)``, where the score is that of the search and
what the weights of signals add to it. Only differences between hits of one question count, so that
easy and hard questions can be learned from alike. The weights are normally distributed around 0, so
that nothing changes without a reason; the best ones are found by Newton's method.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# How surely the hit with the higher score is taken (the likeliest value for LoCoMo's evidence), and
# how far a weight may well be from its default; docs/reranking.md has the measurements.
SHARPNESS = 15.0
SPREAD = 0.05
_STEPS = 50
_CLOSE = 1e-8


@dataclass(frozen=True, slots=True)
class Option:
    """A hit that somebody can choose: its score in the search, and its signals by name."""

    score: float
    signals: Mapping[str, float]


@dataclass(frozen=True, slots=True, eq=False)
class _Choice:
    """Scores [n] and signals [n, names] of the options, the one that was taken first."""

    scores: NDArray[np.float64]
    signals: NDArray[np.float64]


def fit(
    choices: Sequence[Sequence[Option]], *, sharpness: float = SHARPNESS, spread: float = SPREAD
) -> dict[str, float]:
    """What to add to the weights of signals, by name, to make the choices likely.

    Each choice begins with the option that was taken. The same choices give the same weights.
    """
    names = sorted({name for options in choices for one in options for name in one.signals})
    sets = [
        _Choice(
            sharpness * np.array([one.score for one in options], np.float64),
            sharpness
            * np.array([[one.signals.get(n, 0.0) for n in names] for one in options], np.float64),
        )
        for options in choices
    ]
    weights = np.zeros(len(names), np.float64)
    loss = _loss(weights, sets, spread)
    for _ in range(_STEPS):
        step = _step(weights, sets, spread)
        # Newton may go too far where probabilities are nearly 0 or 1.
        while (less := _loss(weights - step, sets, spread)) > loss + _CLOSE:
            step /= 2
        weights, loss = weights - step, less
        if np.abs(step).max(initial=0.0) < _CLOSE:
            break
    return {name: round(float(w), 6) for name, w in zip(names, weights, strict=True)}


def _loss(weights: NDArray[np.float64], sets: Sequence[_Choice], spread: float) -> float:
    scores = [one.scores + one.signals @ weights for one in sets]
    unlikely = sum(float(np.logaddexp.reduce(s) - s[0]) for s in scores)
    return unlikely + float((weights**2).sum()) / (2 * spread**2)


def _step(
    weights: NDArray[np.float64], sets: Sequence[_Choice], spread: float
) -> NDArray[np.float64]:
    slope = weights / spread**2
    curve = np.eye(len(weights)) / spread**2
    for one in sets:
        scores = one.scores + one.signals @ weights
        chance = np.exp(scores - scores.max())
        chance /= chance.sum()
        mean = chance @ one.signals
        slope += mean - one.signals[0]
        curve += (one.signals.T * chance) @ one.signals - np.outer(mean, mean)
    return np.asarray(np.linalg.solve(curve, slope), np.float64)
