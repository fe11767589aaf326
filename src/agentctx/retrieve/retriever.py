"""Search: candidates from every space and from full text, judged by named signals."""

from collections.abc import Mapping, Sequence

import numpy as np

from agentctx.contracts import Candidate, Encoder, Reranker, TextEncoder
from agentctx.memory.store import Store
from agentctx.records import Filters, Hit, Observation, Signal
from agentctx.retrieve import candidates, lexical, signals
from agentctx.retrieve.candidates import Ranking
from agentctx.retrieve.found import Found
from agentctx.retrieve.signals import WEIGHTS

# How deep each list is read, and how many of the fused candidates are reranked.
_DEPTH = 200
_RERANKED = 100
# What a word in a neighbouring turn counts: before and after, for each step away.
_BEFORE, _AFTER = 0.85, 0.7
# Below the floors of encoder and reranker, a query still counts as answerable when half of its
# words are known.
_KNOWN_SHARE = 0.5


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
        allowed = self._store.passing(filters)
        depth = max(_DEPTH, limit)
        lists = candidates.lists(self._store, self._encoders, queries, depth, allowed)
        found = candidates.fuse(self._store, lists, max(_RERANKED, limit))
        # A reranker judges words; a query with a picture or a signal in it stays as it was fused.
        only_words = all(query.modality == "text" for query in queries)
        words = " ".join(query.text for query in queries) if only_words else ""
        fits = not words.strip() or self._near(lists)
        if rerank and self._reranker is not None and words.strip():
            candidates.add_neighbours(self._store, found, allowed)
            best = self._judge(self._reranker, words, found)
            fits = fits or best >= self._reranker.floor
        if not fits and self._store.known_share(words) < _KNOWN_SHARE:
            return []
        return self._hits(found, limit)

    def _near(self, lists: Mapping[str, Ranking]) -> bool:
        """Whether anything in the text space is near enough to be about the same."""
        rankings = [r for name, r in lists.items() if name.startswith(self._text.card.space)]
        return any(ranking and ranking[0][1] >= self._text.floor for ranking in rankings)

    def _judge(self, reranker: Reranker, words: str, found: dict[int, Found]) -> float:
        """Give every candidate its signals and score; gives the reranker's best score."""
        observations = self._store.catalog.observations(
            list({f.passage.observation_pk for f in found.values()})
        )
        for pk in [pk for pk, f in found.items() if f.passage.observation_pk not in observations]:
            del found[pk]
        judged = {
            "rerank": self._reranked(reranker, Observation(text=words), observations, found),
            "words": self._words(words, found),
            "reply": signals.replies(found),
            "other speaker": signals.other_speakers(words, observations, found),
        }
        for pk, candidate in found.items():
            values = {name: value[pk] for name, value in judged.items() if pk in value}
            candidate.why += [Signal(n, v, weight=WEIGHTS[n]) for n, v in values.items()]
            candidate.score = signals.combined(values, WEIGHTS)
        return max(judged["rerank"].values(), default=0.0)

    def _reranked(
        self,
        reranker: Reranker,
        query: Observation,
        observations: Mapping[int, Observation],
        found: Mapping[int, Found],
    ) -> dict[int, float]:
        place = {pk: index for index, pk in enumerate(found)}
        card = self._text.card
        tokens = self._store.token_matrices(card.space, list(found), card.token_dimension)
        judged = [
            Candidate(
                f.passage.text,
                observations[f.passage.observation_pk],
                tokens.get(pk),
                tuple((place[o], position) for o, position in f.neighbours.items() if o in place),
            )
            for pk, f in found.items()
        ]
        return dict(zip(found, reranker.score(query, judged).tolist(), strict=True))

    def _words(self, words: str, found: Mapping[int, Found]) -> dict[int, float]:
        """How many of the question's words a candidate and its neighbours have, at most 1."""
        place = {pk: index for index, pk in enumerate(found)}
        texts = [f.passage.text for f in found.values()]
        own = lexical.contributions(words, texts, self._store.telling)
        shared = own.copy()
        for pk, candidate in found.items():
            for other, position in candidate.neighbours.items():
                if other in place:
                    decay = (_BEFORE if position < 0 else _AFTER) ** abs(position)
                    row = shared[place[pk]]
                    np.maximum(row, decay * own[place[other]], out=row)
        total = shared.sum(axis=1)
        total /= max(float(total.max(initial=0.0)), 1e-9)
        return dict(zip(found, total.tolist(), strict=True))

    def _hits(self, found: Mapping[int, Found], limit: int) -> list[Hit]:
        eligible = [(pk, candidate) for pk, candidate in found.items() if candidate.eligible]
        best: dict[int, Found] = {}
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
