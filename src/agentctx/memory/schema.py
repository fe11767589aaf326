"""The catalog's tables, and how a connection to them is opened."""

import sqlite3
from pathlib import Path

from agentctx.errors import SchemaError

VERSION = 1

# Times are integer microseconds since 1970 UTC. AUTOINCREMENT: a key is never used again, so a
# reader can tell from the largest key alone what is new.
_TABLES = """
CREATE TABLE space (
    pk INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    card TEXT NOT NULL
) STRICT;
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


def connect(path: Path) -> sqlite3.Connection:
    """Open the catalog, making its tables when it is new.

    WAL lets readers go on while one process writes. ``synchronous=FULL`` makes a commit survive
    a power cut and not only the death of the process; with a commit per batch that costs one
    fsync for dozens of observations.
    """
    connection = sqlite3.connect(path, timeout=30, check_same_thread=False, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA secure_delete = ON")
        # 64 MB: ranking by BM25 looks up the length of every passage that matches.
        connection.execute("PRAGMA cache_size = -64000")
        _prepare(connection, path)
    except sqlite3.DatabaseError as error:
        connection.close()
        raise SchemaError(f"{path} is not a catalog of agentctx: {error}") from error
    except SchemaError:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("BEGIN IMMEDIATE")
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    if found > VERSION:
        connection.execute("ROLLBACK")
        raise SchemaError(
            f"{path} has schema {found}, this agentctx knows up to {VERSION}; upgrade agentctx"
        )
    if found == 0:
        for statement in _statements():
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.execute("COMMIT")


def _statements() -> list[str]:
    # executescript() would commit the open transaction first.
    statements, pending = [], ""
    for line in _TABLES.splitlines():
        pending += line + "\n"
        if sqlite3.complete_statement(pending):
            statements.append(pending)
            pending = ""
    return statements
