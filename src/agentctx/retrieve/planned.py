"""Carrying out a plan: anchors first, then what stands to them in the wanted relation of time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from agentctx.memory.catalog import SHOWN_SECONDS
from agentctx.planning import Clause, Plan, Relation
from agentctx.records import CONVERSATIONAL, Filters, Hit, Observation, Signal
from agentctx.retrieve import wanted
from agentctx.retrieve.request import LEAST_CONFIDENCE, Place, Request
from agentctx.retrieve.retriever import Retriever
from agentctx.values import shifted

# Nobody knows which of the hits is the anchor that was meant, so that many are tried, down to this
# share of the best one's score; and hits of which a search alone would not be sure enough.
_ANCHORS = 10
_NEARLY = 0.3
_LEAST = 0.05
# What was said within so many seconds before and after an utterance, without a pause of more than
# five, is the same talk.
_TALK, _PAUSE = 60.0, 5.0
# How many seconds from its anchor an answer counts half: when it is to be next to it, or anywhere
# before or after.
_NEXT, _SOMEWHERE = 60.0, 1800.0
# When the question also says what is looked for, that decides.
_ANYWHERE = 4 * 3600.0
# A question about so short a time means whatever a screen showed then.
_SHORT = timedelta(minutes=30)
# What is perceived within so many seconds of something is perceived during it.
_DURING = 15.0
# "First" and "last" choose among hits that are at least this share as good as the best.
_AS_GOOD = 0.8
# And among so many.
_LOOKED_AT = 40

Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class _Where:
    """Where in time an answer must be, and near to what; ``score`` is how sure the anchor is."""

    filters: Filters
    place: Place
    score: float
    signal: Signal
    anchors: frozenset[str]


def search(
    retriever: Retriever, plan: Plan, limit: int, given: Filters, *, rerank: bool = True
) -> list[Hit]:
    """The best observations for what a plan asks, best first, at most ``limit``.

    ``given`` are the caller's own filters, which come before what the question says.
    """
    wanted_ = limit if plan.order is None else max(limit, _LOOKED_AT)
    filters = merged(plan.clause, given)
    if plan.clause.each and len(filters.modality) > 1:
        hits = wanted.interleaved(
            [_kind(retriever, plan, wanted_, replace(filters, modality=(one,)), given,
                   rerank=rerank) for one in filters.modality]
        )  # fmt: skip
    else:
        hits = _one(retriever, plan, wanted_, filters, given, rerank=rerank)
    if plan.order is not None:
        hits = _in_order(hits, last=plan.order == "last")
    return hits[:limit]


def _kind(
    retriever: Retriever, plan: Plan, limit: int, filters: Filters, given: Filters, *, rerank: bool
) -> list[Hit]:
    """The hits of one of several modalities; the anchor of a relation may be what is wanted."""
    for relation in plan.relations:
        for anchor in relation.anchors:
            if anchor.modality == filters.modality:
                hits = _anchors(retriever, anchor, filters, given, plan.now)
                # When there is none, the hits are what else the words of the anchor fit.
                return [hit for hit in hits if hit.modality in filters.modality]
    return _one(retriever, plan, limit, filters, given, rerank=rerank)


def _one(
    retriever: Retriever, plan: Plan, limit: int, filters: Filters, given: Filters, *, rerank: bool
) -> list[Hit]:
    """The hits of one modality, or of any."""
    clause = plan.clause
    if plan.relations:
        return _related(retriever, plan, limit, filters, given, rerank=rerank)
    if plan.wants == "change" and clause.words and clause.since and clause.until:
        request = _request(clause, limit, filters, rerank=rerank)
        return wanted.ends(retriever, request, clause.since, clause.until)
    hits = _clause(retriever, clause, limit, filters, given, plan.now, rerank=rerank)
    return wanted.extremes(retriever.store, plan, filters, hits) if plan.wants else hits


def merged(clause: Clause, given: Filters) -> Filters:
    """What a clause restricts, where the caller has not said otherwise."""
    known = dict(given.attributes)
    # Who spoke is only preferred: people are asked about by name, too.
    asked = tuple((name, values) for name, values in clause.attributes
                  if name not in known and (name != "speaker" or not clause.words))  # fmt: skip
    return Filters(
        given.modality or clause.modality,
        _later(given.since, clause.since),
        _earlier(given.until, clause.until),
        given.session or clause.session,
        given.source or clause.source,
        given.attributes + asked,
    )


def _clause(
    retriever: Retriever,
    clause: Clause,
    limit: int,
    filters: Filters,
    given: Filters,
    now: datetime,
    *,
    rerank: bool,
    least: float = LEAST_CONFIDENCE,
) -> list[Hit]:
    place = _asked_time(clause, filters, now)
    if place is not None and "screenshot" in filters.modality and filters.since is not None:
        # What the caller gave is not widened.
        filters = replace(
            filters, since=_later(given.since, shifted(filters.since, -SHOWN_SECONDS))
        )
    request = replace(
        _request(clause, limit, filters, rerank=rerank),
        told=clause.told,
        place=place,
        events=_events(clause, filters),
        least=least,
    )
    hits = retriever.search(request)
    if hits or not clause.words:
        return hits
    if filters.modality != given.modality:
        # Rather another modality than nothing, when only the wording asked for that one.
        request = replace(request, filters=replace(filters, modality=given.modality))
        hits = retriever.search(request)
    if not hits and clause.since is not None and clause.until is not None:
        # Whatever was there at that time: its words may be about the kind of thing only.
        at = Place(clause.since, clause.until, _NEXT)
        hits = retriever.search(replace(request, filters=filters, place=at))
    return hits


def _events(clause: Clause, filters: Filters) -> bool:
    """Whether something that happened is meant: of a channel, in some time."""
    return filters.modality == ("sensor",) and bool(clause.since or clause.until)


def _request(clause: Clause, limit: int, filters: Filters, *, rerank: bool) -> Request:
    """What a clause asks for by its words, wherever in time it is."""
    queries = [Observation(text=clause.words)] if clause.words else []
    speakers = [str(who) for name, values in clause.attributes if name == "speaker"
                for who in values]  # fmt: skip
    return Request(queries, limit, filters, rerank=rerank, exact=clause.exact,
                   speakers=speakers, without=clause.without)  # fmt: skip


def _asked_time(clause: Clause, filters: Filters, now: datetime) -> Place | None:
    """The span that is asked about, when it is all that is asked, or a short one of a screen."""
    start, end = filters.since, filters.until
    if clause.words:
        short = start is not None and end is not None and end - start <= _SHORT
        if not (short and filters.modality == ("screenshot",)):
            return None
        return Place(start or now, end or now, _NEXT)
    end = end or now
    return Place(start or end, end, _SOMEWHERE)


def _related(
    retriever: Retriever, plan: Plan, limit: int, filters: Filters, given: Filters, *, rerank: bool
) -> list[Hit]:
    found: dict[str, Hit] = {}
    first, *more = (
        list(_places(retriever, relation, filters, given, plan.now, words=bool(plan.clause.words)))
        for relation in plan.relations
    )
    for where in first:
        request = replace(
            _request(plan.clause, limit, _narrowed(where.filters, more), rerank=rerank),
            place=where.place,
            events=filters.modality == ("sensor",),
        )
        for hit in retriever.search(request):
            score = hit.score * where.score
            if hit.id not in where.anchors and (hit.id not in found or score > found[hit.id].score):
                found[hit.id] = replace(hit, score=score, why=(*hit.why, where.signal))
    return sorted(found.values(), key=lambda hit: (-hit.score, hit.captured_at, hit.id))[:limit]


def _narrowed(filters: Filters, more: Sequence[Sequence[_Where]]) -> Filters:
    """The filters within what each further relation allows, by its best anchor there."""
    for places in more:
        for where in places:
            if where.filters.session == filters.session:
                filters = replace(
                    filters,
                    since=_later(filters.since, where.filters.since),
                    until=_earlier(filters.until, where.filters.until),
                )
                break
    return filters


def _places(
    retriever: Retriever,
    relation: Relation,
    filters: Filters,
    given: Filters,
    now: datetime,
    *,
    words: bool,
) -> Iterator[_Where]:
    spans = [_anchored(retriever, anchor, filters, given, now) for anchor in relation.anchors]
    if relation.kind == "between":
        pairs = [
            (first, second)
            for first in spans[0]
            for second in spans[1]
            if first[1].session == second[1].session and first[0][1] <= second[0][0]
        ]
    else:
        pairs = [(one, one) for one in spans[0]]
    best = max((a[1].score * b[1].score for a, b in pairs), default=0.0)
    for first, second in pairs:
        score = first[1].score * second[1].score
        if score < _NEARLY * best:
            continue
        span = (first[0][0], first[0][1])
        if relation.kind == "between":
            span = (first[0][1], second[0][0])
        window, place = _window(relation, span, words=words)
        # The anchor's own session, in which its before and after mean something.
        session = filters.session or ((first[1].session,) if first[1].session else ())
        yield _Where(
            replace(
                filters,
                since=_later(filters.since, window[0]),
                until=_earlier(filters.until, window[1]),
                session=session,
            ),
            place,
            min(first[1].score, second[1].score),
            Signal(f"{relation} {first[1].id}", first[1].score),
            frozenset({first[1].id, second[1].id}),
        )


def _anchored(
    retriever: Retriever, anchor: Clause, filters: Filters, given: Filters, now: datetime
) -> list[tuple[Span, Hit]]:
    """The hits for an anchor, each with the span in which it was there to be perceived."""
    hits = _anchors(retriever, anchor, filters, given, now)
    good = [hit for hit in hits if hit.score >= _NEARLY * hits[0].score]
    if good and "event" in good[0].attributes:
        # Then something that happened is meant: the ordinary readings are no such moment.
        good = [hit for hit in good if "event" in hit.attributes]
    return [(_span(retriever, hit.observation), hit) for hit in good]


def _anchors(
    retriever: Retriever, anchor: Clause, filters: Filters, given: Filters, now: datetime
) -> list[Hit]:
    # The time that the question names holds for all of it, and so does what the caller gave.
    given = replace(given, modality=())
    own = merged(anchor, given)
    own = replace(
        own,
        since=_later(own.since, filters.since),
        until=_earlier(own.until, filters.until),
    )
    return _clause(retriever, anchor, _ANCHORS, own, given, now, rerank=True, least=_LEAST)


def _span(retriever: Retriever, one: Observation) -> Span:
    """When an anchor was there to be perceived: for an utterance, all of the talk it is part of."""
    ((start, end),) = retriever.spans({0: one}).values()
    if one.modality not in CONVERSATIONAL:
        return start, end
    near = shifted(start, -_TALK), shifted(end, _TALK)
    around = Filters((one.modality,), *near, (one.session,), (one.source,))
    turns = [row.observation for row in retriever.store.catalog.select(around)]
    for turn in turns:
        if turn.captured_at <= shifted(end, _PAUSE):
            end = max(end, turn.ended_at)
    for turn in reversed(turns):
        if turn.ended_at >= shifted(start, -_PAUSE):
            start = min(start, turn.captured_at)
    return start, end


def _window(
    relation: Relation, anchor: Span, *, words: bool
) -> tuple[tuple[datetime | None, datetime | None], Place]:
    """The times that a relation allows, and where in them the answer most likely is."""
    start, end = anchor
    reach = _NEXT if relation.near else _ANYWHERE if words else _SOMEWHERE
    far = relation.distance or 0.0
    if relation.kind in ("before", "until"):
        at = shifted(start, -far)
        return (None, start), Place(at, at, reach)
    if relation.kind in ("after", "since"):
        at = shifted(end, far)
        return (end, None), Place(at, at, reach)
    if relation.kind == "between":
        return (start, end), Place(start, end, _NEXT)
    # A screen that was captured earlier may still be there: nearness judges that.
    return (None, shifted(end, _DURING)), Place(start, end, _NEXT)


def _in_order(hits: Sequence[Hit], *, last: bool) -> list[Hit]:
    if not hits:
        return []
    good = [hit for hit in hits if hit.score >= _AS_GOOD * hits[0].score]
    rest = [hit for hit in hits if hit.score < _AS_GOOD * hits[0].score]
    ordered = sorted(good, key=lambda hit: (hit.captured_at, hit.id), reverse=last)
    # Scores stay in order: what is first now is as good as the best was.
    scores = sorted((hit.score for hit in good), reverse=True)
    return [replace(hit, score=score) for hit, score in zip(ordered, scores, strict=True)] + rest


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max((when for when in (one, other) if when is not None), default=None)


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    return min((when for when in (one, other) if when is not None), default=None)
