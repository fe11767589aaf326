"""Joint spaces give the vectors of their libraries, from the file of a picture to the last step."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.typing import NDArray

from agentctx import Observation
from agentctx.config import Config
from agentctx.contracts import Encoder
from agentctx.records import Passage
from agentctx.services import SharedServices

from .pictures import observation, pictures, reference

if TYPE_CHECKING:
    from model_parts.libraries import Library

# As the issue asks for; what is found is printed by scripts/bench/joint.py.
ALIKE = 0.9999
# The encoder, and the model it is tried with.
FAMILIES = [
    ("open-clip", "open_clip"),
    ("clip-transformers", "clip"),
    ("clip-transformers", "siglip"),
    ("clip-transformers", "siglip2"),
    ("clip-sentence-transformers", "sentence_transformers"),
    ("clip-onnx", "clip-onnx"),
    ("clip-onnx", "siglip-onnx"),
]
TEXTS = [
    "a red pump beside the wall",
    "Two Circles, and A Triangle!",
    "x",
    "the chart of a bearing's temperature over the day, from nine in the morning until the alarm "
    "was raised, which is far more than the model takes",
    "größe 12,5 µm – naïve 漢字 🙂",
    "spaces   and\ttabs",
]


def library(kind: str, checkpoint: Callable[[str], Path]) -> "Library":
    """How the library itself looks and reads; that of an export is what it was exported from."""
    from model_parts import libraries

    origin = kind.removesuffix("-onnx")
    of = getattr(libraries, f"of_{origin}", libraries.of_transformers)
    return of(checkpoint(origin))


def encoder(name: str, model: Path, **options: object) -> Encoder:
    made = {name: {"model": model, "device": "cpu", **options}}
    return SharedServices(Config(options=made)).encoder(name)


def unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.mark.parametrize(("name", "kind"), FAMILIES)
def test_pictures(name: str, kind: str, checkpoint: Callable[[str], Path]) -> None:
    """Of odd sizes, grey, with a palette, with alpha: decoding and preparing are compared, too."""
    images = pictures()
    ours = encoder(name, checkpoint(kind), batch=4)
    passages = [Passage(observation(image), 0, "", 0, 0) for image in images.values()]
    found = ours.encode(passages).vectors
    look, _ = library(kind, checkpoint)
    wanted = unit(look([reference(image) for image in images.values()]))
    cosines = dict(zip(images, (found * wanted).sum(axis=1).tolist(), strict=True))
    assert min(cosines.values()) >= ALIKE, cosines
    # Else any constant would pass.
    others = wanted @ wanted.T - np.eye(len(wanted))
    assert others.max() < 0.999


@pytest.mark.parametrize(("name", "kind"), FAMILIES)
def test_texts(name: str, kind: str, checkpoint: Callable[[str], Path]) -> None:
    """Short, long, in other scripts."""
    ours = encoder(name, checkpoint(kind), templates=["{}"])
    found = np.concatenate([ours.encode_query(Observation(text=text)).vectors for text in TEXTS])
    _, read = library(kind, checkpoint)
    wanted = unit(read([text.strip() for text in TEXTS]))
    cosines = dict(zip(TEXTS, (found * wanted).sum(axis=1).tolist(), strict=True))
    assert min(cosines.values()) >= ALIKE, cosines
    assert (wanted @ wanted.T - np.eye(len(wanted))).max() < 0.999


@pytest.mark.parametrize(("name", "kind"), FAMILIES)
def test_templates_are_averaged(name: str, kind: str, checkpoint: Callable[[str], Path]) -> None:
    """The mean of unit vectors, made of length 1, as in CLIP's zero-shot classification."""
    templates = ["a photo of {}", "{} on a screen"]
    ours = encoder(name, checkpoint(kind), templates=templates)
    found = ours.encode_query(Observation(text=" a pump ")).vectors
    _, read = library(kind, checkpoint)
    mean = unit(read(["a photo of a pump", "a pump on a screen"])).mean(axis=0, keepdims=True)
    assert float((found * unit(mean)).sum()) >= ALIKE
