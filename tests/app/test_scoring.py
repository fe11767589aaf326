"""`Memory.score`: the reranker for texts that need not be in the memory."""

import pytest

from agentctx import Config, Memory
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
