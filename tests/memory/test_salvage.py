"""What is saved of a damaged catalog: all that can be read, as it was, and the rest is named."""

import shutil
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agentctx.errors import CatalogDamaged, StoreError
from agentctx.memory import state
from agentctx.memory.catalog import Catalog
from agentctx.memory.media import MediaStore
from agentctx.memory.salvage import SalvageReport, damaged_copies, salvage
from agentctx.memory.store import Store
from agentctx.records import Filters

from . import damaging
from .damaging import (
    CARD,
    COUNT,
    LOGGED,
    OTHER,
    PAGE,
    catalog_of,
    cut,
    garbage,
    log_of,
    observation,
    overwrite,
    overwrite_page,
    rows,
)

Rows = Mapping[str, set[tuple[Any, ...]]]


@dataclass(frozen=True)
class Whole:
    """The memories that are damaged, and the rows that are in both of them."""

    closed: Path
    logged: Path
    rows: Rows


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    folder = tmp_path_factory.mktemp("whole")
    damaging.make(folder / "closed", folder / "logged")
    return Whole(folder / "closed", folder / "logged", rows(folder / "closed"))


def damaged(original: Path, target: Path, damage: Callable[[Path], object]) -> Path:
    shutil.copytree(original, target)
    damage(target)
    return target


def check(directory: Path, report: SalvageReport, before: Rows, altered: int = 0) -> Rows:
    """The new catalog is sound, what is in it is as it was, the rest is in the report."""
    after = rows(directory)
    assert after["observation"] <= before["observation"]
    # What kind of file it is, nothing proves.
    assert len(after["media"] - before["media"]) <= altered
    assert after["space"] <= before["space"]
    assert after["ingested"] <= before["ingested"]
    for table in ("observation", "passage", "vector", "media", "ingested", "token_matrix"):
        name = f"{table}s" if f"{table}s" in SalvageReport.__slots__ else table
        assert getattr(report, name) == len(after[table]), table
    gone = {row[0]: row[1] for row in before["observation"] - after["observation"]}
    named = {lost.key: lost for lost in report.lost}
    unaccounted = {pk for a, b in report.unaccounted for pk in range(a, b + 1)}
    assert set(named).isdisjoint(unaccounted)
    assert set(gone) == set(named) | unaccounted
    for pk, lost in named.items():
        assert lost.id in ("", gone[pk])
        known = observation(pk - 1)
        assert lost.captured_at in (None, known.captured_at)
        assert (lost.session, lost.source) in [("", ""), (known.session, known.source)]
    opens(directory, report)
    return after


def opens(directory: Path, report: SalvageReport) -> None:
    """A memory on it is whole, every text is found by its words, and it takes more."""
    store = Store(directory, exact_limit=1_000_000)
    store.register(CARD)
    store.register(OTHER)
    checked = store.verify()
    assert [problem for problem in checked.problems if "media/ belong" not in problem] == []
    assert checked.observations == report.observations
    assert checked.pending == report.vectors, "Chroma is to be made anew"
    assert store.catalog.state(state.INDEX) != store.catalog.state(state.INDEXED)
    for row in store.catalog.select(Filters())[::29]:
        n = row.pk - 1
        (best, *_) = store.words(f"wort{n}", 5)
        assert store.catalog.passages([best[0]])[best[0]].observation_pk == row.pk
    assert store.add([damaging.entry(observation(COUNT), COUNT)], {}) == {observation(COUNT).id}
    (new,) = store.catalog.select(Filters(), [observation(COUNT).id])
    assert new.pk > max((lost.key for lost in report.lost), default=0), "keys are not used again"
    store.catalog.close()


def lost_count(report: SalvageReport) -> int:
    return len(report.lost) + sum(last - first + 1 for first, last in report.unaccounted)


# -- nothing is lost --------------------------------------------------------------------------


def nothing(directory: Path) -> None:
    assert catalog_of(directory).exists()


def zero_header(directory: Path) -> None:
    overwrite(catalog_of(directory), 0, bytes(100))


def garbage_header(directory: Path) -> None:
    overwrite(catalog_of(directory), 0, garbage(1, 100))


def zero_schema(directory: Path) -> None:
    """The first page, and those that it refers to for the rest of the schema."""
    overwrite_page(directory, 1, bytes(PAGE))
    overwrite_page(directory, damaging.leaf_of(directory, "CREATE TABLE media"), bytes(PAGE))


def zero_upper_pages(directory: Path) -> None:
    """All inner pages of tables: nothing leads to the leaves any more."""
    content = catalog_of(directory).read_bytes()
    for number in range(1, len(content) // PAGE):
        if content[number * PAGE] == 5:
            overwrite_page(directory, number + 1, bytes(PAGE))


def another_page_size(directory: Path) -> None:
    overwrite(catalog_of(directory), 16, (8192).to_bytes(2, "big"))


def another_version(directory: Path) -> None:
    overwrite(catalog_of(directory), 60, (1 << 20).to_bytes(4, "big"))


@pytest.mark.parametrize(
    "damage",
    [nothing, zero_header, garbage_header, zero_schema, zero_upper_pages, another_page_size,
     another_version],
)  # fmt: skip
@pytest.mark.parametrize("which", ["closed", "logged"])
def test_damage_to_what_holds_no_rows_loses_none(
    tmp_path: Path, whole: Whole, which: str, damage: Callable[[Path], None]
) -> None:
    here = damaged(getattr(whole, which), tmp_path / "m", damage)
    report = salvage(here)
    after = check(here, report, whole.rows)
    assert after == whole.rows
    assert (report.lost, report.unaccounted, report.lost_rows) == ((), (), {})
    assert report.whole
    assert report.unencoded == report.unproven == report.restored == report.partial == ()
    assert report.media_alone == report.media_absent == ()


def test_the_state_is_kept_but_for_the_index(tmp_path: Path, whole: Whole) -> None:
    here = damaged(whole.closed, tmp_path / "m", zero_header)
    salvage(here)
    with closing(sqlite3.connect(catalog_of(here))) as db:
        assert dict(db.execute("SELECT * FROM state")) == {"encoders": '["test"]', "index": "1"}
        last = dict(db.execute("SELECT * FROM sqlite_sequence"))
    assert last["observation"] == COUNT


# -- rows are lost ----------------------------------------------------------------------------


def test_a_page_of_observations_is_lost_with_its_rows_only(tmp_path: Path, whole: Whole) -> None:
    middle = observation(142)
    number = damaging.leaf_of(whole.closed, middle.id)
    here = damaged(whole.closed, tmp_path / "m", lambda m: overwrite_page(m, number, bytes(PAGE)))
    content = catalog_of(whole.closed).read_bytes()[(number - 1) * PAGE : number * PAGE]
    gone = {observation(n).id for n in range(COUNT) if observation(n).id.encode() in content}
    report = salvage(here)
    check(here, report, whole.rows)
    # Its place in the indexes says what it was.
    assert {lost.id for lost in report.lost} == gone
    assert report.unaccounted == ()
    (one,) = (lost for lost in report.lost if lost.id == middle.id)
    assert (one.key, one.modality, one.captured_at, one.session, one.source) == (
        143, middle.modality, middle.captured_at, middle.session, middle.source,
    )  # fmt: skip
    assert report.lost_rows["vector"] >= 2 * len(gone)
    # What came from the same files is kept, but is not taken for all there was.
    keys = {f"{(lost.key - 1) // 20 * 20:064x}" for lost in report.lost}
    assert keys.isdisjoint(key for key, _ in rows(here)["ingested"])
    assert len(rows(here)["ingested"]) == COUNT - 20 * len(keys)


def test_garbage_in_the_middle(tmp_path: Path, whole: Whole) -> None:
    half = catalog_of(whole.closed).stat().st_size // PAGE // 2

    def damage(directory: Path) -> None:
        for number in range(half, half + 12):
            overwrite_page(directory, number, garbage(number))

    here = damaged(whole.closed, tmp_path / "m", damage)
    report = salvage(here)
    check(here, report, whole.rows)
    assert report.observations >= COUNT - 24
    # With those whose rows went on in one of them.
    bad = {page for first, last in report.damaged_pages for page in range(first, last + 1)}
    assert set(range(half, half + 12)) <= bad
    assert len(bad) < 24


@pytest.mark.parametrize("seed", [1, 2])
def test_bits_flipped_in_many_pages(tmp_path: Path, whole: Whole, seed: int) -> None:
    here = damaged(
        whole.closed, tmp_path / "m", lambda m: damaging.flip_bits(catalog_of(m), seed, 0.3)
    )
    report = salvage(here)
    after = check(here, report, whole.rows, altered=3)
    flipped = int(0.3 * catalog_of(whole.closed).stat().st_size / PAGE)
    assert COUNT - flipped <= report.observations < COUNT
    # A vector has no checksum: one that differs in a bit is kept if its length shows nothing.
    before = {row[0]: np.frombuffer(row[3], np.float32) for row in whole.rows["vector"]}
    wrong = [
        row for row in after["vector"] - whole.rows["vector"]
        if abs(float(np.linalg.norm(np.frombuffer(row[3], np.float32))) - 1) > 1e-3
        or row[0] not in before
    ]  # fmt: skip
    assert wrong == []
    assert len(after["vector"] & whole.rows["vector"]) > 680 - 2 * flipped


@pytest.mark.parametrize("share", [0.25, 0.5, 0.9])
def test_a_file_that_was_cut(tmp_path: Path, whole: Whole, share: float) -> None:
    size = int(catalog_of(whole.closed).stat().st_size * share)
    here = damaged(whole.closed, tmp_path / "m", lambda m: cut(catalog_of(m), size))
    report = salvage(here)
    check(here, report, whole.rows)
    assert report.observations > COUNT * share * 0.5
    assert lost_count(report) == COUNT - report.observations > 0
    assert set(report.media_alone) == {
        media.digest
        for n in range(COUNT)
        for media in observation(n).media
        if media.digest not in {row[4] for row in rows(here)["media"]}
    }


def test_the_last_page_is_cut_off(tmp_path: Path, whole: Whole) -> None:
    size = catalog_of(whole.closed).stat().st_size
    here = damaged(whole.closed, tmp_path / "m", lambda m: cut(catalog_of(m), size - PAGE))
    report = salvage(here)
    check(here, report, whole.rows)
    assert report.observations >= COUNT - 4


@pytest.mark.parametrize("size", [0, 1, 100])
def test_nothing_is_left_of_a_file(tmp_path: Path, whole: Whole, size: int) -> None:
    here = damaged(whole.closed, tmp_path / "m", lambda m: cut(catalog_of(m), size))
    report = salvage(here)
    assert report.observations == report.vectors == report.passages == 0
    assert len(report.media_alone) == 90
    assert (report.kept is None) == (size == 0)
    opens(here, report)


@pytest.mark.parametrize("size", [0, 100, PAGE])
def test_what_is_in_the_log_is_saved_without_the_file(
    tmp_path: Path, whole: Whole, size: int
) -> None:
    here = damaged(whole.logged, tmp_path / "m", lambda m: cut(catalog_of(m), size))
    report = salvage(here)
    check(here, report, whole.rows)
    assert report.observations >= LOGGED
    assert report.kept is not None


@pytest.mark.parametrize("content", [b"All work and no play.\n" * 9000, b"", b"\r\n"])
def test_a_file_replaced_by_another(tmp_path: Path, whole: Whole, content: bytes) -> None:
    here = damaged(whole.closed, tmp_path / "m", lambda m: catalog_of(m).write_bytes(content))
    report = salvage(here)
    assert report.observations == 0
    opens(here, report)
    if content:
        assert report.kept is not None
        assert report.kept.read_bytes() == content


def test_a_file_that_is_not_there(tmp_path: Path, whole: Whole) -> None:
    here = damaged(whole.closed, tmp_path / "m", lambda m: catalog_of(m).unlink())
    report = salvage(here)
    assert (report.observations, report.kept, report.chroma) == (0, None, "absent")
    assert len(report.media_alone) == 90
    opens(here, report)


# -- the write-ahead log ----------------------------------------------------------------------

FRAME = 24 + PAGE


def test_a_log_that_was_cut(tmp_path: Path, whole: Whole) -> None:
    size = log_of(whole.logged).stat().st_size
    seen = []
    for number, share in enumerate((0, 0.3, 0.8)):
        here = damaged(
            whole.logged, tmp_path / f"{number}", lambda m, to=int(size * share): cut(log_of(m), to)
        )
        report = salvage(here)
        assert rows(here)["observation"] <= whole.rows["observation"]
        seen.append(report.observations)
        opens(here, report)
    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == (COUNT - LOGGED, COUNT - 20)


def test_a_damaged_frame_takes_no_others_along(tmp_path: Path, whole: Whole) -> None:
    frames = (log_of(whole.logged).stat().st_size - 32) // FRAME

    def damage(directory: Path) -> None:
        overwrite(log_of(directory), 32 + frames // 2 * FRAME + 24, garbage(1))

    here = damaged(whole.logged, tmp_path / "m", damage)
    with closing(sqlite3.connect(catalog_of(damaged(here, tmp_path / "sqlite", nothing)))) as db:
        (by_sqlite,) = db.execute("SELECT count(*) FROM observation").fetchone()
    report = salvage(here)
    after = rows(here)
    assert after["observation"] <= whole.rows["observation"]
    assert by_sqlite <= COUNT - LOGGED + 40
    assert report.observations >= COUNT - 20
    assert report.damaged_frames == 1
    opens(here, report)


def test_a_log_of_garbage_is_as_none(tmp_path: Path, whole: Whole) -> None:
    here = damaged(
        whole.logged, tmp_path / "m", lambda m: log_of(m).write_bytes(garbage(3, 50 * FRAME))
    )
    report = salvage(here)
    assert report.observations == COUNT - LOGGED
    assert lost_count(report) == 0, "nobody can know what was in it"
    opens(here, report)


# -- what becomes of the old file -------------------------------------------------------------


def test_the_damaged_file_is_kept_beside(tmp_path: Path, whole: Whole) -> None:
    here = damaged(whole.logged, tmp_path / "m", zero_header)
    content, log = catalog_of(here).read_bytes(), log_of(here).read_bytes()
    report = salvage(here)
    assert report.kept is not None
    assert report.kept.parent == here
    assert report.kept.read_bytes() == content
    assert damaged_copies(here) == [report.kept, report.kept.with_name(f"{report.kept.name}-wal")]
    assert damaged_copies(here)[1].read_bytes() == log
    assert [path.stat().st_mode & 0o777 for path in damaged_copies(here)] == [0o600, 0o600]
    assert catalog_of(here).stat().st_mode & 0o777 == 0o600


def test_salvaging_again_changes_nothing(tmp_path: Path, whole: Whole) -> None:
    here = damaged(whole.closed, tmp_path / "m", zero_header)
    salvage(here)
    first = rows(here)
    report = salvage(here)
    assert rows(here) == first == whole.rows
    assert report.whole
    assert len(damaged_copies(here)) == 2


def test_progress_counts_pages_twice(tmp_path: Path, whole: Whole) -> None:
    here = damaged(whole.closed, tmp_path / "m", zero_header)
    steps: list[tuple[int, int]] = []
    report = salvage(here, progress=lambda done, total: steps.append((done, total)))
    assert [done for done, _ in steps] == list(range(1, 2 * report.pages + 1))
    assert {total for _, total in steps} == {2 * report.pages}


def test_damage_is_told_before_it_is_mended(tmp_path: Path, whole: Whole) -> None:
    here = damaged(whole.closed, tmp_path / "m", zero_header)
    with pytest.raises(CatalogDamaged, match="agentctx repair"):
        Catalog(catalog_of(here), MediaStore(here / "media"))


def test_a_damaged_letter_is_told_without_its_text(tmp_path: Path, whole: Whole) -> None:
    here = tmp_path / "m"
    shutil.copytree(whole.closed, here)
    at = catalog_of(here).read_bytes().index(b"wort8 is near")
    overwrite(catalog_of(here), at, b"\xff")
    catalog = Catalog(catalog_of(here), MediaStore(here / "media"))
    with pytest.raises(CatalogDamaged, match=r"not UTF-8\. .* agentctx repair$") as raised:
        catalog.select(Filters())
    assert "near" not in str(raised.value)
    catalog.close()
    report = salvage(here)
    check(here, report, whole.rows)
    assert [lost.id for lost in report.lost] == [observation(8).id]


def test_a_directory_that_cannot_be_written(tmp_path: Path, whole: Whole) -> None:
    here = damaged(whole.closed, tmp_path / "m", zero_header)
    (here / "catalog.sqlite3.salvaged").mkdir()
    content = catalog_of(here).read_bytes()
    with pytest.raises(StoreError, match="Nothing was lost"):
        salvage(here)
    assert catalog_of(here).read_bytes() == content
