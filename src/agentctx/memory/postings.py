"""In which passages each term is, how often, and how long each passage is, in arrays.

SQLite's full-text index has all of this; but it ranks one match at a time, and of a word that a
tenth of the memory has there are tens of thousands.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from agentctx.memory.catalog import Catalog
from agentctx.memory.forks import Lockable

# In how many passages all terms that are kept are together: about 50 MB.
_REMEMBERED = 4_000_000
# Room for the place of a word in a passage, below the passage's key.
_OFFSET_BITS = 24


class Posting(NamedTuple):
    """Where a term is: the passages' keys, ascending, and how often in each."""

    passages: NDArray[np.int64]
    counts: NDArray[np.int32]


_NONE = Posting(np.empty(0, np.int64), np.empty(0, np.int32))


class Postings(Lockable):
    """What BM25 needs of the terms that were asked for, kept in step with the catalog."""

    def __init__(self, catalog: Catalog) -> None:
        super().__init__()
        self._catalog = catalog
        self._forgets = 0
        self._clear()

    def _clear(self) -> None:
        # Words in each passage, by its key; 0 where there is none.
        self._lengths = np.zeros(1, np.int32)
        self._total = self._passages = 0
        self._known: dict[tuple[str, ...], tuple[int, Posting]] = {}
        self._kept = 0

    def lengths(self) -> tuple[NDArray[np.int32], int, float]:
        """Words in each passage by its key, how many passages there are, and their mean length."""
        with self._lock:
            self._refresh()
            return self._lengths, self._passages, self._total / max(self._passages, 1)

    def of(self, terms: tuple[str, ...]) -> Posting:
        """Where a term is, or several in a row, among the passages that `lengths` gave last."""
        with self._lock:
            last = len(self._lengths) - 1
            upto, known = self._known.pop(terms, (0, _NONE))
            if upto < last:
                new = self._read(terms, upto, last)
                self._kept += len(new.passages)
                known = Posting(
                    np.concatenate([known.passages, new.passages]),
                    np.concatenate([known.counts, new.counts]),
                )
            # Behind all others: those that were not asked for the longest go first.
            self._known[terms] = last, known
            while self._kept > _REMEMBERED and len(self._known) > 1:
                _, gone = self._known.pop(next(iter(self._known)))
                self._kept -= len(gone.passages)
            return known

    def _read(self, terms: tuple[str, ...], after: int, last: int) -> Posting:
        places = None
        for position, term in enumerate(terms):
            found = self._places(term, after, last) - position
            places = found if places is None else np.intersect1d(places, found, assume_unique=True)
        if places is None:
            return _NONE
        passages, counts = np.unique(places >> _OFFSET_BITS, return_counts=True)
        return Posting(passages, counts.astype(np.int32))

    def _places(self, term: str, after: int, last: int) -> NDArray[np.int64]:
        # As one text: SQLite would take a microsecond for each row that it hands over.
        ((places,),) = self._catalog.query(
            'SELECT group_concat((doc << ?) + "offset") FROM temp.places '
            "WHERE term = ? AND doc > ? AND doc <= ?",
            (_OFFSET_BITS, term, after, last),
        )
        return np.fromstring(places or "", np.int64, sep=",")

    def _refresh(self) -> None:
        forgets = self._catalog.forgets()
        if forgets != self._forgets:
            self._clear()
            self._forgets = forgets
        found = self._catalog.query(
            "SELECT id, sz FROM passage_words_docsize WHERE id > ? ORDER BY id",
            (len(self._lengths) - 1,),
        )
        if not found:
            return
        lengths = np.zeros(found[-1][0] + 1, np.int32)
        lengths[: len(self._lengths)] = self._lengths
        new = [_number(size) for _, size in found]
        lengths[[pk for pk, _ in found]] = new
        self._lengths = lengths
        self._total += sum(new)
        self._passages += len(found)


def _number(blob: bytes) -> int:
    """SQLite's variable-length integer, as FTS5 keeps the length of a text."""
    value = 0
    for byte in blob[:8]:
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            break
    return value
