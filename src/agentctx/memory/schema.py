"""The catalog's tables, how older ones become them, and how a connection is opened."""

import sqlite3
import time
from collections.abc import Mapping
from pathlib import Path

from agentctx.errors import CatalogDamaged, SchemaError
from agentctx.memory import cipher
from agentctx.memory.connections import explained
from agentctx.memory.keys import Keys

VERSION = 2
# More than so much newer is no version but damage.
_LIKELY = 100
# How long a write waits for those of other processes.
_BUSY_SECONDS = 60.0
_PAUSE_SECONDS = 0.01

# Times are integer microseconds since 1970 UTC. AUTOINCREMENT: a key is never used again, so a
# reader can tell from the largest key alone what is new.
_TABLES = """
CREATE TABLE space (
    pk INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    card TEXT NOT NULL,
    -- A retired space keeps its vectors, so that a memory can go back to its encoder.
    status TEXT NOT NULL CHECK (status IN ('active', 'building', 'retired')),
    UNIQUE (name, card)
) STRICT;
CREATE UNIQUE INDEX one_active_space ON space (name) WHERE status = 'active';
CREATE TABLE observation (
    pk INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    modality TEXT NOT NULL,
    text TEXT NOT NULL,
    captured_at INTEGER NOT NULL,
    ended_at INTEGER NOT NULL,
    duration REAL NOT NULL,
    session TEXT NOT NULL,
    source TEXT NOT NULL,
    attributes TEXT NOT NULL
) STRICT;
CREATE INDEX observation_by_time ON observation (captured_at);
-- Also the order in which an utterance's neighbours are found.
CREATE INDEX observation_by_session ON observation (session, source, modality, captured_at);
CREATE INDEX observation_by_source ON observation (source);
CREATE TABLE media (
    observation_pk INTEGER NOT NULL REFERENCES observation ON DELETE CASCADE,
    position INTEGER NOT NULL,
    kind TEXT NOT NULL,
    mime TEXT NOT NULL,
    digest TEXT NOT NULL,
    size INTEGER NOT NULL,
    PRIMARY KEY (observation_pk, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX media_by_digest ON media (digest);
CREATE TABLE passage (
    pk INTEGER PRIMARY KEY AUTOINCREMENT,
    observation_pk INTEGER NOT NULL REFERENCES observation ON DELETE CASCADE,
    ordinal INTEGER NOT NULL,
    start INTEGER NOT NULL,
    stop INTEGER NOT NULL,
    UNIQUE (observation_pk, ordinal)
) STRICT;
CREATE TABLE vector (
    pk INTEGER PRIMARY KEY AUTOINCREMENT,
    space_pk INTEGER NOT NULL REFERENCES space,
    passage_pk INTEGER NOT NULL REFERENCES passage ON DELETE CASCADE,
    vector BLOB NOT NULL,
    UNIQUE (space_pk, passage_pk)
) STRICT;
CREATE INDEX vector_by_passage ON vector (passage_pk);
-- What Chroma does not have yet.
CREATE TABLE pending (
    vector_pk INTEGER PRIMARY KEY REFERENCES vector ON DELETE CASCADE
) STRICT;
-- Apart from the vectors, so that a scan of these does not read over the larger matrices.
CREATE TABLE token_matrix (
    passage_pk INTEGER NOT NULL REFERENCES passage ON DELETE CASCADE,
    space_pk INTEGER NOT NULL REFERENCES space,
    matrix BLOB NOT NULL,
    PRIMARY KEY (passage_pk, space_pk)
) STRICT;
-- Sources that were added whole: the key covers their content and how they were observed.
CREATE TABLE ingested (
    key TEXT NOT NULL,
    observation_pk INTEGER NOT NULL REFERENCES observation ON DELETE CASCADE,
    PRIMARY KEY (key, observation_pk)
) STRICT, WITHOUT ROWID;
CREATE INDEX ingested_by_observation ON ingested (observation_pk);
-- What the processes of a memory tell each other: see agentctx.memory.state.
CREATE TABLE state (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
-- Media of forgotten observations whose files are still to be erased.
CREATE TABLE doomed (
    digest TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;
CREATE TABLE audit (
    at INTEGER NOT NULL,
    action TEXT NOT NULL,
    rule TEXT NOT NULL,
    observations INTEGER NOT NULL
) STRICT;
-- A view as content: the full-text index keeps no second copy of the text.
CREATE VIEW passage_text (pk, text) AS
    SELECT passage.pk, substr(observation.text, passage.start + 1, passage.stop - passage.start)
    FROM passage JOIN observation ON observation.pk = passage.observation_pk;
CREATE VIRTUAL TABLE passage_words USING fts5 (
    text, content = 'passage_text', content_rowid = 'pk', tokenize = 'porter unicode61'
);
"""


# What makes a catalog of one version one of the next.
_MIGRATIONS: Mapping[int, str] = {
    1: """
CREATE TABLE space2 (
    pk INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    card TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'building', 'retired')),
    UNIQUE (name, card)
) STRICT;
INSERT INTO space2 SELECT pk, name, card, 'active' FROM space;
DROP TABLE space;
ALTER TABLE space2 RENAME TO space;
CREATE UNIQUE INDEX one_active_space ON space (name) WHERE status = 'active';
CREATE TABLE state (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE doomed (
    digest TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;
""",
}


def connect(path: Path, keys: Keys | None = None) -> sqlite3.Connection:
    """Open the catalog, making its tables when it is new and migrating them when they are old.

    WAL lets readers go on while one process writes. ``synchronous=FULL`` makes a commit survive
    a power cut and not only the death of the process; with a commit per batch that costs one
    fsync for dozens of observations.
    """
    with explained(path):
        try:
            connection = cipher.connect(path, keys, timeout=_BUSY_SECONDS)
        except OSError as error:
            raise SchemaError(f"{path} cannot be opened for writing: {error.strerror}") from error
        try:
            _configure(connection)
            _prepare(connection, path)
        except BaseException:
            connection.close()
            raise
    return connection


def _configure(connection: sqlite3.Connection) -> None:
    _use_wal(connection)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA secure_delete = ON")
    # 64 MB: ranking by BM25 looks up the length of every passage that matches.
    connection.execute("PRAGMA cache_size = -64000")


def _use_wal(connection: sqlite3.Connection) -> None:
    # SQLite gives up at once, whatever its timeout, when two make one new file a WAL file.
    deadline = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not busy or time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE_SECONDS)
        else:
            return


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    # In one transaction: between two reads another process may make the tables.
    connection.execute("BEGIN")
    try:
        found = _version(connection, path)
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    if found != VERSION:
        # Foreign keys would be checked against tables that a migration replaces.
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("BEGIN IMMEDIATE")
        try:
            # Again, now that no other process can be at it.
            found = _version(connection, path)
            scripts = [_TABLES] if found == 0 else [_MIGRATIONS[v] for v in range(found, VERSION)]
            for script in scripts:
                for statement in _statements(script):
                    connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {VERSION}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
    connection.execute("PRAGMA foreign_keys = ON")
    # Where in which passages a term is. Nothing of it is stored.
    connection.execute(
        "CREATE VIRTUAL TABLE temp.places USING fts5vocab ('main', 'passage_words', 'instance')"
    )


def _version(connection: sqlite3.Connection, path: Path) -> int:
    found = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if not 0 <= found <= VERSION + _LIKELY:
        raise CatalogDamaged(
            f"{path} says that its schema is {found}. The file is damaged; mend it with: "
            "agentctx repair"
        )
    if found > VERSION:
        raise SchemaError(
            f"{path} has schema {found}, this agentctx knows up to {VERSION}; upgrade agentctx"
        )
    if found == 0 and connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone():
        raise SchemaError(f"{path} is a database of another program; name another directory")
    return found


def _statements(script: str) -> list[str]:
    # executescript() would commit the open transaction first.
    statements, pending = [], ""
    for line in script.splitlines():
        pending += line + "\n"
        if sqlite3.complete_statement(pending):
            statements.append(pending)
            pending = ""
    return statements
