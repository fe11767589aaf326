"""Searching with a plan: who decides, what is refused, and what always holds."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentctx import Config, Hit, Memory
from agentctx.planning import Clause, Plan, Relation
from agentctx.records import Filters
from agentctx.retrieve import planned

from .conftest import Ask
from .story import GALLEY, NOW, STORY, YARD, clock, names

AT_THE_PUMP = "What was on the screen when they talked about the bilge pump?"

# -- what is given beside the question --------------------------------------------------------


def test_a_given_modality_comes_before_that_of_the_question(ask: Ask) -> None:
    found = ask(AT_THE_PUMP, modality="sensor")
    assert {STORY[name].modality for name in found} == {"sensor"}
    # It is still looked for at the moment that the question names.
    assert found[0] in ("water step", "water 9:40", "kiln 9:40")
    both = ask("What was said at 9:44?", modality=["speech", "sensor"], session=YARD)
    assert set(both[:3]) == {"pump talk", "water 9:40", "kiln 9:40"}


def test_a_given_session_comes_before_that_of_the_question(yard: Memory, ask: Ask) -> None:
    question = "What did we say in session galley today?"
    assert yard.plan(question, NOW).clause.session == (GALLEY,)
    assert {STORY[name].session for name in ask(question)} == {GALLEY}
    assert {STORY[name].session for name in ask(question, session=YARD)} == {YARD}


def test_a_given_time_is_kept_besides_that_of_the_question(ask: Ask) -> None:
    question = "What did Bob say this morning?"
    assert set(ask(question)) == {"hello", "keel talk", "sling talk"}
    assert set(ask(question, since=clock("9:30"))) == {"keel talk", "sling talk"}
    assert set(ask(question, since=clock("9:30"), until=clock("9:50"))) == {"keel talk"}
    assert ask(question, since=clock("13:00")) == []


def test_a_given_beginning_is_not_widened_for_screens(ask: Ask) -> None:
    # The keel ticket was shown until 9:41, but it was captured before what is given.
    question = "What was on the screen at 9:40?"
    assert ask(question, session=YARD)[0] == "keel ticket"
    assert ask(question, session=YARD, since=clock("9:33")) == []


def test_a_given_source_restricts(ask: Ask) -> None:
    found = ask("What happened at 9:44?", source=f"{YARD}/talk.wav")
    assert found == ["pump talk"]


@pytest.mark.parametrize(
    ("given_", "clause", "expected"),
    [
        ({}, {"modality": ("speech",)}, {"modality": ("speech",)}),
        ({"modality": ("text",)}, {"modality": ("speech",)}, {"modality": ("text",)}),
        ({"session": ("a",)}, {"session": ("b",)}, {"session": ("a",)}),
        ({"source": ("a",)}, {"source": ("b",)}, {"source": ("a",)}),
        ({"since": clock("9:00")}, {"since": clock("8:00")}, {"since": clock("9:00")}),
        ({"since": clock("9:00")}, {"since": clock("9:30")}, {"since": clock("9:30")}),
        ({"until": clock("9:00")}, {"until": clock("9:30")}, {"until": clock("9:00")}),
        ({"until": clock("9:00")}, {}, {"until": clock("9:00")}),
        (
            {"attributes": (("app", ("Mail",)),)},
            {"attributes": (("app", ("Board",)), ("channel", ("heat",)))},
            {"attributes": (("app", ("Mail",)), ("channel", ("heat",)))},
        ),
        # Somebody is asked about by name, too: with other words, that is only preferred.
        ({}, {"words": "ropes", "attributes": (("speaker", ("Ann",)),)}, {}),
        (
            {},
            {"attributes": (("speaker", ("Ann",)),)},
            {"attributes": (("speaker", ("Ann",)),)},
        ),
    ],
)
def test_what_is_given_comes_before_the_clause(
    given_: dict[str, Any], clause: dict[str, Any], expected: dict[str, Any]
) -> None:
    found = planned.merged(Clause(**{"words": "", **clause}), Filters(**given_))
    assert found == Filters(**expected)


# -- plans ------------------------------------------------------------------------------------


def test_without_a_plan_a_question_is_words(ask: Ask) -> None:
    assert ask(AT_THE_PUMP)[0] == "tide page"
    assert ask(AT_THE_PUMP, plan=False)[0] == "pump talk"


def test_the_plan_of_a_question_is_what_is_carried_out(yard: Memory, ask: Ask) -> None:
    for question in (AT_THE_PUMP, "What was said at 9:44?", "When was varnish last mentioned?"):
        plan = yard.plan(question, NOW)
        assert ask(question, plan=plan) == ask(question)
        # The time to count from is in the plan.
        assert ask(question, plan=plan, now=NOW + timedelta(days=9)) == ask(question)


def test_a_plan_can_be_changed(yard: Memory, ask: Ask) -> None:
    plan = yard.plan(AT_THE_PUMP, NOW)
    (relation,) = plan.relations
    after = replace(plan, relations=(replace(relation, kind="after"),))
    assert ask(AT_THE_PUMP, plan=after)[0] == "crane manual"
    spoken = replace(plan, clause=replace(plan.clause, modality=("sensor",)))
    assert {STORY[name].modality for name in ask(AT_THE_PUMP, plan=spoken)} == {"sensor"}
    alone = replace(plan, relations=(), clause=replace(plan.clause, words="tide tables"))
    assert ask("anything", plan=alone)[0] == "tide page"


def test_a_plan_can_be_made_by_hand(ask: Ask) -> None:
    plan = Plan(
        Clause("", modality=("screenshot",)),
        NOW,
        (Relation("between", (Clause("varnish order"), Clause("crane manual"))),),
        order="last",
    )
    assert ask("what was shown then", plan=plan)[0] in ("keel ticket", "tide page")


def test_a_plan_describes_itself(yard: Memory) -> None:
    lines = yard.plan("What was on the screen at 9:12 when Bob said the keel?", NOW).describe()
    for part in ("modality: screenshot", "speaker: Bob", "2026-03-18 09:12", "understood: 'when'"):
        assert part in lines
    assert yard.plan("tides", NOW).describe() == "looks for: 'tides'"


def test_now_is_the_present_when_it_is_not_given(yard: Memory) -> None:
    before = datetime.now().astimezone()
    plan = yard.plan("What was said yesterday?")
    assert before <= plan.now <= datetime.now().astimezone()
    assert yard.search("What was said yesterday?") == []


def test_rerank_off_still_carries_a_plan_out(ask: Ask) -> None:
    assert ask("What was on the screen at 9:33?", session=YARD, rerank=False)[0] == "keel ticket"
    assert ask(AT_THE_PUMP, rerank=False)[0] == "tide page"


def test_a_memory_without_a_reranker_carries_a_plan_out(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    path = tmp_path_factory.mktemp("plain") / "memory"
    with Memory.open(path, Config(reranker=None)) as memory:
        memory.add(STORY.values())
        assert names(memory.search(AT_THE_PUMP, now=NOW))[0] == "tide page"


# -- refusal ----------------------------------------------------------------------------------

OFF_TOPIC = [
    "Who composed the opera about a barber in Seville?",
    "the boiling point of sulphuric acid",
    "What did she say about the elections in Portugal?",
    "Who won the chess world championship?",
]
GIBBERISH = ["frumple qwex zzot brindl", "xkcdq wvut lorp", "ggrr hhtt pplk zzyx"]


@pytest.mark.parametrize("question", [*OFF_TOPIC, *GIBBERISH])
@pytest.mark.parametrize("plan", [True, False])
def test_what_the_memory_does_not_know_is_refused(ask: Ask, question: str, plan: bool) -> None:
    assert ask(question, plan=plan) == []


@pytest.mark.parametrize("question", GIBBERISH)
def test_a_moment_of_gibberish_is_next_to_nothing(yard: Memory, question: str) -> None:
    found = yard.search(f"What was on the screen when they talked about {question}?", now=NOW)
    assert all(hit.score < 0.15 for hit in found)


def test_what_is_known_is_surer_than_what_is_not(yard: Memory) -> None:
    known = yard.search("the crack in the keel of the ferry")[0].score
    vague = yard.search("something about a boat")
    assert known > 0.8
    assert all(hit.score < known for hit in vague)


# -- what always holds ------------------------------------------------------------------------


def test_the_same_question_has_the_same_answer(yard: Memory) -> None:
    for question in (AT_THE_PUMP, "What happened at 9:44?", "What was the last screenshot?"):
        once, again = (yard.search(question, now=NOW) for _ in range(2))
        assert once == again


def test_equal_observations_come_in_a_fixed_order(ask: Ask) -> None:
    found = ask("What happened at 9:44?", session=YARD, limit=30)
    assert [ask("What happened at 9:44?", session=YARD, limit=n) for n in (1, 2, 5)] == [
        found[:1],
        found[:2],
        found[:5],
    ]


QUESTIONS = [
    AT_THE_PUMP,
    "What was on the screen and what was said at 9:35?",
    "What was the highest kiln temperature this morning?",
    "What changed on the workshop overview between 9:30 and 14:30?",
    "When was varnish first mentioned?",
    "varnish",
]


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("limit", [1, 2, 7])
def test_the_limit_holds_for_any_plan(ask: Ask, question: str, limit: int) -> None:
    found = ask(question, limit=limit)
    assert len(found) == min(limit, len(ask(question, limit=50)))
    assert found
    assert len(set(found)) == len(found)


MAIN = [
    "What was on the screen",
    "What was said",
    "What was on the screen, and what was said,",
    "What did Bob say about the keel",
    "Which page about varnish was open",
    "What did the kiln temperature do",
    "What was the highest kiln temperature",
    "What changed on the workshop overview",
    "When was varnish first mentioned",
    "What was the last thing that Ann said",
    'Who said "six tins"',
    "What was said about the mast, but not the insurance,",
    "frumple qwex",
    "",
]
TIMES = ["at 9:44", "this morning", "between 9:30 and 9:50", "yesterday", "since Monday", "in May"]
LINKS = ["before", "just after", "two minutes before", "during", "when", "while", "since", "until"]
ANCHORS = [
    "they talked about the bilge pump",
    "the crane manual was open",
    "the kiln temperature spiked",
    "Dora talked about soup",
    "the talk about cathedrals",
    "zzot brindl",
]
PARTS = st.tuples(
    st.sampled_from(MAIN),
    st.sampled_from(["", *TIMES]),
    st.sampled_from(["", *(f"{link} {anchor}" for link in LINKS for anchor in ANCHORS)]),
    st.sampled_from(["", "in session galley", "and before the tide page was open", "between"]),
)
ARGUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "modality": st.sampled_from(["screenshot", "speech", ("sensor", "speech"), "text"]),
        "session": st.sampled_from([YARD, GALLEY, "nowhere"]),
        "since": st.sampled_from([clock("9:00"), clock("9:34:30"), clock("15:00")]),
        "until": st.sampled_from([clock("15:30"), clock("23:00")]),
        "limit": st.integers(1, 12),
        "rerank": st.booleans(),
    },
)


def holds(hit: Hit, arguments: dict[str, Any]) -> bool:
    """Whether a hit is one of those that the arguments allow."""
    modality: str | Sequence[str] = arguments.get("modality", hit.modality)
    return (
        hit.modality in ((modality,) if isinstance(modality, str) else modality)
        and hit.session == arguments.get("session", hit.session)
        and hit.observation.ended_at >= arguments.get("since", hit.captured_at)
        and hit.captured_at < arguments.get("until", NOW + timedelta(days=1))
    )


@settings(max_examples=80, deadline=None)
@given(PARTS, ARGUMENTS)
def test_no_question_breaks_what_a_search_promises(
    yard: Memory, parts: tuple[str, ...], arguments: dict[str, Any]
) -> None:
    question = " ".join(filter(None, parts)) or "?"
    hits = yard.search(question, now=NOW, **arguments)
    assert len(hits) <= arguments.get("limit", 10)
    assert len({hit.id for hit in hits}) == len(hits)
    scores = [hit.score for hit in hits]
    assert scores == sorted(scores, reverse=True)
    assert all(0.0 <= score <= 1.0 for score in scores)
    assert all(holds(hit, arguments) for hit in hits)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from([*TIMES, *LINKS, *ANCHORS, "and", ",", "?", '"']), min_size=1))
def test_no_heap_of_parts_breaks_a_search(yard: Memory, parts: list[str]) -> None:
    yard.search(" ".join(parts), limit=3, now=NOW)


# -- moments and contexts ---------------------------------------------------------------------


def test_moments_understand_questions(yard: Memory) -> None:
    moment, *_ = yard.moments(AT_THE_PUMP, now=NOW, limit=2)
    assert names(moment.hits)[0] == "tide page"
    moment, *_ = yard.moments(AT_THE_PUMP, plan=False, limit=2)
    assert "pump talk" in names(moment.hits)
    assert yard.moments("What was said yesterday?", now=NOW) == []
    assert yard.moments("What was said yesterday?", now=NOW + timedelta(days=1))


def test_contexts_understand_questions(yard: Memory) -> None:
    question = "What was said at 9:44?"
    assert "bilge pump" in yard.context(question, now=NOW).text
    assert yard.context(question, now=NOW - timedelta(days=30)).citations == ()
    plan = yard.plan("What was on the screen at 9:33?", NOW)
    found = yard.context(question, plan=plan, session=YARD)
    assert names([found.citations[0].observation]) == ["keel ticket"]
