"""What is done to a whole memory: forgetting, retention, mending, moving to other encoders."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from agentctx import encoding
from agentctx import reindex as moving
from agentctx.config import DEFAULT_ENCODERS, Config
from agentctx.errors import CatalogDamaged, ConfigError, StoreError
from agentctx.ingest import Progress
from agentctx.memory import checks, rows, state
from agentctx.memory.encryption import unlock
from agentctx.memory.rows import Row
from agentctx.memory.store import Store
from agentctx.reports import Receipt
from agentctx.services import SharedServices

if TYPE_CHECKING:
    from agentctx.memory.salvage import SalvageReport

_log = logging.getLogger(__name__)

# Erasing rewrites the catalog and the index, which is too much for every file that is added.
_BETWEEN_EXPIRIES = timedelta(hours=1)


def forget(
    store: Store, found: Sequence[Row], rule: str, *, action: str = "forget", dry_run: bool = False
) -> Receipt:
    """Forget what was found, or say what that would be."""
    ids = tuple(row.observation.id for row in found)
    now = datetime.now(UTC)
    if dry_run:
        media = {media.digest for row in found for media in row.observation.media}
        return Receipt(len(ids), ids, tuple(sorted(media)), now, rule, dry_run=True)
    erased = store.forget(found, rule, action)
    return Receipt(
        len(ids),
        ids,
        tuple(erased.media),
        now,
        rule,
        erased.fingerprints,
        unfinished=erased.unfinished,
    )


def expire(store: Store, config: Config, *, dry_run: bool = False) -> Receipt:
    """Forget what is older than the rules of retention allow."""
    if not config.retention:
        raise ConfigError("no retention is configured: name modalities and ages under it")
    found = _expired(store, config)
    receipt = forget(store, found, _kinds(config), action="expire", dry_run=dry_run)
    if not dry_run:
        with store.catalog.transaction() as db:
            state.put(db, state.EXPIRED, str(rows.to_microseconds(datetime.now(UTC))))
    return receipt


def expire_if_due(store: Store, config: Config, added: Sequence[str]) -> int:
    """Expire after an hour, or when what was added is too old already; gives how many."""
    if not config.retention:
        return 0
    last = rows.to_time(int(store.catalog.state(state.EXPIRED) or 0))
    if datetime.now(UTC) - last < _BETWEEN_EXPIRIES:
        expired = {row.observation.id for row in _expired(store, config)}
        if expired.isdisjoint(added):
            return 0
    try:
        return expire(store, config).forgotten
    except StoreError:
        # What was added is safe, and the rest of the erasing is done by the next process.
        _log.warning("what has expired in %s is erased later", store.directory, exc_info=True)
        return 0


def _expired(store: Store, config: Config) -> list[Row]:
    now = datetime.now(UTC)
    return store.catalog.ended({name: now - age for name, age in config.retention.items()})


def _kinds(config: Config) -> str:
    return ", ".join(f"{name} after {age}" for name, age in sorted(config.retention.items()))


def settle(store: Store) -> None:
    """Erase what is left of what was forgotten, unless others are in the way."""
    try:
        store.finish_erasing()
    except StoreError:
        _log.warning("what was forgotten in %s is erased later", store.directory, exc_info=True)


# -- moving to other encoders -----------------------------------------------------------------


def reindex(
    directory: Path,
    names: tuple[str, ...],
    config: Config,
    progress: Progress | None = None,
    *,
    drop: bool = False,
) -> moving.ReindexReport:
    """Move a memory to other encoders; see `agentctx.reindex.move`."""
    services = SharedServices(config)
    store = _store(directory.expanduser(), config)
    try:
        names = names or store.encoders() or DEFAULT_ENCODERS
        text, others = encoding.load(services, names)
        report = moving.move(store, names, text, others, progress)
        if drop:
            report = replace(report, retired=(), dropped=store.drop_retired())
        return report
    finally:
        store.close()


# -- mending ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RepairReport:
    """What `Memory.repair` found and did.

    ``found``: what was wrong, in words. ``salvaged``: what was read of a damaged catalog, and what
    was not; None when it was sound. ``orphans``: files of media removed that belonged to nothing.
    ``reworded``: passages put into the full-text index anew. ``encoded``: vectors made anew.
    ``indexed``: rows written to Chroma. ``left``: what is still wrong.
    """

    found: tuple[str, ...] = ()
    salvaged: "SalvageReport | None" = None
    orphans: int = 0
    reworded: int = 0
    encoded: int = 0
    indexed: int = 0
    left: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong any more."""
        return not self.left


def repair(directory: Path, config: Config, progress: Progress | None = None) -> RepairReport:
    """Mend a memory as far as that can be done; see `agentctx.Memory.repair`."""
    given, directory = directory, directory.expanduser()
    names = {path.name for path in directory.iterdir()} if directory.is_dir() else set()
    if "catalog.sqlite3" not in names and not {"media", "chroma"} <= names:
        raise StoreError(
            f"there is no memory in {given}; check --memory, or make one with: agentctx add"
        )
    salvaged = _salvage(directory, config, progress)
    store = _store(directory, config)
    try:
        found = store.verify().problems
        reworded = store.reword() if checks.words_problems(store.catalog) else 0
        orphans = store.remove_orphans()
        encoded = _fill(store, config, progress) if salvaged else 0

        def rows_written(done: int, total: int) -> None:
            if progress:
                progress(done, total, "indexing")

        # An index that was found damaged has been begun anew, and is filled here; one that is
        # merely behind is not damaged.
        indexed = 0
        if store.index_problems():
            indexed = store.rebuild(rows_written)
        elif store.indexing:
            indexed = store.flush(rows_written)
        left = store.verify().problems
    finally:
        store.close()
    return RepairReport(found, salvaged, orphans, reworded, encoded, indexed, left)


def _salvage(directory: Path, config: Config, progress: Progress | None) -> "SalvageReport | None":
    """Replace a catalog that is damaged with what can be read of it; None when it is sound."""
    from agentctx.memory.salvage import salvage

    if (directory / "catalog.sqlite3").exists():
        try:
            store = _store(directory, config)
            try:
                if not checks.file_problems(store.catalog):
                    return None
            finally:
                store.catalog.close()
        except CatalogDamaged:
            pass

    def pages_read(done: int, total: int) -> None:
        if progress:
            progress(done, total, "salvaging")

    return salvage(directory, unlock(directory, config.key), pages_read)


def _fill(store: Store, config: Config, progress: Progress | None) -> int:
    """Make the vectors anew that the memory's encoders should have made; gives how many."""
    names = config.encoders or store.encoders() or DEFAULT_ENCODERS
    text, others = encoding.load(SharedServices(config), names)
    store.use([encoder.card for encoder in (text, *others)], names)
    return moving.fill(store, text, others, progress)


def _store(directory: Path, config: Config) -> Store:
    return Store(directory, exact_limit=config.exact_limit, key=config.key)
