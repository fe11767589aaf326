"""The evaluation, over a day made by hand that needs neither Chromium nor espeak-ng."""

import json
from pathlib import Path

import pytest

from agentctx import Config, Memory, render
from agentctx.errors import SourceNotFound
from agentctx.evaluate.days import DaysResult, evaluate
from agentctx.evaluate.days.measuring import fingerprint

from .conftest import NAME, write_by_hand

Calls = list[tuple[int, int, str]]


@pytest.fixture(scope="module")
def calls() -> Calls:
    return []


@pytest.fixture(scope="module")
def found(folder: Path, calls: Calls) -> DaysResult:
    return evaluate(folder, Config(), lambda *call: calls.append(call))


def silent(done: int, total: int, name: str) -> None:
    """No progress."""


def test_it_counts(found: DaysResult) -> None:
    assert (found.days, found.screens, found.clips, found.channels) == (1, 2, 1, 1)
    assert (found.questions, found.unanswerable) == (5, 2)
    assert found.observations > 100
    assert found.search.calls == 7


def test_it_finds_what_is_there(found: DaysResult) -> None:
    ours = found.methods[0]
    assert ours.name == "agentctx"
    for type_ in ("screen", "speech", "sensor"):
        assert ours.types[type_].any_at_5.mean == 1.0, found.failures
    assert ours.types["two"].questions == 1
    assert ours.overall.questions == 5
    assert ours.types["time, all"].questions == 1


def test_baselines_are_beside_it(found: DaysResult) -> None:
    names = [method.name for method in found.methods]
    assert names == ["agentctx", "agentctx, plan off", "BM25", "dense (plain Chroma)"]
    assert set(found.failures) == set(names[:2])
    for method in found.methods[-2:]:
        assert method.overall.questions == 5
        assert method.abstention == {}
        assert 0 < method.overall.any_at_5.mean <= 1


def test_abstention_is_told(found: DaysResult) -> None:
    told = found.methods[0].abstention
    assert set(told) == {"off-topic", "gibberish", "off-topic and gibberish"}
    assert told["gibberish"].refused.mean == 1.0
    assert told["gibberish"].auroc.mean == 1.0


def test_failures_say_what_was_expected(found: DaysResult) -> None:
    ours = found.methods[0]
    failures = found.failures["agentctx"]
    assert len(failures) == round((1 - ours.overall.all_at_5.mean) * 5)
    for one in failures:
        assert one.id.startswith(NAME)
        assert all(NAME in place for need in one.expected for place in need)
        assert len(one.met) == len(one.expected)
        assert not all(one.met)
        assert len(one.found) <= 5


def test_words_heard_are_compared_with_those_said(found: DaysResult) -> None:
    # The voice of the demo is clear: a few of its 30 words at most are heard wrong.
    assert found.word_error_rate is not None
    assert 0.0 <= found.word_error_rate < 0.3


def test_it_is_data(found: DaysResult) -> None:
    plain = json.loads(json.dumps(render.plain(found)))
    assert plain["methods"][0]["types"]["screen"]["any_at_5"].keys() == {"mean", "low", "high"}
    assert plain["questions"] == 5


def test_progress_goes_to_the_end(found: DaysResult, calls: Calls) -> None:
    assert found.adding_seconds is not None
    assert calls[-1] == (7, 7, "days")
    adding = [call for call in calls if NAME in call[2]]
    assert list(dict.fromkeys(done for done, _, _ in adding))[:4] == [0, 1, 2, 3]
    asking = [done for done, _, name in calls if name.endswith("questions")]
    assert asking == list(range(7))


def test_a_second_time_nothing_is_read_again(found: DaysResult, folder: Path) -> None:
    again = evaluate(folder, Config(), silent)
    assert again.adding_seconds is None
    assert again.observations == found.observations
    assert [method.overall for method in again.methods] == [m.overall for m in found.methods]


def test_the_memory_may_be_elsewhere(tmp_path: Path) -> None:
    day = write_by_hand(tmp_path / "days", silent=True)
    config = Config(encoders=("minilm",), reranker=None)
    found = evaluate(tmp_path / "days", config, silent, memory=tmp_path / "memory")
    assert not list((tmp_path / "days").glob(".memory-*"))
    assert found.word_error_rate is None
    assert found.questions == sum(bool(question.needs) for question in day.questions)
    with Memory.open(tmp_path / "memory", config) as memory:
        assert {one.session for one in memory.timeline()} == {NAME}


def test_another_way_of_reading_has_another_memory() -> None:
    usual = fingerprint(Config())
    assert usual == fingerprint(Config(reranker=None))
    assert usual != fingerprint(Config(encoders=("minilm",)))
    assert usual != fingerprint(Config(options={"speech": {"beam_size": 1}}))


def test_a_file_that_is_missing_stops_it(tmp_path: Path) -> None:
    day = write_by_hand(tmp_path, silent=True)
    (tmp_path / day.screens[1].file).unlink()
    with pytest.raises(SourceNotFound, match=Path(day.screens[1].file).name):
        evaluate(tmp_path, Config(), silent)
