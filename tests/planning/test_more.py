"""Further questions, as people ask them: many of these were misunderstood once."""

from typing import Any

import pytest

from .asking import outline

ASKED: dict[str, dict[str, Any]] = {
    "What was on the screen when the alarm went off at 9:12?": {
        "words": "",
        "modality": "screenshot",
        "just during": {"words": "the alarm went off", "time": "03-18 09:12 .. 03-18 09:13"},
    },
    "what did the sensor do in the ten minutes before the alarm?": {
        "words": "",
        "modality": "sensor",
        "600 s before": {"words": "the alarm"},
    },
    "What was on her screen while Bob Miller was talking?": {
        "words": "",
        "modality": "screenshot",
        "during": {"words": "", "modality": "speech text", "speaker": "Bob Miller"},
    },
    "What was said when the temperature rose above 80?": {
        "words": "",
        "modality": "speech text",
        "just during": {
            "words": "the temperature rose above 80",
            "modality": "sensor",
            "channel": "temperature",
        },
    },
    "What did the dashboard show after Ann said stop?": {
        "words": "the dashboard",
        "modality": "screenshot",
        "after": {"words": "stop", "modality": "speech text", "speaker": "Ann"},
    },
    "Show everything from yesterday between 9 and 10": {
        "words": "everything",
        "time": "03-17 09:00 .. 03-17 10:00",
    },
    "Show me all screenshots of Grafana from last week": {
        "words": "Grafana",
        "modality": "screenshot",
        "time": "03-09 00:00 .. 03-16 00:00",
    },
    "what's on my screen right now": {"words": "", "modality": "screenshot", "order": "last"},
    "what was I doing at 3pm yesterday?": {"words": "", "time": "03-17 14:55 .. 03-17 15:05"},
    "What did I see on Tuesday at noon?": {"words": "", "time": "03-17 11:55 .. 03-17 12:05"},
    "Which tab was open when she asked about the refund?": {
        "words": "tab",
        "modality": "screenshot",
        "just during": {"words": "the refund", "modality": "speech text"},
    },
    "Who was speaking while the slide about costs was shown?": {
        "words": "",
        "modality": "speech text",
        "during": {"words": "the slide about costs", "modality": "screenshot"},
    },
    "What was the pressure when the dashboard turned red?": {
        "words": "What was the pressure when the dashboard turned red?"
    },
    "When was the valve first mentioned?": {
        "words": "the valve",
        "modality": "speech text",
        "order": "first",
    },
    "What was the last thing on the screen before the crash?": {
        "words": "",
        "modality": "screenshot",
        "order": "last",
        "before": {"words": "the crash"},
    },
    "when did she last mention the budget": {
        "words": "the budget",
        "modality": "speech text",
        "order": "last",
    },
    "How did the temperature change between the alarm and the restart?": {
        "words": "the temperature change",
        "modality": "sensor",
        "channel": "temperature",
        "between": [{"words": "the alarm"}, {"words": "the restart"}],
    },
    "What is the difference between the two screenshots?": {
        "words": "the difference between the two",
        "modality": "screenshot",
    },
    "What did the team decide in the Monday line review about overtime?": {
        "words": "the team decide about overtime",
        "session": "Monday line review",
    },
    "what was displayed on the dashboard at noon on Monday?": {
        "words": "the dashboard",
        "modality": "screenshot",
        "time": "03-16 11:55 .. 03-16 12:05",
    },
    "What did he say, other than about the valve?": {
        "words": "",
        "modality": "speech text",
        "without": ["the valve"],
    },
    "What was on the screen during the call with Bob Miller?": {
        "words": "",
        "modality": "screenshot",
        "during": {"words": "the call with Bob Miller"},
    },
    "Who joined the meeting on March 3 between 10 and 11 am?": {
        "words": "Who joined the meeting",
        "time": "03-03 10:00 .. 03-03 11:00",
    },
    "What was said during the first ten minutes of the meeting?": {
        "words": "",
        "modality": "speech text",
        "during": {"words": "the first ten minutes of the meeting"},
    },
    "What did we say about 2024?": {"words": "2024", "modality": "speech text"},
    "What did they say about the 9 o'clock train?": {
        "words": "the 9 o'clock train",
        "modality": "speech text",
    },
    "What was on the screen 5 minutes after the alarm?": {
        "words": "",
        "modality": "screenshot",
        "300 s after": {"words": "the alarm"},
    },
    "What was on the screen on the evening of the 14th?": {
        "words": "",
        "modality": "screenshot",
        "time": "03-14 17:00 .. 03-14 23:00",
    },
    "What did the screenshot from 2026-03-14 show?": {
        "words": "",
        "modality": "screenshot",
        "time": "03-14 00:00 .. 03-15 00:00",
    },
    "How often did Ann mention the oven last week?": {
        "words": "How often the oven",
        "modality": "speech text",
        "time": "03-09 00:00 .. 03-16 00:00",
        "speaker": "Ann",
    },
    'What did she mean when she said "later"?': {
        "words": "What did she mean when she said later?",
        "exact": ["later"],
    },
    "Was anything said about safety between Monday and Wednesday?": {
        "words": "safety",
        "modality": "speech text",
        "time": "03-16 00:00 .. 03-19 00:00",
    },
    "What errors appeared on the screen since the update?": {
        "words": "errors",
        "modality": "screenshot",
        "since": {"words": "the update"},
    },
    "what did ann say while the temperature was rising": {
        "words": "",
        "modality": "speech text",
        "speaker": "Ann",
        "during": {
            "words": "the temperature was rising",
            "modality": "sensor",
            "channel": "temperature",
        },
    },
    "What happened before that?": {"words": "What happened before that?"},
    "What was on the screen last?": {"words": "", "modality": "screenshot", "order": "last"},
    "latest temperature": {
        "words": "temperature",
        "modality": "sensor",
        "channel": "temperature",
        "wants": "number last",
    },
    "max temperature yesterday": {
        "words": "temperature",
        "modality": "sensor",
        "time": "03-17 00:00 .. 03-18 00:00",
        "channel": "temperature",
        "wants": "number max",
    },
    "Did the dashboard show an error at 14:00?": {
        "words": "the dashboard an error",
        "modality": "screenshot",
        "time": "03-18 14:00 .. 03-18 14:01",
    },
    "What was the state of the valve when the operator said it was closed?": {
        "words": "the state of the valve",
        "just during": {"words": "the operator it was closed", "modality": "speech text"},
    },
    "Which message did I write to Ann in Slack yesterday?": {
        "words": "message did I write to Ann",
        "time": "03-17 00:00 .. 03-18 00:00",
        "app": "Slack",
    },
    "what was on the screen from 10 to 11 and who was talking?": {
        "words": "",
        "modality": "screenshot speech text",
        "each": True,
        "time": "03-18 10:00 .. 03-18 11:00",
    },
    "What was on screen at 10?": {
        "words": "",
        "modality": "screenshot",
        "time": "03-18 09:55 .. 03-18 10:05",
    },
    "At what time did the pump start?": {"words": "At what time did the pump start?"},
    "what did we talk about in the meeting with the supplier on 12 March?": {
        "words": "the meeting with the supplier on 12 March",
        "modality": "speech text",
        "told": "03-12 00:00 .. 03-13 00:00",
    },
    "What was the reading at 9?": {
        "words": "the reading",
        "time": "03-18 08:55 .. 03-18 09:05",
    },
    "How many screenshots were taken today?": {
        "words": "How many were taken",
        "modality": "screenshot",
        "time": "03-18 00:00 .. 03-19 00:00",
    },
    "What did she say about the meeting at 3 pm tomorrow?": {
        "words": "the meeting at 3 pm tomorrow",
        "modality": "speech text",
    },
    "How long was the dashboard open?": {"words": "How long was the dashboard open?"},
    "What is written on the whiteboard?": {"words": "What is written on the whiteboard?"},
    "what did he say the day after the inspection": {
        "words": "the day after the inspection",
        "modality": "speech text",
    },
    "What did Ann and Bob Miller talk about?": {
        "words": "Ann and Bob Miller",
        "modality": "speech text",
    },
    "Where was the van when the sensor failed?": {
        "words": "Where was the van",
        "just during": {"words": "failed", "modality": "sensor"},
    },
    "Did the alarm go off before or after lunch?": {
        "words": "Did the alarm go off before or after lunch?"
    },
    "What was said before and after the alarm?": {
        "words": "before and after the alarm",
        "modality": "speech text",
    },
    "How warm was it when the oil sensor spiked?": {
        "words": "How warm was it",
        "just during": {"words": "the oil spiked", "modality": "sensor"},
    },
    "What did the sensor near the door do when the oil sensor failed?": {
        "words": "the sensor near the door",
        "just during": {"words": "the oil failed", "modality": "sensor"},
    },
    "What was on the second monitor at 8:05 pm yesterday?": {
        "words": "",
        "modality": "screenshot",
        "time": "03-17 20:05 .. 03-17 20:06",
    },
    "What did we discuss from Monday 14:00 to Tuesday 9:30?": {
        "words": "",
        "modality": "speech text",
        "time": "03-16 14:00 .. 03-17 09:30",
    },
    "Which calls did I hear about the recall in February?": {
        "words": "calls the recall in February",
        "modality": "speech",
        "told": "02-01 00:00 .. 03-01 00:00",
    },
    "Who announced the new prices?": {"words": "the new prices", "modality": "speech text"},
    "What did my manager promise on Friday?": {
        "words": "my manager",
        "modality": "speech text",
        "time": "03-13 00:00 .. 03-14 00:00",
    },
    "What was the minimum of the line pressure between 8 and 12?": {
        "words": "line pressure",
        "modality": "sensor",
        "time": "03-18 08:00 .. 03-18 12:00",
        "channel": "line pressure",
        "wants": "number min",
    },
    "What was the median vibration in the last two hours?": {
        "words": "vibration",
        "modality": "sensor",
        "time": "03-18 14:20 .. 03-18 16:20",
        "channel": "vibration [mm/s]",
        "wants": "number median",
    },
    "What was the peak temperature before noon?": {
        "words": "temperature",
        "modality": "sensor",
        "time": "03-18 00:00 .. 03-18 12:00",
        "channel": "temperature",
        "wants": "number max",
    },
    "Did the line pressure go above 6 bar last night?": {
        "words": "the line pressure go above 6 bar",
        "modality": "sensor",
        "time": "03-17 18:00 .. 03-18 06:00",
        "channel": "line pressure",
    },
    "What was in the document about torque?": {"words": "torque", "modality": "text"},
    "What has changed on the screen since ten?": {
        "words": "",
        "modality": "screenshot",
        "time": "03-18 10:00 ..",
        "wants": "change",
    },
    "What changed during the restart?": {
        "words": "",
        "wants": "change",
        "during": {"words": "the restart"},
    },
    "Show me the newest note about tyres": {"words": "tyres", "modality": "text", "order": "last"},
    "Find messages that mention 'low oil' from this week": {
        "words": "messages that mention low oil",
        "time": "03-16 00:00 .. 03-23 00:00",
        "exact": ["low oil"],
    },
    "Which screenshots, except those of Slack, show an invoice?": {
        "words": "an invoice",
        "modality": "screenshot",
        "without": ["those of Slack"],
    },
    "What did everyone say about the budget as soon as the slide appeared?": {
        "words": "the budget",
        "modality": "speech text",
        "just after": {"words": "the slide", "modality": "screenshot"},
    },
}


@pytest.mark.parametrize(("question", "expected"), ASKED.items(), ids=ASKED)
def test_a_question(question: str, expected: dict[str, Any]) -> None:
    assert outline(question) == expected
