"""What tables say of results whose figures are known; and how they look in a terminal."""

from collections.abc import Mapping

import pytest
from rich.console import Console

from agentctx.evaluate import report
from agentctx.evaluate.comparison import Changed, Comparison, Difference, PartComparison
from agentctx.evaluate.gap import Direction, Distance, Gap, Similarities, SpaceGap
from agentctx.evaluate.metrics import Estimate
from agentctx.evaluate.results import Method, Pair, Question
from agentctx.evaluate.tables import Table, counted, mean, ranged, tables

from .made import SEARCH, around, heard, leak, refusals, retrieval, scored


def rows(table: Table) -> list[Mapping[str, str]]:
    """Each row by the names of the columns, which must be different."""
    assert len(set(table.columns)) == len(table.columns)
    return [dict(zip(table.columns, row, strict=True)) for row in table.rows]


def in_terminal(table: Table, width: int = 140) -> str:
    console = Console(width=width)
    with console.capture() as captured:
        console.print(report._rich(table))
    return captured.get()


# -- cells ----------------------------------------------------------------------------------------


def test_a_cell_has_three_digits() -> None:
    one = Estimate(0.80049, 0.7, 0.9004)
    assert (mean(one), ranged(one)) == ("0.800", "0.800 (0.700 to 0.900)")
    assert (mean(None), ranged(None)) == ("–", "–")


@pytest.mark.parametrize(
    ("number", "expected"), [(0, "0 memories"), (1, "1 memory"), (2, "2 memories")]
)
def test_things_are_counted_in_the_right_form(number: int, expected: str) -> None:
    assert counted(number, "memory", "memories") == expected


# -- retrieval ------------------------------------------------------------------------------------


def test_methods_and_categories() -> None:
    overall, by_category = tables(retrieval(skipped=3), "talks")
    assert overall.title == (
        "talks: 20 questions on 100 items in 2 memories (3 without an answer skipped)"
    )
    assert overall.first
    ours, bm25 = rows(overall)
    assert ours[""] == "agentctx"
    assert ours["recall@10 (95 %)"] == "0.800 (0.700 to 0.900)"
    assert {ours[name] for name in ("@50", "success@1", "@5", "MRR", "nDCG@10")} == {"0.800"}
    assert (bm25[""], bm25["MRR"], bm25["asked"]) == ("BM25", "0.500", "20")
    assert (
        overall.note == "empty: nothing found; search: p50 21 ms, p95 35 ms; adding: 12 ms an item"
    )
    assert by_category.title == "agentctx, by category"
    assert not by_category.first
    assert [(row[""], row["asked"]) for row in rows(by_category)] == [
        ("multi-hop", "5"),
        ("temporal", "15"),
    ]


def test_one_category_needs_no_table() -> None:
    one = Method("agentctx", scored(0.8, grouped=False), {"all": scored(0.8)})
    (overall,) = tables(retrieval([one], collections=1), "notes")
    assert "in 1 memory" in overall.title
    assert "skipped" not in overall.title
    assert rows(overall)[0]["session@10"] == "–"


def test_what_was_not_found_is_counted() -> None:
    one = Method("agentctx", scored(0.8, 20, 7), {})
    (overall,) = tables(retrieval([one]), "notes")
    assert rows(overall)[0]["empty"] == "7"


def test_modalities_cross() -> None:
    pairs = [
        Pair("screenshot", "text", scored(0.25, 4)),
        Pair("text", "screenshot", scored(0.5, 8)),
        Pair("text", "text", scored(0.75, 12)),
    ]
    *_, crossed = tables(retrieval(pairs=pairs), "signs")
    assert crossed.columns == ("query", "screenshot", "text")
    by_picture, by_words = rows(crossed)
    assert (by_picture["query"], by_picture["screenshot"]) == ("screenshot", "–")
    assert by_picture["text"] == "0.250 (0.150 to 0.350), 0.250, 4"
    assert by_words["text"] == "0.750 (0.650 to 0.850), 0.750, 12"
    # One pair says nothing that the other tables do not.
    assert len(tables(retrieval(pairs=pairs[:1]), "signs")) == 2


# -- probes ---------------------------------------------------------------------------------------


def test_abstention() -> None:
    *_, table = tables(retrieval(abstention=refusals()), "talks")
    assert table.title == "talks: abstention"
    answerable, gibberish, off_topic = rows(table)
    assert (answerable["questions"], answerable["AUROC"]) == ("20", "–")
    assert answerable["find nothing"] == "0.100 (0.000 to 0.200)"
    assert (gibberish["AUROC"], gibberish["coverage at 95 % refused"]) == ("1.000", "1.000")
    assert (off_topic["AUROC"], off_topic["coverage at 95 % refused"]) == ("0.875", "0.600")


def test_leakage() -> None:
    *_, table = tables(retrieval(leakage=leak()), "talks")
    assert table.title == "talks: 5 observations forgotten, found by searches 0 times"
    assert [(row["found by"], row["found before"], row["after"]) for row in rows(table)] == [
        ("its words", "5", "0"),
        ("moments", "4", "0"),
    ]
    assert table.note.startswith("0 places in 4,500,000 bytes have one of 1,200 fingerprints")
    assert "could not be read" not in table.note


@pytest.mark.parametrize(
    ("found", "ok"),
    [(leak(), True), (leak(after=1), False), (leak(traces=1), False), (leak(opaque=1), False)],
)
def test_a_leak_of_any_kind_is_one(found: object, ok: bool) -> None:
    assert found.ok is ok  # type: ignore[attr-defined]


def test_a_leak_is_said() -> None:
    (table,) = tables(leak(after=2, traces=3, opaque=1), "talks")
    assert "found by searches 2 times" in table.title
    assert "3 places" in table.note
    assert "1 files could not be read" in table.note


def space() -> SpaceGap:
    return SpaceGap(
        "text-minilm",
        {"speech": 3, "text": 1},
        [Distance("speech", "text", 0.4321)],
        [
            Similarities("speech", "speech", "all", 3, 0.5, 0.1, 0.5, 0.9, [3]),
            Similarities("speech", "text", "all", 1200, 0.25, 0.1, 0.2, 0.4, [1200]),
            Similarities("speech", "text", "matching", 2, 0.75, 0.7, 0.75, 0.8, [2]),
        ],
        [Direction("speech", "text", 2, 9, around(0.5), around(0.9), around(0.7))],
        (0.5, 0.25),
        {"speech": [(0.0, 1.0)]},
    )


def test_a_space() -> None:
    similar, directions = tables(Gap([space()]), "plant")
    assert similar.title == "plant: the space text-minilm (3 speech, 1 text)"
    assert [(row[""], row["pairs"], row["distance"]) for row in rows(similar)] == [
        ("speech – speech", "3", "–"),
        ("speech – text", "1,200", "0.432"),
        ("speech – text (matching)", "2", ""),
    ]
    (row,) = rows(directions)
    assert (row["query"], row["finds"], row["questions"], row["among"]) == (
        *("speech", "text", "2", "9"),
    )
    assert (row["recall@1"], row["recall@10"]) == ("0.500", "0.900 (0.800 to 1.000)")


def test_a_space_without_pairs_has_no_directions() -> None:
    alone = SpaceGap("s", {"text": 2}, [], space().similarities[:1], [], (1.0, 0.0), {})
    assert len(tables(Gap([alone]), "plant")) == 1


def test_recordings() -> None:
    (table,) = tables(heard(), "speech")
    first, second, overall = rows(table)
    assert (first[""], first["word error rate"], first["x real time"]) == ("a.wav", "0.000", "6.0")
    assert second["word error rate"] == "0.200"
    assert (overall[""], overall["words"], overall["word error rate"]) == ("all", "40", "0.150")


# -- comparisons ----------------------------------------------------------------------------------


def changed(number: int) -> Changed:
    return Changed(Question(f"q{number}", f"What is {number}?", "odd"), 0.0, number / 100)


def part(won: int = 0, lost: int = 0) -> PartComparison:
    differences = [
        Difference("recall_at_10", 0.5, 0.6, Estimate(0.1, 0.05, 0.15)),
        Difference("mrr", 0.5, 0.45, Estimate(-0.05, -0.09, -0.01)),
        Difference("ndcg_at_10", 0.5, 0.5, Estimate(0.0, -0.1, 0.1)),
    ]
    return PartComparison(
        "talks",
        "agentctx",
        "recall_at_10",
        40,
        1,
        2,
        differences,
        [changed(n) for n in range(1, won + 1)],
        [changed(n) for n in range(1, lost + 1)],
        SEARCH,
        None,
    )


def test_differences_are_judged_by_their_intervals() -> None:
    (table,) = report.part_tables(part())
    assert table.title == "talks: B less A on 40 questions (3 asked in one only)"
    better, worse, neither = rows(table)
    assert better["B − A (95 %)"] == "+0.100 (+0.050 to +0.150)"
    assert [row["B is"] for row in (better, worse, neither)] == ["better", "worse", ""]
    assert [row[""] for row in (better, worse, neither)] == ["recall@10", "MRR", "nDCG@10"]
    assert table.note == "search: A p50 21 ms, p95 35 ms; B –"


def test_long_lists_of_questions_are_cut() -> None:
    _, won, lost = report.part_tables(part(won=25, lost=1))
    assert won.title == "talks: 25 questions won by recall@10"
    assert len(won.rows) == 20
    assert won.note == "and 5 more"
    # Those that changed most come first.
    assert won.rows[0][-1] == "What is 25?"
    assert lost.title == "talks: 1 question lost by recall@10"
    assert lost.note == ""


def test_a_comparison_in_a_terminal() -> None:
    console = Console(width=120)
    with console.capture() as captured:
        found = Comparison("old", "[red]new", [part(won=1)], ["screens"])
        console.print(report.comparison_table(found))
    text = captured.get()
    assert "A: old" in text
    assert "B: [red]new" in text
    assert "What is 1?" in text
    assert "screens: only in one of them" in text


# -- terminals ------------------------------------------------------------------------------------


def test_a_terminal_obeys_nothing_in_a_table() -> None:
    evil = "[red]x[/red] \x1b[31m"
    text = in_terminal(Table(evil, ("", evil), [(evil, evil)], evil))
    assert "\x1b" not in text
    assert text.count("[red]x[/red]") == 5


@pytest.mark.parametrize("width", [60, 80, 200])
def test_names_stay_whole_on_any_terminal(width: int) -> None:
    overall, _ = tables(retrieval(), "talks")
    text = in_terminal(overall, width)
    assert "agentctx" in text
    assert all(len(line) <= width for line in text.splitlines())
