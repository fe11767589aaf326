"""The same cross-encoders in ONNX: no torch, only what the core has anyway."""

import json
import os
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agentctx.contracts import Requirement, Services
from agentctx.errors import ConfigError
from agentctx.rerankers.pairs import DEFAULT_MODEL, PairReranker

# What a model takes that does not say how much it does.
_MAX_TOKENS = 512
_WHERE = ("model.onnx", "onnx/model.onnx")
_FEEDS = {"input_ids": "ids", "attention_mask": "attention_mask", "token_type_ids": "type_ids"}


class CrossEncoderONNX(PairReranker):
    """Scores by a model's ONNX file and tokenizer; options as in `PairReranker`.

    The directory holds ``model.onnx`` (or ``onnx/model.onnx``, as on the hub), ``tokenizer.json``
    and ``config.json``. What is too long for the model is cut as sentence-transformers does:
    the longer of question and text loses its end first. ``threads``: cores to use, 0 for all.
    """

    requires = (Requirement("onnxruntime", "default"), Requirement("tokenizers", "default"))

    def __init__(
        self,
        services: Services,
        *,
        model: str | Path = DEFAULT_MODEL,
        revision: str = "main",
        threads: int = 0,
        batch: int = 32,
        floor: float = 0.5,
        depth: int = 20,
        encoder: str = "minilm",
    ) -> None:
        super().__init__(services, model, revision, batch, floor, depth, encoder)
        self._threads = threads or os.cpu_count() or 1
        self._loaded: tuple[Any, Any] | None = None
        self._lock = threading.Lock()

    @property
    def _files(self) -> Sequence[str]:
        return ("config.json", "tokenizer.json", "tokenizer_config.json", *_WHERE)

    def _logits(self, query: str, texts: Sequence[str]) -> NDArray[np.float32]:
        tokenizer, session = self._load()
        encoded = tokenizer.encode_batch([(query, text) for text in texts])
        wanted = [one.name for one in session.get_inputs()]
        found = np.empty(len(texts), np.float32)
        for rows in self._batches([sum(one.attention_mask) for one in encoded]):
            batch = [encoded[row] for row in rows]
            # Padded on whichever side the model wants, so what all have too much is cut there.
            used = np.array([one.attention_mask for one in batch], np.int64).any(axis=0)
            feed = {
                name: np.array([getattr(one, _FEEDS[name]) for one in batch], np.int64)[:, used]
                for name in wanted
            }
            found[rows] = session.run(None, feed)[0][:, 0]
        return found

    def _batches(self, lengths: Sequence[int]) -> Iterator[list[int]]:
        # By length, so that little of a batch is padding.
        order = sorted(range(len(lengths)), key=lengths.__getitem__)
        for start in range(0, len(order), self._batch):
            yield order[start : start + self._batch]

    def _load(self) -> tuple[Any, Any]:
        with self._lock:
            if self._loaded is None:
                directory = self._directory
                config = _json(directory / "config.json")
                self._loaded = _tokenizer(directory, config), self._session(directory)
            return self._loaded

    def _session(self, directory: Path) -> Any:  # noqa: ANN401
        import onnxruntime

        path = next((directory / name for name in _WHERE if (directory / name).is_file()), None)
        if path is None:
            raise ConfigError(
                f"cross-encoder-onnx: {directory} has no model.onnx; export it, for instance by: "
                "optimum-cli export onnx --task text-classification"
            )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._threads
        # Waiting threads sleep instead of spinning: the user's other programs need the cores.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        try:
            session = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime's own errors have no common base
            raise ConfigError(f"cross-encoder-onnx: {path} cannot be used: {error}") from error
        if unknown := sorted({one.name for one in session.get_inputs()} - set(_FEEDS)):
            raise ConfigError(f"cross-encoder-onnx: {path} asks for {', '.join(unknown)}, too")
        *_, labels = session.get_outputs()[0].shape
        if isinstance(labels, int):
            self._refuse_labels(labels)
        return session


def _tokenizer(directory: Path, config: dict[str, Any]) -> Any:  # noqa: ANN401
    from tokenizers import Tokenizer

    path = directory / "tokenizer.json"
    if not path.is_file():
        raise ConfigError(f"cross-encoder-onnx: {directory} has no tokenizer.json; copy it there")
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # tokenizers raises Exception itself
        raise ConfigError(f"cross-encoder-onnx: {path} cannot be used: {error}") from error
    about = directory / "tokenizer_config.json"
    options = _json(about) if about.is_file() else {}
    limits = (options.get("model_max_length"), config.get("max_position_embeddings"))
    most = min((n for n in limits if isinstance(n, int) and n > 0), default=_MAX_TOKENS)
    tokenizer.enable_truncation(most, strategy="longest_first")
    padding = dict(tokenizer.padding or {})
    id_ = config.get("pad_token_id") or 0
    tokenizer.enable_padding(
        direction=options.get("padding_side", padding.get("direction", "right")),
        pad_id=padding.get("pad_id", id_),
        pad_type_id=padding.get("pad_type_id", 0),
        pad_token=padding.get("pad_token", tokenizer.id_to_token(id_) or "[PAD]"),
    )
    return tokenizer


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"cross-encoder-onnx: {path} cannot be read: {error}; copy it from the model's source"
        ) from error
    return dict(found)
