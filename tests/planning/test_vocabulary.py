"""Names of the memory in a question: which are found, and which of them are meant."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentctx.planning import Vocabulary

from .asking import outline


def test_names_are_whole_words_in_any_case() -> None:
    names = Vocabulary(speakers=("Ann", "Jean-Luc O'Neill", "Łukasz"))
    assert [n.names for n in names.find("ANN met Anna and jean-luc o'neill")] == [
        {"speaker": ("Ann",)},
        {"speaker": ("Jean-Luc O'Neill",)},
    ]
    assert names.find("Did łukasz go?")[0].names == {"speaker": ("Łukasz",)}


def test_the_longest_name_at_a_place_wins() -> None:
    names = Vocabulary(sessions=("shift", "shift 4", "shift 4 late", "4"))
    found = names.find("shift 4 early, shift 4 late, shift")
    assert [name.names["session"] for name in found] == [
        ("shift 4",),
        ("shift 4 late",),
        ("shift",),
    ]


def test_one_spelling_may_be_many_things() -> None:
    names = Vocabulary(
        sessions=("status",), channels=("Status", "status [1]"), sources=("a/status", "b\\status")
    )
    (found,) = names.find("status?")
    assert found.names == {
        "session": ("status",),
        "channel": ("Status", "status [1]"),
        "source": ("a/status", "b\\status"),
    }


def test_names_without_a_word_are_none() -> None:
    assert Vocabulary(sessions=("", "--", "…"), sources=("/",)).find("-- … /") == []


@given(st.lists(st.text(max_size=12), max_size=8), st.text(max_size=60))
def test_what_is_found_is_there(names: list[str], text: str) -> None:
    place = 0
    for name in Vocabulary(sessions=names).find(text):
        assert place <= name.start < name.stop <= len(text)
        place = name.stop
        assert set(name.names["session"]) <= set(names)


NAMES = Vocabulary(
    sessions=("Night shift 12", "standup", "audit"),
    sources=("C:\\logs\\oven.csv", "talks/standup.wav"),
    speakers=("Mark", "Will Hunt", "Grace"),
    apps=("Notes", "Grafana", "Line Designer 3"),
    channels=("flow (l/min)", "oven temperature [°C]", "mode"),
)
MEANT: dict[str, dict[str, Any]] = {
    "Which bolts broke during night shift 12?": {"session": "Night shift 12"},
    "Who was late in the standup meeting?": {"session": "standup"},
    "Who was late in the session audit?": {"session": "audit"},
    "What was in talks/standup.wav about gloves?": {"source": "talks/standup.wav"},
    "Which peaks are in the file oven.csv?": {"source": "C:\\logs\\oven.csv"},
    "What did mark say about gloves?": {"speaker": "Mark", "modality": "speech text"},
    "What did Will Hunt mention?": {"speaker": "Will Hunt", "modality": "speech text"},
    "What was said by Grace about gloves?": {"speaker": "Grace", "modality": "speech text"},
    "What was open in Notes?": {"app": "Notes", "modality": "screenshot"},
    "Which curve was drawn in line designer 3?": {"app": "Line Designer 3"},
    "What did Grafana show?": {"app": "Grafana", "modality": "screenshot"},
    "Which alarm was in the grafana window?": {"app": "Grafana"},
    "Did the flow drop?": {"channel": "flow (l/min)", "modality": "sensor"},
    "How high was the oven temperature?": {
        "channel": "oven temperature [°C]",
        "modality": "sensor",
        "wants": "number",
    },
    "Which values has channel mode?": {"channel": "mode", "modality": "sensor"},
}
NOT_MEANT = [
    "Was the night shift 12 hours long?",
    "Who comes to the standup?",
    "Is an audit due?",
    "Did you mark the parts?",
    "Will Hunt come?",
    "What is written in notes of thanks?",
    "Which mode is the best?",
    "Does the oven temperature matter?",
    "How do I go with the flow?",
    "Where is Grace?",
]


@pytest.mark.parametrize(("question", "expected"), MEANT.items(), ids=MEANT)
def test_a_name_with_its_role_is_meant(question: str, expected: dict[str, Any]) -> None:
    found = outline(question, NAMES)
    del found["words"]
    assert found == expected


@pytest.mark.parametrize("question", NOT_MEANT)
def test_a_name_without_one_is_a_word(question: str) -> None:
    assert outline(question, NAMES) == {"words": question}


def test_a_vocabulary_without_names_understands_no_name() -> None:
    for question in MEANT:
        found = outline(question, Vocabulary())
        assert not {"session", "source", "speaker", "app", "channel"} & found.keys(), question
