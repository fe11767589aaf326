"""The questions about a day: drafts by rules, of which some are chosen and put into words."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from random import Random

from agentctx.evaluate.days import matter_rules, time_rules, unanswerable, wording
from agentctx.evaluate.days.chance import seeded
from agentctx.evaluate.days.records import Day, Question
from agentctx.evaluate.days.view import Draft, View
from agentctx.evaluate.days.worlds import texts

OFF_TOPIC, UNKNOWN, GIBBERISH = UNANSWERABLE = ("off-topic", "unknown matter", "gibberish")
# How many of each type a day has, where there are as many.
COUNTS: Mapping[str, int] = {
    "screen": 2, "speech": 2, "sensor": 2, "exact": 1, "two": 2, "three": 1, "change": 1,
    "composition": 1, "negation": 1,
    "when": 1, "during": 1, "before": 1, "after": 1, "just before": 1, "just after": 1,
    "between": 1, "first": 1, "last": 1, "clock": 1, "morning": 1, "yesterday": 1,
}  # fmt: skip
TIME_TYPES = tuple(COUNTS)[list(COUNTS).index("when") :]
STRANGE = 4  # questions of each unanswerable type a day

_RULES: Sequence[Callable[[View], Iterator[Draft]]] = (
    matter_rules.screen,
    matter_rules.speech,
    matter_rules.sensor,
    matter_rules.exact,
    matter_rules.two,
    matter_rules.three,
    matter_rules.change,
    matter_rules.composition,
    time_rules.when,
    time_rules.during,
    time_rules.before_and_after,
    time_rules.just,
    time_rules.between,
    time_rules.first_and_last,
    time_rules.clock_time,
    time_rules.part_of_day,
    time_rules.yesterday,
)


def ask(days: Sequence[Day], seed: int) -> list[Day]:
    """The days with questions about each, and with some that nothing answers."""
    count = STRANGE * len(days)
    strange = {
        OFF_TOPIC: unanswerable.off_topic(count, seed),
        UNKNOWN: unanswerable.unknown(count, seed),
        GIBBERISH: unanswerable.gibberish(count, seed),
    }
    asked = []
    for number, day in enumerate(days):
        rng = seeded(f"questions {number} of {seed}")
        questions = _answerable(day, seed, rng)
        for type_, lines in strange.items():
            own = lines[number * STRANGE : (number + 1) * STRANGE]
            now = wording.evening(day.date, rng)
            questions += [Question("", type_, text, now, []) for text in own]
        named = [replace(q, id=f"{day.name}/{n:02}") for n, q in enumerate(questions, start=1)]
        asked.append(replace(day, questions=named))
    return asked


def _answerable(day: Day, seed: int, rng: Random) -> list[Question]:
    view = View(day, seed, rng)
    drafts = [draft for rule in _RULES for draft in rule(view)]
    return [
        _put(draft, day, rng)
        for type_, count in COUNTS.items()
        for draft in _some([draft for draft in drafts if draft.type == type_], count, rng)
    ]


def _some(drafts: Sequence[Draft], count: int, rng: Random) -> list[Draft]:
    """So many drafts, of different phrasings as far as there are."""
    shuffled = rng.sample(drafts, len(drafts))
    first: dict[str, Draft] = {}
    for draft in shuffled:
        first.setdefault(draft.phrasing, draft)
    different = list(first.values())
    rng.shuffle(different)
    others = [draft for draft in shuffled if draft not in different]
    return [*different, *others][:count]


def _put(draft: Draft, day: Day, rng: Random) -> Question:
    on, now = _dated(draft, day, rng)
    phrasing = rng.choice(texts("phrasings")[draft.phrasing])
    text = " ".join(phrasing.format(**draft.slots, on=on).split())
    text = re.sub(r" ([?.,])", r"\1", text)
    return Question("", draft.type, text, now, draft.needs)


def _dated(draft: Draft, day: Day, rng: Random) -> tuple[str, datetime]:
    if draft.dated == "part" and draft.at is not None:
        return wording.part_of_day(draft.at, rng)
    if draft.dated == "yesterday":
        return wording.next_day(day.date, rng)
    said, now = rng.choice(wording.WAYS)(day.date, rng)
    named = draft.dated == "must" or (draft.dated == "free" and rng.random() < 0.5)
    return (said if named else ""), now
