"""The scan of a directory: every byte of every file, whatever kind of file it is."""

import os
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from agentctx.errors import StoreError
from agentctx.memory.erasure import Finding, collect, scan
from agentctx.memory.erasure.windows import BLOCK, WIDEST

SECRET = "the vault behind the painting opens with 4711 and a push"
FILLER = "nothing of interest was said that day, but it was said at great length. "


def test_an_empty_directory(tmp_path: Path) -> None:
    report = scan(tmp_path, collect(texts=[SECRET]))
    assert report.ok
    assert (report.files, report.bytes, report.findings) == (0, 0, ())
    assert report.sought == {"text": 4}


def test_a_finding_says_where(tmp_path: Path) -> None:
    (tmp_path / "chroma" / "segment").mkdir(parents=True)
    (tmp_path / "chroma" / "segment" / "data.bin").write_bytes(bytes(1000) + SECRET.encode())
    (tmp_path / "catalog.sqlite3-wal").write_bytes(b"-" + SECRET.encode() + FILLER.encode())
    (tmp_path / "harmless").write_text(FILLER)
    report = scan(tmp_path, collect(texts=[SECRET]))
    assert not report.ok
    assert report.files == 3
    by_file = {finding.file: finding for finding in report.findings}
    assert set(by_file) == {"catalog.sqlite3-wal", "chroma/segment/data.bin"}
    assert by_file["chroma/segment/data.bin"] == Finding("chroma/segment/data.bin", "text", 1000, 2)
    assert by_file["catalog.sqlite3-wal"].places == 2
    # At an even offset the one half of the fingerprints is seen, at an odd one the other.
    assert (report.sought, report.found) == ({"text": 4}, {"text": 4})


@pytest.mark.parametrize("before", [-70, -56, -40, -31, -17, -1, 0, 5])
def test_what_lies_across_two_blocks_is_found(tmp_path: Path, before: int) -> None:
    (tmp_path / "file").write_bytes(bytes(BLOCK + before) + SECRET.encode() + bytes(40))
    report = scan(tmp_path, collect(texts=[SECRET]))
    assert [(finding.kind, finding.places) for finding in report.findings] == [("text", 2)]
    assert 0 <= report.findings[0].offset - (BLOCK + before) <= len(SECRET) - WIDEST
    assert report.bytes == BLOCK + before + len(SECRET) + 40


@pytest.mark.parametrize("size", [1, 31, 32, 33, BLOCK, BLOCK + 31, BLOCK + 32, 2 * BLOCK + 7])
def test_all_bytes_are_read_once(tmp_path: Path, size: int) -> None:
    (tmp_path / "file").write_bytes(np.random.default_rng(1).bytes(size))
    calls: list[tuple[int, int]] = []
    report = scan(tmp_path, collect(texts=[SECRET]), lambda *done: calls.append(done))
    assert report.bytes == size
    assert calls[-1] == (size, size)
    assert calls == sorted(calls)


def test_the_very_end_of_a_file_counts(tmp_path: Path) -> None:
    for size in (100, BLOCK, BLOCK + 3):
        (tmp_path / "file").write_bytes(bytes(size - len(SECRET)) + SECRET.encode())
        assert not scan(tmp_path, collect(texts=[SECRET])).ok


def test_file_names_count(tmp_path: Path) -> None:
    digest = np.random.default_rng(2).bytes(32).hex()
    (tmp_path / "media" / digest[:2]).mkdir(parents=True)
    (tmp_path / "media" / digest[:2] / digest).touch()
    report = scan(tmp_path, collect(digests=[digest]))
    assert [finding.kind for finding in report.findings] == ["digest"]


def test_leftovers_of_media_are_found(tmp_path: Path) -> None:
    dice = np.random.default_rng(3)
    original = tmp_path / "elsewhere.wav"
    original.write_bytes(b"RIFF" + bytes(400) + dice.bytes(300_000) + bytes(50_000))
    other = dice.bytes(300_000)
    fingerprints = collect(media=[original])
    memory = tmp_path / "memory"
    memory.mkdir()
    (memory / "other").write_bytes(b"RIFF" + bytes(400) + other)
    assert scan(memory, fingerprints).ok
    data = original.read_bytes()
    (memory / "tmp8f2k").write_bytes(data[100_000:120_000])
    assert [finding.file for finding in scan(memory, fingerprints).findings] == ["tmp8f2k"]


def test_an_empty_or_blank_file_gives_no_fingerprints(tmp_path: Path) -> None:
    for number, data in enumerate((b"", b"x", bytes(100_000), b"ab" * 5000)):
        (tmp_path / str(number)).write_bytes(data)
    assert collect(media=sorted(tmp_path.iterdir())).counts() == {}


def test_pipes_and_links_are_not_opened(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text(SECRET)
    memory = tmp_path / "memory"
    memory.mkdir()
    os.mkfifo(memory / "pipe")
    (memory / "link").symlink_to(outside)
    (memory / "nowhere").symlink_to(tmp_path / "absent")
    report = scan(memory, collect(texts=[SECRET]))
    assert report.ok
    assert report.files == 0


def test_a_file_that_goes_meanwhile_is_named(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).write_text(FILLER)
    gone = tmp_path / "b"
    report = scan(tmp_path, collect(texts=[SECRET]), lambda *_: gone.unlink(missing_ok=True))
    assert report.vanished == ("b",)
    assert report.files == 2
    assert report.ok


def test_a_file_that_is_renamed_meanwhile_is_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(FILLER)
    (tmp_path / "b").write_text(SECRET)

    def rename(*_: int) -> None:
        if (tmp_path / "b").exists():
            (tmp_path / "b").rename(tmp_path / "b.erased")

    report = scan(tmp_path, collect(texts=[SECRET]), rename)
    assert [finding.file for finding in report.findings] == ["b.erased"]
    assert report.vanished == ("b",)


def test_a_file_that_grows_meanwhile_does_not_keep_the_scan(tmp_path: Path) -> None:
    growing = tmp_path / "log"
    growing.write_bytes(bytes(3 * BLOCK))

    def grow(*_: int) -> None:
        with growing.open("ab") as file:
            file.write(bytes(2 * BLOCK))

    assert scan(tmp_path, collect(texts=[SECRET]), grow).bytes == 3 * BLOCK


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="absent"):
        scan(tmp_path / "absent", collect(texts=[SECRET]))


# -- what SQLite leaves --------------------------------------------------------------------------


def diary(path: Path, *, secure: bool) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute(f"PRAGMA secure_delete = {'ON' if secure else 'OFF'}")
    db.execute("CREATE TABLE entry (day INTEGER PRIMARY KEY, text TEXT, vector BLOB)")
    dice = np.random.default_rng(4)
    for day in range(300):
        text = f"day {day}: {SECRET if day == 150 else FILLER}"
        vector = dice.normal(size=384).astype(np.float32).tobytes()
        db.execute("INSERT INTO entry VALUES (?, ?, ?)", (day, text, vector))
    return db


def sizes(path: Path) -> int:
    return sum(file.stat().st_size for file in path.iterdir())


def test_deleting_is_not_erasing(tmp_path: Path) -> None:
    db = diary(tmp_path / "diary.sqlite3", secure=False)
    ((text, vector),) = db.execute("SELECT text, vector FROM entry WHERE day = 150")
    others = [row[0] for row in db.execute("SELECT text FROM entry WHERE day != 150")]
    fingerprints = collect(
        texts=[text], vectors=[np.frombuffer(vector, np.float32)]
    ).without(others)  # fmt: skip
    kinds = {"text", "vector"}
    assert {finding.kind for finding in scan(tmp_path, fingerprints).findings} == kinds
    db.execute("DELETE FROM entry WHERE day = 150")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert {finding.kind for finding in scan(tmp_path, fingerprints).findings} == kinds
    db.execute("VACUUM")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert scan(tmp_path, fingerprints).ok
    db.close()


def test_secure_delete_needs_the_checkpoint(tmp_path: Path) -> None:
    db = diary(tmp_path / "diary.sqlite3", secure=True)
    fingerprints = collect(texts=[SECRET])
    db.execute("DELETE FROM entry WHERE day = 150")
    left = {finding.file for finding in scan(tmp_path, fingerprints).findings}
    assert left == {"diary.sqlite3-wal"}
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert scan(tmp_path, fingerprints).ok
    db.close()


def test_a_checkpoint_meanwhile_hides_nothing(tmp_path: Path) -> None:
    db = diary(tmp_path / "diary.sqlite3", secure=True)

    def write(*_: int) -> None:
        db.execute("INSERT INTO entry (text) VALUES (?)", (FILLER * 100,))
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    assert not scan(tmp_path, collect(texts=[SECRET]), write).ok
    ((state,),) = db.execute("PRAGMA integrity_check")
    assert state == "ok"
    db.close()
