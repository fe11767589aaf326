"""Late interaction: what it prefers, and what a neighbour may lend."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentctx.config import Config
from agentctx.contracts import Candidate, Reranker
from agentctx.errors import ConfigError
from agentctx.records import Observation
from agentctx.services import SharedServices

QUESTION = Observation(text="Why did the pump stop?")


@pytest.fixture(scope="module")
def services() -> SharedServices:
    return SharedServices(Config())


@pytest.fixture(scope="module")
def reranker(services: SharedServices) -> Reranker:
    return services.reranker("late-interaction")


def candidate(text: str, neighbours: tuple[tuple[int, int], ...] = ()) -> Candidate:
    return Candidate(text, Observation(text=text), neighbours=neighbours)


def test_the_passage_about_it_comes_first(reranker: Reranker) -> None:
    texts = [
        "We had soup for lunch.",
        "The pump stopped because its seal was leaking.",
        "The stop sign is red.",
    ]
    scores = reranker.score(QUESTION, [candidate(text) for text in texts])
    assert scores.argmax() == 1
    assert scores.dtype == np.float32
    assert ((scores >= 0) & (scores <= 1)).all()


def test_the_same_words_score_almost_one(reranker: Reranker) -> None:
    scores = reranker.score(QUESTION, [candidate(QUESTION.text)])
    assert scores[0] > 0.99


def test_a_neighbour_lends_its_words_at_a_discount(reranker: Reranker) -> None:
    answer, turn = "The pump stopped at nine.", "Oh no. Is it the seal again?"
    far = reranker.score(QUESTION, [candidate(turn), candidate(answer)])
    near = reranker.score(QUESTION, [candidate(turn, ((1, -1),)), candidate(answer)])
    two_away = reranker.score(QUESTION, [candidate(turn, ((1, -2),)), candidate(answer)])
    after = reranker.score(QUESTION, [candidate(turn, ((1, 1),)), candidate(answer)])
    assert far[0] < two_away[0] < near[0] < near[1]
    # What was said before explains a turn better than what was said after it.
    assert far[0] < after[0] < near[0]


def test_a_word_that_all_candidates_have_tells_none_apart(reranker: Reranker) -> None:
    question = Observation(text="pump vibration")
    texts = ["pump vibration", "pump pump pump", "vibration"]
    crowd = ["pump", "the pump", "a pump"] * 4
    alone = reranker.score(question, [candidate(text) for text in texts])
    among = reranker.score(question, [candidate(text) for text in texts + crowd])
    assert among[2] - among[1] > alone[2] - alone[1]
    assert among[0] == pytest.approx(1.0, abs=0.02)


def test_stored_token_vectors_give_the_same_score(
    services: SharedServices, reranker: Reranker
) -> None:
    text = "The pump stopped because its seal was leaking."
    fresh = candidate(text)
    from agentctx.records import Passage

    tokens = services.encoder("minilm").encode([Passage(fresh.observation, 0, text, 0, 45)]).tokens
    assert tokens is not None
    stored = Candidate(text, fresh.observation, tokens[0])
    both = reranker.score(QUESTION, [fresh, stored])
    assert both[0] == pytest.approx(both[1], abs=1e-6)


def test_what_is_about_none_of_them_stays_below_the_floor(reranker: Reranker) -> None:
    texts = ["We had soup for lunch.", "The stop sign is red."]
    strange = Observation(text="zxcmn qwpoe")
    assert reranker.score(strange, [candidate(text) for text in texts]).max() < reranker.floor
    assert reranker.score(QUESTION, [candidate("The pump stopped.")]).max() > reranker.floor


def test_candidates_without_words_score_zero(reranker: Reranker) -> None:
    assert reranker.score(QUESTION, [candidate(""), candidate("  ")]).tolist() == [0.0, 0.0]
    assert len(reranker.score(QUESTION, [])) == 0


@settings(max_examples=25, deadline=None)
@given(st.permutations(["pump", "valve stuck", "lunch", "", "the seal was leaking"]))
def test_scores_do_not_depend_on_the_order(reranker: Reranker, texts: list[str]) -> None:
    scores = reranker.score(QUESTION, [candidate(text) for text in texts])
    found = dict(zip(texts, scores.tolist(), strict=True))
    again = reranker.score(QUESTION, [candidate(t) for t in sorted(texts)])
    assert found == pytest.approx(dict(zip(sorted(texts), again.tolist(), strict=True)), abs=1e-5)


def test_a_decay_out_of_range_is_refused() -> None:
    config = Config(options={"late-interaction": {"before": 2.0}})
    with pytest.raises(ConfigError, match=r"before is 2\.0"):
        SharedServices(config).reranker("late-interaction")
