"""BM25 over the passages, by SQLite's FTS5."""

import sqlite3

from agentctx.memory import rows
from agentctx.memory.catalog import Catalog
from agentctx.records import Filters
from agentctx.words import telling


def search(
    catalog: Catalog, text: str, limit: int, filters: Filters | None = None
) -> list[tuple[int, float]]:
    """The best passages for any of the words: (passage key, BM25), higher is better."""
    # Quoted, a word is only ever a word: FTS5's own operators cannot be smuggled in.
    match = " OR ".join(f'"{word}"' for word in telling(text))
    if not match:
        return []
    if not filters:
        sql = (
            "SELECT rowid, -rank FROM passage_words WHERE passage_words MATCH ? "
            "ORDER BY rank LIMIT ?"
        )
        return [(pk, score) for pk, score in catalog.query(sql, (match, limit))]
    condition, parameters = rows.where(filters)
    sql = (
        "SELECT passage.pk, -rank FROM passage_words "  # noqa: S608
        "JOIN passage ON passage.pk = passage_words.rowid "
        "JOIN observation ON observation.pk = passage.observation_pk "
        f"WHERE passage_words MATCH ? AND {condition} ORDER BY rank LIMIT ?"
    )
    return [(pk, score) for pk, score in catalog.query(sql, (match, *parameters, limit))]


def known_share(catalog: Catalog, text: str) -> float:
    """Which share (0..1) of a text's telling words occurs in the memory at all."""
    wanted = telling(text)
    sql = "SELECT 1 FROM passage_words WHERE passage_words MATCH ? LIMIT 1"
    known = sum(bool(catalog.query(sql, (f'"{word}"',))) for word in wanted)
    return known / len(wanted) if wanted else 0.0


def rebuild(db: sqlite3.Connection) -> None:
    """Index all texts anew, in an open transaction; nothing that is there needs to be sound."""
    # An index without its records of totals (1) and structure (10) cannot be opened, and so not
    # be made anew. These are those of an empty one (sqlite.org/src, fts5_index.c).
    db.execute("DELETE FROM passage_words_data")
    db.execute("INSERT INTO passage_words_data VALUES (1, x''), (10, x'00000000000000')")
    db.execute("INSERT INTO passage_words (passage_words) VALUES ('rebuild')")
