"""Which parts of a screen are to be looked at for lines, given the pixels that are new."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agentctx.extras import require
from agentctx.plugins.screenshot.boxes import Box, area, around, core, cut, grown, shared
from agentctx.plugins.screenshot.ocr import Line

Mask = NDArray[np.bool_]

_ACROSS, _ALONG = 16, 3  # pixels: what is nearer may be of one line
_CONTEXT = 16  # pixels that the detector is shown around
# The detector halves a picture five times: parts cut along this grid look to it as in the whole.
_GRID = 32
LEAST_SIDE = 96  # pixels of a part
_A_RUN = 24_000  # pixels, whose detection takes about what it costs to begin a run


def spread(new: Mask) -> Mask:
    """Those pixels and what is near enough to be of one line with them."""
    cv2: Any = require("cv2", extra="screen")
    near = np.ones((2 * _ALONG + 1, 2 * _ACROSS + 1), np.uint8)
    return np.asarray(cv2.dilate(new.view(np.uint8), near)).view(np.bool_)


def touched(lines: Sequence[Line], wanted: Mask) -> list[Line]:
    """The lines of which a part is wanted."""
    return [line for line in lines if wanted[cut(core(line.box))].any()]


def parts(grey: NDArray[np.uint8], wanted: Mask) -> list[Box]:
    """Boxes around what is wanted of a screen [height, width], apart from each other.

    Each has some context and begins on a grid of 32 pixels. What is plain has no text, and is left
    out. One box of the whole screen when looking at the parts would take as long.
    """
    height, width = grey.shape
    whole = (0, 0, width, height)
    cv2: Any = require("cv2", extra="screen")
    _, _, stats, _ = cv2.connectedComponentsWithStats(wanted.view(np.uint8))
    cells = np.zeros((-(-height // _GRID), -(-width // _GRID)), np.uint8)
    for left, top, across, along, _ in stats[1:].tolist():
        box = (left, top, left + across, top + along)
        if np.ptp(grey[cut(box)]):
            left, top, right, bottom = grown(box, _CONTEXT, _CONTEXT, (height, width))
            cells[top // _GRID : -(-bottom // _GRID), left // _GRID : -(-right // _GRID)] = 1
    _, _, stats, _ = cv2.connectedComponentsWithStats(cells)
    boxes = [
        _large_enough(tuple(_GRID * n for n in (x, y, x + w, y + h)), whole)
        for x, y, w, h, _ in stats[1:].tolist()
    ]
    boxes = _joined(boxes)
    return [whole] if sum(area(box) + _A_RUN for box in boxes) > area(whole) else boxes


def _large_enough(box: tuple[int, ...], whole: Box) -> Box:
    """A box with sides the detector can do with, on the screen."""
    left, right = _side(box[0], box[2], whole[2])
    top, bottom = _side(box[1], box[3], whole[3])
    return left, top, right, bottom


def _side(start: int, end: int, limit: int) -> tuple[int, int]:
    missing = max(0, LEAST_SIDE - (end - start))
    start = max(0, min(start - missing // 2 // _GRID * _GRID, limit - LEAST_SIDE) // _GRID * _GRID)
    return start, min(limit, max(end, start + LEAST_SIDE))


def _joined(boxes: list[Box]) -> list[Box]:
    """Boxes joined where they overlap, or where one takes no longer to look at than two."""
    boxes = list(boxes)
    while True:
        for n, one in enumerate(boxes):
            for other in boxes[n + 1 :]:
                both = around(one, other)
                if area(shared(one, other)) or area(both) <= area(one) + area(other) + _A_RUN:
                    boxes.remove(one)
                    boxes.remove(other)
                    boxes.append(both)
                    break
            else:
                continue
            break
        else:
            return boxes
