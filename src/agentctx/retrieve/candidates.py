"""Candidates: lists of every space and of full text, fused, with what stands beside them.

Fused by reciprocal rank (Cormack, Clarke & Büttcher, 2009), since the scores of different spaces
do not compare. What is said just before and after a candidate joins the candidates, because an
answer often stands next to the words that were asked for.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from agentctx.contracts import Encoder
from agentctx.memory.store import Store
from agentctx.records import CONVERSATIONAL, Observation, Signal
from agentctx.retrieve.found import Found
from agentctx.retrieve.request import Place

_RRF_K = 60
# How many utterances before and after a candidate join it.
_STEPS = 2

Ranking = Sequence[tuple[int, float]]


def lists(
    store: Store,
    encoders: Sequence[Encoder],
    queries: Sequence[Observation],
    depth: int,
    allowed: NDArray[np.int64] | None,
) -> dict[str, Ranking]:
    """The best passages for every query, by each space that takes it and by its words."""
    found: dict[str, Ranking] = {}
    for number, query in enumerate(queries):
        mark = f" of query {number + 1}" if len(queries) > 1 else ""
        for encoder in encoders:
            if encoder.accepts(query):
                vector = encoder.encode_query(query).vectors[0]
                space = encoder.card.space
                found[space + mark] = store.nearest(space, vector, depth, allowed)
        if query.text:
            found["bm25" + mark] = store.words(query.text, depth, allowed)
    return found


def fuse(store: Store, rankings: Mapping[str, Ranking], limit: int) -> dict[int, Found]:
    """The best passages of all lists together, with a score of 1 for the first of every list."""
    fused: dict[int, float] = {}
    why: dict[int, list[Signal]] = {}
    for name, ranking in rankings.items():
        for rank, (pk, score) in enumerate(ranking, start=1):
            fused[pk] = fused.get(pk, 0.0) + 1.0 / (_RRF_K + rank)
            why.setdefault(pk, []).append(Signal(name, score, rank))
    best = sorted(fused, key=lambda pk: (-fused[pk], pk))[:limit]
    passages = store.catalog.passages(best)
    scale = (_RRF_K + 1) / max(len(rankings), 1)
    # What another process has forgotten since the lists were made is in none of the passages.
    return {
        pk: Found(passages[pk], fused[pk] * scale, why=why[pk]) for pk in best if pk in passages
    }


def add_neighbours(
    store: Store, found: dict[int, Found], allowed: NDArray[np.int64] | None
) -> None:
    """Let what was said just before and after the candidates join them."""
    catalog = store.catalog
    by_observation = {f.passage.observation_pk: pk for pk, f in found.items()}
    near = catalog.neighbours(list(by_observation), CONVERSATIONAL, _STEPS)
    first = catalog.first_passages([pk for items in near.values() for pk, _ in items])
    new = [pk for pk in dict.fromkeys(first.values()) if pk not in found]
    passing = set(new if allowed is None else np.intersect1d(new, allowed).tolist())
    for pk, passage in catalog.passages(new).items():
        found[pk] = Found(passage, eligible=pk in passing)
    for observation_pk, items in near.items():
        for other, position in items:
            if other not in first:
                continue
            this, that = by_observation[observation_pk], first[other]
            found[this].neighbours[that] = position
            found[that].neighbours[this] = -position


def add_around(
    store: Store,
    found: dict[int, Found],
    place: Place,
    allowed: NDArray[np.int64] | None,
    count: int,
) -> None:
    """Let the observations nearest to a place in time join the candidates."""
    near = store.columns.around(place.start, place.end, allowed, count)
    for pk, passage in store.catalog.passages([pk for pk in near if pk not in found]).items():
        found[pk] = Found(passage)
