"""Texts for scripts/bench/scale.py and forget.py: turns of conversations, and questions about them.

From LoCoMo's files, whose turns are cut into sentences and put together anew; or, without any
data, from a small grammar. Both are drawn from a seed, so that every run has the same.
"""

import json
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

TURNS_PER_SESSION = 25

PEOPLE = "Ana Ben Carla Dmitri Elif Farah Goran Hana Ines Jonas Keiko Luca Mina Noor Olga Pedro"
PLACES = (
    "the harbour|the old workshop|line two|the control room|the night shift|the warehouse|Lisbon|"
    "the test bench|the third floor|the customer in Oslo|the canteen|the loading bay|the archive"
)
THINGS = (
    "pump seal|pressure sensor|invoice|timetable|gearbox|dashboard|spare key|training plan|"
    "conveyor belt|firmware update|heat exchanger|delivery note|safety valve|budget draft|"
    "vibration log|door controller|printer queue|coolant tank|maintenance contract|camera mount"
)
STATES = (
    "leaks again|is finally fixed|arrived damaged|runs hotter than last week|has been replaced|"
    "needs a second signature|was left behind|fails its check after an hour|is two days late|"
    "makes a grinding noise|got lost in the handover|works better than expected|is out of stock"
)
ACTIONS = (
    "call the supplier|write it down|ask the night shift|check the readings|order a new one|"
    "move the meeting|take a picture of it|read the manual|shut it down|wait for the auditor"
)
TIMES = (
    "this morning|last Tuesday|before the holidays|at half past nine|in the second week of March|"
    "after lunch|the day the power went out|since the last inspection|on the first cold night"
)
PATTERNS = (
    "The {thing} from {place} {state}.",
    "{time} {person} told me that the {thing} {state}.",
    "Did anyone {action} about the {thing} at {place}?",
    "I will {action} and then {action}, because the {thing} {state}.",
    "{person} drove to {place} {time} to pick up the {thing}.",
    "We agreed with {person} to {action} {time}.",
    "That reminds me of {place}, where the {thing} {state} {time}.",
    "Batch {number} of the {thing} {state}, so please {action}.",
)
QUESTIONS = (
    "Why did {person} go to {place}?",
    "When did the {thing} at {place} fail?",
    "What did {person} say about the {thing}?",
    "Who wanted to {action} {time}?",
    "What happened with batch {number} of the {thing}?",
)
WORDS = {
    "person": PEOPLE.split(), "place": PLACES.split("|"), "thing": THINGS.split("|"),
    "state": STATES.split("|"), "action": ACTIONS.split("|"), "time": TIMES.split("|"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Texts:
    """Turns, in sessions of 25 in a row, and questions."""

    turns: Sequence[str]
    questions: Sequence[str]
    origin: str


def generated(count: int, questions: int, seed: int = 1) -> Texts:
    """Turns of one to four sentences from the grammar."""
    dice = random.Random(seed)
    turns = [
        f"{dice.choice(WORDS['person'])}: "
        + " ".join(_filled(dice, dice.choice(PATTERNS)) for _ in range(dice.randint(1, 4)))
        for _ in range(count)
    ]
    asked = [_filled(dice, dice.choice(QUESTIONS)) for _ in range(questions)]
    return Texts(turns, asked, "grammar")


def recombined(folder: Path, count: int, questions: int, seed: int = 1) -> Texts:
    """LoCoMo's turns first, then turns of as many sentences, drawn from one conversation each."""
    dice = random.Random(seed)
    paths = sorted(folder.glob("*.json"))
    if not paths:
        raise SystemExit(f"{folder} holds no LoCoMo conversation (*.json)")
    conversations = [json.loads(path.read_text("utf-8")) for path in paths]
    spoken = [
        [(turn["speaker"], re.split(r"(?<=[.?!]) ", turn["text"])) for turn in one["turns"]]
        for one in conversations
    ]
    turns = [f"{speaker}: {' '.join(parts)}" for one in spoken for speaker, parts in one][:count]
    more = _drawn(dice, spoken)
    turns += [next(more) for _ in range(count - len(turns))]
    asked = [question["question"] for one in conversations for question in one["questions"]]
    return Texts(turns, dice.sample(asked, min(questions, len(asked))), f"LoCoMo in {folder}")


def _drawn(
    dice: random.Random, spoken: Sequence[Sequence[tuple[str, Sequence[str]]]]
) -> Iterator[str]:
    while True:
        conversation = dice.choice(spoken)
        for _ in range(TURNS_PER_SESSION):
            speaker, parts = dice.choice(conversation)
            drawn = [dice.choice(dice.choice(conversation)[1]) for _ in parts]
            yield f"{speaker}: {' '.join(drawn)}"


def _filled(dice: random.Random, pattern: str) -> str:
    def word(match: re.Match[str]) -> str:
        name = match[1]
        return str(dice.randint(100, 9999)) if name == "number" else dice.choice(WORDS[name])

    text = re.sub(r"\{(\w+)\}", word, pattern)
    return text[0].upper() + text[1:]
