"""Points laid out by neighbours, with the library that does it."""

import numpy as np
import pytest

pytest.importorskip("umap", reason="needs umap-learn: pip install 'agentctx[umap]'")

from agentctx.evaluate.projection import projected

# It is compiled when it is first used.
pytestmark = pytest.mark.timeout(300)


def cloud(seed: int, count: int) -> "np.ndarray[tuple[int, int], np.dtype[np.float32]]":
    random = np.random.default_rng(seed)
    rows = random.normal(size=(count, 6)) + 3 * random.normal(size=6)
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def test_neighbours_are_kept_together() -> None:
    rows = {"picture": cloud(1, 30), "text": cloud(2, 20)}
    points, explained = projected(rows, "umap")
    assert explained == (0.0, 0.0)
    assert points == projected(rows, "umap")[0]
    one, other = (np.array(points[name]) for name in rows)
    assert (len(one), len(other)) == (30, 20)
    apart = np.linalg.norm(one.mean(axis=0) - other.mean(axis=0))
    assert apart > max(one.std(axis=0).max(), other.std(axis=0).max())


def test_a_few_points_need_no_neighbours() -> None:
    found, _ = projected({"picture": cloud(1, 2), "text": cloud(2, 1)}, "umap")
    assert [len(points) for points in found.values()] == [2, 1]
