"""Which pictures are photographs, and what a classifier guesses that they show.

What is drawn has areas of one colour, which a camera hardly ever gives; and the classifier knows
what screens look like. Both have to say so: a screen that is taken for a photograph would be given
words that are not on it. docs/pictures.md has the measurement.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from agentctx.records import Attribute
from agentctx.vision.classes import classes

if TYPE_CHECKING:
    from PIL.Image import Image

_BLOCK = 8  # pixels
# Within so many of 256 levels a block is of one colour: as far as a JPEG's noise goes.
_LEVELS = 4
# At most so many of a photograph's blocks are: in general, and where there is hardly any text.
_FLAT, _FLAT_WITHOUT_TEXT = 0.32, 0.7
_FEW_LINES = 8
# Classes that a screen is taken for; a photograph of one shows a screen, too.
_SCREENS = ("web site", "screen", "monitor", "desktop computer", "notebook")
_SCREEN_SHARE = 0.3
# A guess that is less likely is rather wrong than right; more of them would bury the others.
_LEAST, _MOST = 0.1, 3


@dataclass(frozen=True, slots=True)
class Guess:
    """A class that a photograph may show, and how likely that is, 0..1."""

    name: str
    likely: float


def flatness(image: "Image") -> float:
    """Which share of a picture is of one colour, 0..1, block by block."""
    grey = np.asarray(image.convert("L"))
    rows, columns = (side // _BLOCK for side in grey.shape)
    if not rows * columns:
        return 1.0
    whole = grey[: rows * _BLOCK, : columns * _BLOCK].reshape(rows, _BLOCK, columns, _BLOCK)
    ranges = whole.max(axis=(1, 3)) - whole.min(axis=(1, 3))
    return float((ranges <= _LEVELS).mean())


def may_be_photo(image: "Image", lines: int) -> bool:
    """Whether there is so little of one colour in a picture that a camera may have taken it.

    ``lines``: how many lines of text are on it. With few it may have a plain background.
    """
    return flatness(image) <= (_FLAT_WITHOUT_TEXT if lines <= _FEW_LINES else _FLAT)


def is_photo(probabilities: NDArray[np.float32]) -> bool:
    """Whether the classifier takes a picture for anything but a screen."""
    names = [one.name for one in classes()]
    screens = [names.index(name) for name in _SCREENS]
    return float(probabilities[screens].sum()) < _SCREEN_SHARE


def guesses(probabilities: NDArray[np.float32]) -> list[Guess]:
    """The likeliest classes, best first; none where the classifier is sure of nothing."""
    best = np.argsort(-probabilities, kind="stable")[:_MOST]
    return [
        Guess(classes()[place].name, round(float(probabilities[place]), 2))
        for place in best.tolist()
        if probabilities[place] >= _LEAST
    ]


def in_words(found: Sequence[Guess]) -> str:
    """Guesses as a text that says that they are guesses.

    By their names only: what they are in other words would be found by what is asked of screens.
    """
    if not found:
        return "Photo of something that the classifier does not know."
    said = ", ".join(f"{one.name} ({one.likely:.0%})" for one in found)
    return f"Photo, guessed by a classifier to show: {said}."


def attributes(found: Sequence[Guess]) -> dict[str, Attribute]:
    """Guesses as attributes: the names, and how likely each is."""
    return {
        "guesses": tuple(one.name for one in found),
        "guesses_likely": tuple(one.likely for one in found),
    }
