"""Token vectors for late interaction, small enough to be stored for every passage.

A random projection keeps angles well enough for a maximum over tokens (Johnson &
Lindenstrauss, 1984; signs are enough: Achlioptas, 2003), and needs no training data. Stop words
and punctuation are left out: on both sides of a comparison they match anything.
"""

import hashlib
import string
from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from agentctx.products import product
from agentctx.words import STOP_WORDS

DIMENSION = 128
_EMPTY = frozenset(string.punctuation) | frozenset("’“”…–—·•|") | STOP_WORDS


def telling(pieces: Sequence[str]) -> NDArray[np.bool_]:
    """Which word pieces carry meaning, bool [n]; all of them where none does."""
    keep = np.array([piece not in _EMPTY for piece in pieces], bool)
    return keep if keep.any() else np.ones(len(pieces), bool)


def compress(hidden: NDArray[np.float32]) -> NDArray[np.int8]:
    """Last hidden states [n, d] as int8 rows [n, 128] of the same direction, projected.

    Only the direction of a token vector counts, so each row uses the whole int8 range and its
    scale is not kept.
    """
    rows = product(hidden, _projection(hidden.shape[1]))
    largest = np.maximum(np.abs(rows).max(axis=1, keepdims=True), np.float32(1e-9))
    codes: NDArray[np.int8] = np.rint(rows * (127.0 / largest)).astype(np.int8)
    return codes


@cache
def _projection(dimension: int) -> NDArray[np.float32]:
    # From a hash function, so that it is the same on every machine and in every version.
    data = hashlib.shake_256(b"agentctx token projection 1").digest(dimension * DIMENSION // 8)
    bits = np.unpackbits(np.frombuffer(data, np.uint8)).astype(np.float32)
    return (2 * bits - 1).reshape(dimension, DIMENSION)
