"""CLIP, SigLIP and SigLIP2 as transformers runs them; other models of two towers work as well."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentctx.contracts import Requirement, Services
from agentctx.encoders.joint import TEMPLATES, Checkpoint, Rows, safetensors
from agentctx.encoders.joint_torch import TorchSpace, logit_of, projected
from agentctx.errors import ConfigError
from agentctx.extras import require

if TYPE_CHECKING:
    from PIL.Image import Image

_FILES = ("*.json", "*.txt", "*.model", "*.safetensors", "README.md")


class TransformersClip(TorchSpace):
    """Pictures and words by ``get_image_features`` and ``get_text_features``.

    Options as in `TorchSpace` and `JointSpace`. Weights are read from safetensors only.
    """

    requires = (
        Requirement("transformers", "transformers"),
        Requirement("torch", "transformers"),
        Requirement("PIL", "transformers"),
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
        family = "clip-transformers"
        super().__init__(services, family, model, revision, device, dtype, batch, templates, logit)

    def _checkpoint(self) -> Checkpoint:
        directory = self._directory(_FILES)
        library = require("transformers", extra="transformers")
        try:
            config = library.AutoConfig.from_pretrained(directory, local_files_only=True)
        except (OSError, ValueError) as error:
            raise ConfigError(f"{directory} is no model of transformers: {error}") from error
        return Checkpoint(
            self._called(directory), directory, safetensors(directory), projected(config)
        )

    def _torch(self) -> Any:  # noqa: ANN401
        return require("torch", extra="transformers")

    def _made(self, checkpoint: Checkpoint) -> Any:  # noqa: ANN401
        library = require("transformers", extra="transformers")
        torch = self._torch()
        place = str(checkpoint.directory)
        processor = library.AutoProcessor.from_pretrained(place, local_files_only=True)
        model = library.AutoModel.from_pretrained(
            place, local_files_only=True, use_safetensors=True, dtype=getattr(torch, self._dtype)
        )
        if not hasattr(model, "get_image_features") or not hasattr(model, "get_text_features"):
            raise ConfigError(f"{self._model} is a {type(model).__name__}, which is no joint model")
        return processor, model.to(self._device()).eval()

    def _own_logit(self) -> tuple[float, float] | None:
        return logit_of(self._ready()[1])

    def _pictures(self, images: Sequence["Image"]) -> Rows:
        processor, model = self._ready()
        inputs = processor(images=list(images), return_tensors="pt").to(model.device, model.dtype)
        return self._rows(lambda: _pooled(model.get_image_features(**inputs)))

    def _texts(self, texts: Sequence[str]) -> Rows:
        processor, model = self._ready()
        config = model.config.text_config
        # SigLIP was trained on texts of one length, and looks at the last place.
        fixed = "siglip" in model.config.model_type
        inputs = processor(
            text=list(texts),
            padding="max_length" if fixed else True,
            truncation=True,
            max_length=config.max_position_embeddings,
            return_tensors="pt",
        ).to(model.device)
        return self._rows(lambda: _pooled(model.get_text_features(**inputs)))


def _pooled(found: Any) -> Any:  # noqa: ANN401
    # A tensor before transformers 5.
    return getattr(found, "pooler_output", found)
