"""CLIP-style models as sentence-transformers runs them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from agentctx.contracts import Requirement, Services
from agentctx.encoders.joint import TEMPLATES, Checkpoint, Rows, read_json, safetensors
from agentctx.encoders.joint_torch import TorchSpace, projected
from agentctx.errors import ConfigError
from agentctx.extras import require

if TYPE_CHECKING:
    from PIL.Image import Image

_FILES = ("*.json", "*.txt", "*.model", "*.safetensors", "README.md")


class SentenceTransformersClip(TorchSpace):
    """Pictures and words by ``SentenceTransformer.encode``.

    Options as in `TorchSpace` and `JointSpace`. Weights are read from safetensors only.
    """

    requires = (
        Requirement("sentence_transformers", "sentence-transformers"),
        Requirement("torch", "sentence-transformers"),
        Requirement("PIL", "sentence-transformers"),
    )

    def __init__(
        self,
        services: Services,
        *,
        model: str | Path = "",
        revision: str = "main",
        device: str = "auto",
        dtype: str = "float32",
        batch: int = 32,
        templates: Sequence[str] = TEMPLATES,
        logit: Sequence[float] | None = None,
    ) -> None:
        family = "clip-sentence-transformers"
        super().__init__(services, family, model, revision, device, dtype, batch, templates, logit)

    def _checkpoint(self) -> Checkpoint:
        directory = self._directory(_FILES)
        return Checkpoint(
            self._called(directory), directory, safetensors(directory), _dimension(directory)
        )

    def _torch(self) -> Any:  # noqa: ANN401
        return require("torch", extra="sentence-transformers")

    def _made(self, checkpoint: Checkpoint) -> Any:  # noqa: ANN401
        library = require("sentence_transformers", extra="sentence-transformers")
        torch = self._torch()
        return library.SentenceTransformer(
            str(checkpoint.directory),
            device=self._device(),
            local_files_only=True,
            model_kwargs={"use_safetensors": True, "dtype": getattr(torch, self._dtype)},
        )

    def _pictures(self, images: Sequence["Image"]) -> Rows:
        return self._encoded(images)

    def _texts(self, texts: Sequence[str]) -> Rows:
        return self._encoded(texts)

    def _encoded(self, inputs: Sequence[object]) -> Rows:
        found = self._ready().encode(
            list(inputs),
            batch_size=self._batch,
            show_progress_bar=False,
            convert_to_tensor=True,
        )
        return np.asarray(found.float().cpu().numpy(), np.float32)


def _dimension(directory: Path) -> int:
    """What the last of the model's modules gives, by their configurations."""
    listed = directory / "modules.json"
    places = [directory]
    if listed.is_file():
        places = [directory / one["path"] for one in json.loads(listed.read_bytes())]
    for place in reversed(places[1:]):
        config = place / "config.json"
        if config.is_file() and "out_features" in (found := read_json(config)):
            return int(found["out_features"])
    library = require("transformers", extra="sentence-transformers")
    try:
        return projected(library.AutoConfig.from_pretrained(places[0], local_files_only=True))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{directory} is no CLIP-style model: {error}") from error
