"""Candidates: lists of every space and of full text, fused, with what stands beside them.

Fused by reciprocal rank (Cormack, Clarke & Büttcher, 2009), since the scores of different spaces
do not compare. What is said just before and after a candidate joins the candidates, because an
answer often stands next to the words that were asked for.
"""

from collections.abc import Collection, Mapping, Sequence

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
    scale = (_RRF_K + 1) / max(len(rankings), 1)
    found = _loaded(store, best)
    for pk, candidate in found.items():
        candidate.score, candidate.why = fused[pk] * scale, why[pk]
    return found


def add_neighbours(
    store: Store,
    found: dict[int, Found],
    central: Collection[int],
    allowed: NDArray[np.int64] | None,
) -> None:
    """Let what was said just before and after the ``central`` candidates join all of them."""
    catalog = store.catalog
    by_observation = {found[pk].passage.observation_pk: pk for pk in central}
    near = catalog.neighbours(list(by_observation), CONVERSATIONAL, _STEPS)
    first = catalog.first_passages([pk for items in near.values() for pk, _ in items])
    new = [pk for pk in dict.fromkeys(first.values()) if pk not in found]
    passing = set(new if allowed is None else np.intersect1d(new, allowed).tolist())
    for pk, candidate in _loaded(store, new).items():
        candidate.eligible = pk in passing
        found[pk] = candidate
    for observation_pk, items in near.items():
        for other, position in items:
            this, that = by_observation[observation_pk], first.get(other)
            if that in found:
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
    found.update(_loaded(store, [pk for pk in near if pk not in found]))


def _loaded(store: Store, pks: Sequence[int]) -> dict[int, Found]:
    """Candidates by their keys, in this order, but what another process has forgotten since."""
    passages = store.catalog.passages(pks)
    owners = list({passage.observation_pk for passage in passages.values()})
    observations = store.catalog.observations(owners)
    return {
        pk: Found(passages[pk], observations[passages[pk].observation_pk])
        for pk in pks
        if pk in passages and passages[pk].observation_pk in observations
    }
