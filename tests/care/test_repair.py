"""Mending a memory, and saying in figures what was done."""

import json
import os
import random
import shutil
import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from agentctx import Config, Media, Memory, Observation
from agentctx.cli import cli
from agentctx.errors import CatalogDamaged, StoreError

NINE = datetime(2026, 3, 14, 9, tzinfo=UTC)
PAGE = 4096
COUNT = 200


def note(n: int) -> Observation:
    return Observation(
        text=f"note{n} says that pump{n % 7} of line{n % 3} runs at {n} bar",
        captured_at=NINE + timedelta(minutes=n),
        media=(Media.of_bytes("original", "text/plain", f"original of {n}".encode()),),
    )


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, config: Config) -> Path:
    """A closed memory of 200 notes, each with a file, that Chroma has all of."""
    place = tmp_path_factory.mktemp("filled") / "m"
    with Memory.open(place, config) as memory:
        memory.add([note(n) for n in range(COUNT)])
        assert memory.sync_index() == COUNT
    return place


@pytest.fixture
def directory(filled: Path, tmp_path: Path) -> Path:
    """A copy to damage."""
    return Path(shutil.copytree(filled, tmp_path / "m"))


@pytest.fixture
def unindexed(directory: Path) -> Path:
    """A copy that Chroma has nothing of, which spares its start."""
    with closing(sqlite3.connect(directory / "catalog.sqlite3")) as db, db:
        db.execute("INSERT OR IGNORE INTO pending SELECT pk FROM vector")
    shutil.rmtree(directory / "chroma")
    return directory


def ids(memory: Memory) -> set[str]:
    return {observation.id for observation in memory.timeline()}


def test_nothing_is_done_to_a_sound_memory(directory: Path, config: Config) -> None:
    before = (directory / "catalog.sqlite3").read_bytes()
    report = Memory.repair(directory, config)
    assert report.ok
    assert report.salvaged is None
    assert (report.found, report.orphans, report.reworded, report.encoded, report.indexed) == (
        (), 0, 0, 0, 0,
    )  # fmt: skip
    assert (directory / "catalog.sqlite3").read_bytes() == before


def test_files_that_belong_to_nothing_are_removed_when_old(unindexed: Path, config: Config) -> None:
    old, new = unindexed / "media" / "old.part", unindexed / "media" / "new.part"
    for path in (old, new):
        path.write_text("left by a killed process")
    os.utime(old, (time.time() - 7200,) * 2)
    report = Memory.repair(unindexed, config)
    assert report.orphans == 1
    assert "1 files in media/" in report.found[0]
    assert report.ok
    assert (old.exists(), new.exists()) == (False, True)


@pytest.mark.parametrize("damage", ["DELETE FROM passage_words_data WHERE id > 100",
                                    "DELETE FROM passage_words_data",
                                    "UPDATE passage_words_data SET block = x'7f7f7f'"])  # fmt: skip
def test_the_words_are_indexed_anew(unindexed: Path, config: Config, damage: str) -> None:
    with closing(sqlite3.connect(unindexed / "catalog.sqlite3")) as db, db:
        db.execute(damage)
    report = Memory.repair(unindexed, config)
    assert report.reworded == COUNT
    assert any("full-text index" in problem for problem in report.found)
    assert report.ok
    with Memory.open(unindexed, config) as memory:
        assert memory.search("note77", 1)[0].id == note(77).id
        memory.forget([note(77).id])
        assert memory.verify().ok


@pytest.mark.parametrize("how", ["missing", "garbage"])
def test_the_index_is_made_anew(directory: Path, config: Config, how: str) -> None:
    if how == "missing":
        shutil.rmtree(directory / "chroma")
    else:
        (directory / "chroma" / "chroma.sqlite3").write_bytes(random.Random(1).randbytes(60_000))
    steps: list[tuple[int, int, str]] = []
    report = Memory.repair(directory, config, progress=lambda *step: steps.append(step))
    assert report.found
    assert report.indexed == COUNT
    assert report.ok
    assert (COUNT, COUNT, "indexing") in steps
    with Memory.open(directory, config) as memory:
        assert memory.verify().ok


def damage(directory: Path, *pages: int) -> None:
    path = directory / "catalog.sqlite3"
    content = bytearray(path.read_bytes())
    for page in pages:
        content[page * PAGE : (page + 1) * PAGE] = random.Random(page).randbytes(PAGE)
    path.write_bytes(content)


def test_a_damaged_catalog_is_salvaged_and_what_is_lost_is_listed(
    directory: Path, config: Config
) -> None:
    size = (directory / "catalog.sqlite3").stat().st_size // PAGE
    damage(directory, 0, *range(5, size, 9))
    with pytest.raises(CatalogDamaged, match="agentctx repair"):
        Memory.open(directory, config)
    report = Memory.repair(directory, config)
    saved = report.salvaged
    assert saved is not None
    assert saved.kept is not None
    assert saved.kept.exists()
    assert 0 < len(saved.damaged_pages) <= size
    with Memory.open(directory, config) as memory:
        left = ids(memory)
        assert len(left) == saved.observations
        known = {note(n).id for n in range(COUNT)}
        lost = {one.id for one in saved.lost if one.id}
        assert len(left) > COUNT / 2
        assert left - known == set(saved.partial)
        # Each that is gone is told: by its id, or as a key that nothing is known of.
        untold = saved.unaccounted_beyond_forgotten + sum(not one.id for one in saved.lost)
        assert len(known - left - lost) <= untold + len(saved.partial)
        for n in range(0, COUNT, 20):
            if note(n).id in left:
                assert memory.search(note(n).text, 1)[0].id == note(n).id
        assert memory.add([note(n) for n in range(COUNT)]).added >= COUNT - len(left)
        assert memory.verify().ok
        # What is forgotten now must not be left in the damaged file.
        memory.forget([note(0).id])
        assert not saved.kept.exists()


def test_vectors_that_were_lost_are_made_again(directory: Path, config: Config) -> None:
    with closing(sqlite3.connect(directory / "catalog.sqlite3")) as db:
        (root,) = db.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'vector'").fetchone()
    damage(directory, root - 1, root + 1, root + 2)
    report = Memory.repair(directory, config)
    assert report.salvaged is not None
    assert report.encoded == len(report.salvaged.unencoded) or report.encoded > 0
    with Memory.open(directory, config) as memory:
        ((without,),) = memory._store.catalog.query(
            "SELECT count(*) FROM passage WHERE pk NOT IN (SELECT passage_pk FROM vector)"
        )
        assert without == 0
        assert memory.verify().ok


def test_a_memory_that_is_used_is_not_salvaged(unindexed: Path, config: Config) -> None:
    with Memory.open(unindexed, config):
        damage(unindexed, 3, 4, 5, 6)
        with pytest.raises(StoreError, match="use"):
            Memory.repair(unindexed, config)


def test_a_catalog_that_is_gone_is_made_of_what_chroma_has(directory: Path, config: Config) -> None:
    (directory / "catalog.sqlite3").unlink()
    report = Memory.repair(directory, config)
    assert report.salvaged is not None
    assert report.salvaged.observations == COUNT
    with Memory.open(directory, config) as memory:
        assert memory.search("note77", 1)[0].text == note(77).text


def test_the_originals_of_what_was_lost_stay(unindexed: Path, config: Config) -> None:
    """They may be all that is left of it, so no later repair takes them for rubbish."""
    old = time.time() - 7200
    for path in (unindexed / "media").rglob("*"):
        os.utime(path, (old, old))
    size = (unindexed / "catalog.sqlite3").stat().st_size
    os.truncate(unindexed / "catalog.sqlite3", size // 2)
    saved = Memory.repair(unindexed, config).salvaged
    assert saved is not None
    assert saved.observations < COUNT
    assert len(saved.media_alone) == COUNT - saved.media
    again = Memory.repair(unindexed, config)
    assert (again.salvaged, again.orphans, again.left) == (None, 0, ())
    assert sum(path.is_file() for path in (unindexed / "media").rglob("*")) == COUNT


@pytest.mark.parametrize("left", ["nothing", "an empty file", "its log"])
def test_a_lost_catalog_is_no_new_memory(directory: Path, config: Config, left: str) -> None:
    """SQLite would take an empty file for a new one, and throw the log of the old one away."""
    shutil.rmtree(directory / "chroma")
    log = directory / "catalog.sqlite3-wal"
    if left == "its log":
        memory = Memory.open(directory, config)
        memory.add(note(COUNT))
        content = log.read_bytes()
        memory.close()
        log.write_bytes(content)
        shutil.rmtree(directory / "media")
    (directory / "catalog.sqlite3").write_bytes(b"")
    if left == "nothing":
        (directory / "catalog.sqlite3").unlink()
    with pytest.raises(CatalogDamaged, match="agentctx repair"):
        Memory.open(directory, config)
    if left == "its log":
        assert log.read_bytes() == content
        saved = Memory.repair(directory, config).salvaged
        assert saved is not None
        assert saved.observations > 0


def test_a_row_that_is_no_observation_is_damage(directory: Path, config: Config) -> None:
    with closing(sqlite3.connect(directory / "catalog.sqlite3")) as db, db:
        db.execute("UPDATE observation SET attributes = '{' WHERE pk = 7")
    with Memory.open(directory, config) as memory:
        with pytest.raises(CatalogDamaged, match="agentctx repair"):
            memory.timeline()
        assert not memory.verify().ok
    report = Memory.repair(directory, config)
    assert report.salvaged is not None
    assert report.ok
    with Memory.open(directory, config) as memory:
        assert len(memory.timeline()) in (COUNT - 1, COUNT)


def test_absent_media_are_said_to_be_left(unindexed: Path, config: Config) -> None:
    digest = note(3).media[0].digest
    (unindexed / "media" / digest[:2] / digest).unlink()
    report = Memory.repair(unindexed, config)
    assert not report.ok
    assert report.left == (f"media {digest} is absent or damaged",)


def test_by_command(tmp_path: Path, unindexed: Path, config: Config) -> None:
    (tmp_path / "config.toml").write_text('encoders = ["first"]\n')
    options = ["--memory", str(unindexed), "--config", str(tmp_path / "config.toml")]
    run = CliRunner().invoke
    done = run(cli, ["repair", *options])
    assert done.stdout == "found: no problems\nnothing is wrong any more\n", done.exception
    damage(unindexed, 0, 6)
    done = run(cli, ["repair", *options])
    assert "the catalog was damaged: 2 of its" in done.stdout, done.exception
    assert "the damaged file is kept" in done.stdout
    done = run(cli, ["repair", "--json", *options])
    assert json.loads(done.stdout)["salvaged"] is None
    done = run(cli, ["reindex", "--encoder", "second", *options])
    assert "searched by second now" in done.stdout, done.exception
