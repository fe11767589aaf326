"""The gap before and after a mean shift, what is found among anything, and how it is shown."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from agentctx import Config, Memory, Observation
from agentctx.cli import cli
from agentctx.errors import MissingExtra
from agentctx.evaluate import gap, html, plots
from agentctx.evaluate.datasets.records import Collection, Dataset, Item, Query
from agentctx.evaluate.gap import ANY, Gap, Paired, Rows
from agentctx.evaluate.retrieval import Options, evaluate
from agentctx.evaluate.tables import tables

PUMP = ["The pump leaks.", "The seal of the pump is worn.", "Pump A is stopped for good."]
LUNCH = ["Bread and butter", "Lunch is soup today", "A cake with cherries"]


def cloud(seed: int, count: int = 30) -> Rows:
    random = np.random.default_rng(seed)
    rows = random.normal(size=(count, 6)) + 3 * random.normal(size=6)
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    with Memory.open(tmp_path / "memory", Config(encoders=("minilm",))) as memory:
        memory.add([Observation(text=text, modality="speech") for text in PUMP])
        memory.add([Observation(text=text) for text in LUNCH])
    return tmp_path / "memory"


# -- the shift ------------------------------------------------------------------------------------


@settings(deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_centroids_coincide_without_the_means(seed: int) -> None:
    for rows in (cloud(seed), cloud(seed + 1)):
        mean = rows.mean(axis=0)
        left = gap.shift(rows, mean)
        np.testing.assert_allclose(np.linalg.norm(left, axis=1), 1, atol=1e-4)
        # Each as long as it was before it was made of length 1, they have the origin as centroid.
        lengths = np.linalg.norm(rows - mean, axis=1, keepdims=True)
        np.testing.assert_allclose((left * lengths).mean(axis=0), 0, atol=1e-5)


def test_what_is_the_mean_itself_points_nowhere() -> None:
    row = np.array([[0.6, 0.8]], np.float32)
    assert not gap.shift(row, row[0]).any()


def test_modalities_are_nearer_to_each_other_when_shifted() -> None:
    found = gap.compared("s", {"picture": cloud(1), "text": cloud(2)})
    assert found.shifted is not None
    (before,), (after,) = found.distances, found.shifted.distances
    assert before.centroids > 0.5
    assert after.centroids < 0.1
    assert found.shifted.shifted is None


# -- among all modalities -------------------------------------------------------------------------


def test_what_is_found_among_anything_is_asked_one_way() -> None:
    cosines = np.array([[0.9, 0.8], [0.7, 0.6]], np.float32)
    matching = np.array([[False, True], [True, False]])
    pair = Paired("q", ANY, cosines, matching, calibrated=cosines[:, ::-1])
    found = gap.measured("s", {"q": cloud(1)}, [pair])
    assert [(one.query, one.item, one.by) for one in found.directions] == [
        ("q", ANY, "cosine"),
        ("q", ANY, "calibrated"),
    ]
    assert [one.recall_at_1.mean for one in found.directions] == [0.5, 0.5]
    # What a search goes by is no cosine, and is not shown as one.
    assert {one.kind for one in found.similarities} == {"all"}


def test_a_collection_of_several_modalities_is_asked_as_a_whole() -> None:
    items = [
        *(Item(f"s{n}", Observation(text=t, modality="speech")) for n, t in enumerate(PUMP)),
        *(Item(f"t{n}", Observation(text=t)) for n, t in enumerate(LUNCH)),
    ]
    queries = [Query("q1", "What is wrong with the seal?", {"s1": 1}),
               Query("q2", "What do we eat with cherries?", {"t2": 1})]  # fmt: skip
    alone = Collection("alone", items[:3], [Query("q3", "Is there a leak?", {"s0": 1})])
    dataset = Dataset("plant", "made", [Collection("day", items, queries), alone])
    options = Options(baselines=False, probes=frozenset({"gap"}))
    config = Config(encoders=("minilm",), reranker=None)
    found = evaluate(dataset, config, lambda *_: None, options).gap
    assert found is not None
    whole = [one for one in found.spaces[0].directions if one.item == ANY]
    # The one that holds speech only has nothing to tell apart.
    assert [(one.by, one.questions, one.candidates) for one in whole] == [
        ("cosine", 2, 6),
        ("calibrated", 2, 6),
    ]
    assert all(one.recall_at_1.mean == 1.0 for one in whole)
    rows = [dict(zip(table.columns, row, strict=True)) for table in tables(found, "plant")
            if "finds" in table.columns for row in table.rows]  # fmt: skip
    ways = [row["by"] for row in rows if row["finds"] == ANY]
    assert ways == ["cosine", "calibrated", "cosine, shifted"]


# -- how it is shown ------------------------------------------------------------------------------


def test_the_command_has_it_before_and_after(directory: Path, tmp_path: Path) -> None:
    page = tmp_path / "gap.html"
    given = ["eval", "gap", "--memory", str(directory), "--html", str(page)]
    shown = CliRunner().invoke(cli, given)
    assert shown.exit_code == 0, shown.output
    assert "shifted" in shown.output
    in_json = CliRunner().invoke(cli, [*given[:4], "--json"])
    (space,) = json.loads(in_json.stdout)["spaces"]
    assert space["shifted"]["distances"][0]["centroids"] < space["distances"][0]["centroids"]
    assert page.read_text("utf-8").count("<figure>") == 2


def test_the_table_shows_both() -> None:
    found = gap.compared("s", {"picture": cloud(1), "text": cloud(2)})
    (table,) = tables(Gap([found]), "plant")
    row = next(row for row in table.rows if row[0] == "picture – text")
    cells = dict(zip(table.columns, row, strict=True))
    assert float(cells["distance"]) > float(cells["shifted distance"])
    assert "mean of each modality taken away" in table.note


def test_both_are_drawn_side_by_side() -> None:
    rows = {"picture": cloud(1), "text": cloud(2)}
    both = plots.components(gap.compared("s", rows))
    assert "as they are" in both
    assert "shifted" in both
    one = plots.components(gap.measured("s", rows))
    assert "shifted" not in one
    # Every point twice, and the two of the legend once.
    assert both.count("<use ") > 2 * 60
    assert html.gap_page(Gap([gap.compared("s", rows)]), "plant").count("<figure>") == 2


def test_what_lays_points_out_by_neighbours_is_an_extra(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(MissingExtra, match=r"pip install 'agentctx\[umap\]'"):
        gap.of_memory(directory, Config(), "umap")
