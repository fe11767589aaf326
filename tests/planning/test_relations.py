"""Relations of time between clauses."""

from typing import Any

import pytest

from .asking import outline

SAID = "speech text"
ALARM = {"words": "the alarm"}

RELATED: dict[str, dict[str, Any]] = {
    "What was on the screen when she said the valve was stuck?": {
        "words": "",
        "modality": "screenshot",
        "just during": {"words": "the valve was stuck", "modality": SAID},
    },
    "What did the sensor do just before the alarm?": {
        "words": "",
        "modality": "sensor",
        "just before": ALARM,
    },
    "What was said while the trend page was open?": {
        "words": "",
        "modality": SAID,
        "during": {"words": "the trend page", "modality": "screenshot"},
    },
    "What was on the screen after the alarm?": {
        "words": "",
        "modality": "screenshot",
        "after": ALARM,
    },
    "What happened right after the restart?": {"words": "", "just after": {"words": "the restart"}},
    "What changed between the alarm and the restart?": {
        "words": "",
        "wants": "change",
        "between": [ALARM, {"words": "the restart"}],
    },
    "What was said about prices during the demo?": {
        "words": "prices",
        "modality": SAID,
        "during": {"words": "the demo"},
    },
    "What was on the screen at the moment of the crash?": {
        "words": "",
        "modality": "screenshot",
        "just during": {"words": "the crash"},
    },
    "What did Ann say as soon as the alarm went off?": {
        "words": "",
        "modality": SAID,
        "speaker": "Ann",
        "just after": {"words": "the alarm went off"},
    },
    "What was said since the pump restarted?": {
        "words": "",
        "modality": SAID,
        "since": {"words": "the pump restarted"},
    },
    "What was shown on the screen until the customer left?": {
        "words": "",
        "modality": "screenshot",
        "until": {"words": "the customer left"},
    },
    "When she said the valve was stuck, what was on the screen?": {
        "words": "",
        "modality": "screenshot",
        "just during": {"words": "the valve was stuck", "modality": SAID},
    },
    "After the alarm, what did the sensor do?": {
        "words": "",
        "modality": "sensor",
        "after": ALARM,
    },
    "While the login page was open, what did Grace say about passwords?": {
        "words": "passwords",
        "modality": SAID,
        "speaker": "Grace",
        "during": {"words": "the login page", "modality": "screenshot"},
    },
    "Which price was on the screen before the manager mentioned a discount?": {
        "words": "price",
        "modality": "screenshot",
        "before": {"words": "the manager a discount", "modality": SAID},
    },
    "What did the temperature do when the oven door was opened?": {
        "words": "the temperature",
        "modality": "sensor",
        "channel": "temperature",
        "just during": {"words": "the oven door was opened"},
    },
    "How high was the temperature when Bob Miller said the oven was cold?": {
        "words": "the temperature",
        "modality": "sensor",
        "channel": "temperature",
        "wants": "number",
        "just during": {"words": "the oven was cold", "modality": SAID, "speaker": "Bob Miller"},
    },
    "What was said between the first test drive and the contract?": {
        "words": "",
        "modality": SAID,
        "between": [{"words": "the first test drive"}, {"words": "the contract"}],
    },
    "What was on the screen after the alarm and before the restart?": {
        "words": "",
        "modality": "screenshot",
        "after": ALARM,
        "before": {"words": "the restart"},
    },
    "What was on the screen yesterday when she talked about brakes?": {
        "words": "",
        "modality": "screenshot",
        "time": "03-17 00:00 .. 03-18 00:00",
        "just during": {"words": "brakes", "modality": SAID},
    },
    "What was I doing shortly before the blackout?": {
        "words": "",
        "just before": {"words": "the blackout"},
    },
    "What changed on the dashboard after she said to reset it?": {
        "words": "the dashboard",
        "modality": "screenshot",
        "wants": "change",
        "after": {"words": "reset it", "modality": SAID},
    },
    'What was on the screen when he said "ship it"?': {
        "words": "",
        "modality": "screenshot",
        "just during": {"words": "ship it", "modality": SAID, "exact": ["ship it"]},
    },
    "What did we talk about while the spreadsheet was on the screen?": {
        "words": "",
        "modality": SAID,
        "during": {"words": "the spreadsheet", "modality": "screenshot"},
    },
    "What was the line pressure immediately after the valve opened?": {
        "words": "the line pressure",
        "modality": "sensor",
        "channel": "line pressure",
        "wants": "number",
        "just after": {"words": "the valve opened"},
    },
}

# The connecting word is there, but nothing says that the moment is meant: it stays one text.
WORDS = [
    "What did Melanie realize after the charity race?",
    "How did she feel when someone wrote her a letter?",
    "What is the difference between a gasket and a seal?",
    "When did the shop open?",
    "What did they do while camping?",
    "Who looked after the machines during the strike?",
    "Since when do you know him?",
    "Which plans does he have after receiving advice?",
    "How has the team improved since starting the drills?",
    "What should I check before a long drive?",
    "Who was the engine named after?",
    "What must be done until the inspection?",
    "What happens when the float valve sticks?",
    "What do you say when a customer leaves?",
]


@pytest.mark.parametrize(("question", "expected"), RELATED.items(), ids=RELATED)
def test_a_relation(question: str, expected: dict[str, Any]) -> None:
    assert outline(question) == expected


@pytest.mark.parametrize("question", WORDS)
def test_no_relation(question: str) -> None:
    assert outline(question) == {"words": question}
