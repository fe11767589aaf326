"""The hits of a search in the order of learned weights."""

from collections.abc import Sequence
from dataclasses import replace

from agentctx.learning.feedback import Learned, options
from agentctx.preferring import by_score
from agentctx.records import Hit, Signal


def reordered(hits: Sequence[Hit], learned: Learned) -> list[Hit]:
    """The same hits by the learned weights; the best score stays what it was.

    What the weights have added to each score, before it was scaled, is in its ``why``.
    """
    changes = learned.changes()
    best = max((hit.score for hit in hits), default=0.0)
    if not changes or not best:
        return list(hits)
    known = options(hits)
    judged = []
    for hit in hits:
        option = known[hit.id]
        added = sum(change * option.signals.get(name, 0.0) for name, change in changes.items())
        why = (*hit.why, Signal("learned", added, weight=1.0))
        judged.append(replace(hit, score=max(option.score + added, 0.0), why=why))
    return by_score(judged, best)
