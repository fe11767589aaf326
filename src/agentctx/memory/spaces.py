"""The spaces of a memory's vectors: which are searched, which are being made, which are kept.

A space is *active*, *building* (its vectors are being made beside the active ones) or *retired*
(another encoder took its place; its vectors are kept, so that the memory can go back).
"""

import json
import sqlite3
from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter

from agentctx.errors import EncoderMismatch
from agentctx.memory import rows, state
from agentctx.memory.entries import NewVector, active, card_text, put_vector
from agentctx.records import EncoderCard


def register(db: sqlite3.Connection, card: EncoderCard) -> int:
    """The key of a card's active space, new or known.

    Raises EncoderMismatch when the space holds vectors of another encoder.
    """
    known = db.execute(
        "SELECT pk, card FROM space WHERE name = ? AND status = 'active'", (card.space,)
    ).fetchone()
    if known is None:
        return _insert(db, card, "active")
    if known[1] != card_text(card):
        old = json.loads(known[1])
        raise EncoderMismatch(
            f"the space {card.space!r} holds vectors of {old['name']} {old['revision']} (digest "
            f"{old['digest'][:12]}), not of {card.name} {card.revision} (digest "
            f"{card.digest[:12]}); open the memory with the old encoder, move it to the new one "
            "with: agentctx reindex, or make a new memory"
        )
    return int(known[0])


def begin(db: sqlite3.Connection, card: EncoderCard) -> int:
    """The key of a card's space, whatever its status; one that is not active is built from now."""
    found = db.execute(
        "SELECT pk FROM space WHERE name = ? AND card = ?", (card.space, card_text(card))
    ).fetchone()
    if found is None:
        return _insert(db, card, "building")
    db.execute(
        "UPDATE space SET status = 'building' WHERE pk = ? AND status = 'retired'", (found[0],)
    )
    return int(found[0])


def _insert(db: sqlite3.Connection, card: EncoderCard, status: str) -> int:
    insert = (
        "INSERT INTO space (name, card, status) VALUES (?, ?, ?) "
        "ON CONFLICT (name, card) DO UPDATE SET status = excluded.status RETURNING pk"
    )
    return int(db.execute(insert, (card.space, card_text(card), status)).fetchone()[0])


def last_observation(db: sqlite3.Connection) -> int:
    """The largest key of an observation, 0 when there is none."""
    return int(db.execute("SELECT coalesce(max(pk), 0) FROM observation").fetchone()[0])


def count(db: sqlite3.Connection, space_pk: int) -> int:
    """How many vectors a space has."""
    found = db.execute("SELECT count(*) FROM vector WHERE space_pk = ?", (space_pk,)).fetchone()
    return int(found[0])


def lacking(db: sqlite3.Connection, space_pk: int, after: int, *, whole: bool) -> list[int]:
    """Keys of the observations, larger than ``after``, that lack a vector of a space.

    ``whole``: one vector of the whole observation is wanted, not one of each passage.
    """
    found = db.execute(
        "SELECT DISTINCT observation_pk FROM passage WHERE observation_pk > ? "
        "AND (ordinal = 0 OR NOT ?) AND NOT EXISTS "
        "(SELECT 1 FROM vector WHERE space_pk = ? AND passage_pk = passage.pk) "
        "ORDER BY observation_pk",
        (after, whole, space_pk),
    )
    return [pk for (pk,) in found]


def passages(
    db: sqlite3.Connection, observation_pks: Sequence[int]
) -> dict[int, list[tuple[int, int, int]]]:
    """The passages (key, start, stop) of each observation, in order."""
    return {
        pk: [(key, start, stop) for _, key, start, stop in found]
        for part in rows.chunks(observation_pks)
        for pk, found in groupby(
            db.execute(
                "SELECT observation_pk, pk, start, stop FROM passage "  # noqa: S608
                f"WHERE observation_pk IN ({rows.marks(part)}) ORDER BY observation_pk, ordinal",
                part,
            ),
            key=itemgetter(0),
        )
    }


def put(db: sqlite3.Connection, space_pk: int, new: Sequence[tuple[int, NewVector]]) -> int:
    """Insert the vectors of passages that are there and have none; gives how many."""
    is_active = space_pk in active(db)
    inserted = 0
    for passage, vector in new:
        wanted = db.execute(
            "SELECT 1 FROM passage WHERE pk = ? AND NOT EXISTS "
            "(SELECT 1 FROM vector WHERE space_pk = ? AND passage_pk = passage.pk)",
            (passage, space_pk),
        ).fetchone()
        if wanted:  # it may have been forgotten, or another process may have been quicker
            put_vector(db, space_pk, passage, vector, pending=is_active)
            inserted += 1
    return inserted


def switch(db: sqlite3.Connection, space_pks: Sequence[int], encoders: Sequence[str]) -> list[str]:
    """Make these the active spaces, in an open transaction; gives the names of the retired ones."""
    keys = rows.marks(space_pks)
    retired = db.execute(
        f"SELECT name FROM space WHERE status = 'active' AND pk NOT IN ({keys})",  # noqa: S608
        space_pks,
    ).fetchall()
    db.execute(f"UPDATE space SET status = 'retired' WHERE pk NOT IN ({keys})", space_pks)  # noqa: S608
    fresh = db.execute(
        f"UPDATE space SET status = 'active' WHERE pk IN ({keys}) AND status != 'active'",  # noqa: S608
        space_pks,
    ).rowcount
    db.execute(
        "DELETE FROM pending WHERE vector_pk IN (SELECT vector.pk FROM vector "
        "JOIN space ON space.pk = space_pk WHERE status != 'active')"
    )
    if retired or fresh:
        state.outdate_index(db)
    state.put(db, state.ENCODERS, json.dumps(list(encoders)))
    return [name for (name,) in retired]


def drop(db: sqlite3.Connection) -> int:
    """Delete the spaces that are not active, with their vectors; gives how many of these."""
    gone = "(SELECT pk FROM space WHERE status != 'active')"
    db.execute(f"DELETE FROM token_matrix WHERE space_pk IN {gone}")  # noqa: S608
    deleted = db.execute(f"DELETE FROM vector WHERE space_pk IN {gone}").rowcount  # noqa: S608
    db.execute("DELETE FROM space WHERE status != 'active'")
    return deleted
