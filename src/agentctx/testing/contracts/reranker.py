"""What every reranker must hold."""

from collections.abc import Sequence

import numpy as np
import pytest

from agentctx.contracts import Candidate, Reranker, Services
from agentctx.records import Observation
from agentctx.testing.contracts.factory import FactoryContract

_TEXTS = (
    "The pump stopped because its seal was leaking.",
    "Lunch is at noon in the small kitchen.",
    "Who switched it off?",
    "The operator did, at nine.",
    "",
)


class RerankerContract(FactoryContract):
    """A reranker: one score in 0..1 per candidate, whatever order they come in."""

    contract = Reranker

    @pytest.fixture
    def query(self) -> Observation:
        """What is looked for."""
        return Observation(text="Why did the pump stop?")

    @pytest.fixture
    def candidates(self) -> Sequence[Candidate]:
        """Some without token vectors, two that are neighbours, one without words."""
        beside: dict[int, tuple[tuple[int, int], ...]] = {2: ((3, 1),), 3: ((2, 1),)}
        return [
            Candidate(text, Observation(text=text), neighbours=beside.get(number, ()))
            for number, text in enumerate(_TEXTS)
        ]

    @pytest.fixture
    def reranker(self, services: Services) -> Reranker:
        """A fresh one."""
        return self.make(services)  # type: ignore[no-any-return]

    def test_the_floor_is_a_score(self, reranker: Reranker) -> None:
        """In 0..1."""
        assert 0.0 <= reranker.floor <= 1.0, f"floor is {reranker.floor}"

    def test_scores_are_float32_within_0_and_1(
        self, reranker: Reranker, query: Observation, candidates: Sequence[Candidate]
    ) -> None:
        """One for each candidate, none for none."""
        for given in (candidates, []):
            scores = reranker.score(query, given)
            assert scores.dtype == np.float32, f"scores are {scores.dtype}, not float32"
            assert scores.shape == (len(given),), f"{len(given)} candidates, scores {scores.shape}"
            inside = (scores >= 0.0) & (scores <= 1.0)
            assert inside.all(), f"not in 0..1: {scores[~inside]}"

    def test_the_order_of_candidates_does_not_matter(
        self, reranker: Reranker, query: Observation, candidates: Sequence[Candidate]
    ) -> None:
        """Each candidate keeps its score in every order, and a second time."""
        scores = reranker.score(query, candidates)
        same = list(range(len(candidates)))
        for order in (same, same[::-1], same[2:] + same[:2], same[1::2] + same[::2]):
            again = reranker.score(query, _ordered(candidates, order))
            apart = np.abs(again - scores[order])
            assert (apart <= 1e-3).all(), f"in the order {order} scores differ by {apart}"


def _ordered(candidates: Sequence[Candidate], order: Sequence[int]) -> list[Candidate]:
    """The candidates in another order, their neighbours pointed at where these now are."""
    place = {old: new for new, old in enumerate(order)}
    return [
        Candidate(
            one.text,
            one.observation,
            one.tokens,
            tuple((place[neighbour], steps) for neighbour, steps in one.neighbours),
        )
        for one in (candidates[old] for old in order)
    ]
