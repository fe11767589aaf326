"""Candidates: lists of every space and of full text, fused, with what stands beside them.

Fused by reciprocal rank (Cormack, Clarke & Büttcher, 2009), since the scores of different spaces
do not compare. What is said just before and after a candidate joins the candidates, because an
answer often stands next to the words that were asked for.
"""

from collections.abc import Collection, Mapping, Sequence
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from agentctx.contracts import QUERY_WEIGHT, Encoder, FittingEncoder, JointEncoder
from agentctx.errors import QueryError
from agentctx.memory.store import Store
from agentctx.records import CONVERSATIONAL, Observation, Signal
from agentctx.retrieve.found import Found
from agentctx.retrieve.gap import Comparing
from agentctx.retrieve.request import Place

_RRF_K = 60
# How many utterances before and after a candidate join it.
_STEPS = 2
# A sum of queries that is shorter than this share of what it could be points nowhere.
_CANCELLED = 1e-3
# What fits less is not about the query.
_LEAST_FIT = 0.05
# What a text that a hit must not be about counts beside the queries.
_UNWANTED = -0.5

Ranking = Sequence[tuple[int, float]]


def lists(
    store: Store,
    comparing: Comparing,
    encoders: Sequence[Encoder],
    queries: Sequence[Observation],
    depth: int,
    allowed: NDArray[np.int64] | None,
    without: Sequence[str] = (),
) -> dict[str, Ranking]:
    """The best passages for every query, by each space that takes it and by its words.

    In a joint space the queries that it takes are one, which leads away from the texts ``without``.
    """
    away = [Observation(text=text, attributes={QUERY_WEIGHT: _UNWANTED}) for text in without]
    found: dict[str, Ranking] = {}
    joint = [encoder for encoder in encoders if isinstance(encoder, JointEncoder)]
    for shared in joint:
        if taken := [query for query in queries if shared.accepts_query(query)]:
            name, parts, vector = _composed(shared, [*taken, *away])
            nearest = _fitting(shared, comparing.nearest(shared, parts, vector, depth, allowed))
            if nearest:  # an empty list would count beside the others
                found[name] = nearest
    encoders = [encoder for encoder in encoders if encoder not in joint]
    for number, query in enumerate(queries):
        mark = f" of query {number + 1}" if len(queries) > 1 else ""
        if _weight(query) <= 0:  # what is not wanted is nothing to be looked for by itself
            continue
        for encoder in encoders:
            if encoder.accepts(query):
                vector = encoder.encode_query(query).vectors[0]
                space = encoder.card.space
                parts = [(query, 1.0)]
                found[space + mark] = comparing.nearest(encoder, parts, vector, depth, allowed)
        if query.text:
            found["bm25" + mark] = store.words(query.text, depth, allowed)
    return found


def _fitting(encoder: JointEncoder, ranking: Ranking) -> Ranking:
    """Those that fit at all, where the encoder can tell: the others take nobody's place."""
    if not isinstance(encoder, FittingEncoder):
        return ranking
    fits = encoder.fit(np.array([score for _, score in ranking], np.float32))
    return [one for one, fit in zip(ranking, fits.tolist(), strict=True) if fit >= _LEAST_FIT]


def _composed(
    encoder: JointEncoder, queries: Sequence[Observation]
) -> tuple[str, list[tuple[Observation, float]], NDArray[np.float32]]:
    """Queries as one of length 1: the name of its ranking, each one's share in it, and itself.

    "This picture, but in blue": the weighted sum of unit vectors, the usual baseline of composed
    retrieval (Saito et al., "Pic2Word", 2023).
    """
    space = encoder.card.space
    rows = [encoder.encode_query(query).vectors[0] for query in queries]
    if len(rows) == 1:
        return space, [(queries[0], 1.0)], rows[0]
    weights = np.array([_weight(query) for query in queries], np.float32)
    total = weights @ np.stack(rows)
    length = float(np.linalg.norm(total))
    if length <= _CANCELLED * float(np.abs(weights).sum()):
        raise QueryError(f"the parts of the query cancel each other out in {space}; weigh them")
    named = [f"{w:g} {q.modality}" for w, q in zip(weights.tolist(), queries, strict=True)]
    parts = [*zip(queries, (weights / length).tolist(), strict=True)]
    return f"{space} of {' + '.join(named)}", parts, total / np.float32(length)


def _weight(query: Observation) -> float:
    weight = query.attributes.get(QUERY_WEIGHT, 1.0)
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not isfinite(weight):
        raise QueryError(f"{QUERY_WEIGHT} is {weight!r}; it must be a number")
    return float(weight)


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
    keys = np.array(new, np.int64)
    passing = set(new if allowed is None else keys[np.isin(keys, allowed)].tolist())
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
