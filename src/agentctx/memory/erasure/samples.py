"""Which windows of what is to be forgotten are looked for."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agentctx.memory.erasure.windows import BYTES_8, BYTES_16, BYTES_32, FLOATS, View

Windows = NDArray[np.uint8]

# Odd, so that windows begin at even and at odd places (see View.phases). Of a text of up to 1 KB,
# each whole piece of 65 bytes has a window; of a longer one, 64 windows are spread over it.
_TEXT_STEP = 17
_MOST_OF_TEXT = 64
_MOST_OF_VECTOR = 12
_MOST_OF_TOKENS = 16
_MOST_OF_MEDIA = 64
# Windows of fewer different bytes (or floats) are silence, blank paper, padding.
_LEAST_BYTES = 8
_LEAST_FLOATS = 6
_FLOAT = 4
_ESCAPED = frozenset('"\\')
# What is at both ends of a file is its format more than its content.
_MARGIN = 1024
_MARGIN_SHARE = 8


def forms(string: str) -> list[bytes]:
    """The bytes of a string as it is, and as it is inside of JSON."""
    found = [string.encode("utf-8", "surrogatepass")]
    if string.isascii() and string.isprintable() and not _ESCAPED.intersection(string):
        return found
    for ascii_only in (False, True):
        quoted = json.dumps(string, ensure_ascii=ascii_only)[1:-1]
        found.append(quoted.encode("utf-8", "surrogatepass"))
    return list(dict.fromkeys(found))


def of_bytes(data: bytes) -> tuple[View, Windows] | None:
    """The widest windows of which there are two, at an even place and at an odd one.

    None for 8 bytes or fewer: they would be found by chance wherever there is text.
    """
    view = next((v for v in (BYTES_32, BYTES_16, BYTES_8) if len(data) > v.width), None)
    if view is None:
        return None
    places = _places(len(data) - view.width + 1, _TEXT_STEP, _MOST_OF_TEXT)
    return view, _cut(np.frombuffer(data, np.uint8), places, view.width)


def of_vector(vector: NDArray[np.float32]) -> Windows:
    """Windows of 8 floats, without those of mostly the same number, such as zero."""
    row = np.ascontiguousarray(vector, np.float32).ravel()
    width = FLOATS.width // _FLOAT
    if len(row) <= width:
        return np.empty((0, FLOATS.width), np.uint8)
    windows = _cut(row, _places(len(row) - width + 1, 1, _MOST_OF_VECTOR), width)
    return windows[_variety(windows) >= _LEAST_FLOATS].view(np.uint8)


def of_tokens(matrix: NDArray[np.int8]) -> Windows:
    """Windows of a matrix of token vectors, whatever its rows."""
    data = np.ascontiguousarray(matrix, np.int8).ravel().view(np.uint8)
    return _varied(data, _TEXT_STEP, _MOST_OF_TOKENS)


def of_media(path: Path) -> Windows:
    """Windows spread over a file, without blanks and without what every such file begins with."""
    size = path.stat().st_size
    if size == 0:
        return np.empty((0, BYTES_32.width), np.uint8)
    margin = min(_MARGIN, size // _MARGIN_SHARE)
    data = np.memmap(path, np.uint8, "r")
    return _varied(data[margin : size - margin], 2 * BYTES_32.width, _MOST_OF_MEDIA)


def _varied(data: NDArray[np.uint8], step: int, most: int) -> Windows:
    width = BYTES_32.width
    if len(data) <= width:
        return np.empty((0, width), np.uint8)
    windows = _cut(data, _places(len(data) - width + 1, step, most), width)
    return windows[_variety(windows) >= _LEAST_BYTES]


def _places(count: int, step: int, most: int) -> NDArray[np.int64]:
    """Places of windows among ``count``: every ``step`` (odd) at first, further apart when that
    were more than ``most``; always the last two, an even and an odd one."""
    step = max(step, count // most) | 1
    return np.unique(np.append(np.arange(0, count, step), [max(count - 2, 0), count - 1]))


def _cut(data: NDArray[Any], places: NDArray[np.int64], width: int) -> NDArray[Any]:
    windows: NDArray[Any] = data[places[:, None] + np.arange(width)]
    return windows


def _variety(windows: NDArray[Any]) -> NDArray[np.int64]:
    """How many different items each row has."""
    ordered = np.sort(windows, axis=1)
    changes: NDArray[np.int64] = np.count_nonzero(ordered[:, 1:] != ordered[:, :-1], axis=1)
    return changes + 1
