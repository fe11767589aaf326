"""What was accepted and rejected, kept in the memory as numbers, and what is learned from it.

No text and no id is kept: what is forgotten leaves nothing here that tells of it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from agentctx.errors import QueryError
from agentctx.learning import model
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


def signals(hits: Sequence[Hit]) -> dict[str, dict[str, float]]:
    """The numbers that are learned from, of each hit, by its id; zeros are left out."""
    times = sorted(hit.captured_at for hit in hits)
    older = {when: n / max(len(times) - 1, 1) for n, when in reversed(list(enumerate(times)))}
    found = {}
    for hit in hits:
        judged = {s.name: s.score for s in hit.why if s.weight is not None and s.name in WEIGHTS}
        whole = {**judged, f"modality {hit.modality}": 1.0, "newer": older[hit.captured_at]}
        found[hit.id] = {name: round(v, _DIGITS) for name, v in whole.items() if v}
    return found


def note(
    catalog: Catalog,
    hits: Sequence[Hit],
    accepted: Sequence[str],
    rejected: Sequence[str] | None,
) -> int:
    """Learn from the hits of one search; gives the number of choices. See `Memory.feedback`."""
    taken = list(dict.fromkeys(accepted))
    order = [hit.id for hit in hits]
    if absent := [id_ for id_ in (*taken, *(rejected or ())) if id_ not in order]:
        raise QueryError(f"{absent[0]} is none of the {len(hits)} hits")
    if rejected is None:
        last = max((order.index(id_) for id_ in taken), default=0)
        passed = [id_ for id_ in order[:last] if id_ not in taken]
    else:
        passed = list(dict.fromkeys(rejected))
    if both := sorted(set(taken) & set(passed)):
        raise QueryError(f"{both[0]} is both accepted and rejected")
    if not taken or not passed:
        return 0
    known = signals(hits)
    others = [known[id_] for id_ in passed]
    at = datetime.now(UTC).isoformat(timespec="seconds")
    with catalog.transaction() as db:
        kept: list[dict[str, Any]] = json.loads(state.get(db, state.FEEDBACK) or "[]")
        kept += [{"at": at, "hits": [known[id_], *others]} for id_ in taken]
        kept = kept[-_KEPT:]
        weights = model.fit([one["hits"] for one in kept], WEIGHTS)
        found = {"weights": weights, "defaults": dict(WEIGHTS), "choices": len(kept), "at": at}
        state.put(db, state.FEEDBACK, json.dumps(kept, separators=(",", ":")))
        state.put(db, state.LEARNED, json.dumps(found))
    return len(taken)


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
