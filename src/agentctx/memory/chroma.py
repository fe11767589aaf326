"""The nearest-neighbour index in Chroma: one collection per space, made from the catalog.

The only module that imports chromadb. Collections are complete (id, document, metadata,
embedding), so that plain Chroma, and other frameworks' Chroma stores, can read a memory.
"""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from agentctx.errors import StoreError
from agentctx.records import Observation

if TYPE_CHECKING:
    from chromadb.api.client import Client
    from chromadb.api.models.Collection import Collection


@dataclass(frozen=True, slots=True, eq=False)
class IndexRow:
    """One passage as Chroma gets it."""

    observation: Observation
    ordinal: int
    text: str
    vector: NDArray[np.float32]

    @property
    def id(self) -> str:
        """The row's id in Chroma: the observation's id and which passage of it."""
        return f"{self.observation.id}:{self.ordinal}"

    @property
    def metadata(self) -> dict[str, Any]:
        """What plain Chroma can filter by; times as ISO text and as epoch seconds."""
        observation = self.observation
        scalars = {
            name: value
            for name, value in observation.attributes.items()
            if isinstance(value, str | int | float | bool)
        }
        return scalars | {
            "observation_id": observation.id,
            "modality": observation.modality,
            "captured_at": observation.captured_at.isoformat(),
            "captured_at_epoch": observation.captured_at.timestamp(),
            "duration": observation.duration,
            "session": observation.session,
            "source": observation.source,
        }


class ChromaIndex:
    """Chroma's files under one directory; opened at first use, by one process only."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._client: Client | None = None
        self._collections: dict[str, Collection] = {}

    def close(self) -> None:
        """Close Chroma's files."""
        if self._client is not None:
            self._client.close()
            self._client = None
            self._collections.clear()

    def erase(self) -> None:
        """Throw the whole index away."""
        self.close()
        erase(self._directory)

    def sweep(self) -> None:
        """Remove what a process left that was killed while erasing."""
        shutil.rmtree(_doomed(self._directory), ignore_errors=True)

    @contextmanager
    def _mapped(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # Chroma raises bare ValueErrors and RuntimeErrors too
            raise StoreError(
                f"Chroma failed on {self._directory}: {error}. Nothing is lost: the index is made "
                "from the catalog; remake it with: agentctx repair"
            ) from error

    def upsert(self, space: str, rows: Sequence[IndexRow]) -> None:
        """Write rows into a space's collection."""
        with self._mapped():
            collection = self._collection(space)
            size = self._open().get_max_batch_size()
            for start in range(0, len(rows), size):
                part = rows[start : start + size]
                collection.upsert(
                    ids=[row.id for row in part],
                    documents=[row.text for row in part],
                    metadatas=[row.metadata for row in part],
                    embeddings=np.stack([row.vector for row in part]),
                )

    def search(self, space: str, query: NDArray[np.float32], limit: int) -> list[tuple[str, float]]:
        """The nearest rows: (id, cosine), best first."""
        with self._mapped():
            collection = self._collection(space)
            count = min(limit, collection.count())
            if count == 0:
                return []
            found = collection.query(
                query_embeddings=query[None], n_results=count, include=["distances"]
            )
        distances = found["distances"] or [[]]
        # The collection's metric is cosine distance, 1 - cosine.
        return [(id_, 1.0 - d) for id_, d in zip(found["ids"][0], distances[0], strict=True)]

    def count(self, space: str) -> int:
        """How many rows a space's collection has."""
        with self._mapped():
            return self._collection(space).count()

    def ids(self, space: str) -> set[str]:
        """The ids of all rows of a space's collection."""
        with self._mapped():
            return set(self._collection(space).get(include=[])["ids"])

    def vectors(self, space: str, ids: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """The stored vectors of those of the ids that are there."""
        with self._mapped():
            found = self._collection(space).get(ids=list(ids), include=["embeddings"])
            return dict(zip(found["ids"], np.asarray(found["embeddings"], np.float32), strict=True))

    def _open(self) -> "Client":
        if self._client is None:
            from chromadb.api.client import Client
            from chromadb.config import Settings

            self._directory.mkdir(mode=0o700, exist_ok=True)
            settings = Settings(
                is_persistent=True,
                persist_directory=str(self._directory),
                anonymized_telemetry=False,
            )
            try:
                self._client = Client(settings=settings)
            except BaseException:
                # Chroma keeps the system that failed to start, and would hand it out again.
                Client.clear_system_cache()
                raise
        return self._client

    def _collection(self, space: str) -> "Collection":
        if space not in self._collections:
            self._collections[space] = self._open().get_or_create_collection(
                space, embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
            )
        return self._collections[space]


def erase(directory: Path) -> None:
    """Throw an index away that no process has open."""
    doomed = _doomed(directory)
    shutil.rmtree(doomed, ignore_errors=True)
    try:
        # Out of the way first: should a thread of Chroma still write, then not into the new.
        directory.rename(doomed)
        shutil.rmtree(doomed)
    except FileNotFoundError:
        return
    except OSError as error:
        raise StoreError(f"{directory} cannot be erased: {error}") from error


def _doomed(directory: Path) -> Path:
    return directory.with_name(f"{directory.name}.erased")
