"""agentctx as a model of MTEB (extra ``mteb``), so that its tasks can be run on our encoders.

Muennighoff et al., "MTEB: Massive Text Embedding Benchmark" (2022). Two models, both of text::

    import mteb
    from agentctx.evaluate.mteb import EncoderModel, MemoryModel

    mteb.evaluate(EncoderModel(), mteb.get_task("STS12"))          # the bare encoder
    mteb.evaluate(MemoryModel(), mteb.get_task("NFCorpus"))        # all that a search does

MTEB gets its tasks from a model hub, and stands on torch; neither is needed for anything else here.
"""

import shutil
import tempfile
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agentctx.app import Memory
from agentctx.config import DEFAULT_ENCODERS, Config
from agentctx.contracts import TextEncoder
from agentctx.errors import ConfigError
from agentctx.extras import require
from agentctx.records import Observation, Passage
from agentctx.services import SharedServices

Rows = NDArray[np.float32]

_WHEN = datetime(2000, 1, 1, tzinfo=UTC)


class _Model:
    """What both models share: the text encoder, and how MTEB is told of it."""

    # How MTEB calls what is compared, and the name it is listed under.
    _kind: str

    def __init__(self, config: Config | None = None) -> None:
        self.config = config or Config()
        name = (self.config.encoders or DEFAULT_ENCODERS)[0]
        encoder = SharedServices(self.config).encoder(name)
        if not isinstance(encoder, TextEncoder):
            raise ConfigError(f"the first encoder, {name!r}, must encode text")
        self._encoder = encoder

    @property
    def mteb_model_meta(self) -> Any:  # noqa: ANN401
        """MTEB's record of the model; raises MissingExtra without MTEB."""
        card = self._encoder.card
        fields = {
            "name": f"agentctx/{self._kind}-{card.space}",
            "revision": card.revision,
            "embed_dim": card.dimension,
            "license": card.licence.lower(),
            "open_weights": True,
            "framework": ["ONNX"],
            "similarity_fn_name": "cosine",
            "use_instructions": False,
            "modalities": ["text"],
        }
        return require("mteb.models", extra="mteb").ModelMeta.create_empty(overwrites=fields)


class EncoderModel(_Model):
    """The text encoder alone: one vector for each text, of its first passage, float32 [n, d].

    What does not fit into a passage is cut off, as sentence-transformers does it, so that the
    figures compare with those that are published for the same weights.
    """

    _kind = "encoder"

    def encode(
        self,
        inputs: Iterable[Mapping[str, Any]],
        *,
        prompt_type: str | None = None,
        **more: Any,  # noqa: ANN401
    ) -> Rows:
        """The vectors of MTEB's batches, each with a ``text`` for every row.

        ``prompt_type`` "query" makes queries of them. What else MTEB says (which task, which
        split, which size of batch) changes nothing.
        """
        del more
        rows = [self._batch(batch["text"], query=prompt_type == "query") for batch in inputs]
        return np.concatenate(rows) if rows else np.empty((0, self._encoder.card.dimension), "f4")

    def _batch(self, texts: Sequence[str], *, query: bool) -> Rows:
        observations = [Observation(text=text, captured_at=_WHEN) for text in texts]
        if query:
            return np.concatenate([self._encoder.encode_query(o).vectors for o in observations])
        return self._encoder.encode([self._first(o) for o in observations]).vectors

    def _first(self, one: Observation) -> Passage:
        start, stop = next(iter(self._encoder.split(one.text)), (0, 0))
        return Passage(one, 0, one.text[start:stop], start, stop)

    def similarity(self, embeddings1: Any, embeddings2: Any) -> Any:  # noqa: ANN401
        """Cosines of all with all: [n, m], as torch has them, since MTEB goes on with that."""
        return _torch(_unit(embeddings1) @ _unit(embeddings2).T)

    def similarity_pairwise(self, embeddings1: Any, embeddings2: Any) -> Any:  # noqa: ANN401
        """Cosines row by row: [n]."""
        return _torch((_unit(embeddings1) * _unit(embeddings2)).sum(axis=1))


def _unit(rows: Any) -> Rows:  # noqa: ANN401
    matrix = np.atleast_2d(np.asarray(rows, np.float32))
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True).astype(np.float32)
    unit: Rows = matrix / np.maximum(lengths, np.finfo(np.float32).tiny)
    return unit


def _torch(rows: Rows) -> Any:  # noqa: ANN401
    return require("torch", extra="mteb").from_numpy(np.ascontiguousarray(rows))


class MemoryModel(_Model):
    """All that a search does: every passage, full text, fusion and rerank; for retrieval tasks.

    The corpus is put into a memory in a temporary directory, which goes with the model or with the
    next corpus. A query that the memory refuses finds no document, and counts as wrong.
    """

    _kind = "memory"

    def __init__(self, config: Config | None = None) -> None:
        super().__init__(config)
        self._remove: weakref.finalize[..., MemoryModel] | None = None
        self._directory: Path | None = None
        self._owners: dict[str, str] = {}

    def index(self, corpus: Iterable[Mapping[str, Any]], **more: Any) -> None:  # noqa: ANN401
        """Put a corpus (``id``, ``text`` and perhaps ``title``) into a new memory."""
        del more
        if self._remove:
            self._remove()
        self._directory = Path(tempfile.mkdtemp())
        self._remove = weakref.finalize(self, shutil.rmtree, self._directory, ignore_errors=True)
        documents = list(_documents(corpus))
        self._owners = {one.id: one.source for one in documents}
        with self._open() as memory:
            memory.add(documents)

    def search(
        self,
        queries: Iterable[Mapping[str, Any]],
        *,
        top_k: int,
        top_ranked: Mapping[str, Sequence[str]] | None = None,
        **more: Any,  # noqa: ANN401
    ) -> dict[str, dict[str, float]]:
        """The scores of the best ``top_k`` documents for each query (``id`` and ``text``).

        ``top_ranked`` (reranking tasks) names the documents to choose among.
        """
        del more
        found = {}
        with self._open() as memory:
            for query in queries:
                only = None if top_ranked is None else list(top_ranked[query["id"]])
                hits = memory.search(query["text"], top_k, source=only)
                found[str(query["id"])] = {self._owners[hit.id]: hit.score for hit in hits}
        return found

    def _open(self) -> Memory:
        if self._directory is None:
            raise ConfigError("nothing was indexed; call index with a corpus first")
        return Memory.open(self._directory / "memory", self.config)


def _documents(corpus: Iterable[Mapping[str, Any]]) -> Iterator[Observation]:
    for row in corpus:
        title, text = row.get("title") or "", row["text"] or ""
        words = f"{title} {text}".strip()
        if words:
            # The id as source keeps documents of the same words apart.
            yield Observation(text=words, captured_at=_WHEN, source=str(row["id"]))
