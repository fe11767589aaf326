"""Products in tiles: the same numbers, in one thread."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentctx.products import product


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 700), st.integers(0, 400), st.integers(0, 150), st.integers(0, 9))
def test_a_product_in_tiles_is_the_product(rows: int, depth: int, columns: int, seed: int) -> None:
    dice = np.random.default_rng(seed)
    left = dice.standard_normal((rows, depth), np.float32)
    right = dice.standard_normal((depth, columns), np.float32)
    found = product(left, right)
    assert found.shape == (rows, columns)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, left @ right, atol=1e-3)


@pytest.mark.parametrize("columns", [8, 128])
def test_no_other_thread_works_on_it(columns: int) -> None:
    left, right = np.ones((4000, 384), np.float32), np.ones((384, columns), np.float32)
    time.sleep(0.3)  # until the threads of earlier products are asleep
    whole, own = time.process_time(), time.thread_time()
    for _ in range(10):
        product(left, right)
    whole, own = time.process_time() - whole, time.thread_time() - own
    assert whole - own < 0.2 * own + 0.01


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="matmul"):
        product(np.ones((2, 3), np.float32), np.ones((4, 2), np.float32))
