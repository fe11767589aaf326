"""The driver of SQLCipher, with the errors of Python's sqlite3; imported when it is needed only."""

import sqlite3
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, cast

from sqlcipher3 import dbapi2


def connect(path: Path, key: bytes, timeout: float) -> sqlite3.Connection:
    """A connection that `agentctx.memory.cipher.connect` describes."""
    try:
        connection = dbapi2.connect(
            path,
            timeout=timeout,
            check_same_thread=False,
            isolation_level=None,
            factory=_Connection,
        )
    except dbapi2.Error as error:
        raise _translated(error) from error
    # Errors are raised, and need not be printed too.
    connection.execute("PRAGMA cipher_log_level = NONE")
    # 64 hex digits are the key itself and no passphrase, so that none is stretched.
    connection.execute(f"PRAGMA key = \"x'{key.hex()}'\"")
    connection.execute("PRAGMA cipher_compatibility = 4")
    # Temporary files would not be encrypted.
    connection.execute("PRAGMA temp_store = MEMORY")
    return cast("sqlite3.Connection", connection)


def _translated(error: Exception) -> Exception:
    kind: type[Exception] = getattr(sqlite3, type(error).__name__, sqlite3.Error)
    same = kind(*error.args)
    for name in ("sqlite_errorcode", "sqlite_errorname"):
        if hasattr(error, name):
            setattr(same, name, getattr(error, name))
    return same


def _mapped(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def call(*args: Any, **options: Any) -> Any:  # noqa: ANN401 - whatever the method takes
        try:
            return method(*args, **options)
        except (dbapi2.Error, dbapi2.Warning) as error:
            raise _translated(error) from error

    return call


class _Cursor(dbapi2.Cursor):  # type: ignore[misc]
    execute = _mapped(dbapi2.Cursor.execute)
    executemany = _mapped(dbapi2.Cursor.executemany)
    executescript = _mapped(dbapi2.Cursor.executescript)
    fetchone = _mapped(dbapi2.Cursor.fetchone)
    fetchmany = _mapped(dbapi2.Cursor.fetchmany)
    fetchall = _mapped(dbapi2.Cursor.fetchall)
    __next__ = _mapped(dbapi2.Cursor.__next__)


class _Connection(dbapi2.Connection):  # type: ignore[misc]
    # execute() and its like make their cursor through this.
    def cursor(self, factory: type = _Cursor) -> Any:  # noqa: ANN401 - of an optional package
        return self._cursor(factory)

    _cursor = _mapped(dbapi2.Connection.cursor)
    backup = _mapped(dbapi2.Connection.backup)
    close = _mapped(dbapi2.Connection.close)
    commit = _mapped(dbapi2.Connection.commit)
    rollback = _mapped(dbapi2.Connection.rollback)
