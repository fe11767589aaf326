"""Modality words: only firm ones restrict, since a false filter loses the answer."""

from typing import Any

import pytest

from agentctx.planning import Vocabulary

from .asking import NAMES, outline

SAID = "speech text"

UNDERSTOOD: dict[str, dict[str, Any]] = {
    # what was said
    "What did he say about the valve?": {"words": "the valve", "modality": SAID},
    "What did she mention about the new shop?": {"words": "the new shop", "modality": SAID},
    "What was said about the budget?": {"words": "the budget", "modality": SAID},
    "Who mentioned the leaking gasket?": {"words": "the leaking gasket", "modality": SAID},
    "Did anyone talk about the brakes?": {"words": "the brakes", "modality": SAID},
    "What did we discuss regarding prices?": {"words": "regarding prices", "modality": SAID},
    "What was spoken about the tyres on the phone?": {
        "words": "the tyres on the phone",
        "modality": "speech",
    },
    "What did the manager say about refunds?": {
        "words": "the manager refunds",
        "modality": SAID,
    },
    "Who said that the line must stop?": {"words": "the line must stop", "modality": SAID},
    "What did I hear about the forklift?": {"words": "the forklift", "modality": "speech"},
    "What was said in the recording about torque?": {"words": "torque", "modality": "speech"},
    # what was seen
    "What was on the screen?": {"words": "", "modality": "screenshot"},
    "Which error was displayed on my monitor?": {"words": "error", "modality": "screenshot"},
    "What was I looking at?": {"words": "", "modality": "screenshot"},
    "Find the screenshot with the invoice total": {
        "words": "the invoice total",
        "modality": "screenshot",
    },
    "What did the dashboard show about throughput?": {
        "words": "the dashboard throughput",
        "modality": "screenshot",
    },
    "Which page was open in the browser?": {
        "words": "page in the browser",
        "modality": "screenshot",
    },
    "What price did I see on the screen?": {"words": "price", "modality": "screenshot"},
    "What does the settings window say about updates?": {
        "words": "the settings window updates",
        "modality": "screenshot",
    },
    # what was measured
    "What did the sensor do?": {"words": "", "modality": "sensor"},
    "What did the oil sensor read?": {"words": "the oil", "modality": "sensor"},
    "Show the sensor readings of the boiler": {"words": "the boiler", "modality": "sensor"},
    "Which sensor data has gaps?": {"words": "gaps", "modality": "sensor"},
    "Did the temperature rise in the oven?": {
        "words": "Did the temperature rise in the oven?",
        "modality": "sensor",
        "channel": "temperature",
    },
    "What was the line pressure reading?": {
        "words": "the line pressure",
        "modality": "sensor",
        "channel": "line pressure",
        "wants": "number",
    },
    "When did the vibration spike?": {
        "words": "When did the vibration spike?",
        "modality": "sensor",
        "channel": "vibration [mm/s]",
    },
    # what was written
    "What is in my notes about the gearbox?": {"words": "the gearbox", "modality": "text"},
    "Which document mentions the warranty?": {"words": "the warranty", "modality": "text"},
    "What does the file say about torque?": {"words": "torque", "modality": "text"},
    "According to the notes, who has the key?": {"words": "who has the key", "modality": "text"},
    # two at once
    "What was said or shown about the recall?": {
        "words": "the recall",
        "modality": "screenshot speech text",
    },
}

# Words that only look like a modality.
WORDS = [
    "What would Caroline say about the trip?",
    "What might Ann say to that?",
    "How do we screen candidates?",
    "Who read the book about pumps?",
    "What book is she currently reading?",
    "What was shown on the big screen at the cinema?",
    "Where is the screen door of the porch?",
    "What did the posters at the poetry reading say?",
    "Which motion sensor did Ann buy?",
    "Who has written notes of thanks to the driver?",
    "What is displayed on her cork board?",
    "Why did the temperature of the debate rise?",
    "What does the sign at the gate say?",
    "Who displayed courage in the accident?",
    "Is it safe to say that the shop is closed?",
    "How do I file a complaint?",
    "Which sensor replaces the old one?",
    "Who left a phone on the dashboard of the car?",
    "What is worth mentioning in the report?",
    "Did they have to say goodbye to the van?",
    "What note did the orchestra tune to?",
    "Who is reading the meter next month?",
    "How long is the pressure hose?",
    "Can you recommend a talk about pumps?",
    "What makes a good window seat?",
]


@pytest.mark.parametrize(("question", "expected"), UNDERSTOOD.items(), ids=UNDERSTOOD)
def test_a_modality(question: str, expected: dict[str, Any]) -> None:
    assert outline(question) == expected


@pytest.mark.parametrize("question", WORDS)
def test_no_modality(question: str) -> None:
    assert outline(question) == {"words": question}


def test_a_modality_the_memory_does_not_have_is_not_asked_for() -> None:
    chat = Vocabulary(modalities=("text",))
    assert outline("What did he say about the valve?", chat)["modality"] == "text"
    found = outline("What was on the screen about the valve?", chat)
    assert "modality" not in found
    assert "valve" in found["words"]


def test_what_is_said_is_where_somebody_speaks() -> None:
    spoken = Vocabulary(modalities=NAMES.modalities, spoken=("speech",))
    assert outline("What did he say about the valve?", spoken)["modality"] == "speech"


def test_without_a_vocabulary_no_channel_is_known() -> None:
    question = "Did the temperature rise in the oven?"
    assert outline(question, Vocabulary()) == {"words": question}
