"""Photographs, found by words and by other photographs, without a network trained on both.

A classifier says how likely each of ImageNet's classes is in a picture, and the text encoder how
near a question is to what each class is called. The two are compared as distributions over the
classes: indirect attribute prediction (Lampert, Nickisch & Harmeling, 2009) by the coefficient of
Bhattacharyya (1943). docs/pictures.md has what else was measured: ConSE (Norouzi et al., 2014), a
linear map, and their mix.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from agentctx.contracts import Requirement, Services
from agentctx.pictures import media_of, shown
from agentctx.records import Embeddings, EncoderCard, Observation, Passage
from agentctx.vision import classes, efficientnet
from agentctx.vision.classifier import FILE, WEIGHTS, Classifier, Seen, key_of
from agentctx.weights.pins import PINS

if TYPE_CHECKING:
    from PIL.Image import Image

_MODALITY = "picture"
# How fast the likelihood of a class falls with its cosine to the words, and the cosine that words
# have to something that none of the classes is: set with docs/pictures.md.
_TEMPERATURE = 0.03
_NONE_OF_THEM = 0.5
_LICENCE = "Apache-2.0"
_WEIGHTS_DIGEST = PINS[WEIGHTS].files[FILE]


class _Looking:
    """What both encoders do: they look at photographs with one classifier."""

    requires = (
        Requirement("onnxruntime", "default"),
        Requirement("onnx", "screen"),
        Requirement("PIL", "screen"),
    )
    weights = (WEIGHTS,)

    def __init__(self, services: Services, *, threads: int = 0) -> None:
        self._services = services
        self._classifier = Classifier(services.weights, threads)

    def accepts(self, observation: Observation) -> bool:
        """Photographs live in the space: modality ``picture``, with a file that shows it."""
        return observation.modality == _MODALITY and media_of(observation) is not None

    def _look(self, observations: Sequence[Observation]) -> list[Seen]:
        pictures: list[tuple[str, Callable[[], Image]]] = [
            (key_of(one.media), partial(shown, one)) for one in observations
        ]
        return self._classifier.look(pictures)


class Pictures(_Looking):
    """Photographs, and words that ask for them, as float32 unit vectors [1001].

    A row is the square root of how likely each class is, and, of words, that they mean none of
    them; so the product of two rows is in 0..1, and near 0 for words about something else.
    ``threads``: cores to use, 0 for all.
    """

    # Asked for several times in every search, also to see what an encoder is.
    @cached_property
    def card(self) -> EncoderCard:
        """The card; its digest covers the weights, the classes and the constants."""
        texts = [one.text for one in classes.classes()]
        made_of = [_WEIGHTS_DIGEST, texts, _TEMPERATURE, _NONE_OF_THEM, classes.ENCODER]
        return EncoderCard(
            name="efficientnet-lite0-classes",
            revision="1",
            space="picture",
            dimension=efficientnet.CLASSES + 1,
            modalities=(_MODALITY,),
            licence=_LICENCE,
            digest=hashlib.sha256(json.dumps(made_of).encode()).hexdigest(),
        )

    def accepts_query(self, query: Observation) -> bool:
        """Words, and photographs."""
        return bool(query.text.strip()) if query.modality == "text" else self.accepts(query)

    def encode(self, passages: Sequence[Passage]) -> Embeddings:
        """One row per photograph."""
        seen = self._look([passage.observation for passage in passages])
        rows = np.zeros((len(seen), efficientnet.CLASSES + 1), np.float32)
        for row, one in zip(rows, seen, strict=True):
            row[:-1] = np.sqrt(one.probabilities)
        return Embeddings(rows)

    def encode_query(self, query: Observation) -> Embeddings:
        """One row for words, or for a photograph."""
        if query.modality != "text":
            return self.encode([Passage(query, 0, query.text, 0, len(query.text))])
        words = self._services.encoder(classes.ENCODER).encode_query(query).vectors[0]
        return Embeddings(_meant(words)[None, :])

    def fit(self, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        """The scores as they are: of 20 questions about something else, one is above 0.2."""
        return np.clip(scores, 0.0, 1.0)


class PictureFeatures(_Looking):
    """What photographs look like, as float32 unit vectors [1280]: for query by example.

    The features are those that the classifier's last layer goes by. ``threads``: cores to use, 0
    for all.
    """

    @property
    def card(self) -> EncoderCard:
        """The card; its digest is that of the weights."""
        return EncoderCard(
            name="efficientnet-lite0-features",
            revision="1",
            space="picture-features",
            dimension=efficientnet.FEATURES,
            modalities=(_MODALITY,),
            licence=_LICENCE,
            digest=_WEIGHTS_DIGEST,
        )

    def encode(self, passages: Sequence[Passage]) -> Embeddings:
        """One row per photograph."""
        seen = self._look([passage.observation for passage in passages])
        rows = np.array([one.features for one in seen], np.float32)
        rows = rows.reshape(-1, efficientnet.FEATURES)
        return Embeddings(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9))

    def encode_query(self, query: Observation) -> Embeddings:
        """The row of a photograph given as an example."""
        return self.encode([Passage(query, 0, query.text, 0, len(query.text))])


def _meant(words: NDArray[np.float32]) -> NDArray[np.float32]:
    """The square root of how likely words mean each class, and none of them, [1001]."""
    cosines = np.append(classes.vectors() @ words, _NONE_OF_THEM) / _TEMPERATURE
    powers = np.exp(cosines - cosines.max())
    found: NDArray[np.float32] = np.sqrt(powers / powers.sum()).astype(np.float32)
    return found
