"""Which screens, and which of their lines, are the same as a moment ago.

A perceptual hash finds the recent screen that is nearest; it cannot see one changed digit, so
the pixels decide. Lossless pictures are compared exactly. Where a picture is lossy, the mean of
3 x 3 differences is held against the contrast around it, since compression errors grow with that
contrast: recompressing screens as JPEG of quality 75 and above stays below 0.14, while the
least visible change of one digit, in type of 9 to 16 pixels, light or dark, is 0.158. A blinking
colon is a change: its line is read again, the others are not.
"""

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from agentctx.extras import require
from agentctx.plugins.screenshot.ocr import Line

if TYPE_CHECKING:
    from PIL.Image import Image

_LEVEL = 0.15  # of the contrast around; see above
_LEAST_CONTRAST = 40.0
_AROUND = 17  # a block of JPEG (8 pixels) to either side
_HASH_SIDE = 8
_NEAR_BITS = 12  # of 64
_KEPT_SCREENS = 8
_KEPT_PIXELS = 64_000_000
_SHIFT = 2  # pixels a detected box may move by chance


@dataclass(frozen=True, slots=True, eq=False)
class Screen:
    """A screen to compare: grey pixels [height, width], its hash, how it was stored."""

    grey: NDArray[np.uint8]
    phash: int
    lossy: bool

    @classmethod
    def of(cls, image: "Image", *, lossy: bool) -> "Screen":
        """From an RGB picture."""
        return cls(np.asarray(image.convert("L")), perceptual_hash(image), lossy)


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """A screen that was read: its lines, and the id of its observation."""

    screen: Screen
    lines: tuple[Line, ...]
    id: str


class Recent:
    """The last screens read; safe to use from several threads."""

    def __init__(self) -> None:
        self._kept: deque[Read] = deque(maxlen=_KEPT_SCREENS)
        self._lock = threading.Lock()

    def add(self, read: Read) -> None:
        """Remember a screen; the oldest are let go to keep within 64 million pixels."""
        with self._lock:
            self._kept.append(read)
            while (
                len(self._kept) > 1 and sum(r.screen.grey.size for r in self._kept) > _KEPT_PIXELS
            ):
                self._kept.popleft()

    def nearest(self, screen: Screen) -> Read | None:
        """The screen of the same size that looks most alike, the newest of equals."""
        with self._lock:
            same_size = [r for r in self._kept if r.screen.grey.shape == screen.grey.shape]
        apart = [((r.screen.phash ^ screen.phash).bit_count(), -i) for i, r in enumerate(same_size)]
        distance, index = min(apart, default=(_NEAR_BITS + 1, 0))
        return same_size[-index] if distance <= _NEAR_BITS else None


def perceptual_hash(image: "Image") -> int:
    """64 bits: the lowest frequencies of a 32 x 32 picture against their median.

    The pHash of Zauner (2010), bit for bit as the ImageHash library computes it.
    """
    side = 4 * _HASH_SIDE
    resampling = require("PIL.Image", extra="screen").Resampling.LANCZOS
    grey = np.asarray(image.convert("L").resize((side, side), resampling), np.float64)
    k, n = np.mgrid[:_HASH_SIDE, :side]
    cosines = 2 * np.cos(np.pi * k * (2 * n + 1) / (2 * side))
    low = cosines @ grey @ cosines.T
    bits = (low > np.median(low)).ravel()
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def changed(before: Screen, after: Screen) -> NDArray[np.bool_]:
    """Which pixels differ beyond what storing them does, bool [height, width]."""
    if not (before.lossy or after.lossy):
        return np.not_equal(before.grey, after.grey)
    cv2: Any = require("cv2", extra="screen")
    difference = cv2.subtract(before.grey, after.grey, dtype=cv2.CV_32F)
    local = np.abs(cv2.blur(difference, (3, 3)))
    around = np.ones((_AROUND, _AROUND), np.uint8)
    high = cv2.dilate(cv2.max(before.grey, after.grey), around)
    low = cv2.erode(cv2.min(before.grey, after.grey), around)
    contrast = np.maximum(cv2.subtract(high, low), _LEAST_CONTRAST)
    beyond: NDArray[np.bool_] = local > _LEVEL * contrast
    return beyond


def unchanged_lines(
    read: Read, mask: NDArray[np.bool_], boxes: Sequence[tuple[int, int, int, int]]
) -> list[Line | None]:
    """For each detected box the line read there before, None where it must be read again."""
    return [
        None if mask[box[1] : box[3], box[0] : box[2]].any() else _line_at(read.lines, box)
        for box in boxes
    ]


def _line_at(lines: Sequence[Line], box: tuple[int, int, int, int]) -> Line | None:
    for line in lines:
        if all(abs(a - b) <= _SHIFT for a, b in zip(line.box, box, strict=True)):
            return line
    return None
