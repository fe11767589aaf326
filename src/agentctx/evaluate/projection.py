"""Vectors of several modalities on a plane, to look at."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from agentctx.extras import require

Rows = NDArray[np.float32]
Points = Mapping[str, list[tuple[float, float]]]

PROJECTIONS = ("pca", "umap")
# Vectors of a modality that are drawn.
_DRAWN = 300
_SEED = 20260314


def projected(rows: Mapping[str, Rows], by: str = "pca") -> tuple[Points, tuple[float, float]]:
    """The first 300 vectors of each modality as points (x, y), and what share each axis explains.

    ``by``: "pca" is the first two principal components; "umap" keeps neighbours together (McInnes,
    Healy & Melville, 2018; extra ``umap``), and its axes explain nothing: their shares are 0.
    """
    shown = {name: found[:_DRAWN] for name, found in rows.items()}
    matrix = np.concatenate(list(shown.values())).astype(np.float64)
    flat, explained = _umap(matrix) if by == "umap" else _components(matrix)
    points, start = {}, 0
    for name, found in shown.items():
        part = flat[start : start + len(found)].round(4)
        points[name] = [(float(x), float(y)) for x, y in part]
        start += len(found)
    return points, explained


def _components(matrix: NDArray[np.float64]) -> tuple[NDArray[np.float64], tuple[float, float]]:
    """The first two principal components, by the singular values of the centred vectors."""
    matrix = matrix - matrix.mean(axis=0)
    _, values, axes = np.linalg.svd(matrix, full_matrices=False)
    # An axis may point either way: the larger part of it is made positive.
    axes = (
        axes[:2] * np.sign(axes[:2][range(len(axes[:2])), np.abs(axes[:2]).argmax(axis=1)])[:, None]
    )
    flat = np.zeros((len(matrix), 2))
    flat[:, : len(axes)] = matrix @ axes.T
    shares = np.zeros(2)
    total = float((values**2).sum())
    if total > 0:
        shares[: len(values[:2])] = values[:2] ** 2 / total
    return flat, (round(float(shares[0]), 4), round(float(shares[1]), 4))


def _umap(matrix: NDArray[np.float64]) -> tuple[NDArray[np.float64], tuple[float, float]]:
    umap = require("umap", extra="umap")
    if len(matrix) < 4:  # it looks for two neighbours of each, and for a plane among all
        return _components(matrix)[0], (0.0, 0.0)
    # One thread: with a seed it uses no more, and would say so in a warning.
    neighbours = min(15, len(matrix) - 1)
    reducer = umap.UMAP(n_neighbors=neighbours, metric="cosine", random_state=_SEED, n_jobs=1)
    return np.asarray(reducer.fit_transform(matrix), np.float64), (0.0, 0.0)
