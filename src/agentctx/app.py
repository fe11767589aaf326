"""`Memory`: the one object a user holds."""

import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from agentctx import care, encoding
from agentctx import context as packing
from agentctx import moments as joining
from agentctx.config import DEFAULT_ENCODERS, Config
from agentctx.engine import Engine, Query
from agentctx.errors import QueryError
from agentctx.ingest import Hints, Item, Progress
from agentctx.memory.store import Store
from agentctx.planning import Plan
from agentctx.records import Attribute, Context, Hit, Moment, Observation
from agentctx.reports import IngestReport, Receipt, VerifyReport
from agentctx.selecting import Names, rule_of, selection
from agentctx.services import SharedServices

if TYPE_CHECKING:
    from agentctx.changes import Changes
    from agentctx.memory.archive.reading import ImportReport
    from agentctx.memory.archive.writing import ExportReport
    from agentctx.memory.erasure import ErasureReport
    from agentctx.memory.readings import Reading
    from agentctx.reindex import ReindexReport

# Hits that a context draws from; more than fit most budgets.
_CONTEXT_HITS = 20


class Memory:
    """A memory in one directory, open until `close` (or the end of a ``with`` block).

    >>> with Memory.open("~/memory") as memory:  # doctest: +SKIP
    ...     memory.add(["screenshot.png", "standup.wav", "pump.csv"])
    ...     print(memory.context("why did the pump stop?"))
    """

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
    def open(cls, path: str | os.PathLike[str], config: Config | None = None) -> "Memory":
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

    # -- putting in ---------------------------------------------------------------------------

    def add(
        self,
        items: Iterable[Item] | Item,
        *,
        session: str = "",
        captured_at: datetime | None = None,
        attributes: Mapping[str, Attribute] | None = None,
        progress: Progress | None = None,
    ) -> IngestReport:
        """Add files and observations; what is there already is left unchanged.

        ``session``, ``captured_at`` and ``attributes`` apply to the files, not to observations,
        which carry their own. ``progress(done, total, name)`` is called before each item and at
        the end. A source that cannot be added is in ``report.failed`` with its error; what the
        report counts as added is on disk. What is older than ``config.retention`` allows is
        forgotten then, at most once an hour unless it came with this call.
        """
        if isinstance(items, Observation | str | Path):
            items = [items]
        when = None if captured_at is None else captured_at.astimezone(UTC)
        report = self._ready().ingest().run(items, Hints(session, when, attributes), progress)
        return replace(report, expired=care.expire_if_due(self._store, self.config, report.ids))

    # -- getting out --------------------------------------------------------------------------

    def search(
        self,
        query: Query,
        limit: int = 10,
        modality: Names = None,
        since: datetime | None = None,
        until: datetime | None = None,
        session: Names = None,
        source: Names = None,
        rerank: bool = True,
        *,
        plan: bool | Plan = True,
        now: datetime | None = None,
    ) -> list[Hit]:
        """The observations that fit a query best, at most ``limit``; none when nothing fits.

        The query is words, a file (picture, recording, log), an observation by example, or a
        list of these. ``modality``, ``session`` and ``source`` take one name or several;
        ``since`` and ``until`` keep what overlaps that span. What a question says of these itself
        ("on the screen", "yesterday", "when she said ...") is understood as well, with ``now`` as
        the reference (default: the present); ``plan=False`` takes it as words only, and a plan
        of `Memory.plan`, changed as you like, is carried out instead.
        """
        filters = selection(modality, since, until, session, source)
        return self._ready().search(query, limit, filters, plan=plan, now=now, rerank=rerank)

    def plan(self, question: str, now: datetime | None = None) -> Plan:
        """What a question is understood to ask for; ``print(plan.describe())`` says it in words."""
        return self._ready().plan(question, now)

    def moments(
        self,
        query: Query,
        window: float = 30.0,
        limit: int = 5,
        modality: Names = None,
        since: datetime | None = None,
        until: datetime | None = None,
        session: Names = None,
        source: Names = None,
        *,
        plan: bool | Plan = True,
        now: datetime | None = None,
    ) -> list[Moment]:
        """Hits joined with whatever else was perceived within ``window`` seconds of them.

        ``plan`` and ``now`` are as in `search`.
        """
        if not (math.isfinite(window) and window >= 0):
            raise QueryError(f"window is {window} s; it must be a number that cannot be negative")
        filters = selection(modality, since, until, session, source)
        hits = self._ready().search(query, 4 * limit, filters, plan=plan, now=now)
        return joining.join(self._store, hits, window, limit)

    def context(
        self,
        question: Query,
        max_tokens: int = 1500,
        *,
        modality: Names = None,
        since: datetime | None = None,
        until: datetime | None = None,
        session: Names = None,
        source: Names = None,
        count_tokens: Callable[[str], int] | None = None,
        plan: bool | Plan = True,
        now: datetime | None = None,
    ) -> Context:
        """Evidence for a question in at most ``max_tokens`` tokens, with citations.

        ``plan`` and ``now`` are as in `search`. Tokens are counted by ``count_tokens``, or by the
        text encoder's tokenizer.
        """
        if max_tokens < 1:
            raise QueryError(f"max_tokens is {max_tokens}; it must be at least 1")
        filters = selection(modality, since, until, session, source)
        hits = self._ready().search(question, _CONTEXT_HITS, filters, plan=plan, now=now)
        hits = joining.surrounded(self._store, packing.mixed(hits), filters)
        return packing.build(hits, max_tokens, count_tokens or self._engine.text.count_tokens)

    def changes(
        self,
        subject: str = "",
        *,
        since: datetime,
        until: datetime,
        session: Names = None,
        source: Names = None,
    ) -> "Changes":
        """What changed between two times: on the screens that show ``subject``, or in a channel.

        A channel is meant when the subject has its name; without a subject, it is whatever the
        screen showed, and every channel. ``print()`` says it in words.
        """
        filters = selection(None, since, until, session, source)
        return self._ready().changes(subject, since, until, filters)

    def timeline(
        self,
        since: datetime | None = None,
        until: datetime | None = None,
        modality: Names = None,
        session: Names = None,
        source: Names = None,
    ) -> list[Observation]:
        """Everything perceived in a span, by time."""
        rows = self._store.catalog.select(selection(modality, since, until, session, source))
        return [row.observation for row in rows]

    def readings(
        self,
        channel: str,
        since: datetime | None = None,
        until: datetime | None = None,
        aggregate: str | None = None,
    ) -> "list[Reading] | float | int | None":
        """The exact values of a sensor channel in [since, until), or one aggregate of them."""
        from agentctx.memory.readings import readings

        files = self._store.catalog.stored_media("readings")
        return readings(files, channel, since, until, aggregate)

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
