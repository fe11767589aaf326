"""Connections to the catalog: one that writes, and as many readers as there are threads reading.

In WAL mode a reader sees the last commit, whichever process made it, and neither waits for a
writer nor holds it up. A connection must not cross a fork, so a forked process opens its own.
"""

import os
import sqlite3
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from agentctx.errors import CatalogDamaged, StoreError

# What was open when a process forked is neither used nor closed in the child: closing it would
# touch files that the parent still writes.
_inherited: list[object] = []
_open: "weakref.WeakSet[Connections]" = weakref.WeakSet()


class Connections:
    """Lends connections to one SQLite file; safe to call from several threads, and after a fork.

    ``connect`` opens one connection, ready for use in any thread.
    """

    def __init__(self, path: Path, connect: Callable[[Path], sqlite3.Connection]) -> None:
        self._path = path
        self._connect = connect
        # Opened at once, so that whoever opens a memory hears at once what is wrong with it.
        self._reset([connect(path)])
        _open.add(self)

    def _reset(self, idle: list[sqlite3.Connection]) -> None:
        self._idle = idle
        self._all = list(idle)
        self._guard = threading.Lock()
        self._writing = threading.RLock()
        self._writer: sqlite3.Connection | None = None
        self._closed = False

    def after_fork(self) -> None:
        """In a forked process: leave the parent's connections alone, open own ones."""
        _inherited.append(self._all)
        closed = self._closed
        self._reset([])
        self._closed = closed

    def opens(self, path: Path) -> bool:
        """Whether these are connections to that file, and not closed."""
        return not self._closed and self._path.resolve() == path.resolve()

    def close(self) -> None:
        """Close every connection; further calls raise StoreError."""
        with self._writing, self._guard:
            self._closed = True
            for connection in self._all:
                connection.close()
            self._all, self._idle, self._writer = [], [], None

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """One write transaction: committed at the end, rolled back on any error."""
        with self._writing, explained(self._path):
            if self._writer is None:
                self._writer = self._take()
            writer = self._writer
            writer.execute("BEGIN IMMEDIATE")
            try:
                yield writer
                writer.execute("COMMIT")
            except BaseException:
                # A full disk rolls back by itself, and then there is nothing to roll back.
                if writer.in_transaction:
                    writer.execute("ROLLBACK")
                raise

    @contextmanager
    def alone(self) -> Iterator[sqlite3.Connection]:
        """The writing connection outside of any transaction, for VACUUM and checkpoints."""
        with self._writing, explained(self._path):
            if self._writer is None:
                self._writer = self._take()
            yield self._writer

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A read transaction: every SELECT in it sees the same state of the memory."""
        with self._lent() as connection, explained(self._path):
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                connection.execute("ROLLBACK")

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of one SELECT."""
        with self._lent() as connection, explained(self._path):
            return connection.execute(sql, parameters).fetchall()

    @contextmanager
    def _lent(self) -> Iterator[sqlite3.Connection]:
        connection = self._take()
        try:
            yield connection
        finally:
            with self._guard:
                if self._closed:
                    connection.close()
                else:
                    self._idle.append(connection)

    def _take(self) -> sqlite3.Connection:
        with self._guard:
            if self._closed:
                raise StoreError(f"{self._path} is closed; open the memory again")
            if self._idle:
                return self._idle.pop()
        connection = self._connect(self._path)
        with self._guard:
            self._all.append(connection)
        return connection


def opened(path: Path) -> bool:
    """Whether this process has the file open."""
    return any(connections.opens(path) for connections in list(_open))


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """SQLite's errors as StoreErrors that say what to do."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code == 0 and "decode to UTF-8" in str(error):
            # Python's own error, which would repeat the whole text.
            advice = _ADVICE[sqlite3.SQLITE_CORRUPT]
            raise CatalogDamaged(f"{path}: a text in it is not UTF-8{advice}") from error
        kind = CatalogDamaged if code in _DAMAGED else StoreError
        raise kind(f"{path}: {error}{_ADVICE.get(code, '')}") from error


_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


_ADVICE = {
    sqlite3.SQLITE_FULL: ". Make room on the disk and try again; what was acknowledged is safe",
    sqlite3.SQLITE_IOERR: ". The disk is full, or faulty; what was acknowledged is on it",
    sqlite3.SQLITE_READONLY: ". Give this user the right to write there; nothing was changed",
    sqlite3.SQLITE_CANTOPEN: ". Check that the directory is there, and may be written to",
    sqlite3.SQLITE_BUSY: ". Another process kept it for too long; try again",
    sqlite3.SQLITE_CORRUPT: ". The file is damaged; mend it with: agentctx repair",
    sqlite3.SQLITE_NOTADB: ". The file is damaged; mend it with: agentctx repair",
}


def _after_fork() -> None:
    for connections in list(_open):
        connections.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
