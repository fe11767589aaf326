"""The metrics, against values worked by hand, and within their bounds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentctx.evaluate import metrics

names = st.lists(st.integers(0, 20), max_size=12, unique=True)
wanted_names = st.sets(st.integers(0, 20), min_size=1, max_size=6)
words = st.lists(st.sampled_from(["pump", "seal", "is", "leaking"]), max_size=8)
numbers = st.lists(st.floats(0, 1), min_size=1, max_size=20)


def test_recall_counts_each_wanted_name_once() -> None:
    found = ["d", "a", "a", "b", "c"]
    assert metrics.recall(found, {"a", "c"}, depth=1) == 0.0
    assert metrics.recall(found, {"a", "c"}, depth=3) == 0.5
    assert metrics.recall(found, {"a", "c"}, depth=5) == 1.0
    assert metrics.recall(found, ["a", "a", "x", "y"], depth=5) == pytest.approx(1 / 3)


def test_reciprocal_rank_is_that_of_the_first() -> None:
    assert metrics.reciprocal_rank(["d", "a", "b", "c"], {"c", "b"}) == pytest.approx(1 / 3)
    assert metrics.reciprocal_rank(["d"], {"c"}) == 0.0
    assert metrics.reciprocal_rank([], {"c"}) == 0.0


@pytest.mark.parametrize(
    ("reference", "heard", "expected"),
    [
        ("the pump is leaking", "the pump is leaking", 0),
        ("the pump is leaking", "", 4),
        ("", "the pump", 2),
        ("the pump is leaking", "the pump leaking", 1),
        ("the pump is leaking", "the big pump is leaking", 1),
        ("the pump is leaking", "the bump is leaking", 1),
        ("a b c d", "b c d a", 2),
        ("kitten sitting on the mat", "sitting kitten on a mat", 3),
    ],
)
def test_edits_by_hand(reference: str, heard: str, expected: int) -> None:
    assert metrics.edits(reference.split(), heard.split()) == expected


@settings(deadline=None)
@given(words, words, words)
def test_edits_are_a_distance(one: list[str], two: list[str], three: list[str]) -> None:
    distance = metrics.edits(one, two)
    assert abs(len(one) - len(two)) <= distance <= max(len(one), len(two))
    assert (distance == 0) == (one == two)
    assert distance == metrics.edits(two, one)
    assert distance <= metrics.edits(one, three) + metrics.edits(three, two)


@settings(deadline=None)
@given(words, words)
def test_edits_as_the_textbook_has_them(one: list[str], two: list[str]) -> None:
    table = np.zeros((len(one) + 1, len(two) + 1), int)
    table[:, 0], table[0, :] = range(len(one) + 1), range(len(two) + 1)
    for i in range(1, len(one) + 1):
        for j in range(1, len(two) + 1):
            table[i, j] = min(
                table[i - 1, j] + 1,
                table[i, j - 1] + 1,
                table[i - 1, j - 1] + (one[i - 1] != two[j - 1]),
            )
    assert metrics.edits(one, two) == table[-1, -1]


def test_spoken_words_drop_what_is_not_heard() -> None:
    assert metrics.spoken_words("“It’s LEAKING” – bar-3, at 7.5!\n") == [
        *("its", "leaking", "bar", "3", "at", "7", "5"),
    ]
    assert metrics.spoken_words("… – !") == []


@settings(deadline=None)
@given(names, wanted_names, st.integers(1, 12))
def test_bounds_and_order(found: list[int], wanted: set[int], depth: int) -> None:
    recall = metrics.recall(found, wanted, depth)
    assert 0.0 <= recall <= metrics.recall(found, wanted, depth + 1) <= 1.0
    rank = metrics.reciprocal_rank(found, wanted)
    assert 0.0 <= rank <= 1.0
    assert (rank > 0) == (metrics.recall(found, wanted, len(found)) > 0)


@settings(deadline=None)
@given(numbers)
def test_an_estimate_holds_its_mean_and_comes_again(values: list[float]) -> None:
    found = metrics.estimate(values)
    assert found.mean == pytest.approx(np.mean(values))
    assert min(values) - 1e-9 <= found.low <= found.high <= max(values) + 1e-9
    assert found == metrics.estimate(values)


def test_the_interval_is_that_of_the_normal_approximation() -> None:
    values = [0.0] * 300 + [1.0] * 700
    found = metrics.estimate(values)
    half = 1.96 * np.sqrt(0.7 * 0.3 / 1000)
    assert found.low == pytest.approx(0.7 - half, abs=0.004)
    assert found.high == pytest.approx(0.7 + half, abs=0.004)
    assert str(found).startswith("0.700 (0.67")


def test_latency_is_in_milliseconds() -> None:
    found = metrics.latency([0.001 * n for n in range(1, 102)])
    assert (found.calls, found.p50_ms) == (101, pytest.approx(51.0))
    assert found.p95_ms == pytest.approx(96.0)
    assert str(found) == "p50 51 ms, p95 96 ms"
