"""What the processes of one memory tell each other, in the catalog's table ``state``."""

import json
import sqlite3
from collections.abc import Iterable
from typing import Any

# The names of the memory's encoders as a JSON list, that of texts first.
ENCODERS = "encoders"
# Counts up whenever Chroma's files must be made anew: they hold what was forgotten, or are damaged.
INDEX = "index"
# The value of INDEX that Chroma's files were made for.
INDEXED = "indexed"
# When retention rules were last applied, in microseconds since 1970 UTC.
EXPIRED = "expired"
# Names of files in media/ whose observations were lost with a damaged catalog, as a JSON list.
KEPT = "kept"
# Keys of observations whose content no longer proves their id, because their original was
# forgotten or lost, as a JSON list.
UNPROVEN = "unproven"
# What was accepted and rejected, as numbers, and what was learned from it: agentctx.learning.
FEEDBACK = "feedback"
LEARNED = "learned"
# "yes" while bytes of forgotten observations may still be on disk.
ERASING = "erasing"


def get(db: sqlite3.Connection, name: str) -> str:
    """The value under a name, "" when there is none."""
    found = db.execute("SELECT value FROM state WHERE name = ?", (name,)).fetchone()
    return "" if found is None else str(found[0])


def put(db: sqlite3.Connection, name: str, value: str) -> None:
    """Set the value under a name, in an open transaction."""
    db.execute("INSERT OR REPLACE INTO state VALUES (?, ?)", (name, value))


def members(db: sqlite3.Connection, name: str) -> list[Any]:
    """The items of the list under a name."""
    found: list[Any] = json.loads(get(db, name) or "[]")
    return found


def put_members(db: sqlite3.Connection, name: str, items: Iterable[Any]) -> None:
    """Set the list under a name, in an open transaction."""
    text = json.dumps(sorted(set(items)))
    if text != (get(db, name) or "[]"):
        put(db, name, text)


def outdate_index(db: sqlite3.Connection) -> None:
    """Say that Chroma's files must be made anew, in an open transaction."""
    put(db, INDEX, str(int(get(db, INDEX) or 0) + 1))
