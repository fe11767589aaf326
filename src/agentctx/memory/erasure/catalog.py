"""Fingerprints of observations in a catalog, less what those that remain have too."""

import json
import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agentctx.errors import StoreError
from agentctx.memory import rows
from agentctx.memory.cutting import Cut
from agentctx.memory.erasure.fingerprints import Fingerprints, Value, collect
from agentctx.memory.erasure.words import own_words
from agentctx.memory.media import MediaStore
from agentctx.records import Media

# Of media that remain, only what all files of a format have is of interest, so a few will do.
_MOST_MEDIA = 200
_END_BYTES = 4096


def of_observations(
    db: sqlite3.Connection,
    pks: Sequence[int],
    locate: Callable[[str], Path],
    *,
    cuts: Mapping[str, Cut] = MappingProxyType({}),
    kept: Iterable[str] = (),
) -> Fingerprints:
    """Fingerprints of observations that are in the catalog still, with all that hangs on them.

    ``locate`` says where the file of a digest is; those that no other observation refers to are
    taken to be erased. ``cuts``: by their digest, the files of readings that other observations
    refer to and that are to be replaced. ``kept``: what stays on purpose, such as the rule in the
    audit log.

    What other observations have too is not looked for. So this reads the whole catalog, one row
    at a time: in a read transaction, for writers should not wait for it.
    """
    chosen = frozenset(pks)
    found = [
        row
        for part in rows.chunks(pks)
        for row in db.execute(
            "SELECT pk, id, text, session, source, attributes FROM observation "  # noqa: S608
            f"WHERE pk IN ({rows.marks(part)})",
            part,
        )
    ]
    passages = list(_passages(db, pks))
    own, others = _media(db, chosen)
    erased = sorted(own.union(cuts))
    places = [locate(digest) for digest in erased]
    fingerprints = collect(
        texts=[row[2] for row in found] + passages,
        labels=[label for row in found for label in _labels(row[3:])],
        ids=[row[1] for row in found] + _sources(db, chosen),
        # Sealed media are not called by their digest.
        digests=[*erased, *(path.name for path in places)],
        media=[path for path in places if path.exists()],
        vectors=_vectors(db, pks),
        tokens=_tokens(db, pks),
        readings=[cut.records for cut in cuts.values()],
        words=own_words(db, passages),
    )
    media = [locate(digest) for digest in sorted(others.difference(cuts))]
    replacements = (cut.data for cut in cuts.values() if cut.data)
    return fingerprints.without(chain(_remaining(db, chosen), _ends(media), kept, replacements))


def stored_media(directory: Path, media: MediaStore) -> list[Media]:
    """The media that the catalog in a directory refers to, each once; the catalog is only read.

    For a process that does not have the memory open, nor its key. Raises StoreError when the
    catalog cannot be read.
    """
    path = directory / "catalog.sqlite3"
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
            found = db.execute("SELECT kind, mime, digest, size FROM media GROUP BY digest")
            return [media.media(*row) for row in found]
    except sqlite3.Error as error:
        raise StoreError(
            f"{path} does not tell which media remain: {error}; check it with: agentctx verify"
        ) from error


def _labels(row: Sequence[str]) -> Iterator[str]:
    """Session, source, attributes as JSON, and those of its values that are strings."""
    yield from row
    for value in json.loads(row[-1]).values():
        yield from (item for item in (value if isinstance(value, list) else [value])
                    if isinstance(item, str))  # fmt: skip


def _passages(db: sqlite3.Connection, pks: Sequence[int]) -> Iterator[str]:
    for (text,) in _of(db, pks, "passage_text.text FROM passage "
                       "JOIN passage_text ON passage_text.pk = passage.pk"):  # fmt: skip
        yield text


def _vectors(db: sqlite3.Connection, pks: Sequence[int]) -> Iterator[NDArray[np.float32]]:
    join = "vector FROM passage JOIN vector ON vector.passage_pk = passage.pk"
    return (np.frombuffer(blob, np.float32) for (blob,) in _of(db, pks, join))


def _tokens(db: sqlite3.Connection, pks: Sequence[int]) -> Iterator[NDArray[np.int8]]:
    join = "matrix FROM passage JOIN token_matrix ON token_matrix.passage_pk = passage.pk"
    return (np.frombuffer(blob, np.int8) for (blob,) in _of(db, pks, join))


def _of(db: sqlite3.Connection, pks: Sequence[int], select: str) -> Iterator[tuple[Any, ...]]:
    for part in rows.chunks(pks):
        yield from db.execute(
            f"SELECT {select} WHERE passage.observation_pk IN ({rows.marks(part)})",
            part,
        )


def _media(db: sqlite3.Connection, chosen: Collection[int]) -> tuple[set[str], set[str]]:
    """The digests that only the chosen refer to, and all others."""
    own, others = set[str](), set[str]()
    for pk, digest in db.execute("SELECT observation_pk, digest FROM media"):
        (own if pk in chosen else others).add(digest)
    return own - others, others


def _sources(db: sqlite3.Connection, chosen: Collection[int]) -> list[str]:
    """The keys of sources that only the chosen come from."""
    own, others = set[str](), set[str]()
    for key, pk in db.execute("SELECT key, observation_pk FROM ingested"):
        (own if pk in chosen else others).add(key)
    return sorted(own - others)


def _remaining(db: sqlite3.Connection, chosen: Collection[int]) -> Iterator[Value]:
    yield from (sql for (sql,) in db.execute("SELECT sql FROM sqlite_schema WHERE sql NOTNULL"))
    for space in db.execute("SELECT name, card FROM space"):
        yield from space
    before: list[str] = []
    for pk, text, *labels in db.execute(
        "SELECT pk, text, modality, session, source, attributes FROM observation"
    ):
        if pk not in chosen:
            yield text
            if labels != before:  # those of one source are often the same
                yield from _labels(labels)
                before = labels
    for pk, blob in db.execute(
        "SELECT observation_pk, vector FROM vector JOIN passage ON passage.pk = passage_pk"
    ):
        if pk not in chosen:
            yield np.frombuffer(blob, np.float32)
    for pk, blob in db.execute(
        "SELECT observation_pk, matrix FROM token_matrix JOIN passage ON passage.pk = passage_pk"
    ):
        if pk not in chosen:
            yield np.frombuffer(blob, np.int8)


def _ends(paths: Sequence[Path]) -> Iterator[bytes]:
    """The heads and tails of a few files."""
    for path in paths[:: max(1, len(paths) // _MOST_MEDIA)]:
        if path.exists():
            with path.open("rb") as file:
                yield file.read(_END_BYTES)
                file.seek(max(0, path.stat().st_size - _END_BYTES))
                yield file.read()
