"""BM25 over the passages, by SQLite's FTS5."""

import re

from agentctx.memory import rows
from agentctx.memory.catalog import Catalog
from agentctx.records import Filters

# English function words: they match nearly everything and say nothing about what is meant.
# BM25 weighs them low, but over a long question they add up.
_STOP_WORDS = frozenset(
    str.split("""
    a about above after again all also am an and any are as at be because been before being below
    between both but by can could did do does doing down during each few for from further had has
    have having he her here hers him his how i if in into is it its itself just let me more most my
    no nor not now of off on once only or other our ours out over own same she should so some such
    than that the their theirs them then there these they this those through to too under until up
    us very was we were what when where which while who whom why will with would you your yours
    """)
)
_WORD = re.compile(r"\w+")


def words(text: str) -> list[str]:
    """The words that a text is searched by: no stop words, unless there are only stop words."""
    found = [word for word in _WORD.findall(text.casefold()) if word.strip("_")]
    telling = [word for word in found if word not in _STOP_WORDS]
    return list(dict.fromkeys(telling or found))


def search(
    catalog: Catalog, text: str, limit: int, filters: Filters | None = None
) -> list[tuple[int, float]]:
    """The best passages for any of the words: (passage key, BM25), higher is better."""
    # Quoted, a word is only ever a word: FTS5's own operators cannot be smuggled in.
    match = " OR ".join(f'"{word}"' for word in words(text))
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
