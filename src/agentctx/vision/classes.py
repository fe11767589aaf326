"""ImageNet's 1,000 classes: their names, what each is in other words, and the vectors of these.

The names are those of the ImageNet challenge (Russakovsky et al., 2015), one line each in
``classes.txt``, in the order of the classifier's outputs; the words after them were written for
agentctx, since a name alone ("sorrel", "crane", "drake") is found by few other words.
``class_vectors.npy`` has MiniLM's vector of each line, which `scripts/class_vectors.py` makes: to
encode them anew would cost every process seconds.
"""

from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files

import numpy as np
from numpy.typing import NDArray

# The text encoder that the vectors belong to.
ENCODER = "minilm"
TEXTS, VECTORS = "classes.txt", "class_vectors.npy"


@dataclass(frozen=True, slots=True)
class ImageClass:
    """A class by its name, and what it is: synonyms, its kind, and how it looks."""

    name: str
    about: str

    @property
    def text(self) -> str:
        """Both, as they are encoded."""
        return f"{self.name}: {self.about}"


@cache
def classes() -> tuple[ImageClass, ...]:
    """All classes, in the order of the classifier's outputs."""
    lines = files(__package__).joinpath(TEXTS).read_text("utf-8").splitlines()
    return tuple(ImageClass(*line.split("|")) for line in lines)


@cache
def vectors() -> NDArray[np.float32]:
    """The text vector of each class, float32 [1000, 384], rows of length 1."""
    with as_file(files(__package__).joinpath(VECTORS)) as path:
        codes = np.load(path, allow_pickle=False)
    rows: NDArray[np.float32] = codes.astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    rows.setflags(write=False)
    return rows


def coded(rows: NDArray[np.float32]) -> NDArray[np.int8]:
    """Vectors as they are kept: int8 rows of the same direction."""
    codes: NDArray[np.int8] = np.rint(rows * (127.0 / np.abs(rows).max(axis=1, keepdims=True)))
    return codes.astype(np.int8)
