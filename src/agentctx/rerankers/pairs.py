"""What cross-encoders have in common: a question and a text go into the model together.

Nogueira & Cho, "Passage Re-ranking with BERT" (2019). The model sees every word of one beside those
of the other, which is more precise than comparing vectors, and costs one run for each candidate.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agentctx.contracts import Candidate, Services
from agentctx.errors import ConfigError
from agentctx.records import Observation
from agentctx.rerankers.late_interaction import LateInteraction

# Apache-2.0; trained by sentence-transformers on MS MARCO, with the same model in ONNX beside it.
DEFAULT_MODEL = "cross-encoder/ms-marco-MiniLM-L6-v2"


class PairReranker(ABC):
    """Scores each text beside the question by the sigmoid of the model's only logit.

    ``model`` is a directory, or what a hub calls it: then ``revision`` may be a commit. ``batch``:
    how many pairs at once. ``depth``: how many candidates are judged, the best by late interaction
    over the token vectors of ``encoder``; the others get 0. ``floor`` is 0.5, the border between
    relevant and not in training.
    """

    def __init__(
        self,
        services: Services,
        model: str | Path,
        revision: str,
        batch: int,
        floor: float,
        depth: int,
        encoder: str,
    ) -> None:
        for name, value in (("batch", batch), ("depth", depth)):
            if value < 1:
                raise ConfigError(f"{name} is {value}; it must be at least 1")
        if not 0.0 <= floor <= 1.0:
            raise ConfigError(f"floor is {floor}; it must be in 0..1")
        self._weights = services.weights
        self._model, self._revision = model, revision
        self._batch, self._depth = batch, depth
        self._first = LateInteraction(services, encoder=encoder)
        self.floor = floor
        # The last question's scores, by text: a search judges its best candidates twice.
        self._judged: tuple[str, dict[str, float]] = ("", {})

    def score(self, query: Observation, candidates: Sequence[Candidate]) -> NDArray[np.float32]:
        """One score per candidate, float32 [n], in 0..1; candidates without words get 0.

        The text may be that of any modality: what a screen says, a transcript, a sensor's sentence.
        """
        scores = np.zeros(len(candidates), np.float32)
        # A screen that was there twice is judged once.
        texts = list({c.text: None for c in self._best(query, candidates) if c.text.strip()})
        if texts and query.text.strip():
            scored = self._scored(query.text, texts)
            scores[:] = [scored.get(candidate.text, 0.0) for candidate in candidates]
        return scores

    def _scored(self, query: str, texts: Sequence[str]) -> dict[str, float]:
        last, known = self._judged
        known = dict(known) if last == query else {}
        if new := [text for text in texts if text not in known]:
            known.update(zip(new, _sigmoid(self._logits(query, new)).tolist(), strict=True))
        # Replaced, not changed, for other threads.
        self._judged = query, known
        # Of these texts only: what was asked before must not show in the answer.
        return {text: known[text] for text in texts}

    def _best(self, query: Observation, candidates: Sequence[Candidate]) -> Sequence[Candidate]:
        if len(candidates) <= self._depth:
            return candidates
        first = self._first.score(query, candidates)
        return [candidates[n] for n in np.argsort(-first, kind="stable")[: self._depth]]

    @abstractmethod
    def _logits(self, query: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """The model's logit for each text beside the query, float32 [n]."""

    @property
    @abstractmethod
    def _files(self) -> Sequence[str]:
        """Patterns of the files that are needed of a hub's repository."""

    @cached_property
    def _directory(self) -> Path:
        given = Path(self._model).expanduser()
        if given.is_dir():
            return given
        return self._weights.repository(str(self._model), self._files, self._revision)

    def _refuse_labels(self, count: int) -> None:
        if count != 1:
            raise ConfigError(
                f"{self._model} has {count} labels; a reranker needs a model with one, "
                "which says how relevant a text is"
            )


def _sigmoid(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    # By tanh, which does not overflow.
    scores: NDArray[np.float32] = 0.5 * (1.0 + np.tanh(0.5 * logits))
    return scores
