"""The bias audit: its measures by hand, and on rankings that are skewed on purpose."""

import json
import math
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentctx import Config
from agentctx.errors import SourceInvalid
from agentctx.evaluate import bias
from agentctx.evaluate.bias import BiasResult, audited, ndkl, skew
from agentctx.evaluate.run import run

HALF = {"a": 0.5, "b": 0.5}


def test_skew_by_hand() -> None:
    # Geyik et al., definition 4.1: ln of the share among the first k over the base rate.
    assert skew(["a", "a", "a", "b"], "a", HALF) == pytest.approx(math.log(0.75 / 0.5))
    assert skew(["a", "a", "a", "b"], "b", HALF) == pytest.approx(math.log(0.25 / 0.5))
    assert skew(["a", "b"], "a", HALF) == 0.0
    assert skew(["a"], "b", HALF) == -math.inf
    # One item more, shared by the base rates: ln((0 + 0.5) / 2 / 0.5).
    assert skew(["a"], "b", HALF, pseudo=1.0) == pytest.approx(math.log(0.5))


def test_ndkl_by_hand() -> None:
    first, second = math.log(1 / 0.5), 0.0
    weights = 1 / math.log2(2), 1 / math.log2(3)
    expected = (weights[0] * first + weights[1] * second) / sum(weights)
    assert ndkl(["a", "b"], HALF) == pytest.approx(expected)
    assert ndkl(["a", "a"], HALF) == pytest.approx(math.log(2))
    assert ndkl(["a", "a", "a"], {"a": 1.0}) == 0.0


@settings(deadline=None)
@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=30))
def test_ndkl_is_least_for_the_fairest_of_orders(ranking: list[str]) -> None:
    base = {"a": 0.5, "b": 0.25, "c": 0.25}
    assert 0.0 <= ndkl(ranking, base) <= math.log(1 / 0.25) + 1e-9
    assert ndkl(["a", "b", "a", "c"] * 10, base) < ndkl(["a"] * 40, base)


def people(tmp_path: Path, groups: Mapping[str, list[str]], queries: str) -> Path:
    rows = [{"group": group, "text": text} for group, texts in groups.items() for text in texts]
    folder = tmp_path / "people"
    folder.mkdir()
    (folder / "items.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    (folder / "queries.txt").write_text(queries, "utf-8")
    return folder


def test_an_audit_of_a_skewed_collection(tmp_path: Path) -> None:
    doctors = [f"Doctor {name} at the clinic" for name in ("Berg", "Lund", "Dahl")]
    nurses = [f"Nurse {name} on the ward" for name in ("Holm", "Vik", "Moe")]
    cooks = ["A cook", "A cook at a stove"]
    folder = people(
        tmp_path, {"one": [*doctors, cooks[0]], "two": [*nurses, cooks[1]]}, "a cook\nxyzzy plugh"
    )
    found = run(folder, config=Config(encoders=("minilm",))).parts["people"]
    assert isinstance(found, BiasResult)
    assert (found.items, found.queries) == (8, 2)
    assert [(one.group, one.items, one.base_rate) for one in found.groups] == [
        ("one", 4, 0.5),
        ("two", 4, 0.5),
    ]
    assert sum(one.share_at_10.mean for one in found.groups) == pytest.approx(1.0)
    assert found.by_query[0].query == "a cook"
    # Gibberish finds nothing, and is in no mean.
    assert found.unanswered == 1
    assert (found.by_query[1].hits, found.by_query[1].ndkl) == (0, None)


def test_figures_of_given_rankings() -> None:
    counts, base = {"a": 30, "b": 10}, {"a": 0.75, "b": 0.25}
    fair = audited(["q"], [["a", "a", "a", "b"]], counts, base)
    assert fair.spread_at_10 is not None
    assert fair.spread_at_10.mean == 0.0
    assert [one.skew_at_10.mean for one in fair.groups] == [0.0, 0.0]
    skewed = audited(["q", "r"], [["b"] * 12, []], counts, base)
    assert skewed.spread_at_10 is not None
    assert skewed.spread_at_10.mean == pytest.approx(0.75 + 0.75)
    assert skewed.groups[1].skew_at_10.mean > 1.0
    assert skewed.groups[0].skew_at_10.mean < -2.0
    assert (skewed.unanswered, skewed.by_query[0].at_10) == (1, {"a": 0, "b": 10})
    nothing = audited(["q"], [[]], counts, base)
    assert (nothing.groups, nothing.spread_at_10, nothing.ndkl) == ([], None, None)


@pytest.mark.parametrize(
    ("items", "queries", "message"),
    [
        ('{"group": "a", "text": "x"}', "q", "all its items are of one group"),
        ('{"group": "a", "text": "x"}\n{"text": "y"}', "q", r"items\.jsonl, line 2'.*'group'"),
        ('{"group": "a"}', "q", "line 1'.*'file'"),
        ('{"group": "a", "file": "../x.png"}', "q", "leads out of its folder"),
        ('{"group": "a", "text": "x"}', "\n", "no query in it"),
        ('{"group": "a", "text": ""}', "q", "is no text"),
    ],
)
def test_an_audit_says_what_is_wrong(
    tmp_path: Path, items: str, queries: str, message: str
) -> None:
    (tmp_path / "items.jsonl").write_text(items)
    (tmp_path / "queries.txt").write_text(queries)
    with pytest.raises(SourceInvalid, match=message):
        bias.evaluate(tmp_path, Config(), lambda *_: None)
