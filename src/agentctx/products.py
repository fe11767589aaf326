"""Products of matrices that stay in one thread."""

import math

import numpy as np
from numpy.typing import NDArray

# Multiplications that OpenBLAS leaves to one thread (GEMM_MULTITHREAD_THRESHOLD, 4 * 65536).
_ONE_THREAD = 250_000


def product(left: NDArray[np.float32], right: NDArray[np.float32]) -> NDArray[np.float32]:
    """``left @ right``, float32 [n, d] by [d, m], in tiles that OpenBLAS shares among no threads.

    Its threads go on spinning for tens of milliseconds after a product that they have shared: on
    busy cores that is a hundred times what a small product takes.
    """
    (rows, depth), columns = left.shape, right.shape[1]
    # Nearly square, since each tile packs its rows and columns anew.
    edge = max(math.isqrt(_ONE_THREAD // max(depth, 1)), 1)
    width = max(math.ceil(columns / math.ceil(max(columns, 1) / edge)), 1)
    height = max(_ONE_THREAD // max(depth * width, 1), 1)
    found = np.empty((rows, columns), np.float32)
    for top in range(0, rows, height):
        for first in range(0, columns, width):
            tile = found[top : top + height, first : first + width]
            np.matmul(left[top : top + height], right[:, first : first + width], out=tile)
    return found
