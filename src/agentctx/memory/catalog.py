"""The truth of a memory: one SQLite file with observations, vectors and full text."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from agentctx.errors import CatalogDamaged
from agentctx.memory import rows
from agentctx.memory.connections import Connections
from agentctx.memory.keys import Keys
from agentctx.memory.media import MediaStore
from agentctx.memory.schema import connect
from agentctx.records import Filters, Media, Observation
from agentctx.values import shifted

# For how long a screen counts as shown at most.
SHOWN_SECONDS = 900.0


@dataclass(frozen=True, slots=True)
class PassageRow:
    """A passage in the catalog: its key, its observation's key, and which part it is."""

    pk: int
    observation_pk: int
    ordinal: int
    text: str


class Catalog(Connections):
    """What is asked of ``catalog.sqlite3``; safe to call from several threads."""

    def __init__(self, path: Path, media: MediaStore, keys: Keys | None = None) -> None:
        super().__init__(path, partial(connect, keys=keys))
        self._media = media

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

    def beginning(self, start: str, limit: int) -> list[str]:
        """Ids that begin with these characters, at most ``limit``, sorted."""
        # By range, so that the index on ids is used.
        sql = "SELECT id FROM observation WHERE id >= ? AND id < ? ORDER BY id LIMIT ?"
        return [row[0] for row in self.query(sql, (start, start + "\U0010ffff", limit))]

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

    def ended(self, before: Mapping[str, datetime]) -> list[rows.Row]:
        """Observations that ended before their modality's time; ``*`` is for those not named."""
        named = [modality for modality in before if modality != "*"]
        found: list[rows.Row] = []
        for modality, time in before.items():
            condition, parameters = "modality = ?", [modality]
            if modality == "*":
                condition, parameters = f"modality NOT IN ({rows.marks(named)})", named
            time_ = rows.to_microseconds(time)
            found += self._load(f"{condition} AND ended_at < ?", [*parameters, time_])
        return found

    def _load(self, condition: str, parameters: Sequence[Any]) -> list[rows.Row]:
        with self.reading() as db:
            found = db.execute(
                f"SELECT {rows.COLUMNS} FROM observation "  # noqa: S608
                f"WHERE {condition} ORDER BY captured_at, pk",
                parameters,
            ).fetchall()
            media: dict[int, list[Media]] = {}
            for part in rows.chunks([row[0] for row in found]):
                for pk, *item in db.execute(
                    "SELECT observation_pk, kind, mime, digest, size FROM media "  # noqa: S608
                    f"WHERE observation_pk IN ({rows.marks(part)}) "
                    "ORDER BY observation_pk, position",
                    part,
                ):
                    media.setdefault(pk, []).append(self._media.media(*item))
        try:
            return [rows.observation(row, media.get(row[0], ())) for row in found]
        except (ValueError, AttributeError, OverflowError) as error:
            raise CatalogDamaged(
                f"a row of the catalog is no observation: {error}; mend it with: agentctx repair"
            ) from error

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

    def passage_keys(self, ids: Sequence[str]) -> dict[str, int]:
        """The keys of passages by what Chroma calls them: ``observation id:ordinal``."""
        return {
            f"{observation_id}:{ordinal}": pk
            for part in rows.chunks([id_.split(":")[0] for id_ in ids])
            for observation_id, ordinal, pk in self.query(
                "SELECT id, ordinal, passage.pk FROM observation "  # noqa: S608
                "JOIN passage ON passage.observation_pk = observation.pk "
                f"WHERE id IN ({rows.marks(part)})",
                part,
            )
        }

    def stored_media(self, kind: str | None = None, filters: Filters | None = None) -> list[Media]:
        """Every file of a kind, or of all kinds, of what passes the filters; each once."""
        condition, parameters = rows.where(filters or Filters())
        passing = f"AND observation_pk IN (SELECT pk FROM observation WHERE {condition})"  # noqa: S608
        found = self.query(
            "SELECT kind, mime, digest, size FROM media WHERE kind = coalesce(?, kind) "  # noqa: S608
            f"{passing if filters else ''} GROUP BY digest ORDER BY digest",
            (kind, *parameters),
        )
        return [self._media.media(*row) for row in found]

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

    def shown_until(self, ids: Sequence[str]) -> dict[str, datetime]:
        """When what each screenshot shows gave way to the next one of its session, by its id.

        At most 15 minutes after it: nobody knows what was there when nothing was captured.
        """
        return {
            id_: shifted(rows.to_time(start), SHOWN_SECONDS) if end is None else rows.to_time(end)
            for part in rows.chunks(ids)
            for id_, start, end in self.query(
                "SELECT this.id, this.captured_at, ("  # noqa: S608
                "SELECT min(next.captured_at) FROM observation AS next "
                "INDEXED BY observation_by_time WHERE next.captured_at > this.captured_at "
                "AND next.captured_at <= this.captured_at + ? "
                "AND next.modality = this.modality AND next.session = this.session) "
                f"FROM observation AS this WHERE this.id IN ({rows.marks(part)})",
                (int(SHOWN_SECONDS * 1e6), *part),
            )
        }

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

    def state(self, name: str) -> str:
        """What the processes of this memory last told each other under a name; "" if nothing."""
        found = self.query("SELECT value FROM state WHERE name = ?", (name,))
        return str(found[0][0]) if found else ""

    def forgets(self) -> int:
        """How many entries the audit log has: when there are more than before, rows are gone."""
        ((last,),) = self.query("SELECT coalesce(max(rowid), 0) FROM audit")
        return int(last)

    def counts(self) -> dict[str, int]:
        """How many observations, passages, media and pending vectors there are."""
        (row,) = self.query(
            "SELECT (SELECT count(*) FROM observation), (SELECT count(*) FROM passage), "
            "(SELECT count(DISTINCT digest) FROM media), (SELECT count(*) FROM pending)"
        )
        return dict(zip(("observations", "passages", "media", "pending"), row, strict=True))
