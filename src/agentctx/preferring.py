"""Bringing forward what a user prefers among the hits of a search."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from agentctx.memory.catalog import Catalog
from agentctx.preferences import Prefer, values_of
from agentctx.records import Attribute, Filters, Hit, Scalar, Signal
from agentctx.retrieve.signals import speaker

# The best so many hits are put into another order.
DEPTH = 50
# What belongs to the session of something that was looked at, without having been looked at.
_SAME_SESSION = 0.5


def reordered(hits: Sequence[Hit], prefer: Prefer, now: datetime, catalog: Catalog) -> list[Hit]:
    """The same hits, those first that fit the question and the preferences best together.

    To each score, the weight of every preference is added as far as it holds (0..1), in parts of
    the best score; then all are scaled, so that the best score is what it was. What counted is in
    each hit's ``why``.
    """
    weights = prefer.weighed()
    best = max((hit.score for hit in hits), default=0.0)
    if not weights or not best:
        return list(hits)
    held = _held(hits, prefer, now, catalog)
    judged = []
    for hit in hits:
        values = {name: held[name][hit.id] for name in weights if held[name].get(hit.id)}
        score = hit.score / best + sum(weights[name] * value for name, value in values.items())
        why = (Signal(f"prefer {n}", v, weight=weights[n]) for n, v in values.items())
        judged.append(replace(hit, score=score, why=(*hit.why, *why)))
    return by_score(judged, best)


def by_score(hits: Sequence[Hit], best: float) -> list[Hit]:
    """Hits in the order of their scores, which are scaled so that the first one's is ``best``."""
    most = max(hit.score for hit in hits) or 1.0
    # Sorting is stable: hits that are as good stay in the order of the search.
    ordered = sorted(hits, key=lambda hit: -hit.score)
    return [replace(hit, score=best * (hit.score / most)) for hit in ordered]


def _held(
    hits: Sequence[Hit], prefer: Prefer, now: datetime, catalog: Catalog
) -> dict[str, Mapping[str, float]]:
    """How far each preference holds for each hit, 0..1, by its name and the hit's id."""
    held: dict[str, Mapping[str, float]] = {}
    if prefer.half_life is not None:
        held["recency"] = {
            hit.id: 0.5 ** (max((now - hit.observation.ended_at) / prefer.half_life, 0.0))
            for hit in hits
        }
    sessions = set(values_of(prefer.session))
    held["session"] = {hit.id: float(hit.session in sessions) for hit in hits}
    if items := [str(id_) for id_ in values_of(prefer.items)]:
        around = {row.observation.session for row in catalog.select(Filters(), items)} - {""}
        near = {hit.id: _SAME_SESSION * (hit.session in around) for hit in hits}
        held["items"] = near | {hit.id: 1.0 for hit in hits if hit.id in items}
    for name, wanted in prefer.attributes.items():
        values = set(map(_plain, values_of(wanted)))
        held[name] = {hit.id: float(bool(values & _has(hit, name))) for hit in hits}
    return held


def _has(hit: Hit, name: str) -> set[Scalar]:
    had: Attribute = hit.attributes.get(name, ())
    if name == "speaker" and not had:
        # Told at the beginning of the turn instead.
        had = speaker(hit.observation) or ()
    return set(map(_plain, values_of(had)))


def _plain(value: Scalar) -> Scalar:
    return value.casefold() if isinstance(value, str) else value
