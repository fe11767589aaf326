"""Questions without an answer: repeatable, different, and of the shape they are meant to have."""

import re

import pytest

from agentctx.evaluate.days import unanswerable
from agentctx.evaluate.days.worlds import texts

MAKERS = [unanswerable.off_topic, unanswerable.unknown, unanswerable.gibberish]


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_they_are_as_many_as_asked_for_and_come_again(make: object) -> None:
    once = make(48, 7)  # type: ignore[operator]
    assert len(once) == len(set(once)) == 48
    assert make(48, 7) == once  # type: ignore[operator]
    assert make(48, 8) != once  # type: ignore[operator]
    assert all(line.strip() == line and line for line in once)


def test_gibberish_is_of_four_sorts() -> None:
    mashed, characters, invented, framed = (
        unanswerable.gibberish(80, 1)[place::4] for place in range(4)
    )
    rows = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
    for line in mashed:
        assert all(any(set(word) <= set(row) for row in rows) for word in line.split())
    assert all(re.fullmatch(r"[a-z0-9 ]+", line) for line in characters)
    assert all(3 <= len(line.split()) <= 6 for line in invented)
    assert any("What did the" in line for line in framed)
    assert all("{" not in line for line in framed)


def test_unknown_matters_take_the_wordings_of_the_others() -> None:
    phrasings = texts("phrasings")
    usual = [line for name in ("screen", "speech", "when_screen_speech", "just_after_screen",
                               "during_speech_screen") for line in phrasings[name]]  # fmt: skip
    shapes = [re.escape(line).replace(r"\{m\}", ".+").replace(r"\{kind\}", ".+") for line in usual]
    for line in unanswerable.unknown(48, 7):
        assert any(re.fullmatch(shape, line) for shape in shapes), line
