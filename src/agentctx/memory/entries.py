"""What is written to the catalog: entries, the spaces of their vectors, and what takes them out."""

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from agentctx.errors import EncoderMismatch
from agentctx.memory import rows, state
from agentctx.records import EncoderCard, Observation

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class NewVector:
    """A vector to be stored: of which passage, in which space, with its token matrix."""

    space: str
    ordinal: int
    vector: "NDArray[np.float32]"
    tokens: "NDArray[np.int8] | None" = None


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """An observation to be stored with its passages (spans of its text) and vectors."""

    observation: Observation
    spans: Sequence[tuple[int, int]]
    vectors: Sequence[NewVector]


def active(db: sqlite3.Connection) -> set[int]:
    """The keys of the spaces that are searched."""
    return {pk for (pk,) in db.execute("SELECT pk FROM space WHERE status = 'active'")}


def card_text(card: EncoderCard) -> str:
    """A card as the catalog keeps it."""
    return json.dumps(asdict(card), sort_keys=True)


def insert(
    db: sqlite3.Connection,
    entries: Iterable[Entry],
    finished: Mapping[str, Sequence[str]],
    spaces: Mapping[str, int],
) -> set[str]:
    """Insert entries in an open transaction; gives the ids that were not there before.

    ``finished`` maps the key of each source that is complete with this batch to the ids of all
    its observations; ``spaces`` maps the names of spaces to their keys. Raises EncoderMismatch
    when one of these is in use no more.
    """
    _check_active(db, spaces)
    new = {entry.observation.id for entry in entries if _insert(db, entry, spaces)}
    for key, ids in finished.items():
        db.executemany(
            "INSERT OR IGNORE INTO ingested (key, observation_pk) "
            "SELECT ?, pk FROM observation WHERE id = ?",
            [(key, observation_id) for observation_id in ids],
        )
    return new


def note_unproven(db: sqlite3.Connection, ids: Collection[str]) -> None:
    """Note that the content of these observations does not prove their ids."""
    if not ids:
        return
    keys = set(state.members(db, state.UNPROVEN))
    for part in rows.chunks(list(ids)):
        sql = f"SELECT pk FROM observation WHERE id IN ({rows.marks(part)})"  # noqa: S608
        keys.update(pk for (pk,) in db.execute(sql, part))
    state.put_members(db, state.UNPROVEN, keys)


def _check_active(db: sqlite3.Connection, spaces: Mapping[str, int]) -> None:
    searched = active(db)
    for name, pk in spaces.items():
        if pk not in searched:
            raise EncoderMismatch(
                f"the space {name!r} was moved to another encoder meanwhile; open the memory again"
            )


def _insert(db: sqlite3.Connection, entry: Entry, spaces: Mapping[str, int]) -> bool:
    observation = entry.observation
    cursor = db.execute(
        "INSERT INTO observation (id, modality, text, captured_at, ended_at, duration, session, "
        "source, attributes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
        rows.values(observation),
    )
    if cursor.rowcount == 0:
        return False
    pk = cursor.lastrowid
    db.executemany(
        "INSERT INTO media VALUES (?, ?, ?, ?, ?, ?)",
        [(pk, n, m.kind, m.mime, m.digest, m.size) for n, m in enumerate(observation.media)],
    )
    passages = []
    # For SQLite's functions a text ends at NUL. The index must be given what the view gives when
    # its entries are deleted, or it is damaged.
    text = observation.text.partition("\0")[0]
    for ordinal, (start, stop) in enumerate(entry.spans):
        statement = "INSERT INTO passage (observation_pk, ordinal, start, stop) VALUES (?, ?, ?, ?)"
        passages.append(db.execute(statement, (pk, ordinal, start, stop)).lastrowid)
        db.execute(
            "INSERT INTO passage_words (rowid, text) VALUES (?, ?)",
            (passages[-1], text[start:stop]),
        )
    for new in entry.vectors:
        put_vector(db, spaces[new.space], passages[new.ordinal] or 0, new)
    return True


def put_vector(
    db: sqlite3.Connection, space: int, passage: int, new: NewVector, *, pending: bool = True
) -> None:
    """Insert a passage's vector and token matrix; ``pending``: Chroma is to have it as well."""
    statement = "INSERT INTO vector (space_pk, passage_pk, vector) VALUES (?, ?, ?)"
    vector = db.execute(statement, (space, passage, new.vector.tobytes()))
    if pending:
        db.execute("INSERT INTO pending VALUES (?)", (vector.lastrowid,))
    if new.tokens is not None:
        row = (passage, space, new.tokens.tobytes())
        # Over what a salvage may have saved of a vector that is lost.
        db.execute("INSERT OR REPLACE INTO token_matrix VALUES (?, ?, ?)", row)
