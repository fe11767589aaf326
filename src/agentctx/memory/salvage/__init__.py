"""Saving what can be saved of a damaged catalog.

SQLite reads a file from its first page down, and gives up where a page is damaged. Here every
page is read by itself, the log's before the file's, and rows are recognised by their form. So
nothing depends on the file's header, its schema or the upper pages of its trees; a row is lost only
with the page that it is in. What was saved is checked (an observation by its id, which is the hash
of its content) and goes into a new catalog, with the keys that it had.

What cannot be told: vectors and token matrices have no checksum, so a damaged bit that leaves a
vector's length as it was stays unnoticed. And when the write-ahead log is lost, so is what it said,
that something was forgotten included; but a forget ends with an empty log.
"""

from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

from agentctx.errors import EncryptionError, SchemaError, StoreError
from agentctx.memory import encryption, state
from agentctx.memory.connections import explained
from agentctx.memory.keys import Keys
from agentctx.memory.lease import Lease
from agentctx.memory.media import MediaStore
from agentctx.memory.salvage import filling, judging, replacing
from agentctx.memory.salvage.ciphered import page_cipher
from agentctx.memory.salvage.finding import Row, find
from agentctx.memory.salvage.index_rows import Indexed, indexed
from agentctx.memory.salvage.judging import Sound
from agentctx.memory.salvage.pages import MAGIC, Pages
from agentctx.memory.salvage.report import Lost, SalvageReport, ranges
from agentctx.memory.schema import VERSION, connect

__all__ = ["Lost", "SalvageReport", "damaged_copies", "salvage"]

Progress = Callable[[int, int], None]

_CATALOG = "catalog.sqlite3"
_NEW = f"{_CATALOG}.salvaged"
# Where user_version is in the first page; more than so much newer is no version but damage.
_VERSION_AT, _LIKELY = 60, 100
# The tables whose rows a report counts, and how their names end there.
_COUNTED = {
    "observation": "s",
    "passage": "s",
    "vector": "s",
    "token_matrix": "",
    "media": "",
    "ingested": "",
    "audit": "",
}


def salvage(
    directory: Path, keys: Keys | None = None, progress: Progress | None = None
) -> SalvageReport:
    """Make a new catalog of what can be read of the one in a memory's directory.

    The damaged file is kept beside it (see `damaged_copies`), Chroma's index is to be made anew.
    ``progress(done, total)`` counts pages, each twice. A run that is killed leaves the damaged
    catalog or the new one, and the next one finishes.

    Raises StoreError when another process, or this one, uses the memory; EncryptionError when it
    is encrypted and there are no keys; SchemaError when a newer agentctx wrote it.
    """
    if keys is None and (directory / encryption.MARKER).exists():
        raise EncryptionError(f"the memory {directory} is encrypted; give its key")
    lease = Lease(directory / "lease")
    if not lease.acquire():
        raise StoreError(
            f"another process holds the index of {directory}; close every process that uses the "
            "memory, then mend it with: agentctx repair"
        )
    try:
        with ExitStack() as stack:
            return _salvage(directory, keys, progress or (lambda done, total: None), stack)
    except OSError as error:
        raise StoreError(
            f"the catalog of {directory} cannot be saved: {error}. Nothing was lost by this; make "
            "it possible and try again"
        ) from error
    finally:
        lease.release()


def damaged_copies(directory: Path) -> list[Path]:
    """What salvages left: damaged catalogs that were kept, new ones that were not finished."""
    patterns = (f"{_CATALOG}.damaged-*", f"{_NEW}*")
    return sorted(path for pattern in patterns for path in directory.glob(pattern))


def _salvage(
    directory: Path, keys: Keys | None, progress: Progress, stack: ExitStack
) -> SalvageReport:
    path = directory / _CATALOG
    locked = stack.enter_context(replacing.alone(path))
    copy = replacing.begun(path, locked)
    source = stack.enter_context(copy.open("rb")) if copy else locked
    log = replacing.log_of(copy or path)
    pages = Pages(source, stack.enter_context(log.open("rb")) if log.exists() else None)
    if keys is not None:
        if pages.stored(1).startswith(MAGIC):
            raise EncryptionError(f"{path} is not encrypted: mend it without a key")
        pages.decipher(page_cipher(pages, keys.catalog))
    _check_version(path, pages)
    broken = set[int]()
    small = find(pages, judging.SMALL, broken, lambda n, total: progress(n, 2 * total))
    tables = judging.by_table(small)
    chroma, indexed = _indexed(directory, tables, keys)
    sound = judging.judge(tables, indexed)
    report = _build(directory, keys, pages, sound, broken, progress)
    copy = copy or replacing.keep(path, locked)
    replacing.replace(path, locked, copy, directory / _NEW)
    return replace(report, chroma=chroma, kept=copy)


def _check_version(path: Path, pages: Pages) -> None:
    first = pages[1]
    version = int.from_bytes(first[_VERSION_AT : _VERSION_AT + 4], "big") if first else 0
    if VERSION < version <= VERSION + _LIKELY:
        raise SchemaError(
            f"{path} has schema {version}, this agentctx knows up to {VERSION}; upgrade agentctx"
        )


def _indexed(
    directory: Path, tables: Mapping[str, list[Row]], keys: Keys | None
) -> tuple[str, Mapping[str, Indexed]]:
    if keys is not None:
        return "absent", {}
    said: dict[str, str] = dict(tables["state"])
    # Whoever forgets leaves a value under INDEX: where it is lost, nobody knows.
    unknown = bool(tables["audit"]) and state.INDEX not in said
    if unknown or said.get(state.INDEX) != said.get(state.INDEXED) or said.get(state.ERASING):
        # Chroma may still have what was forgotten.
        return "outdated", {}
    return indexed(directory / "chroma")


def _build(
    directory: Path,
    keys: Keys | None,
    pages: Pages,
    sound: Sound,
    broken: set[int],
    progress: Progress,
) -> SalvageReport:
    new = directory / _NEW
    for rest in directory.glob(f"{_NEW}*"):
        rest.unlink()
    media = MediaStore(directory / "media", keys)
    digests = sorted({row[4] for row in sound.media.values()})
    alone = [path.name for path in media.orphans(digests, older_than=0.0)]
    with explained(new), closing(connect(new, keys)) as db:
        filling.fill(db, sound)
        large = find(pages, judging.LARGE, broken, lambda n, total: progress(total + n, 2 * total))
        filling.fill_large(db, sound, large)
        unencoded = filling.finish(db)
        filling.keep_media(db, alone)
        filling.note_unproven(db)
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        counts = {
            table: db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608
            for table in _COUNTED
        }
    return SalvageReport(
        **{f"{table}{plural}": counts[table] for table, plural in _COUNTED.items()},
        unproven=tuple(sound.unproven),
        restored=tuple(sound.restored),
        partial=tuple(sound.partial),
        lost=tuple(sound.lost.values()),
        unaccounted=sound.unaccounted,
        forgotten=sum(row[3] for row in sound.audit),
        lost_rows={table: count for table, count in sound.lost_rows.items() if count},
        unencoded=tuple(unencoded),
        media_alone=tuple(alone),
        media_absent=tuple(digest for digest in digests if not media.path(digest).is_file()),
        pages=pages.count,
        damaged_pages=ranges(broken),
        damaged_frames=pages.log.damaged,
        chroma="",
        kept=None,
    )
