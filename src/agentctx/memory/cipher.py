"""How a catalog's file is opened: by SQLite, or, with keys, by SQLCipher.

SQLCipher encrypts page by page (AES-256-CBC with HMAC-SHA512, the write-ahead log too). Its driver
has the interface of Python's ``sqlite3``, whose errors it is made to raise here.
"""

import sqlite3
from pathlib import Path

from agentctx.extras import require
from agentctx.memory import private
from agentctx.memory.keys import Keys


def connect(path: Path, keys: Keys | None = None, *, timeout: float = 30.0) -> sqlite3.Connection:
    """A connection in autocommit mode for any thread; the file is made, mode 0600, when absent.

    With a wrong key, the first statement raises sqlite3.DatabaseError (SQLITE_NOTADB). All
    connections of a process to one file must be of one kind: the two libraries do not know of
    each other's locks.
    """
    private.file(path)
    if keys is None:
        return sqlite3.connect(path, timeout=timeout, check_same_thread=False, isolation_level=None)
    require("sqlcipher3", extra="encryption")
    from agentctx.memory import _sqlcipher

    return _sqlcipher.connect(path, keys.catalog, timeout)
