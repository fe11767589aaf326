"""What a memory is before anything is asked of it: opened, taken care of, saved, closed."""

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from agentctx import care, encoding
from agentctx.config import DEFAULT_ENCODERS, Config
from agentctx.engine import Engine, Query
from agentctx.errors import QueryError
from agentctx.ingest import Progress
from agentctx.memory.store import Store
from agentctx.records import Attribute, Observation
from agentctx.reports import Receipt, VerifyReport
from agentctx.selecting import Names, rule_of, selection
from agentctx.services import SharedServices

if TYPE_CHECKING:
    from agentctx.memory.archive.reading import ImportReport
    from agentctx.memory.archive.writing import ExportReport
    from agentctx.memory.erasure import ErasureReport
    from agentctx.reindex import ReindexReport


class Kept:
    """A memory's directory, open until `close`; `agentctx.Memory` adds what goes in and out."""

    def __init__(self, directory: Path, config: Config) -> None:
        self.config = config
        self._services = SharedServices(config)
        if config.encoders or not (directory / "catalog.sqlite3").exists():
            # Before anything is made on disk: what cannot be loaded leaves no empty memory behind.
            encoding.load(self._services, config.encoders or DEFAULT_ENCODERS)
        if config.reranker:
            self._services.reranker(config.reranker)
        self._store = Store(directory, exact_limit=config.exact_limit, key=config.key)
        try:
            self._engine = Engine(self._store, self._services, config)
        except BaseException:
            self._store.close()
            raise

    def _ready(self) -> Engine:
        """The encoders in use; others than before when the memory was moved meanwhile."""
        if not self._store.current():
            self._engine = Engine(self._store, self._services, self.config)
        return self._engine

    @classmethod
    def open(cls, path: str | os.PathLike[str], config: Config | None = None) -> Self:
        """Open the memory in a directory, which is made when absent.

        Raises a StoreError when the directory is no memory or belongs to another encoder.
        """
        return cls(Path(path).expanduser(), config or Config())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close every file. Chroma is brought up to date first if that is being done already."""
        self._store.close()

    @property
    def directory(self) -> Path:
        """Where the memory is."""
        return self._store.directory

    # -- taking care --------------------------------------------------------------------------

    def forget(
        self,
        ids: Sequence[str] | None = None,
        session: Names = None,
        since: datetime | None = None,
        until: datetime | None = None,
        source: Names = None,
        modality: Names = None,
        attributes: Mapping[str, Attribute] | None = None,
        *,
        query: Query | None = None,
        limit: int = 10,
        confirm: Callable[[Sequence[Observation]], bool] | None = None,
        dry_run: bool = False,
    ) -> Receipt:
        """Remove observations with their text, vectors, and media that no other one uses.

        At least one argument is needed, and what is given must hold together. An attribute with
        several values means any of them. ``query`` means what `search` finds, at most ``limit``,
        and since nobody can know that before, it needs ``confirm``: it is called with what would
        be forgotten, and forgets nothing when it gives False. So does ``dry_run``.
        """
        filters = selection(modality, since, until, session, source, attributes)
        if ids is None and not filters and query is None:
            raise QueryError("say what to forget: ids, session, attributes, query or the like")
        if query is not None and confirm is None and not dry_run:
            raise QueryError("to forget what a query finds, give confirm, or dry_run")
        rule = rule_of(ids, filters, by_query=query is not None)
        if query is not None:
            hits = self._ready().search(query, limit, filters)
            given = {hit.id for hit in hits}
            ids = list(given if ids is None else given & set(ids))
        found = self._store.catalog.select(filters, None if ids is None else list(ids))
        if confirm is not None and not (found and confirm([row.observation for row in found])):
            found = []
        return care.forget(self._store, found, rule, dry_run=dry_run)

    def expire(self, *, dry_run: bool = False) -> Receipt:
        """Forget what is older than ``config.retention`` allows."""
        return care.expire(self._store, self.config, dry_run=dry_run)

    def verify(self) -> VerifyReport:
        """Check that everything stored is whole."""
        return self._store.verify()

    def verify_erased(
        self, receipt: Receipt, *, progress: Callable[[int, int], None] | None = None
    ) -> "ErasureReport":
        """Look for what a receipt's forget removed in every byte of the directory.

        ``progress`` is called with the bytes that were read, and with those there are.
        """
        if not receipt.fingerprints:
            raise QueryError("the receipt has no fingerprints: nothing was forgotten with it")
        return self._store.verify_erased(receipt.fingerprints, progress)

    @staticmethod
    def repair(
        path: str | os.PathLike[str],
        config: Config | None = None,
        *,
        progress: Progress | None = None,
    ) -> "care.RepairReport":
        """Mend a memory as far as that can be done; no process may have it open.

        A damaged catalog is replaced with what can be read of it; the report lists what was not.
        """
        return care.repair(Path(path), config or Config(), progress)

    @staticmethod
    def reindex(
        path: str | os.PathLike[str],
        encoders: Sequence[str] = (),
        config: Config | None = None,
        *,
        drop: bool = False,
        progress: Progress | None = None,
    ) -> "ReindexReport":
        """Move a memory to other encoders (default: those it has), the text encoder first.

        It can be searched and added to meanwhile. When this is interrupted, call it again. What
        was there before is kept, so that moving back takes no encoding; ``drop`` erases it.
        """
        return care.reindex(Path(path), tuple(encoders), config or Config(), progress, drop=drop)

    def sync_index(self, progress: Callable[[int, int], None] | None = None) -> int:
        """Bring Chroma up to date, for other programs that read it; gives the rows written.

        Searches do not need it: what Chroma lacks, they scan. A process that adds a thousand
        observations and more does it by itself. When another process of this memory has the
        index, that one does it, and 0 rows are written here.
        """
        return self._store.flush(progress)

    def rebuild_index(self) -> int:
        """Make the Chroma index anew from the catalog; gives the number of rows written."""
        return self._store.rebuild()

    # -- archives -----------------------------------------------------------------------------

    def export(
        self,
        path: str | os.PathLike[str],
        *,
        modality: Names = None,
        since: datetime | None = None,
        until: datetime | None = None,
        session: Names = None,
        source: Names = None,
        force: bool = False,
        progress: Progress | None = None,
    ) -> "ExportReport":
        """Write the memory, or what passes the filters, as one file (docs/archive.md).

        It is one state of the memory, whatever other processes write meanwhile. A file that
        exists is replaced with ``force`` only; raises StoreError when it cannot be written.
        """
        from agentctx.memory.archive import writing

        filters = selection(modality, since, until, session, source)
        target = Path(path).expanduser()
        try:
            return writing.write(self._store, target, filters, force=force, progress=progress)
        finally:
            # What was forgotten meanwhile could not be erased while it was being read.
            care.settle(self._store)

    def import_(
        self,
        path: str | os.PathLike[str],
        *,
        reencode: bool = False,
        progress: Progress | None = None,
    ) -> "ImportReport":
        """Add what an archive of `export` holds and this memory does not.

        Raises ArchiveError, with nothing taken, when anything is wrong with the file, and
        EncoderMismatch when its vectors are of other encoders; with ``reencode`` these are made
        anew.
        """
        from agentctx.memory.archive import reading

        engine = self._ready()
        encode = partial(encoding.entries, engine.text, engine.others)
        return reading.read(
            self._store,
            Path(path).expanduser(),
            [encoder.card for encoder in (engine.text, *engine.others)],
            encode=encode if reencode else None,
            progress=progress,
        )
