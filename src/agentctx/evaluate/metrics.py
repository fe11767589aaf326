"""The figures that evaluations report, from plain lists of names and words."""

import re
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

Name = TypeVar("Name", bound=Hashable)

_RESAMPLES = 1000
_SEED = 20260314


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean, with the bounds of its 95 % interval."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        """As in ``0.800 (0.774 to 0.825)``."""
        return f"{self.mean:.3f} ({self.low:.3f} to {self.high:.3f})"


@dataclass(frozen=True, slots=True)
class Latency:
    """How long calls took, in milliseconds: the median, and what 95 % of them stay below."""

    calls: int
    p50_ms: float
    p95_ms: float

    def __str__(self) -> str:
        """As in ``p50 21 ms, p95 34 ms``."""
        return f"p50 {self.p50_ms:.0f} ms, p95 {self.p95_ms:.0f} ms"


def recall(found: Sequence[Name], wanted: Collection[Name], depth: int) -> float:
    """The share of what is wanted among the first ``depth`` found: 0..1.

    >>> recall(["a", "b", "c"], {"a", "c"}, depth=2)
    0.5
    """
    return len(set(found[:depth]) & set(wanted)) / len(set(wanted))


def reciprocal_rank(found: Sequence[Name], wanted: Collection[Name]) -> float:
    """1 over the rank of the first that is wanted, 0 when none is.

    >>> reciprocal_rank(["a", "b", "c"], {"b", "c"})
    0.5
    """
    return next((1.0 / rank for rank, name in enumerate(found, start=1) if name in wanted), 0.0)


def success(found: Sequence[Name], wanted: Collection[Name], depth: int) -> float:
    """1 when any that is wanted is among the first ``depth`` found, otherwise 0.

    >>> success(["a", "b", "c"], {"b"}, depth=1), success(["a", "b", "c"], {"b"}, depth=2)
    (0.0, 1.0)
    """
    return float(not set(wanted).isdisjoint(found[:depth]))


def ndcg(found: Sequence[Name], grades: Mapping[Name, int], depth: int) -> float:
    """The discounted gain of the first ``depth`` found over that of the best order: 0..1.

    A grade counts as it is, over log2(1 + rank) (Järvelin & Kekäläinen, 2002); so do trec_eval's
    ``ndcg_cut`` and BEIR. What is found twice counts once. At least one grade is above 0.

    >>> round(ndcg(["b", "x", "a"], {"a": 2, "b": 1}, depth=10), 3)
    0.76
    """
    best = sorted((grade for grade in grades.values() if grade > 0), reverse=True)
    gains = [grades.get(name, 0) for name in dict.fromkeys(found)]
    return _discounted(gains[:depth]) / _discounted(best[:depth])


def _discounted(gains: Sequence[int]) -> float:
    ranks = np.arange(2, len(gains) + 2)
    return float(np.sum(np.maximum(gains, 0) / np.log2(ranks))) if len(gains) else 0.0


def auroc(positive: Sequence[float], negative: Sequence[float]) -> float:
    """How probably a positive's score is above a negative's, a tie counting half: 0..1.

    The area under the ROC curve, as the statistic of Mann & Whitney (1947). Each has at least one
    score.

    >>> auroc([0.9, 0.5], [0.5, 0.1])
    0.875
    """
    order = np.sort(np.asarray(negative, np.float64))
    below = np.searchsorted(order, positive, "left")
    until = np.searchsorted(order, positive, "right")
    return float(np.mean(below + until) / (2 * len(order)))


def coverage(positive: Sequence[float], negative: Sequence[float], refused: float) -> float:
    """The share of positives left above the lowest bar that keeps ``refused`` of the negatives out.

    The bar is one of the scores: what is not above it is refused, and so is a tie with it.

    >>> coverage([0.9, 0.8, 0.3], [0.1, 0.2, 0.3, 0.85], refused=0.75)
    0.6666666666666666
    """
    order = np.sort(np.asarray(negative, np.float64))
    bar = order[max(int(np.ceil(refused * len(order))) - 1, 0)]
    return float(np.mean(np.asarray(positive, np.float64) > bar))


def estimate(values: Sequence[float]) -> Estimate:
    """The mean of at least one value, with a 95 % bootstrap interval (Efron, 1979).

    The values are drawn anew with replacement, 1,000 times and from a fixed seed; the interval
    is between the 2.5th and the 97.5th percentile of the means. For two methods on the same
    questions, the estimate of their differences, question by question, is the paired bootstrap.
    """
    data = np.asarray(values, np.float64)
    random = np.random.default_rng(_SEED)
    means = np.concatenate(
        [
            data[random.integers(len(data), size=(rows, len(data)))].mean(axis=1)
            for rows in _parts(len(data))
        ]
    )
    low, high = np.percentile(means, (2.5, 97.5))
    return Estimate(float(data.mean()), float(low), float(high))


def _parts(values: int) -> Iterator[int]:
    """Resamples to be drawn at once: all at once would be 8 kB for each of many values."""
    most = max(1_000_000 // values, 1)
    for done in range(0, _RESAMPLES, most):
        yield min(most, _RESAMPLES - done)


def latency(seconds: Sequence[float]) -> Latency:
    """The percentiles of at least one duration, given in seconds."""
    p50, p95 = np.percentile(np.asarray(seconds) * 1e3, (50, 95))
    return Latency(len(seconds), float(p50), float(p95))


def spoken_words(text: str) -> list[str]:
    """A text as the words heard: lower case, without punctuation, figures as they are written.

    >>> spoken_words("Don't stop: pump-A, 3 bar!")
    ['dont', 'stop', 'pump', 'a', '3', 'bar']
    """
    return re.findall(r"\w+", re.sub(r"['’]", "", text.lower()))


def edits(reference: Sequence[str], heard: Sequence[str]) -> int:
    """The fewest words to change, leave out or put in to get from one to the other.

    Levenshtein's distance over words; over the number of words in ``reference`` it is the word
    error rate.

    >>> edits("the pump is leaking".split(), "a pump leaking badly".split())
    3
    """
    other = np.array(heard, object)
    places = np.arange(len(heard) + 1)
    row = places
    for word in reference:
        kept = np.minimum(row[1:] + 1, row[:-1] + (other != word))
        row = np.concatenate([row[:1] + 1, kept])
        # Words put in, for the whole row at once: each costs one more than its left neighbour.
        row = np.minimum.accumulate(row - places) + places
    return int(row[-1])
