"""That plots show the figures they are made of: the places of bars, bars of error and points."""

import re
from collections.abc import Sequence
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from agentctx.evaluate import plots
from agentctx.evaluate.bias import audited
from agentctx.evaluate.comparison import Difference, PartComparison
from agentctx.evaluate.gap import measured
from agentctx.evaluate.metrics import Estimate
from agentctx.evaluate.results import Method, Pair

from .made import heard, retrieval, scored
from .test_probes import unit

Box = tuple[float, float, float, float]


def elements(svg: str, style: str) -> list[list[tuple[float, float]]]:
    """The points of every path of a style, in order."""
    found = []
    for element in ElementTree.fromstring(svg).iter():
        if element.tag.endswith("path") and style in element.get("style", ""):
            numbers = re.findall(r"-?[\d.]+", element.get("d", ""))
            pairs = [(float(x), float(y)) for x, y in zip(*[iter(numbers)] * 2, strict=True)]
            found.append(pairs)
    return found


def words(svg: str) -> list[str]:
    """The texts in a picture, in order."""
    root = ElementTree.fromstring(svg)
    return [(e.text or "").strip() for e in root.iter() if e.tag.endswith("text")]


def boxes(svg: str, colour: str) -> list[Box]:
    """Filled rectangles of a colour: left, top, right, bottom."""
    found = []
    for points in elements(svg, f"fill: {colour}"):
        xs, ys = [x for x, _ in points], [y for _, y in points]
        found.append((min(xs), min(ys), max(xs), max(ys)))
    return found


def widths(svg: str, colour: str) -> list[float]:
    """How wide the rectangles of a colour are: the bars, and the mark in the legend."""
    return [round(right - left, 2) for left, _, right, _ in boxes(svg, colour)]


def test_bars_are_as_long_as_their_means() -> None:
    methods = [Method("one", scored(0.8), {}), Method("two", scored(0.4), {})]
    svg = plots.methods(methods)
    first, second = (widths(svg, colour) for colour in plots.COLOURS[:2])
    # Five metrics each, and the mark in the legend.
    assert len(first) == len(second) == 6
    long, short = sorted(first)[-1], sorted(second)[-1]
    assert long == pytest.approx(2 * short, rel=0.01)
    assert {"one", "two", "recall@10", "recall@50", "success@1", "MRR", "nDCG@10"} <= set(
        words(svg)
    )


def test_bars_do_not_cover_each_other() -> None:
    methods = [Method(str(n), scored(0.5), {}) for n in range(4)]
    svg = plots.methods(methods)
    bars = sorted(
        (top, bottom)
        for colour in plots.COLOURS[:4]
        for left, top, right, bottom in boxes(svg, colour)
        if right - left > 50
    )
    assert len(bars) == 20
    assert all(bottom <= top + 0.01 for (_, bottom), (top, _) in pairwise(bars))


def test_intervals_reach_from_end_to_end() -> None:
    svg = plots.categories(retrieval().methods[0])
    bars = [box for box in boxes(svg, plots.COLOURS[0]) if box[2] - box[0] > 20]
    (zero,) = {round(left, 1) for left, _, _, _ in bars}
    scale = max(right - zero for _, _, right, _ in bars) / 0.9
    lines = [
        points
        for points in elements(svg, f"stroke: {plots.INK}")
        if len(points) == 2 and points[0][1] == points[1][1]
    ]
    ends = sorted(
        (round((a[0] - zero) / scale, 2), round((b[0] - zero) / scale, 2)) for a, b in lines
    )
    assert (0.3, 0.5) in ends
    assert (0.8, 1.0) in ends
    assert "multi-hop (5)" in words(svg)


def test_a_cell_for_every_pair() -> None:
    pairs = [Pair("text", "screenshot", scored(0.25)), Pair("screenshot", "text", scored(0.9))]
    svg = plots.pairs(pairs)
    assert {"0.25", "0.90", "text query", "screenshot query"} <= set(words(svg))
    assert len(boxes(svg, plots.COLOURS[0])) == 2


def test_every_point_is_drawn() -> None:
    rows = {"speech": unit([[1, 0, 0], [0, 1, 0.1]]), "text": unit([[0, 0.1, 1]])}
    svg = plots.components(measured("space", rows))
    root = ElementTree.fromstring(svg)
    marks = [e for e in root.iter() if e.tag.endswith("use") and "fill" in e.get("style", "")]
    by_colour = [sum(colour in m.get("style", "") for m in marks) for colour in plots.COLOURS[:2]]
    # Those in the legend are one more of each.
    assert by_colour == [3, 2]
    assert {"speech", "text"} <= set(words(svg))


def test_a_curve_for_every_kind_of_pair() -> None:
    rows = {"speech": unit([[1, 0, 0], [0, 1, 0]]), "text": unit([[0, 0, 1], [0, 1, 1]])}
    svg = plots.similarities(measured("space", rows))
    assert {"speech – speech", "speech – text", "text – text"} <= set(words(svg))


def test_shares_stand_beside_base_rates() -> None:
    found = audited(["q"], [["a", "a", "a", "b"]], {"a": 1, "b": 1}, {"a": 0.5, "b": 0.5})
    svg = plots.shares(found)
    bars = sorted(right - left for left, _, right, _ in boxes(svg, plots.COLOURS[0]))
    assert bars[-1] == pytest.approx(3 * bars[-2], rel=0.01)
    assert {"a", "b", "hits", "base rate"} <= set(words(svg))


def test_a_recording_without_an_error_has_no_bar() -> None:
    svg = plots.errors(heard())
    assert sorted(widths(svg, plots.COLOURS[0]))[0] == 0.0
    assert {"a.wav", "b.wav", "word error rate"} <= set(words(svg))


def compared(intervals: Sequence[Estimate]) -> PartComparison:
    names = ("recall_at_10", "mrr", "ndcg_at_10")
    rows = [Difference(n, 0.5, 0.5, one) for n, one in zip(names, intervals, strict=True)]
    return PartComparison("talks", "agentctx", "mrr", 9, 0, 0, rows, [], [], None, None)


def test_differences_are_coloured_when_they_are_clear() -> None:
    intervals = [Estimate(0.1, 0.05, 0.15), Estimate(-0.1, -0.15, -0.05), Estimate(0, -0.1, 0.1)]
    svg = plots.differences(compared(intervals))
    better, worse = (elements(svg, f"stroke: {colour}") for colour in ("#009e73", "#d55e00"))
    (up,) = [points for points in better if len(points) == 2]
    (down,) = [points for points in worse if len(points) == 2]
    # The one is right of zero as far as the other is left of it.
    zero = next(p[0][0] for p in elements(svg, f"stroke: {plots.SOFT}") if p[0][0] == p[1][0])
    assert up[0][0] - zero == pytest.approx(zero - down[1][0], abs=0.1)
    assert {"recall@10", "MRR", "nDCG@10", "B − A"} <= set(words(svg))


@pytest.mark.parametrize("count", [1, 2, 12])
def test_a_picture_grows_with_what_is_in_it(count: int) -> None:
    categories = {f"kind {n}": scored(0.5, 3) for n in range(count)}
    svg = plots.categories(Method("agentctx", scored(0.5), categories))
    assert sum(text.startswith("kind ") for text in words(svg)) == count
    height = float(ElementTree.fromstring(svg).get("height", "0pt").removesuffix("pt"))
    assert height == pytest.approx((0.7 + 0.34 * count) * 72, abs=0.5)


def test_names_of_data_are_no_markup() -> None:
    evil = '<script>alert("$x^2$")</script>'
    categories = {evil: scored(0.5, 3), "$\\frac{$": scored(0.5, 3)}
    svg = plots.categories(Method("agentctx", scored(0.5), categories))
    assert not any(e.tag.endswith("script") for e in ElementTree.fromstring(svg).iter())
    assert {f"{evil} (3)", "$\\frac{$ (3)"} <= set(words(svg))
