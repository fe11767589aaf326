"""Taking observations out of a memory, to the last byte.

A forget is acknowledged when the rows are gone. What is still to be erased then (media files,
Chroma's files, free pages of the catalog) is noted by the same transaction, so that what a killed
process leaves undone the next one finishes.
"""

import sqlite3
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from agentctx.errors import StoreError
from agentctx.memory import rows, state
from agentctx.memory.catalog import Catalog
from agentctx.memory.cutting import Cut, Span, cut
from agentctx.memory.media import MediaStore
from agentctx.records import Media

# How long to wait for readers of the state before; an export may read for minutes.
_READER_MILLISECONDS = 5000


class Cuts:
    """Files of readings without the forgotten ones, each cut once, by the digest of the old."""

    def __init__(self, media: MediaStore) -> None:
        self._media = media
        self.made: dict[str, Cut] = {}

    def make(self, digest: str, spans: Sequence[Span]) -> Cut:
        """Cut spans out of a file; nothing is stored yet."""
        self.made[digest] = cut(self._media.media("readings", "", digest, 0), spans)
        return self.made[digest]

    def replace(self, digest: str, spans: Sequence[Span]) -> Media | None:
        """Store what is left of a file; None when that is nothing."""
        done = self.made.get(digest) or self.make(digest, spans)
        if done.data is None:
            return None
        left = Media.of_bytes("readings", "", done.data)
        self._media.put(left)
        return left


def choose(db: sqlite3.Connection, observation_pks: Sequence[int]) -> None:
    """Note in a temporary table which observations are meant."""
    db.execute("CREATE TEMP TABLE IF NOT EXISTS gone (pk INTEGER PRIMARY KEY)")
    db.execute("DELETE FROM temp.gone")
    db.executemany("INSERT OR IGNORE INTO temp.gone VALUES (?)", [(pk,) for pk in observation_pks])


def remove(
    db: sqlite3.Connection,
    observation_pks: Sequence[int],
    action: str,
    rule: str,
    replace: Callable[[str, Sequence[Span]], Media | None],
) -> None:
    """Delete observations and all that hangs on them, in an open transaction.

    A file that was observed in parts (a recording, a log) holds what the forgotten part said, so
    it goes from the parts that stay, too: readings without the forgotten ones (``replace`` stores
    these, and gives None when none are left), others as a whole. Another observation of the same
    bytes keeps them.
    """
    choose(db, observation_pks)
    unproven = set(state.members(db, state.UNPROVEN)).difference(observation_pks)
    db.execute(
        "INSERT INTO passage_words (passage_words, rowid, text) "  # noqa: S608
        "SELECT 'delete', passage.pk, passage_text.text FROM passage "
        "JOIN passage_text ON passage_text.pk = passage.pk "
        f"WHERE passage.observation_pk IN {_GONE}"
    )
    db.execute(
        "INSERT OR IGNORE INTO doomed "  # noqa: S608
        f"SELECT DISTINCT digest FROM media WHERE observation_pk IN {_GONE}"
    )
    for digest, kind in shared(db):
        left = replace(digest, spans(db, digest)) if kind == "readings" else None
        if left is None:
            unproven |= _whose_original(db, digest)
            db.execute(
                f"DELETE FROM media WHERE digest = ? AND observation_pk IN {_SIBLINGS}",  # noqa: S608
                (digest,),
            )
        else:
            db.execute(
                "UPDATE media SET digest = ?, size = ? "  # noqa: S608
                f"WHERE digest = ? AND observation_pk IN {_SIBLINGS}",
                (left.digest, left.size, digest),
            )
    # A source of which a part is forgotten is not complete: adding it again brings it back.
    db.execute(
        "DELETE FROM ingested WHERE key IN "  # noqa: S608
        f"(SELECT key FROM ingested WHERE observation_pk IN {_GONE})"
    )
    db.execute(f"DELETE FROM observation WHERE pk IN {_GONE}")  # noqa: S608
    # Merges the index's segments, so that deleted words are in none of them.
    db.execute("INSERT INTO passage_words (passage_words) VALUES ('optimize')")
    now = rows.to_microseconds(datetime.now(UTC))
    db.execute("INSERT INTO audit VALUES (?, ?, ?, ?)", (now, action, rule, len(observation_pks)))
    state.put_members(db, state.UNPROVEN, unproven)
    state.put(db, state.ERASING, "yes")
    state.outdate_index(db)


_GONE = "(SELECT pk FROM temp.gone)"
# What came with forgotten observations from the same source.
_SIBLINGS = (
    "(SELECT observation_pk FROM ingested WHERE key IN "  # noqa: S608
    f"(SELECT key FROM ingested WHERE observation_pk IN {_GONE}) "
    f"AND observation_pk NOT IN {_GONE})"
)


def _whose_original(db: sqlite3.Connection, digest: str) -> set[int]:
    found = db.execute(
        "SELECT observation_pk FROM media WHERE digest = ? AND kind = 'original' "  # noqa: S608
        f"AND observation_pk IN {_SIBLINGS}",
        (digest,),
    )
    return {pk for (pk,) in found}


def shared(db: sqlite3.Connection) -> list[tuple[str, str]]:
    """(digest, kind) of the media that the chosen have with others of the same source."""
    return db.execute(
        f"SELECT DISTINCT digest, kind FROM media WHERE observation_pk IN {_SIBLINGS} "  # noqa: S608
        f"AND digest IN (SELECT digest FROM media WHERE observation_pk IN {_GONE}) ORDER BY digest"
    ).fetchall()


def spans(db: sqlite3.Connection, digest: str) -> list[Span]:
    """The spans that the chosen observations cover in a file of readings.

    An event counts with its last instant, a window without, since the next one begins there.
    """
    found = db.execute(
        "SELECT json_extract(attributes, '$.channel'), captured_at, ended_at, "  # noqa: S608
        "json_extract(attributes, '$.event') "
        f"FROM observation JOIN media ON observation_pk = pk WHERE digest = ? AND pk IN {_GONE}",
        (digest,),
    ).fetchall()
    return [
        Span(channel, start, end + (event is not None or start == end))
        for channel, start, end, event in found
        if isinstance(channel, str)
    ]


def erase_media(catalog: Catalog, media: MediaStore) -> list[str]:
    """Erase the files that only forgotten observations had; gives their digests.

    Under the catalog's write lock: nobody can begin to need one of them meanwhile.
    """
    with catalog.transaction() as db:
        unused = "SELECT digest FROM doomed WHERE digest NOT IN (SELECT digest FROM media)"
        gone = media.remove([digest for (digest,) in db.execute(unused + " ORDER BY digest")])
        db.execute("DELETE FROM doomed")
    return gone


def compact(catalog: Catalog) -> None:
    """Erase the bytes of deleted rows: rewrite the file, and empty the log on both sides of it."""
    with catalog.alone() as db:
        _checkpoint(db)
        db.execute("VACUUM")
        _checkpoint(db)


def _checkpoint(db: sqlite3.Connection) -> None:
    ((patience,),) = db.execute("PRAGMA busy_timeout").fetchall()
    db.execute(f"PRAGMA busy_timeout = {_READER_MILLISECONDS}")
    busy: tuple[Any, ...] = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    db.execute(f"PRAGMA busy_timeout = {patience}")
    if busy[0]:
        raise StoreError(
            "another process keeps reading what was forgotten, so that the catalog's log cannot be "
            "erased yet; the next process that opens the memory does it, or: agentctx repair"
        )
