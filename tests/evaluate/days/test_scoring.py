"""What counts as found, and the figures over questions."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentctx.evaluate.days import scoring
from agentctx.evaluate.days.records import Question, Target
from agentctx.evaluate.days.scoring import Outcome, answers, file_of, outcome
from agentctx.records import Observation

from .conftest import at

DAY = "2026-03-14-waterworks"
CLIP, LOG, SCREEN = f"{DAY}/speech/a.wav", f"{DAY}/sensors/log.csv", f"{DAY}/screens/s.png"
TOLD = Target(CLIP, at("09:00:10"), at("09:00:16"))
STEP = Target(LOG, at("12:00:00"), at("12:02:00"), "level")
PAGE = Target(SCREEN, at("09:00:00"), at("09:00:00"))


def seen(source: str, start: datetime, seconds: float = 0.0, channel: str = "") -> Observation:
    return Observation(
        modality="text",
        captured_at=start,
        duration=seconds,
        source=f"/somewhere/{source}",
        attributes={"channel": channel} if channel else {},
    )


def question(type_: str = "speech", *needs: Target) -> Question:
    return Question("d/01", type_, "?", at("17:00:00"), [[target] for target in needs])


def came(type_: str, met: Sequence[bool], score: float = 0.5) -> Outcome:
    needs = [TOLD] * len(met)
    return Outcome(question(type_, *needs), met, 5 if score else 0, score)


@pytest.mark.parametrize(
    ("start", "seconds", "expected"),
    [
        ("09:00:10", 6.0, True),  # as it was said
        ("09:00:09", 5.0, True),  # told a second early
        ("09:00:02", 20.0, True),  # heard as one with the sentences around it
        ("09:00:12", 1.0, True),  # a part of it
        ("09:00:05", 6.0, False),  # the sentence before, which ends in it
        ("09:00:15", 4.0, False),  # the sentence after
        ("09:00:30", 3.0, False),
    ],
)
def test_a_sentence_counts_by_its_time(start: str, seconds: float, expected: bool) -> None:
    assert answers(seen(CLIP, at(start), seconds), TOLD) is expected


@pytest.mark.parametrize(
    ("start", "seconds", "expected"),
    [
        ("12:00:10", 0.0, True),  # the event, found a reading late
        ("12:00:00", 300.0, True),  # the window it is in
        ("11:55:00", 300.0, False),  # the window before touches it
        ("11:30:00", 5400.0, False),  # a drift over half the day
        ("12:02:10", 0.0, False),
    ],
)
def test_a_reading_counts_by_its_span(start: str, seconds: float, expected: bool) -> None:
    assert answers(seen(LOG, at(start), seconds, "level"), STEP) is expected


def test_source_and_channel_must_be_the_same() -> None:
    assert answers(seen(SCREEN, at("09:00:00")), PAGE)
    assert not answers(seen(SCREEN.replace("s.png", "t.png"), at("09:00:00")), PAGE)
    assert not answers(seen(SCREEN.replace("14", "15"), at("09:00:00")), PAGE)
    assert not answers(seen(LOG, at("12:00:00"), 60, "other level"), STEP)
    assert not answers(seen(LOG, at("12:00:00"), 60), STEP)


def test_a_file_is_known_wherever_the_folder_is() -> None:
    assert file_of(f"/tmp/x/{SCREEN}") == file_of(f"data/{SCREEN}") == SCREEN


@given(st.integers(-100, 100), st.integers(0, 60), st.integers(1, 60))
def test_what_does_not_overlap_never_counts(offset: int, seconds: int, wanted: int) -> None:
    target = replace(TOLD, end=TOLD.start + timedelta(seconds=wanted))
    start = TOLD.start + timedelta(seconds=offset)
    apart = offset > wanted or offset + seconds < 0
    if apart:
        assert not answers(seen(CLIP, start, float(seconds)), target)
    elif offset <= 0 and offset + seconds >= wanted:
        assert answers(seen(CLIP, start, float(seconds)), target)


def test_five_hits_are_looked_at() -> None:
    other, right = seen(SCREEN, at("10:00:00")), seen(CLIP, at("09:00:10"), 6.0)
    asked = question("speech", TOLD)
    assert outcome(asked, [other] * 4 + [right], 0.9).met == [True]
    assert outcome(asked, [other] * 5 + [right], 0.9).met == [False]
    assert outcome(asked, [], 0.0) == Outcome(asked, [False], 0, 0.0)


def test_needs_are_met_one_by_one() -> None:
    asked = Question("d/01", "two", "?", at("17:00:00"), [[TOLD, STEP], [PAGE]])
    told, page = seen(LOG, at("12:00:00"), 300, "level"), seen(SCREEN, at("09:00:00"))
    assert outcome(asked, [told], 1.0).met == [True, False]
    assert outcome(asked, [page, told], 1.0).met == [True, True]


def test_any_and_all_are_told_apart() -> None:
    found = scoring.scores([came("two", [True, False]), came("two", [True, True]),
                            came("two", [False, False], 0.0)])  # fmt: skip
    assert found.any_at_5.mean == pytest.approx(2 / 3)
    assert found.all_at_5.mean == pytest.approx(1 / 3)
    assert (found.questions, found.unanswered) == (3, 1)


def test_types_are_told_apart_and_time_together() -> None:
    outcomes = [came("screen", [True]), came("before", [True]), came("after", [False])]
    told = scoring.by_type(outcomes)
    assert list(told) == ["screen", "before", "after", "time, all"]
    assert told["time, all"].any_at_5.mean == 0.5
    assert told["screen"].questions == 1


def test_abstention_compares_scores() -> None:
    outcomes = [came("screen", [True], score) for score in (0.9, 0.8, 0.3)]
    outcomes += [came("gibberish", [], score) for score in (0.0, 0.0)]
    outcomes += [came("off-topic", [], score) for score in (0.0, 0.5)]
    told = scoring.abstention(outcomes)
    assert list(told) == ["off-topic", "gibberish", "off-topic and gibberish"]
    assert told["gibberish"].auroc.mean == 1.0
    assert told["gibberish"].refused.mean == 1.0
    assert told["off-topic"].auroc.mean == pytest.approx(5 / 6)
    assert told["off-topic and gibberish"].questions == 4
    for one in told.values():
        assert 0 <= one.auroc.low <= one.auroc.mean <= one.auroc.high <= 1


def test_abstention_needs_both_sides() -> None:
    assert scoring.abstention([came("screen", [True])]) == {}
    assert scoring.abstention([came("gibberish", [], 0.1)]) == {}
