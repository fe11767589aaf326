"""Hits that differ from each other, for those who ask for them.

Maximal marginal relevance (Carbonell & Goldstein, 1998): each next hit is the one that fits the
question best and is least like those before it.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from agentctx.memory.store import Store
from agentctx.memory.vectors import of_passages
from agentctx.products import product
from agentctx.records import Hit, Signal
from agentctx.retrieve.wanted import descending

# Texts whose vectors are at least so near say the same: a screen with another clock is at 0.99,
# another name in a sentence at 0.88, another rent at 0.96.
_SAME = 0.98
# But what is measured differs in its numbers, which the vectors hardly show.
_MEASURED = "sensor"
_WORD = re.compile(r"\w+")


def diverse(hits: Sequence[Hit], vectors: NDArray[np.float32], diversity: float) -> list[Hit]:
    """The hits without those that repeat a better one, in the order of their marginal relevance.

    ``hits``: best first; ``vectors``: a unit vector of each, float32 [n, d], or zeros where there
    is none. ``diversity``: 0..1, which part of a hit's worth is how little it is like those before
    it; with 0 nothing changes. The best hit stays the first, and no hit has a higher score than
    the one before it. ``why`` says how like those a hit is, and how many it stands for.
    """
    if not (hits and diversity):
        return list(hits)
    alike = product(vectors, np.ascontiguousarray(vectors.T))
    stands_for = _distinct(hits, alike)
    places = list(stands_for)
    fit = np.array([hits[place].score for place in places]) / (hits[0].score or 1.0)
    alike = alike[np.ix_(places, places)]
    nearest = np.zeros(len(places))
    left = np.ones(len(places), bool)
    found = []
    for _ in places:
        worth = (1.0 - diversity) * fit - diversity * nearest
        best = int(np.where(left, worth, -np.inf).argmax())
        left[best] = False
        found.append(_told(hits[places[best]], nearest[best], diversity, stands_for[places[best]]))
        nearest = np.maximum(nearest, alike[best])
    return descending(found)


def vectors_of(store: Store, space: str, hits: Sequence[Hit]) -> NDArray[np.float32]:
    """The vectors of the passages that matched, float32 [n, d]; zeros for hits without words."""
    known = of_passages(store.catalog, store.space(space), [hit.id for hit in hits])
    found = [known.get(hit.id, {}) for hit in hits]
    rows = [of.get(hit.passage, next(iter(of.values()), None))
            for of, hit in zip(found, hits, strict=True)]  # fmt: skip
    width = max((len(row) for row in rows if row is not None), default=1)
    return np.array([np.zeros(width, np.float32) if row is None else row for row in rows])


def _distinct(hits: Sequence[Hit], alike: NDArray[np.float32]) -> dict[int, int]:
    """The places of hits that repeat no better one, and how many others each stands for."""
    texts = [" ".join(_WORD.findall(hit.text.casefold())) for hit in hits]
    found: dict[int, int] = {}
    for place, hit in enumerate(hits):
        near = alike[place] >= _SAME
        for better in found:
            measured = _MEASURED in (hit.modality, hits[better].modality)
            if (near[better] and not measured) or (texts[place] == texts[better] != ""):
                found[better] += 1
                break
        else:
            found[place] = 0
    return found


def _told(hit: Hit, nearest: float, diversity: float, stands_for: int) -> Hit:
    why = [Signal("like a better hit", float(nearest), weight=-diversity)] if nearest > 0 else []
    if stands_for:
        why.append(Signal("near-duplicates left out", float(stands_for)))
    return replace(hit, why=(*hit.why, *why))
