"""The hits of a search in the order of learned weights."""

from collections.abc import Sequence
from dataclasses import replace

from agentctx.learning.feedback import Learned, signals
from agentctx.preferring import by_score
from agentctx.records import Hit, Signal
from agentctx.retrieve.signals import WEIGHTS


def reordered(hits: Sequence[Hit], learned: Learned) -> list[Hit]:
    """The same hits by the learned weights; the best score stays what it was.

    What the weights have changed in each score, in parts of the best one, is in its ``why``.
    """
    apart = {
        name: weight - learned.defaults.get(name, 0.0)
        for name, weight in learned.weights.items()
        if weight != learned.defaults.get(name, 0.0)
    }
    best = max((hit.score for hit in hits), default=0.0)
    if not apart or not best:
        return list(hits)
    known = signals(hits)
    # What the best score was the sum of, before it was scaled to say how sure the search is.
    whole = sum(s.score * s.weight for s in hits[0].why if s.weight and s.name in WEIGHTS)
    judged = []
    for hit in hits:
        values = known[hit.id]
        changed = sum(apart[name] * values.get(name, 0.0) for name in apart) / (whole or 1.0)
        why = (*hit.why, Signal("learned", changed, weight=1.0))
        judged.append(replace(hit, score=max(hit.score / best + changed, 0.0), why=why))
    return by_score(judged, best)
