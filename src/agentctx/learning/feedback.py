"""What was accepted and rejected, kept in the memory as numbers, and what is learned from it.

No text and no id is kept: what is forgotten leaves nothing here that tells of it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from agentctx.errors import QueryError
from agentctx.learning.model import Option, fit
from agentctx.memory import state
from agentctx.memory.catalog import Catalog
from agentctx.records import Hit
from agentctx.retrieve.signals import WEIGHTS

# The newest choices that are learned from: tastes change, and the memory is to stay small.
_KEPT = 500
_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Learned:
    """The weights of signals: as learned from so many ``choices``, and as they are by default.

    ``modality NAME`` is 1 for hits of it; ``newer`` is the share of the other hits that are older.
    ``at``: when the last choice was made (UTC).
    """

    weights: Mapping[str, float]
    defaults: Mapping[str, float]
    choices: int = 0
    at: datetime | None = None

    def to_json(self) -> str:
        """All of it as JSON."""
        at = None if self.at is None else self.at.isoformat()
        return json.dumps({**asdict(self), "at": at}, indent=2)

    def changes(self) -> dict[str, float]:
        """What was added to the weights, by the name of the signal, where that is anything."""
        apart = {n: w - self.defaults.get(n, 0.0) for n, w in self.weights.items()}
        return {name: change for name, change in apart.items() if change}


def options(hits: Sequence[Hit]) -> dict[str, Option]:
    """The numbers that are learned from, of each hit, by its id; zeros are left out.

    A score is given in the unit of the weights: as the sum that the best one was, before it was
    scaled to say how sure the search is.
    """
    whole = sum(s.score * s.weight for s in hits[0].why if s.weight and s.name in WEIGHTS)
    unit = (whole if whole > 0 else 1.0) / (hits[0].score or 1.0)
    times = sorted(hit.captured_at for hit in hits)
    older = {when: n / max(len(times) - 1, 1) for n, when in reversed(list(enumerate(times)))}
    found = {}
    for hit in hits:
        judged = {s.name: s.score for s in hit.why if s.weight is not None and s.name in WEIGHTS}
        known = {**judged, f"modality {hit.modality}": 1.0, "newer": older[hit.captured_at]}
        found[hit.id] = Option(
            round(hit.score * unit, _DIGITS),
            {name: round(value, _DIGITS) for name, value in known.items() if value},
        )
    return found


def note(
    catalog: Catalog,
    hits: Sequence[Hit],
    accepted: Sequence[str],
    rejected: Sequence[str] | None,
) -> int:
    """Learn from the hits of one search; gives the number of choices. See `Memory.feedback`."""
    taken, passed = _sides([hit.id for hit in hits], accepted, rejected)
    if not taken or not passed:
        return 0
    known = {id_: asdict(option) for id_, option in options(hits).items()}
    others = [known[id_] for id_ in passed]
    at = datetime.now(UTC).isoformat(timespec="seconds")
    with catalog.transaction() as db:
        kept: list[dict[str, Any]] = json.loads(state.get(db, state.FEEDBACK) or "[]")
        kept += [{"at": at, "options": [known[id_], *others]} for id_ in taken]
        kept = kept[-_KEPT:]
        added = fit([[Option(**option) for option in one["options"]] for one in kept])
        weights = {**WEIGHTS, **{name: WEIGHTS.get(name, 0.0) + w for name, w in added.items()}}
        found = {"weights": weights, "defaults": dict(WEIGHTS), "choices": len(kept), "at": at}
        state.put(db, state.FEEDBACK, json.dumps(kept, separators=(",", ":")))
        state.put(db, state.LEARNED, json.dumps(found))
    return len(taken)


def _sides(
    order: Sequence[str], accepted: Sequence[str], rejected: Sequence[str] | None
) -> tuple[list[str], list[str]]:
    """The ids that were taken, and those that were passed over for them."""
    taken = list(dict.fromkeys(accepted))
    # All others, not only those before: else nothing could be learned but that the first is wrong.
    others = [id_ for id_ in order if id_ not in taken]
    passed = others if rejected is None else list(dict.fromkeys(rejected))
    if absent := [id_ for id_ in (*taken, *passed) if id_ not in order]:
        raise QueryError(f"{absent[0]} is none of the {len(order)} hits")
    if both := sorted(set(taken) & set(passed)):
        raise QueryError(f"{both[0]} is both accepted and rejected")
    return taken, passed


def learned(catalog: Catalog) -> Learned:
    """What the feedback has come to; the default weights where there is none."""
    found = json.loads(catalog.state(state.LEARNED) or "null")
    if found is None:
        return Learned(dict(WEIGHTS), dict(WEIGHTS))
    at = datetime.fromisoformat(found["at"])
    return Learned(found["weights"], found["defaults"], found["choices"], at)


def erase(catalog: Catalog) -> None:
    """Forget all feedback, and with it what was learned."""
    with catalog.transaction() as db:
        for name in (state.FEEDBACK, state.LEARNED):
            state.put(db, name, "")
