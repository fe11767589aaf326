"""One memory directory: catalog, vectors, Chroma index and media behind one door."""

import logging
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agentctx.errors import SchemaError, StoreError
from agentctx.memory import fulltext, rows
from agentctx.memory.catalog import Catalog, Entry
from agentctx.memory.chroma import ChromaIndex, IndexRow
from agentctx.memory.lease import Lease
from agentctx.memory.media import MediaStore
from agentctx.memory.vectors import ExactScan
from agentctx.records import EncoderCard, Filters, VerifyReport

_log = logging.getLogger(__name__)

# Rows handed to Chroma at once; it builds its graph faster in larger steps.
_INDEX_BATCH = 1000


class Store:
    """Keeps entries. A write is acknowledged when the catalog has it; Chroma follows.

    Only the process that holds the lease opens Chroma's files. Whatever Chroma does not have
    yet is pending in the catalog, and found by exact scan meanwhile.
    """

    def __init__(self, directory: Path, *, exact_limit: int) -> None:
        _prepare(directory)
        self.directory = directory
        self.media = MediaStore(directory / "media")
        self.catalog = Catalog(directory / "catalog.sqlite3", self.media)
        self._index = ChromaIndex(directory / "chroma")
        self._lease = Lease(directory / "lease")
        self._exact_limit = exact_limit
        self._spaces: dict[str, int] = {}
        self._scans: dict[str, ExactScan] = {}
        # Then this process has had something in memory that must not get into Chroma's files.
        self._forgot = False

    def close(self) -> None:
        """Index what is pending, then close every file and release the lease."""
        try:
            self.flush()
        except StoreError:
            # Nothing is lost: the catalog has it all, and the next process indexes it.
            _log.exception("the Chroma index of %s could not be brought up to date", self.directory)
        self._index.close()
        self._lease.release()
        self.catalog.close()

    def register(self, card: EncoderCard) -> None:
        """Make the card's space known; raises EncoderMismatch when another encoder holds it."""
        self._spaces[card.space] = self.catalog.register(card)
        self._scans[card.space] = ExactScan(self.catalog, self._spaces[card.space], card.dimension)

    def add(self, entries: Sequence[Entry], finished: Mapping[str, Sequence[str]]) -> set[str]:
        """Store a batch durably; gives the ids that are new. See `Catalog.add`."""
        for entry in entries:
            for media in entry.observation.media:
                self.media.put(media)
        return self.catalog.add(entries, finished)

    # -- searching ----------------------------------------------------------------------------

    def nearest(
        self, space: str, query: NDArray[np.float32], limit: int, filters: Filters | None = None
    ) -> list[tuple[int, float]]:
        """The nearest passages of a space: (passage key, cosine), best first.

        Exactly, up to ``exact_limit`` vectors or under a filter; beyond that by Chroma, when
        this process holds the lease, with an exact look at what Chroma does not have yet.
        """
        if filters or not self._indexed(space) or not self._lease.acquire():
            return self._scans[space].search(query, limit, filters)
        found = dict(self._pending_nearest(space, query))
        by_id = self._index.search(space, query, limit)
        keys = self._passage_keys([id_ for id_, _ in by_id])
        found.update({keys[id_]: score for id_, score in by_id if id_ in keys})
        return sorted(found.items(), key=lambda item: (-item[1], item[0]))[:limit]

    def words(
        self, text: str, limit: int, filters: Filters | None = None
    ) -> list[tuple[int, float]]:
        """The best passages by BM25: (passage key, score), best first."""
        return fulltext.search(self.catalog, text, limit, filters)

    def known_share(self, text: str) -> float:
        """Which share (0..1) of a text's telling words occurs in the memory at all."""
        return fulltext.known_share(self.catalog, text)

    def token_matrices(
        self, space: str, pks: Sequence[int], dimension: int
    ) -> dict[int, NDArray[np.int8]]:
        """Stored token vectors by passage key, int8 [tokens, dimension] each."""
        return {
            pk: np.frombuffer(blob, np.int8).reshape(-1, dimension)
            for part in rows.chunks(pks)
            for pk, blob in self.catalog.query(
                "SELECT passage_pk, matrix FROM token_matrix "  # noqa: S608
                f"WHERE space_pk = ? AND passage_pk IN ({rows.marks(part)})",
                (self._spaces[space], *part),
            )
        }

    def _indexed(self, space: str) -> bool:
        # The largest key says roughly how many vectors there are without counting them.
        ((last,),) = self.catalog.query("SELECT coalesce(max(pk), 0) FROM vector")
        return last > self._exact_limit and space in self._spaces

    def _pending_nearest(self, space: str, query: NDArray[np.float32]) -> list[tuple[int, float]]:
        found = self.catalog.query(
            "SELECT passage_pk, vector FROM pending JOIN vector ON vector.pk = vector_pk "
            "WHERE space_pk = ?",
            (self._spaces[space],),
        )
        return [(pk, float(np.frombuffer(blob, np.float32) @ query)) for pk, blob in found]

    def _passage_keys(self, ids: Sequence[str]) -> dict[str, int]:
        return {
            f"{observation_id}:{ordinal}": pk
            for part in rows.chunks([id_.split(":")[0] for id_ in ids])
            for observation_id, ordinal, pk in self.catalog.query(
                "SELECT id, ordinal, passage.pk FROM observation "  # noqa: S608
                "JOIN passage ON passage.observation_pk = observation.pk "
                f"WHERE id IN ({rows.marks(part)})",
                part,
            )
        }

    # -- keeping Chroma in step ---------------------------------------------------------------

    def flush(self) -> int:
        """Bring Chroma up to date, if this process may; gives the number of rows written."""
        if self.catalog.counts()["pending"] == 0 or not self._lease.acquire():
            return 0
        if self._forgot:
            return self._elsewhere("flush")
        written = 0
        for space, space_pk in self._stored_spaces().items():
            while batch := self._pending(space_pk):
                self._index.upsert(space, [row for _, row in batch])
                with self.catalog.transaction() as db:
                    db.executemany(
                        "DELETE FROM pending WHERE vector_pk = ?", [(pk,) for pk, _ in batch]
                    )
                written += len(batch)
        return written

    def rebuild(self) -> int:
        """Throw the Chroma index away and make it anew, in a fresh process."""
        self._acquire()
        return self._elsewhere("rebuild")

    def remake(self) -> int:
        """What `rebuild` does, in this process."""
        self._acquire()
        self._index.erase()
        with self.catalog.transaction() as db:
            db.execute("INSERT OR IGNORE INTO pending SELECT pk FROM vector")
        return self.flush()

    def _acquire(self) -> None:
        if not self._lease.acquire():
            raise StoreError(
                f"another process holds the index of {self.directory}; close it, then run: "
                "agentctx repair"
            )

    def _elsewhere(self, verb: str) -> int:
        """Let a fresh process write the index: see agentctx.memory.indexing for the reason."""
        self._index.close()
        self._lease.release()
        command = [sys.executable, "-m", "agentctx.memory.indexing", verb, str(self.directory)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
            raise StoreError(f"the index of {self.directory} was not written: {lines[-1]}")
        return int(done.stdout)

    def _stored_spaces(self) -> dict[str, int]:
        return dict(self.catalog.query("SELECT name, pk FROM space"))

    def _pending(self, space_pk: int) -> list[tuple[int, IndexRow]]:
        found = self.catalog.query(
            "SELECT vector.pk, passage_pk, vector FROM pending "
            "JOIN vector ON vector.pk = vector_pk WHERE space_pk = ? ORDER BY vector.pk LIMIT ?",
            (space_pk, _INDEX_BATCH),
        )
        passages = self.catalog.passages([row[1] for row in found])
        observations = self.catalog.observations(
            list({passage.observation_pk for passage in passages.values()})
        )
        batch = []
        for pk, passage_pk, blob in found:
            passage = passages[passage_pk]
            observation = observations[passage.observation_pk]
            vector = np.frombuffer(blob, np.float32)
            batch.append((pk, IndexRow(observation, passage.ordinal, passage.text, vector)))
        return batch

    # -- forgetting and checking --------------------------------------------------------------

    def forget(self, found: Sequence[rows.Row], rule: str) -> list[str]:
        """Remove observations with all that hangs on them; gives the digests of erased media.

        Chroma keeps the bytes of deleted vectors on disk, so its index is made anew. Raises
        StoreError when another process holds the index; the rest is forgotten all the same.
        """
        self._forgot = True
        media = self.media.remove(self.catalog.remove([row.pk for row in found], rule))
        self.catalog.compact()
        if found:
            self.rebuild()
        return media

    def verify(self) -> VerifyReport:
        """Check the catalog's integrity, every stored media file, and the index's counts."""
        problems = [
            f"catalog: {line}"
            for (line,) in self.catalog.query("PRAGMA integrity_check")
            if line != "ok"
        ]
        digests = [digest for (digest,) in self.catalog.query("SELECT DISTINCT digest FROM media")]
        problems += [f"media {d} is absent or damaged" for d in self.media.damaged(digests)]
        if self._lease.acquire():
            problems += self._index_problems()
        counts = self.catalog.counts()
        return VerifyReport(**counts, problems=tuple(problems))

    def _index_problems(self) -> list[str]:
        problems = []
        for space, space_pk in self._stored_spaces().items():
            ((expected,),) = self.catalog.query(
                "SELECT count(*) FROM vector WHERE space_pk = ? "
                "AND pk NOT IN (SELECT vector_pk FROM pending)",
                (space_pk,),
            )
            try:
                found = self._index.count(space) if expected else 0
            except StoreError as error:
                problems.append(str(error))
                continue
            if found != expected:
                problems.append(f"Chroma has {found} rows of {space!r}, the catalog {expected}")
        return problems


def _prepare(directory: Path) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        names = {path.name for path in directory.iterdir()}
        if names and "catalog.sqlite3" not in names:
            raise SchemaError(f"{directory} holds other files and no catalog.sqlite3; name another")
        for name in ("media", "chroma"):
            (directory / name).mkdir(exist_ok=True, mode=0o700)
    except OSError as error:
        raise StoreError(f"{directory} cannot be a memory: {error}") from error
