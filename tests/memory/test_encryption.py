"""An encrypted memory: everything works in it, and nothing of it can be read without the key."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from agentctx import Config, Media, Memory, Observation
from agentctx.cli.opening import settings
from agentctx.errors import EncryptionError, StoreError
from agentctx.memory.keys import new_file

KEY = bytes(range(32))
NINE = datetime(2026, 3, 14, 9, tzinfo=UTC)
TEXTS = (
    "The quokka valve on pump three was closed by hand.",
    "Marguerite asked the night shift to order a zirconium seal.",
    "Batch 4471 fails its check after an hour.",
)
THUMBNAIL = b"\x89PNG\r\n\x1a\n" + np.random.default_rng(1).bytes(70_000)


def notes() -> list[Observation]:
    return [
        Observation(
            text=text,
            captured_at=NINE + timedelta(minutes=n),
            session="falcon",
            source="logbook",
            attributes={"author": "Wilhelmina"},
            media=(Media.of_bytes("thumbnail", "image/png", THUMBNAIL[: 70_000 + n]),),
        )
        for n, text in enumerate(TEXTS)
    ]


def log(directory: Path) -> Path:
    path = directory / "boiler.csv"
    rows = [f"{(NINE + timedelta(seconds=n)).isoformat()},{n * 0.5}" for n in range(600)]
    path.write_text("\n".join(["time,vibration (mm/s)", *rows]))
    return path


def transcript(directory: Path) -> Path:
    path = directory / "standup.srt"
    path.write_text("1\n00:00:01,000 --> 00:00:04,000\nThe axolotl tank is two days late.\n")
    return path


def config(key: bytes | str | None) -> Config:
    return Config(key=key)


@pytest.fixture(scope="module", params=[KEY, None], ids=["encrypted", "in clear"])
def used(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Config]:
    """A memory that was filled, asked, partly forgotten, and closed."""
    folder = tmp_path_factory.mktemp("used")
    chosen = config(request.param)
    with Memory.open(folder / "memory", chosen) as memory:
        report = memory.add([log(folder), transcript(folder), *notes()])
        assert report.failed == ()
        memory.add(Observation(text="This ocelot remark is forgotten.", session="gone"))
        memory.forget(session="gone")
        memory.sync_index()
    return folder / "memory", chosen


def test_everything_works(used: tuple[Path, Config]) -> None:
    directory, chosen = used
    with Memory.open(directory, chosen) as memory:
        assert memory.add(notes()).unchanged == 3
        hits = memory.search("who closed the valve?")
        assert (hits[0].id, hits[0].text) == (notes()[0].id, TEXTS[0])
        assert memory.search("zirconium", modality="text", since=NINE)[0].text == TEXTS[1]
        assert memory.moments("closed valve", window=90)[0].hits
        context = memory.context("who asked for a seal?")
        assert TEXTS[1] in context.text
        assert THUMBNAIL[:70_001] in [image.read() for image in context.images]
        assert [o.text for o in memory.timeline(session="falcon")] == list(TEXTS)
        assert memory.readings("vibration", aggregate="max") == 299.5
        since = NINE + timedelta(seconds=10)
        found = memory.readings("vibration", since, since + timedelta(seconds=2))
        assert isinstance(found, list)
        assert [reading.value for reading in found] == [5.0, 5.5]
        original = next(o for o in memory.timeline() if o.find_media("original"))
        media = original.find_media("original")
        assert media is not None
        assert media.read() == transcript(directory.parent).read_bytes()
        assert memory.verify().problems == ()
        assert memory.search("ocelot") == []


def traces() -> dict[str, bytes]:
    """What would be found in the files of a memory in clear."""
    first = notes()[0]
    (thumbnail,) = first.media
    found = {word: word.encode() for word in ("quokka", "zirconium", "Wilhelmina", "falcon")}
    found |= {word: word.encode() for word in ("logbook", "vibration", "axolotl", "thumbnail")}
    found |= {"SQLite": b"SQLite format 3", "Parquet": b"PAR1", "picture": THUMBNAIL[100:116]}
    return found | {
        "digest of a media": thumbnail.digest.encode(),
        "id": first.id.encode(),
        "original": b"00:00:04,000\nThe axolotl",
    }


def everything(directory: Path) -> bytes:
    files = sorted(path for path in directory.rglob("*") if path.is_file())
    names = "\n".join(str(path.relative_to(directory)) for path in files)
    return b"".join([names.encode(), *(path.read_bytes() for path in files)])


def vectors(memory: Memory) -> list[bytes]:
    rows = memory._store.catalog.query("SELECT vector FROM vector")
    assert len(rows) > 3
    return [vector[16:48] for (vector,) in rows]


def test_nothing_is_in_clear(used: tuple[Path, Config]) -> None:
    directory, chosen = used
    with Memory.open(directory, chosen) as memory:
        sought = [*traces().values(), *vectors(memory)]
    content = everything(directory)
    found = [trace for trace in sought if trace in content]
    assert found == (sought if chosen.key is None else [])


def test_nothing_is_in_clear_while_it_is_open(tmp_path: Path) -> None:
    """The write-ahead log, its index and temporary files, as another process sees them."""
    code = (
        "import json, sys; from pathlib import Path\n"
        "directory = Path(sys.argv[1])\n"
        "found = b''.join(p.read_bytes() for p in directory.rglob('*') if p.is_file())\n"
        "print(json.dumps([t for t in json.loads(sys.argv[2]) if bytes.fromhex(t) in found]))"
    )
    with Memory.open(tmp_path / "memory", config(KEY)) as memory:
        memory.add([log(tmp_path), transcript(tmp_path), *notes()])
        assert (tmp_path / "memory" / "catalog.sqlite3-wal").stat().st_size > 0
        sought = json.dumps([t.hex() for t in [*traces().values(), *vectors(memory)]])
        arguments = [sys.executable, "-c", code, tmp_path / "memory", sought]
        done = subprocess.run(arguments, capture_output=True, check=True)
    assert json.loads(done.stdout) == []


def test_there_is_no_chroma(used: tuple[Path, Config]) -> None:
    directory, chosen = used
    assert (directory / "chroma").exists() == (chosen.key is None)
    if chosen.key is not None:
        with Memory.open(directory, Config(key=chosen.key, exact_limit=0)) as memory:
            assert memory.search("who closed the valve?")[0].text == TEXTS[0]
            assert memory.rebuild_index() == 0
        known = {"catalog.sqlite3", "media", "encryption.json", "lease"}
        assert {path.name for path in directory.iterdir()} <= known
        lease = directory / "lease"
        assert not lease.exists() or lease.read_bytes() == b""


def test_the_wrong_key_opens_nothing_and_changes_nothing(used: tuple[Path, Config]) -> None:
    directory, chosen = used
    before = everything(directory)
    wrong = [None, bytes(32)] if chosen.key else [KEY]
    says = "is encrypted" if chosen.key else "is not encrypted"
    for key in wrong:
        with pytest.raises(EncryptionError, match=says):
            Memory.open(directory, config(key))
    assert everything(directory) == before
    with Memory.open(directory, chosen) as memory:
        assert memory.verify().ok


def test_a_memory_in_clear_is_moved_into_an_encrypted_one(tmp_path: Path) -> None:
    """And back: an archive is in clear."""
    backup, again = tmp_path / "backup.agentctx", tmp_path / "again.agentctx"
    with Memory.open(tmp_path / "old") as memory:
        memory.add([log(tmp_path), *notes()])
        memory.export(backup)
        wanted = memory.timeline()
    with Memory.open(tmp_path / "new", config(KEY)) as memory:
        assert memory.import_(backup).added == len(wanted)
        assert memory.timeline() == wanted
        assert memory.readings("vibration", aggregate="count") == 600
        assert [o.media[0].read() for o in memory.timeline(session="falcon")] == [
            o.media[0].read() for o in notes()
        ]
        memory.export(again)
        assert memory.verify().ok
    content = everything(tmp_path / "new")
    assert not [trace for trace in traces().values() if trace in content]
    with Memory.open(tmp_path / "third") as memory:
        assert memory.import_(again).added == len(wanted)
        assert memory.verify().ok


# -- several processes ----------------------------------------------------------------------------

_WRITER = """
import sys
from agentctx import Config, Memory, Observation
with Memory.open(sys.argv[1], Config(key=bytes(range(32)))) as memory:
    print("open", flush=True)
    for n in range(10):
        memory.add(Observation(text=f"other process, note {n}", source="other"))
    print("added", flush=True)
    sys.stdin.readline()
"""


def test_two_processes_at_once(tmp_path: Path) -> None:
    with (
        Memory.open(tmp_path / "memory", config(KEY)) as memory,
        subprocess.Popen(
            [sys.executable, "-c", _WRITER, tmp_path / "memory"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        ) as other,
    ):  # fmt: skip
        assert other.stdout is not None
        assert other.stdin is not None
        assert other.stdout.readline() == "open\n"
        for n in range(10):
            memory.add(Observation(text=f"this process, note {n}", source="this"))
        assert other.stdout.readline() == "added\n"
        assert len(memory.timeline(source="other")) == len(memory.timeline(source="this")) == 10
        assert memory.search("other process note 7", source="other")[0].text.endswith("note 7")
        other.stdin.write("\n")
        other.stdin.close()
        assert other.wait(timeout=60) == 0
        assert memory.verify().problems == ()


# -- damage ---------------------------------------------------------------------------------------


@pytest.fixture
def filled(tmp_path: Path) -> Iterator[tuple[Memory, Path]]:
    with Memory.open(tmp_path / "memory", config(KEY)) as memory:
        memory.add([log(tmp_path), transcript(tmp_path), *notes()])
        yield memory, tmp_path / "memory"


def test_media_that_were_changed_are_told(filled: tuple[Memory, Path]) -> None:
    memory, directory = filled
    for path in (directory / "media").rglob("*"):
        if path.is_file():
            content = bytearray(path.read_bytes())
            content[len(content) // 2] ^= 1
            path.write_bytes(content)
    problems = memory.verify().problems
    assert len(problems) == 5, "readings, a transcript, three thumbnails"
    with pytest.raises(StoreError, match=r"changed or cut on disk"):
        memory.readings("vibration")
    with pytest.raises(EncryptionError, match="changed or cut on disk"):
        memory.context("who closed the valve?").images[0].read()


def test_a_changed_catalog_is_told(tmp_path: Path) -> None:
    with Memory.open(tmp_path / "memory", config(KEY)) as memory:
        memory.add(notes())
    path = tmp_path / "memory" / "catalog.sqlite3"
    content = bytearray(path.read_bytes())
    for page in range(4096, len(content), 4096):
        content[page + 100] ^= 1
    path.write_bytes(content)
    with pytest.raises(StoreError), Memory.open(tmp_path / "memory", config(KEY)) as memory:
        memory.search("valve")
    with pytest.raises(StoreError) as raised:
        Memory.open(tmp_path / "memory", config(bytes(32)))
    assert "another key" in str(raised.value)


# -- the command line -----------------------------------------------------------------------------


def agentctx(*words: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", "from agentctx.cli import main; main()", *map(str, words)],
        env=os.environ | environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_from_the_command_line(tmp_path: Path) -> None:
    key, memory = tmp_path / "a.key", tmp_path / "memory"
    assert agentctx("keygen", key).returncode == 0
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    again = agentctx("keygen", key)
    assert (again.returncode, again.stdout) == (1, "")
    assert "a key that is replaced opens nothing" in again.stderr
    where = ("--memory", memory)
    added = agentctx("add", "--text", TEXTS[0], *where, AGENTCTX_KEY_FILE=str(key))
    assert added.returncode == 0, added.stderr
    found = agentctx("timeline", "--json", *where, "--key-file", key)
    assert json.loads(found.stdout)[0]["text"] == TEXTS[0]
    closed = agentctx("search", "valve", *where)
    assert (closed.returncode, closed.stdout) == (1, "")
    assert "is encrypted; give its key" in closed.stderr


def test_from_a_config_file(tmp_path: Path) -> None:
    new_file(tmp_path / "a.key")
    (tmp_path / "config.toml").write_text(f"key = 'file:{tmp_path}/a.key'\n")
    chosen = settings(tmp_path / "config.toml", None)
    with Memory.open(tmp_path / "memory", chosen) as memory:
        memory.add(Observation(text=TEXTS[0]))
    new_file(tmp_path / "b.key")
    other = settings(tmp_path / "config.toml", tmp_path / "b.key")
    with pytest.raises(EncryptionError, match="another key"):
        Memory.open(tmp_path / "memory", other)
    (tmp_path / "a.key").chmod(0o644)
    with pytest.raises(EncryptionError, match=r"chmod 600 .*a\.key"):
        Memory.open(tmp_path / "memory", chosen)
