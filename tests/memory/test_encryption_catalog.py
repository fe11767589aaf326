"""SQLCipher behind the interface and the errors of Python's sqlite3."""

import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from agentctx.errors import EncryptionError, SchemaError, StoreError
from agentctx.memory import cipher, encryption
from agentctx.memory.keys import Keys

KEYS = Keys.derive(bytes(range(32)))
OTHER = Keys.derive(bytes(32))
SECRET = "the valve on pump three was closed by hand"


@pytest.fixture(params=[None, KEYS], ids=["in clear", "encrypted"])
def db(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[sqlite3.Connection]:
    connection = cipher.connect(tmp_path / "catalog.sqlite3", request.param)
    connection.execute("PRAGMA journal_mode = WAL")
    yield connection
    connection.close()


def fill(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE TABLE note (pk INTEGER PRIMARY KEY, text TEXT UNIQUE) STRICT")
    connection.execute("CREATE VIRTUAL TABLE word USING fts5 (text, tokenize = 'porter unicode61')")
    connection.execute("INSERT INTO note (text) VALUES (?)", (SECRET,))
    connection.execute("INSERT INTO word (text) VALUES (?)", (SECRET,))


def test_what_a_catalog_needs_is_there(db: sqlite3.Connection) -> None:
    fill(db)
    assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    db.execute("PRAGMA secure_delete = ON")
    assert db.execute("PRAGMA secure_delete").fetchone() == (1,)
    found = db.execute("SELECT rank < 0 FROM word WHERE word MATCH '\"valves\"'").fetchall()
    assert found == [(1,)]
    assert not db.in_transaction
    db.execute("BEGIN IMMEDIATE")
    assert db.in_transaction
    db.executemany("INSERT INTO note (text) VALUES (?)", [("a",), ("b",)])
    db.execute("ROLLBACK")
    assert list(db.execute("SELECT text FROM note")) == [(SECRET,)]
    db.execute("VACUUM")
    assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_errors_are_those_of_sqlite3(db: sqlite3.Connection) -> None:
    fill(db)
    with pytest.raises(sqlite3.IntegrityError, match=r"UNIQUE.*note\.text") as raised:
        db.execute("INSERT INTO note (text) VALUES (?)", (SECRET,))
    assert raised.value.sqlite_errorcode & 0xFF == sqlite3.SQLITE_CONSTRAINT
    with pytest.raises(sqlite3.IntegrityError, match="cannot store BLOB"):
        db.executemany("INSERT INTO note (text) VALUES (?)", [(b"bytes",)])
    with pytest.raises(sqlite3.OperationalError, match="syntax") as raised:
        db.execute("SELEC")
    assert raised.value.sqlite_errorcode == sqlite3.SQLITE_ERROR
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        db.executescript("DELETE FROM absent")
    overflow = "WITH v (n) AS (VALUES (1), (2), (-9223372036854775808)) SELECT abs(n) FROM v"
    for fetch in ("fetchall", "__next__", "fetchone", "fetchmany"):
        rows = db.execute(overflow)
        assert next(rows) == (1,)
        with pytest.raises(sqlite3.OperationalError, match="overflow"):  # noqa: PT012
            for _ in range(3):
                getattr(rows, fetch)()
    with pytest.raises((sqlite3.Warning, sqlite3.ProgrammingError)):
        db.execute("SELECT 1; SELECT 2")
    db.close()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        db.execute("SELECT 1")


def test_a_busy_catalog_is_told_as_such(tmp_path: Path) -> None:
    path = tmp_path / "catalog.sqlite3"
    one = cipher.connect(path, KEYS)
    fill(one)
    two = cipher.connect(path, KEYS, timeout=0.05)
    one.execute("BEGIN IMMEDIATE")
    with pytest.raises(sqlite3.OperationalError, match="locked") as raised:
        two.execute("BEGIN IMMEDIATE")
    assert raised.value.sqlite_errorcode == sqlite3.SQLITE_BUSY
    one.execute("COMMIT")
    two.execute("BEGIN IMMEDIATE")
    two.close()
    one.close()


def test_nothing_of_it_is_in_clear(tmp_path: Path) -> None:
    """Not in the file, nor in the write-ahead log and its index while it is open."""
    connection = cipher.connect(tmp_path / "catalog.sqlite3", KEYS)
    connection.execute("PRAGMA journal_mode = WAL")
    fill(connection)
    names = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert {"catalog.sqlite3-wal", "catalog.sqlite3-shm"} < set(names)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    # In a process of its own: closing the file here would drop the locks of the connection.
    whole = subprocess.run(["cat", tmp_path / "catalog.sqlite3"], capture_output=True, check=True)
    connection.close()
    for content in (*names.values(), whole.stdout):
        for word in (b"valve", b"pump three", b"SQLite format", b"CREATE"):
            assert word not in content


def test_without_the_key_there_is_nothing_to_see(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "catalog.sqlite3"
    connection = cipher.connect(path, KEYS)
    fill(connection)
    connection.close()
    for wrong in (None, OTHER):
        closed = cipher.connect(path, wrong)
        with pytest.raises(sqlite3.DatabaseError) as raised:
            closed.execute("SELECT * FROM sqlite_schema").fetchall()
        assert raised.value.sqlite_errorcode == sqlite3.SQLITE_NOTADB
        closed.close()
    assert capfd.readouterr() == ("", ""), "SQLCipher writes to standard error by itself"


@pytest.mark.parametrize("at", [50, 4096 + 50, -1])
def test_a_changed_page_is_noticed(tmp_path: Path, at: int) -> None:
    path = tmp_path / "catalog.sqlite3"
    connection = cipher.connect(path, KEYS)
    fill(connection)
    connection.close()
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)
    connection = cipher.connect(path, KEYS)
    with pytest.raises(sqlite3.DatabaseError) as raised:  # noqa: PT012 - whichever meets it
        for table in ("sqlite_schema", "note", "word", "word_docsize", "word_config"):
            connection.execute(f"SELECT * FROM {table}").fetchall()
    known = (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)
    assert raised.value.sqlite_errorcode & 0xFF in known
    connection.close()


def test_temporary_tables_stay_in_memory(tmp_path: Path) -> None:
    connection = cipher.connect(tmp_path / "catalog.sqlite3", KEYS)
    assert connection.execute("PRAGMA temp_store").fetchone() == (2,)
    fill(connection)
    connection.execute("CREATE TEMP TABLE copy AS SELECT * FROM note")
    links = [link for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    assert not [link for link in links if "etilqs" in os.path.realpath(link)], "SQLite's files"
    connection.close()


def test_many_threads_and_two_processes(tmp_path: Path) -> None:
    path = tmp_path / "catalog.sqlite3"
    connection = cipher.connect(path, KEYS)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("CREATE TABLE n (who INTEGER)")
    work = (
        "import sys; from pathlib import Path\n"
        "from agentctx.memory import cipher\n"
        "from agentctx.memory.keys import Keys\n"
        "db = cipher.connect(Path(sys.argv[1]), Keys.derive(bytes(range(32))))\n"
        "for _ in range(100): db.execute('INSERT INTO n VALUES (0)')\n"
    )
    other = subprocess.Popen([sys.executable, "-c", work, str(path)])

    def insert(who: int) -> None:
        mine = cipher.connect(path, KEYS)
        for _ in range(50):
            mine.execute("INSERT INTO n VALUES (?)", (who,))
        mine.close()

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(insert, (1, 2, 3)))
    assert other.wait(timeout=60) == 0
    found = connection.execute("SELECT who, count(*) FROM n GROUP BY who").fetchall()
    assert found == [(0, 100), (1, 50), (2, 50), (3, 50)]
    connection.close()


# -- the mark of an encrypted memory --------------------------------------------------------------


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "media").mkdir()
    return tmp_path


def catalog(directory: Path, keys: Keys | None) -> Path:
    path = directory / "catalog.sqlite3"
    connection = cipher.connect(path, keys)
    fill(connection)
    connection.close()
    return path


def test_a_memory_in_clear_has_no_mark(directory: Path) -> None:
    assert encryption.unlock(directory, None) is None
    assert sorted(path.name for path in directory.rglob("*")) == ["media"]


def test_the_right_key_and_no_other_opens(directory: Path) -> None:
    assert encryption.unlock(directory, bytes(range(32))) == KEYS
    mark = (directory / "encryption.json").read_text()
    assert encryption.unlock(directory, bytes(range(32))) == KEYS
    assert (directory / "encryption.json").read_text() == mark
    with pytest.raises(EncryptionError, match=r"encrypted with another key; give its key: key = "):
        encryption.unlock(directory, bytes(32))
    with pytest.raises(EncryptionError, match=r"is encrypted; give its key: .*AGENTCTX_KEY_FILE"):
        encryption.unlock(directory, None)
    secrets = (bytes(range(32)), KEYS.catalog, KEYS.media, KEYS.names)
    assert not any(secret.hex() in mark for secret in secrets)


def test_a_memory_in_clear_is_not_opened_with_a_key(directory: Path) -> None:
    path = catalog(directory, None)
    before = path.read_bytes()
    with pytest.raises(EncryptionError, match=r"not encrypted: open it without a key; to encrypt"):
        encryption.unlock(directory, bytes(range(32)))
    assert not (directory / "encryption.json").exists()
    assert path.read_bytes() == before


def test_a_lost_mark_is_made_again(directory: Path) -> None:
    catalog(directory, KEYS)
    with pytest.raises(EncryptionError, match="does not open with this key, nor without one"):
        encryption.unlock(directory, bytes(32))
    assert encryption.unlock(directory, bytes(range(32))) == KEYS
    with pytest.raises(EncryptionError, match="is encrypted"):
        encryption.unlock(directory, None)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"format": 1, "memory": "a"}', '"\xff"'])
def test_a_damaged_mark_is_not_guessed(directory: Path, content: str) -> None:
    (directory / "encryption.json").write_text(content, "latin-1")
    for key in (None, bytes(32)):
        with pytest.raises(EncryptionError, match=r"encryption\.json is damaged.*backup"):
            encryption.unlock(directory, key)


def test_a_newer_format_is_refused(directory: Path) -> None:
    encryption.unlock(directory, bytes(32))
    path = directory / "encryption.json"
    path.write_text(path.read_text().replace('"format": 1', '"format": 2'))
    with pytest.raises(SchemaError, match="newer agentctx; upgrade"):
        encryption.unlock(directory, bytes(32))


def test_a_directory_that_cannot_be_written(directory: Path) -> None:
    (directory / "media").rmdir()
    with pytest.raises(StoreError, match=r"cannot write .*encryption\.json"):
        encryption.unlock(directory, bytes(32))


def test_of_many_that_begin_at_once_one_wins(directory: Path) -> None:
    start = threading.Barrier(8)

    def begin(_: int) -> Keys | None:
        start.wait()
        return encryption.unlock(directory, bytes(range(32)))

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(begin, range(8))) == [KEYS] * 8
    assert [path.name for path in (directory / "media").iterdir()] == []
