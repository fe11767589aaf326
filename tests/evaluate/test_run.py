"""``agentctx eval`` from a data folder to figures, on the default stack."""

import json
import shutil
from pathlib import Path

import pytest
from rich.console import Console

from agentctx import Config
from agentctx.config import DEFAULT_ENCODERS
from agentctx.errors import ConfigError, SourceInvalid, SourceNotFound
from agentctx.evaluate import saved
from agentctx.evaluate.report import table
from agentctx.evaluate.retrieval import Options, RetrievalResult
from agentctx.evaluate.run import Evaluation, run
from agentctx.evaluate.speech import SpeechResult

from .conftest import TURNS, conversation, draw, write

Calls = list[tuple[int, int, str]]
# What takes least: no rerank, no baselines.
LIGHT = Config(encoders=("minilm",), reranker=None)
ALONE = Options(baselines=False)


@pytest.fixture(scope="module")
def calls() -> Calls:
    return []


@pytest.fixture(scope="module")
def found(data: Path, calls: Calls) -> Evaluation:
    return run(data, progress=lambda *call: calls.append(call))


def retrieval(found: Evaluation, part: str) -> RetrievalResult:
    result = found.parts[part]
    assert isinstance(result, RetrievalResult)
    return result


def shown(found: Evaluation) -> str:
    console = Console(width=160)
    with console.capture() as captured:
        console.print(table(found))
    return captured.get()


def test_every_folder_is_a_part(found: Evaluation) -> None:
    assert list(found.parts) == ["locomo", "screens", "speech"]
    assert found.unread == []
    assert (found.encoders, found.reranker) == (DEFAULT_ENCODERS, "late-interaction")


def test_locomo_counts_and_scores(found: Evaluation) -> None:
    result = retrieval(found, "locomo")
    assert (result.collections, result.items) == (1, len(TURNS))
    assert (result.questions, result.skipped) == (3, 2)
    assert result.search.calls == 3
    assert 0 < result.search.p50_ms <= result.search.p95_ms
    assert result.adding_ms > 0
    names = [method.name for method in result.methods]
    ours = ["agentctx", "agentctx, plan off", "RRF, no rerank"]
    assert names == [*ours, "BM25", "dense (plain Chroma)"]
    for method in result.methods:
        assert method.overall.questions == 3
        counts = {name: scores.questions for name, scores in method.categories.items()}
        assert counts == {"multi-hop": 1, "single-hop": 2}
        scores = [method.overall, *method.categories.values()]
        assert all(s.recall_at_1.mean <= s.recall_at_10.mean <= s.recall_at_50.mean for s in scores)
        assert all(s.recall_at_10.low <= s.recall_at_10.mean <= s.recall_at_10.high for s in scores)
        assert all(s.success_at_1.mean <= s.mrr.mean <= 1.0 for s in scores)


def test_locomo_finds_what_eight_turns_hold(found: Evaluation) -> None:
    by_name = {method.name: method for method in retrieval(found, "locomo").methods}
    ours = by_name["agentctx"]
    assert ours.categories["single-hop"].mrr.mean == 1.0
    # Ten of eight turns are all of them: the dense baseline cannot miss, whatever its order.
    assert by_name["dense (plain Chroma)"].overall.recall_at_10.mean == 1.0
    assert by_name["dense (plain Chroma)"].overall.unanswered == 0
    # Each of these questions shares a word with its evidence.
    assert by_name["BM25"].overall.session_recall_at_10 is not None
    assert by_name["BM25"].overall.session_recall_at_10.mean == 1.0


def test_screens_find_their_task(found: Evaluation) -> None:
    result = retrieval(found, "screens")
    assert (result.items, result.questions, result.without_text) == (3, 2, 0)
    ours = result.methods[0].overall
    assert ours.success_at_1.mean == ours.success_at_5.mean == ours.mrr.mean == 1.0
    assert ours.recall_at_1.mean == pytest.approx((1 / 2 + 1) / 2)
    assert result.methods[-1].overall.success_at_5.mean == 1.0
    (pair,) = result.pairs
    assert (pair.query, pair.item) == ("text", "screenshot")
    assert pair.scores == ours


def test_the_detail_has_every_question(found: Evaluation) -> None:
    detail = retrieval(found, "locomo").detail
    assert detail is not None
    assert [one.id for one in detail.questions] == ["talk/q0", "talk/q1", "talk/q2"]
    assert detail.questions[0].text == "Which animal did Ben adopt?"
    ours = retrieval(found, "locomo").methods[0]
    column = detail.values["agentctx"]["recall_at_10"]
    assert ours.overall.recall_at_10.mean == pytest.approx(sum(map(float, column)) / 3)  # type: ignore[arg-type]


def test_speech_hears_the_words(found: Evaluation) -> None:
    result = found.parts["speech"]
    assert isinstance(result, SpeechResult)
    assert [clip.words for clip in result.clips] == [30, 25]
    assert result.words == 55
    assert result.errors == sum(clip.errors for clip in result.clips)
    assert result.word_error_rate == pytest.approx(result.errors / 55)
    assert result.word_error_rate < 0.3
    assert "pump" in result.clips[0].heard.lower()
    assert result.audio_seconds == pytest.approx(12.15 + 9.5, abs=0.3)
    assert result.times_real_time == pytest.approx(result.audio_seconds / result.seconds)


@pytest.mark.usefixtures("found")
def test_progress_goes_from_none_to_all(calls: Calls) -> None:
    # A step for each question, and for each file that is read.
    for part, total in (("locomo", 3), ("screens", 3 + 2), ("speech", 2)):
        mine = [(done, of) for done, of, name in calls if name.startswith(part)]
        assert mine == [(done, total) for done in range(total + 1)]


def test_it_is_data_and_a_table(found: Evaluation, data: Path) -> None:
    plain = json.loads(json.dumps(saved.summary(found)))
    assert plain["locomo"]["methods"][0]["overall"]["recall_at_10"].keys() == {
        *("mean", "low", "high")
    }
    assert "detail" not in plain["locomo"]
    assert plain["speech"]["clips"][0]["file"].endswith("decision.ogg")
    assert plain["data"] == str(data)
    text = shown(found)
    assert "locomo: 3 questions on 8 items in 1 memory (2 without an answer skipped)" in text
    assert "screens: 2 questions on 3 items" in text
    assert "x real time" in text
    assert "not measured" not in text


def test_a_folder_of_no_known_format_is_said(data: Path, tmp_path: Path) -> None:
    shutil.copytree(data / "locomo", tmp_path / "talks")
    (tmp_path / "receipts").mkdir()
    found = run(tmp_path, config=LIGHT, options=ALONE)
    assert (list(found.parts), found.unread, found.reranker) == (["talks"], ["receipts"], None)
    assert retrieval(found, "talks").format == "locomo"
    assert "receipts: not measured" in shown(found)
    with pytest.raises(SourceNotFound, match=r"receipts.*in a format that can be measured: beir"):
        run(tmp_path, ["receipts"])


def test_the_data_may_be_one_dataset(data: Path, tmp_path: Path) -> None:
    mine = shutil.copytree(data / "locomo", tmp_path / "mine")
    for name in (None, "locomo"):
        found = run(mine, config=LIGHT, options=ALONE, format=name)
        assert list(found.parts) == ["mine"]
        assert [method.name for method in retrieval(found, "mine").methods] == [
            "agentctx",
            "agentctx, plan off",
            "RRF, no rerank",
        ]
    with pytest.raises(SourceInvalid, match="no list of questions"):
        run(tmp_path / "mine", format="longmemeval")
    with pytest.raises(ConfigError, match="unknown: video; known: beir, screens"):
        run(tmp_path / "mine", format="video")


def test_nothing_to_measure_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceNotFound, match="in a format that can be measured"):
        run(tmp_path)
    (tmp_path / "locomo").mkdir()
    with pytest.raises(SourceNotFound, match="no conversation"):
        run(tmp_path)
    with pytest.raises(SourceNotFound, match="no directory named speech"):
        run(tmp_path, ["speech", "locomo"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "no question in it is answered"),
        ("text", "conversation"),
        ({"turns": []}, "'questions'"),
        ({"turns": [{"id": "D1:1"}], "questions": []}, "'speaker'"),
        ({**conversation(), "questions": []}, "no question in it is answered"),
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


@pytest.mark.parametrize("part", ["screens/tasks.json", "speech/transcripts.json"])
def test_a_file_outside_the_folder_is_not_read(tmp_path: Path, part: str) -> None:
    draw(tmp_path / "secret.png", ["Not yours"])
    row = {"file": "../secret.png", "session": "s", "task": "t", "text": "a word"}
    write(tmp_path / part, [row])
    with pytest.raises(SourceInvalid, match="leads out of its folder"):
        run(tmp_path)


def test_names_of_parts_do_not_hide_what_a_run_says_of_itself(data: Path, tmp_path: Path) -> None:
    shutil.copytree(data / "locomo", tmp_path / "version")
    found = run(tmp_path, config=LIGHT, options=ALONE)
    with pytest.raises(ConfigError, match="a folder is called version"):
        saved.summary(found)
