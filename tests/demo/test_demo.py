"""The demo end to end: real samples, real models, the right evidence."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from io import StringIO
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image
from rich.console import Console

from agentctx import Memory, Observation
from agentctx.cli import cli
from agentctx.demo.run import SESSION, Answer, Demo, run, show

SAMPLES = Path(str(files("agentctx.demo"))) / "samples"
QUESTIONS = json.loads((SAMPLES / "questions.json").read_text("utf-8"))
KNOWN = {question["question"]: question for question in QUESTIONS["questions"]}
# Seven screens are read, which takes its time where other work goes on.
pytestmark = pytest.mark.timeout(600)
# Recognised words begin and end a little beside the true ones.
_HEARING = timedelta(seconds=1.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def progress() -> list[tuple[int, int, str]]:
    return []


@pytest.fixture(scope="module")
def done(folder: Path, progress: list[tuple[int, int, str]]) -> Demo:
    def note(at: int, total: int, name: str) -> None:
        progress.append((at, total, Path(name).name))

    return run(folder / "memory", folder / "timeline.png", note)


@pytest.fixture(scope="module")
def memory(done: Demo, folder: Path) -> Iterator[Memory]:
    assert done.ok
    with Memory.open(folder / "memory") as opened:
        yield opened


def answer(done: Demo, modality: str) -> Answer:
    (found,) = [a for a in done.answers if KNOWN[a.question]["modality"] == modality]
    return found


def when(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_every_sample_is_added(done: Demo) -> None:
    assert done.report.failed == ()
    assert done.report.added == len(done.timeline) == len(done.report.ids)
    sources = {Path(one.source).name for one in done.timeline}
    assert sources == {p.name for p in SAMPLES.iterdir() if p.suffix in (".png", ".ogg", ".csv")}
    assert {one.session for one in done.timeline} == {SESSION}


@pytest.mark.parametrize("modality", ["screenshot", "speech", "sensor"])
def test_each_question_finds_its_evidence(done: Demo, modality: str) -> None:
    found = answer(done, modality)
    known = KNOWN[found.question]
    assert found.evidence is not None
    evidence = found.evidence.observation
    assert evidence.modality == modality
    assert Path(evidence.source).name == known["source"]
    assert evidence.captured_at <= when(known["end"]) + _HEARING
    assert evidence.ended_at >= when(known["start"]) - _HEARING
    for words in known["must_contain"]:
        assert words in found.evidence.quote
        assert words in found.context.text
    assert f"[{found.evidence.number}]" in found.context.text
    assert found.expected == known["answer"]


def test_contexts_keep_their_budget(done: Demo) -> None:
    assert all(0 < found.context.tokens <= 600 for found in done.answers)


def test_the_screen_comes_with_a_picture(done: Demo) -> None:
    found = answer(done, "screenshot")
    assert found.evidence is not None
    thumbnail = found.evidence.observation.find_media("thumbnail")
    assert thumbnail is not None
    assert thumbnail.digest in {image.digest for image in found.context.images}


def test_it_is_ok_only_with_all_evidence(done: Demo) -> None:
    assert done.ok
    lost = Answer("?", "!", done.answers[0].context, None)
    assert not Demo(done.report, (*done.answers, lost), done.timeline).ok


def test_progress_names_the_files(done: Demo, progress: list[tuple[int, int, str]]) -> None:
    assert done.ok
    # Each file is named when it begins, and again for what is read and taken of it.
    steps = dict.fromkeys((at, total) for at, total, _ in progress)
    assert list(steps) == [(at, 11) for at in range(12)]
    assert list(dict.fromkeys(name for *_, name in progress[:-1])) == sorted(
        p.name for p in SAMPLES.iterdir() if p.suffix in (".png", ".ogg", ".csv")
    )


def test_the_timeline_is_drawn(done: Demo, folder: Path) -> None:
    assert done.ok
    with Image.open(folder / "timeline.png") as image:
        assert image.width == 1200
        assert len(image.convert("RGB").getcolors(1 << 24) or ()) > 1000
    times = [one.captured_at for one in done.timeline]
    assert times == sorted(times)


def test_it_is_shown_to_people(done: Demo) -> None:
    console = Console(width=100, record=True, file=StringIO())
    console.print(show(done))
    text = console.export_text()
    for question, known in KNOWN.items():
        assert question in text
        assert known["source"] in text
    assert "not found" not in text
    assert "█" in text


# -- a moment -------------------------------------------------------------------------------------


def anchor(memory: Memory) -> Observation:
    """The utterance that the joined question starts from, as it was heard."""
    joined = QUESTIONS["joined"]
    (hit,) = memory.search(joined["anchor"]["text"], limit=1, modality="speech")
    assert Path(hit.source).name == joined["anchor"]["source"]
    assert "seal" in hit.text
    return hit.observation


def test_what_was_on_the_screen_while_it_was_said(memory: Memory) -> None:
    joined = QUESTIONS["joined"]
    said = anchor(memory)
    assert said.captured_at <= when(joined["end"]) + _HEARING
    assert said.ended_at >= when(joined["start"]) - _HEARING
    moment = memory.moments(joined["anchor"]["text"], window=30.0, limit=1, modality="speech")[0]
    assert said.id in {hit.id for hit in moment.hits}
    screens = [one for one in moment.companions if one.modality == joined["modality"]]
    seen = [one for one in screens if Path(one.source).name == joined["source"]]
    assert len(seen) == 1
    assert all(words in seen[0].text for words in joined["must_contain"])
    assert {"screenshot", "sensor", "speech"} <= set(moment.modalities)
    peak = when("2026-03-14T09:12:21Z")
    assert moment.start <= peak + timedelta(seconds=30)
    assert any(
        one.captured_at <= peak <= one.ended_at and one.attributes.get("max") == 13.4
        for one in [*moment.companions, *(hit.observation for hit in moment.hits)]
    )


def test_the_question_in_words_leads_to_the_same_moment(memory: Memory) -> None:
    joined = QUESTIONS["joined"]
    found = memory.moments(joined["question"], window=30.0, limit=1)[0]
    sources = {Path(hit.source).name for hit in found.hits}
    sources |= {Path(one.source).name for one in found.companions}
    assert {joined["source"], joined["anchor"]["source"]} <= sources


def test_the_exact_readings_are_there(memory: Memory) -> None:
    since = datetime(2026, 3, 14, 9, 12, tzinfo=UTC)
    found = memory.readings("vibration", since, since + timedelta(minutes=1), "max")
    assert found == 13.4


def test_the_memory_is_whole(memory: Memory) -> None:
    report = memory.verify()
    assert report.ok, report.problems


# -- the command ----------------------------------------------------------------------------------


def test_the_command_prints_json_and_adds_nothing_twice(done: Demo, folder: Path) -> None:
    place = str(folder / "memory")
    result = CliRunner().invoke(cli, ["demo", "--json", "--directory", place])
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert (told["report"]["added"], told["report"]["failed"]) == (0, [])
    assert told["report"]["unchanged"] == done.report.added
    assert told["report"]["ids"] == list(done.report.ids)
    assert [one["question"] for one in told["answers"]] == list(KNOWN)
    for one in told["answers"]:
        known = KNOWN[one["question"]]
        observation = one["evidence"]["observation"]
        assert Path(observation["source"]).name == known["source"]
        assert observation["modality"] == known["modality"]
        assert one["context"]["tokens"] <= 600
        assert one["expected"] == known["answer"]
    assert [one["id"] for one in told["timeline"]] == [one.id for one in done.timeline]
