"""BM25 over the passages, by SQLite's FTS5."""

import math
import sqlite3
from collections.abc import Collection, Sequence
from contextlib import closing
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from agentctx.memory import rows
from agentctx.memory.catalog import Catalog
from agentctx.words import telling

# How many matches are ranked. Ranking costs a microsecond or two for each, and a word that a tenth
# of the memory has would bring tens of thousands.
_MOST_MATCHES = 5_000
_REMEMBERED = 10_000

Ranking = list[tuple[int, float]]


class FullText:
    """The words of a catalog's passages."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        # In how many passages a term is, which SQLite counts anew for each question; as of when.
        self._documents: dict[str, int] = {}
        self._counted_at: object = None

    def search(self, text: str, limit: int, allowed: NDArray[np.int64] | None = None) -> Ranking:
        """The best passages for any of the words: (passage key, BM25), higher is better.

        ``allowed``: the keys to choose from, ascending; all when None. In a large memory the
        passages must have one of the rarer words: those that have only frequent ones are not
        ranked.
        """
        counts = self._counts(telling(text))
        if not counts or (allowed is not None and not len(allowed)):
            return []
        most = self.size()
        low, high = (0, most) if allowed is None else (int(allowed[0]), int(allowed[-1]))
        # What was perceived together was stored together: a span of time is a span of keys.
        match, expected = _expression(counts, (high - low + 1) / max(most, 1))
        ranked = expected <= _MOST_MATCHES and allowed is None
        found = self._catalog.query(
            "SELECT rowid, -rank FROM passage_words WHERE passage_words MATCH ? "  # noqa: S608
            f"AND rowid BETWEEN ? AND ? ORDER BY {'rank' if ranked else 'rowid DESC'} LIMIT ?",
            (match, low, high, limit if ranked else max(limit, 2 * _MOST_MATCHES)),
        )
        if allowed is not None:
            found = _kept(found, allowed)
        return sorted(found, key=lambda row: (-row[1], row[0]))[:limit]

    def telling(self, terms: Sequence[str]) -> list[float]:
        """How telling each term of the index is: ln(1 + passages without / passages with it)."""
        counts = self._counted(terms)
        total = self.size()
        return [
            math.log1p((max(total - count, 0) + 0.5) / (count + 0.5))
            for count in (counts.get(term, 0) for term in terms)
        ]

    def known_share(self, text: str) -> float:
        """Which share (0..1) of a text's telling words occurs in the memory at all.

        Each counts by how telling it is; a word that is not there, like the rarest.
        """
        terms = [term for word in telling(text) for term in _terms(word)]
        weights = self.telling(terms)
        known = self._counted(terms)
        total = sum(weights)
        kept = sum(w for term, w in zip(terms, weights, strict=True) if known.get(term))
        return kept / total if total else 0.0

    def _counts(self, words: Sequence[str]) -> dict[str, int]:
        """In how many passages each word is; words that are in none are left out."""
        parts = dict(zip(words, map(_terms, words), strict=True))
        found = self._counted([term for terms in parts.values() for term in terms])
        counted = {
            word: min((found.get(term, 0) for term in terms), default=0)
            for word, terms in parts.items()
        }
        return {word: count for word, count in counted.items() if count}

    def _counted(self, terms: Sequence[str]) -> dict[str, int]:
        ((forgets,),) = self._catalog.query("SELECT coalesce(max(rowid), 0) FROM audit")
        now = (self.size(), forgets)
        known = self._documents if now == self._counted_at else {}
        if new := [term for term in dict.fromkeys(terms) if term not in known]:
            marks = rows.marks(new)
            found = dict(self._catalog.query(
                f"SELECT term, doc FROM temp.vocabulary WHERE term IN ({marks})", new  # noqa: S608
            ))  # fmt: skip
            known = {**known, **{term: found.get(term, 0) for term in new}}
            # Replaced, not changed, for other threads; and never many.
            self._documents, self._counted_at = (known if len(known) < _REMEMBERED else {}), now
        return known

    def size(self) -> int:
        """The largest key of a passage: how many there are and were."""
        ((last,),) = self._catalog.query("SELECT coalesce(max(pk), 0) FROM passage")
        return int(last)


def _kept(found: Ranking, allowed: NDArray[np.int64]) -> Ranking:
    keys = np.fromiter((pk for pk, _ in found), np.int64, len(found))
    places = np.minimum(np.searchsorted(allowed, keys), len(allowed) - 1)
    return [row for row, keep in zip(found, allowed[places] == keys, strict=True) if keep]


def _expression(counts: dict[str, int], share: float) -> tuple[str, float]:
    """What to ask FTS5 for, and how many matches to expect, in a ``share`` of the memory.

    The rarest words, as many as ``_MOST_MATCHES`` allows, must be met by one; the others only
    count. As in MaxScore (Turtle & Flood, 1995), these alone lift no passage to the top.
    """
    by_rarity = sorted(counts, key=lambda word: (counts[word], word))
    needed, expected = [by_rarity[0]], counts[by_rarity[0]] * share
    for word in by_rarity[1:]:
        if expected + counts[word] * share > _MOST_MATCHES:
            break
        needed.append(word)
        expected += counts[word] * share
    any_needed = _any(needed)
    if len(needed) == len(counts):
        return any_needed, expected
    return f"({any_needed}) AND ({_any(by_rarity)})", expected


def _any(words: Collection[str]) -> str:
    # Quoted, a word is only ever a word: FTS5's own operators cannot be smuggled in.
    return " OR ".join(f'"{word}"' for word in words)


@lru_cache(maxsize=4096)
def _terms(word: str) -> tuple[str, ...]:
    """What the full-text index makes of a word: its stem, or several when it is no one word."""
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute("CREATE VIRTUAL TABLE words USING fts5 (text, tokenize = 'porter unicode61')")
        db.execute("CREATE VIRTUAL TABLE found USING fts5vocab (words, 'row')")
        db.execute("INSERT INTO words VALUES (?)", (word,))
        return tuple(term for (term,) in db.execute("SELECT term FROM found ORDER BY term"))


def rebuild(db: sqlite3.Connection) -> None:
    """Index all texts anew, in an open transaction; nothing that is there needs to be sound."""
    # An index without its records of totals (1) and structure (10) cannot be opened, and so not
    # be made anew. These are those of an empty one (sqlite.org/src, fts5_index.c).
    db.execute("DELETE FROM passage_words_data")
    db.execute("INSERT INTO passage_words_data VALUES (1, x''), (10, x'00000000000000')")
    db.execute("INSERT INTO passage_words (passage_words) VALUES ('rebuild')")
