"""Relations of time between perceptions, and several perceptions of one moment."""

from typing import Any

import pytest

from .asking import DAIRY, outline

# One moment seen from another.
RELATED: dict[str, dict[str, Any]] = {
    "Which tab was I on when Bob brought up the strike?": {
        "words": "tab",
        "modality": "screenshot",
        "just during": {"words": "the strike", "modality": "speech", "speaker": "Bob"},
    },
    "What was displayed while Ann was talking about the invoices?": {
        "words": "",
        "modality": "screenshot",
        "during": {"words": "the invoices", "modality": "speech", "speaker": "Ann"},
    },
    "Which window was in front of me just after the phone call on the leak?": {
        "words": "window",
        "modality": "screenshot",
        "just after": {"words": "the leak", "modality": "speech"},
    },
    "What was on my screen the moment the boiler pressure collapsed?": {
        "words": "",
        "modality": "screenshot",
        "just during": {
            "words": "the boiler pressure collapsed",
            "modality": "sensor",
            "channel": "boiler pressure",
        },
    },
    "What was I looking at by the time the kiln temperature peaked?": {
        "words": "",
        "modality": "screenshot",
        "just before": {
            "words": "the kiln temperature peaked",
            "modality": "sensor",
            "channel": "kiln temperature",
        },
    },
    "In the minutes after the belt speed dropped, what did people say?": {
        "words": "",
        "modality": "speech",
        "just after": {
            "words": "the belt speed dropped",
            "modality": "sensor",
            "channel": "belt speed",
        },
    },
    "What was said in the minutes leading up to the boiler pressure spike?": {
        "words": "",
        "modality": "speech",
        "just before": {
            "words": "the boiler pressure spike",
            "modality": "sensor",
            "channel": "boiler pressure",
        },
    },
    "Following the talk about wages, which page did I open?": {
        "words": "page",
        "modality": "screenshot",
        "after": {"words": "wages", "modality": "speech"},
    },
    "While the discussion of the roof was going on, what was on the screen?": {
        "words": "",
        "modality": "screenshot",
        "during": {"words": "the roof", "modality": "speech"},
    },
    "After the kiln temperature had peaked, what did Bob say?": {
        "words": "",
        "modality": "speech",
        "speaker": "Bob",
        "after": {
            "words": "the kiln temperature had peaked",
            "modality": "sensor",
            "channel": "kiln temperature",
        },
    },
    "Which ticket was open later than the talk on the pump?": {
        "words": "ticket",
        "modality": "screenshot",
        "after": {"words": "the pump", "modality": "speech"},
    },
    "The belt speed dropped to zero. What was said at that moment?": {
        "words": "",
        "modality": "speech",
        "just during": {
            "words": "The belt speed dropped to zero",
            "modality": "sensor",
            "channel": "belt speed",
        },
    },
    "The boiler pressure jumped: which page was open, and who was talking?": {
        "words": "page",
        "modality": "screenshot speech",
        "each": True,
        "just during": {
            "words": "The boiler pressure jumped",
            "modality": "sensor",
            "channel": "boiler pressure",
        },
    },
    "They were talking about the strike. What was on my screen right then?": {
        "words": "",
        "modality": "screenshot",
        "just during": {"words": "the strike", "modality": "speech"},
    },
    "I had the pump ticket open. What was being said at the time?": {
        "words": "",
        "modality": "speech",
        "just during": {"words": "the pump ticket open", "modality": "screenshot"},
    },
    "What did the boiler pressure do at the time of the talk on valves?": {
        "words": "the boiler pressure",
        "modality": "sensor",
        "channel": "boiler pressure",
        "just during": {"words": "valves", "modality": "speech"},
    },
    "Between the call about hops and the one about malt, what did I open?": {
        "words": "",
        "modality": "screenshot",
        "between": [
            {"words": "hops", "modality": "speech"},
            {"words": "malt", "modality": "speech"},
        ],
    },
    "What was said and what was shown when the kiln temperature spiked?": {
        "words": "",
        "modality": "speech screenshot",
        "each": True,
        "just during": {
            "words": "the kiln temperature spiked",
            "modality": "sensor",
            "channel": "kiln temperature",
        },
    },
    "Give me the readings and the screen for the moment the belt speed stepped down": {
        "words": "",
        "modality": "sensor screenshot",
        "each": True,
        "just during": {
            "words": "the belt speed stepped down",
            "modality": "sensor",
            "channel": "belt speed",
        },
    },
    "What changed on my screen after the talk on hops?": {
        "words": "",
        "modality": "screenshot",
        "wants": "change",
        "after": {"words": "hops", "modality": "speech"},
    },
    "Which page did I open last before lunch?": {
        "words": "page",
        "modality": "screenshot",
        "order": "last",
        "before": {"words": "lunch"},
    },
    "which browser tab was open when the milk price came up": {
        "words": "browser tab",
        "modality": "screenshot",
        "just during": {"words": "the milk price", "modality": "speech"},
    },
    "Which email was I reading when the alarm went off?": {
        "words": "email",
        "modality": "screenshot",
        "just during": {"words": "the alarm went off"},
    },
    "the last dashboard before the strike was mentioned": {
        "words": "dashboard",
        "modality": "screenshot",
        "order": "last",
        "before": {"words": "the strike", "modality": "speech"},
    },
    "Which chart could be seen while Bob was speaking?": {
        "words": "chart",
        "modality": "screenshot",
        "during": {"words": "", "modality": "speech", "speaker": "Bob"},
    },
    "Which appointment did I look at after the call about hops?": {
        "words": "appointment",
        "modality": "screenshot",
        "after": {"words": "hops", "modality": "speech"},
    },
    "Where was I looking when the belt speed went up?": {
        "words": "",
        "modality": "screenshot",
        "just during": {
            "words": "the belt speed went up",
            "modality": "sensor",
            "channel": "belt speed",
        },
    },
    "What was the reading of the boiler pressure when Ann mentioned rennet?": {
        "words": "the boiler pressure",
        "modality": "sensor",
        "channel": "boiler pressure",
        "just during": {"words": "rennet", "modality": "speech", "speaker": "Ann"},
    },
    "Which values did the belt speed show after the talk about crates?": {
        "words": "the belt speed",
        "modality": "sensor",
        "channel": "belt speed",
        "after": {"words": "crates", "modality": "speech"},
    },
    "What was on the screen while they discussed the crates?": {
        "words": "",
        "modality": "screenshot",
        "during": {"words": "the crates", "modality": "speech"},
    },
    "What did I have open during the conversation about rennet?": {
        "words": "",
        "modality": "screenshot",
        "during": {"words": "rennet", "modality": "speech"},
    },
    "What was being said while I had the tank overview open?": {
        "words": "",
        "modality": "speech",
        "during": {"words": "the tank overview open", "modality": "screenshot"},
    },
    "What did Bob say while the page about hops was on display?": {
        "words": "",
        "modality": "speech",
        "speaker": "Bob",
        "during": {"words": "page about hops", "modality": "screenshot"},
    },
    "Which ticket did I open straight after the talk about crates?": {
        "words": "ticket",
        "modality": "screenshot",
        "just after": {"words": "crates", "modality": "speech"},
    },
    "Immediately after the crates were mentioned, what did I open?": {
        "words": "",
        "modality": "screenshot",
        "just after": {"words": "the crates", "modality": "speech"},
    },
    "Once the crates had been mentioned, which page came up?": {
        "words": "page",
        "modality": "screenshot",
        "after": {"words": "the crates", "modality": "speech"},
    },
    "Right before the belt speed stopped moving, what was said?": {
        "words": "",
        "modality": "speech",
        "just before": {
            "words": "the belt speed stopped moving",
            "modality": "sensor",
            "channel": "belt speed",
        },
    },
    "In the minute before the kiln temperature dipped, what was I looking at?": {
        "words": "",
        "modality": "screenshot",
        "just before": {
            "words": "the kiln temperature dipped",
            "modality": "sensor",
            "channel": "kiln temperature",
        },
    },
    "What was said in the moments after the boiler pressure fell?": {
        "words": "",
        "modality": "speech",
        "just after": {
            "words": "the boiler pressure fell",
            "modality": "sensor",
            "channel": "boiler pressure",
        },
    },
    "Which page was up shortly before they spoke about rennet?": {
        "words": "page",
        "modality": "screenshot",
        "just before": {"words": "rennet", "modality": "speech"},
    },
    "What did the noise level do prior to the talk about crates?": {
        "words": "the noise level",
        "modality": "sensor",
        "channel": "noise level [dB]",
        "before": {"words": "crates", "modality": "speech"},
    },
    "What was said about rennet later than the drop in the belt speed?": {
        "words": "rennet",
        "modality": "speech",
        "after": {
            "words": "the drop in the belt speed",
            "modality": "sensor",
            "channel": "belt speed",
        },
    },
    "the talk about rennet that came after the boiler pressure spiked": {
        "words": "rennet",
        "modality": "speech",
        "after": {
            "words": "the boiler pressure spiked",
            "modality": "sensor",
            "channel": "boiler pressure",
        },
    },
    "Ahead of the talk on crates, which email was open?": {
        "words": "email",
        "modality": "screenshot",
        "before": {"words": "crates", "modality": "speech"},
    },
    "What was shown throughout the discussion about the strike?": {
        "words": "",
        "modality": "screenshot",
        "during": {"words": "the strike", "modality": "speech"},
    },
    "In the course of the conversation about rennet, what did the boiler pressure do?": {
        "words": "the boiler pressure",
        "modality": "sensor",
        "channel": "boiler pressure",
        "during": {"words": "rennet", "modality": "speech"},
    },
    "Since the talk about crates, has the belt speed changed?": {
        "words": "the belt speed changed",
        "modality": "sensor",
        "channel": "belt speed",
        "since": {"words": "crates", "modality": "speech"},
    },
    "What was on my display until the boiler pressure dropped?": {
        "words": "",
        "modality": "screenshot",
        "until": {
            "words": "the boiler pressure dropped",
            "modality": "sensor",
            "channel": "boiler pressure",
        },
    },
    "What was said between the talk about rennet and the talk about crates?": {
        "words": "",
        "modality": "speech",
        "between": [
            {"words": "rennet", "modality": "speech"},
            {"words": "crates", "modality": "speech"},
        ],
    },
    "screens between the conversation on hops and the one on malt": {
        "words": "screens",
        "modality": "screenshot",
        "between": [
            {"words": "hops", "modality": "speech"},
            {"words": "malt", "modality": "speech"},
        ],
    },
    "From the moment the belt speed fell, what was said?": {
        "words": "",
        "modality": "speech",
        "just during": {
            "words": "the belt speed fell",
            "modality": "sensor",
            "channel": "belt speed",
        },
    },
    "ten minutes after the kiln temperature peaked, which page was open?": {
        "words": "page",
        "modality": "screenshot",
        "600 s after": {
            "words": "the kiln temperature peaked",
            "modality": "sensor",
            "channel": "kiln temperature",
        },
    },
    "noise level: what did it do earlier than the talk about rennet?": {
        "words": "noise level",
        "modality": "sensor",
        "channel": "noise level [dB]",
        "before": {"words": "rennet", "modality": "speech"},
    },
    "What did they say two minutes before the noise level jumped?": {
        "words": "",
        "modality": "speech",
        "120 s before": {
            "words": "the noise level jumped",
            "modality": "sensor",
            "channel": "noise level [dB]",
        },
    },
    "Earlier, before the talk about rennet, what was on the screen?": {
        "words": "",
        "modality": "screenshot",
        "before": {"words": "rennet", "modality": "speech"},
    },
    "Yesterday, when the belt speed dropped, what was on my screen?": {
        "words": "",
        "modality": "screenshot",
        "time": "03-17 00:00 .. 03-18 00:00",
        "just during": {
            "words": "the belt speed dropped",
            "modality": "sensor",
            "channel": "belt speed",
        },
    },
    "On Monday, while they were talking about hops, which page was open?": {
        "words": "page",
        "modality": "screenshot",
        "time": "03-16 00:00 .. 03-17 00:00",
        "during": {"words": "hops", "modality": "speech"},
    },
    "When Ann mentioned rennet for the first time, what was on the screen?": {
        "words": "",
        "modality": "screenshot",
        "just during": {"words": "rennet", "modality": "speech", "speaker": "Ann"},
    },
    "The noise level rose slowly. Which page was I on?": {
        "words": "page",
        "modality": "screenshot",
        "just during": {
            "words": "The noise level rose slowly",
            "modality": "sensor",
            "channel": "noise level [dB]",
        },
    },
    "The kiln temperature had a short dip: what was said, and what was on the screen?": {
        "words": "",
        "modality": "speech screenshot",
        "each": True,
        "just during": {
            "words": "The kiln temperature had a short dip",
            "modality": "sensor",
            "channel": "kiln temperature",
        },
    },
    "Ann mentioned the crates. What was on my screen at that moment?": {
        "words": "",
        "modality": "screenshot",
        "just during": {"words": "the crates", "modality": "speech", "speaker": "Ann"},
    },
    "I had the ticket about hops open. What did the boiler pressure do then?": {
        "words": "the boiler pressure",
        "modality": "sensor",
        "channel": "boiler pressure",
        "just during": {"words": "ticket about hops open", "modality": "screenshot"},
    },
    "The boiler pressure dropped out. Give me the readings and what was said.": {
        "words": "",
        "modality": "sensor speech",
        "each": True,
        "just during": {
            "words": "The boiler pressure dropped out",
            "modality": "sensor",
            "channel": "boiler pressure",
        },
    },
    "We were discussing hops. Which page did I have open?": {
        "words": "page",
        "modality": "screenshot",
        "just during": {"words": "hops", "modality": "speech"},
    },
    "When the belt speed fell, what was on the screen and what was said?": {
        "words": "",
        "modality": "screenshot speech",
        "each": True,
        "just during": {
            "words": "the belt speed fell",
            "modality": "sensor",
            "channel": "belt speed",
        },
    },
    "What was said and shown when the boiler pressure jumped?": {
        "words": "",
        "modality": "speech screenshot",
        "each": True,
        "just during": {
            "words": "the boiler pressure jumped",
            "modality": "sensor",
            "channel": "boiler pressure",
        },
    },
    "Tell me everything for the moment the belt speed stopped moving: screen, talk, and readings": {
        "words": "",
        "modality": "screenshot speech sensor",
        "each": True,
        "just during": {
            "words": "the belt speed stopped moving",
            "modality": "sensor",
            "channel": "belt speed",
        },
    },
    "What did the log show, and what did people say, when the noise level spiked?": {
        "words": "",
        "modality": "sensor speech",
        "each": True,
        "just during": {
            "words": "the noise level spiked",
            "modality": "sensor",
            "channel": "noise level [dB]",
        },
    },
    "What was on the screen when the kiln temperature spiked, and how high did it go?": {
        "words": "",
        "modality": "screenshot sensor",
        "each": True,
        "just during": {
            "words": "the kiln temperature spiked",
            "modality": "sensor",
            "channel": "kiln temperature",
        },
    },
    "What has changed on the dashboard since the talk about rennet?": {
        "words": "the dashboard",
        "modality": "screenshot",
        "wants": "change",
        "since": {"words": "rennet", "modality": "speech"},
    },
    "Which sheet did I have on my screen when the call about hops began?": {
        "words": "sheet",
        "modality": "screenshot",
        "just during": {"words": "hops began", "modality": "speech"},
    },
    "Was anything shown while they argued about the strike?": {
        "words": "",
        "modality": "screenshot",
        "during": {"words": "the strike", "modality": "speech"},
    },
    "What were the readings while the page about hops was open?": {
        "words": "",
        "modality": "sensor",
        "during": {"words": "page about hops", "modality": "screenshot"},
    },
    "Which pages were open when nobody was talking?": {
        "words": "pages",
        "modality": "screenshot",
        "just during": {"words": "", "modality": "speech"},
    },
}

# One of each modality.
EACH: dict[str, dict[str, Any]] = {
    "Show me both the screen and the talk at 10.30": {
        "words": "",
        "modality": "screenshot speech",
        "time": "03-18 10:30 .. 03-18 10:31",
        "each": True,
    },
    "which alarm K-12 was shown, and what did the operator say?": {
        "words": "alarm K-12 the operator",
        "modality": "screenshot speech",
        "each": True,
    },
    "Was the roof mentioned, and what was on the screen then?": {
        "words": "the roof",
        "modality": "speech screenshot",
        "each": True,
    },
    "What was said about crates, and which page was open then?": {
        "words": "crates",
        "modality": "speech screenshot",
        "each": True,
    },
    "Give me both: the talk about rennet, and the page that was open then": {
        "words": "rennet",
        "modality": "speech screenshot",
        "each": True,
    },
    "Which ticket was open and what was being said at 9.40?": {
        "words": "ticket",
        "modality": "screenshot speech",
        "time": "03-18 09:40 .. 03-18 09:41",
        "each": True,
    },
    "the screen and the readings at 14.20 yesterday": {
        "words": "",
        "modality": "screenshot sensor",
        "time": "03-17 14:20 .. 03-17 14:21",
        "each": True,
    },
    "Which invoice number was on the screen, and what did the buyer say about it?": {
        "words": "invoice number the buyer",
        "modality": "screenshot speech",
        "each": True,
    },
}


ALL = RELATED | EACH


@pytest.mark.parametrize(("question", "expected"), ALL.items(), ids=ALL)
def test_a_moment(question: str, expected: dict[str, Any]) -> None:
    assert outline(question, DAIRY) == expected
