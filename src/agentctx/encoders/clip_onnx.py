"""CLIP and SigLIP in ONNX: two files, one for each tower, and no torch."""

import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from agentctx.contracts import Requirement, Services
from agentctx.encoders.clip_pixels import Pixels
from agentctx.encoders.joint import TEMPLATES, Checkpoint, JointSpace, Rows, read_json
from agentctx.errors import ConfigError

if TYPE_CHECKING:
    from PIL.Image import Image

# How exports name the files of each number format, in the directory itself or in its ``onnx``.
_SUFFIXES = {"float32": "", "float16": "_fp16", "int8": "_quantized"}
_PLACES = ("", "onnx/")
_CONFIG = "config.json"
_ABOUT = (
    _CONFIG,
    "preprocessor_config.json",
    "processor_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "README.md",
)
_PROVIDERS = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "mps": "CoreMLExecutionProvider",
}
_FEEDS = {"input_ids": "ids", "attention_mask": "attention_mask"}
# What a tower's output is called, the projected one first.
_OUTPUTS = ("text_embeds", "image_embeds", "pooler_output")
# By the kind of model: the width of its space and the most tokens, where its config names neither.
_SIGLIP = (117.3, -12.9)
_KINDS = {"clip": (512, 77), "siglip": (768, 64)}


class ClipONNX(JointSpace):
    """Pictures and words by onnxruntime, prepared without torch or transformers.

    The directory is laid out as exports by optimum and those on the hub are: ``text_model.onnx``
    and ``vision_model.onnx`` (or both in ``onnx``), ``tokenizer.json``, ``config.json``,
    ``preprocessor_config.json``. ``dtype`` chooses among the files of one model: float32, float16
    (``*_fp16.onnx``) or int8 (``*_quantized.onnx``). ``device``: cpu, cuda, mps (CoreML), or auto.
    ``threads``: cores to use, 0 for all. Other options as in `JointSpace`.
    """

    requires = (
        Requirement("onnxruntime", "default"),
        Requirement("tokenizers", "default"),
        Requirement("PIL", "screen"),
    )

    def __init__(
        self,
        services: Services,
        *,
        model: str | Path = "",
        revision: str = "main",
        device: str = "auto",
        dtype: str = "float32",
        threads: int = 0,
        batch: int = 16,
        templates: Sequence[str] = TEMPLATES,
        logit: Sequence[float] | None = None,
    ) -> None:
        super().__init__(services, "clip-onnx", model, revision, batch, templates, logit)
        if device not in (*_PROVIDERS, "auto"):
            raise ConfigError(f"device is {device!r}; it must be cpu, cuda, mps or auto")
        if dtype not in _SUFFIXES:
            raise ConfigError(f"dtype is {dtype!r}; it must be one of {', '.join(_SUFFIXES)}")
        self._device = device
        self._suffix = _SUFFIXES[dtype]
        self._threads = threads or os.cpu_count() or 1

    def _checkpoint(self) -> Checkpoint:
        towers = [f"{tower}_model{self._suffix}.onnx" for tower in ("text", "vision")]
        # Large models keep their numbers in files beside it.
        patterns = [f"{place}{tower}*" for place in _PLACES for tower in towers]
        directory = self._directory((*_ABOUT, *patterns))
        files = [_present(directory, tower) for tower in towers]
        beside = sorted(one for file in files for one in file.parent.glob(f"{file.name}?*"))
        config = read_json(directory / _CONFIG)
        width = _kind(config)[0]
        if "projection_dim" in config:
            width = int(config["projection_dim"])
        elif config.get("model_type") == "siglip":
            width = int(config.get("vision_config", {}).get("hidden_size", width))
        return Checkpoint(self._called(directory), directory, (*files, *beside), width)

    @cached_property
    def _config(self) -> Mapping[str, Any]:
        return read_json(self._found.directory / _CONFIG)

    def _made(self, checkpoint: Checkpoint) -> Any:  # noqa: ANN401
        directory = checkpoint.directory
        text, vision = (self._session(path) for path in checkpoint.weights[:2])
        return (
            _tokenizer(directory, self._config),
            text,
            Pixels.of(_preprocessing(directory)),
            vision,
        )

    def _session(self, path: Path) -> Any:  # noqa: ANN401
        import onnxruntime

        here = onnxruntime.get_available_providers()
        # CoreML computes in other numbers, so it must be asked for.
        wanted = ("cuda", "cpu") if self._device == "auto" else (self._device,)
        chosen = [_PROVIDERS[name] for name in wanted if _PROVIDERS[name] in here]
        if not chosen:
            raise ConfigError(
                f"device is {self._device!r}, but this onnxruntime has only {', '.join(here)}"
            )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._threads
        # Waiting threads sleep instead of spinning: the user's other programs need the cores.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        return onnxruntime.InferenceSession(str(path), options, providers=chosen)

    def _own_logit(self) -> tuple[float, float] | None:
        # The files have neither; these are those of SigLIP base, whose cosines are small.
        return _SIGLIP if self._config.get("model_type") == "siglip" else None

    def _pictures(self, images: Sequence["Image"]) -> Rows:
        *_, pixels, session = self._ready()
        return _output(session, {session.get_inputs()[0].name: pixels(images)})

    def _texts(self, texts: Sequence[str]) -> Rows:
        tokenizer, session, *_ = self._ready()
        encoded = tokenizer.encode_batch(list(texts))
        wanted = [one.name for one in session.get_inputs()]
        if unknown := sorted(set(wanted) - set(_FEEDS)):
            raise ConfigError(f"{self._model}: its text tower asks for {', '.join(unknown)}, too")
        feed = {
            name: np.array([getattr(one, _FEEDS[name]) for one in encoded], np.int64)
            for name in wanted
        }
        return _output(session, feed)


def _output(session: Any, feed: Mapping[str, Any]) -> Rows:  # noqa: ANN401
    names = {one.name for one in session.get_outputs()}
    name = next((one for one in _OUTPUTS if one in names), None)
    if name is None:
        raise ConfigError(
            f"a tower gives {', '.join(sorted(names))}, and none of {', '.join(_OUTPUTS)}: export "
            "it with its projection, as optimum does for feature extraction"
        )
    (found,) = session.run([name], feed)
    return np.asarray(found, np.float32)


def _present(directory: Path, name: str) -> Path:
    for place in _PLACES:
        if (directory / f"{place}{name}").is_file():
            return directory / f"{place}{name}"
    raise ConfigError(
        f"clip-onnx: {directory} has no {name}; take an export with a file for each tower "
        "(on the hub: those made for transformers.js)"
    )


def _kind(config: Mapping[str, Any]) -> tuple[int, int]:
    kind = str(config.get("model_type"))
    if kind not in _KINDS:
        raise ConfigError(f"clip-onnx: a model of type {kind!r} is neither clip nor siglip")
    return _KINDS[kind]


def _preprocessing(directory: Path) -> Mapping[str, Any]:
    """How pictures are prepared; transformers 5 keeps it beside other things."""
    path = directory / "preprocessor_config.json"
    if path.is_file():
        return read_json(path)
    found = read_json(directory / "processor_config.json")
    return dict(found.get("image_processor", found))


def _tokenizer(directory: Path, config: Mapping[str, Any]) -> Any:  # noqa: ANN401
    from tokenizers import Tokenizer

    path = directory / "tokenizer.json"
    if not path.is_file():
        raise ConfigError(f"clip-onnx: {directory} has no tokenizer.json; copy it there")
    tokenizer = Tokenizer.from_file(str(path))
    _, most = _kind(config)
    most = int(config.get("text_config", {}).get("max_position_embeddings", most))
    tokenizer.enable_truncation(most)
    about = directory / "tokenizer_config.json"
    options = read_json(about) if about.is_file() else {}
    pad = options.get("pad_token") or "<|endoftext|>"
    pad = pad["content"] if isinstance(pad, Mapping) else pad
    padding = dict(tokenizer.padding or {})
    id_ = padding.get("pad_id", tokenizer.token_to_id(pad) or 0)
    # SigLIP was trained on texts of one length, and looks at the last place.
    length = most if config.get("model_type") == "siglip" else None
    tokenizer.enable_padding(
        direction=options.get("padding_side", padding.get("direction", "right")),
        pad_id=id_,
        pad_token=pad,
        length=length,
    )
    return tokenizer
