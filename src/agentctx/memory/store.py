"""One memory directory: catalog, vectors, Chroma index and media behind one door."""

import json
import logging
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from agentctx.errors import StoreError
from agentctx.memory import (
    checks,
    chroma,
    entries,
    forgetting,
    fulltext,
    place,
    rows,
    spaces,
    state,
)
from agentctx.memory.catalog import Catalog
from agentctx.memory.columns import Columns
from agentctx.memory.encryption import unlock
from agentctx.memory.entries import Entry
from agentctx.memory.erasure import (
    ErasureReport,
    Fingerprints,
    of_observations,
    scan_apart,
    words_left,
)
from agentctx.memory.fulltext import FullText
from agentctx.memory.guard import IndexGuard, Progress
from agentctx.memory.keys import KeySource
from agentctx.memory.lease import Lease
from agentctx.memory.media import MediaStore
from agentctx.memory.vectors import Comparison, ExactScan
from agentctx.records import EncoderCard, Filters
from agentctx.reports import VerifyReport

_log = logging.getLogger(__name__)

# With more pending than this, an exact scan is faster than the index and a look at these; and it
# is worth a process that indexes them, which takes seconds to start.
_MOST_PENDING = 1000
# How long a search waits for the index before it scans.
_SEARCH_SECONDS = 1.0
# How long a forget waits for another process to let go of the index.
_LEASE_SECONDS = 60.0


class Erased(NamedTuple):
    """What a forget erased: digests of media, and fingerprints to look for later.

    ``unfinished``: why bytes may be left, which the next process that opens the memory erases.
    """

    media: list[str]
    fingerprints: str
    unfinished: str = ""


class Store:
    """Keeps entries. A write is acknowledged when the catalog has it; Chroma follows.

    Only the process that holds the lease opens Chroma's files, and that is never the user's own:
    see `agentctx.memory.guard`. Whatever Chroma does not have yet is pending in the catalog, and
    found by exact scan meanwhile. With a ``key`` there is no Chroma, since it writes in clear.
    """

    def __init__(self, directory: Path, *, exact_limit: int, key: KeySource | None = None) -> None:
        place.prepare(directory)
        self.directory = directory
        self._keys = unlock(directory, key)
        self.media = MediaStore(directory / "media", self._keys)
        self.catalog = Catalog(directory / "catalog.sqlite3", self.media, self._keys)
        self._guard = None if self._keys else IndexGuard(directory)
        self._exact_limit = exact_limit
        self._spaces: dict[str, int] = {}
        self._scans: dict[str, ExactScan] = {}
        self.columns = Columns(self.catalog)
        self._words = FullText(self.catalog)
        # A process that reads, or adds little, leaves the index to those that add much.
        self._added = 0
        try:
            self.finish_erasing()
        except StoreError:
            # Another process reads on, or keeps the index. What was forgotten cannot be found.
            _log.warning("what was forgotten in %s is erased later", directory, exc_info=True)

    def close(self) -> None:
        """Close every file; when Chroma's process is at work here, let it finish first."""
        try:
            if self.indexing and self._added:
                self.flush()
        except StoreError:
            # Nothing is lost: the catalog has it all, and the next process indexes it.
            _log.exception("the Chroma index of %s could not be brought up to date", self.directory)
        if self._guard is not None:
            self._guard.stop()
        self.catalog.close()

    def encoders(self) -> tuple[str, ...]:
        """The names of the memory's encoders, that of texts first; none when it is new."""
        return tuple(json.loads(self.catalog.state(state.ENCODERS) or "[]"))

    def use(self, cards: Sequence[EncoderCard], names: Sequence[str] = ()) -> None:
        """Make the cards' spaces those that are searched and added to.

        ``names``: of their encoders, remembered by a memory that is new. Raises EncoderMismatch
        when another encoder holds one of the spaces.
        """
        with self.catalog.transaction() as db:
            keys = {card.space: spaces.register(db, card) for card in cards}
            if names and not state.get(db, state.ENCODERS):
                state.put(db, state.ENCODERS, json.dumps(list(names)))
        scans = {c.space: ExactScan(self.catalog, keys[c.space], c.dimension) for c in cards}
        # Replaced, not changed: a search in another thread goes on with those it began with.
        self._scans, self._spaces = scans, keys

    def register(self, card: EncoderCard) -> None:
        """Make one more card's space known, as `use` does."""
        with self.catalog.transaction() as db:
            key = spaces.register(db, card)
        self._scans[card.space] = ExactScan(self.catalog, key, card.dimension)
        self._spaces[card.space] = key

    def space(self, name: str) -> int:
        """The key of a space in use."""
        return self._spaces[name]

    def current(self) -> bool:
        """Whether the spaces that were registered are still those that are searched."""
        with self.catalog.reading() as db:
            return set(self._spaces.values()) <= entries.active(db)

    def add(
        self,
        new: Sequence[Entry],
        finished: Mapping[str, Sequence[str]],
        unproven: Collection[str] = (),
    ) -> set[str]:
        """Store a batch durably; gives the ids that are new. See `entries.insert`.

        ``unproven``: ids that their content is known not to prove.
        """
        media = [media for entry in new for media in entry.observation.media]
        for one in media:
            self.media.put(one)
        with self.catalog.transaction() as db:
            added = entries.insert(db, new, finished, self._spaces)
            entries.note_unproven(db, added.intersection(unproven))
            # Again: another process may have erased one that was there already. Now it cannot.
            for one in media:
                self.media.put(one)
        self._added += len(added)
        if self._guard is not None and self._added > _MOST_PENDING and not self._guard.busy:
            self._guard.nudge()
        return added

    # -- searching ----------------------------------------------------------------------------

    def passing(self, filters: Filters) -> NDArray[np.int64] | None:
        """The keys of the passages that pass the filters, ascending; None when there are none."""
        return self.columns.passing(filters) if filters else None

    def nearest(
        self,
        space: str,
        query: NDArray[np.float32],
        limit: int,
        allowed: NDArray[np.int64] | None = None,
        compared: Comparison | None = None,
    ) -> list[tuple[int, float]]:
        """The nearest passages of a space: (passage key, cosine), best first.

        Exactly, up to ``exact_limit`` vectors, among those ``allowed``, or as ``compared``; beyond
        that by Chroma, when it is ready, with an exact look at what Chroma does not have yet.
        """
        by_id = None if compared or allowed is not None else self._from_index(space, query, limit)
        if by_id is None:
            return self._scans[space].search(query, limit, allowed, compared)
        found = dict(self._pending_nearest(space, query))
        keys = self.catalog.passage_keys([id_ for id_, _ in by_id])
        found.update({keys[id_]: score for id_, score in by_id if id_ in keys})
        return sorted(found.items(), key=lambda item: (-item[1], item[0]))[:limit]

    def matrix(self, space: str) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """The keys of a space's passages and their vectors, float32 [n, d], not to be changed."""
        return self._scans[space].matrix()

    def words(
        self, text: str, limit: int, allowed: NDArray[np.int64] | None = None
    ) -> list[tuple[int, float]]:
        """The best passages by BM25, of those allowed: (passage key, score), best first."""
        return self._words.search(text, limit, allowed)

    def telling(self, terms: Sequence[str]) -> list[float]:
        """How telling each term of the full-text index is: its inverse document frequency."""
        return self._words.telling(terms)

    def known_share(self, text: str) -> float:
        """Which share (0..1) of a text's telling words occurs in the memory at all."""
        return self._words.known_share(text)

    def size(self) -> int:
        """How many passages there are, roughly: those forgotten since count as well."""
        return self._words.size()

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

    def _from_index(
        self, space: str, query: NDArray[np.float32], limit: int
    ) -> list[tuple[str, float]] | None:
        if self._guard is None or space not in self._spaces:
            return None
        # The largest key says roughly how many vectors there are without counting them.
        ((last,),) = self.catalog.query("SELECT coalesce(max(pk), 0) FROM vector")
        if last <= self._exact_limit:
            return None
        if not self._guard.ready:
            self._guard.nudge()
            return None
        if self._outdated() or self._pending() > _MOST_PENDING:
            return None
        return self._guard.search(space, query, limit, _SEARCH_SECONDS)

    def _outdated(self) -> bool:
        return self.catalog.state(state.INDEX) != self.catalog.state(state.INDEXED)

    def _indexed(self) -> bool:
        """Whether Chroma should have anything at all."""
        found = "SELECT 1 FROM vector WHERE pk NOT IN (SELECT vector_pk FROM pending) LIMIT 1"
        return bool(self.catalog.query(found))

    def _pending(self) -> int:
        ((count,),) = self.catalog.query("SELECT count(*) FROM pending")
        return int(count)

    def _pending_nearest(self, space: str, query: NDArray[np.float32]) -> list[tuple[int, float]]:
        found = self.catalog.query(
            "SELECT passage_pk, vector FROM pending JOIN vector ON vector.pk = vector_pk "
            "WHERE space_pk = ?",
            (self._spaces[space],),
        )
        return [(pk, float(np.frombuffer(blob, np.float32) @ query)) for pk, blob in found]

    # -- keeping Chroma in step ---------------------------------------------------------------

    def drop_retired(self) -> int:
        """Erase the vectors that no space in use has; gives how many."""
        with self.catalog.transaction() as db:
            dropped = spaces.drop(db)
        forgetting.compact(self.catalog)
        return dropped

    def flush(self, progress: Progress | None = None) -> int:
        """Bring Chroma up to date; gives the rows written here.

        When another process has the index, that one does it, and 0 are written here.
        """
        if self._guard is None or not (self._pending() or self._outdated()):
            return 0
        return self._guard.flush(progress) or 0

    @property
    def indexing(self) -> bool:
        """Whether this process has an index process at work."""
        return self._guard is not None and self._guard.running

    def settle(self) -> bool:
        """Wait until Chroma has everything and answers; False when another process has it."""
        self.flush()
        return self._guard is not None and self._guard.wait_ready()

    def rebuild(self, progress: Progress | None = None) -> int:
        """Throw the Chroma index away and make it anew; gives the rows written here."""
        with self.catalog.transaction() as db:
            state.outdate_index(db)
        if self._guard is not None:
            self._guard.stop()
        return self.flush(progress)

    # -- forgetting and checking --------------------------------------------------------------

    def forget(self, found: Sequence[rows.Row], rule: str, action: str = "forget") -> Erased:
        """Remove observations with all that hangs on them, to the last byte.

        Chroma keeps the bytes of deleted vectors, so its index is erased, and made anew later.
        """
        if not found:
            return Erased([], "")
        pks = [row.pk for row in found]
        cuts = forgetting.Cuts(self.media)
        with self.catalog.reading() as db:
            forgetting.choose(db, pks)
            for digest, kind in forgetting.shared(db):
                if kind == "readings":
                    cuts.make(digest, forgetting.spans(db, digest))
            prints = of_observations(db, pks, self.media.path, cuts=cuts.made, kept=[rule])
        with self.catalog.transaction() as db:
            forgetting.remove(db, pks, action, rule, cuts.replace)
        media = forgetting.erase_media(self.catalog, self.media)
        try:
            self.finish_erasing()
        except StoreError as error:
            return Erased(media, prints.to_text(), f"it is forgotten, but {error}")
        return Erased(media, prints.to_text())

    def finish_erasing(self) -> None:
        """Erase what is left of what was forgotten, if anything.

        Raises StoreError when another process is in the way; then the next one does it.
        """
        if not self.catalog.state(state.ERASING):
            return
        forgetting.erase_media(self.catalog, self.media)
        from agentctx.memory.salvage import damaged_copies

        for path in damaged_copies(self.directory):  # what was forgotten may be in them
            path.unlink(missing_ok=True)
        if self._guard is not None:
            self._guard.stop()
            lease = Lease(self.directory / "lease")
            if not lease.acquire(_LEASE_SECONDS):
                raise StoreError(
                    f"another process holds the index of {self.directory} and does not let go; "
                    "close it, then erase the rest with: agentctx repair"
                )
            try:
                chroma.erase(self.directory / "chroma")
            finally:
                lease.release()
        forgetting.compact(self.catalog)
        with self.catalog.transaction() as db:
            state.put(db, state.ERASING, "")

    def verify_erased(self, fingerprints: str, progress: Progress | None = None) -> ErasureReport:
        """Look for what was forgotten in every byte of the directory."""
        sought = Fingerprints.from_text(fingerprints)
        with self.catalog.reading() as db:
            words = words_left(db, sought)
        sealed = self.catalog.stored_media() if self._keys else ()
        return scan_apart(self.directory, sought, progress, words, sealed, self._keys)

    def verify(self) -> VerifyReport:
        """Check the catalog, every stored media file, and the index against the catalog."""
        problems = checks.file_problems(self.catalog) + checks.words_problems(self.catalog)
        problems += checks.media_problems(self.catalog, self.media)
        if left := checks.orphans(self.catalog, self.media):
            problems.append(
                f"{len(left)} files in media/ belong to nothing; remove them with: agentctx repair"
            )
        if self.catalog.state(state.ERASING):
            problems.append("bytes of what was forgotten may be left; run: agentctx repair")
        problems += self.index_problems()
        return VerifyReport(**self.catalog.counts(), problems=tuple(problems))

    def index_problems(self) -> list[str]:
        """In what Chroma differs from the catalog, or differed when it was opened, in words."""
        if self._guard is None or self._outdated() or not self._indexed():
            return []
        try:
            if not self._guard.wait_ready():  # another process has it, and checks it
                return []
            # What was wrong when it was opened has been mended then, so it is told once.
            opened, self._guard.problems = self._guard.problems, []
            found = opened + (self._guard.ask("verify") or [])
        except StoreError as error:
            found = [str(error)]
        return list(dict.fromkeys(found))

    def reword(self) -> int:
        """Make the full-text index anew from the texts; gives the number of passages."""
        with self.catalog.transaction() as db:
            fulltext.rebuild(db)
        return self.catalog.counts()["passages"]

    def remove_orphans(self) -> int:
        """Delete the files in media/ that belong to nothing; gives how many."""
        with self.catalog.transaction():  # nobody can begin to need one of them meanwhile
            left = checks.orphans(self.catalog, self.media)
            for path in left:
                path.unlink(missing_ok=True)
        return len(left)
