"""How far parts of a screen have moved up or down since an earlier one.

The screens are cut into strips 64 pixels wide; each row of a strip has a key by its pixels. Rows
that are alone with their key in both screens vote for the distance between them. What has really
moved is decided pixel by pixel by whoever asks: this only says where to look.
"""

import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.uint8]
Keys = NDArray[np.uint64]

_STRIP = 64  # pixels
_WORD = 8  # pixels in 64 bits
_LEAST_ROWS = 8  # rows of strips that must agree
_MOST = 3  # distances: panes that scroll side by side
_ODD = np.random.default_rng(6).integers(1, 1 << 63, _STRIP // _WORD, np.uint64) * 2 + 1


def distances(before: Grey, after: Grey, where: NDArray[np.bool_]) -> list[int]:
    """Pixels that parts have moved down (up if negative), those of most rows first; at most 3.

    The arrays are [height, width]; only rows of strips with a pixel in ``where`` have a vote.
    """
    height, width = after.shape
    across = width // _STRIP
    if not across:
        return []
    asked = where[:, : across * _STRIP].reshape(height, across, _STRIP).any(axis=2)
    old_keys, old_rows = _single(*_keys(before, across))
    keys, telling = _keys(after, across)
    new_keys, new_rows = _single(keys, telling & asked)
    _, old, new = np.intersect1d(old_keys, new_keys, assume_unique=True, return_indices=True)
    moves = new_rows[new] - old_rows[old]
    votes = np.bincount(moves + height, minlength=2 * height)
    votes[height] = 0
    best = np.argsort(-votes, kind="stable")[:_MOST]
    return [int(at) - height for at in best if votes[at] >= _LEAST_ROWS]


def _keys(grey: Grey, across: int) -> tuple[Keys, NDArray[np.bool_]]:
    """A key for each row of each strip [height, strips], and which of these rows are not plain."""
    words = np.ascontiguousarray(grey[:, : across * _STRIP]).view(np.uint64)
    words = words.reshape(len(grey), across, _STRIP // _WORD)
    mixed = words * _ODD
    keys = (mixed ^ (mixed >> np.uint64(29))).sum(axis=2, dtype=np.uint64)
    keys = keys * np.uint64(across) + np.arange(across, dtype=np.uint64)
    return keys, (words != words[:, :, :1]).any(axis=2)


def _single(keys: Keys, which: NDArray[np.bool_]) -> tuple[Keys, NDArray[np.intp]]:
    """The keys that one row alone has, among those wanted, and the row of each."""
    rows = np.nonzero(which)[0]
    found, first, times = np.unique(keys[which], return_index=True, return_counts=True)
    return found[times == 1], rows[first[times == 1]]
