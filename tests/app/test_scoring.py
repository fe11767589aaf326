"""`Memory.score`: the reranker for texts that need not be in the memory."""

import pytest

from agentctx import Config, Memory, Observation
from agentctx.errors import ConfigError

QUESTION = "Why was the pump stopped?"
FITTING = "They stopped the pump because its seal was leaking."
OTHER = "The canteen serves lentil soup on Mondays."


def test_what_answers_scores_higher_and_nothing_is_kept(memory: Memory) -> None:
    fitting, other, empty = memory.score(QUESTION, [FITTING, OTHER, " \n"])
    assert 1 >= fitting > other >= empty == 0
    assert memory.timeline() == []


def test_a_long_text_counts_by_its_best_passage(memory: Memory) -> None:
    long = " ".join([OTHER] * 300 + [FITTING])
    inside, alone, other = memory.score(QUESTION, [long, FITTING, OTHER])
    assert inside > other
    assert inside == pytest.approx(alone, abs=0.15)


def test_nothing_to_score_gives_nothing(memory: Memory) -> None:
    assert memory.score(QUESTION, []) == []
    assert memory.score(QUESTION, ["", ""]) == [0.0, 0.0]


def test_without_a_reranker_it_says_so(tmp_path: object) -> None:
    with (
        Memory.open(f"{tmp_path}/memory", Config(reranker=None)) as memory,
        pytest.raises(ConfigError, match=r"config\.reranker is None"),
    ):
        memory.score(QUESTION, [OTHER])


def test_what_is_stored_counts_as_its_text_does(memory: Memory) -> None:
    kept = [Observation(text=FITTING), Observation(text=OTHER)]
    memory.add(kept)
    by_text = memory.score(QUESTION, [FITTING, OTHER])
    assert memory.score(QUESTION, kept) == pytest.approx(by_text, abs=0.02)
    assert memory.score(QUESTION, [FITTING, kept[1]]) == pytest.approx(by_text, abs=0.02)


def test_an_observation_that_is_not_stored_is_read_now(memory: Memory) -> None:
    one = Observation(text=FITTING)
    assert memory.score(QUESTION, [one]) == memory.score(QUESTION, [FITTING])


def test_long_observations_count_by_their_best_stored_passage(memory: Memory) -> None:
    long = Observation(text=" ".join([OTHER] * 100 + [FITTING]))
    memory.add([long, Observation(text=OTHER)])
    inside, other = memory.score(QUESTION, [long, OTHER])
    assert inside > other
