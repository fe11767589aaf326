"""Questions to a memory of screens, talk and sensor logs, with one clause."""

from typing import Any

import pytest

from .asking import DAIRY, outline

# Things on screens.
SCREENS: dict[str, dict[str, Any]] = {
    "Which spreadsheet did I have up at 9.20?": {
        "words": "spreadsheet",
        "modality": "screenshot",
        "time": "03-18 09:20 .. 03-18 09:21",
    },
    "Did I have the maintenance ticket open this morning?": {
        "words": "maintenance ticket",
        "modality": "screenshot",
        "time": "03-18 05:00 .. 03-18 12:00",
    },
    "Pull up the email about the broken pallet": {
        "words": "email about the broken pallet",
        "modality": "screenshot",
    },
    "Show me the dashboard I had open yesterday around noon": {
        "words": "dashboard",
        "modality": "screenshot",
        "time": "03-17 11:45 .. 03-17 12:15",
    },
    "Which calendar entry mentions the fire inspection?": {
        "words": "calendar entry the fire inspection",
        "modality": "screenshot",
    },
    "the email on the delivery of hops": {
        "words": "email on the delivery of hops",
        "modality": "screenshot",
    },
    "I was looking at a ticket about yeast, where was that?": {
        "words": "a ticket about yeast",
        "modality": "screenshot",
    },
    "the runbook on restarting the pump": {
        "words": "runbook on restarting the pump",
        "modality": "screenshot",
    },
    "Which page was open around lunch?": {
        "words": "page",
        "modality": "screenshot",
        "time": "03-18 11:30 .. 03-18 14:00",
    },
    "Which page covers both hops and malt?": {
        "words": "page hops and malt",
        "modality": "screenshot",
    },
    "What did I look at on Monday afternoon?": {
        "words": "",
        "modality": "screenshot",
        "time": "03-16 12:00 .. 03-16 18:00",
    },
    "Show me the ticket about the torn hose": {
        "words": "ticket about the torn hose",
        "modality": "screenshot",
    },
    "Find the wiki page on pasteurising again": {
        "words": "wiki page on pasteurising",
        "modality": "screenshot",
    },
    "What did that invoice say about the discount?": {
        "words": "invoice about the discount",
        "modality": "screenshot",
    },
    "I'm looking for the overview with the tank levels": {
        "words": "overview with the tank levels",
        "modality": "screenshot",
    },
    "There was a calendar entry about the vet, where is it?": {
        "words": "calendar entry about the vet",
        "modality": "screenshot",
    },
    "In which ticket did the gasket and the hose come up?": {
        "words": "ticket the gasket and the hose",
        "modality": "screenshot",
    },
    "I read something on yoghurt cultures yesterday": {
        "words": "yoghurt cultures",
        "modality": "screenshot",
        "time": "03-17 00:00 .. 03-18 00:00",
    },
    "Which screens did I have up between 9.30 and 9.45?": {
        "words": "screens",
        "modality": "screenshot",
        "time": "03-18 09:30 .. 03-18 09:45",
    },
    "tickets on Tuesday between 2 and 3 pm": {
        "words": "tickets",
        "modality": "screenshot",
        "time": "03-17 14:00 .. 03-17 15:00",
    },
    "emails about rennet": {"words": "emails about rennet", "modality": "screenshot"},
    "On which page was the price of rennet?": {
        "words": "page the price of rennet",
        "modality": "screenshot",
    },
    "What could I see on the monitor at 8.15?": {
        "words": "",
        "modality": "screenshot",
        "time": "03-18 08:15 .. 03-18 08:16",
    },
    "What did I have open early on Tuesday morning?": {
        "words": "",
        "modality": "screenshot",
        "time": "03-17 05:00 .. 03-17 09:00",
    },
    "Which page was open late yesterday afternoon?": {
        "words": "page",
        "modality": "screenshot",
        "time": "03-17 15:00 .. 03-17 18:00",
    },
    "What was on my screen at lunchtime yesterday?": {
        "words": "",
        "modality": "screenshot",
        "time": "03-17 11:30 .. 03-17 14:00",
    },
    "Which ticket did I open at 8.05 on Tuesday?": {
        "words": "ticket",
        "modality": "screenshot",
        "time": "03-17 08:05 .. 03-17 08:06",
    },
    "What was on the screen from 9.35 to 12.20 on the 12th of March?": {
        "words": "",
        "modality": "screenshot",
        "time": "03-12 09:35 .. 03-12 12:20",
    },
    "screens from 12:25 to 14.40 today": {
        "words": "screens",
        "modality": "screenshot",
        "time": "03-18 12:25 .. 03-18 14:40",
    },
    "What was on my display between half past two and 14.55 on Monday?": {
        "words": "",
        "modality": "screenshot",
        "time": "03-16 14:30 .. 03-16 14:55",
    },
    "Which page was open this week?": {
        "words": "page",
        "modality": "screenshot",
        "time": "03-16 00:00 .. 03-23 00:00",
    },
    "What was on the screen last week about rennet?": {
        "words": "rennet",
        "modality": "screenshot",
        "time": "03-09 00:00 .. 03-16 00:00",
    },
    "Which receipts did I look at this morning?": {
        "words": "receipts",
        "modality": "screenshot",
        "time": "03-18 05:00 .. 03-18 12:00",
    },
}

# Talk.
TALK: dict[str, dict[str, Any]] = {
    "Anything said about the milk prices on Monday?": {
        "words": "the milk prices",
        "modality": "speech",
        "time": "03-16 00:00 .. 03-17 00:00",
    },
    "What was agreed in the discussion about holidays?": {
        "words": "agreed holidays",
        "modality": "speech",
    },
    "What did Bob have to say about the new label?": {
        "words": "Bob the new label",
        "modality": "speech",
    },
    "Did the forklift come up in the meeting?": {"words": "the forklift", "modality": "speech"},
    "who brought up the cheese recall": {"words": "the cheese recall", "modality": "speech"},
    "What was the conversation on the drains about?": {"words": "the drains", "modality": "speech"},
    "Remind me what we said regarding the audit": {
        "words": "regarding the audit",
        "modality": "speech",
    },
    "What were people talking about around 10.15 this morning?": {
        "words": "",
        "modality": "speech",
        "time": "03-18 10:10 .. 03-18 10:20",
    },
    "Did we discuss the milk tank yesterday?": {
        "words": "the milk tank",
        "modality": "speech",
        "time": "03-17 00:00 .. 03-18 00:00",
    },
    "What exactly was I told about the visitors?": {
        "words": "exactly the visitors",
        "modality": "speech",
    },
    "the phone call about the late truck": {"words": "the late truck", "modality": "speech"},
    "What was said late in the afternoon yesterday?": {
        "words": "",
        "modality": "speech",
        "time": "03-17 15:00 .. 03-17 18:00",
    },
    "What did Ann say from 12:25 to 14.40 today?": {
        "words": "",
        "modality": "speech",
        "time": "03-18 12:25 .. 03-18 14:40",
        "speaker": "Ann",
    },
    "Who explained how to bleed the boiler?": {
        "words": "how to bleed the boiler",
        "modality": "speech",
    },
    "What was the subject of the talk about rennet?": {
        "words": "the subject of rennet",
        "modality": "speech",
    },
    "What did the visitors say about the smell?": {
        "words": "the visitors the smell",
        "modality": "speech",
    },
    "Did anybody bring up the smell on Monday?": {
        "words": "the smell",
        "modality": "speech",
        "time": "03-16 00:00 .. 03-17 00:00",
    },
    "Who was complaining about the noise this morning?": {
        "words": "the noise",
        "modality": "speech",
        "time": "03-18 05:00 .. 03-18 12:00",
    },
    "What came up in the meeting about rennet?": {"words": "rennet", "modality": "speech"},
    "conversations on cheese prices this week": {
        "words": "cheese prices",
        "modality": "speech",
        "time": "03-16 00:00 .. 03-23 00:00",
    },
    "Somebody said something about a broken latch, what was it?": {
        "words": "something about a broken latch",
        "modality": "speech",
    },
    "Was the latch brought up yesterday?": {
        "words": "the latch",
        "modality": "speech",
        "time": "03-17 00:00 .. 03-18 00:00",
    },
    "What have they been discussing since 2 pm?": {
        "words": "",
        "modality": "speech",
        "time": "03-18 14:00 ..",
    },
    "What was I told about the latch on Tuesday?": {
        "words": "the latch",
        "modality": "speech",
        "time": "03-17 00:00 .. 03-18 00:00",
    },
    "Any mention of rennet this afternoon?": {
        "words": "rennet",
        "modality": "speech",
        "time": "03-18 12:00 .. 03-18 18:00",
    },
    "What did they have to say about the crates?": {"words": "the crates", "modality": "speech"},
    "the discussion of the new shifts on Monday": {
        "words": "the new shifts",
        "modality": "speech",
        "time": "03-16 00:00 .. 03-17 00:00",
    },
    "Remind me of the talk about crates": {"words": "crates", "modality": "speech"},
    "What was said out loud about the crates?": {"words": "the crates", "modality": "speech"},
    "What was said when they talked about rennet?": {"words": "rennet", "modality": "speech"},
    "What was said early this morning?": {
        "words": "",
        "modality": "speech",
        "time": "03-18 05:00 .. 03-18 09:00",
    },
    "What was said around lunch on Monday?": {
        "words": "",
        "modality": "speech",
        "time": "03-16 11:30 .. 03-16 14:00",
    },
    "What did they say in the afternoon on Monday?": {
        "words": "",
        "modality": "speech",
        "time": "03-16 12:00 .. 03-16 18:00",
    },
    "What did Bob say at 14.40?": {
        "words": "",
        "modality": "speech",
        "time": "03-18 14:40 .. 03-18 14:41",
        "speaker": "Bob",
    },
    "What was said between 11:05 am and 11.25?": {
        "words": "",
        "modality": "speech",
        "time": "03-18 11:05 .. 03-18 11:25",
    },
    "What did they say at about 12.40 yesterday?": {
        "words": "",
        "modality": "speech",
        "time": "03-17 12:35 .. 03-17 12:45",
    },
    "What was the talk about at around 9.00 on 2026-03-16?": {
        "words": "",
        "modality": "speech",
        "time": "03-16 08:55 .. 03-16 09:05",
    },
    "What was said about the contest in July yesterday?": {
        "words": "the contest in July",
        "modality": "speech",
        "time": "03-17 00:00 .. 03-18 00:00",
    },
    "What did Ann and Bob agree on in the talk about crates?": {
        "words": "Ann and Bob agree on crates",
        "modality": "speech",
    },
}

# What channels did.
CHANNELS: dict[str, dict[str, Any]] = {
    "When did the boiler pressure spike?": {
        "words": "When did the boiler pressure spike?",
        "modality": "sensor",
        "channel": "boiler pressure",
    },
    "Did the kiln temperature ever drop out?": {
        "words": "Did the kiln temperature ever drop out?",
        "modality": "sensor",
        "channel": "kiln temperature",
    },
    "Has the belt speed been drifting today?": {
        "words": "the belt speed been drifting",
        "modality": "sensor",
        "time": "03-18 00:00 .. 03-19 00:00",
        "channel": "belt speed",
    },
    "What happened to the boiler pressure around 11.40?": {
        "words": "the boiler pressure",
        "modality": "sensor",
        "time": "03-18 11:35 .. 03-18 11:45",
        "channel": "boiler pressure",
    },
    "Was there a spike in the kiln temperature yesterday?": {
        "words": "a spike in the kiln temperature",
        "modality": "sensor",
        "time": "03-17 00:00 .. 03-18 00:00",
        "channel": "kiln temperature",
    },
    "Why did the belt speed fall so sharply?": {
        "words": "Why did the belt speed fall so sharply?",
        "modality": "sensor",
        "channel": "belt speed",
    },
    "kiln temperature spikes on Tuesday": {
        "words": "kiln temperature spikes",
        "modality": "sensor",
        "time": "03-17 00:00 .. 03-18 00:00",
        "channel": "kiln temperature",
    },
    "How much did the boiler pressure rise between 9.10 and 9.50?": {
        "words": "the boiler pressure",
        "modality": "sensor",
        "time": "03-18 09:10 .. 03-18 09:50",
        "channel": "boiler pressure",
        "wants": "number",
    },
    "At what time did the noise level jump?": {
        "words": "At what time did the noise level jump?",
        "modality": "sensor",
        "channel": "noise level [dB]",
    },
    "How far did the kiln temperature fall this afternoon?": {
        "words": "the kiln temperature",
        "modality": "sensor",
        "time": "03-18 12:00 .. 03-18 18:00",
        "channel": "kiln temperature",
        "wants": "number",
    },
    "what was the highest kiln temperature on Monday?": {
        "words": "kiln temperature",
        "modality": "sensor",
        "time": "03-16 00:00 .. 03-17 00:00",
        "channel": "kiln temperature",
        "wants": "number max",
    },
    "boiler pressure at 14.05": {
        "words": "boiler pressure",
        "modality": "sensor",
        "time": "03-18 14:05 .. 03-18 14:06",
        "channel": "boiler pressure",
    },
    "Did the boiler pressure go above 5 this morning?": {
        "words": "the boiler pressure go above 5",
        "modality": "sensor",
        "time": "03-18 05:00 .. 03-18 12:00",
        "channel": "boiler pressure",
    },
    "When did the noise level drop out?": {
        "words": "When did the noise level drop out?",
        "modality": "sensor",
        "channel": "noise level [dB]",
    },
    "Show me when the belt speed stood above 2": {
        "words": "the belt speed stood above 2",
        "modality": "sensor",
        "channel": "belt speed",
    },
    "Is it true that the kiln temperature sagged at some point?": {
        "words": "it true that the kiln temperature sagged",
        "modality": "sensor",
        "channel": "kiln temperature",
    },
    "I think the belt speed stopped moving, is that right?": {
        "words": "the belt speed stopped moving",
        "modality": "sensor",
        "channel": "belt speed",
    },
    "Was there a time when the boiler pressure oscillated?": {
        "words": "the boiler pressure oscillated",
        "modality": "sensor",
        "channel": "boiler pressure",
    },
    "Did anything strange happen to the belt speed on Tuesday?": {
        "words": "happen to the belt speed",
        "modality": "sensor",
        "time": "03-17 00:00 .. 03-18 00:00",
        "channel": "belt speed",
    },
    "belt speed yesterday between 10.10 and 10.40, anything unusual?": {
        "words": "belt speed",
        "modality": "sensor",
        "time": "03-17 10:10 .. 03-17 10:40",
        "channel": "belt speed",
    },
    "What values did the noise level have around 11.15?": {
        "words": "the noise level",
        "modality": "sensor",
        "time": "03-18 11:10 .. 03-18 11:20",
        "channel": "noise level [dB]",
    },
    "What was the noise level at 11.15?": {
        "words": "the noise level",
        "modality": "sensor",
        "time": "03-18 11:15 .. 03-18 11:16",
        "channel": "noise level [dB]",
        "wants": "number",
    },
    "min boiler pressure this morning": {
        "words": "boiler pressure",
        "modality": "sensor",
        "time": "03-18 05:00 .. 03-18 12:00",
        "channel": "boiler pressure",
        "wants": "number min",
    },
    "How low did the belt speed go today?": {
        "words": "the belt speed",
        "modality": "sensor",
        "time": "03-18 00:00 .. 03-19 00:00",
        "channel": "belt speed",
        "wants": "number min",
    },
    "How hot did the kiln temperature get on Tuesday?": {
        "words": "the kiln temperature",
        "modality": "sensor",
        "time": "03-17 00:00 .. 03-18 00:00",
        "channel": "kiln temperature",
        "wants": "number max",
    },
    "average noise level yesterday afternoon": {
        "words": "noise level",
        "modality": "sensor",
        "time": "03-17 12:00 .. 03-17 18:00",
        "channel": "noise level [dB]",
        "wants": "number mean",
    },
    "How did the boiler pressure behave this afternoon?": {
        "words": "the boiler pressure",
        "modality": "sensor",
        "time": "03-18 12:00 .. 03-18 18:00",
        "channel": "boiler pressure",
    },
    "a drop in the belt speed yesterday": {
        "words": "a drop in the belt speed",
        "modality": "sensor",
        "time": "03-17 00:00 .. 03-18 00:00",
        "channel": "belt speed",
    },
    "Has the kiln temperature ever fallen below 60?": {
        "words": "Has the kiln temperature ever fallen below 60?",
        "modality": "sensor",
        "channel": "kiln temperature",
    },
}

# The time of capture is all that is asked for.
TIMES: dict[str, dict[str, Any]] = {
    "What was I doing early in the morning on Monday?": {
        "words": "",
        "time": "03-16 05:00 .. 03-16 09:00",
    },
    "What happened in the stable on Tuesday?": {
        "words": "happened in the stable",
        "time": "03-17 00:00 .. 03-18 00:00",
    },
    "Where did Bob put the ladder this morning?": {
        "words": "Where did Bob put the ladder",
        "time": "03-18 05:00 .. 03-18 12:00",
    },
}

# The first or last.
ORDERED: dict[str, dict[str, Any]] = {
    "What was the first ticket I looked at on Monday?": {
        "words": "ticket",
        "modality": "screenshot",
        "time": "03-16 00:00 .. 03-17 00:00",
        "order": "first",
    },
    "the last time the strike was mentioned": {
        "words": "the strike",
        "modality": "speech",
        "order": "last",
    },
    "When was the roof last discussed?": {
        "words": "the roof",
        "modality": "speech",
        "order": "last",
    },
    "first mention of the leak yesterday": {
        "words": "the leak",
        "modality": "speech",
        "time": "03-17 00:00 .. 03-18 00:00",
        "order": "first",
    },
    "What was the most recent email about hops?": {
        "words": "email about hops",
        "modality": "screenshot",
        "order": "last",
    },
    "the earliest screen on Tuesday": {
        "words": "screen",
        "modality": "screenshot",
        "time": "03-17 00:00 .. 03-18 00:00",
        "order": "first",
    },
    "my last calendar entry today": {
        "words": "calendar entry",
        "modality": "screenshot",
        "time": "03-18 00:00 .. 03-19 00:00",
        "order": "last",
    },
    "What was the last thing Ann said about the latch?": {
        "words": "the latch",
        "modality": "speech",
        "speaker": "Ann",
        "order": "last",
    },
    "The latest word on the cheese contest?": {
        "words": "the cheese contest",
        "modality": "speech",
        "order": "last",
    },
    "Which complaint was mentioned first?": {
        "words": "complaint",
        "modality": "speech",
        "order": "first",
    },
    "the first spike in the boiler pressure today": {
        "words": "spike in the boiler pressure",
        "modality": "sensor",
        "time": "03-18 00:00 .. 03-19 00:00",
        "channel": "boiler pressure",
        "order": "first",
    },
    "When rennet came up for the last time, what was said?": {
        "words": "rennet",
        "modality": "speech",
        "order": "last",
    },
}

# Something else is not to be found.
EXCLUDED: dict[str, dict[str, Any]] = {
    "Find the ticket on the pump, leaving out anything about the valve": {
        "words": "ticket on the pump",
        "modality": "screenshot",
        "without": ["the valve"],
    },
    "The page about hops but nothing about malt": {
        "words": "page about hops",
        "modality": "screenshot",
        "without": ["malt"],
    },
    "What did they say about wages, not the one about overtime": {
        "words": "wages",
        "modality": "speech",
        "without": ["overtime"],
    },
    "the mail about cheese without any mention of prices": {
        "words": "mail about cheese",
        "modality": "screenshot",
        "without": ["prices"],
    },
    "Which page was about hops, without a word on malt?": {
        "words": "page about hops",
        "modality": "screenshot",
        "without": ["malt"],
    },
    "What was said about crates, but nothing about the strike?": {
        "words": "crates",
        "modality": "speech",
        "without": ["the strike"],
    },
    "emails about cheese, leaving out the contest": {
        "words": "emails about cheese",
        "modality": "screenshot",
        "without": ["contest"],
    },
    "Find the ticket on hoses, not the one that mentions the pump": {
        "words": "ticket on hoses",
        "modality": "screenshot",
        "without": ["the pump"],
    },
    "Which page deals with rennet but not with hops?": {
        "words": "page rennet",
        "modality": "screenshot",
        "without": ["hops"],
    },
    "Something on my screen about crates with no mention of prices": {
        "words": "crates",
        "modality": "screenshot",
        "without": ["prices"],
    },
}

# A difference; the times told are its ends.
CHANGED: dict[str, dict[str, Any]] = {
    "What is different on the Milk overview at 15.00 compared to 9.00?": {
        "words": "the Milk overview",
        "modality": "screenshot",
        "time": "03-18 09:00 .. 03-18 15:00",
        "wants": "change",
    },
    "Which figures on the Tank board changed between 9 and 11 am on Monday?": {
        "words": "the Tank board",
        "modality": "screenshot",
        "time": "03-16 09:00 .. 03-16 11:00",
        "wants": "change",
    },
    "What changed on the Tank levels between 9.15 and 11.45 today?": {
        "words": "the Tank levels",
        "modality": "screenshot",
        "time": "03-18 09:15 .. 03-18 11:45",
        "wants": "change",
    },
    "Which numbers on the Order board had changed from 8.00 to 12.00 on Monday?": {
        "words": "the Order board",
        "modality": "screenshot",
        "time": "03-16 08:00 .. 03-16 12:00",
        "wants": "change",
    },
    "compare the Milk overview at 9.15 with the one at 15.20 yesterday": {
        "words": "the Milk overview",
        "modality": "screenshot",
        "time": "03-17 09:15 .. 03-17 15:20",
        "wants": "change",
    },
    "How did the figures on the Tank levels differ at 9.15 from 11.45 today?": {
        "words": "the figures on the Tank levels",
        "modality": "screenshot",
        "time": "03-18 09:15 .. 03-18 11:45",
        "wants": "change",
    },
    "What is new on the Tank levels since 11 am?": {
        "words": "the Tank levels",
        "modality": "screenshot",
        "time": "03-18 11:00 ..",
        "wants": "change",
    },
}


ALL = SCREENS | TALK | CHANNELS | TIMES | ORDERED | EXCLUDED | CHANGED


@pytest.mark.parametrize(("question", "expected"), ALL.items(), ids=ALL)
def test_a_perception(question: str, expected: dict[str, Any]) -> None:
    assert outline(question, DAIRY) == expected


# Nothing in them was perceived, or nothing tells it; a false filter would lose the answer.
WORDS = [
    "Who repaired the hose she mentioned?",
    "What do they feed the calves before milking?",
    "Which page should I turn to?",
    "How many tickets are left for the concert?",
    "Where do I file the invoice?",
    "Who opened the window in the stable?",
    "What is the difference between yoghurt and kefir?",
    "Is there room between the tank and the wall?",
    "What is the price of a page in the paper?",
    "Which order of nuns makes this cheese?",
    "What does the table of contents list?",
    "How long is the belt?",
    "Which boiler pressure valve should I buy?",
    "Where is the manual for the kiln temperature controller?",
    "What makes the belt speed controller so expensive?",
    "Who is the talk of the town?",
    "Can you recommend a talk about cheese?",
    "What is the last word in cheese making?",
    "How do you spell rennet?",
    "Which screen printing shop is cheap?",
    "What should be done before the vet comes?",
    "When does the dairy shop open?",
    "Why are the crates blue?",
    "How much is 14.40 plus 2.10?",
    "Which hose has a length of 9.20 metres?",
    "Will the vet come on Monday?",
    "Who made the drawing on the wall?",
    "Does a phone call to Norway cost extra?",
    "How late is the shop open on weekdays?",
    "What is the plan of the building?",
    "Which map shows the old railway?",
    "Why did the chicken cross the road?",
    "Who wrote the report on dairy farming?",
    "How do I bleed the boiler?",
    "Where is the spare key?",
    "What is the phone number of the dairy vet?",
    "Which supplier has the cheapest hops?",
    "Who is on call this weekend?",
    "What is the maximum load of the table in the hall?",
    "Did the order of the steps matter?",
    "Which page of the newspaper had the obituary?",
    "How much did the table cost?",
    "Where can I read about the history of cheese?",
    "Is there a plan for Friday?",
    "Did I open the door before the dog barked?",
    "Which message did the film have?",
    "Can you open the window?",
    "What is the best way to chart a course?",
    "What does the report recommend?",
    "Which list is longer, mine or yours?",
    "Was the map of the harbour accurate?",
    "What was the plan for the roof?",
    "Which code do I need for the gate?",
]


@pytest.mark.parametrize("question", WORDS)
def test_only_words(question: str) -> None:
    assert outline(question, DAIRY) == {"words": question}
