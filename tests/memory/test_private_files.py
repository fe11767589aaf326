"""Who may look into a memory: its owner, whatever the umask is."""

import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from agentctx import Config, Media, Memory, Observation
from agentctx.memory import cipher, private
from agentctx.memory.keys import Keys


@pytest.fixture(params=[0o000, 0o022], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.usefixtures("umask")
def test_what_is_made_is_private(tmp_path: Path) -> None:
    private.directory(tmp_path / "a" / "memory")
    private.file(tmp_path / "a" / "memory" / "file")
    assert mode(tmp_path / "a" / "memory") == 0o700
    assert mode(tmp_path / "a" / "memory" / "file") == 0o600


@pytest.mark.usefixtures("umask")
def test_what_is_there_becomes_private_and_keeps_its_content(tmp_path: Path) -> None:
    folder, file = tmp_path / "memory", tmp_path / "memory" / "file"
    folder.mkdir()
    file.write_text("kept")
    folder.chmod(0o755)
    file.chmod(0o664)
    private.directory(folder)
    private.file(file)
    assert (mode(folder), mode(file), file.read_text()) == (0o700, 0o600, "kept")


def test_what_is_tighter_stays(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "file").chmod(0o400)
    private.file(tmp_path / "file")
    assert mode(tmp_path / "file") == 0o400


@pytest.mark.usefixtures("umask")
@pytest.mark.parametrize("keys", [None, Keys.derive(bytes(32))], ids=["in clear", "encrypted"])
def test_a_catalog_and_all_beside_it(tmp_path: Path, keys: Keys | None) -> None:
    connection = cipher.connect(tmp_path / "catalog.sqlite3", keys)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("CREATE TABLE t (a)")
    made = {path.name: mode(path) for path in tmp_path.iterdir()}
    connection.close()
    names = ("catalog.sqlite3", "catalog.sqlite3-wal", "catalog.sqlite3-shm")
    assert made == dict.fromkeys(names, 0o600)


def loose(directory: Path) -> dict[str, str]:
    """What is not as it should be below a directory, and the directory itself."""
    found = {path: mode(path) for path in (directory, *directory.rglob("*"))}
    wanted = {path: 0o700 if path.is_dir() else 0o600 for path in found}
    return {str(path): oct(has) for path, has in found.items() if has != wanted[path]}


@pytest.mark.usefixtures("umask")
@pytest.mark.parametrize("key", [None, bytes(32)], ids=["in clear", "encrypted"])
def test_all_of_a_used_memory(tmp_path: Path, key: bytes | None) -> None:
    directory = tmp_path / "memory"
    directory.mkdir()  # as a user makes it
    log = tmp_path / "boiler.csv"
    log.write_text("time,level\n" + "".join(f"2026-03-14 09:00:{n:02},{n}\n" for n in range(60)))
    with Memory.open(directory, Config(key=key)) as memory:
        assert memory.add([log, Observation(text="a note", media=(picture(),))]).failed == ()
        memory.search("note")
        assert loose(directory) == {}, "while it is open"
        memory.add(Observation(text="another note", session="gone"))
        memory.forget(session="gone")
        memory.rebuild_index()
        assert memory.verify().ok
        assert loose(directory) == {}, "after all was used"
    assert loose(directory) == {}, "after it was closed"
    assert (directory / "chroma" / "chroma.sqlite3").exists() == (key is None)


def picture() -> Media:
    return Media.of_bytes("thumbnail", "image/png", b"pixels")


def test_an_older_memory_is_tightened(tmp_path: Path) -> None:
    with Memory.open(tmp_path / "memory") as memory:
        memory.add(Observation(text="a note", media=(picture(),)))
    found = [tmp_path / "memory", *(tmp_path / "memory" / n for n in ("media", "catalog.sqlite3"))]
    for path in found:
        path.chmod(path.stat().st_mode | 0o055)
    Memory.open(tmp_path / "memory").close()
    assert [oct(mode(path)) for path in found] == ["0o700", "0o700", "0o600"]


def test_many_threads_may_make_one_file(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(private.file, [tmp_path / "file"] * 64))
    assert mode(tmp_path / "file") == 0o600


def test_making_a_file_again_drops_no_lock_on_it(tmp_path: Path) -> None:
    """POSIX: a process loses its locks on a file when it closes any descriptor of that file."""
    path = tmp_path / "catalog.sqlite3"
    connection = cipher.connect(path)
    connection.execute("CREATE TABLE t (a)")
    connection.execute("BEGIN EXCLUSIVE")
    private.file(path)
    other = cipher.connect(path)
    other.close()
    probe = (
        "import sqlite3, sys\n"
        "db = sqlite3.connect(sys.argv[1], timeout=0)\n"
        "try: db.execute('SELECT * FROM t')\n"
        "except sqlite3.OperationalError as error: sys.exit(str(error))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe, path], capture_output=True, text=True, check=False
    )
    assert done.stderr.strip() == "database is locked"
    connection.execute("ROLLBACK")
    connection.close()
    assert isinstance(connection, sqlite3.Connection)


_OTHER_WRITER = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("INSERT INTO audit VALUES (0, 'other', '', 0)")
db.close()
"""


def test_another_connection_costs_no_acknowledged_write(tmp_path: Path) -> None:
    """What a lost lock leads to: another process takes the log away from under this one."""
    path = tmp_path / "memory" / "catalog.sqlite3"
    with Memory.open(tmp_path / "memory", Config(exact_limit=10**6)) as memory:
        memory.add(Observation(text="the first note"))
        with Memory.open(tmp_path / "memory", Config(exact_limit=10**6)) as second:
            second.search("note")
            with ThreadPoolExecutor(4) as pool:
                list(pool.map(memory.search, ["note"] * 8))
            subprocess.run([sys.executable, "-c", _OTHER_WRITER, path], check=True)
            assert path.with_name("catalog.sqlite3-wal").exists(), "this process still writes it"
            memory.add(Observation(text="the second note"))
            count = "SELECT count(*) FROM observation"
            probe = f"import sqlite3, sys; print(*sqlite3.connect(sys.argv[1]).execute({count!r}))"
            done = subprocess.run(
                [sys.executable, "-c", probe, path], capture_output=True, text=True, check=True
            )
            assert done.stdout == "(2,)\n"


def test_a_directory_is_synced_and_nothing_is_left_open(tmp_path: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    private.sync(tmp_path)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    with pytest.raises(FileNotFoundError):
        private.sync(tmp_path / "absent")
