"""A question for a number of a sensor is answered with the exact one, from the readings."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from agentctx import Memory, Observation

NINE = datetime(2026, 3, 14, 9, tzinfo=UTC)
NOW = NINE + timedelta(hours=3)


def value(second: int) -> float:
    """Falls by a thousandth each second, but for one peak."""
    return 7.5 if second == 754 else round(5 - second / 1000, 3)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Memory]:
    folder = tmp_path_factory.mktemp("measured")
    for name, start in (("north", NINE), ("south", NINE + timedelta(hours=1))):
        rows = (f"{(start + timedelta(seconds=s)).isoformat()},{value(s)}" for s in range(1200))
        (folder / f"{name}.csv").write_text("time,oil pressure (bar)\n" + "\n".join(rows) + "\n")
    with Memory.open(folder / "memory") as memory:
        for name in ("north", "south"):
            memory.add(folder / f"{name}.csv", session=name)
        memory.add(
            Observation(
                modality="speech",
                text="I shut the bypass now.",
                captured_at=NINE + timedelta(seconds=305),
                duration=3,
                session="north",
            )
        )
        yield memory


def exact(memory: Memory, question: str, **options: object) -> str:
    text = memory.context(question, now=NOW, **options).text  # type: ignore[arg-type]
    found = re.search(r"Exact numbers from the readings:\n<data>\n(.*)\n</data>", text)
    return found[1] if found else ""


def test_an_extreme_comes_with_its_time(filled: Memory) -> None:
    said = exact(filled, "what was the highest oil pressure?", session="north")
    assert "1200 readings: max 7.5 bar at 09:12:34" in said


def test_the_span_that_is_asked_for_counts(filled: Memory) -> None:
    said = exact(filled, "what was the average oil pressure between 9:05 and 9:10?")
    mean = sum(value(second) for second in range(300, 600)) / 300
    assert f"300 readings: mean {mean:.12g} bar" in said
    given = exact(filled, "what was the lowest oil pressure?", until=NINE + timedelta(minutes=1))
    assert "60 readings: min 4.941 bar at 09:00:59" in given


def test_without_an_aggregate_the_usual_ones_are_told(filled: Memory) -> None:
    said = exact(filled, "what was the oil pressure at 9:03?")
    assert "60 readings: min 4.761" in said
    for name in ("mean", "max", "first", "last"):
        assert f"{name} 4." in said


def test_the_time_of_something_else_is_that_of_the_best_window(filled: Memory) -> None:
    said = exact(filled, "how high was the oil pressure when she said she shuts the bypass?")
    assert "from 2026-03-14 09:05:00" in said
    assert "60 readings" in said


def test_sessions_are_kept_apart(filled: Memory) -> None:
    both = exact(filled, "what was the highest oil pressure?")
    assert "2400 readings" in both
    assert "10:12:34" in exact(filled, "what was the highest oil pressure?", session="south")


@pytest.mark.parametrize(
    "question", ["who shut the bypass?", "what changed in the oil pressure since 9:05?"]
)
def test_other_questions_get_no_numbers(filled: Memory, question: str) -> None:
    assert exact(filled, question) == ""


def test_numbers_are_not_told_where_they_are_not_wanted(filled: Memory) -> None:
    question = "what was the highest oil pressure?"
    assert exact(filled, question, modality="speech") == ""
    assert exact(filled, question, session="west") == ""
    assert exact(filled, question, plan=False) == ""


@pytest.mark.parametrize("budget", [20, 60, 90, 400])
def test_the_budget_holds_with_numbers(filled: Memory, budget: int) -> None:
    context = filled.context("what was the highest oil pressure?", budget, now=NOW)
    assert context.tokens == filled.count_tokens(context.text) <= budget
