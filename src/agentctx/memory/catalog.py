"""The truth of a memory: one SQLite file with observations, vectors and full text."""

import json
import sqlite3
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentctx.errors import EncoderMismatch, StoreError
from agentctx.memory import rows
from agentctx.memory.media import MediaStore
from agentctx.memory.schema import connect
from agentctx.records import EncoderCard, Filters, Media, Observation

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


@dataclass(frozen=True, slots=True)
class PassageRow:
    """A passage in the catalog: its key, its observation's key, and which part it is."""

    pk: int
    observation_pk: int
    ordinal: int
    text: str


class Catalog:
    """All reads and writes of ``catalog.sqlite3``; safe to call from several threads."""

    def __init__(self, path: Path, media: MediaStore) -> None:
        self._path = path
        self._media = media
        self._connection = connect(path)
        self._lock = threading.RLock()

    def close(self) -> None:
        """Close the file; further calls raise."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """One write transaction: committed at the end, rolled back on any error."""
        with self._lock, self._mapped():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                # A full disk rolls back by itself, and then there is nothing to roll back.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of one SELECT."""
        with self._lock, self._mapped():
            return self._connection.execute(sql, parameters).fetchall()

    @contextmanager
    def _mapped(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StoreError(f"{self._path}: {error}") from error

    # -- spaces -------------------------------------------------------------------------------

    def register(self, card: EncoderCard) -> int:
        """The key of a card's space, new or known.

        Raises EncoderMismatch when the space holds vectors of another encoder.
        """
        text = json.dumps(asdict(card), sort_keys=True)
        with self.transaction() as db:
            known = db.execute(
                "SELECT pk, card FROM space WHERE name = ?", (card.space,)
            ).fetchone()
            if known is None:
                insert = "INSERT INTO space (name, card) VALUES (?, ?)"
                return int(db.execute(insert, (card.space, text)).lastrowid or 0)
            if known[1] != text:
                old = json.loads(known[1])
                raise EncoderMismatch(
                    f"the space {card.space!r} holds vectors of {old['name']} "
                    f"{old['revision']} (digest {old['digest'][:12]}), not of {card.name} "
                    f"{card.revision} (digest {card.digest[:12]}); open the memory with the old "
                    "encoder, or make a new memory"
                )
            return int(known[0])

    # -- writing ------------------------------------------------------------------------------

    def add(self, entries: Sequence[Entry], finished: Mapping[str, Sequence[str]]) -> set[str]:
        """Store entries in one transaction; gives the ids that were not there before.

        ``finished`` maps the key of each source that is complete with this batch to the ids of
        all its observations. When this returns, the batch survives the death of the process.
        """
        new = set()
        with self.transaction() as db:
            spaces = dict(db.execute("SELECT name, pk FROM space").fetchall())
            for entry in entries:
                if _insert(db, entry, spaces):
                    new.add(entry.observation.id)
            for key, ids in finished.items():
                db.executemany(
                    "INSERT OR IGNORE INTO ingested (key, observation_pk) "
                    "SELECT ?, pk FROM observation WHERE id = ?",
                    [(key, observation_id) for observation_id in ids],
                )
        return new

    def remove(self, observation_pks: Sequence[int], rule: str) -> list[str]:
        """Delete observations and all that hangs on them; gives the media no one needs now."""
        digests: set[str] = set()
        with self.transaction() as db:
            for part in rows.chunks(observation_pks):
                marks = rows.marks(part)
                db.execute(
                    "INSERT INTO passage_words (passage_words, rowid, text) "  # noqa: S608
                    "SELECT 'delete', passage.pk, passage_text.text FROM passage "
                    "JOIN passage_text ON passage_text.pk = passage.pk "
                    f"WHERE passage.observation_pk IN ({marks})",
                    part,
                )
                select = f"SELECT digest FROM media WHERE observation_pk IN ({marks})"  # noqa: S608
                digests.update(digest for (digest,) in db.execute(select, part))
                db.execute(f"DELETE FROM observation WHERE pk IN ({marks})", part)  # noqa: S608
            # Merges the index's segments, so that deleted words are in none of them.
            db.execute("INSERT INTO passage_words (passage_words) VALUES ('optimize')")
            db.execute(
                "INSERT INTO audit VALUES (?, 'forget', ?, ?)",
                (rows.to_microseconds(datetime.now(UTC)), rule, len(observation_pks)),
            )
            used = "SELECT 1 FROM media WHERE digest = ?"
            return sorted(d for d in digests if db.execute(used, (d,)).fetchone() is None)

    def compact(self) -> None:
        """Give the bytes of deleted rows back: fold the log into the file, and rewrite it."""
        with self._lock, self._mapped():
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._connection.execute("VACUUM")
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    # -- reading ------------------------------------------------------------------------------

    def ingested(self, key: str) -> list[str]:
        """Ids of the observations of a source that was added whole, empty when it was not."""
        found = self.query(
            "SELECT id FROM ingested JOIN observation ON observation.pk = observation_pk "
            "WHERE key = ? ORDER BY captured_at, pk",
            (key,),
        )
        return [observation_id for (observation_id,) in found]

    def known(self, ids: Sequence[str]) -> set[str]:
        """Those of the ids that are stored."""
        return {
            row[0]
            for part in rows.chunks(ids)
            for row in self.query(
                f"SELECT id FROM observation WHERE id IN ({rows.marks(part)})",  # noqa: S608
                part,
            )
        }

    def observations(self, pks: Sequence[int]) -> dict[int, Observation]:
        """Observations by key."""
        found = {}
        for part in rows.chunks(pks):
            condition = f"observation.pk IN ({rows.marks(part)})"
            found.update({row.pk: row.observation for row in self._load(condition, part)})
        return found

    def select(self, filters: Filters, ids: Sequence[str] | None = None) -> list[rows.Row]:
        """All observations that pass the filters (and have one of the ids), by time."""
        condition, parameters = rows.where(filters)
        if ids is None:
            return self._load(condition, parameters)
        found = [
            row
            for part in rows.chunks(ids)
            for row in self._load(
                f"{condition} AND observation.id IN ({rows.marks(part)})", [*parameters, *part]
            )
        ]
        return sorted(found, key=lambda row: (row.observation.captured_at, row.pk))

    def _load(self, condition: str, parameters: Sequence[Any]) -> list[rows.Row]:
        with self._lock:
            found = self.query(
                f"SELECT {rows.COLUMNS} FROM observation "  # noqa: S608
                f"WHERE {condition} ORDER BY captured_at, pk",
                parameters,
            )
            media: dict[int, list[Media]] = {}
            for part in rows.chunks([row[0] for row in found]):
                for pk, *item in self.query(
                    "SELECT observation_pk, kind, mime, digest, size FROM media "  # noqa: S608
                    f"WHERE observation_pk IN ({rows.marks(part)}) "
                    "ORDER BY observation_pk, position",
                    part,
                ):
                    media.setdefault(pk, []).append(rows.media(item, self._media.path))
        return [rows.observation(row, media.get(row[0], ())) for row in found]

    def passages(self, pks: Sequence[int]) -> dict[int, PassageRow]:
        """Passages by key, with their text."""
        return {
            row[0]: PassageRow(*row)
            for part in rows.chunks(pks)
            for row in self.query(
                "SELECT passage.pk, observation_pk, ordinal, "  # noqa: S608
                "substr(text, start + 1, stop - start) FROM passage "
                "JOIN observation ON observation.pk = observation_pk "
                f"WHERE passage.pk IN ({rows.marks(part)})",
                part,
            )
        }

    def stored_media(self, kind: str) -> list[tuple[str, Path]]:
        """The digest and place of every file of a kind, each once."""
        found = self.query("SELECT DISTINCT digest FROM media WHERE kind = ?", (kind,))
        return [(digest, self._media.path(digest)) for (digest,) in found]

    def first_passages(self, observation_pks: Sequence[int]) -> dict[int, int]:
        """The key of each observation's first passage, by the observation's key."""
        return {
            observation_pk: pk
            for part in rows.chunks(observation_pks)
            for observation_pk, pk in self.query(
                "SELECT observation_pk, pk FROM passage "  # noqa: S608
                f"WHERE ordinal = 0 AND observation_pk IN ({rows.marks(part)})",
                part,
            )
        }

    def neighbours(
        self, observation_pks: Sequence[int], modalities: Collection[str], steps: int
    ) -> dict[int, list[tuple[int, int]]]:
        """What came just before and after, in the same session, source and modality.

        For each observation of one of ``modalities``: (observation key, position), where -1 is
        the one just before and 1 the one just after.
        """
        found: dict[int, list[tuple[int, int]]] = {}
        for sign, order, compare in ((-1, "DESC", "<"), (1, "ASC", ">")):
            for part in rows.chunks(observation_pks):
                near = self.query(
                    "SELECT this.pk, other.pk FROM observation AS this "  # noqa: S608
                    "JOIN observation AS other ON other.pk IN ("
                    "SELECT beside.pk FROM observation AS beside "
                    "WHERE beside.session = this.session AND beside.source = this.source "
                    "AND beside.modality = this.modality "
                    f"AND (beside.captured_at, beside.pk) {compare} (this.captured_at, this.pk) "
                    f"ORDER BY beside.captured_at {order}, beside.pk {order} LIMIT ?) "
                    f"WHERE this.pk IN ({rows.marks(part)}) "
                    f"AND this.modality IN ({rows.marks(list(modalities))}) "
                    f"ORDER BY this.pk, other.captured_at {order}, other.pk {order}",
                    [steps, *part, *modalities],
                )
                for pk, items in groupby(near, key=itemgetter(0)):
                    places = enumerate(items, start=1)
                    found.setdefault(pk, []).extend((other, sign * n) for n, (_, other) in places)
        return found

    def passing(self, observation_pks: Sequence[int], filters: Filters) -> set[int]:
        """Those of the observations that pass the filters."""
        condition, parameters = rows.where(filters)
        return {
            pk
            for part in rows.chunks(observation_pks)
            for (pk,) in self.query(
                "SELECT pk FROM observation "  # noqa: S608
                f"WHERE {condition} AND pk IN ({rows.marks(part)})",
                [*parameters, *part],
            )
        }

    def counts(self) -> dict[str, int]:
        """How many observations, passages, media and pending vectors there are."""
        (row,) = self.query(
            "SELECT (SELECT count(*) FROM observation), (SELECT count(*) FROM passage), "
            "(SELECT count(DISTINCT digest) FROM media), (SELECT count(*) FROM pending)"
        )
        return dict(zip(("observations", "passages", "media", "pending"), row, strict=True))


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
        insert = "INSERT INTO passage (observation_pk, ordinal, start, stop) VALUES (?, ?, ?, ?)"
        passages.append(db.execute(insert, (pk, ordinal, start, stop)).lastrowid)
        db.execute(
            "INSERT INTO passage_words (rowid, text) VALUES (?, ?)",
            (passages[-1], text[start:stop]),
        )
    for new in entry.vectors:
        space, passage = spaces[new.space], passages[new.ordinal]
        insert = "INSERT INTO vector (space_pk, passage_pk, vector) VALUES (?, ?, ?)"
        vector = db.execute(insert, (space, passage, new.vector.tobytes()))
        db.execute("INSERT INTO pending VALUES (?)", (vector.lastrowid,))
        if new.tokens is not None:
            row = (passage, space, new.tokens.tobytes())
            db.execute("INSERT INTO token_matrix VALUES (?, ?, ?)", row)
    return True
