"""Which of several hits somebody takes: a logistic model of choices, one weight for each signal.

The conditional logit (McFadden, 1974): of the hits that were compared, each is taken with a
probability in proportion to ``exp(SHARPNESS * score)``, where the score is the weighted sum of its
signals, as in a search. Only differences between hits of one question count, so that easy and hard
questions can be learned from alike. The weights are normally distributed around those that a search
has anyway, so that nothing changes without a reason; the best ones are found by Newton's method.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

# How surely the hit with the higher score is taken, and how far from the default a weight may
# well be; docs/reranking.md has the measurements.
SHARPNESS = 15.0
SPREAD = 0.1
_STEPS = 50
_CLOSE = 1e-8

Signals = Mapping[str, float]


def fit(
    choices: Sequence[Sequence[Signals]],
    defaults: Signals,
    *,
    sharpness: float = SHARPNESS,
    spread: float = SPREAD,
) -> dict[str, float]:
    """The weights of signals, by name, under which the choices are likely.

    A choice is the signals of the hit that was taken, then those of the hits that were not. What
    is no signal of any choice keeps its default. The same choices give the same weights.
    """
    names = sorted({name for choice in choices for one in choice for name in one})
    sets = [
        sharpness * np.array([[one.get(name, 0.0) for name in names] for one in choice], np.float64)
        for choice in choices
    ]
    start = np.array([defaults.get(name, 0.0) for name in names], np.float64)
    weights = start.copy()
    loss = _loss(weights, sets, start, spread)
    for _ in range(_STEPS):
        step = _step(weights, sets, start, spread)
        # Newton may go too far where probabilities are nearly 0 or 1.
        while (less := _loss(weights - step, sets, start, spread)) > loss + _CLOSE:
            step /= 2
        weights, loss = weights - step, less
        if np.abs(step).max(initial=0.0) < _CLOSE:
            break
    return {**defaults, **{n: round(float(w), 6) for n, w in zip(names, weights, strict=True)}}


def _loss(
    weights: NDArray[np.float64],
    sets: Sequence[NDArray[np.float64]],
    start: NDArray[np.float64],
    spread: float,
) -> float:
    scores = [rows @ weights for rows in sets]
    unlikely = sum(float(np.logaddexp.reduce(s) - s[0]) for s in scores)
    return unlikely + float(((weights - start) ** 2).sum()) / (2 * spread**2)


def _step(
    weights: NDArray[np.float64],
    sets: Sequence[NDArray[np.float64]],
    start: NDArray[np.float64],
    spread: float,
) -> NDArray[np.float64]:
    slope: NDArray[np.float64] = (weights - start) / spread**2
    curve: NDArray[np.float64] = np.eye(len(weights)) / spread**2
    for rows in sets:
        scores = rows @ weights
        chance: NDArray[np.float64] = np.exp(scores - scores.max())
        chance /= chance.sum()
        mean = chance @ rows
        slope += mean - rows[0]
        curve += (rows.T * chance) @ rows - np.outer(mean, mean)
    return np.asarray(np.linalg.solve(curve, slope), np.float64)
