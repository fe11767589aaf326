"""Files and directories that only their owner can look into, whatever the umask is."""

import os
import stat
import threading
from pathlib import Path

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
# Closing any descriptor of a file drops all of this process's POSIX locks on it, SQLite's too; so
# no thread may open a file that another one is still making.
_making = threading.Lock()


def directory(path: Path) -> None:
    """Make a directory of mode 0700, or take from one of ours what others may do with it."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    _tighten(path)


def file(path: Path) -> None:
    """Make an empty file of mode 0600, or take from one of ours what others may do with it.

    A file that exists is not opened, because of the locks that closing it would drop.
    """
    with _making:
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except FileExistsError:
            _tighten(path)


def sync(path: Path) -> None:
    """Make the names in a directory durable: a power cut can take them otherwise."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _tighten(path: Path) -> None:
    found = path.stat()
    if found.st_mode & _OTHERS and found.st_uid == os.geteuid():
        path.chmod(stat.S_IMODE(found.st_mode) & ~_OTHERS)
