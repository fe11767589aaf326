"""Search: candidates from every space and from full text, fused, reranked, explained.

Candidates are fused by reciprocal rank (Cormack, Clarke & Büttcher, 2009), since the scores of
different spaces do not compare. What is said just before and after a candidate joins the
candidates, because an answer often stands next to the words that were asked for.
docs/architecture.md has the ablation behind each constant.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from agentctx.contracts import Candidate, Encoder, Reranker, TextEncoder
from agentctx.memory.catalog import PassageRow
from agentctx.memory.store import Store
from agentctx.records import CONVERSATIONAL, Filters, Hit, Observation, Signal

# How deep each list is read, and how many of the fused candidates are reranked.
_DEPTH = 100
_RERANKED = 50
_RRF_K = 60
# How many utterances before and after a candidate join it.
_STEPS = 2
# A neighbour's full-text match counts this much for each step away.
_DECAY = 0.85
# The share of full text in the final score: enough to break near-ties towards the exact word.
_BM25_SHARE = 0.1
# Below the floors of encoder and reranker, a query still counts as answerable when half of its
# words are known.
_KNOWN_SHARE = 0.5

Ranking = Sequence[tuple[int, float]]


@dataclass(slots=True)
class _Found:
    """A candidate on its way to becoming a hit."""

    passage: PassageRow
    score: float = 0.0
    # False for a neighbour that the filters exclude: it lends its words, but is no hit itself.
    eligible: bool = True
    why: list[Signal] = field(default_factory=list)
    # Other candidates by key, and how many steps away each is.
    neighbours: dict[int, int] = field(default_factory=dict)

    @property
    def bm25(self) -> float:
        return max((s.score for s in self.why if s.name.startswith("bm25")), default=0.0)


class Retriever:
    """Searches one store with its encoders and, if there is one, a reranker."""

    def __init__(
        self,
        store: Store,
        text: TextEncoder,
        others: Sequence[Encoder],
        reranker: Reranker | None,
    ) -> None:
        self._store = store
        self._text = text
        self._encoders = [text, *others]
        self._reranker = reranker

    def search(
        self, queries: Sequence[Observation], limit: int, filters: Filters, *, rerank: bool = True
    ) -> list[Hit]:
        """The best observations for the queries together, best first, at most ``limit``."""
        lists: dict[str, Ranking] = {}
        for number, query in enumerate(queries):
            mark = f" of query {number + 1}" if len(queries) > 1 else ""
            for name, ranking in self._candidates(query, max(_DEPTH, limit), filters).items():
                lists[name + mark] = ranking
        found = self._fuse(lists, max(_RERANKED, limit))
        # A reranker judges words; a query with a picture or a signal in it stays as it was fused.
        only_words = all(query.modality == "text" for query in queries)
        words = " ".join(query.text for query in queries) if only_words else ""
        fits = not words.strip() or self._near(lists)
        if rerank and self._reranker is not None and words.strip():
            self._add_neighbours(found, filters)
            best = self._rerank(self._reranker, Observation(text=words), found)
            fits = fits or best >= self._reranker.floor
        if not fits and self._store.known_share(words) < _KNOWN_SHARE:
            return []
        return self._hits(found, limit)

    def _near(self, lists: Mapping[str, Ranking]) -> bool:
        """Whether anything in the text space is near enough to be about the same."""
        rankings = [r for name, r in lists.items() if name.startswith(self._text.card.space)]
        return any(ranking and ranking[0][1] >= self._text.floor for ranking in rankings)

    def _candidates(
        self, query: Observation, limit: int, filters: Filters
    ) -> Mapping[str, Ranking]:
        found: dict[str, Ranking] = {}
        for encoder in self._encoders:
            if encoder.accepts(query):
                vector = encoder.encode_query(query).vectors[0]
                space = encoder.card.space
                found[space] = self._store.nearest(space, vector, limit, filters)
        if query.text:
            found["bm25"] = self._store.words(query.text, limit, filters)
        return found

    def _fuse(self, lists: Mapping[str, Ranking], limit: int) -> dict[int, _Found]:
        fused: dict[int, float] = {}
        why: dict[int, list[Signal]] = {}
        for name, ranking in lists.items():
            for rank, (pk, score) in enumerate(ranking, start=1):
                fused[pk] = fused.get(pk, 0.0) + 1.0 / (_RRF_K + rank)
                why.setdefault(pk, []).append(Signal(name, score, rank))
        best = sorted(fused, key=lambda pk: (-fused[pk], pk))[:limit]
        passages = self._store.catalog.passages(best)
        # First in every list is 1.
        scale = (_RRF_K + 1) / max(len(lists), 1)
        # What another process has forgotten since the lists were made is in none of the passages.
        return {
            pk: _Found(passages[pk], fused[pk] * scale, why=why[pk])
            for pk in best
            if pk in passages
        }

    def _add_neighbours(self, found: dict[int, _Found], filters: Filters) -> None:
        catalog = self._store.catalog
        by_observation = {f.passage.observation_pk: pk for pk, f in found.items()}
        near = catalog.neighbours(list(by_observation), CONVERSATIONAL, _STEPS)
        first = catalog.first_passages([pk for items in near.values() for pk, _ in items])
        new = [pk for pk in dict.fromkeys(first.values()) if pk not in found]
        allowed = catalog.passing(list(first), filters)
        for pk, passage in catalog.passages(new).items():
            found[pk] = _Found(passage, eligible=passage.observation_pk in allowed)
        for observation_pk, items in near.items():
            for other, position in items:
                if other not in first:
                    continue
                this, that = by_observation[observation_pk], first[other]
                found[this].neighbours[that] = found[that].neighbours[this] = abs(position)

    def _rerank(self, reranker: Reranker, query: Observation, found: dict[int, _Found]) -> float:
        """Score all candidates anew; gives the reranker's best score."""
        observations = self._store.catalog.observations(
            list({f.passage.observation_pk for f in found.values()})
        )
        for pk in [pk for pk, f in found.items() if f.passage.observation_pk not in observations]:
            del found[pk]
        pks = list(found)
        place = {pk: index for index, pk in enumerate(pks)}
        card = self._text.card
        tokens = self._store.token_matrices(card.space, pks, card.token_dimension)
        candidates = [
            Candidate(
                f.passage.text,
                observations[f.passage.observation_pk],
                tokens.get(pk),
                tuple((place[o], steps) for o, steps in f.neighbours.items() if o in place),
            )
            for pk, f in found.items()
        ]
        scores = reranker.score(query, candidates)
        own = {pk: f.bm25 for pk, f in found.items()}
        words = {
            pk: max([own[pk], *(own.get(o, 0.0) * _DECAY**n for o, n in f.neighbours.items())])
            for pk, f in found.items()
        }
        top = max(words.values(), default=0.0) or 1.0
        for pk, score in zip(pks, scores.tolist(), strict=True):
            found[pk].why.append(Signal("rerank", score))
            found[pk].score = (score + _BM25_SHARE * words[pk] / top) / (1 + _BM25_SHARE)
        return float(scores.max(initial=0.0))

    def _hits(self, found: Mapping[int, _Found], limit: int) -> list[Hit]:
        eligible = [(pk, candidate) for pk, candidate in found.items() if candidate.eligible]
        best: dict[int, _Found] = {}
        for _, candidate in sorted(eligible, key=lambda item: (-item[1].score, item[0])):
            best.setdefault(candidate.passage.observation_pk, candidate)
            if len(best) == limit:
                break
        observations = self._store.catalog.observations(list(best))
        return [
            Hit(observations[pk], candidate.score, tuple(candidate.why), candidate.passage.text)
            for pk, candidate in best.items()
            if pk in observations
        ]
