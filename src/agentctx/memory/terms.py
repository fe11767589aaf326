"""What the full-text index makes of words: stems, by SQLite's own rules and not by a copy."""

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing

# Words in all, and the letters of one.
_REMEMBERED = 50_000
_LONGEST = 64

_known: dict[str, tuple[str, ...]] = {}


def terms(words: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """The terms of each word, in order: its stem; several, or none, when it is no one word.

    What was asked before is remembered: making an index for each text costs much more.
    """
    global _known  # replaced, not changed, for other threads
    known = _known
    wanted = set(words)
    new = [word for word in wanted if word not in known]
    if not new:
        return {word: known[word] for word in wanted}
    fresh = _taken_apart(new)
    kept = {word: found for word, found in fresh.items() if len(word) <= _LONGEST}
    _known = {**known, **kept} if len(known) + len(kept) <= _REMEMBERED else kept
    return {word: known[word] if word in known else fresh[word] for word in wanted}


def _taken_apart(words: Sequence[str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {word: [] for word in words}
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        db.execute("CREATE VIRTUAL TABLE words USING fts5 "
                   "(text, content = '', tokenize = 'porter unicode61')")  # fmt: skip
        db.execute("CREATE VIRTUAL TABLE found USING fts5vocab (words, 'instance')")
        db.execute("BEGIN")
        db.executemany("INSERT INTO words (rowid, text) VALUES (?, ?)", enumerate(words))
        for doc, term in db.execute('SELECT doc, term FROM found ORDER BY doc, "offset"'):
            found[words[doc]].append(term)
    return {word: tuple(parts) for word, parts in found.items()}
