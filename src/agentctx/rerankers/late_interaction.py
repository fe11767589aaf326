"""Late interaction: each word of the query finds its best word in the passage.

MaxSim of Khattab & Zaharia, "ColBERT" (2020), over the token vectors that the text encoder
stores at ingest; a reranking costs one encoding of the query and a few small products.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from agentctx.contracts import AFTER, BEFORE, Candidate, Requirement, Services
from agentctx.errors import ConfigError
from agentctx.products import product
from agentctx.records import Observation, Passage

# What a token counts at least, that all candidates have.
_LEAST_APART = 0.001


class LateInteraction:
    """Scores passages by the mean, over the query's tokens, of the best cosine in the passage.

    A token that all candidates have tells none of them apart, so each counts by how far from it
    they are on average. A turn of a conversation rarely repeats what it is about: a token may also
    find its best match in a turn before (discounted by ``before`` for each step away) or after
    (by ``after``; answers follow questions, so less is to be found there).
    ``encoder`` names the text encoder whose token vectors are compared; ``floor`` belongs to it.
    """

    requires = (Requirement("numpy", "default"),)

    def __init__(
        self,
        services: Services,
        *,
        encoder: str = "minilm",
        before: float = BEFORE,
        after: float = AFTER,
        floor: float = 0.4,
    ) -> None:
        for name, value in (("before", before), ("after", after), ("floor", floor)):
            if not 0.0 <= value <= 1.0:
                raise ConfigError(f"{name} is {value}; it must be in 0..1")
        self._services = services
        self._before, self._after = before, after
        self.floor = floor
        self._encoder = encoder

    def score(self, query: Observation, candidates: Sequence[Candidate]) -> NDArray[np.float32]:
        """One score per candidate, float32 [n], in 0..1; candidates without words get 0."""
        encoder = self._services.encoder(self._encoder)
        wanted = (encoder.encode_query(query).tokens or [np.empty((0, 0), np.int8)])[0]
        best = np.zeros((len(candidates), len(wanted)), np.float32)
        matrices = self._matrices(candidates)
        filled = [i for i, matrix in enumerate(matrices) if len(matrix)]
        if not filled or not len(wanted):
            return np.zeros(len(candidates), np.float32)
        stacked = np.concatenate([matrices[i] for i in filled]).astype(np.float32)
        starts = np.cumsum([0] + [len(matrices[i]) for i in filled[:-1]])
        # The products are few beside the numbers in the rows, so these are what is made unit.
        cosines = product(stacked, _unit(wanted).T)
        cosines /= np.maximum(np.sqrt(np.einsum("td,td->t", stacked, stacked)), 1e-9)[:, None]
        best[filled] = np.maximum.reduceat(cosines, starts, axis=0)
        shared = self._with_neighbours(best, candidates)
        apart = np.maximum(1.0 - shared[filled].mean(axis=0), _LEAST_APART)
        scores: NDArray[np.float32] = np.clip(shared @ apart / apart.sum(), 0.0, 1.0)
        return scores

    def _with_neighbours(
        self, best: NDArray[np.float32], candidates: Sequence[Candidate]
    ) -> NDArray[np.float32]:
        # All neighbours at once, in a table padded with a row of zeros.
        width = max(len(candidate.neighbours) for candidate in candidates)
        places = np.full((len(candidates), width), len(candidates), np.int64)
        weights = np.zeros((len(candidates), width, 1), np.float32)
        for row, candidate in enumerate(candidates):
            for column, (neighbour, position) in enumerate(candidate.neighbours):
                places[row, column] = neighbour
                decay = self._before if position < 0 else self._after
                weights[row, column] = decay ** abs(position)
        padded = np.concatenate([best, np.zeros_like(best[:1])])
        lent = (padded[places] * weights).max(axis=1, initial=0.0)
        shared: NDArray[np.float32] = np.maximum(best, lent)
        return shared

    def _matrices(self, candidates: Sequence[Candidate]) -> list[NDArray[np.int8]]:
        # A candidate from elsewhere has no stored token vectors, and one of a memory with another
        # text encoder has that one's: encode those, in one batch.
        encoder = self._services.encoder(self._encoder)
        width = encoder.card.token_dimension
        stored = [c.tokens if c.tokens is not None and c.tokens.shape[1] == width else None
                  for c in candidates]  # fmt: skip
        absent = [i for i, c in enumerate(candidates) if stored[i] is None and c.text.strip()]
        empty = np.empty((0, width), np.int8)
        matrices = [empty if tokens is None else tokens for tokens in stored]
        passages = [
            Passage(candidates[i].observation, 0, candidates[i].text, 0, len(candidates[i].text))
            for i in absent
        ]
        if passages:
            found = encoder.encode(passages).tokens
            if found is None:
                raise ConfigError(
                    f"the encoder {self._encoder!r} gives no token vectors to rerank by"
                )
            for i, tokens in zip(absent, found, strict=True):
                matrices[i] = tokens
        return matrices


def _unit(matrix: NDArray[np.int8]) -> NDArray[np.float32]:
    rows = matrix.astype(np.float32)
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    return rows
