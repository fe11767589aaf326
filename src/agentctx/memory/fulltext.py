"""BM25 over the passages, by what SQLite's FTS5 knows of their words."""

import math
import sqlite3
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from agentctx.memory.catalog import Catalog
from agentctx.memory.postings import Postings
from agentctx.memory.terms import terms as terms_of
from agentctx.words import telling

# As in FTS5: Robertson & Zaragoza, "The Probabilistic Relevance Framework" (2009).
K1, B = 1.2, 0.75
# What a word that most passages have counts at least.
_LEAST = 1e-6

Ranking = list[tuple[int, float]]


class FullText:
    """The words of a catalog's passages."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._postings = Postings(catalog)

    def search(self, text: str, limit: int, allowed: NDArray[np.int64] | None = None) -> Ranking:
        """The best passages for any of the words: (passage key, BM25), higher is better.

        ``allowed``: the keys to choose from, ascending; all when None. Every match is ranked, and
        scores are those of FTS5; of equal ones the oldest come first.
        """
        lengths, passages, mean = self._postings.lengths()
        # A word that is taken apart ("don't") is met by its parts in a row.
        words = dict.fromkeys(parts for parts in terms_of(telling(text)).values() if parts)
        scores = np.zeros(len(lengths))
        for parts in words:
            places, counts = self._postings.of(parts)
            places, counts = _within(places, counts, len(lengths))
            rarity = math.log((max(passages - len(places), 0) + 0.5) / (len(places) + 0.5))
            norms = K1 * (1 - B + B / max(mean, 1e-9) * lengths[places])
            scores[places] += max(rarity, _LEAST) * (K1 + 1) * counts / (counts + norms)
        keys = np.flatnonzero(scores) if allowed is None else allowed[allowed < len(scores)]
        return _best(keys[scores[keys] > 0], scores, limit)

    def telling(self, terms: Sequence[str]) -> list[float]:
        """How telling each term of the index is: ln(1 + passages without / passages with it)."""
        _, total, _ = self._postings.lengths()
        counts = [len(self._postings.of((term,)).passages) for term in terms]
        return [math.log1p((max(total - count, 0) + 0.5) / (count + 0.5)) for count in counts]

    def known_share(self, text: str) -> float:
        """Which share (0..1) of a text's telling words occurs in the memory at all.

        Each counts by how telling it is; a word that is not there, like the rarest.
        """
        terms = [term for parts in terms_of(telling(text)).values() for term in parts]
        weights = self.telling(terms)
        total = sum(weights)
        kept = sum(
            weight
            for term, weight in zip(terms, weights, strict=True)
            if len(self._postings.of((term,)).passages)
        )
        return kept / total if total else 0.0

    def size(self) -> int:
        """The largest key of a passage: how many there are and were."""
        ((last,),) = self._catalog.query("SELECT coalesce(max(pk), 0) FROM passage")
        return int(last)


def _within(
    places: NDArray[np.int64], counts: NDArray[np.int32], end: int
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    # Another thread may have read on meanwhile.
    stop = int(np.searchsorted(places, end))
    return places[:stop], counts[:stop]


def _best(keys: NDArray[np.int64], scores: NDArray[np.float64], limit: int) -> Ranking:
    worth = scores[keys]
    count = min(limit, len(keys))
    if count < 1:
        return []
    # All that reach the last score, not those of equal ones that a partition left there.
    keep = worth >= np.partition(worth, len(worth) - count)[len(worth) - count]
    keys, worth = keys[keep], worth[keep]
    order = np.lexsort((keys, -worth))[:count]
    return list(zip(keys[order].tolist(), worth[order].tolist(), strict=True))


def rebuild(db: sqlite3.Connection) -> None:
    """Index all texts anew, in an open transaction; nothing that is there needs to be sound."""
    # An index without its records of totals (1) and structure (10) cannot be opened, and so not
    # be made anew. These are those of an empty one (sqlite.org/src, fts5_index.c).
    db.execute("DELETE FROM passage_words_data")
    db.execute("INSERT INTO passage_words_data VALUES (1, x''), (10, x'00000000000000')")
    db.execute("INSERT INTO passage_words (passage_words) VALUES ('rebuild')")
