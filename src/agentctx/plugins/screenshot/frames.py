"""The screens of a moment ago, and which of their pixels a new one shares.

Lossless pictures are compared exactly, in grey. Where a picture is lossy, the mean of 3 x 3
differences is held against the contrast around it, since compression errors grow with that
contrast: recompressing screens as JPEG of quality 75 and above stays below 0.14, while the least
visible change of one digit, in type of 9 to 16 pixels, light or dark, is 0.158. A blinking colon is
a change.
"""

import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from agentctx.extras import require
from agentctx.plugins.screenshot.ocr import Line
from agentctx.plugins.screenshot.photos import Guess
from agentctx.records import Media

if TYPE_CHECKING:
    from PIL.Image import Image

_LEVEL = 0.15  # of the contrast around; see above
_LEAST_CONTRAST = 40.0
_AROUND = 17  # a block of JPEG (8 pixels) to either side
_HASH_SIDE = 8
_NEAR_BITS = 12  # of 64
_KEPT_SCREENS = 16
_KEPT_PIXELS = 64_000_000
_EVERY = 16  # the rows that are looked at first


@dataclass(frozen=True, eq=False)
class Screen:
    """A screen to compare: grey pixels [height, width], how it was stored, its hash."""

    grey: NDArray[np.uint8]
    lossy: bool

    @classmethod
    def of(cls, image: "Image", *, lossy: bool) -> "Screen":
        """From an RGB picture."""
        return cls(np.asarray(image.convert("L")), lossy)

    @cached_property
    def phash(self) -> int:
        """Its `perceptual_hash`, made when it is first asked for."""
        return perceptual_hash(require("PIL.Image", extra="screen").fromarray(self.grey))


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """A screen that was read: its lines, its observation's id, and what was made for that.

    ``view``: the id of the first of the screens of which each shares most lines with one before,
    such as those of one window as it is scrolled. ``parts``: how many screens in a row were read
    in parts only. ``guesses``: what it may show, of a photograph.
    """

    screen: Screen
    lines: tuple[Line, ...]
    id: str
    media: tuple[Media, ...] = ()
    view: str = ""
    parts: int = 0
    guesses: Sequence[Guess] | None = None


class Recent:
    """The last screens read; safe to use from several threads.

    At most 16, of 64 million pixels together. The oldest of the view that has most of them is let
    go first, so that a page that is scrolled for long does not drive out the other windows.
    """

    def __init__(self) -> None:
        self._kept: list[Read] = []
        self._lock = threading.Lock()

    def add(self, read: Read) -> None:
        """Remember a screen, as the latest."""
        with self._lock:
            self._kept.append(read)
            while len(self._kept) > 1 and (
                len(self._kept) > _KEPT_SCREENS
                or sum(r.screen.grey.size for r in self._kept) > _KEPT_PIXELS
            ):
                many = Counter(r.view for r in self._kept)
                most = max(many.values())
                self._kept.remove(next(r for r in self._kept if many[r.view] == most))

    def seen(self, read: Read) -> None:
        """Make a screen the latest, if it is still kept."""
        with self._lock:
            if read in self._kept:
                self._kept.remove(read)
                self._kept.append(read)

    def like(self, screen: Screen) -> list[Read]:
        """Those that a screen can be compared with, the latest first.

        These have its size. If it is lossy, which makes comparing slow, there is at most one: the
        nearest by its perceptual hash, if that is near.
        """
        with self._lock:
            kept = [r for r in reversed(self._kept) if r.screen.grey.shape == screen.grey.shape]
        if not (screen.lossy or any(r.screen.lossy for r in kept)):
            return kept
        apart = [((r.screen.phash ^ screen.phash).bit_count(), i) for i, r in enumerate(kept)]
        distance, index = min(apart, default=(_NEAR_BITS + 1, 0))
        return [kept[index]] if distance <= _NEAR_BITS else []


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


def same(before: Screen, after: Screen) -> bool:
    """Whether nothing differs beyond what storing them does."""
    one, other = before.grey, after.grey
    if one.shape != other.shape:
        return False
    if before.lossy or after.lossy:
        return not changed(before, after).any()
    return np.array_equal(one[::_EVERY], other[::_EVERY]) and np.array_equal(one, other)


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
