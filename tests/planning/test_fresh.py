"""Fifty questions written after the grammar was done, to see how far it carries.

At the first run 44 were understood as expected: 24 of the 30 that hold more than words, and all 20
that do not. Five of the six misses were defects and were mended; ``MISSED`` names what is left.
Since then, times that are counted from today are times of capture in a memory of perceptions.
"""

from typing import Any

import pytest

from .asking import outline

SAID = "speech text"
Expected = dict[str, Any]

FRESH: dict[str, Expected] = {
    "What was on my screen when the phone rang?": {
        "modality": "screenshot",
        "just during": {},
    },
    "What did Grace say right after the alarm started?": {
        "modality": SAID,
        "speaker": "Grace",
        "just after": {},
    },
    "Which spreadsheet was open yesterday afternoon?": {
        "modality": "screenshot",
        "time": "03-17 12:00 .. 03-17 18:00",
    },
    "How hot did the oven get this morning?": {"time": "03-18 05:00 .. 03-18 12:00"},
    "What was the highest line pressure between nine and eleven?": {
        "modality": "sensor",
        "channel": "line pressure",
        "time": "03-18 09:00 .. 03-18 11:00",
        "wants": "number max",
    },
    "Did anybody mention the delivery truck before lunch?": {"modality": SAID, "before": {}},
    "What happened on the line around half past ten?": {"time": "03-18 10:25 .. 03-18 10:35"},
    "Show me what was on the monitor at 14:05.": {
        "modality": "screenshot",
        "time": "03-18 14:05 .. 03-18 14:06",
    },
    "What have we talked about in the last hour?": {
        "modality": SAID,
        "time": "03-18 15:20 .. 03-18 16:20",
    },
    "When was the vibration above 5 for the first time?": {"order": "first"},
    "What did the customer say about the gearbox noise?": {"modality": SAID},
    "What was the temperature while the kiln door was open?": {
        "modality": "sensor",
        "channel": "temperature",
        "wants": "number",
        "during": {},
    },
    'Who said "we are out of stock" last Thursday?': {
        "modality": SAID,
        "exact": ["we are out of stock"],
        "time": "03-12 00:00 .. 03-13 00:00",
    },
    "What is new on the dashboard since yesterday?": {
        "modality": "screenshot",
        "wants": "change",
        "time": "03-17 00:00 ..",
    },
    "Find the last screenshot with the price list": {"modality": "screenshot", "order": "last"},
    "Which orders did we discuss on 3 March, except the one from Lyon?": {
        "modality": SAID,
        "time": "03-03 00:00 .. 03-04 00:00",
        "without": ["the one from Lyon"],
    },
    "What was I reading just before the meeting?": {"just before": {}},
    "What did the flow sensor report after the filter was changed?": {
        "modality": "sensor",
        "after": {},
    },
    "Between the two fire drills, what was said about exits?": {"modality": SAID},
    "What did Ann tell Bob Miller about the clutch?": {"modality": SAID, "speaker": "Ann"},
    "What was shown in Grafana at quarter past eight?": {
        "app": "Grafana",
        "modality": "screenshot",
        "time": "03-18 08:15 .. 03-18 08:16",
    },
    "Which tyres were mentioned during shift 4?": {"modality": SAID, "session": "shift 4"},
    "What does my note about the spare key say?": {"modality": "text"},
    "What was the mean temperature from Monday to Tuesday?": {
        "modality": "sensor",
        "channel": "temperature",
        "wants": "number mean",
        "time": "03-16 00:00 .. 03-18 00:00",
    },
    "What was the vibration two minutes before the bearing broke?": {
        "modality": "sensor",
        "channel": "vibration [mm/s]",
        "wants": "number",
        "120 s before": {},
    },
    "When did the line pressure drop last night?": {
        "modality": "sensor",
        "channel": "line pressure",
        "time": "03-17 18:00 .. 03-18 06:00",
    },
    "What was being displayed when Bob Miller asked for the invoice?": {
        "modality": "screenshot",
        "just during": {"modality": SAID, "speaker": "Bob Miller"},
    },
    "What was the first thing she said after the call?": {
        "modality": SAID,
        "order": "first",
        "after": {},
    },
    "What changed in the config file between Monday and Wednesday?": {
        "wants": "change",
        "time": "03-16 00:00 .. 03-19 00:00",
    },
    "Which warning popped up on the screen three days ago?": {
        "modality": "screenshot",
        "time": "03-15 00:00 .. 03-16 00:00",
    },
    "What did they agree on at the end of February?": {"told": "02-21 00:00 .. 03-01 00:00"},
    "Where did we eat after the trade fair?": {},
    "Which car has the biggest boot?": {},
    "How did Bob fix the squeaking door?": {},
    "Why was the shop closed in December?": {"told": "2025-12-01 00:00 .. 01-01 00:00"},
    "What is the part number of the second pump?": {},
    "Who is responsible for the weekend shift?": {},
    "How long should the dough rest before baking?": {},
    "What colour is the door of the server room?": {},
    "Did Grace like the new chairs?": {},
    "What should we do when the printer jams?": {},
    "Which supplier delivers without a deposit?": {},
    "Is the window in the office broken?": {},
    "Who drove to the harbour on Sunday?": {"time": "03-15 00:00 .. 03-16 00:00"},
    "What size are the screws of the display stand?": {},
    "Can the sensor cable be replaced by a longer one?": {},
    "What does it take to pass the safety exam?": {},
    "Where do I find the latest price list?": {},
    "Which notes of the melody were wrong?": {},
    "What was the reason for the delay at station nine?": {},
}
MISSED = {"What does my note about the spare key say?"}


def understood(found: Expected) -> Expected:
    """An outline without its words."""
    return {
        name: understood(value) if isinstance(value, dict) else value
        for name, value in found.items()
        if name != "words"
    }


@pytest.mark.parametrize("question", FRESH)
def test_a_fresh_question(question: str) -> None:
    assert (understood(outline(question)) == FRESH[question]) is (question not in MISSED)
