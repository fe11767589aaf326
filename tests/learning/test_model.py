"""The model of choices: what it learns, and that it learns the same each time."""

import random
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from agentctx.learning.model import SHARPNESS, SPREAD, Option, fit

NAMES = ("rerank", "words", "modality speech", "newer")

signals = st.dictionaries(st.sampled_from(NAMES), st.floats(0, 1, width=16), max_size=4)
option = st.builds(Option, st.floats(0, 1, width=16), signals)
choices = st.lists(st.lists(option, min_size=2, max_size=5), max_size=8)


def test_without_choices_nothing_is_learned() -> None:
    assert fit([]) == {}


def test_choices_that_say_nothing_change_nothing() -> None:
    alike = [Option(0.5, {"newer": 1.0})] * 3
    assert fit([alike] * 20) == {"newer": 0.0}


def test_what_is_taken_again_and_again_counts_more() -> None:
    speech = [Option(0.5, {"modality speech": 1.0}), Option(0.5, {"modality text": 1.0})]
    found = [fit([speech] * n) for n in (1, 10, 100)]
    learned = [weights["modality speech"] for weights in found]
    assert 0 < learned[0] < learned[1] < learned[2] < 0.5
    assert found[2]["modality text"] == -learned[2]


def test_a_signal_that_misleads_loses_weight() -> None:
    wrong = [Option(0.5, {}), Option(0.65, {"words": 1.0})]
    assert fit([wrong] * 50)["words"] < -0.15


def test_what_the_score_explains_needs_no_weight() -> None:
    right = [Option(0.9, {"words": 1.0}), Option(0.1, {})]
    assert 0 <= fit([right] * 10)["words"] < 0.001


@settings(max_examples=40, deadline=None)
@given(choices)
def test_the_optimum_is_that_of_a_general_optimiser(given_: list[list[Option]]) -> None:
    names = sorted({name for choice in given_ for one in choice for name in one.signals})
    sets = [np.array([[one.score, *(one.signals.get(n, 0.0) for n in names)] for one in choice])
            for choice in given_]  # fmt: skip

    def loss(weights: np.ndarray) -> float:
        total = (weights**2).sum() / (2 * SPREAD**2)
        for rows in sets:
            scores = SHARPNESS * rows @ np.array([1.0, *weights])
            total += np.log(np.exp(scores - scores.max()).sum()) + scores.max() - scores[0]
        return float(total)

    found = fit(given_)
    assert sorted(found) == names
    if names:
        best = minimize(loss, np.zeros(len(names)), method="L-BFGS-B",
                        options={"ftol": 1e-14, "gtol": 1e-9})  # fmt: skip
        assert loss(np.array([found[name] for name in names])) <= best.fun + 1e-6


@settings(max_examples=40, deadline=None)
@given(choices, st.integers(0, 99))
def test_the_same_in_whatever_order(given_: list[list[Option]], seed: int) -> None:
    other = list(given_)
    random.Random(seed).shuffle(other)
    assert fit(given_) == pytest.approx(fit(other), abs=2e-6)
    assert fit(given_) == fit(given_)


@pytest.mark.parametrize(
    ("taken", "left"),
    [({"rerank": 1.0, "newer": 1.0}, {}), ({}, {"rerank": 1.0, "newer": 1.0})],
    ids=["for", "against"],
)
def test_it_does_not_go_astray_where_choices_are_certain(
    taken: Mapping[str, float], left: Mapping[str, float]
) -> None:
    """Newton's method overshoots there: one signal decides all, hundreds of times over."""
    found = fit([[Option(0.0, taken), Option(1.0, left)]] * 500, spread=10.0)
    assert all(np.isfinite(weight) and abs(weight) < 10 for weight in found.values())
    assert found["newer"] > 0 if taken else found["newer"] < 0


def test_taking_what_stands_first_teaches_nothing_strange() -> None:
    """Who takes the best by what the search itself counts changes its weights but little."""
    choose = np.random.default_rng(3)
    noted = []
    for _ in range(200):
        rerank = choose.uniform(0.3, 0.8, 8)
        odds = np.exp(SHARPNESS * rerank)
        taken = int(choose.choice(8, p=odds / odds.sum()))
        order = [taken, *(n for n in range(8) if n != taken)]
        noted.append([Option(rerank[n], {"rerank": rerank[n], "newer": n / 7}) for n in order])
    found = fit(noted)
    assert abs(found["rerank"]) < 0.1
    assert abs(found["newer"]) < 0.05
