"""What is looked at in a fresh process, when the stress is over."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agentctx import Memory
from stress_parts import sharers

# A vector is its own nearest neighbour with a cosine of 1, but for rounding.
_ITSELF = 0.999
_PATIENCE = 60.0
_BATCH = 1000


def look_up(memory: Memory, space: str) -> dict[str, int]:
    """Look every vector up by itself: in Chroma, and by exact scan.

    ``wrong``: Chroma answers with something that is not there, or not as it is stored;
    ``missed``: it answers with another one, as approximate search may.
    """
    store = memory._store
    guard = store._guard
    assert guard is not None
    guard.wait_ready()
    rows = store.catalog.query(
        "SELECT id || ':' || ordinal, passage.pk, vector FROM vector "
        "JOIN passage ON passage.pk = passage_pk "
        "JOIN observation ON observation.pk = observation_pk"
    )
    known = {id_: np.frombuffer(blob, np.float32) for id_, _, blob in rows}
    found = {"vectors": len(rows), "wrong": 0, "missed": 0, "unanswered": 0, "exact_missed": 0}
    for id_, pk, blob in rows:
        vector = np.frombuffer(blob, np.float32)
        answer = guard.search(space, vector, 1, _PATIENCE)
        if not answer:
            found["unanswered"] += 1
            continue
        other, score = answer[0]
        found["wrong"] += other not in known or abs(float(known[other] @ vector) - score) > 1e-3
        found["missed"] += other != id_ and score < _ITSELF
        exact = store._scans[space].search(vector, 1)
        found["exact_missed"] += exact[0][0] != pk and exact[0][1] < _ITSELF
    return found


def own_misses(directory: Path, ids: Sequence[str]) -> int:
    """How many vectors do not find themselves in an index that one process makes in peace."""
    known = _known(ids)
    rows = np.stack(list(known.values()))
    with sharers.opened(directory) as client:
        collection = client.create_collection(
            "peace", embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
        )
        for start in range(0, len(ids), _BATCH):
            stop = start + _BATCH
            collection.add(ids=list(known)[start:stop], embeddings=rows[start:stop])
        return _missed(collection, known)


def check_chroma(directory: Path, ids: Sequence[str]) -> dict[str, Any]:
    """What a fresh process finds in a directory of bare Chroma; ``ids`` were acknowledged."""
    began = time.monotonic()
    with sharers.opened(directory) as client:
        collection = client.get_collection(sharers.COLLECTION)
        there = collection.get(include=[])["ids"]
        opened = round(time.monotonic() - began, 2)
        left = sorted(set(ids) & set(there))
        return {
            "open_seconds": opened,
            "count": collection.count(),
            "lost": len(set(ids) - set(there)),
            "duplicates": len(there) - len(set(there)),
            "missed": _missed(collection, _known(left)),
        }


def _known(ids: Sequence[str]) -> dict[str, NDArray[np.float32]]:
    parts = [id_.split(":") for id_ in ids]
    return {
        id_: sharers.vectors(owner, [int(number)])[0]
        for id_, (owner, number) in zip(ids, parts, strict=True)
    }


def _missed(collection: Any, known: Mapping[str, NDArray[np.float32]]) -> int:  # noqa: ANN401
    missed = 0
    for id_, vector in known.items():
        found = collection.query(query_embeddings=vector[None], n_results=1, include=["distances"])
        best = found["ids"][0][:1]
        missed += best != [id_] and not (best and found["distances"][0][0] < 1 - _ITSELF)
    return missed
