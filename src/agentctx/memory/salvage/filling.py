"""A new catalog out of the rows that are sound."""

import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator

from agentctx.memory import state
from agentctx.memory.salvage import judging
from agentctx.memory.salvage.finding import Row
from agentctx.memory.salvage.judging import Sound

_COLUMNS = {
    "space": 4, "observation": 10, "media": 6, "passage": 5, "vector": 4, "token_matrix": 3,
    "ingested": 2, "audit": 4, "doomed": 1, "state": 2,
}  # fmt: skip
# Rows in one transaction: the log of the new catalog stays small.
_BATCH = 2000
# What a passage must cover: all but white space.
_WORDS = re.compile(r"\S(?:.*\S)?", re.DOTALL)
# State that is about Chroma's files, which are to be made anew.
_ABOUT_INDEX = (state.INDEX, state.INDEXED)


def fill(db: sqlite3.Connection, sound: Sound) -> None:
    """Insert all but vectors and token matrices, with the keys that they had."""
    _insert(db, "space", sound.spaces.values())
    _insert(db, "observation", sound.observations.values())
    _insert(db, "media", sound.media.values())
    _insert(db, "passage", sound.passages.values())
    _insert(db, "ingested", sound.ingested)
    _insert(db, "audit", sound.audit)
    _insert(db, "doomed", ((digest,) for digest in sound.doomed))
    for table, last in sound.sequence.items():
        # A key that was given once is never given again.
        db.execute("UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ?", (last, table))
        db.execute(
            "INSERT INTO sqlite_sequence SELECT ?1, ?2 "
            "WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = ?1)",
            (table, last),
        )
    _fill_state(db, sound)


def _fill_state(db: sqlite3.Connection, sound: Sound) -> None:
    kept = sound.state.items()
    _insert(db, "state", (row for row in kept if row[0] not in _ABOUT_INDEX))
    said = [int(text) for name, text in kept if name in _ABOUT_INDEX and text.isdecimal()]
    state.put(db, state.INDEX, str(max(said, default=0) + 1))
    if sound.audit and state.INDEX not in sound.state:
        # Whether the last forget was finished is not known: the next process finishes it.
        state.put(db, state.ERASING, "yes")


def keep_media(db: sqlite3.Connection, names: Iterable[str]) -> None:
    """Note which files of media are all that is left of what was lost: nobody removes them."""
    state.put_members(db, state.KEPT, {*state.members(db, state.KEPT), *names})


def note_unproven(db: sqlite3.Connection) -> None:
    """Note whose content does not prove their id, since their original is not known any more."""
    originals = defaultdict(set)
    sql = "SELECT observation_pk, digest FROM media WHERE kind = 'original'"
    for pk, digest in db.execute(sql):
        originals[pk].add(digest)
    unproven = [
        row[0]
        for row in db.execute("SELECT * FROM observation")
        if not judging.proves(row, originals.get(row[0], ()))
    ]
    state.put_members(db, state.UNPROVEN, unproven)


def fill_large(db: sqlite3.Connection, sound: Sound, found: Iterable[tuple[str, Row]]) -> None:
    """Insert those vectors and token matrices that are sound and belong to what is kept."""

    def kept() -> Iterator[tuple[str, Row]]:
        for table, row in found:
            if sound.takes_vector(row) if table == "vector" else sound.takes_matrix(row):
                yield table, row
            else:
                sound.lost_rows[table] += 1

    batches: dict[str, list[Row]] = {"vector": [], "token_matrix": []}
    for table, row in kept():
        batches[table].append(row)
        if len(batches[table]) >= _BATCH:
            _insert(db, table, batches[table])
            batches[table].clear()
    for table, batch in batches.items():
        _insert(db, table, batch)


def finish(db: sqlite3.Connection) -> list[str]:
    """Make what is derived: the words of all texts, and the list of what Chroma is to have.

    Gives the ids of observations of which passages have no vector.
    """
    db.execute("BEGIN IMMEDIATE")
    _cover(db)
    # Vectors and token matrices are made together.
    db.execute(
        "DELETE FROM vector WHERE space_pk IN "
        "(SELECT pk FROM space WHERE json_extract(card, '$.token_dimension') > 0) "
        "AND NOT EXISTS (SELECT 1 FROM token_matrix AS matrix "
        "WHERE matrix.passage_pk = vector.passage_pk AND matrix.space_pk = vector.space_pk)"
    )
    db.execute("INSERT INTO passage_words (passage_words) VALUES ('rebuild')")
    db.execute(
        "INSERT INTO pending SELECT vector.pk FROM vector "
        "JOIN space ON space.pk = space_pk WHERE status = 'active'"
    )
    db.execute("COMMIT")
    bare = db.execute(
        "SELECT DISTINCT id FROM observation JOIN passage ON observation_pk = observation.pk "
        "WHERE passage.pk NOT IN (SELECT passage_pk FROM vector) ORDER BY observation.pk"
    )
    return [id_ for (id_,) in bare]


def _cover(db: sqlite3.Connection) -> None:
    """Give passages to texts, or parts of texts, that have lost theirs."""
    spans: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
    for pk, *span in db.execute("SELECT observation_pk, start, stop, ordinal FROM passage"):
        spans[pk].append(tuple(span))
    for pk, text in db.execute("SELECT pk, text FROM observation").fetchall():
        had = sorted(spans[pk])
        ordinal = 1 + max((number for *_, number in had), default=-1)
        at = 0
        holes = []
        for start, stop in [*((a, b) for a, b, _ in had), (len(text), len(text))]:
            if start > at and (words := _WORDS.search(text, at, start)):
                holes.append(words.span())
            at = max(at, stop)
        if not had and not holes:
            holes = [(0, 0)]  # a text without words has one passage, too
        db.executemany(
            "INSERT INTO passage (observation_pk, ordinal, start, stop) VALUES (?, ?, ?, ?)",
            [(pk, ordinal + n, start, stop) for n, (start, stop) in enumerate(holes)],
        )


def _insert(db: sqlite3.Connection, table: str, rows: Iterable[Row]) -> None:
    marks = ",".join("?" * _COLUMNS[table])
    db.execute("BEGIN IMMEDIATE")
    # Where damage shows one row twice, the first is kept.
    db.executemany(f"INSERT OR IGNORE INTO {table} VALUES ({marks})", rows)  # noqa: S608
    db.execute("COMMIT")
