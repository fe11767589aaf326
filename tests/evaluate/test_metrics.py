"""The metrics, against values worked by hand, and within their bounds."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
import pytrec_eval
from hypothesis import given, settings
from hypothesis import strategies as st

from agentctx.evaluate import metrics
from agentctx.evaluate.datasets.records import Query
from agentctx.evaluate.results import METRICS, Figures, figures

names = st.lists(st.integers(0, 20), max_size=12, unique=True)
wanted_names = st.sets(st.integers(0, 20), min_size=1, max_size=6)
words = st.lists(st.sampled_from(["pump", "seal", "is", "leaking"]), max_size=8)
numbers = st.lists(st.floats(0, 1), min_size=1, max_size=20)
rankings = st.lists(st.integers(0, 80).map(str), max_size=50, unique=True)
judgements = st.dictionaries(st.integers(0, 80).map(str), st.integers(1, 3), min_size=1, max_size=8)
# Our names, and those of trec_eval.
TREC = {
    **{f"recall_at_{depth}": f"recall_{depth}" for depth in (1, 5, 10, 50)},
    **{f"success_at_{depth}": f"success_{depth}" for depth in (1, 5)},
    "mrr": "recip_rank",
    "ndcg_at_10": "ndcg_cut_10",
}


def trec(found: Sequence[str], grades: Mapping[str, int]) -> Mapping[str, float]:
    """What trec_eval says of one ranking."""
    asked = {"recall.1,5,10,50", "success.1,5", "recip_rank", "ndcg_cut.10"}
    evaluator = pytrec_eval.RelevanceEvaluator({"q": dict(grades)}, asked)
    scores = {name: float(len(found) - rank) for rank, name in enumerate(found)}
    result: Mapping[str, float] = evaluator.evaluate({"q": scores}).get("q", {})
    return result


@settings(deadline=None)
@given(rankings, judgements)
def test_figures_are_those_of_trec_eval(found: list[str], grades: dict[str, int]) -> None:
    ours = figures(found, Query("q", "words", grades), {})
    theirs = trec(found, grades)
    for name, trec_name in TREC.items():
        # Of a query without any hit, trec_eval says nothing.
        assert getattr(ours, name) == pytest.approx(theirs.get(trec_name, 0.0)), name
    assert set(TREC) | {"session_recall_at_10"} == set(METRICS)


def test_figures_by_hand() -> None:
    query = Query("q", "words", {"a": 3, "b": 1})
    found = ["x", "a", "y", "z", "w", "b"]
    gained = 3 / np.log2(3) + 1 / np.log2(7)
    assert figures(found, query, {"a": "monday", "b": "tuesday", "x": "sunday"}) == Figures(
        recall_at_1=0.0,
        recall_at_5=0.5,
        recall_at_10=1.0,
        recall_at_50=1.0,
        success_at_1=0.0,
        success_at_5=1.0,
        mrr=0.5,
        ndcg_at_10=pytest.approx(gained / (3 + 1 / np.log2(3))),  # type: ignore[arg-type]
        session_recall_at_10=1.0,
    )
    assert figures(found, query, {}).session_recall_at_10 is None
    only_b = figures(found, query, {}, ["b"])
    assert (only_b.recall_at_5, only_b.mrr) == (0.0, pytest.approx(1 / 6))


def test_a_session_is_found_by_any_of_its_items() -> None:
    query = Query("q", "words", {"a": 1})
    groups = {"a": "monday", "b": "monday", "c": "tuesday"}
    assert figures(["c", "b"], query, groups).session_recall_at_10 == 1.0
    assert figures(["c"], query, groups).session_recall_at_10 == 0.0


def test_an_item_that_is_found_twice_counts_once() -> None:
    assert metrics.ndcg(["a", "a", "b"], {"a": 1, "b": 1}, 10) == 1.0
    assert metrics.ndcg([], {"a": 1}, 10) == 0.0


@settings(deadline=None)
@given(numbers, numbers)
def test_auroc_is_the_share_of_pairs_in_order(good: list[float], bad: list[float]) -> None:
    pairs = [1.0 if g > b else 0.5 if g == b else 0.0 for g in good for b in bad]
    assert metrics.auroc(good, bad) == pytest.approx(np.mean(pairs))
    assert metrics.auroc(good, bad) == pytest.approx(1 - metrics.auroc(bad, good))


@settings(deadline=None)
@given(numbers, numbers, st.sampled_from([0.5, 0.9, 0.95, 1.0]))
def test_coverage_refuses_what_it_says(good: list[float], bad: list[float], share: float) -> None:
    covered = metrics.coverage(good, bad, share)
    bars = [bar for bar in bad if np.mean([score <= bar for score in bad]) >= share - 1e-12]
    assert covered == pytest.approx(np.mean([score > min(bars) for score in good]))


def test_the_interval_of_differences_is_paired() -> None:
    hard = [0.1, 0.9] * 200
    better = [value + 0.02 for value in hard]
    apart = metrics.estimate([b - a for a, b in zip(hard, better, strict=True)])
    assert apart.low == pytest.approx(apart.high) == pytest.approx(0.02)
    # The unpaired intervals overlap by far: what makes a question hard is in both.
    assert metrics.estimate(hard).high > metrics.estimate(better).low


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
