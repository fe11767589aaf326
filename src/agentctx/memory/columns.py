"""When and where every passage is from, in columns, so that filters cost next to nothing."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agentctx.memory import rows
from agentctx.memory.catalog import Catalog
from agentctx.memory.forks import Lockable
from agentctx.records import Filters

_NAMED = ("modality", "session", "source")
_NUMBERS = ("passage", "captured_at", "ended_at")


class Columns(Lockable):
    """The filterable properties of all passages, kept in step with the catalog.

    SQLite takes a microsecond and more for each row it hands over; a loose filter passes
    hundreds of thousands. Every call first reads what any process has added since.
    """

    def __init__(self, catalog: Catalog) -> None:
        super().__init__()
        self._catalog = catalog
        self._clear()

    def _clear(self) -> None:
        self._columns: dict[str, NDArray[np.int64]] = {
            name: np.empty(0, np.int64) for name in (*_NUMBERS, *_NAMED)
        }
        # Names by the code that stands for each.
        self._codes: dict[str, dict[str, int]] = {name: {} for name in _NAMED}
        self._last = 0
        self._forgets = 0

    def passing(self, filters: Filters) -> NDArray[np.int64]:
        """The keys of the passages whose observations pass the filters, ascending."""
        with self._lock:
            self._refresh()
            columns, codes = self._columns, self._codes
        keep = np.ones(len(columns["passage"]), bool)
        for name in _NAMED:
            if wanted := getattr(filters, name):
                known = [codes[name][value] for value in wanted if value in codes[name]]
                keep &= np.isin(columns[name], known)
        if filters.since is not None:
            keep &= columns["ended_at"] >= rows.to_microseconds(filters.since)
        if filters.until is not None:
            keep &= columns["captured_at"] < rows.to_microseconds(filters.until)
        found = columns["passage"][keep]
        if filters.attributes:
            found = np.intersect1d(found, self._having(filters), assume_unique=True)
        return found

    def around(
        self, start: datetime, end: datetime, allowed: NDArray[np.int64] | None, count: int
    ) -> list[int]:
        """The passages nearest in time to a span, those allowed, the nearest first."""
        with self._lock:
            self._refresh()
            columns = self._columns
        keys, captured, ended = (columns[name] for name in _NUMBERS)
        if allowed is not None:
            # By key: what is allowed may have been forgotten by another process meanwhile.
            keep = np.isin(keys, allowed, assume_unique=True)
            keys, captured, ended = keys[keep], captured[keep], ended[keep]
        after = captured - rows.to_microseconds(end)
        before = rows.to_microseconds(start) - ended
        gap = np.maximum(np.maximum(after, before), 0)
        nearest: list[int] = keys[np.lexsort((keys, gap))[:count]].tolist()
        return nearest

    def modalities(self, passages: NDArray[np.int64]) -> tuple[list[str], NDArray[np.int64]]:
        """The modalities that there are, and which of them each passage (by its key) is of."""
        with self._lock:
            self._refresh()
            keys, of = self._columns["passage"], self._columns["modality"]
            names = list(self._codes["modality"])
        # By a table of all keys there are; one that has been forgotten meanwhile is of any.
        table = np.zeros(max(int(a.max(initial=0)) for a in (keys, passages)) + 1, np.int64)
        table[keys] = of
        return names, table[passages]

    def names(self, column: str) -> list[str]:
        """Every modality, session or source that there is, in order of appearance."""
        with self._lock:
            self._refresh()
            return list(self._codes[column])

    def _having(self, filters: Filters) -> NDArray[np.int64]:
        condition, parameters = rows.where(Filters(attributes=filters.attributes))
        found = self._catalog.query(
            "SELECT passage.pk FROM observation "  # noqa: S608
            f"JOIN passage ON passage.observation_pk = observation.pk WHERE {condition}",
            parameters,
        )
        return np.fromiter((pk for (pk,) in found), np.int64, len(found))

    def _refresh(self) -> None:
        forgets = self._catalog.forgets()
        if forgets != self._forgets:
            self._clear()
            self._forgets = forgets
        found = self._catalog.query(
            "SELECT passage.pk, captured_at, ended_at, modality, session, source FROM passage "
            "JOIN observation ON observation.pk = observation_pk WHERE passage.pk > ? "
            "ORDER BY passage.pk",
            (self._last,),
        )
        if not found:
            return
        self._last = found[-1][0]
        new = zip((*_NUMBERS, *_NAMED), zip(*found, strict=True), strict=True)
        # New arrays, not grown ones: a call that runs beside this keeps the old.
        self._columns = {
            name: np.concatenate([self._columns[name], self._coded(name, values)])
            for name, values in new
        }

    def _coded(self, name: str, values: Sequence[Any]) -> NDArray[np.int64]:
        if name in _NAMED:
            codes = self._codes[name]
            values = [codes.setdefault(value, len(codes)) for value in values]
        return np.array(values, np.int64)
