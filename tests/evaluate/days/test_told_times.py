"""Times in questions, read back from their words: what is right lies where the words say."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

import pytest

from agentctx.evaluate.days.records import Day, Question, Target

from .conftest import asked

NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
           "twelve")  # fmt: skip
HOURS = {word: number for number, word in enumerate(NUMBERS, start=1)}
QUARTERS = {"half past": 30, "a quarter past": 15, "a quarter to": -15}
MONTHS = {f"{date(2026, month, 1):%B}": month for month in range(1, 13)}
SEEDS = (7, 8, 9)

WORDS = re.compile(
    r"(?P<digits>\d{1,2})[:.](?P<minute>\d\d)(?P<half> [ap]m)?(?!\d)"
    r"|(?P<quarter>half past|a quarter past|a quarter to)? ?(?P<hour>" + "|".join(HOURS) + r")"
    r"(?: o'clock)? in the (?P<part>morning|afternoon)"
)


def told_times(text: str) -> list[time]:
    """The clock times that a text names, in its order."""
    return [_time(match) for match in WORDS.finditer(text)]


def _time(match: re.Match[str]) -> time:
    if match["digits"]:
        hour = int(match["digits"])
        if match["half"]:
            hour = hour % 12 + (12 if match["half"] == " pm" else 0)
        return time(hour, int(match["minute"]))
    minutes = 60 * (HOURS[match["hour"]] % 12) + QUARTERS.get(match["quarter"] or "", 0)
    if match["part"] == "afternoon" or (match["quarter"] == "a quarter to" and minutes < 0):
        minutes += 12 * 60
    return time(minutes // 60, minutes % 60)


def told_day(question: Question) -> date | None:
    """The day that a question names, as seen from when it is asked; None without any."""
    text, today = question.text, question.now.date()
    if "yesterday" in text:
        return today - timedelta(days=1)
    if re.search(r"\b(today|this morning|this afternoon)\b", text):
        return today
    if match := re.search(r"\bon (\d{4}-\d\d-\d\d)", text):
        return date.fromisoformat(match[1])
    names = "|".join(MONTHS)
    pattern = rf"on (?:the )?(\d+)(?:st|nd|rd|th)?(?: of)? ({names})|on ({names}) (\d+)"
    if match := re.search(pattern, text):
        day, month = match[1] or match[4], match[2] or match[3]
        return date(2026, MONTHS[month], int(day))
    if match := re.search(r"\bon (Monday|Tuesday|Wednesday|Thursday|Friday)\b", text):
        back = next(n for n in range(1, 8) if f"{today - timedelta(days=n):%A}" == match[1])
        return today - timedelta(days=back)
    return None


def of_type(type_: str) -> Iterator[tuple[Day, Question]]:
    for seed in SEEDS:
        for day in asked(seed):
            yield from ((day, question) for question in day.questions if question.type == type_)


def at(day: Day, when: time) -> datetime:
    return datetime.combine(day.date, when, UTC)


def targets(question: Question) -> list[Target]:
    return [target for need in question.needs for target in need]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("What did they say at 9.35 yesterday?", [time(9, 35)]),
        ("between 10:40 am and 2:35 pm today", [time(10, 40), time(14, 35)]),
        ("at a quarter to one in the afternoon", [time(12, 45)]),
        ("around half past twelve in the afternoon", [time(12, 30)]),
        ("at eleven o'clock in the morning", [time(11)]),
        ("from 12:05 pm until a quarter past two in the afternoon", [time(12, 5), time(14, 15)]),
        ("a quarter to twelve in the morning", [time(11, 45)]),
    ],
)
def test_words_are_read_back(text: str, expected: list[time]) -> None:
    assert told_times(text) == expected


@pytest.mark.parametrize("type_", ["clock", "between", "first", "last", "morning", "change"])
def test_the_day_that_is_named_is_the_day_that_is_meant(type_: str) -> None:
    named = 0
    for day, question in of_type(type_):
        if told := told_day(question):
            assert told == day.date, question
            named += 1
    assert named > len(SEEDS)


def test_a_clock_time_is_that_of_the_answer() -> None:
    for day, question in of_type("clock"):
        (told,) = told_times(question.text)
        (target,) = targets(question)
        moment = at(day, told)
        if target.channel:
            assert target.start == moment
        elif "/speech/" in target.source:
            assert abs(target.start - moment) <= timedelta(minutes=4)
        else:
            # What was open then is the last page before.
            open_then = [screen for screen in day.screens if screen.at <= moment]
            assert open_then[-1].file == target.source


def test_between_two_clock_times_lies_all_that_is_right_and_nothing_else() -> None:
    checked = 0
    for day, question in of_type("between"):
        told = told_times(question.text)
        if len(told) != 2:
            continue
        since, until = (at(day, one) for one in told)
        assert since < until
        answers = {target.source for target in targets(question)}
        if any("/screens/" in source for source in answers):
            assert answers == {s.file for s in day.screens if since <= s.at <= until}
        elif any("/speech/" in source for source in answers):
            assert answers == {c.file for c in day.clips if since <= c.at and c.end <= until}
        else:
            channel = targets(question)[0].channel
            inside = [
                event
                for event in day.events
                if event.channel == channel and since <= event.start and event.end <= until
            ]
            assert len(inside) == len(targets(question))
        checked += 1
    assert checked >= 5


def test_a_change_is_between_the_boards_open_at_these_times() -> None:
    for day, question in of_type("change"):
        times = sorted(at(day, told) for told in told_times(question.text))
        assert len(times) == 2
        for moment, need in zip(times, question.needs, strict=True):
            boards = [s for s in day.screens if s.kind == "dashboard" and s.at <= moment]
            assert boards[-1].file == need[0].source
            assert moment - boards[-1].at < timedelta(minutes=5)


def test_no_answer_lies_after_the_question_is_asked() -> None:
    for seed in SEEDS:
        for day in asked(seed):
            for question in day.questions:
                assert all(target.end < question.now for target in targets(question))
