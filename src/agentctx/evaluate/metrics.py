"""The figures that evaluations report, from plain lists of names and words."""

import re
from collections.abc import Collection, Hashable, Sequence
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


def estimate(values: Sequence[float]) -> Estimate:
    """The mean of at least one value, with a 95 % bootstrap interval (Efron, 1979).

    The values are drawn anew with replacement, 1,000 times and from a fixed seed; the interval
    is between the 2.5th and the 97.5th percentile of the means.
    """
    data = np.asarray(values, np.float64)
    random = np.random.default_rng(_SEED)
    means = data[random.integers(len(data), size=(_RESAMPLES, len(data)))].mean(axis=1)
    low, high = np.percentile(means, (2.5, 97.5))
    return Estimate(float(data.mean()), float(low), float(high))


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
