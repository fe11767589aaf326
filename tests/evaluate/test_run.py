"""``agentctx eval`` from a data folder to figures, on the default stack."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from agentctx import Config, render
from agentctx.cli import cli
from agentctx.errors import ConfigError, SourceInvalid, SourceNotFound
from agentctx.evaluate.run import Evaluation, run, table

from .conftest import TURNS, conversation, draw, write

Calls = list[tuple[int, int, str]]


@pytest.fixture(scope="module")
def calls() -> Calls:
    return []


@pytest.fixture(scope="module")
def with_locomo(data: Path, calls: Calls) -> Evaluation:
    return run(data, ["locomo"], progress=lambda *call: calls.append(call))


@pytest.fixture(scope="module")
def with_screens(data: Path, calls: Calls) -> Evaluation:
    return run(data, ["screens"], progress=lambda *call: calls.append(call))


@pytest.fixture(scope="module")
def with_speech(data: Path, calls: Calls) -> Evaluation:
    return run(data, ["speech"], progress=lambda *call: calls.append(call))


@pytest.fixture(scope="module")
def found(with_locomo: Evaluation, with_screens: Evaluation, with_speech: Evaluation) -> Evaluation:
    return replace(with_locomo, screens=with_screens.screens, speech=with_speech.speech)


def shown(found: Evaluation) -> str:
    console = Console(width=160)
    with console.capture() as captured:
        console.print(table(found))
    return captured.get()


def test_locomo_counts_and_scores(with_locomo: Evaluation) -> None:
    result = with_locomo.locomo
    assert result is not None
    assert (result.conversations, result.turns) == (1, len(TURNS))
    assert (result.questions, result.skipped) == (3, 2)
    assert result.search.calls == 3
    assert 0 < result.search.p50_ms <= result.search.p95_ms
    names = [method.name for method in result.methods]
    assert names == ["agentctx", "RRF, no rerank", "BM25", "dense (plain Chroma)"]
    for method in result.methods:
        assert method.overall.questions == 3
        counts = {name: scores.questions for name, scores in method.categories.items()}
        assert counts == {"multi-hop": 1, "single-hop": 2}
        scores = [method.overall, *method.categories.values()]
        assert all(s.recall_at_10.mean <= s.recall_at_50.mean <= 1.0 for s in scores)
        assert all(s.recall_at_10.low <= s.recall_at_10.mean <= s.recall_at_10.high for s in scores)


def test_locomo_finds_what_eight_turns_hold(with_locomo: Evaluation) -> None:
    assert with_locomo.locomo is not None
    by_name = {method.name: method for method in with_locomo.locomo.methods}
    ours = by_name["agentctx"]
    assert ours.categories["single-hop"].mrr.mean == 1.0
    # Ten of eight turns are all of them: the dense baseline cannot miss, whatever its order.
    assert by_name["dense (plain Chroma)"].overall.recall_at_10.mean == 1.0
    assert by_name["dense (plain Chroma)"].overall.unanswered == 0
    # Each of these questions shares a word with its evidence.
    assert by_name["BM25"].overall.session_recall_at_10.mean == 1.0


def test_screens_find_their_task(with_screens: Evaluation) -> None:
    result = with_screens.screens
    assert result is not None
    assert (result.screens, result.without_text) == (3, 0)
    assert [task.task for task in result.tasks] == ["Order coffee beans", "Book a train to Oslo"]
    assert [task.ranks["agentctx"] for task in result.tasks] == [1, 1]
    ours, dense = result.methods
    assert (ours.name, dense.name) == ("agentctx", "dense (plain Chroma)")
    assert ours.found_at_1.mean == ours.found_at_5.mean == ours.mrr.mean == 1.0
    assert dense.found_at_5.mean == 1.0
    assert result.seconds > 0


def test_speech_hears_the_words(with_speech: Evaluation) -> None:
    result = with_speech.speech
    assert result is not None
    assert [clip.words for clip in result.clips] == [30, 25]
    assert result.words == 55
    assert result.errors == sum(clip.errors for clip in result.clips)
    assert result.word_error_rate == pytest.approx(result.errors / 55)
    assert result.word_error_rate < 0.3
    assert "pump" in result.clips[0].heard.lower()
    assert result.audio_seconds == pytest.approx(12.15 + 9.5, abs=0.3)
    assert result.times_real_time == pytest.approx(result.audio_seconds / result.seconds)


def test_progress_goes_from_none_to_all(found: Evaluation, calls: Calls) -> None:
    assert found.absent == []
    for part, total in (("locomo", 3), ("screens", 3), ("speech", 2)):
        mine = [(done, of) for done, of, name in calls if name.startswith(part)]
        assert mine == [(done, total) for done in range(total + 1)]


def test_it_is_data_and_a_table(found: Evaluation, data: Path) -> None:
    plain = json.loads(json.dumps(render.plain(found)))
    assert plain["locomo"]["methods"][0]["overall"]["recall_at_10"].keys() == {
        *("mean", "low", "high")
    }
    assert plain["speech"]["clips"][0]["file"].endswith("decision.ogg")
    assert plain["data"] == str(data)
    text = shown(found)
    assert "LoCoMo: 3 questions on 8 turns of 1 conversations (2 without evidence skipped)" in text
    assert "Screens: 2 tasks, 3 screenshots" in text
    assert "x real time" in text
    assert "not measured" not in text


def test_a_missing_folder_is_said(data: Path, tmp_path: Path) -> None:
    shutil.copytree(data / "locomo", tmp_path / "locomo")
    config = Config(encoders=("minilm",), reranker=None)
    found = run(tmp_path, config=config)
    assert (found.screens, found.speech, found.absent) == (None, None, ["screens", "speech"])
    assert found.reranker is None
    assert f"speech: not measured, there is no {tmp_path / 'speech'}" in shown(found)


def test_only_leaves_out_the_rest(with_locomo: Evaluation) -> None:
    assert with_locomo.locomo is not None
    assert (with_locomo.screens, with_locomo.speech, with_locomo.absent) == (None, None, [])


def test_nothing_to_measure_is_an_error(tmp_path: Path, data: Path) -> None:
    with pytest.raises(SourceNotFound, match="no directory named locomo or screens or speech"):
        run(tmp_path)
    (tmp_path / "locomo").mkdir()
    with pytest.raises(SourceNotFound, match="no conversation"):
        run(tmp_path)
    with pytest.raises(SourceNotFound, match="no directory named speech"):
        run(tmp_path, ["speech", "locomo"])
    with pytest.raises(ConfigError, match="unknown: video; known: locomo, screens, speech"):
        run(data, ["video"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "conversation"),
        ({"turns": []}, "'questions'"),
        ({"turns": [{"id": "D1:1"}], "questions": []}, "'speaker'"),
        ({**conversation(), "questions": []}, "no question in it names a turn"),
    ],
)
def test_a_conversation_that_is_none(tmp_path: Path, content: object, message: str) -> None:
    write(tmp_path / "locomo" / "bad.json", content)
    with pytest.raises(SourceInvalid, match=message):
        run(tmp_path)


def test_a_time_in_another_format_is_named(tmp_path: Path) -> None:
    talk = json.loads(json.dumps(conversation()).replace("9:05 am on 3 May, 2024", "yesterday"))
    write(tmp_path / "locomo" / "bad.json", talk)
    with pytest.raises(SourceInvalid, match="yesterday") as caught:
        run(tmp_path)
    assert isinstance(caught.value.__cause__, ValueError)


@pytest.mark.parametrize("part", ["screens/tasks.json", "speech/transcripts.json"])
def test_a_listing_that_is_none(tmp_path: Path, part: str) -> None:
    path = tmp_path / part
    path.parent.mkdir()
    with pytest.raises(SourceNotFound, match=path.name):
        run(tmp_path)
    for text, message in (("{", "no JSON"), ("[]", "list"), ('[{"file": "a"}]', "KeyError")):
        path.write_text(text)
        with pytest.raises(SourceInvalid, match=message):
            run(tmp_path)


def test_a_file_that_cannot_be_added_stops_it(tmp_path: Path) -> None:
    rows = [{"file": name, "session": "s", "task": "t"} for name in ("there.png", "gone.png")]
    draw(tmp_path / "screens" / "there.png", ["Here"])
    write(tmp_path / "screens" / "tasks.json", rows)
    with pytest.raises(SourceNotFound, match=r"gone\.png"):
        run(tmp_path)
    shutil.rmtree(tmp_path / "screens")
    write(tmp_path / "speech" / "transcripts.json", [{"file": "gone.wav", "text": "a word"}])
    with pytest.raises(SourceNotFound, match=r"gone\.wav"):
        run(tmp_path)


def test_the_command_prints_json(data: Path) -> None:
    done = CliRunner().invoke(cli, ["eval", "--data", str(data), "--only", "locomo", "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["locomo"]["questions"] == 3
