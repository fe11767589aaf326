"""Keeping others from a damaged catalog while it is saved, and putting a new one in its place.

Nothing of the old file is written before the new one is whole on the disk. Then a copy is kept,
the old file is made one that SQLite refuses and that names the copy, and the new one takes its
name. Whoever ends in between leaves a file that does not open, and the next salvage goes on from
the copy.
"""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from agentctx.errors import StoreError
from agentctx.memory import connections, private

# Where SQLite locks a file (https://www.sqlite.org/fileformat2.html#the_lock_byte_page): whoever
# has it open in WAL mode, or reads it, has a share of these bytes.
_SHARED_FIRST, _SHARED_SIZE = 0x40000002, 510
_STUB = b"agentctx salvage: "
_STUB_SIZE = 100


@contextmanager
def alone(path: Path) -> Iterator[BinaryIO]:
    """The catalog's file, which no other connection has open nor can open meanwhile.

    It is made when absent. Raises StoreError when it is in use. Without POSIX locks (Windows), only
    the replacing fails while others have it open.
    """
    if connections.opened(path):
        raise StoreError(f"this process has {path} open; close the memory first")
    private.file(path)
    # Closed last: closing any descriptor of the file gives up the locks.
    with path.open("r+b", buffering=0) as file:
        if sys.platform != "win32":
            import fcntl

            try:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, _SHARED_SIZE, _SHARED_FIRST)
            except BlockingIOError as error:
                raise StoreError(
                    f"another process has {path} open; close every process that uses the memory, "
                    "then mend it with: agentctx repair"
                ) from error
        yield file


def begun(path: Path, file: BinaryIO) -> Path | None:
    """The copy that a salvage kept which was ended while it replaced the file; None if none was."""
    file.seek(0)
    head = file.read(_STUB_SIZE)
    if not head.startswith(_STUB):
        return None
    copy = path.with_name(head.removeprefix(_STUB).split(b"\n")[0].decode(errors="replace"))
    return copy if copy.is_file() else None


def keep(path: Path, file: BinaryIO) -> Path | None:
    """Copy the damaged file and its log beside it, durably; None when both are empty."""
    log = log_of(path)
    length = file.seek(0, os.SEEK_END)
    if length == 0 and not log.exists():
        return None
    now = datetime.now(UTC)
    copy = path.with_name(f"{path.name}.damaged-{now:%Y%m%dT%H%M%S%fZ}")
    if log.exists():
        with log.open("rb") as source:
            _copy(source, log_of(copy))
    file.seek(0)
    _copy(file, copy)
    private.sync(path.parent)
    return copy


def _copy(source: BinaryIO, target: Path) -> None:
    descriptor = os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        shutil.copyfileobj(source, file, 1 << 20)
        file.flush()
        os.fsync(descriptor)


def replace(path: Path, file: BinaryIO, copy: Path | None, new: Path) -> None:
    """Put the new catalog in the place of the damaged one."""
    if copy is not None:
        # In the file itself: a process that waits for the lock finds this, and writes nothing into
        # a file that has no name any more.
        file.seek(0)
        file.write((_STUB + copy.name.encode() + b"\n").ljust(_STUB_SIZE, b"\n"))
        os.fsync(file.fileno())
    # A log that stays would be taken for that of the new file.
    for rest in (log_of(path), path.with_name(f"{path.name}-shm")):
        rest.unlink(missing_ok=True)
    private.sync(path.parent)
    new.replace(path)
    private.sync(path.parent)


def log_of(path: Path) -> Path:
    """Where the write-ahead log of a database is."""
    return path.with_name(f"{path.name}-wal")
