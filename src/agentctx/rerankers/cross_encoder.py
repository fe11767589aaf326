"""A cross-encoder through sentence-transformers, on torch: any model it takes, on any device."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agentctx.contracts import Requirement, Services
from agentctx.errors import ConfigError
from agentctx.extras import require
from agentctx.rerankers.pairs import DEFAULT_MODEL, PairReranker


class CrossEncoder(PairReranker):
    """Scores by ``sentence_transformers.CrossEncoder``; options as in `PairReranker`.

    ``device``: what torch calls it ("cpu", "cuda:0", "mps"); None is the best there is.
    Weights are read from safetensors only: a pickle could run code.
    """

    requires = (Requirement("sentence_transformers", "cross-encoder"),)

    def __init__(
        self,
        services: Services,
        *,
        model: str | Path = DEFAULT_MODEL,
        revision: str = "main",
        device: str | None = None,
        batch: int = 32,
        floor: float = 0.5,
        depth: int = 20,
        encoder: str = "minilm",
    ) -> None:
        super().__init__(services, model, revision, batch, floor, depth, encoder)
        self._device = device
        self._loaded: Any = None
        self._lock = threading.Lock()

    @property
    def _files(self) -> Sequence[str]:
        return ("*.json", "*.safetensors", "*.txt", "*.model", "*.jinja")

    def _logits(self, query: str, texts: Sequence[str]) -> NDArray[np.float32]:
        torch = require("torch", extra="cross-encoder")
        found = self._load().predict(
            [(query, text) for text in texts],
            batch_size=self._batch,
            show_progress_bar=False,
            # Some models are saved with a sigmoid and some without.
            activation_fn=torch.nn.Identity(),
        )
        return np.asarray(found, np.float32)

    def _load(self) -> Any:  # noqa: ANN401
        with self._lock:
            if self._loaded is None:
                self._loaded = self._made()
            return self._loaded

    def _made(self) -> Any:  # noqa: ANN401
        library = require("sentence_transformers", extra="cross-encoder")
        directory = self._directory
        try:
            made = library.CrossEncoder(
                str(directory),
                device=self._device,
                local_files_only=True,
                model_kwargs={"use_safetensors": True},
            )
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise ConfigError(
                f"cross-encoder: the model in {directory} cannot be used: {error}"
            ) from error
        self._refuse_labels(made.num_labels)
        return made
