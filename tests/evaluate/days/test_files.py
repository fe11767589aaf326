"""Sets of days as folders: with the programs that make them, and without."""

import json
import shutil
import wave
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from agentctx.errors import ConfigError, ProgramError, SourceInvalid, SourceNotFound
from agentctx.evaluate.days import read, write
from agentctx.evaluate.days.composing import compose
from agentctx.evaluate.days.pictures import picture
from agentctx.evaluate.days.programs import run
from agentctx.evaluate.days.records import SCREEN_SIZE, Day
from agentctx.evaluate.days.voices import speak

from .conftest import NAME, by_hand

MISSING = [name for name in ("chromium", "espeak-ng") if shutil.which(name) is None]
needs_programs = pytest.mark.skipif(
    bool(MISSING),
    reason=f"{' and '.join(MISSING)} is not installed (Debian: apt install chromium espeak-ng)",
)

Written = tuple[Path, list[Day], list[tuple[int, int, str]]]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """The smallest set: one day with two scenes."""
    folder = tmp_path_factory.mktemp("set")
    calls: list[tuple[int, int, str]] = []
    days = write(folder, days=1, seed=7, scenes=2, progress=lambda *call: calls.append(call))
    return folder, days, calls


@needs_programs
def test_everything_a_day_names_is_there(written: Written) -> None:
    folder, (day,), _ = written
    named = {*(s.file for s in day.screens), *(c.file for c in day.clips), day.log}
    named.add(f"{day.name}/day.json")
    assert {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()} == named
    assert len(day.screens) == 2


@needs_programs
def test_what_is_read_is_what_was_written(written: Written) -> None:
    folder, days, _ = written
    assert read(folder) == days
    assert days[0].questions


@needs_programs
def test_pictures_show_a_page_each(written: Written) -> None:
    folder, (day,), _ = written
    found = []
    for screen in day.screens:
        with Image.open(folder / screen.file) as image:
            assert image.size == SCREEN_SIZE
            found.append(np.asarray(image.convert("L")))
    assert not np.array_equal(*found)
    # Neither is empty, and each has what is dark and what is light.
    assert all(np.ptp(one) > 150 for one in found)


@needs_programs
def test_sentences_are_where_they_are_said_to_be(written: Written) -> None:
    folder, (day,), _ = written
    for clip in day.clips:
        with wave.open(str(folder / clip.file)) as file:
            rate = file.getframerate()
            samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(float)
        assert clip.end - clip.at < timedelta(seconds=len(samples) / rate)
        for sentence in clip.sentences:
            start, end = (
                round((time - clip.at).total_seconds() * rate)
                for time in (sentence.start, sentence.end)
            )
            assert np.abs(samples[start:end]).max() > 5000
            # A third of a second of quiet lies before each.
            assert np.abs(samples[start - rate // 4 : start - rate // 50]).max() < 1000


@needs_programs
def test_the_same_seed_gives_the_same_bytes(written: Written, tmp_path: Path) -> None:
    folder, days, _ = written
    assert write(tmp_path, days=1, seed=7, scenes=2) == days
    for path in folder.rglob("*.*"):
        if path.is_file():
            again = tmp_path / path.relative_to(folder)
            if path.suffix == ".png":
                with Image.open(path) as one, Image.open(again) as other:
                    assert one.convert("RGB").tobytes() == other.convert("RGB").tobytes()
            else:
                assert path.read_bytes() == again.read_bytes()


@needs_programs
def test_progress_names_the_days(written: Written) -> None:
    _, days, calls = written
    assert calls == [(0, 1, days[0].name), (1, 1, "days")]


# -- without the programs -------------------------------------------------------------------------


def test_absent_programs_say_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (day,) = compose(1, 7, 2)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ProgramError, match="apt install espeak-ng"):
        speak(day, tmp_path)
    with pytest.raises(ProgramError, match="apt install chromium"):
        picture(day, tmp_path)


def test_a_program_that_fails_is_quoted() -> None:
    with pytest.raises(ProgramError, match=r"ls ended with \d: .*no such place"):
        run("ls", "no such place", hint="install it")


def test_a_size_that_makes_no_sense_makes_nothing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="days is 0"):
        write(tmp_path / "none", days=0)
    assert not (tmp_path / "none").exists()


# -- reading --------------------------------------------------------------------------------------


def test_a_day_made_by_hand_is_read(folder: Path) -> None:
    assert read(folder) == [by_hand()]


def test_a_folder_without_days(tmp_path: Path) -> None:
    with pytest.raises(SourceNotFound, match=r"day\.json"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"screens": [{"file": "x"}]}, "working day"),
        ({"date": "soon"}, "soon"),
        ({"questions": [{"id": "1"}]}, "'needs'"),
        ({"name": "another"}, "name its directory so"),
        ({"clips": 5}, "working day"),
    ],
)
def test_a_day_that_is_none(
    folder: Path, tmp_path: Path, change: dict[str, object], message: str
) -> None:
    table = json.loads((folder / NAME / "day.json").read_text("utf-8")) | change
    path = tmp_path / NAME / "day.json"
    path.parent.mkdir()
    path.write_text(json.dumps(table), "utf-8")
    with pytest.raises(SourceInvalid, match=message):
        read(tmp_path)


def test_a_file_that_is_no_json(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    (tmp_path / NAME / "day.json").write_text("{", "utf-8")
    with pytest.raises(SourceInvalid, match="JSON"):
        read(tmp_path)
