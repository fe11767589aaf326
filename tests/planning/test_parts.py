"""Order, quoted phrases, what is excluded, names of the memory, and what is wanted."""

from typing import Any

import pytest

from agentctx.planning import Vocabulary

from .asking import outline

SAID = "speech text"

PARTS: dict[str, dict[str, Any]] = {
    # order
    "When was the first time the pump was mentioned?": {
        "words": "the pump",
        "modality": SAID,
        "order": "first",
    },
    "What was the last thing Ann said about the car?": {
        "words": "the car",
        "modality": SAID,
        "speaker": "Ann",
        "order": "last",
    },
    "What is the latest reading of the line pressure?": {
        "words": "line pressure",
        "modality": "sensor",
        "channel": "line pressure",
        "order": "last",
        "wants": "number last",
    },
    "Show the most recent screenshot of the shop": {
        "words": "the shop",
        "modality": "screenshot",
        "order": "last",
    },
    "When did we first talk about the lease?": {
        "words": "the lease",
        "modality": SAID,
        "order": "first",
    },
    "When was the last time I saw the error page?": {
        "words": "I saw the error page",
        "order": "last",
    },
    "What was the earliest note about the gearbox?": {
        "words": "the gearbox",
        "modality": "text",
        "order": "first",
    },
    # quoted phrases
    'Where is "cannot open valve 3" written?': {
        "words": "Where is cannot open valve 3 written?",
        "exact": ["cannot open valve 3"],
    },
    "Who wrote “limp mode” and “check engine”?": {
        "words": "Who wrote limp mode and check engine?",
        "exact": ["limp mode", "check engine"],
    },
    "What does 'out of range' mean in the users' manual?": {
        "words": "What does out of range mean in the users' manual?",
        "exact": ["out of range"],
    },
    'Where does it say "what did he say yesterday"?': {
        "words": "Where does it say what did he say yesterday?",
        "exact": ["what did he say yesterday"],
    },
    # what is excluded
    "Which pumps were discussed other than pump 3?": {
        "words": "pumps",
        "modality": SAID,
        "without": ["pump 3"],
    },
    "Find meetings about prices but not about discounts": {
        "words": "meetings about prices",
        "without": ["discounts"],
    },
    "Which shops are open except the bakery?": {
        "words": "shops are open",
        "without": ["the bakery"],
    },
    "Show screenshots of the order page without the banner": {
        "words": "the order page",
        "modality": "screenshot",
        "without": ["the banner"],
    },
    "What did Ann say about cars, but not the van, yesterday?": {
        "words": "cars",
        "modality": SAID,
        "speaker": "Ann",
        "time": "03-17 00:00 .. 03-18 00:00",
        "without": ["the van"],
    },
    # names
    "What did Ann say about the valve?": {
        "words": "the valve",
        "modality": SAID,
        "speaker": "Ann",
    },
    "What did bob miller say about tyres?": {
        "words": "tyres",
        "modality": SAID,
        "speaker": "Bob Miller",
    },
    "What did Carla say about tyres?": {"words": "Carla tyres", "modality": SAID},
    "According to Grace, which bolt is loose?": {
        "words": "bolt is loose",
        "modality": SAID,
        "speaker": "Grace",
    },
    "Who opened the gate in kickoff-2026?": {
        "words": "Who opened the gate",
        "session": "kickoff-2026",
    },
    "What did we decide in session status about shifts?": {
        "words": "we decide about shifts",
        "session": "status",
    },
    "Who was late in the monday line review?": {
        "words": "Who was late",
        "session": "Monday line review",
    },
    "Which channel was red in Grafana?": {"words": "channel was red", "app": "Grafana"},
    "What was open in visual studio code?": {
        "words": "",
        "modality": "screenshot",
        "app": "Visual Studio Code",
    },
    "What did I write in the Word app?": {"words": "I write", "app": "Word"},
    "Which alarms are on channel status?": {
        "words": "Which alarms are on channel status?",
        "modality": "sensor",
        "channel": "status",
    },
    "What is in standup.wav about the oven?": {"words": "the oven", "source": "standup.wav"},
    "Which gaps are in pump3.csv?": {"words": "gaps", "source": "logs/pump3.csv"},
    # what is wanted
    "What changed on the dashboard between two and three?": {
        "words": "the dashboard",
        "modality": "screenshot",
        "time": "03-18 14:00 .. 03-18 15:00",
        "wants": "change",
    },
    "What has changed in the order form since Monday?": {
        "words": "the order form",
        "time": "03-16 00:00 ..",
        "wants": "change",
    },
    "What is different on the screen since 9:30?": {
        "words": "",
        "modality": "screenshot",
        "time": "03-18 09:30 ..",
        "wants": "change",
    },
    "How high was the temperature at 9:12?": {
        "words": "the temperature",
        "modality": "sensor",
        "channel": "temperature",
        "time": "03-18 09:12 .. 03-18 09:13",
        "wants": "number",
    },
    "What was the maximum vibration yesterday?": {
        "words": "vibration",
        "modality": "sensor",
        "channel": "vibration [mm/s]",
        "time": "03-17 00:00 .. 03-18 00:00",
        "wants": "number max",
    },
    "What was the average line pressure in the last hour?": {
        "words": "line pressure",
        "modality": "sensor",
        "channel": "line pressure",
        "time": "03-18 15:20 .. 03-18 16:20",
        "wants": "number mean",
    },
    "What was the lowest temperature last night?": {
        "words": "temperature",
        "modality": "sensor",
        "channel": "temperature",
        "time": "03-17 18:00 .. 03-18 06:00",
        "wants": "number min",
    },
    "What is the current temperature?": {
        "words": "temperature",
        "modality": "sensor",
        "channel": "temperature",
        "wants": "number last",
    },
}

WORDS = [
    "When did Nate win his first tournament?",
    "What kind of piece won first place?",
    "What is her latest project about?",
    "Which gear is first?",
    "How long has he had his last car?",
    "What can she eat without dairy?",
    "How do I start the car without the key?",
    "Who left without saying a word?",
    "What is the status of the order?",
    "What did the word at the gate look like?",
    "How can I slack off at work?",
    "Who has the grace to wait?",
    "What does the users' manual say?",
    "Isn't it the drivers' day, or is it the mechanics'?",
    "How many times has the pump failed?",
    "How much did the most expensive tyre cost?",
    "What is the maximum number of guests?",
    "Where did Ann move from?",
    "Is Word better than Slack?",
    "What changed her mind about the car?",
    "What did she give but not charge for?",
    "Is anything excepted from the warranty?",
    "Which oven has the highest temperature rating?",
]


@pytest.mark.parametrize(("question", "expected"), PARTS.items(), ids=PARTS)
def test_a_part(question: str, expected: dict[str, Any]) -> None:
    assert outline(question) == expected


@pytest.mark.parametrize("question", WORDS)
def test_only_words(question: str) -> None:
    assert outline(question) == {"words": question}


def test_names_that_fit_are_all_meant() -> None:
    two = Vocabulary(sources=("a/standup.wav", "b/standup.wav"))
    assert outline("Who is late in standup.wav?", two)["source"] == "a/standup.wav b/standup.wav"


def test_the_longest_name_is_meant() -> None:
    names = Vocabulary(speakers=("Bob", "Bob Miller"))
    assert outline("What did Bob Miller say about tyres?", names)["speaker"] == "Bob Miller"
    assert outline("What did Bob say about tyres?", names)["speaker"] == "Bob"
