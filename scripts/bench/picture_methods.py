"""Ways to bind a classifier of photographs to a space of texts, for `pictures.py` to compare.

Each gives a matrix of scores [queries, photos] from the photos' features and logits, the vectors of
the queries, and of the classes' texts. Constants are chosen among a few on one half of the photos
and judged on the other, so that none is tuned to what it is measured on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]
SPLITS = 20
RESAMPLED = 2000


@dataclass(frozen=True, eq=False)
class Data:
    """What all methods are given.

    ``weight`` [1000, 1280] is the classifier's last layer; ``names`` and ``texts`` [1000, 384] are
    the vectors of the classes' names, and of names with what they are.
    """

    features: Matrix
    probabilities: Matrix
    weight: Matrix
    names: Matrix
    texts: Matrix


Method = Callable[..., Callable[[Data, Matrix], Matrix]]


def unit(rows: Matrix) -> Matrix:
    """Rows of length 1."""
    found: Matrix = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    return found


def conse(*, texts: str, most: int) -> Callable[[Data, Matrix], Matrix]:
    """Norouzi et al. (2014): the mean of the likeliest classes' vectors, by their probabilities."""

    def scores(data: Data, queries: Matrix) -> Matrix:
        shares = data.probabilities.copy()
        if most < shares.shape[1]:
            rest = np.argsort(-shares, axis=1)[:, most:]
            np.put_along_axis(shares, rest, 0.0, axis=1)
        return queries @ unit(shares @ getattr(data, texts)).T

    return scores


def ridge(*, texts: str, penalty: float) -> Callable[[Data, Matrix], Matrix]:
    """A linear map from the classifier's weight vectors to their texts' vectors, in closed form."""

    def scores(data: Data, queries: Matrix) -> Matrix:
        rows, target = unit(data.weight - data.weight.mean(axis=0)), getattr(data, texts)
        middle = target.mean(axis=0)
        kernel = rows @ rows.T + penalty * np.eye(len(rows), dtype=np.float32)
        mapped = data.features @ rows.T @ np.linalg.solve(kernel, target - middle)
        return unit(queries - middle) @ unit(mapped).T

    return scores


def mix(*, texts: str, penalty: float, share: float) -> Callable[[Data, Matrix], Matrix]:
    """Both vectors added, ``share`` of it ConSE's."""

    def scores(data: Data, queries: Matrix) -> Matrix:
        one = conse(texts=texts, most=10)(data, queries)
        two = ridge(texts=texts, penalty=penalty)(data, queries)
        return share * one + (1 - share) * two

    return scores


def classes(*, texts: str, temperature: float) -> Callable[[Data, Matrix], Matrix]:
    """The coefficient of Bhattacharyya of what is seen and what is asked for, over the classes."""

    def scores(data: Data, queries: Matrix) -> Matrix:
        cosines = queries @ getattr(data, texts).T / temperature
        asked = np.exp(cosines - cosines.max(axis=1, keepdims=True))
        asked /= asked.sum(axis=1, keepdims=True)
        found: Matrix = np.sqrt(asked) @ np.sqrt(data.probabilities).T
        return found

    return scores


METHODS: Mapping[str, tuple[Method, Mapping[str, tuple[object, ...]]]] = {
    "ConSE, names": (conse, {"texts": ("names",), "most": (1, 5, 10, 1000)}),
    "ConSE, names and what they are": (conse, {"texts": ("texts",), "most": (1, 5, 10, 1000)}),
    "ridge, names": (ridge, {"texts": ("names",), "penalty": (0.1, 1.0, 10.0)}),
    "ridge, names and what they are": (ridge, {"texts": ("texts",), "penalty": (0.1, 1.0, 10.0)}),
    "mix of both": (mix, {"texts": ("texts",), "penalty": (0.1, 1.0), "share": (0.5, 0.8, 0.9)}),
    "classes, names": (classes, {"texts": ("names",), "temperature": (0.02, 0.03, 0.05)}),
    "classes, names and what they are": (
        classes, {"texts": ("texts",), "temperature": (0.02, 0.03, 0.05)},
    ),
}  # fmt: skip


def ranks(scores: Matrix) -> NDArray[np.int64]:
    """How many photos come before the right one, for each query; the right one is its own."""
    right = np.diagonal(scores)[:, None]
    return (scores > right).sum(axis=1)


def recalls(places: NDArray[np.int64]) -> dict[str, list[float]]:
    """Recall at 1 and 5, each with the ends of its 95 % interval by resampling queries."""
    drawn = np.random.default_rng(0).integers(0, len(places), (RESAMPLED, len(places)))
    found = {}
    for depth in (1, 5):
        hit = places < depth
        low, high = np.percentile(hit[drawn].mean(axis=1), [2.5, 97.5])
        found[f"r@{depth}"] = [float(hit.mean()), float(low), float(high)]
    return found


def held_out(data: Data, queries: Mapping[str, Matrix]) -> dict[str, dict[str, object]]:
    """Every method's recalls by each kind of query, and the constants that were chosen most.

    In each of twenty splits the constants that find most by label and by paraphrase on one half of
    the queries are used for the other half. All photos are always searched.
    """
    report: dict[str, dict[str, object]] = {}
    for name, (method, grid) in METHODS.items():
        made = [dict(zip(grid, values, strict=True)) for values in product(*grid.values())]
        places = [
            {kind: ranks(method(**options)(data, rows)) for kind, rows in queries.items()}
            for options in made
        ]
        report[name] = _judged(made, places, list(queries))
    return report


def _judged(
    made: list[dict[str, object]],
    places: list[dict[str, NDArray[np.int64]]],
    kinds: list[str],
) -> dict[str, object]:
    count = len(next(iter(places[0].values())))
    random = np.random.default_rng(1)
    votes = np.zeros(len(made), int)
    sums = {kind: {1: np.zeros(count), 5: np.zeros(count)} for kind in kinds}
    for _ in range(SPLITS):
        order = random.permutation(count)
        for mine, others in ((order[::2], order[1::2]), (order[1::2], order[::2])):
            good = [np.mean([(of[k][others] < 1).mean() for k in ("label", "paraphrase")])
                    for of in places]  # fmt: skip
            best = int(np.argmax(good))
            votes[best] += 1
            for kind in kinds:
                for depth in (1, 5):
                    sums[kind][depth][mine] += places[best][kind][mine] < depth
    found: dict[str, object] = {"chosen": made[int(votes.argmax())]}
    drawn = np.random.default_rng(0).integers(0, count, (RESAMPLED, count))
    for kind in kinds:
        found[kind] = {}
        for depth in (1, 5):
            hit = sums[kind][depth] / SPLITS
            low, high = np.percentile(hit[drawn].mean(axis=1), [2.5, 97.5])
            found[kind][f"r@{depth}"] = [float(hit.mean()), float(low), float(high)]  # type: ignore[index]
    return found
