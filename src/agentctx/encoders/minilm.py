"""all-MiniLM-L6-v2 in ONNX (int8): the default text space, and its token vectors.

Wang et al., "MiniLM" (2020), as trained by sentence-transformers: mean pooling over the last
hidden state, then unit length. The same pass gives the token vectors for late interaction
(Khattab & Zaharia, "ColBERT", 2020), so nothing is computed twice.
"""

import os
import threading
from collections.abc import Iterator, Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agentctx.contracts import Requirement, Services
from agentctx.encoders import token_vectors
from agentctx.errors import ConfigError
from agentctx.records import Embeddings, EncoderCard, Observation, Passage
from agentctx.weights.pins import PINS

_DIMENSION = 384
# The most that sentence-transformers gives this model; two of them are [CLS] and [SEP].
_MAX_TOKENS = 256
_SPECIAL = 2
# The tokenizer caps a word at 100 pieces: more than that must fit, or a word would be cut.
_MIN_TOKENS = 128
# Padded word pieces per run: small enough to stay in the cache, large enough to fill two cores.
_BATCH_TOKENS = 1024
_REMEMBERED_QUERIES = 64


class MiniLM:
    """Text to unit vectors [384], with int8 token vectors [tokens, 128].

    ``threads``: cores to use, 0 for all. ``max_tokens``: word pieces per passage, 128 to 256;
    the model was trained on 128, and short passages make precise quotations.
    """

    # Gibberish and off-topic questions stay below 0.35; 1 % of real questions stay below 0.46.
    floor = 0.35
    requires = (Requirement("onnxruntime", "default"), Requirement("tokenizers", "default"))
    weights = ("minilm-int8", "minilm-tokenizer")

    def __init__(self, services: Services, *, threads: int = 0, max_tokens: int = 128) -> None:
        if not _MIN_TOKENS <= max_tokens <= _MAX_TOKENS:
            raise ConfigError(
                f"max_tokens is {max_tokens}; it must be in {_MIN_TOKENS}..{_MAX_TOKENS}"
            )
        self._weights = services.weights
        self._threads = threads or os.cpu_count() or 1
        self._limit = max_tokens - _SPECIAL
        self._queries: dict[str, Embeddings] = {}
        self._lock = threading.Lock()

    @property
    def card(self) -> EncoderCard:
        """The model's card; reading it loads nothing."""
        return EncoderCard(
            name="all-MiniLM-L6-v2",
            revision="onnx-int8-1",
            space="text-minilm",
            dimension=_DIMENSION,
            modalities=("text", "screenshot", "speech", "sensor"),
            licence="Apache-2.0",
            digest=PINS["minilm-int8"].files["model.onnx"],
            token_dimension=token_vectors.DIMENSION,
        )

    @cached_property
    def _tokenizer(self) -> Any:  # noqa: ANN401
        return _load_tokenizer(self._weights.find("minilm-tokenizer") / "tokenizer.json")

    @cached_property
    def _session(self) -> Any:  # noqa: ANN401
        return _load_session(self._weights.find("minilm-int8") / "model.onnx", self._threads)

    def accepts(self, observation: Observation) -> bool:
        """Whatever has words lives in this space."""
        return bool(observation.text.strip())

    def count_tokens(self, text: str) -> int:
        """Word pieces in the text, without special tokens."""
        return len(self._tokenizer.encode(text, add_special_tokens=False))

    def split(self, text: str) -> list[tuple[int, int]]:
        """Spans of at most ``max_tokens`` word pieces, cut at a blank line, line, sentence or word.

        The cut is the last one of the best kind in the second half of what fits.
        """
        encoded = self._tokenizer.encode(text, add_special_tokens=False)
        offsets = encoded.offsets
        spans = []
        first = 0
        while first < len(offsets):
            last = min(first + self._limit, len(offsets))
            if last < len(offsets):
                last = _cut(text, encoded, first, last)
            spans.append((offsets[first][0], offsets[last - 1][1]))
            first = last
        return spans

    def encode(self, passages: Sequence[Passage]) -> Embeddings:
        """One unit row, and one token matrix, per passage."""
        return self._encode([passage.text for passage in passages])

    def encode_query(self, query: Observation) -> Embeddings:
        """One row; a query over the length limit is the mean of its parts, cut like a passage.

        The last queries are remembered: candidates and reranker ask for the same one.
        """
        with self._lock:
            known = self._queries.get(query.text)
        if known is not None:
            return known
        texts = [query.text[start:stop] for start, stop in self.split(query.text)] or [""]
        found = self._encode(texts)
        vector = found.vectors.mean(axis=0, keepdims=True)
        vector /= np.linalg.norm(vector)
        embeddings = Embeddings(vector, [np.concatenate(list(found.tokens or ()))])
        with self._lock:
            while len(self._queries) >= _REMEMBERED_QUERIES:
                self._queries.pop(next(iter(self._queries)))
            self._queries[query.text] = embeddings
        return embeddings

    def _encode(self, texts: Sequence[str]) -> Embeddings:
        encoded = self._tokenizer.encode_batch(list(texts))
        too_long = next((i for i, e in enumerate(encoded) if len(e) > _MAX_TOKENS), None)
        if too_long is not None:
            raise ValueError(
                f"a passage has {len(encoded[too_long])} tokens, the model takes {_MAX_TOKENS}; "
                "cut it with split() first"
            )
        vectors = np.empty((len(encoded), _DIMENSION), np.float32)
        tokens: dict[int, NDArray[np.int8]] = {}
        for rows in _batches([len(e) for e in encoded]):
            hidden, mask = self._run([encoded[i] for i in rows])
            vectors[rows] = _pool(hidden, mask)
            # Between [CLS] and [SEP], which say nothing about a word; one product for the batch.
            kept = [np.flatnonzero(token_vectors.telling(encoded[i].tokens[1:-1])) for i in rows]
            codes = token_vectors.compress(
                np.concatenate([matrix[1 + k] for matrix, k in zip(hidden, kept, strict=True)])
            )
            ends = np.cumsum([len(k) for k in kept])
            tokens.update(zip(rows, np.split(codes, ends[:-1]), strict=True))
        return Embeddings(vectors, [tokens[row] for row in range(len(encoded))])

    def _run(self, encoded: Sequence[Any]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        width = max(len(e) for e in encoded)
        ids = np.zeros((len(encoded), width), np.int64)
        mask = np.zeros_like(ids)
        for row, e in enumerate(encoded):
            ids[row, : len(e)] = e.ids
            mask[row, : len(e)] = 1
        feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        return self._session.run(None, feed)[0], mask


# Once per process, however many memories are open; both are safe to use from several threads.
@cache
def _load_tokenizer(path: Path) -> Any:  # noqa: ANN401
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


@cache
def _load_session(path: Path, threads: int) -> Any:  # noqa: ANN401
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # Waiting threads sleep instead of spinning: the user's other programs need the cores.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    # By length, so that little of a batch is padding.
    batch: list[int] = []
    for row in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batch and (len(batch) + 1) * lengths[row] > _BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


def _cut(text: str, encoded: Any, first: int, last: int) -> int:  # noqa: ANN401
    offsets = encoded.offsets
    middle = (first + last) // 2
    for mark in ("\n\n", "\n", ". ", " "):
        for index in range(last, middle, -1):
            if mark in text[offsets[index - 1][1] - 1 : offsets[index][0]]:
                return index
    # No white space: cut between words as the tokenizer sees them (it caps a word at 100
    # characters, so there is one), since half a word would be tokenised differently.
    words = encoded.word_ids
    return next(index for index in range(last, first, -1) if words[index] != words[index - 1])


def _pool(hidden: NDArray[np.float32], mask: NDArray[np.int64]) -> NDArray[np.float32]:
    weights = mask[:, :, None].astype(np.float32)
    mean = (hidden * weights).sum(axis=1) / weights.sum(axis=1)
    unit: NDArray[np.float32] = mean / np.linalg.norm(mean, axis=1, keepdims=True)
    return unit
