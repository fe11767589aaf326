"""The page: everything in one file, nothing that runs; tables and plots say what was measured."""

import base64
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from agentctx.errors import ConfigError
from agentctx.evaluate import html, plots
from agentctx.evaluate.bias import audited
from agentctx.evaluate.comparison import compare
from agentctx.evaluate.days import DaysResult
from agentctx.evaluate.days.measuring import Method
from agentctx.evaluate.days.scoring import Abstention, Scores
from agentctx.evaluate.gap import Gap, measured
from agentctx.evaluate.metrics import Latency, estimate
from agentctx.evaluate.results import Detail, Question
from agentctx.evaluate.run import Evaluation
from agentctx.evaluate.saved import Run
from agentctx.evaluate.speech import Clip, SpeechResult
from agentctx.evaluate.tables import Table, tables

from .test_probes import unit

EVIL = "</td><script>alert(1)</script>"


class Page(HTMLParser):
    """What is in a page: its tags, where they lead, its tables and its pictures."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.pictures: list[str] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag not in ("meta", "img"):
            self.open.append(tag)
        for name, value in attrs:
            assert not name.startswith("on")
            if name == "src":
                assert value is not None
                head, _, data = value.partition(",")
                assert head == "data:image/svg+xml;base64"
                self.pictures.append(base64.b64decode(data).decode())
            elif name == "href":
                self.links.append(str(value))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def bias_result() -> Any:
    rankings = [["a", "a", EVIL], ["a", EVIL, "a", "a"]]
    return audited(["q", "r"], rankings, {"a": 3, EVIL: 1}, {"a": 0.75, EVIL: 0.25})


def gap_result() -> Gap:
    rows = {"speech": unit([[1, 0, 0], [0, 1, 0.2]]), "text": unit([[0, 0, 1], [0.1, 0, 1]])}
    return Gap([measured("text-space", rows)])


def days_result() -> DaysResult:
    """Two ways to search two types of question, of which one way was asked one only."""
    whole, half = estimate([1.0, 1.0]), estimate([0.0, 1.0])
    of = Scores(2, 1, whole, half)
    refusal = {"gibberish": Abstention(5, whole, half)}
    methods = [
        Method("agentctx", Scores(4, 1, whole, half), {"before": of, "said": of}, refusal),
        Method("plan off", Scores(4, 2, half, half), {"said": of}, {}),
    ]
    return DaysResult(1, 3, 2, 1, 40, 4, 5, methods, {}, 0.05, 3.0, Latency(4, 20.0, 30.0))


def test_days_have_tables_and_a_plot() -> None:
    by_type, refused = tables(days_result(), "days")
    assert by_type.title.startswith("days: 4 questions on 40 observations of 1 day")
    assert by_type.columns == ("", "asked", "agentctx", "plan off")
    assert [row[:2] for row in by_type.rows] == [("all", "4"), ("before", "2"), ("said", "2")]
    assert by_type.rows[1][3] == "–"
    assert "words misheard: 0.050" in by_type.note
    assert refused.rows[0][:3] == ("gibberish", "5", "1.000 (1.000 to 1.000)")
    (plot,) = html.plots_of(days_result())
    assert all(name in plot.svg for name in ("plan off", "before", "said"))


def comparison(name: str = "b.json") -> Any:
    questions = [Question(f"q{n}", EVIL if n else "Who?", "odd") for n in range(3)]
    details = [
        Detail("mrr", questions, {"agentctx": {"mrr": values}}, Latency(3, 1.0, 2.0))
        for values in ([0.0, 0.5, 1.0], [1.0, 0.5, 0.0])
    ]
    return compare(Run("a.json", {"talks": details[0]}), Run(name, {"talks": details[1]}))


def test_a_page_stands_alone(evaluation: Evaluation) -> None:
    page = Page(html.evaluation_page(evaluation))
    assert not page.open
    assert not page.tags & {"script", "link", "iframe", "object", "embed", "form"}
    assert page.links == []
    assert "viewport" in html.evaluation_page(evaluation)
    words = " ".join(page.words)
    assert "3 questions on 8 items in 1 memory" in words
    assert "recall@10 (95 %)" in words


def test_every_picture_is_one_and_reaches_nowhere(evaluation: Evaluation) -> None:
    pictures = Page(html.evaluation_page(evaluation)).pictures
    assert len(pictures) == 2
    for picture in pictures:
        root = ElementTree.fromstring(picture)
        assert root.tag.endswith("svg")
        for element in root.iter():
            assert not element.tag.endswith(("script", "image", "foreignObject"))
            for name, value in element.attrib.items():
                assert "href" not in name or value.startswith("#")
        # Text is text, which a reader's own font shows.
        assert any(element.tag.endswith("text") for element in root.iter())


def test_a_page_comes_out_the_same(evaluation: Evaluation) -> None:
    assert html.evaluation_page(evaluation) == html.evaluation_page(evaluation)


def test_what_data_say_is_text_only(evaluation: Evaluation) -> None:
    clip = Clip(EVIL, 4, 1, 2.0, 1.0, "heard")
    speech = SpeechResult([clip], 4, 1, 0.25, 2.0, 1.0, 2.0)
    parts = {EVIL: bias_result(), "speech": speech, "gap": gap_result()}
    found = Evaluation(Path(EVIL), "1", (EVIL,), None, parts, [EVIL])  # type: ignore[arg-type]
    for text in (
        html.evaluation_page(found),
        html.comparison_page(comparison(EVIL)),
        html.gap_page(gap_result(), EVIL),
    ):
        page = Page(text)
        assert "script" not in page.tags
        assert EVIL in "".join(page.words)
        assert page.pictures


def test_error_bars_end_where_the_interval_does(evaluation: Evaluation) -> None:
    result: Any = evaluation.parts["locomo"]
    svg = plots.methods(result.methods)
    for name in ("agentctx", "RRF, no rerank", "recall@10", "nDCG@10"):
        assert name in svg
    assert svg == plots.methods(result.methods)
    assert "<dc:date>" not in svg


def test_a_comparison_is_drawn() -> None:
    page = Page(html.comparison_page(comparison()))
    (picture,) = page.pictures
    assert "B − A" in picture
    words = " ".join(page.words)
    assert "1 question won by MRR" in words
    assert "1 question lost by MRR" in words


def test_a_space_is_drawn() -> None:
    svg = plots.components(gap_result().spaces[0])
    assert re.search(r"first component \(\d+%\)", svg)
    assert "speech – text" in plots.similarities(gap_result().spaces[0])
    assert "base rate" in plots.shares(bias_result())


def test_a_page_that_cannot_be_written(tmp_path: Path) -> None:
    html.write("<p>", tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text() == "<p>"
    with pytest.raises(ConfigError, match="cannot be written"):
        html.write("<p>", tmp_path / "there" / "is" / "no.html")


def test_a_result_of_an_unknown_kind_has_no_table() -> None:
    with pytest.raises(TypeError, match="talks: no table is known for int"):
        tables(7, "talks")
    assert html.plots_of(7) == []


def test_rows_are_as_long_as_their_heads(evaluation: Evaluation) -> None:
    shown: list[Table] = [
        *tables(evaluation.parts["locomo"], "locomo"),
        *tables(bias_result(), "bias"),
        *tables(gap_result(), "gap"),
    ]
    for table in shown:
        assert table.rows
        assert {len(row) for row in table.rows} == {len(table.columns)}
