"""The model of choices: what it learns, and that it learns the same each time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from agentctx.learning.model import SHARPNESS, SPREAD, fit
from agentctx.retrieve.signals import WEIGHTS

NAMES = ("rerank", "words", "modality speech", "newer")

signals = st.dictionaries(st.sampled_from(NAMES), st.floats(0, 1, width=16), max_size=4)
choices = st.lists(st.lists(signals, min_size=2, max_size=5), max_size=8)


def test_without_choices_nothing_changes() -> None:
    assert fit([], WEIGHTS) == WEIGHTS


def test_choices_that_say_nothing_change_nothing() -> None:
    alike = [{"rerank": 0.5, "newer": 1.0}] * 3
    assert fit([alike] * 20, WEIGHTS) == {**WEIGHTS, "newer": 0.0}


def test_what_is_taken_again_and_again_counts_more() -> None:
    speech = [{"rerank": 0.5, "modality speech": 1.0}, {"rerank": 0.5, "modality text": 1.0}]
    found = [fit([speech] * n, WEIGHTS) for n in (1, 10, 100)]
    learned = [weights["modality speech"] for weights in found]
    assert 0 < learned[0] < learned[1] < learned[2] < 1
    assert found[2]["modality text"] == -learned[2]
    assert all(weights["words"] == WEIGHTS["words"] for weights in found)


def test_a_signal_that_misleads_loses_weight() -> None:
    wrong = [{"rerank": 0.5}, {"rerank": 0.5, "words": 1.0}]
    assert fit([wrong] * 50, WEIGHTS)["words"] < 0


@settings(max_examples=40, deadline=None)
@given(choices)
def test_the_optimum_is_that_of_a_general_optimiser(given_: list[list[dict[str, float]]]) -> None:
    names = sorted({name for choice in given_ for one in choice for name in one})
    start = np.array([WEIGHTS.get(name, 0.0) for name in names])
    sets = [np.array([[one.get(n, 0.0) for n in names] for one in choice]) for choice in given_]

    def loss(weights: np.ndarray) -> float:
        total = ((weights - start) ** 2).sum() / (2 * SPREAD**2)
        for rows in sets:
            scores = SHARPNESS * rows.reshape(len(rows), -1) @ weights
            total += np.log(np.exp(scores - scores.max()).sum()) + scores.max() - scores[0]
        return float(total)

    found = fit(given_, WEIGHTS)
    if names:
        best = minimize(loss, start, method="L-BFGS-B", options={"ftol": 1e-14, "gtol": 1e-9})
        ours = np.array([found[name] for name in names])
        assert loss(ours) <= best.fun + 1e-6


@settings(max_examples=40, deadline=None)
@given(choices, st.randoms())
def test_the_same_in_whatever_order(given_: list[list[dict[str, float]]], random: object) -> None:
    other = list(given_)
    random.shuffle(other)  # type: ignore[attr-defined]
    one, two = fit(given_, WEIGHTS), fit(other, WEIGHTS)
    assert one == pytest.approx(two, abs=2e-6)
    assert fit(given_, WEIGHTS) == one


def test_it_does_not_go_astray_where_choices_are_certain() -> None:
    """Newton's method overshoots there: one signal decides all, a hundred times over."""
    certain = [{"rerank": 1.0, "newer": 1.0}, {"rerank": 0.0}]
    against = [{"rerank": 0.0}, {"rerank": 1.0, "newer": 1.0}]
    for one in (certain, against):
        found = fit([one] * 500, WEIGHTS, spread=10.0)
        assert all(np.isfinite(weight) and abs(weight) < 10 for weight in found.values())
