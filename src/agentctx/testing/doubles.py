"""Deterministic stand-ins, for tests that should need no model and no network."""

import hashlib
import re
import string
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agentctx.contracts import Encoder, Requirement, Services
from agentctx.errors import PluginError, WeightsNotFound
from agentctx.records import Embeddings, EncoderCard, Observation, Passage

_DIMENSION = 64
_PIECE = re.compile(r"\S+")


class FixedServices:
    """Services that have only what they are given, and note in ``asked`` which weights were asked.

    >>> FixedServices().weights.find("whisper-tiny.en")
    Traceback (most recent call last):
    agentctx.errors.WeightsNotFound: no weights for 'whisper-tiny.en'; looked in:
      - the weights of FixedServices
    get them with: FixedServices(weights={'whisper-tiny.en': path})
    """

    def __init__(
        self,
        weights: Mapping[str, Path] | None = None,
        encoders: Mapping[str, Encoder] | None = None,
    ) -> None:
        self.asked: list[str] = []
        self._weights = dict(weights or {})
        self._encoders = dict(encoders or {})

    @property
    def weights(self) -> "FixedServices":
        """The weight store: itself."""
        return self

    def find(self, name: str) -> Path:
        """The path that was given for these weights; raises WeightsNotFound without one."""
        self.asked.append(name)
        if name not in self._weights:
            install = f"FixedServices(weights={{{name!r}: path}})"
            raise WeightsNotFound(name, ["the weights of FixedServices"], install)
        return self._weights[name]

    def repository(self, name: str, patterns: Sequence[str], revision: str = "main") -> Path:
        """The path that was given for this model; raises WeightsNotFound without one."""
        del patterns, revision
        return self.find(name)

    def encoder(self, name: str) -> Encoder:
        """The encoder that was given under this name; raises PluginError without one."""
        if name not in self._encoders:
            raise PluginError(f"no encoder is called {name!r} in these FixedServices")
        return self._encoders[name]


class HashEncoder:
    """A text encoder without a model: texts are near each other when they share words.

    A double for tests, not for use: it knows no synonyms and no grammar. A word is 64 signs, the
    first bits of its SHA-256; a text is the sum of its words, made of length 1; its token vectors
    are those of its words. ``max_words`` is the longest passage.

    >>> from agentctx import Observation
    >>> encoder = HashEncoder()
    >>> pump, seal, lunch = (
    ...     encoder.encode_query(Observation(text=text)).vectors[0]
    ...     for text in ("the pump leaks", "A leaking pump?", "soup for lunch")
    ... )
    >>> bool(pump @ seal > pump @ lunch)
    True
    """

    requires: tuple[Requirement, ...] = ()
    # Two standard deviations of the cosine between texts that share no word.
    floor = 2 / _DIMENSION**0.5

    def __init__(self, services: Services | None = None, *, max_words: int = 64) -> None:
        del services
        self._max_words = max_words

    @property
    def card(self) -> EncoderCard:
        """The card of the double."""
        return EncoderCard(
            name="hash-double",
            revision="1",
            space="text-hash",
            dimension=_DIMENSION,
            modalities=("text", "screenshot", "speech", "sensor"),
            licence="Apache-2.0",
            digest=hashlib.sha256(b"agentctx hash double 1").hexdigest(),
            token_dimension=_DIMENSION,
        )

    def accepts(self, observation: Observation) -> bool:
        """Whatever has words."""
        return bool(observation.text.strip())

    def count_tokens(self, text: str) -> int:
        """The words in the text."""
        return len(text.split())

    def split(self, text: str) -> list[tuple[int, int]]:
        """Spans of at most ``max_words`` words."""
        pieces = [match.span() for match in _PIECE.finditer(text)]
        starts = range(0, len(pieces), self._max_words)
        parts = [pieces[start : start + self._max_words] for start in starts]
        return [(part[0][0], part[-1][1]) for part in parts]

    def encode(self, passages: Sequence[Passage]) -> Embeddings:
        """One unit row [64], and one matrix of words, per passage."""
        tokens = [_signs(passage.text) for passage in passages]
        rows = [matrix.sum(axis=0, dtype=np.float32) for matrix in tokens]
        vectors = np.array(rows, np.float32).reshape(-1, _DIMENSION)
        # Signs can cancel out (a word and its opposite); a constant keeps the length from zero.
        vectors += np.float32(1e-3)
        return Embeddings(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), tokens)

    def encode_query(self, query: Observation) -> Embeddings:
        """The row of the query's words."""
        return self.encode([Passage(query, 0, query.text, 0, len(query.text))])


def _signs(text: str) -> NDArray[np.int8]:
    words = [word.strip(string.punctuation) or word for word in text.lower().split()] or [""]
    data = b"".join(
        hashlib.sha256(word.encode("utf-8", "surrogatepass")).digest()[: _DIMENSION // 8]
        for word in words
    )
    bits = np.unpackbits(np.frombuffer(data, np.uint8)).astype(np.int8)
    return (2 * bits - 1).reshape(-1, _DIMENSION)
