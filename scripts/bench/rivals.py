"""What scripts/bench/scale.py compares with: bare Chroma, LangChain and LlamaIndex.

All ask the memory's own collection, so all have the same vectors, texts and metadata. LangChain
(langchain-chroma) and LlamaIndex (llama-index-vector-stores-chroma) are no dependencies of the
project: their rows are left out where they are not installed.
"""

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from agentctx.contracts import Candidate, Encoder, Reranker
from agentctx.records import Observation

LIMIT = 10
# How many the frameworks fetch, to be reranked.
FETCHED = 50


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A question with its vector, the 1 % time window that it is asked in, and a modality."""

    text: str
    vector: np.ndarray
    since: datetime
    until: datetime
    modality: str


Encode = Callable[[str], np.ndarray]
# Gives the ids that were found, best first; the second argument names the filter.
Call = Callable[[Asked, str], Sequence[str]]


class Rivals:
    """Callables by name; ``absent`` says which could not be had, and why."""

    def __init__(self, chroma: Path, space: str, encode: Encode, reranker: Reranker) -> None:
        import chromadb

        self._client = chromadb.PersistentClient(path=str(chroma))
        self._space = space
        self._encode = encode
        self._reranker = reranker
        self._collection = self._client.get_collection(space, embedding_function=None)
        self.absent: list[str] = []
        self.calls: dict[str, Call] = {
            "bare Chroma, vector given": lambda asked, only: self._bare(asked, only, asked.vector),
            "bare Chroma, vector encoded": lambda asked, only: self._bare(
                asked, only, encode(asked.text)
            ),
        }
        if self._has("langchain_chroma", "LangChain"):
            self._add_langchain()
        if self._has("llama_index.vector_stores.chroma", "LlamaIndex"):
            self._add_llamaindex()

    def close(self) -> None:
        """Close Chroma's files."""
        self._client.close()

    def _has(self, module: str, name: str) -> bool:
        try:
            found = importlib.util.find_spec(module) is not None
        except ModuleNotFoundError:  # not even the package that it would be in
            found = False
        if not found:
            self.absent.append(f"{name} is left out: {module} is not installed")
        return found

    def _bare(self, asked: Asked, only: str, vector: np.ndarray) -> Sequence[str]:
        found = self._collection.query(
            query_embeddings=[vector], n_results=LIMIT, where=where(asked, only)
        )
        return list(found["ids"][0])

    def _add_langchain(self) -> None:
        from langchain_chroma import Chroma

        encode = self._encode

        class Embeddings:
            """Our text encoder as LangChain takes one."""

            def embed_documents(self, texts: list[str]) -> list[list[float]]:
                return [encode(text).tolist() for text in texts]

            def embed_query(self, text: str) -> list[float]:
                return encode(text).tolist()

        store: Any = Chroma(
            client=self._client,
            collection_name=self._space,
            embedding_function=Embeddings(),  # type: ignore[arg-type]
        )

        def top(asked: Asked, only: str) -> list[Any]:
            return store.similarity_search(asked.text, k=FETCHED, filter=where(asked, only))

        def reranked(asked: Asked, only: str) -> Sequence[str]:
            documents = top(asked, only)
            observation = Observation(text=asked.text)
            given = [Candidate(one.page_content, observation, None) for one in documents]
            order = np.argsort(-self._reranker.score(observation, given), kind="stable")
            return [documents[place].id for place in order[:LIMIT]]

        self.calls["LangChain, 50 fetched"] = lambda asked, only: [d.id for d in top(asked, only)]
        self.calls["LangChain, 50 reranked by late interaction"] = reranked

    def _add_llamaindex(self) -> None:
        from llama_index.core.vector_stores import VectorStoreQuery
        from llama_index.vector_stores.chroma import ChromaVectorStore

        store = ChromaVectorStore(chroma_collection=self._collection)

        def top(asked: Asked, only: str) -> Sequence[str]:
            query = VectorStoreQuery(
                query_embedding=self._encode(asked.text).tolist(), similarity_top_k=FETCHED
            )
            # Given as Chroma takes them, like to all others here.
            chosen = where(asked, only)
            return list(store.query(query, **({"where": chosen} if chosen else {})).ids or ())

        self.calls["LlamaIndex, 50 fetched"] = top


def where(asked: Asked, only: str) -> dict[str, Any] | None:
    """A filter as Chroma takes it; "" is none."""
    time = [
        {"captured_at_epoch": {"$gte": asked.since.timestamp()}},
        {"captured_at_epoch": {"$lt": asked.until.timestamp()}},
    ]
    modality = [{"modality": asked.modality}]
    conditions = {"": [], "time": time, "modality": modality, "both": time + modality}[only]
    if len(conditions) < 2:
        return conditions[0] if conditions else None
    return {"$and": conditions}


def encoder_call(encoder: Encoder) -> Encode:
    """Encodes a question each time anew: the encoder's memory of the last ones is emptied."""

    def encode(text: str) -> np.ndarray:
        forget_questions(encoder)
        vector: np.ndarray = encoder.encode_query(Observation(text=text)).vectors[0]
        return vector

    return encode


def forget_questions(encoder: Encoder) -> None:
    """Empty what an encoder remembers of the last questions."""
    encoder._queries.clear()  # type: ignore[attr-defined]
