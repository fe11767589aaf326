"""What holds for every question to a memory of perceptions, and what stays as it is in a chat."""

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentctx.planning import Vocabulary, plan

from .asking import CHAT, DAIRY, NOW, outline

_WORD = re.compile(r"\w+")
MAINS = [
    "what was on the screen",
    "which ticket did I open",
    "what did they say about rennet",
    "what did the boiler pressure do",
    "give me the readings and what was said",
    "the latest word on crates",
    "I need the figures and the screen",
]
LINKS = [
    "before",
    "just after",
    "when",
    "while",
    "during",
    "earlier than",
    "later than",
    "at the moment",
    "in the minute before",
    "since",
    "until",
    "between",
    "once",
]
ANCHORS = [
    "the talk about hops",
    "the belt speed dropped",
    "the page about malt was open",
    "they had mentioned the strike",
    "it",
    "14.40",
    "9.20 and 9.40 on Monday",
    "the call on hops and the one on malt",
    "a word of thanks",
]
TAILS = ["", "?", " yesterday?", ", and how far did it go?", ". Is that right?", " at 14.05"]


@given(
    st.sampled_from(MAINS),
    st.sampled_from(LINKS),
    st.sampled_from(ANCHORS),
    st.sampled_from(TAILS),
    st.booleans(),
)
def test_any_combination_gives_a_plan_whose_parts_are_in_the_question(
    main: str, link: str, anchor: str, tail: str, first: bool
) -> None:
    question = f"{link} {anchor}, {main}{tail}" if first else f"{main} {link} {anchor}{tail}"
    found = plan(question, NOW, DAIRY)
    ends = [0]
    for part in found.understood:
        assert part.words == question[part.start : part.stop]
        assert ends[-1] <= part.start < part.stop
        ends.append(part.stop)
    for clause in (found.clause, *(a for r in found.relations for a in r.anchors)):
        assert set(_WORD.findall(clause.words)) <= set(_WORD.findall(question))
        assert clause.since is None or clause.until is None or clause.since < clause.until
        assert not clause.each or (len(clause.modality) > 1 and not clause.attributes)
        assert set(clause.modality) <= set(DAIRY.modalities)


@pytest.mark.parametrize("main", MAINS)
def test_in_a_chat_the_same_words_ask_for_nothing_that_it_does_not_have(main: str) -> None:
    found = plan(f"{main}?", NOW, CHAT)
    assert set(found.clause.modality) <= {"text"}
    assert not found.clause.each
    assert not found.clause.attributes


@pytest.mark.parametrize(
    ("question", "modality"),
    [
        ("What was shown at 9.40, and what was said?", ("screenshot", "speech")),
        ("What was said at 9.40, and what was shown?", ("speech", "screenshot")),
        ("Give me the readings and the screen at 9.40", ("sensor", "screenshot")),
    ],
)
def test_one_of_each_is_in_order_of_mention(question: str, modality: tuple[str, ...]) -> None:
    clause = plan(question, NOW, DAIRY).clause
    assert clause.each
    assert clause.modality == modality


def test_one_of_several_is_in_no_order() -> None:
    both = Vocabulary(modalities=("speech", "text"))
    clause = plan("What did she say about hops?", NOW, both).clause
    assert not clause.each
    assert clause.modality == ("speech", "text")


def test_a_plan_tells_people_that_one_of_each_is_wanted() -> None:
    found = plan("What was shown at 9.40, and what was said?", NOW, DAIRY)
    assert "modality: screenshot and speech" in found.describe()


def test_names_stay_among_the_words_where_they_hold_for_one_of_several_only() -> None:
    found = outline("What was on the screen at 9.40, and what did Ann say about hops?", DAIRY)
    assert found["each"]
    assert "speaker" not in found
    assert found["words"] == "Ann hops"


def test_a_naive_now_is_local_time() -> None:
    naive = datetime(2026, 3, 18, 16, 20)
    found = plan("What was said at 9.40?", naive, DAIRY)
    assert found.now == naive.astimezone()
    assert found.now.tzinfo is not None
    assert found.clause.since == datetime(2026, 3, 18, 9, 40).astimezone(UTC)


@pytest.mark.parametrize(
    "modalities", [("screenshot",), ("speech", "text"), ("sensor",), ("text", "sensor")]
)
def test_times_counted_from_today_are_times_of_capture_of_perceptions(
    modalities: tuple[str, ...],
) -> None:
    found = outline("Where did Bob put the ladder on Monday?", Vocabulary(modalities=modalities))
    assert found == {"words": "Where did Bob put the ladder", "time": "03-16 00:00 .. 03-17 00:00"}


@pytest.mark.parametrize("modalities", [(), ("text",)])
def test_elsewhere_they_are_only_told(modalities: tuple[str, ...]) -> None:
    question = "Where did Bob put the ladder on Monday?"
    found = outline(question, Vocabulary(modalities=modalities))
    assert found == {"words": question, "told": "03-16 00:00 .. 03-17 00:00"}


def test_a_date_of_the_calendar_may_be_what_it_is_about() -> None:
    found = outline("Who won the contest in February?", DAIRY)
    assert found["told"] == "02-01 00:00 .. 03-01 00:00"


@pytest.mark.parametrize(
    "question",
    ["What must be ready until Friday?", "Will the vet come on Monday?", "Who is due today?"],
)
def test_a_day_to_come_is_no_time_of_capture(question: str) -> None:
    assert "time" not in outline(question, DAIRY)


@pytest.mark.parametrize("title", ["today in history", "today's headlines"])
def test_a_title_is_no_time(title: str) -> None:
    assert "time" not in outline(f"What was on the screen with {title}?", DAIRY)


@pytest.mark.parametrize(
    "told", ["14.40", "14:40", "2.40 pm", "2:40 p.m.", "twenty to three in the afternoon"]
)
def test_clocks_are_written_in_many_ways(told: str) -> None:
    found = outline(f"What was on the screen at {told} on Monday?", DAIRY)
    assert found["time"] == "03-16 14:40 .. 03-16 14:41"


@pytest.mark.parametrize("number", ["at 2.5 bar", "of 14.40 euros", "in version 9.20", "at 3.141"])
def test_a_number_with_a_point_is_no_time(number: str) -> None:
    assert "time" not in outline(f"Which pump was tested {number} metres?", DAIRY)
