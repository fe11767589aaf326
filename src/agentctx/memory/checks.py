"""Whether a memory is whole: the catalog in itself, and Chroma against the catalog."""

import random
import sqlite3
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from agentctx.errors import StoreError
from agentctx.memory import state
from agentctx.memory.catalog import Catalog
from agentctx.memory.media import MediaStore

if TYPE_CHECKING:
    from agentctx.memory.chroma import ChromaIndex

# How many vectors are looked up by themselves, at every opening and when all is checked.
_SAMPLED, _SAMPLED_OF_ALL = 16, 200
# A vector is its own nearest neighbour with a cosine of 1, but for rounding.
_ITSELF = 0.999
# Graph search is approximate: it may miss a few, and a damaged index misses most.
_MISSED_SHARE = 0.1


def file_problems(catalog: Catalog) -> list[str]:
    """What is wrong with the catalog's file, tables and references, in words."""
    problems = [f"catalog: {line}" for (line,) in catalog.query("PRAGMA integrity_check")
                if line != "ok"]  # fmt: skip
    problems += [
        f"catalog: row {row} of {table} refers to a missing row of {parent}"
        for table, row, parent, _ in catalog.query("PRAGMA foreign_key_check")
    ]
    return problems + _vector_problems(catalog) + _content_problems(catalog)


def words_problems(catalog: Catalog) -> list[str]:
    """In what the full-text index differs from the texts, in words."""
    with catalog.transaction() as db:
        try:
            db.execute("INSERT INTO passage_words (passage_words, rank) "
                       "VALUES ('integrity-check', 1)")  # fmt: skip
        except sqlite3.DatabaseError as error:
            return [f"catalog: the full-text index differs from the texts: {error}"]
    return []


def _vector_problems(catalog: Catalog) -> list[str]:
    found = catalog.query(
        "SELECT name, count(*) FROM vector JOIN space ON space.pk = space_pk "
        "WHERE length(vector) != 4 * json_extract(card, '$.dimension') GROUP BY name"
    )
    return [f"catalog: {count} vectors of {name!r} have a wrong length" for name, count in found]


def _content_problems(catalog: Catalog) -> list[str]:
    """Which observations are not what was stored, as their ids prove, which hash their content."""
    from agentctx.memory.salvage import judging

    with catalog.reading() as db:
        originals = defaultdict(set)
        for pk, digest in db.execute(
            "SELECT observation_pk, digest FROM media WHERE kind = 'original'"
        ):
            originals[pk].add(digest)
        unproven = set(state.members(db, state.UNPROVEN))
        bad = sum(
            not judging.has_form(row)
            or not (row[0] in unproven or judging.proves(row, originals.get(row[0], ())))
            for row in db.execute("SELECT * FROM observation")
        )
    return [f"catalog: {bad} observations are not what their ids say"] if bad else []


def media_problems(catalog: Catalog, media: MediaStore) -> list[str]:
    """Which media are absent or damaged, in words."""
    digests = [digest for (digest,) in catalog.query("SELECT DISTINCT digest FROM media")]
    return [f"media {digest} is absent or damaged" for digest in media.damaged(digests)]


def orphans(catalog: Catalog, media: MediaStore) -> list[Path]:
    """Media files that belong to nothing, as a process leaves them that is killed while adding.

    Those are left out that were kept when their observations were lost: they are all that is left.
    """
    with catalog.reading() as db:
        kept = set(state.members(db, state.KEPT))
    known = [digest for (digest,) in catalog.query("SELECT DISTINCT digest FROM media")]
    return [path for path in media.orphans(known) if path.name not in kept]


def index_problems(catalog: Catalog, index: "ChromaIndex", *, every: bool = False) -> list[str]:
    """In what Chroma differs from the catalog, in words: counts, ids, vectors, look-ups.

    ``every``: all ids, and more of the look-ups; otherwise a sample.
    """
    problems: list[str] = []
    for name, space_pk in catalog.query("SELECT name, pk FROM space WHERE status = 'active'"):
        try:
            problems += _space_problems(catalog, index, name, space_pk, every=every)
        except StoreError as error:
            problems.append(str(error))
    return problems


def _space_problems(
    catalog: Catalog, index: "ChromaIndex", name: str, space_pk: int, *, every: bool
) -> list[str]:
    expected = [pk for (pk,) in catalog.query(
        "SELECT pk FROM vector WHERE space_pk = ? AND pk NOT IN (SELECT vector_pk FROM pending)",
        (space_pk,),
    )]  # fmt: skip
    if not expected:
        return []
    ((pending,),) = catalog.query(
        "SELECT count(*) FROM pending JOIN vector ON vector.pk = vector_pk WHERE space_pk = ?",
        (space_pk,),
    )
    # A process that died after writing to Chroma and before noting it leaves rows still pending.
    if not len(expected) <= (count := index.count(name)) <= len(expected) + pending:
        return [f"Chroma has {count} rows of {name!r}, the catalog {len(expected)}"]
    size = _SAMPLED_OF_ALL if every else _SAMPLED
    # Seeded by the count: a check can be repeated, and looks elsewhere as the memory grows.
    chosen = random.Random(len(expected)).sample(expected, min(size, len(expected)))  # noqa: S311
    rows = {
        f"{id_}:{ordinal}": np.frombuffer(blob, np.float32)
        for pk in chosen
        for id_, ordinal, blob in catalog.query(
            "SELECT id, ordinal, vector FROM vector JOIN passage ON passage.pk = passage_pk "
            "JOIN observation ON observation.pk = observation_pk WHERE vector.pk = ?",
            (pk,),
        )
    }
    problems = []
    kept = index.vectors(name, list(rows))
    wrong = [id_ for id_, vector in rows.items()
             if id_ not in kept or float(kept[id_] @ vector) < _ITSELF]  # fmt: skip
    if wrong:
        problems.append(f"{len(wrong)} of {len(rows)} rows of {name!r} are not in Chroma as stored")
    missed = sum(
        not (found := index.search(name, vector, 1)) or found[0][1] < _ITSELF
        for vector in rows.values()
    )
    if missed > _MISSED_SHARE * len(rows):
        problems.append(f"{missed} of {len(rows)} vectors of {name!r} do not find themselves")
    if every:
        problems += _id_problems(catalog, index, name, space_pk)
    return problems


def _id_problems(catalog: Catalog, index: "ChromaIndex", name: str, space_pk: int) -> list[str]:
    known = {
        f"{id_}:{ordinal}": bool(waits)
        for id_, ordinal, waits in catalog.query(
            "SELECT id, ordinal, vector.pk IN (SELECT vector_pk FROM pending) FROM vector "
            "JOIN passage ON passage.pk = passage_pk "
            "JOIN observation ON observation.pk = observation_pk WHERE space_pk = ?",
            (space_pk,),
        )
    }
    found = index.ids(name)
    lost = len({id_ for id_, waits in known.items() if not waits} - found)
    foreign = len(found - known.keys())
    if lost or foreign:
        return [f"Chroma lacks {lost} ids of {name!r}, and has {foreign} that the catalog lacks"]
    return []
