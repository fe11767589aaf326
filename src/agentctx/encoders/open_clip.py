"""OpenCLIP: the models of open_clip, by tag, by checkpoint, or by directory.

Cherti et al., "Reproducible scaling laws for contrastive language-image learning" (2023).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentctx.contracts import Requirement, Services
from agentctx.encoders.joint import TEMPLATES, Checkpoint, Rows, read_json
from agentctx.encoders.joint_torch import TorchSpace, logit_of
from agentctx.errors import ConfigError
from agentctx.extras import require

if TYPE_CHECKING:
    from PIL.Image import Image

_CONFIG = "open_clip_config.json"
# How open_clip names weights in a directory, in the order in which it looks for them.
_WEIGHTS = (
    "open_clip_model.safetensors",
    "open_clip_pytorch_model.safetensors",
    "model.safetensors",
    "open_clip_pytorch_model.bin",
)
_ABOUT = ("*.json", "*.txt", "*.model", "README.md")
_PRECISIONS = {"float32": "fp32", "float16": "pure_fp16", "bfloat16": "pure_bf16"}


@dataclass(frozen=True, slots=True)
class _Found(Checkpoint):
    """``architecture``: what open_clip builds; ``tag``: how the weights of a tag want pictures."""

    architecture: str
    tag: Mapping[str, Any]


class OpenClip(TorchSpace):
    """Pictures and words by open_clip's ``encode_image`` and ``encode_text``.

    ``model`` is one of: ``ARCHITECTURE:TAG`` ("ViT-B-32:laion2b_s34b_b79k"), ``ARCHITECTURE:FILE``
    (a checkpoint of your own), a directory with ``open_clip_config.json``, or the name of such a
    one on the hub. Other options as in `TorchSpace` and `JointSpace`. What is no safetensors is
    read by torch with ``weights_only``, which runs no code of the file's.
    """

    requires = (
        Requirement("open_clip", "open-clip"),
        Requirement("torch", "open-clip"),
        Requirement("PIL", "open-clip"),
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
        super().__init__(
            services, "open-clip", model, revision, device, dtype, batch, templates, logit
        )

    def _checkpoint(self) -> _Found:
        architecture, colon, weights = str(self._model).removeprefix("hf-hub:").partition(":")
        if not colon or Path(self._model).expanduser().is_dir():
            return self._of_directory()
        library = require("open_clip", extra="open-clip")
        config = library.get_model_config(architecture)
        if config is None:
            raise ConfigError(
                f"open_clip has no model {architecture!r}; open_clip.list_models() names them"
            )
        if tower := config["text_cfg"].get("hf_model_name"):
            raise ConfigError(
                f"{architecture} has {tower} as its text tower, which open_clip fetches by itself; "
                "take a model whose weights are complete"
            )
        file = Path(weights).expanduser()
        tag: Mapping[str, Any] = {}
        if not file.is_file():
            file, tag = self._of_tag(architecture, weights, quick=bool(config.get("quick_gelu")))
        if config["text_cfg"].get("hf_tokenizer_name") and not (file.parent / _CONFIG).is_file():
            raise ConfigError(
                f"{architecture} needs a tokenizer: give the directory with its {_CONFIG} as model"
            )
        name = weights if tag else file.name
        dimension = int(config["embed_dim"])
        return _Found(f"{architecture}:{name}", file.parent, (file,), dimension, architecture, tag)

    def _of_directory(self) -> _Found:
        directory = self._fetched(str(self._model).removeprefix("hf-hub:"), _WEIGHTS)
        config = read_json(directory / _CONFIG)
        weights = next((directory / one for one in _WEIGHTS if (directory / one).is_file()), None)
        if weights is None or "embed_dim" not in config.get("model_cfg", {}):
            raise ConfigError(
                f"{directory} is no model of open_clip: it needs {_CONFIG} and one of "
                + ", ".join(_WEIGHTS)
            )
        dimension = int(config["model_cfg"]["embed_dim"])
        place = f"local-dir:{directory}"
        return _Found(self._called(directory), directory, (weights,), dimension, place, {})

    def _of_tag(
        self, architecture: str, tag: str, *, quick: bool
    ) -> tuple[Path, Mapping[str, Any]]:
        library = require("open_clip", extra="open-clip")
        about = library.get_pretrained_cfg(architecture, tag)
        tags = library.list_pretrained_tags_by_model(architecture)
        if not about:
            raise ConfigError(
                f"{architecture} has no weights {tag!r}, and there is no such file; open_clip "
                f"knows: {', '.join(tags) or 'none'}"
            )
        if bool(about.get("quick_gelu")) != quick:
            # open_clip only warns, and gives vectors that are wrong by a little.
            other = architecture.removesuffix("-quickgelu") + ("" if quick else "-quickgelu")
            raise ConfigError(
                f"{tag!r} was trained with another activation; the model is {other}:{tag}"
            )
        repository, _, file = about.get("hf_hub", "").rpartition("/")
        if not repository:
            raise ConfigError(
                f"the weights {tag!r} are on no hub; fetch {about.get('url')} yourself, and name "
                f"the file: {architecture}:FILE"
            )
        names = (f"{Path(file).stem}.safetensors", file) if file else _WEIGHTS
        directory = self._fetched(repository, names)
        return next(directory / one for one in names if (directory / one).is_file()), about

    def _fetched(self, repository: str, names: Sequence[str]) -> Path:
        """A directory of one's own or of a hub, with the first of these files that it has."""
        given = Path(repository).expanduser()
        if given.is_dir():
            return given
        for name in names:
            # One after the other: such repositories hold the same weights in several formats.
            files = (*_ABOUT, name)
            directory = self._services.weights.repository(repository, files, self._revision)
            if (directory / name).is_file():
                return directory
        raise ConfigError(f"{repository} has none of {', '.join(names)}")

    def _torch(self) -> Any:  # noqa: ANN401
        return require("torch", extra="open-clip")

    def _made(self, checkpoint: Checkpoint) -> Any:  # noqa: ANN401
        assert isinstance(checkpoint, _Found)
        library = require("open_clip", extra="open-clip")
        place, tag = checkpoint.architecture, checkpoint.tag
        model, _, prepare = library.create_model_and_transforms(
            place,
            pretrained=None if place.startswith("local-dir:") else str(checkpoint.weights[0]),
            precision=_PRECISIONS[self._dtype],
            device=self._device(),
            image_mean=tag.get("mean"),
            image_std=tag.get("std"),
            image_interpolation=tag.get("interpolation"),
            image_resize_mode=tag.get("resize_mode"),
            weights_only=True,
        )
        if (checkpoint.directory / _CONFIG).is_file():
            place = f"local-dir:{checkpoint.directory}"
        return model.eval(), prepare, library.get_tokenizer(place)

    def _own_logit(self) -> tuple[float, float] | None:
        return logit_of(self._ready()[0])

    def _pictures(self, images: Sequence["Image"]) -> Rows:
        torch = self._torch()
        model, prepare, _ = self._ready()
        weight = next(model.parameters())
        pixels = torch.stack([prepare(image) for image in images]).to(weight.device, weight.dtype)
        return self._rows(lambda: model.encode_image(pixels))

    def _texts(self, texts: Sequence[str]) -> Rows:
        model, _, tokenizer = self._ready()
        tokens = tokenizer(list(texts)).to(next(model.parameters()).device)
        return self._rows(lambda: model.encode_text(tokens))
