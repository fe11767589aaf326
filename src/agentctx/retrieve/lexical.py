"""How many of a question's own words a candidate has, by the rules of the full-text index."""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing

import numpy as np
from numpy.typing import NDArray

from agentctx.words import telling

# Robertson & Zaragoza, "The Probabilistic Relevance Framework" (2009): the usual constants.
_K1 = 1.2
_B = 0.75


def contributions(
    question: str, texts: Sequence[str], telling_of: Callable[[Sequence[str]], Sequence[float]]
) -> NDArray[np.float32]:
    """What each of the question's words adds to the BM25 of each text, float32 [texts, words].

    Apart by word, so that what stands in a neighbouring text can be added without counting a
    word twice. ``telling_of`` gives the inverse document frequency of the index's terms.
    """
    # SQLite itself takes the words apart, exactly as it does in the catalog.
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        db.execute("CREATE VIRTUAL TABLE texts USING fts5 "
                   "(text, content = '', tokenize = 'porter unicode61')")  # fmt: skip
        db.execute("CREATE VIRTUAL TABLE found USING fts5vocab (texts, 'instance')")
        db.execute("BEGIN")
        rows = enumerate([" ".join(telling(question)), *texts])
        db.executemany("INSERT INTO texts (rowid, text) VALUES (?, ?)", rows)
        terms = [term for (term,) in db.execute("SELECT DISTINCT term FROM found WHERE doc = 0")]
        marks = ", ".join("?" * len(terms))
        counted = db.execute(
            f"SELECT doc, term, count(*) FROM found WHERE doc > 0 AND term IN ({marks}) "  # noqa: S608
            "GROUP BY doc, term",
            terms,
        ).fetchall()
    lengths = np.array([text.count(" ") + 1 for text in texts], np.float64)
    frequencies = np.zeros((len(texts), len(terms)), np.float32)
    places = {term: column for column, term in enumerate(terms)}
    for doc, term, count in counted:
        frequencies[doc - 1, places[term]] = count
    relative = lengths[:, None] / max(float(lengths.mean()) if len(texts) else 1.0, 1.0)
    saturated = frequencies * (_K1 + 1) / (frequencies + _K1 * (1 - _B + _B * relative))
    weighted = saturated * np.asarray(telling_of(terms), np.float64)
    return weighted.astype(np.float32)
