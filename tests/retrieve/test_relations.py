"""Questions that look from one thing to another: before, after, during, between, since, until."""

from dataclasses import replace

import pytest

from agentctx import Memory, Observation

from .conftest import Ask
from .story import GALLEY, NOW, STORY, YARD, clock, said, screen

# The question, the kind and nearness that is understood of it, and the best hit.
RELATIONS = [
    # From something said to a screen.
    ("What was on the screen before they talked about the bilge pump?", "before", "tide page"),
    ("Which page was open just before the bilge pump was mentioned?", "just before", "tide page"),
    ("Which page was open right after the bilge pump was mentioned?", "just after", "crane manual"),
    ("What was on the screen after they talked about the bilge pump?", "after", "crane manual"),
    ("What was on the screen when Bob said the keel has a crack?", "just during", "keel ticket"),
    ("What was on the screen while Cleo talked about the bilge pump?", "during", "tide page"),
    # From a screen to something said.
    ("What was said while the crane manual was open?", "during", "sling talk"),
    ("What did Bob say while the crane manual was on the screen?", "during", "sling talk"),
    ("What was said before the varnish order was on the screen?", "before", "hello"),
    ("What was said since the crane manual was open?", "since", "visitor talk"),
    # From a sensor to what was said and shown.
    ("What was said right after the bilge water level jumped up?", "just after", "pump talk"),
    ("The bilge water level jumped. What was said right then?", "just during", "pump talk"),
    ("What was said just before the kiln temperature spiked?", "just before", "pump talk"),
    ("What was on the screen when the kiln temperature spiked?", "just during", "tide page"),
    ("What did I look at after the kiln temperature spiked?", "after", "crane manual"),
    # From something said to a sensor.
    (
        "What did the bilge water level do just before Cleo talked about the bilge pump?",
        "just before",
        "water step",
    ),
    # At a distance, and to and fro.
    (
        "What was on the screen ten minutes before they spoke about the bilge pump?",
        "600 s before",
        "keel ticket",
    ),
    (
        "What was on the screen between the talk about varnish and the one about the bilge pump?",
        "between",
        "keel ticket",
    ),
    ("What was said between the keel ticket and the crane manual?", "between", "pump talk"),
    ("Which pages were open until the bilge pump was mentioned?", "until", "tide page"),
]


@pytest.mark.parametrize(("question", "relation", "best"), RELATIONS)
def test_a_relation_is_carried_out(
    yard: Memory, ask: Ask, question: str, relation: str, best: str
) -> None:
    understood = yard.plan(question, NOW)
    assert [str(one) for one in understood.relations] == [relation]
    found = ask(question)
    assert found[0] == best
    # The moment to look from is not what is asked for.
    wanted = understood.clause.modality
    assert {STORY[name].modality for name in found} == set(wanted)


@pytest.mark.parametrize(("question", "relation", "best"), RELATIONS)
def test_every_hit_tells_from_where_it_was_looked(
    yard: Memory, question: str, relation: str, best: str
) -> None:
    anchors = {observation.id for observation in STORY.values()}
    for hit in yard.search(question, now=NOW):
        kind, _, anchor = hit.why[-1].name.rpartition(" ")
        assert kind == relation
        assert anchor in anchors
        assert 0 < hit.why[-1].score <= 1
        assert hit.id != anchor


def test_before_and_after_part_the_day(ask: Ask) -> None:
    exact = 'they said "we must weld it"'
    before = ask(f"What was on the screen before {exact}?")
    assert before[:2] == ["keel ticket", "varnish order"]
    after = ask(f"What was on the screen after {exact}?")
    assert after[:2] == ["tide page", "crane manual"]


def test_the_nearest_comes_first_where_nothing_else_is_said(ask: Ask) -> None:
    found = ask("What was on the screen before they talked about the visit of a school class?")
    earlier = [name for name in found if STORY[name].captured_at < clock("10:15")]
    assert earlier[:3] == ["crane manual", "tide page", "keel ticket"]


def test_words_decide_where_they_say_what_is_looked_for(ask: Ask) -> None:
    question = "Which page about varnish was open before they talked about the bilge pump?"
    assert ask(question)[0] == "varnish order"


def test_several_relations_all_hold(ask: Ask) -> None:
    found = ask(
        "What was on the screen after the keel was discussed "
        "and before they talked about the bilge pump?"
    )
    assert found[0] == "tide page"
    assert "crane manual" not in found


def test_a_screen_that_is_still_shown_counts(yard: Memory, ask: Ask) -> None:
    # It was captured at 9:32; three minutes later, at the talk, nothing newer had been captured.
    assert yard.timeline(clock("9:34"), clock("9:36"), "screenshot", YARD) == []
    assert ask("What was on the screen when Bob said the keel has a crack?")[0] == "keel ticket"


def test_a_screen_that_gave_way_does_not(memory: Memory) -> None:
    memory.add(
        [
            screen("9:00", "Weather chart: gale warning."),
            screen("9:01", "Price list for ropes."),
            said("9:02", "We should buy a new anchor chain."),
            screen("9:03", "Map of the harbour."),
        ]
    )
    hits = memory.search("What was on the screen when they talked about the anchor?", now=NOW)
    assert hits[0].text == "Price list for ropes."
    chances = {hit.text: hit.score for hit in hits}
    assert chances["Price list for ropes."] > chances["Weather chart: gale warning."]


def test_after_an_hour_nobody_knows_what_was_shown(memory: Memory) -> None:
    memory.add(
        [
            screen("7:00", "Weather chart: gale warning."),
            said("9:02", "We should buy a new anchor chain."),
        ]
    )
    question = "What was on the screen when they talked about the anchor?"
    assert all(hit.score < 0.05 for hit in memory.search(question, now=NOW))


def test_the_talk_around_an_anchor_is_one_moment(memory: Memory) -> None:
    # What was said before the keel talk is what was said before the talk began.
    memory.add(
        [
            screen("9:00", "Weather chart: gale warning."),
            said("9:01", "Look at this, there is water in the shed.", "Bob"),
            said("9:01:08", "It comes from the roof, I suppose.", "Ann"),
            screen("9:01:15", "Telephone list of craftsmen."),
            said("9:01:17", "Then we need the roofer again, like last winter.", "Bob"),
        ]
    )
    question = "What was on the screen just before they talked about the roofer?"
    assert memory.search(question, now=NOW)[0].text == "Weather chart: gale warning."


@pytest.mark.parametrize("session", [YARD, GALLEY])
def test_sessions_are_kept_apart(ask: Ask, session: str) -> None:
    at_the_soup = "What was on the screen when Dora talked about the soup?"
    at_the_keel = "What was on the screen when Bob said the keel has a crack?"
    asked = at_the_soup if session == GALLEY else at_the_keel
    assert {STORY[name].session for name in ask(asked)[:1]} == {session}


def test_a_galley_screen_is_no_answer_about_the_yard(ask: Ask) -> None:
    # The grocer's list was captured closer to the talk than any screen of the yard was.
    found = ask("What was on the screen when they talked about the bilge pump?")
    assert found[0] == "tide page"
    assert "galley shop" not in found


def test_between_needs_both_ends_in_one_session(memory: Memory) -> None:
    memory.add(
        [
            said("9:00", "The propeller shaft is bent.", session="one"),
            screen("9:05", "Catalogue of shafts.", session="one"),
            screen("9:06", "Recipe for pancakes.", session="two"),
            said("9:10", "The lighthouse keeper has called.", session="two"),
            said("9:12", "The lighthouse is dark since yesterday.", session="one"),
            screen("9:15", "Map of the coast.", session="one"),
        ]
    )
    hits = memory.search(
        "What was on the screen between the talk about the propeller and the one about the "
        "lighthouse?",
        now=NOW,
    )
    assert hits[0].text == "Catalogue of shafts."
    assert "Recipe for pancakes." not in {hit.text for hit in hits}


def test_each_asks_for_one_of_each_modality(yard: Memory, ask: Ask) -> None:
    question = "What was on the screen, and what was said, when the kiln temperature spiked?"
    assert yard.plan(question, NOW).clause.each
    found = ask(question)
    assert {STORY[name].modality for name in found[:2]} == {"screenshot", "speech"}
    assert found[0] == "tide page"


def test_each_at_a_time_of_the_clock(ask: Ask) -> None:
    found = ask("What was on the screen and what was said at 9:35?", session=YARD)
    assert found[:2] == ["keel ticket", "keel talk"]


def test_the_anchor_itself_answers_for_its_own_kind(ask: Ask) -> None:
    question = "The bilge water level jumped. What was said, and what did the sensor show?"
    assert "water step" in ask(question)[:2]


def test_without_an_anchor_the_words_are_searched_for(yard: Memory, ask: Ask) -> None:
    question = (
        "What did the screen show about antifouling in red and blue "
        "after medieval cathedrals were mentioned?"
    )
    understood = yard.plan(question, NOW)
    assert [str(relation) for relation in understood.relations] == ["after"]
    assert ask(question)[0] == "paint shop"
    assert ask(question) == ask(question, plan=False)


@pytest.mark.parametrize(
    "question",
    [
        "What was on the screen when they talked about medieval cathedrals?",
        "What was said while the opera libretto was on the screen?",
    ],
)
def test_an_anchor_that_never_was_gives_nothing(ask: Ask, question: str) -> None:
    assert ask(question) == []


@pytest.mark.parametrize("modality", ["screenshot", "speech", "sensor", "text"])
def test_an_anchor_of_any_modality(memory: Memory, modality: str) -> None:
    memory.add(
        [
            screen("8:50", "Rules of the dry dock."),
            replace(said("9:00", "A whale was seen off the pier."), modality=modality),
            screen("9:10", "Photograph album of the regatta."),
        ]
    )
    hits = memory.search("What was on the screen just after the whale was seen?", now=NOW)
    # A modality that is wanted of both sides makes one question of it.
    assert "Photograph album of the regatta." in {hit.text for hit in hits[:2]}


@pytest.mark.parametrize("year", [1, 9999])
def test_relations_at_the_ends_of_the_calendar(memory: Memory, year: int) -> None:
    edge = clock("0:00").replace(
        year=year, month=1 if year == 1 else 12, day=1 if year == 1 else 31
    )
    memory.add(
        Observation(
            modality=modality, text="The zebra migration.", captured_at=edge, session="edge"
        )
        for modality in ("speech", "screenshot", "sensor")
    )
    for relation in ("before", "after", "when", "since", "until", "two days before"):
        memory.search(f"What was on the screen {relation} they talked about the zebra migration?")
        memory.search(f"What did they say {relation} the zebra migration page was open?")
    hits = memory.search("What was on the screen when they talked about the zebra migration?")
    assert [hit.captured_at for hit in hits] == [edge]
