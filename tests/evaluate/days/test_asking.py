"""The questions: enough of each type, each with answers that are on its day, and only these."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentctx.evaluate.days.asking import (
    COUNTS,
    GIBBERISH,
    OFF_TOPIC,
    TIME_TYPES,
    UNANSWERABLE,
    UNKNOWN,
)
from agentctx.evaluate.days.records import Clip, Day, Question, Screen, Target
from agentctx.evaluate.days.signals import clock, simulate
from agentctx.evaluate.days.worlds import common_matters, texts, worlds

from .conftest import SEED, asked

COMMON = {matter.name for matter in common_matters()}
seeds = st.integers(0, 500)
few = settings(max_examples=6, deadline=None)


def of_type(type_: str, seed: int = SEED) -> Iterator[tuple[Day, Question]]:
    for day in asked(seed):
        for question in day.questions:
            if question.type == type_:
                yield day, question


def targets(question: Question) -> list[Target]:
    return [target for need in question.needs for target in need]


def modality(target: Target) -> str:
    return target.source.split("/")[1]


def screen_of(day: Day, target: Target) -> Screen:
    return next(screen for screen in day.screens if screen.file == target.source)


def clip_of(day: Day, target: Target) -> Clip:
    return next(clip for clip in day.clips if clip.file == target.source)


def named(day: Day, text: str) -> set[str]:
    """The matters that a question names, by either name."""
    world = next(one for one in worlds() if one.place == day.place)
    return {
        matter.name
        for matter in (*world.matters, *common_matters())
        if matter.name in text or matter.alias in text
    }


# -- all of them ----------------------------------------------------------------------------------


def test_there_are_enough() -> None:
    counts = Counter(question.type for day in asked() for question in day.questions)
    assert sum(counts[type_] for type_ in COUNTS) >= 200
    assert sum(counts[type_] for type_ in TIME_TYPES) >= 100
    assert {counts[type_] for type_ in UNANSWERABLE} == {48}
    assert set(counts) == {*COUNTS, *UNANSWERABLE}
    assert min(counts.values()) >= 8


def test_a_seed_is_a_set_of_questions() -> None:
    asked.cache_clear()
    one = [day.questions for day in asked(3, 2)]
    asked.cache_clear()
    assert [day.questions for day in asked(3, 2)] == one
    assert [day.questions for day in asked(4, 2)] != one


@few
@given(seeds)
def test_answers_are_on_their_day(seed: int) -> None:
    for day in asked(seed, 2):
        sources = {*(s.file for s in day.screens), *(c.file for c in day.clips), day.log}
        channels = {channel.name for channel in day.channels}
        for question in day.questions:
            assert bool(question.needs) == (question.type in COUNTS)
            assert all(question.needs)
            for target in targets(question):
                assert target.source in sources
                assert target.start.date() == target.end.date() == day.date
                assert target.start <= target.end < question.now
                assert (target.channel in channels) == (target.source == day.log)


@few
@given(seeds)
def test_texts_are_whole(seed: int) -> None:
    questions = [question for day in asked(seed, 3) for question in day.questions]
    for question in questions:
        assert not re.search(r"[{}]|  | [?.,]|^\s|\s$", question.text), question.text
        # An empty place of a day must not leave a loose word behind.
        assert not re.search(r"\b(on|between|and) ?[?.]$", question.text), question.text
    ids = [question.id for question in questions]
    assert len(ids) == len(set(ids))
    assert all(day.name in q.id for day in asked(seed, 3) for q in day.questions)


@pytest.mark.parametrize("type_", sorted(COUNTS))
def test_a_type_has_several_wordings(type_: str) -> None:
    """Without names and numbers, the questions of one type are still of several forms."""
    forms = set()
    for seed in (7, 8):
        for day, question in of_type(type_, seed):
            text = question.text
            for channel in day.channels:
                text = text.replace(channel.name, "X")
            forms.add(" ".join(text.split()[:3]))
    assert len(forms) >= 3, forms


@pytest.mark.parametrize("type_", sorted(TIME_TYPES))
def test_time_questions_have_one_need(type_: str) -> None:
    assert all(len(question.needs) == 1 for _, question in of_type(type_))


@pytest.mark.parametrize(
    ("type_", "number"), [("screen", 1), ("speech", 1), ("sensor", 1), ("two", 2), ("three", 3)]
)
def test_each_modality_is_a_need(type_: str, number: int) -> None:
    for _, question in of_type(type_):
        kinds = [{modality(target) for target in need} for need in question.needs]
        assert all(len(kind) == 1 for kind in kinds)
        assert len(set.union(*kinds)) == len(kinds) == number


# -- that their answers are right -----------------------------------------------------------------


def test_a_page_is_about_what_is_asked_for() -> None:
    for day, question in of_type("screen"):
        (matter,) = named(day, question.text)
        for target in targets(question):
            screen = screen_of(day, target)
            assert matter in (screen.matter, screen.aside)
        assert matter not in COMMON


def test_all_that_is_said_on_a_matter_counts() -> None:
    for day, question in of_type("speech"):
        (matter,) = named(day, question.text)
        told = [clip.about() for clip in day.clips if clip.matter == matter]
        assert [(target.start, target.end) for target in targets(question)] == told


def test_negation_leaves_out_the_page_with_both() -> None:
    for day, question in of_type("negation"):
        matters = named(day, question.text)
        assert len(matters) == 2
        answers = {target.source for target in targets(question)}
        both = {s.file for s in day.screens if matters <= {s.matter, s.aside}}
        assert both
        assert not answers & both
        for target in targets(question):
            assert screen_of(day, target).matter in matters


def test_composition_wants_both() -> None:
    for day, question in of_type("composition"):
        for target in targets(question):
            screen = screen_of(day, target)
            assert named(day, question.text) == {screen.matter, screen.aside}


def test_extremes_are_those_of_the_readings() -> None:
    checked = 0
    for seed in (7, 8, 9):
        for day, question in of_type("exact", seed):
            high = re.search(r"high|max", question.text, re.IGNORECASE)
            if not high and not re.search(r"how low|lowest|min ", question.text, re.IGNORECASE):
                continue
            channel = targets(question)[0].channel
            values = simulate(day, seed)[channel]
            extreme = np.nanmax(values) if high else np.nanmin(values)
            times = clock(day)
            for target in targets(question):
                assert values[times.index(target.start)] == extreme
            assert len(targets(question)) == (values == extreme).sum()
            checked += 1
    assert checked >= 5


def test_events_are_where_they_were_put() -> None:
    for day, question in of_type("sensor"):
        (target,) = targets(question)
        inside = [
            event
            for event in day.events
            if event.channel == target.channel and target.start <= event.start <= target.end
        ]
        assert len(inside) == 1
        assert event_words(inside[0].kind) & set(re.findall("[a-z]+", question.text.lower()))


def event_words(kind: str) -> set[str]:
    ways = texts("phrasings")["did"][kind]
    return {word for line in (*ways["up"], *ways["down"]) for word in line.split()}


def test_a_change_is_between_two_boards_at_these_times() -> None:
    for day, question in of_type("change"):
        first, second = (screen_of(day, need[0]) for need in question.needs)
        assert first.kind == second.kind == "dashboard"
        assert first.at < second.at
        assert first.title in question.text
        between = [s for s in day.screens if first.at < s.at < second.at]
        assert not any(screen.kind == "dashboard" for screen in between)


def test_first_and_last_have_others_of_their_kind() -> None:
    for type_ in ("first", "last"):
        for day, question in of_type(type_):
            (target,) = targets(question)
            if modality(target) == "speech":
                matter = clip_of(day, target).matter
                times = [clip.about()[0] for clip in day.clips if clip.matter == matter]
            else:
                kind = screen_of(day, target).kind
                times = [screen.at for screen in day.screens if screen.kind == kind]
            assert len(times) >= 2
            assert target.start == (min(times) if type_ == "first" else max(times))


def test_before_and_after_have_their_like_on_the_other_side() -> None:
    for type_ in ("before", "after"):
        for day, question in of_type(type_):
            times = [target.start for target in targets(question)]
            for other in _alike(day, targets(question)[0]):
                if other not in times:
                    later = other > max(times) if type_ == "before" else other < min(times)
                    assert later
            assert len(_alike(day, targets(question)[0])) > len(times)


def _alike(day: Day, target: Target) -> list[datetime]:
    match modality(target):
        case "screens":
            kind = screen_of(day, target).kind
            return [screen.at for screen in day.screens if screen.kind == kind]
        case "speech":
            matter = clip_of(day, target).matter
            return [clip.about()[0] for clip in day.clips if clip.matter == matter]
        case _:
            return [event.start for event in day.events if event.channel == target.channel]


def test_when_and_during_are_at_one_moment_with_what_is_named() -> None:
    for type_ in ("when", "during"):
        for day, question in of_type(type_):
            (target,) = targets(question)
            moments = [
                (clip.at, clip.end)
                for clip in day.clips
                if clip.matter in named(day, question.text)
            ]
            moments += [
                (screen.at, screen.at)
                for screen in day.screens
                if screen.matter in named(day, question.text)
            ]
            moments += [
                (event.start, event.end)
                for event in day.events
                if event.channel in question.text and not target.channel
            ]
            near = timedelta(minutes=4)
            assert any(a - near <= target.end and target.start <= b + near for a, b in moments)
            # And it is not the thing that is named: its words are elsewhere.
            if modality(target) == "screens":
                assert screen_of(day, target).matter not in named(day, question.text)


def test_just_before_and_after_are_minutes_away() -> None:
    for type_ in ("just before", "just after"):
        for day, question in of_type(type_):
            (target,) = targets(question)
            clips = [c for c in day.clips if c.matter in named(day, question.text)]
            events = [e for e in day.events if e.channel in question.text]
            anchors = [(c.at, c.end) for c in clips] or [(e.start, e.start) for e in events]
            limit = timedelta(minutes=4)
            if type_ == "just before":
                assert any(timedelta(0) < a - target.start < limit for a, _ in anchors)
            else:
                assert any(timedelta(0) < target.start - b < limit for _, b in anchors)


def test_between_holds_all_there_was_in_the_span() -> None:
    for day, question in of_type("between"):
        start = min(target.start for target in targets(question))
        end = max(target.end for target in targets(question))
        if modality(targets(question)[0]) == "screens":
            inside = {s.file for s in day.screens if start <= s.at <= end}
            assert {target.source for target in targets(question)} == inside


def test_morning_and_afternoon_are_both_there() -> None:
    for day, question in of_type("morning"):
        morning = "morning" in question.text
        assert morning != ("afternoon" in question.text)
        assert all((target.start.hour < 12) == morning for target in targets(question))
        others = _alike(day, targets(question)[0])
        if modality(targets(question)[0]) != "screens":
            assert any((other.hour < 12) != morning for other in others)


def test_yesterday_is_about_what_other_days_have_too() -> None:
    for day, question in of_type("yesterday"):
        assert "yesterday" in question.text
        assert question.now.date() == day.date + timedelta(days=1)
        (matter,) = named(day, question.text)
        assert matter in COMMON
        others = [
            other
            for other in asked()
            if other is not day
            and matter in {*(c.matter for c in other.clips), *(s.matter for s in other.screens)}
        ]
        assert others


def test_a_day_is_named_as_it_is_seen_from_when_it_is_asked() -> None:
    for seed in (7, 8):
        for day in asked(seed):
            for question in day.questions:
                away = (question.now.date() - day.date).days
                if re.search(r"\b(today|this morning|this afternoon)\b", question.text):
                    assert away == 0
                elif "yesterday" in question.text:
                    assert away == 1
                elif match := re.search(r"\bon (\w+day)\b", question.text):
                    assert match[1] == f"{day.date:%A}"


# -- those that nothing answers -------------------------------------------------------------------


def test_off_topic_questions_are_asked_once() -> None:
    for type_ in (OFF_TOPIC, UNKNOWN, GIBBERISH):
        lines = [question.text for _, question in of_type(type_)]
        assert len(set(lines)) == len(lines)


def test_unknown_matters_are_asked_for_like_known_ones() -> None:
    strange = texts("off_topic")["matters"]
    for day, question in of_type(UNKNOWN):
        assert sum(name in question.text for name in strange) == 1
        assert not named(day, question.text)


def test_gibberish_has_no_telling_word() -> None:
    known = {"what", "when", "which", "did", "the", "say", "about", "was", "has", "a", "on", "it",
             "before", "all", "gag", "add", "sad", "dad", "fall", "ask", "lad", "pop", "or",
             "to"}  # fmt: skip
    spoken = {
        word
        for world in worlds()
        for matter in world.matters
        for line in (*matter.said, *matter.written)
        for word in re.findall("[a-z]{4,}", line.lower())
    }
    for _, question in of_type(GIBBERISH):
        assert not (set(question.text.lower().split()) & spoken) - known
