"""Modality gap: do words, screens, speech and readings lie apart in a space that they share?

The distance between the centroids of two modalities (Liang et al., "Mind the Gap", 2022), how the
similarities of pairs are distributed, retrieval in both directions by the bare vectors, and the
first two principal components to look at. Vectors have length 1, so distances are within 0..2 and
similarities (cosines) within -1..1.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, combinations_with_replacement
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agentctx import encoding
from agentctx.app import Memory
from agentctx.config import DEFAULT_ENCODERS, Config
from agentctx.contracts import Encoder, TextEncoder
from agentctx.errors import QueryError
from agentctx.evaluate import metrics
from agentctx.evaluate.metrics import Estimate
from agentctx.memory.store import Store
from agentctx.records import Observation
from agentctx.services import SharedServices

_SEED = 20260314
# Observations of a modality that are looked at, and points of it that are drawn.
_MOST = 500
_DRAWN = 300
BINS = 40
Rows = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Distance:
    """How far the centroids of two modalities are from each other: 0..2."""

    one: str
    other: str
    centroids: float


@dataclass(frozen=True, slots=True)
class Similarities:
    """The cosines of pairs: mean, 5th, 50th and 95th percentile, counts in 40 bins of -1..1.

    ``kind``: "all" pairs of two modalities, or those that are "matching": query and answer.
    """

    one: str
    other: str
    kind: str
    pairs: int
    mean: float
    p5: float
    p50: float
    p95: float
    counts: Sequence[int] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Direction:
    """Who finds whom by the bare vectors alone, among ``candidates``."""

    query: str
    item: str
    questions: int
    candidates: int
    recall_at_1: Estimate
    recall_at_10: Estimate
    mrr: Estimate


@dataclass(frozen=True, slots=True)
class SpaceGap:
    """One space: its modalities with the number of vectors, and how they lie to each other.

    ``points``: (x, y) of vectors of each modality on the first two principal components, which
    hold the shares ``explained`` of the variance.
    """

    space: str
    modalities: Mapping[str, int]
    distances: Sequence[Distance]
    similarities: Sequence[Similarities]
    directions: Sequence[Direction]
    explained: tuple[float, float]
    points: Mapping[str, Sequence[tuple[float, float]]] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Gap:
    """The spaces of a memory or of a dataset in which there is anything."""

    spaces: Sequence[SpaceGap]


@dataclass(frozen=True, slots=True)
class Paired:
    """Rows of queries and of what they ask for, and which belong together: bool [n, m]."""

    query: str
    item: str
    similarities: Rows
    matching: NDArray[np.bool_]


def of_memory(directory: Path, config: Config) -> Gap:
    """The gap between the modalities of a memory; raises QueryError when it is empty."""
    with Memory.open(directory, config) as memory:
        seen = memory.timeline()
        if not seen:
            raise QueryError(f"there is nothing in the memory {directory} to look at")
        store = Store(directory.expanduser(), exact_limit=config.exact_limit, key=config.key)
        try:
            names = config.encoders or store.encoders() or DEFAULT_ENCODERS
        finally:
            store.close()
        text, others = encoding.load(SharedServices(config), names)
        sample = drawn(seen)
        return Gap(
            [
                measured(encoder.card.space, rows_of(encoder, text, sample))
                for encoder in (text, *others)
                if any(encoder.accepts(one) for one in sample)
            ]
        )


def drawn(seen: Sequence[Observation]) -> list[Observation]:
    """At most 500 observations of each modality, with a fixed seed, in the order given."""
    random = np.random.default_rng(_SEED)
    kept: list[int] = []
    for modality in sorted({one.modality for one in seen}):
        places = [n for n, one in enumerate(seen) if one.modality == modality]
        kept += random.permutation(places)[:_MOST].tolist()
    return [seen[n] for n in sorted(kept)]


def rows_of(encoder: Encoder, text: TextEncoder, sample: Sequence[Observation]) -> dict[str, Rows]:
    """The vectors of observations, those of each modality as a matrix."""
    found: dict[str, list[Rows]] = {}
    for one in sample:
        if encoder.accepts(one):
            found.setdefault(one.modality, []).append(one_of(encoder, text, one))
    return {modality: np.concatenate(rows) for modality, rows in sorted(found.items())}


def one_of(encoder: Encoder, text: TextEncoder, one: Observation) -> Rows:
    """The vectors of one observation's passages, as the memory keeps them: float32 [n, d]."""
    spans = text.split(one.text) or [(0, 0)]
    return encoder.encode(encoding.passages(encoder, text, one, spans)).vectors


def measured(space: str, rows: Mapping[str, Rows], pairs: Sequence[Paired] = ()) -> SpaceGap:
    """What there is to say of a space, from its vectors by modality and the pairs in it."""
    similarities = [
        _spread(one, other, "all", _crossed(rows[one], rows[other], same=one == other))
        for one, other in combinations_with_replacement(rows, 2)
    ]
    similarities += [
        _spread(pair.query, pair.item, "matching", pair.similarities[pair.matching])
        for pair in pairs
    ]
    points, explained = _components(rows)
    return SpaceGap(
        space,
        {name: len(found) for name, found in rows.items()},
        [
            Distance(one, other, _distance(rows[one], rows[other]))
            for one, other in combinations(rows, 2)
        ],
        [one for one in similarities if one.pairs],
        [direction for pair in pairs for direction in _directions(pair)],
        explained,
        points,
    )


def _distance(one: Rows, other: Rows) -> float:
    return float(np.linalg.norm(one.mean(axis=0) - other.mean(axis=0)))


def _crossed(one: Rows, other: Rows, *, same: bool) -> Rows:
    product = one[:_MOST] @ other[:_MOST].T
    # Of a modality with itself: no pair twice, and none with itself.
    return product[np.triu_indices(len(product), 1)] if same else product.ravel()


def _spread(one: str, other: str, kind: str, cosines: Rows) -> Similarities:
    if not len(cosines):
        return Similarities(one, other, kind, 0, 0.0, 0.0, 0.0, 0.0, [])
    counts, _ = np.histogram(np.clip(cosines, -1, 1), BINS, (-1, 1))
    p5, p50, p95 = np.percentile(cosines, (5, 50, 95)).tolist()
    return Similarities(
        one, other, kind, len(cosines), float(cosines.mean()), p5, p50, p95, counts.tolist()
    )


def _directions(pair: Paired) -> list[Direction]:
    return [
        _direction(pair.query, pair.item, pair.similarities, pair.matching),
        _direction(pair.item, pair.query, pair.similarities.T, pair.matching.T),
    ]


def _direction(query: str, item: str, cosines: Rows, matching: NDArray[np.bool_]) -> Direction:
    asked = np.flatnonzero(matching.any(axis=1))
    recalls_1, recalls_10, ranks = [], [], []
    for row in asked:
        found = np.argsort(-cosines[row], kind="stable").tolist()
        wanted = set(np.flatnonzero(matching[row]).tolist())
        recalls_1.append(metrics.recall(found, wanted, 1))
        recalls_10.append(metrics.recall(found, wanted, 10))
        ranks.append(metrics.reciprocal_rank(found, wanted))
    estimates = [metrics.estimate(values) for values in (recalls_1, recalls_10, ranks)]
    return Direction(query, item, len(asked), cosines.shape[1], *estimates)


def _components(
    rows: Mapping[str, Rows],
) -> tuple[dict[str, list[tuple[float, float]]], tuple[float, float]]:
    """The first two principal components, by the singular values of the centred vectors."""
    shown = {name: found[:_DRAWN] for name, found in rows.items()}
    matrix = np.concatenate(list(shown.values())).astype(np.float64)
    matrix -= matrix.mean(axis=0)
    _, values, axes = np.linalg.svd(matrix, full_matrices=False)
    # An axis may point either way: the larger part of it is made positive.
    axes = (
        axes[:2] * np.sign(axes[:2][range(len(axes[:2])), np.abs(axes[:2]).argmax(axis=1)])[:, None]
    )
    flat = np.zeros((len(matrix), 2))
    flat[:, : len(axes)] = matrix @ axes.T
    points, start = {}, 0
    for name, found in shown.items():
        part = flat[start : start + len(found)].round(4)
        points[name] = [(float(x), float(y)) for x, y in part]
        start += len(found)
    shares = np.zeros(2)
    total = float((values**2).sum())
    if total > 0:
        shares[: len(values[:2])] = values[:2] ** 2 / total
    return points, (round(float(shares[0]), 4), round(float(shares[1]), 4))
