"""What always holds of samples, rankings, comparisons and audits, whatever they are made of."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from agentctx import Observation
from agentctx.evaluate import metrics, saved
from agentctx.evaluate.bias import audited, skew
from agentctx.evaluate.comparison import PartComparison, compare
from agentctx.evaluate.datasets.records import Collection, Dataset, Item, Query
from agentctx.evaluate.gap import measured
from agentctx.evaluate.results import METRICS, Detail, Figures, Question, Sheet, figures
from agentctx.evaluate.saved import Run

from .test_probes import unit

usual = settings(deadline=None, max_examples=60)
shares = st.sampled_from([0.0, 0.25, 0.5, 1.0])
ids = st.integers(0, 12).map(str)
rankings = st.lists(ids, max_size=12, unique=True)
judged = st.dictionaries(ids, st.integers(1, 3), min_size=1, max_size=5)
groups = st.dictionaries(ids, st.sampled_from(["monday", "tuesday", "friday"]))


# -- rankings -------------------------------------------------------------------------------------


@usual
@given(rankings, judged, groups)
def test_figures_are_shares(
    found: list[str], relevant: dict[str, int], of: Mapping[str, str]
) -> None:
    one = figures(found, Query("q", "words", relevant), of)
    values = [getattr(one, name) for name in METRICS]
    assert all(value is None or 0.0 <= value <= 1.0 for value in values)
    assert one.recall_at_1 <= one.recall_at_5 <= one.recall_at_10 <= one.recall_at_50
    assert one.success_at_1 <= one.success_at_5
    assert one.success_at_1 <= one.mrr
    assert (one.session_recall_at_10 is None) == (set(relevant).isdisjoint(of))


@usual
@given(rankings, judged)
def test_the_best_order_has_the_best_figures(found: list[str], relevant: dict[str, int]) -> None:
    query = Query("q", "words", relevant)
    best = sorted(relevant, key=lambda id_: -relevant[id_])
    top = figures([*best, *(id_ for id_ in found if id_ not in relevant)], query, {})
    here = figures(found, query, {})
    assert top.mrr == top.success_at_1 == pytest.approx(top.ndcg_at_10) == 1.0
    for name in METRICS[:-1]:
        assert getattr(here, name) <= getattr(top, name) + 1e-12


@usual
@given(rankings, judged, st.data())
def test_a_relevant_item_moved_up_loses_nothing(
    found: list[str], relevant: dict[str, int], data: st.DataObject
) -> None:
    places = [place for place, id_ in enumerate(found) if place and id_ in relevant]
    assume(places)
    place = data.draw(st.sampled_from(places))
    assume(relevant[found[place]] >= relevant.get(found[place - 1], 0))
    moved = [*found]
    moved[place - 1], moved[place] = moved[place], moved[place - 1]
    query = Query("q", "words", relevant)
    before, after = figures(found, query, {}), figures(moved, query, {})
    for name in METRICS[:-1]:
        assert getattr(after, name) >= getattr(before, name) - 1e-12


@usual
@given(st.lists(st.tuples(rankings, st.sampled_from(["a", "b", ""])), min_size=1, max_size=9))
def test_a_sheet_is_the_mean_of_its_parts(rows: list[tuple[list[str], str]]) -> None:
    sheet = Sheet()
    query = Query("q", "words", {"1": 1, "2": 1})
    for found, category in rows:
        sheet.note(found, figures(found, query, {}), category)
    method = sheet.method("agentctx")
    assert method.overall.questions == len(rows)
    assert method.overall.unanswered == sum(not found for found, _ in rows)
    assert set(method.categories) == {category for _, category in rows if category}
    column = sheet.columns()["recall_at_10"]
    assert method.overall.recall_at_10.mean == pytest.approx(sum(map(float, column)) / len(rows))  # type: ignore[arg-type]
    for category, scores in method.categories.items():
        mine = [value for value, (_, name) in zip(column, rows, strict=True) if name == category]
        assert scores.questions == len(mine)
        assert scores.recall_at_10.mean == pytest.approx(sum(map(float, mine)) / len(mine))  # type: ignore[arg-type]


def test_a_metric_that_some_questions_lack_is_the_mean_of_the_others() -> None:
    sheet = Sheet()
    for session in (0.5, None, 1.0):
        values = dict.fromkeys(METRICS[:-1], 1.0)
        sheet.note(["a"], Figures(**values, session_recall_at_10=session), "")
    found = sheet.scores().session_recall_at_10
    assert found is not None
    assert found.mean == 0.75


# -- samples --------------------------------------------------------------------------------------


def dataset(sizes: Sequence[int]) -> Dataset:
    one = Item("a", Observation(text="a"))
    return Dataset(
        "d",
        "made",
        [
            Collection(f"c{n}", [one], [Query(f"{n}/{q}", "a", {"a": 1}) for q in range(size)])
            for n, size in enumerate(sizes)
        ],
        skipped=2,
    )


@usual
@given(st.lists(st.integers(0, 6), min_size=1, max_size=6), st.integers(1, 20))
def test_a_sample_is_so_many_of_all(sizes: list[int], most: int) -> None:
    whole = dataset(sizes)
    few = whole.sample(most)
    everything = [query.id for one in whole.collections for query in one.queries]
    drawn = [query.id for one in few.collections for query in one.queries]
    assert few.queries == min(most, whole.queries) == len(drawn)
    # In the order of the whole, each once.
    assert drawn == [id_ for id_ in everything if id_ in set(drawn)]
    assert few.skipped == whole.skipped
    assert few == whole.sample(most)
    if most < whole.queries:
        assert all(one.queries for one in few.collections)


def test_a_sample_leaves_no_question_out_for_good() -> None:
    whole = dataset([5] * 20)
    drawn = {query.id for one in whole.sample(60).collections for query in one.queries}
    # Of every collection some, since they are drawn from all together.
    assert len({id_.partition("/")[0] for id_ in drawn}) >= 18


# -- comparisons ----------------------------------------------------------------------------------


def run(name: str, values: Sequence[float]) -> Run:
    questions = [Question(f"q{n}", "?", "") for n in range(len(values))]
    detail = Detail("mrr", questions, {"agentctx": {"mrr": list(values)}})
    return Run(name, {"talks": detail})


def compared(a: Sequence[float], b: Sequence[float]) -> PartComparison:
    (part,) = compare(run("a", a), run("b", b)).parts
    return part


@usual
@given(st.lists(st.tuples(shares, shares), min_size=1, max_size=12))
def test_the_other_way_round_is_the_opposite(pairs: list[tuple[float, float]]) -> None:
    a, b = ([pair[side] for pair in pairs] for side in (0, 1))
    there, back = compared(a, b), compared(b, a)
    (ours,), (theirs,) = there.differences, back.differences
    assert (ours.a, ours.b) == (theirs.b, theirs.a)
    assert ours.difference.mean == pytest.approx(-theirs.difference.mean)
    # The same questions are drawn anew in both.
    assert ours.difference.low == pytest.approx(-theirs.difference.high)
    assert [one.question for one in there.won] == [one.question for one in back.lost]
    assert len(there.won) + len(there.lost) == sum(one != other for one, other in pairs)


@usual
@given(st.lists(shares, min_size=1, max_size=12), st.sampled_from([0.125, -0.125]))
def test_what_is_always_better_is_clearly_so(values: list[float], more: float) -> None:
    (one,) = compared(values, [value + more for value in values]).differences
    assert one.clear
    assert one.difference.low == pytest.approx(one.difference.high) == pytest.approx(more)


@usual
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_a_detail_survives_being_saved(values: list[float]) -> None:
    detail = run("a", values).details["talks"]
    again = saved._detail(saved._rounded(detail))
    assert again.questions == detail.questions
    assert again.values["agentctx"]["mrr"] == pytest.approx(values, abs=5e-5)


# -- scores ---------------------------------------------------------------------------------------


@usual
@given(
    st.lists(shares, min_size=1, max_size=12),
    st.lists(shares, min_size=1, max_size=12),
    st.floats(0.1, 5.0),
)
def test_only_the_order_of_scores_counts(good: list[float], bad: list[float], by: float) -> None:
    scaled = [[value * by + 1 for value in values] for values in (good, bad)]
    assert metrics.auroc(*scaled) == metrics.auroc(good, bad)
    for share in (0.5, 0.95):
        assert metrics.coverage(*scaled, share) == metrics.coverage(good, bad, share)


@usual
@given(st.lists(shares, min_size=1, max_size=12), st.lists(shares, min_size=1, max_size=12))
def test_to_refuse_more_is_to_answer_less(good: list[float], bad: list[float]) -> None:
    covered = [metrics.coverage(good, bad, share) for share in (0.25, 0.5, 0.75, 1.0)]
    assert covered == sorted(covered, reverse=True)


# -- audits and spaces ----------------------------------------------------------------------------


@usual
@given(st.lists(st.lists(st.sampled_from("ab"), max_size=15), min_size=1, max_size=6))
def test_shares_of_all_groups_are_one(found: list[list[str]]) -> None:
    result = audited(
        [str(n) for n in range(len(found))], found, {"a": 3, "b": 1}, {"a": 0.75, "b": 0.25}
    )
    answered = [ranking for ranking in found if ranking]
    assert result.unanswered == len(found) - len(answered)
    if answered:
        assert sum(one.share_at_10.mean for one in result.groups) == pytest.approx(1.0)
        assert result.spread_at_10 is not None
        assert 0.0 <= result.spread_at_10.mean <= 2.0
        assert all(math.isfinite(one.skew_at_10.mean) for one in result.groups)


@usual
@given(st.lists(st.sampled_from("ab"), min_size=1, max_size=30))
def test_a_group_is_skewed_up_when_the_other_is_down(ranking: list[str]) -> None:
    base = {"a": 0.5, "b": 0.5}
    one, other = (skew(ranking, group, base, pseudo=1.0) for group in "ab")
    assert (one > 0) == (other < 0)
    assert (one == 0) == (other == 0) == (ranking.count("a") == ranking.count("b"))


vectors = st.lists(
    st.lists(st.floats(-1, 1).map(lambda x: round(x, 3)), min_size=4, max_size=4).filter(any),
    min_size=1,
    max_size=6,
)


@usual
@given(vectors, vectors)
def test_a_space_has_the_figures_of_its_vectors(
    one: list[list[float]], other: list[list[float]]
) -> None:
    found = measured("space", {"one": unit(one), "other": unit(other)})
    (apart,) = found.distances
    assert 0.0 <= apart.centroids <= 2.0 + 1e-6
    assert found.modalities == {"one": len(one), "other": len(other)}
    for each in found.similarities:
        assert -1.0 - 1e-5 <= each.p5 <= each.p50 <= each.p95 <= 1.0 + 1e-5
        assert sum(each.counts) == each.pairs
    crossed = {(each.one, each.other): each.pairs for each in found.similarities}
    assert crossed["one", "other"] == len(one) * len(other)
    assert crossed.get(("one", "one"), 0) == len(one) * (len(one) - 1) // 2
    assert 0.0 <= found.explained[1] <= found.explained[0] <= 1.0
    assert [len(points) for points in found.points.values()] == [len(one), len(other)]


@usual
@given(vectors)
def test_a_space_against_itself_has_no_gap(rows: list[list[float]]) -> None:
    found = measured("space", {"one": unit(rows), "twin": unit(rows)})
    assert found.distances[0].centroids == pytest.approx(0.0, abs=1e-6)
    assert np.array(found.points["one"]) == pytest.approx(np.array(found.points["twin"]))
