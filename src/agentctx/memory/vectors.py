"""Exact nearest neighbours over the catalog's vectors, kept in step with it."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from agentctx.memory import rows
from agentctx.memory.catalog import Catalog
from agentctx.memory.forks import Lockable

_FIRST_CAPACITY = 1024
# Rows that are read at once: few beside the matrix that they go into.
_BATCH = 4096
# Of fewer than this share of the vectors a copy is made; otherwise all are scored and most kept.
_COPIED_SHARE = 0.25

# What a search goes by instead of the cosines: a score for each passage key with its cosine.
Comparison = Callable[[NDArray[np.int64], NDArray[np.float32]], NDArray[np.float32]]


class ExactScan(Lockable):
    """All vectors of one space in one matrix; a search is one product with it.

    Every search first reads what any process has added since, so it misses nothing that was
    acknowledged.
    """

    def __init__(self, catalog: Catalog, space_pk: int, dimension: int) -> None:
        super().__init__()
        self._catalog = catalog
        self._space_pk = space_pk
        self._matrix = np.empty((0, dimension), np.float32)
        self._passages = np.empty(0, np.int64)
        self._size = 0
        self._last = 0
        self._forgets = 0

    def __len__(self) -> int:
        """How many vectors the space holds now."""
        with self._lock:
            self._refresh()
            return self._size

    def matrix(self) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """The keys of all passages and their vectors, float32 [n, d], not to be written to."""
        with self._lock:
            self._refresh()
            return self._passages[: self._size], self._matrix[: self._size]

    def search(
        self,
        query: NDArray[np.float32],
        limit: int,
        allowed: NDArray[np.int64] | None = None,
        compared: Comparison | None = None,
    ) -> list[tuple[int, float]]:
        """The nearest passages: (passage key, cosine), best first; ``query`` is a unit vector.

        ``allowed``: the keys of the passages to choose from, all when None. ``compared``: what
        the best go by, when not by their cosines.
        """
        passages, matrix = self.matrix()
        keep = None if allowed is None else _among(passages, allowed)
        if keep is None:
            scores = matrix @ query
        elif np.count_nonzero(keep) < _COPIED_SHARE * len(keep):
            passages, scores = passages[keep], matrix[keep] @ query
        else:
            passages, scores = passages[keep], (matrix @ query)[keep]
        count = min(limit, len(scores))
        if count < 1:
            return []
        by = scores if compared is None else compared(passages, scores)
        # Ties by key: all that reach the last score are in it, not those a partition left there.
        least = np.partition(by, len(by) - count)[len(by) - count]
        best = np.flatnonzero(by >= least)
        best = best[np.lexsort((passages[best], -by[best]))][:count]
        return list(zip(passages[best].tolist(), scores[best].tolist(), strict=True))

    def _refresh(self) -> None:
        forgets = self._catalog.forgets()
        if forgets != self._forgets:
            self._size = self._last = 0
            self._forgets = forgets
        # Everything up to here is there to be read now, in this space or in another.
        ((top,),) = self._catalog.query("SELECT coalesce(max(pk), 0) FROM vector")
        # The plus keeps SQLite from going through all of the space instead of what is new; a space
        # of a few vectors among many others is read through its index.
        plus = "" if not self._last and self._few() else "+"
        while top > self._last:
            found = self._catalog.query(
                "SELECT pk, passage_pk, vector FROM vector "  # noqa: S608
                f"WHERE pk > ? AND {plus}space_pk = ? ORDER BY pk LIMIT ?",
                (self._last, self._space_pk, _BATCH),
            )
            if found:
                self._append(found)
            if len(found) < _BATCH:
                # What other spaces have got meanwhile is not looked through again.
                self._last = max(self._last, top)

    def _few(self) -> bool:
        ((count,),) = self._catalog.query(
            "SELECT count(*) FROM (SELECT 1 FROM vector WHERE space_pk = ? LIMIT ?)",
            (self._space_pk, _BATCH),
        )
        return bool(count < _BATCH)

    def _append(self, found: list[tuple[int, int, bytes]]) -> None:
        size = self._size + len(found)
        if size > len(self._matrix):
            # At the first look, room for all that there is: growing would take it twice.
            ((last,),) = self._catalog.query("SELECT max(pk) FROM vector")
            more = last - found[-1][0] if len(found) == _BATCH else 0
            capacity = max(size + more, 2 * self._size, _FIRST_CAPACITY)
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


def of_passages(
    catalog: Catalog, space_pk: int, ids: Sequence[str]
) -> dict[str, dict[str, NDArray[np.float32]]]:
    """The vectors of observations in a space, by observation id and then by the passage's text."""
    found: dict[str, dict[str, NDArray[np.float32]]] = {}
    for part in rows.chunks(ids):
        for id_, text, vector in catalog.query(
            "SELECT id, substr(text, start + 1, stop - start), vector FROM observation "  # noqa: S608
            "JOIN passage ON observation_pk = observation.pk "
            "JOIN vector ON passage_pk = passage.pk "
            f"WHERE space_pk = ? AND id IN ({rows.marks(part)}) ORDER BY passage.pk",
            (space_pk, *part),
        ):
            found.setdefault(id_, {})[text] = np.frombuffer(vector, np.float32)
    return found


def _among(keys: NDArray[np.int64], allowed: NDArray[np.int64]) -> NDArray[np.bool_]:
    # By a table of all keys there are: they are counted from 1, and `isin` would sort.
    table = np.zeros(int(max(keys.max(initial=0), allowed.max(initial=0))) + 1, bool)
    table[allowed] = True
    return table[keys]
