"""Modality gap: do words, screens, speech and readings lie apart in a space that they share?

The distance between the centroids of two modalities (Liang et al., "Mind the Gap", 2022), how the
similarities of pairs are distributed, retrieval in both directions by the bare vectors, and a
projection to look at; the same once more with each modality shifted by its mean, and what a search
makes of it. Vectors have length 1, so distances are within 0..2 and similarities (cosines) within
-1..1.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
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
from agentctx.evaluate.projection import projected
from agentctx.memory.store import Store
from agentctx.records import Observation
from agentctx.services import SharedServices

_SEED = 20260314
# Observations of a modality that are looked at.
_MOST = 500
BINS = 40
# As what is found: items of several modalities, among all of them.
ANY = "anything"
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
    """Who finds whom by the bare vectors alone, among ``candidates``.

    ``by``: what the best go by: their "cosine", or that made to compare, "calibrated".
    """

    query: str
    item: str
    questions: int
    candidates: int
    recall_at_1: Estimate
    recall_at_10: Estimate
    mrr: Estimate
    by: str = "cosine"


@dataclass(frozen=True, slots=True)
class SpaceGap:
    """One space: its modalities with the number of vectors, and how they lie to each other.

    ``points``: (x, y) of vectors of each modality on a plane, whose axes hold the shares
    ``explained`` of the variance. ``shifted``: the same with the mean of each modality taken away.
    """

    space: str
    modalities: Mapping[str, int]
    distances: Sequence[Distance]
    similarities: Sequence[Similarities]
    directions: Sequence[Direction]
    explained: tuple[float, float]
    points: Mapping[str, Sequence[tuple[float, float]]] = field(repr=False)
    shifted: "SpaceGap | None" = None


@dataclass(frozen=True, slots=True)
class Gap:
    """The spaces of a memory or of a dataset in which there is anything."""

    spaces: Sequence[SpaceGap]


@dataclass(frozen=True, slots=True)
class Paired:
    """Rows of queries and of what they ask for, and which belong together: bool [n, m].

    ``calibrated``: what a search goes by instead of the similarities, where items are of several
    modalities.
    """

    query: str
    item: str
    similarities: Rows
    matching: NDArray[np.bool_]
    calibrated: Rows | None = None


def of_memory(directory: Path, config: Config, projection: str = "pca") -> Gap:
    """The gap between the modalities of a memory; raises QueryError when it is empty.

    ``projection``: of the points, "pca" or "umap".
    """
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
                compared(encoder.card.space, rows_of(encoder, text, sample), by=projection)
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


def shift(rows: Rows, mean: Rows) -> Rows:
    """Vectors less a mean, of length 1 again; what is the mean itself stays of length 0."""
    moved = rows - mean
    found: Rows = moved / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-9)
    return found


def compared(
    space: str,
    rows: Mapping[str, Rows],
    pairs: Sequence[Paired] = (),
    shifted_pairs: Sequence[Paired] = (),
    by: str = "pca",
) -> SpaceGap:
    """What there is to say of a space, as it is and with each modality shifted by its mean."""
    moved = {name: shift(found, found.mean(axis=0)) for name, found in rows.items()}
    after = measured(space, moved, shifted_pairs, by)
    return replace(measured(space, rows, pairs, by), shifted=after)


def measured(
    space: str, rows: Mapping[str, Rows], pairs: Sequence[Paired] = (), by: str = "pca"
) -> SpaceGap:
    """What there is to say of a space, from its vectors by modality and the pairs in it."""
    similarities = [
        _spread(one, other, "all", _crossed(rows[one], rows[other], same=one == other))
        for one, other in combinations_with_replacement(rows, 2)
    ]
    similarities += [
        _spread(pair.query, pair.item, "matching", pair.similarities[pair.matching])
        for pair in pairs
        if pair.item != ANY
    ]
    points, explained = projected(rows, by)
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
    there = _direction(pair.query, pair.item, pair.similarities, pair.matching)
    if pair.item != ANY:
        return [there, _direction(pair.item, pair.query, pair.similarities.T, pair.matching.T)]
    if pair.calibrated is None:
        return [there]
    better = _direction(pair.query, pair.item, pair.calibrated, pair.matching)
    return [there, replace(better, by="calibrated")]


def _direction(query: str, item: str, cosines: Rows, matching: NDArray[np.bool_]) -> Direction:
    asked = np.flatnonzero(matching.any(axis=1))
    recalls_1, recalls_10, ranks = [], [], []
    for row in asked:
        found = np.argsort(-cosines[row], kind="stable").tolist()
        wanted = set(np.flatnonzero(matching[row]).tolist())
        recalls_1.append(metrics.recall(found, wanted, 1))
        recalls_10.append(metrics.recall(found, wanted, 10))
        ranks.append(metrics.reciprocal_rank(found, wanted))
    at_1, at_10, mrr = (metrics.estimate(values) for values in (recalls_1, recalls_10, ranks))
    return Direction(query, item, len(asked), cosines.shape[1], at_1, at_10, mrr)
