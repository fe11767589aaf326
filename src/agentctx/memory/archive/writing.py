"""Making an archive: one state of the memory, written beside its final name and then renamed."""

import hashlib
import io
import json
import os
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, BinaryIO

from agentctx.errors import StoreError
from agentctx.extras import require
from agentctx.memory import private
from agentctx.memory.archive import layout, tables
from agentctx.memory.archive.layout import Manifest, Table
from agentctx.memory.archive.selection import Selecting, Selection
from agentctx.memory.store import Store
from agentctx.records import Filters

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

Progress = Callable[[int, int, str], None]

_PIECE = 1 << 20
# Groups of rows are cut when they are larger, so that neither side holds much of a table.
_GROUP = 32 * 1024**2


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What an export wrote: observations, media files, and the bytes of the archive.

    ``forgotten`` counts observations that were left out since another process forgot them
    meanwhile; ``problems`` says, in words, what could not be written as it should be.
    """

    path: Path
    observations: int
    media: int
    size: int
    forgotten: int = 0
    problems: tuple[str, ...] = ()


def write(
    store: Store,
    target: Path,
    filters: Filters | None = None,
    *,
    force: bool = False,
    progress: Progress | None = None,
) -> ExportReport:
    """Write the observations that pass the filters, with all that hangs on them, as an archive.

    All of it is one state of the memory, whatever other processes write meanwhile. The target
    (mode 0600) is there complete or not at all; one that exists is replaced with ``force`` only.
    Raises StoreError when it cannot be written.
    """
    _check_target(store, target, force=force)
    filters = filters or Filters()
    with _beside(target) as file:
        with zipfile.ZipFile(file, "w") as archive:
            found = _Writer(store, archive, progress).write(filters)
        size = file.tell()
    return ExportReport(
        target, found.count, len(found.media), size, found.forgotten, tuple(found.problems)
    )


def _check_target(store: Store, target: Path, *, force: bool) -> None:
    if target.exists() and not force:
        raise StoreError(f"{target} exists; name another file, or replace it with --force")
    if target.resolve().is_relative_to(store.directory.resolve()):
        raise StoreError(f"{target} is inside of the memory; name a file somewhere else")


@contextmanager
def _beside(target: Path) -> Iterator[BinaryIO]:
    """A file that gets the name when it is complete and durable, and is gone otherwise."""
    temporary = None
    try:
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        temporary = Path(name)
        with os.fdopen(descriptor, "w+b") as file:
            yield file
            file.flush()
            os.fsync(descriptor)
        temporary.replace(target)
        private.sync(target.parent)
    except OSError as error:
        raise StoreError(f"{target} cannot be written: {error.strerror or error}") from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


class _Writer:
    def __init__(self, store: Store, archive: zipfile.ZipFile, progress: Progress | None) -> None:
        self._store = store
        self._archive = archive
        self._progress = progress
        self._created = datetime.now(UTC)

    def write(self, filters: Filters) -> Selection:
        with self._store.catalog.reading() as db:
            spaces = db.execute(
                "SELECT pk, card FROM space WHERE status = 'active' ORDER BY pk"
            ).fetchall()
            cards = tuple(layout.card(json.loads(text)) for _, text in spaces)
            schemas = layout.schemas(cards)
            found = Selecting(self._store, db, self._copy).run(filters, self._advance)
            widths = [card.token_dimension for card in cards]
            keys = [pk for pk, _ in spaces]
            source = tables.Source(db, found, list(zip(keys, widths, strict=True)))
            written = {
                name: self._table(name, schema, source.batches(name, self._advance))
                for name, schema in schemas.items()
            }
        manifest = Manifest(
            agentctx=version("agentctx"),
            created_at=self._created,
            selection=tuple(f.name for f in fields(filters) if getattr(filters, f.name)),
            spaces=cards,
            tables=written,
            media=len(found.media),
            ids=frozenset(found.ids),
        )
        with self._member(layout.MANIFEST) as member:
            member.write(manifest.to_json().encode())
        return found

    def _advance(self, done: int, total: int, name: str) -> None:
        if self._progress:
            self._progress(done, total, name)

    @contextmanager
    def _member(self, name: str) -> Iterator[IO[bytes]]:
        about = zipfile.ZipInfo(name, self._created.timetuple()[:6])
        # Stored as it is: see agentctx.memory.archive.container.
        with self._archive.open(about, "w", force_zip64=True) as member:
            yield member

    def _copy(self, digest: str, file: BinaryIO) -> None:
        seen = hashlib.sha256()
        with self._member(layout.MEDIA + digest) as member:
            while piece := file.read(_PIECE):
                seen.update(piece)
                member.write(piece)
        if seen.hexdigest() != digest:
            raise StoreError(f"media {digest} was changed while it was exported; export again")

    def _table(self, name: str, schema: Any, batches: Iterator[tables.Batch]) -> Table:  # noqa: ANN401
        arrow = require("pyarrow", extra="archive")
        parquet = require("pyarrow.parquet", extra="archive")
        rows = 0
        with self._member(name) as member:
            sink = _Hashed(member)
            with parquet.ParquetWriter(
                arrow.PythonFile(sink, mode="w"),
                schema,
                compression="NONE",
                use_dictionary=False,
                write_statistics=False,
            ) as writer:
                for batch in batches:
                    for group in _groups(name, tables.to_arrow(schema, batch)):
                        writer.write_table(group, row_group_size=layout.GROUP_ROWS)
                    rows += len(batch)
        return Table(rows, sink.tell(), sink.seen.hexdigest())


def _groups(name: str, table: Any) -> Iterator[Any]:  # noqa: ANN401 - pyarrow has no types
    if table.nbytes <= _GROUP:
        yield table
    elif table.num_rows > 1:
        half = table.num_rows // 2
        yield from _groups(name, table.slice(0, half))
        yield from _groups(name, table.slice(half))
    elif table.nbytes > layout.GROUP_BYTES // 2:
        raise StoreError(
            f"{name}: the row of observation {table.column(0)[0]} has {table.nbytes:,} bytes, "
            f"which is more than archives take; forget it, or add it in parts"
        )
    else:
        yield table


class _Hashed(io.RawIOBase):
    """Writes through to a member of an archive, hashing what passes."""

    def __init__(self, member: IO[bytes]) -> None:
        self._member = member
        self._size = 0
        self.seen = hashlib.sha256()

    def writable(self) -> bool:
        return True

    def write(self, data: "ReadableBuffer") -> int:
        view = memoryview(data).cast("B")
        self._member.write(view)
        self.seen.update(view)
        self._size += len(view)
        return len(view)

    def tell(self) -> int:
        return self._size
