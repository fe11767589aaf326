"""What joint spaces of pictures and words have in common, whichever library runs their model.

Two towers give vectors of one space, trained so that a picture and its caption point the same way
(Radford et al., "CLIP", 2021; Zhai et al., "SigLIP", 2023). A memory's pictures are kept; words,
pictures, and several of these together are what is looked for.
"""

import hashlib
import json
import re
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from agentctx.contracts import Services
from agentctx.errors import AgentctxError, ConfigError, QueryError
from agentctx.pictures import media_of, shown
from agentctx.records import CONVERSATIONAL, Embeddings, EncoderCard, Observation, Passage

if TYPE_CHECKING:
    from PIL.Image import Image

# What is kept; words are only looked for with.
_PICTURES = ("picture", "screenshot")
# The template of CLIP's paper: captions are sentences, questions often single words.
TEMPLATES = ("a photo of {}",)
# Decoded pixels held at once: 96 MB, about 15 screens.
_BATCH_PIXELS = 32_000_000
_SHORT = 12
# See `JointSpace`.
_LOGIT = (50.0, -12.5)

Rows = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A model on disk: what it is called, the files of its weights, the width of its space."""

    name: str
    directory: Path
    weights: tuple[Path, ...]
    dimension: int


class JointSpace(ABC):
    """Pictures as unit vectors, and words or pictures as queries.

    ``model``: a directory, or what a hub calls it: then ``revision`` may be a commit. ``batch``:
    how many pictures go in at once. ``templates``: sentences with ``{}`` for the words of a query;
    of several, the mean is taken. A query of more words than the model takes loses its end.
    ``logit``: two numbers, by which a cosine says how well words fit a picture: the sigmoid of the
    first times it, plus the second. None is what the model itself has (SigLIP was trained so), or
    for others 50 and -12.5: half at a cosine of 0.25, between what CLIP models give to words that
    fit (about 0.3) and to others (below 0.2).
    """

    def __init__(
        self,
        services: Services,
        family: str,
        model: str | Path,
        revision: str,
        batch: int,
        templates: Sequence[str],
        logit: Sequence[float] | None,
    ) -> None:
        if not str(model):
            raise ConfigError(
                f"{family} has no model of its own: name one in [options.{family}] as model = "
                "DIRECTORY or NAME; docs/joint-spaces.md says which there are"
            )
        if batch < 1:
            raise ConfigError(f"batch is {batch}; it must be at least 1")
        if isinstance(templates, str) or not templates:
            raise ConfigError(f"templates is {templates!r}; it must be a list of sentences")
        if wrong := next((one for one in templates if one.count("{}") != 1), None):
            raise ConfigError(f"the template {wrong!r} must have one {{}} for the query's words")
        if logit is not None and len(logit) != len(_LOGIT):
            raise ConfigError(f"logit is {logit!r}; it must be two numbers")
        self._services = services
        self._family = family
        self._model, self._revision = model, revision
        self._batch = batch
        self._templates = tuple(templates)
        self._logit = logit
        self._loaded: Any = None
        self._lock = threading.Lock()

    @cached_property
    def card(self) -> EncoderCard:
        """The model's card. Its weights are looked for and their digest is taken, no more."""
        found = self._found
        digest = _digest(found)
        commit = found.directory.name if found.directory.parent.name == "snapshots" else ""
        return EncoderCard(
            name=found.name,
            revision=commit or digest[:_SHORT],
            space=f"{self._family}-{re.sub('[^a-z0-9]+', '-', found.name.lower()).strip('-')}",
            dimension=found.dimension,
            modalities=(*_PICTURES, "text"),
            licence=_licence(found.directory),
            digest=digest,
        )

    @cached_property
    def _found(self) -> Checkpoint:
        return self._checkpoint()

    def accepts(self, observation: Observation) -> bool:
        """Pictures and screens that can be looked at."""
        return observation.modality in _PICTURES and media_of(observation) is not None

    def accepts_query(self, query: Observation) -> bool:
        """What is kept, and words, written or spoken."""
        words = query.modality in CONVERSATIONAL and bool(query.text.strip())
        return words or self.accepts(query)

    def encode(self, passages: Sequence[Passage]) -> Embeddings:
        """One row per picture."""
        rows = [self._unit(self._pictures(images)) for images in self._images(passages)]
        return Embeddings(np.concatenate([np.empty((0, self.card.dimension), np.float32), *rows]))

    def encode_query(self, query: Observation) -> Embeddings:
        """The row of a picture, or of words in the templates; raises QueryError for others."""
        if self.accepts(query):
            return Embeddings(self._unit(self._pictures([shown(query)])))
        if not self.accepts_query(query):
            raise QueryError(f"{self._family} takes pictures and words, no {query.modality!r}")
        texts = [template.replace("{}", query.text.strip()) for template in self._templates]
        mean = self._unit(self._texts(texts)).mean(axis=0, keepdims=True)
        return Embeddings(self._unit(mean))

    def fit(self, scores: Rows) -> Rows:
        """How well pictures of these cosines fit the words that were asked for, 0..1."""
        scale, bias = self._logit or self._own_logit() or _LOGIT
        # By tanh, which does not overflow.
        fits: Rows = (0.5 * (1.0 + np.tanh(0.5 * (scale * scores + bias)))).astype(np.float32)
        return fits

    def _images(self, passages: Sequence[Passage]) -> Iterator[list["Image"]]:
        batch: list[Image] = []
        pixels = 0
        for passage in passages:
            image = shown(passage.observation)
            batch.append(image)
            pixels += image.width * image.height
            if len(batch) == self._batch or pixels > _BATCH_PIXELS:
                yield batch
                batch, pixels = [], 0
        if batch:
            yield batch

    def _unit(self, rows: Rows) -> Rows:
        if rows.shape[1] != self.card.dimension:
            raise ConfigError(
                f"{self._model} gives {rows.shape[1]} numbers where its config tells of "
                f"{self.card.dimension}; get its files again"
            )
        lengths = np.linalg.norm(rows.astype(np.float32), axis=1, keepdims=True)
        if not (np.isfinite(lengths).all() and lengths.all()):
            raise ConfigError(f"{self._model} gives no numbers in this dtype; use float32")
        unit: Rows = (rows / lengths).astype(np.float32)
        return unit

    def _ready(self) -> Any:  # noqa: ANN401
        """What `_made` gives, made once."""
        with self._lock:
            if self._loaded is None:
                try:
                    self._loaded = self._made(self._found)
                except AgentctxError:
                    raise
                except Exception as error:  # what the libraries raise has no common base
                    raise ConfigError(
                        f"{self._family}: the model {self._model} cannot be used: {error}"
                    ) from error
            return self._loaded

    def _directory(self, files: Sequence[str]) -> Path:
        """The model's directory: the user's own, or a hub's with files of these patterns."""
        given = Path(self._model).expanduser()
        if given.is_dir():
            return given
        return self._services.weights.repository(str(self._model), files, self._revision)

    def _called(self, directory: Path) -> str:
        given = Path(self._model).expanduser()
        return given.resolve().name if given == directory else str(self._model)

    def _own_logit(self) -> tuple[float, float] | None:
        """The scale and bias that the model was trained with, if it says how well words fit."""
        return None

    @abstractmethod
    def _checkpoint(self) -> Checkpoint:
        """Where the model is; raises WeightsNotFound or ConfigError, and loads nothing."""

    @abstractmethod
    def _made(self, checkpoint: Checkpoint) -> Any:  # noqa: ANN401
        """The model, loaded."""

    @abstractmethod
    def _pictures(self, images: Sequence["Image"]) -> Rows:
        """A row for each of some upright RGB pictures, of any length but 0."""

    @abstractmethod
    def _texts(self, texts: Sequence[str]) -> Rows:
        """A row for each text, of any length but 0."""


def read_json(path: Path) -> dict[str, Any]:
    """A file of a model's configuration; raises ConfigError when it is no JSON object."""
    try:
        return dict(json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError) as error:
        raise ConfigError(
            f"{path} cannot be read: {error}; copy it from the model's source"
        ) from error


def safetensors(directory: Path) -> tuple[Path, ...]:
    """The weights in a directory; raises ConfigError when there are none.

    Only safetensors: pickles, which such directories may have as well, could run code.
    """
    found = tuple(sorted(directory.rglob("*.safetensors")))
    if not found:
        raise ConfigError(f"{directory} has no *.safetensors; save the model in that format")
    return found


def _digest(found: Checkpoint) -> str:
    """The sha256 of the weights; of several files, that of their names and digests."""
    digests = [_of_file(path, *_state(path)) for path in found.weights]
    if len(digests) == 1:
        return digests[0]
    names = [path.relative_to(found.directory).as_posix() for path in found.weights]
    lines = sorted(f"{name} {digest}\n" for name, digest in zip(names, digests, strict=True))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _state(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns


@cache
def _of_file(path: Path, size: int, modified: int) -> str:
    # Once per process: a file that changes gets another size or time.
    del size, modified
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _licence(directory: Path) -> str:
    """What the model's page, the README of its directory, says at its head; else "unknown"."""
    page = directory / "README.md"
    text = page.read_text("utf-8", "replace") if page.is_file() else ""
    head = re.match(r"---\n(.*?)\n---", text, re.DOTALL)
    named = re.search(r"^license: *(\S+)", head[1], re.MULTILINE) if head else None
    return named[1].strip("'\"") if named else "unknown"
