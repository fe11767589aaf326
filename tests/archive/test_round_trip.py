"""What is exported and imported is what it was."""

import json
import os
import shutil
import stat
import zipfile
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentctx import Config, Media, Memory, Observation
from agentctx.errors import EncoderMismatch, StoreError
from agentctx.memory.archive import layout, selection, writing
from agentctx.render import plain

from .conftest import LOG_SECONDS, NINE, NOTES, TOTAL, note
from .contents import contents, counts, hits, store_of


def imported(archive: Path, directory: Path) -> Memory:
    memory = Memory.open(directory)
    memory.import_(archive)
    return memory


# -- the whole --------------------------------------------------------------------------------


def test_a_memory_comes_back_as_it_was(original: Path, archive: Path, tmp_path: Path) -> None:
    with Memory.open(original) as before, Memory.open(tmp_path / "new") as after:
        report = after.import_(archive)
        assert (report.added, report.unchanged, report.encoded) == (TOTAL, 0, False)
        assert report.sources == 2
        assert contents(after) == contents(before)
        assert all(contents(after).values())
        for query in ("which pump leaks?", "valve 21", "paragraph on pump 7"):
            assert hits(after, query) == hits(before, query) != []
        assert plain(after.timeline()) == plain(before.timeline())
        assert after.readings("pressure") == before.readings("pressure")
        assert len(after.readings("pressure")) == LOG_SECONDS  # type: ignore[arg-type]
        assert after.verify().problems == ()
        after.sync_index()
    with Memory.open(tmp_path / "new") as again:
        assert again.verify().pending == 0
        assert again.verify().problems == ()


def test_importing_again_changes_nothing(archive: Path, tmp_path: Path) -> None:
    with imported(archive, tmp_path / "new") as memory:
        before = contents(memory)
        report = memory.import_(archive)
        assert (report.added, report.unchanged) == (0, TOTAL)
        assert contents(memory) == before


def test_what_is_missing_is_added(archive: Path, tmp_path: Path, original: Path) -> None:
    with Memory.open(tmp_path / "part") as memory:
        memory.add([note(3), note(6, "Another."), *NOTES[6:8]])
        report = memory.import_(archive)
        assert (report.added, report.unchanged) == (TOTAL - 3, 3)
        assert memory.verify().problems == ()
        with Memory.open(original) as whole:
            ids = {one.id for one in whole.timeline()}
        assert {one.id for one in memory.timeline()} == ids | {note(6, "Another.").id}


def test_a_source_that_was_exported_need_not_be_read_again(
    original: Path, archive: Path, tmp_path: Path
) -> None:
    with imported(archive, tmp_path / "new") as memory:
        before = counts(memory)
        report = memory.add([original.parent / "log.csv", original.parent / "words.txt"])
        assert (report.added, report.failed) == (0, ())
        assert report.unchanged == len(report.ids) == 4
        assert counts(memory) == before


def test_an_empty_memory_has_an_archive_as_well(memory: Memory, tmp_path: Path) -> None:
    report = memory.export(tmp_path / "empty.agentctx")
    assert (report.observations, report.media) == (0, 0)
    assert memory.import_(tmp_path / "empty.agentctx").added == 0


def test_lost_media_come_back(filled: Memory, archive: Path) -> None:
    digest = NOTES[6].media[0].digest
    (path,) = filled.directory.glob(f"media/*/{digest}")
    path.unlink()
    assert filled.verify().problems
    assert filled.import_(archive).added == 0
    assert filled.verify().problems == ()


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXT
OBSERVATIONS = st.lists(
    st.builds(
        Observation,
        modality=st.sampled_from(["text", "speech", "screenshot", "sensor", "odour"]),
        text=st.text(max_size=40) | st.sampled_from(["\0", "a\0b", "pump. " * 200]),
        captured_at=st.datetimes(timezones=st.just(UTC)),
        duration=st.floats(0, 1e12) | st.integers(0, 10**6),
        session=TEXT,
        source=TEXT,
        attributes=st.dictionaries(
            TEXT, SCALARS | st.lists(SCALARS, max_size=3).map(tuple), max_size=3
        ),
        media=st.lists(
            st.builds(
                Media.of_bytes,
                st.sampled_from(["original", "thumbnail", "layout"]),
                TEXT,
                st.binary(max_size=9),
            ),
            max_size=2,
        ).map(tuple),
    ),
    max_size=6,
)


@settings(max_examples=12, deadline=None)
@given(observations=OBSERVATIONS)
def test_any_memory_comes_back_as_it_was(observations: list[Observation]) -> None:
    with TemporaryDirectory() as place:
        archive = Path(place, "archive")
        with Memory.open(Path(place, "before")) as before:
            before.add(observations)
            report = before.export(archive)
            assert report.problems == ()
            wanted = contents(before)
            found = hits(before, "pump")
        with imported(archive, Path(place, "after")) as after:
            assert contents(after) == wanted
            assert hits(after, "pump") == found
            assert after.verify().problems == ()


# -- a slice ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("filters", "wanted"),
    [
        ({"session": "desk"}, [9]),
        ({"source": ["note-1", "note-2"]}, [1, 2]),
        ({"modality": "screenshot"}, [6, 7]),
        ({"since": NINE + timedelta(minutes=4), "until": NINE + timedelta(minutes=6)}, [4, 5]),
        ({"session": "nobody"}, []),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_a_slice(
    filled: Memory, tmp_path: Path, filters: dict[str, object], wanted: list[int]
) -> None:
    target = tmp_path / "slice"
    report = filled.export(target, **filters)  # type: ignore[arg-type]
    assert report.observations == len(wanted)
    with imported(target, tmp_path / "new") as after:
        assert [one.id for one in after.timeline()] == [NOTES[n].id for n in wanted]
        assert after.verify().problems == ()


def test_a_slice_tells_of_nothing_else(filled: Memory, tmp_path: Path) -> None:
    target = tmp_path / "slice"
    filled.forget(source="note-4")
    filled.export(target, session="desk")
    held = target.read_bytes()
    for one in filled.timeline():
        if one.session != "desk":
            for told in (one.id, one.text[:30], one.source, *(m.digest for m in one.media)):
                assert told.strip() == "" or told.encode() not in held
    assert b"plant" not in held, "the session"
    assert str(tmp_path).encode() not in held, "where the memory is"
    assert NOTES[4].id.encode() not in held, "what was forgotten"
    with zipfile.ZipFile(target) as archive:
        manifest = json.loads(archive.read("manifest.json"))
    assert manifest["selection"] == ["session"]


def test_a_source_counts_as_added_only_when_all_of_it_is_there(
    filled: Memory, tmp_path: Path
) -> None:
    two = tmp_path / "cues.srt"
    two.write_text(
        "1\n00:00:01,000 --> 00:00:02,000\nOne.\n\n2\n00:01:03,000 --> 00:01:04,000\nTwo.\n"
    )
    assert filled.add(two, captured_at=NINE, session="cues").added == 2
    for until, sources, again in ((NINE + timedelta(seconds=30), 0, 1), (None, 1, 0)):
        target = tmp_path / f"slice-{sources}"
        filled.export(target, session="cues", until=until)
        with Memory.open(tmp_path / f"new-{sources}") as memory:
            assert memory.import_(target).sources == sources
            assert memory.add(two, captured_at=NINE, session="cues").added == again


# -- the file ---------------------------------------------------------------------------------


def test_the_file_is_private_and_complete_or_not_there(filled: Memory, tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        filled.export(tmp_path / "backup")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "backup").stat().st_mode) == 0o600
    assert {path.name for path in tmp_path.iterdir()} == {"backup", "filled"}


def test_a_file_is_not_overwritten_unless_told_to(filled: Memory, tmp_path: Path) -> None:
    (tmp_path / "thesis").write_text("mine")
    with pytest.raises(StoreError, match="exists; name another file, or replace it with --force"):
        filled.export(tmp_path / "thesis")
    assert (tmp_path / "thesis").read_text() == "mine"
    assert filled.export(tmp_path / "thesis", force=True).observations == TOTAL
    assert zipfile.is_zipfile(tmp_path / "thesis")


@pytest.mark.parametrize(
    ("place", "says"),
    [("no/such/place", "No such file"), ("filled/media/backup", "inside of the memory")],
)
def test_a_place_that_cannot_be(filled: Memory, tmp_path: Path, place: str, says: str) -> None:
    with pytest.raises(StoreError, match=says):
        filled.export(tmp_path / place)


def test_a_failed_export_leaves_nothing(
    filled: Memory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: object, *args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("zipfile._ZipWriteFile.write", full)
    (tmp_path / "old").write_text("an older backup")
    with pytest.raises(StoreError, match="old cannot be written: No space left on device"):
        filled.export(tmp_path / "old", force=True)
    assert {path.name for path in tmp_path.iterdir()} == {"old", "filled"}
    assert (tmp_path / "old").read_text() == "an older backup"


def test_other_programs_can_read_it(original: Path, archive: Path, tmp_path: Path) -> None:
    shutil.unpack_archive(archive, tmp_path, "zip")
    observations = pq.read_table(tmp_path / "observations.parquet").to_pylist()
    with Memory.open(original) as memory:
        timeline = {one.id: one for one in memory.timeline()}
        (vector,) = contents(memory)["vectors"][-1][4:]
    for row in observations:
        one = timeline[row["id"]]
        assert (row["text"], row["captured_at"]) == (one.text, one.captured_at)
        assert json.loads(row["attributes"]).keys() == one.attributes.keys()
    table = pq.read_table(tmp_path / "vectors" / "0.parquet")
    assert sha256(table["vector"][-1].values.to_numpy().tobytes()).hexdigest() == vector
    media = pq.read_table(tmp_path / "media.parquet").to_pylist()
    assert {row["digest"] for row in media} == {p.name for p in (tmp_path / "media").iterdir()}


# -- other encoders ---------------------------------------------------------------------------

SHORTER = Config(encoders=("minilm",), options={"minilm": {"max_tokens": 256}})


def test_vectors_of_a_space_that_this_memory_does_not_use_are_kept(
    original: Path, archive: Path, tmp_path: Path
) -> None:
    with Memory.open(tmp_path / "new", Config(encoders=("minilm",))) as memory:
        memory.import_(archive)
    with Memory.open(tmp_path / "new") as both, Memory.open(original) as before:
        assert contents(both) == contents(before)


def test_vectors_that_the_archive_does_not_have_must_be_made(
    original: Path, tmp_path: Path
) -> None:
    with Memory.open(tmp_path / "one", Config(encoders=("minilm",))) as one:
        one.add(original.parent / "log.csv")
        one.export(tmp_path / "archive")
    with Memory.open(tmp_path / "new") as memory:
        with pytest.raises(EncoderMismatch, match=r"none of the space 'sensor'.*--reencode"):
            memory.import_(tmp_path / "archive")
        assert counts(memory)["observations"] == 0
        report = memory.import_(tmp_path / "archive", reencode=True)
        assert (report.added, report.encoded) == (3, True)
        with Memory.open(original) as before:
            window = next(row for row in contents(before)["vectors"] if row[0] == "sensor")
        assert window in contents(memory)["vectors"]


def test_vectors_of_another_encoder_are_made_anew(
    archive: Path, original: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    from agentctx.encoders.minilm import MiniLM

    card = MiniLM.card.fget  # type: ignore[attr-defined]
    newer = property(lambda self: replace(card(self), revision="onnx-int8-2"))
    with Memory.open(original) as before:
        wanted = contents(before)
    monkeypatch.setattr(MiniLM, "card", newer)
    with Memory.open(tmp_path / "new") as memory:
        with pytest.raises(EncoderMismatch, match=r"onnx-int8-1 \(digest .*not of .*onnx-int8-2"):
            memory.import_(archive)
        assert counts(memory)["observations"] == 0
        assert memory.import_(archive, reencode=True).encoded
        found = contents(memory)
        assert memory.search("which pump leaks?")
        assert memory.verify().problems == ()
    assert {row[1] for row in found["vectors"]} != {row[1] for row in wanted["vectors"]}
    for name in ("observations", "media", "passages", "sources", "files"):
        assert found[name] == wanted[name]


# -- what is wrong in the memory itself -------------------------------------------------------


@pytest.mark.parametrize("damage", ["absent", "other bytes"])
def test_missing_media_are_told_and_the_rest_is_kept(
    filled: Memory, tmp_path: Path, damage: str
) -> None:
    digest = NOTES[6].media[0].digest
    (path,) = filled.directory.glob(f"media/*/{digest}")
    path.unlink()
    if damage == "other bytes":
        path.write_bytes(b"eno")
    report = filled.export(tmp_path / "backup")
    assert report.problems == (f"media {digest} is absent or damaged",)
    assert (report.observations, report.forgotten) == (TOTAL, 0)
    with imported(tmp_path / "backup", tmp_path / "new") as after:
        (back,) = (one for one in after.timeline() if one.text == "The alarm.")
        assert back.id == NOTES[6].id, "although its original is a part of it"
        assert [media.kind for media in back.media] == ["thumbnail"]
        assert after.verify().problems == ()
        assert after.import_(tmp_path / "backup").added == 0


def test_an_id_that_the_content_does_not_give_is_kept(filled: Memory, tmp_path: Path) -> None:
    with store_of(filled).catalog.transaction() as db:
        db.execute("UPDATE observation SET attributes = '{}' WHERE id = ?", (NOTES[8].id,))
    report = filled.export(tmp_path / "backup")
    assert (report.observations, report.problems) == (TOTAL, ())
    with imported(tmp_path / "backup", tmp_path / "new") as after:
        assert contents(after) == contents(filled)


def test_a_row_that_can_be_no_observation_is_left_out(filled: Memory, tmp_path: Path) -> None:
    with store_of(filled).catalog.transaction() as db:
        db.execute("UPDATE observation SET duration = -1 WHERE id = ?", (NOTES[6].id,))
        db.execute("UPDATE observation SET attributes = '[1]' WHERE id = ?", (NOTES[2].id,))
    report = filled.export(tmp_path / "backup")
    assert report.observations == TOTAL - 2
    assert [problem.split(":")[0] for problem in report.problems] == [
        f"observation {NOTES[2].id} is left out", f"observation {NOTES[6].id} is left out"
    ]  # fmt: skip
    with imported(tmp_path / "backup", tmp_path / "new") as after:
        assert len(after.timeline()) == TOTAL - 2
        assert after.verify().problems == ()


def test_tables_are_written_in_pieces(
    memory: Memory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selection, "_CHUNK", 3)
    monkeypatch.setattr(selection, "_CHUNK_CHARACTERS", 5_000)
    monkeypatch.setattr(writing, "_GROUP", 50_000)
    words = " ".join(f"pump{n % 97}" for n in range(1_500))
    memory.add([note(1), note(2, words), *(note(n) for n in range(3, 9))])
    memory.export(tmp_path / "backup")
    with imported(tmp_path / "backup", tmp_path / "new") as after:
        assert contents(after) == contents(memory)
    with zipfile.ZipFile(tmp_path / "backup") as archive:
        for name, least in (("observations.parquet", 3), ("tokens/0.parquet", 6)):
            with archive.open(name) as file:
                assert pq.ParquetFile(file).metadata.num_row_groups >= least


def test_a_row_that_is_too_large_is_told(
    filled: Memory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "_GROUP", 500)
    monkeypatch.setattr(layout, "GROUP_BYTES", 2_000)
    with pytest.raises(StoreError, match=f"the row of observation {NOTES[5].id} has"):
        filled.export(tmp_path / "backup")
    assert not (tmp_path / "backup").exists()


def test_progress_goes_up_to_the_whole(archive: Path, filled: Memory, tmp_path: Path) -> None:
    told: list[tuple[int, int, str]] = []
    filled.export(tmp_path / "backup", progress=lambda *step: told.append(step))
    with Memory.open(tmp_path / "new") as memory:
        memory.import_(archive, progress=lambda *step: told.append(step))
    assert all(0 <= done <= total for done, total, _ in told)
    assert {"media", "observations", "vectors/0", "checking"} <= {name for _, _, name in told}


def test_times_in_the_manifest(archive: Path) -> None:
    with zipfile.ZipFile(archive) as file:
        manifest = json.loads(file.read("manifest.json"))
    assert (manifest["format"], manifest["version"]) == ("agentctx-archive", 1)
    assert manifest["selection"] == []
    created = datetime.fromisoformat(manifest["created_at"])
    assert abs(datetime.now(UTC) - created) < timedelta(hours=1)
    assert manifest["tables"]["observations.parquet"]["rows"] == TOTAL
