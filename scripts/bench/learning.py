"""What learning from accepted and rejected hits is worth: simulated users, questions held out.

    python scripts/bench/learning.py --locomo DIR --days DIR --memories DIR --json learning.json

Memories are made in the last folder, or used when they are there: one for each conversation, and
``days`` for all working days. Each user likes a hit by its score and by something that the search
does not know of. Shown the first ten for a question, a user accepts the one that is liked best,
give or take a little chance. Half of the questions are asked before (some of them: 10, 30, 100),
the other half after. Measured is how well the first ten are those that the user likes best of
fifty; and on LoCoMo, whether the evidence is still found. One user of LoCoMo wants nothing but the
evidence.
"""

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from agentctx import Hit, Memory, Observation
from agentctx.evaluate import metrics
from agentctx.evaluate.datasets import locomo
from agentctx.evaluate.days.files import read
from agentctx.learning import Learned, model, reordered
from agentctx.learning.feedback import options
from agentctx.learning.model import Option
from agentctx.retrieve.signals import WEIGHTS

POOL, TOP = 50, 10
AMOUNTS = (0, 10, 30, 100)
SEEDS = range(5)
# How much of the best score a taste is worth, and how far chance moves what is liked.
TASTE, CHANCE = 0.3, 0.05

Taste = Callable[[Mapping[str, float]], float]
TASTES: dict[str, Taste] = {
    "what is new": lambda known: known.get("newer", 0.0),
    "replies": lambda known: known.get("reply", 0.0),
    "the question's words": lambda known: known.get("words", 0.0),
    "speech": lambda known: known.get("modality speech", 0.0),
    "screens": lambda known: known.get("modality screenshot", 0.0),
}


@dataclass(frozen=True)
class Asked:
    """A question's best hits, and which of them (by id) are its evidence, where that is known."""

    hits: Sequence[Hit]
    evidence: frozenset[str] = frozenset()


def conversations(folder: Path, memories: Path) -> list[Asked]:
    """Every question of LoCoMo with its hits."""
    found = []
    for collection in locomo.read(folder).collections:
        items = {item.content.id: item.id for item in collection.items
                 if isinstance(item.content, Observation)}  # fmt: skip
        with Memory.open(memories / f"mem_{collection.name}") as memory:
            memory.add([i.content for i in collection.items if isinstance(i.content, Observation)])
            for query in collection.queries:
                hits = memory.search(str(query.content), POOL)
                evidence = frozenset(h.id for h in hits if items.get(h.id) in query.relevant)
                found.append(Asked(hits, evidence))
    return found


def days(folder: Path, memories: Path) -> list[Asked]:
    """Every question of working days that asks for no order, with its hits."""
    questions = [question for day in read(folder) for question in day.questions if question.needs]
    found = []
    with Memory.open(memories / "days") as memory:
        if not memory.timeline():
            sys.exit(f"{memories / 'days'} is empty: fill it with agentctx eval {folder}")
        for question in questions:
            plan = memory.plan(question.text, question.now)
            if not plan.order and not plan.wants:
                hits = memory.search(question.text, POOL, now=question.now, plan=plan)
                found.append(Asked(hits))
    return found


def liking(one: Asked, taste: Taste | None) -> dict[str, float]:
    """How much a user likes each hit, by its id; without a taste, only evidence is liked."""
    if taste is None:
        return {hit.id: float(hit.id in one.evidence) for hit in one.hits}
    known, best = options(one.hits), one.hits[0].score
    return {hit.id: hit.score / best + TASTE * taste(known[hit.id].signals) for hit in one.hits}


def choice(one: Asked, taste: Taste | None, random: np.random.Generator) -> list[Option]:
    """What a user notes about the first ten: the one that is taken, then the others."""
    shown = one.hits[:TOP]
    liked = liking(one, taste)
    felt = [liked[hit.id] + random.gumbel(0.0, CHANCE) for hit in shown]
    taken = int(np.argmax(felt))
    if taste is None and not liked[shown[taken].id]:
        return []
    known = options(shown)
    return [known[hit.id] for hit in (shown[taken], *shown[:taken], *shown[taken + 1 :])]


def measured(asked: Sequence[Asked], taste: Taste | None, learned: Learned) -> dict[str, float]:
    """nDCG and recall at 10 of what is liked best, and recall of the evidence among the fifty."""
    rows = []
    for one in asked:
        liked = liking(one, taste)
        order = [hit.id for hit in reordered(one.hits, learned)]
        best = sorted(liked, key=lambda id_: -liked[id_])[:TOP]
        if taste is None:
            best = [id_ for id_ in best if liked[id_]]
        if not best:
            continue
        grades = (
            {id_: len(best) - n for n, id_ in enumerate(best)} if taste else dict.fromkeys(best, 1)
        )
        evidence = metrics.recall(order, one.evidence, TOP) if one.evidence else np.nan
        rows.append((metrics.ndcg(order, grades, TOP), metrics.recall(order, best, TOP), evidence))
    means = np.nanmean(np.array(rows), axis=0) if any(one.evidence for one in asked) else [
        *np.mean([row[:2] for row in rows], axis=0), np.nan]  # fmt: skip
    return dict(zip(("ndcg", "recall", "evidence"), map(float, means), strict=True))


def simulated(asked: Sequence[Asked], taste: Taste | None) -> list[dict[str, object]]:
    """One user's figures after each amount of feedback, means over splits of the questions."""
    rows = []
    for amount in AMOUNTS:
        figures = []
        for seed in SEEDS:
            random = np.random.default_rng(seed)
            order = random.permutation(len(asked))
            before, after = np.array_split(order, 2)
            choices = [choice(asked[i], taste, random) for i in before]
            noted = [one for one in choices if len(one) > 1][:amount]
            added = model.fit(noted)
            weights = {n: WEIGHTS.get(n, 0.0) + added.get(n, 0.0) for n in (*WEIGHTS, *added)}
            learned = Learned(weights, dict(WEIGHTS), len(noted))
            figures.append(measured([asked[i] for i in after], taste, learned))
        mean = {name: float(np.mean([f[name] for f in figures])) for name in figures[0]}
        rows.append({"choices": amount, **{k: round(v, 4) for k, v in mean.items()}})
    return rows


def main() -> int:
    """Simulate every user on each data set; print the figures and write them as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--locomo", type=Path, help="a folder of LoCoMo conversations")
    parser.add_argument("--days", type=Path, help="a folder of working days")
    parser.add_argument("--memories", type=Path, required=True, help="where memories are kept")
    parser.add_argument("--json", type=Path, help="write the figures here")
    arguments = parser.parse_args()
    data: dict[str, list[Asked]] = {}
    if arguments.locomo:
        data["LoCoMo"] = conversations(arguments.locomo, arguments.memories)
    if arguments.days:
        data["working days"] = days(arguments.days, arguments.memories)
    found = []
    for name, asked in data.items():
        asked = [one for one in asked if len(one.hits) > TOP]
        kinds = {hit.modality for one in asked for hit in one.hits}
        users: dict[str, Taste | None] = dict(TASTES)
        if len(kinds) == 1:
            users = {k: v for k, v in users.items() if k not in ("speech", "screens")}
            users["the evidence"] = None
        for user, taste in users.items():
            for row in simulated(asked, taste):
                found.append({"data": name, "questions": len(asked), "user": user, **row})
                print(json.dumps(found[-1]), flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=2) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
