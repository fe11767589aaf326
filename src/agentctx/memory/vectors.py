"""Exact nearest neighbours over the catalog's vectors, kept in step with it."""

import os
import threading
import weakref

import numpy as np
from numpy.typing import NDArray

from agentctx.memory import rows
from agentctx.memory.catalog import Catalog
from agentctx.records import Filters

_FIRST_CAPACITY = 1024
_scans: "weakref.WeakSet[ExactScan]" = weakref.WeakSet()


class ExactScan:
    """All vectors of one space in one matrix; a search is one product with it.

    Every search first reads what any process has added since, so it misses nothing that was
    acknowledged.
    """

    def __init__(self, catalog: Catalog, space_pk: int, dimension: int) -> None:
        self._catalog = catalog
        self._space_pk = space_pk
        self._lock = threading.Lock()
        self._matrix = np.empty((0, dimension), np.float32)
        self._passages = np.empty(0, np.int64)
        self._size = 0
        self._last = 0
        self._forgets = 0
        _scans.add(self)

    def after_fork(self) -> None:
        """In a forked process: a thread of the parent may have held the lock."""
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """How many vectors the space holds now."""
        with self._lock:
            self._refresh()
            return self._size

    def search(
        self, query: NDArray[np.float32], limit: int, filters: Filters | None = None
    ) -> list[tuple[int, float]]:
        """The nearest passages: (passage key, cosine), best first; ``query`` is a unit vector."""
        with self._lock:
            self._refresh()
            matrix, passages = self._matrix[: self._size], self._passages[: self._size]
        if filters:
            keep = np.flatnonzero(np.isin(passages, self._allowed(filters)))
            matrix, passages = matrix[keep], passages[keep]
        scores = matrix @ query
        count = min(limit, len(scores))
        if count < 1:
            return []
        # Ties by key: all that reach the last score are in it, not those a partition left there.
        least = np.partition(scores, len(scores) - count)[len(scores) - count]
        best = np.flatnonzero(scores >= least)
        best = best[np.lexsort((passages[best], -scores[best]))][:count]
        return list(zip(passages[best].tolist(), scores[best].tolist(), strict=True))

    def _allowed(self, filters: Filters) -> NDArray[np.int64]:
        condition, parameters = rows.where(filters)
        found = self._catalog.query(
            "SELECT passage.pk FROM observation "  # noqa: S608
            f"JOIN passage ON passage.observation_pk = observation.pk WHERE {condition}",
            parameters,
        )
        return np.fromiter((pk for (pk,) in found), np.int64, len(found))

    def _refresh(self) -> None:
        # One row of the audit log per forget: when there are more, rows are gone.
        ((forgets,),) = self._catalog.query("SELECT coalesce(max(rowid), 0) FROM audit")
        if forgets != self._forgets:
            self._size = self._last = 0
            self._forgets = forgets
        # The plus keeps SQLite from going through all of the space instead of what is new.
        found = self._catalog.query(
            "SELECT pk, passage_pk, vector FROM vector WHERE pk > ? AND +space_pk = ? ORDER BY pk",
            (self._last, self._space_pk),
        )
        if found:
            self._append(found)

    def _append(self, found: list[tuple[int, int, bytes]]) -> None:
        size = self._size + len(found)
        if size > len(self._matrix):
            capacity = max(size, 2 * len(self._matrix), _FIRST_CAPACITY)
            matrix = np.empty((capacity, self._matrix.shape[1]), np.float32)
            passages = np.empty(capacity, np.int64)
            matrix[: self._size] = self._matrix[: self._size]
            passages[: self._size] = self._passages[: self._size]
            # New arrays, not grown ones: a search that runs beside this keeps the old.
            self._matrix, self._passages = matrix, passages
        new = np.frombuffer(b"".join(row[2] for row in found), np.float32)
        self._matrix[self._size : size] = new.reshape(len(found), -1)
        self._passages[self._size : size] = [row[1] for row in found]
        self._size, self._last = size, found[-1][0]


def _after_fork() -> None:
    for scan in list(_scans):
        scan.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
