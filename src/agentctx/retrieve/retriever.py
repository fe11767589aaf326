"""Search: candidates from every space and from full text, judged by named signals."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from agentctx.contracts import (
    AFTER,
    BEFORE,
    Candidate,
    Encoder,
    FittingEncoder,
    Reranker,
    TextEncoder,
)
from agentctx.memory.store import Store
from agentctx.records import Hit, Observation, Signal
from agentctx.retrieve import candidates, lexical, signals
from agentctx.retrieve.candidates import Ranking
from agentctx.retrieve.found import Found
from agentctx.retrieve.gap import Comparing
from agentctx.retrieve.request import Request
from agentctx.retrieve.signals import WEIGHTS

# How deep each list is read, and how many of the fused candidates are reranked.
_DEPTH = 200
_RERANKED = 100
# How many of these, the best by themselves, what was said before and after them joins.
_CENTRAL = 40
# How many of the observations around a place in time are looked at.
_AROUND = 60
# The weights of confidence: of cosines over the encoder's floor, scores over the reranker's, and
# the share of the question's words that the memory knows.
_NEAREST, _RERANKED_BEST, _KNOWN, _INTERCEPT = 13.0, 3.0, 7.2, -3.65
# Among so many passages, known and unknown words count half of what they do among many.
_SMALL = 100
# What a candidate has in common with an excluded text by chance.
_CHANCE = 0.5

Observations = Mapping[int, Observation]


class Retriever:
    """Searches one store with its encoders and, if there is one, a reranker."""

    def __init__(
        self,
        store: Store,
        text: TextEncoder,
        others: Sequence[Encoder],
        reranker: Reranker | None,
        gap: str = "auto",
    ) -> None:
        self.store = store
        self._comparing = Comparing(store, text, gap)
        self._text = text
        self._encoders = [text, *others]
        self._reranker = reranker

    def search(self, request: Request) -> list[Hit]:
        """The best observations for the queries together, best first, at most ``limit``."""
        allowed = self.store.passing(request.filters)
        depth = max(_DEPTH, request.limit)
        lists = candidates.lists(
            self.store,
            self._comparing,
            self._encoders,
            request.queries,
            depth,
            allowed,
            request.without,
        )
        found = candidates.fuse(self.store, lists, max(_RERANKED, request.limit))
        if request.place is not None:
            candidates.add_around(self.store, found, request.place, allowed, _AROUND)
        # A reranker judges words; a query with a picture or a signal in it stays as it was fused.
        judged = request.rerank and self._reranker is not None and bool(request.words)
        fits = self._fits(lists) if judged else {}
        best = 0.0
        if judged or request.place is not None:
            reranker = self._reranker if judged else None
            central = self._central(request, found, reranker)
            candidates.add_neighbours(self.store, found, central, allowed)
            best = self._judge(request, found, reranker, fits)
        if request.place is not None or not request.words:
            return self._hits(found, request.limit)
        size = self.store.size() if allowed is None else len(allowed)
        confidence = self._confidence(request, lists, best if judged else None, size)
        confidence = max(confidence, *fits.values(), 0.0)
        if confidence < request.least:
            return []
        top = max((f.score for f in found.values() if f.eligible), default=0.0) or 1.0
        for candidate in found.values():
            candidate.score *= confidence / top
        return self._hits(found, request.limit, confidence)

    def _confidence(
        self, request: Request, lists: Mapping[str, Ranking], best: float | None, size: int
    ) -> float:
        """How likely it is that the memory has what is asked for at all, 0..1.

        A logistic model of the nearest vector, the best reranked candidate, and how many of the
        question's words are known; docs/architecture.md has the data it was fitted to.
        """
        rankings = [r for name, r in lists.items() if name.startswith(self._text.card.space)]
        nearest = max((cosine for ranking in rankings for _, cosine in ranking), default=0.0)
        logit = _INTERCEPT + _NEAREST * (nearest - self._text.floor)
        if best is not None and self._reranker is not None:
            logit += _RERANKED_BEST * (best - self._reranker.floor)
        known = self.store.known_share(request.words)
        # Where there are few passages, that a word is known says much, and that none is, little.
        much = size / (size + _SMALL)
        logit += _KNOWN * (known**much if known else 0.5 * (1 - much))
        return 1.0 / (1.0 + math.exp(-logit))

    def _central(
        self, request: Request, found: Mapping[int, Found], reranker: Reranker | None
    ) -> list[int]:
        """The candidates that are worth looking around: the best that are judged alone."""
        if reranker is None:
            return list(found)
        scores = reranker.score(Observation(text=request.words), self._candidates(found))
        keys = list(found)
        return [keys[place] for place in np.argsort(-scores, kind="stable")[:_CENTRAL]]

    def _fits(self, lists: Mapping[str, Ranking]) -> dict[int, float]:
        """How well pictures fit the words, by the spaces that can tell."""
        found: dict[int, float] = {}
        for encoder in self._encoders:
            if not isinstance(encoder, FittingEncoder):
                continue
            space = encoder.card.space
            for name, ranking in lists.items():
                if f"{name} ".startswith(f"{space} "):
                    scores = np.array([score for _, score in ranking], np.float32)
                    for (pk, _), fit in zip(ranking, encoder.fit(scores).tolist(), strict=True):
                        found[pk] = max(fit, found.get(pk, 0.0))
        return found

    def _judge(
        self,
        request: Request,
        found: dict[int, Found],
        reranker: Reranker | None,
        fits: Mapping[int, float],
    ) -> float:
        """Give every candidate its signals and score; gives the reranker's best score."""
        observations = {pk: f.observation for pk, f in found.items()}
        judged: dict[str, Mapping[int, float]] = {}
        if reranker is not None:
            judged |= self._by_words(request, reranker, found)
            if seen := signals.seen({pk: fits[pk] for pk in fits if pk in found}, judged["rerank"]):
                judged["seen"] = seen
        if request.exact:
            texts = {pk: f.passage.text for pk, f in found.items()}
            judged["exact"] = signals.quoting(request.exact, texts)
        if request.speakers:
            judged["speaker"] = signals.spoken_by(request.speakers, observations)
        if request.told:
            judged["told"] = signals.told(request.told, observations)
        if request.place:
            judged["near"] = signals.nearness(request.place, self.spans(observations))
        if request.events:
            judged["event"] = {pk: 1.0 for pk, o in observations.items() if "event" in o.attributes}
        for pk, score in signals.combined(judged, found).items():
            found[pk].score, found[pk].judged = score, judged
        return max(judged.get("rerank", {}).values(), default=0.0)

    def _by_words(
        self,
        request: Request,
        reranker: Reranker,
        found: Mapping[int, Found],
    ) -> dict[str, Mapping[int, float]]:
        given = self._candidates(found)
        observations = {pk: f.observation for pk, f in found.items()}
        scores = reranker.score(Observation(text=request.words), given)
        judged: dict[str, Mapping[int, float]] = {
            "rerank": dict(zip(found, scores.tolist(), strict=True)),
            "words": self._words(request.words, found),
            "reply": signals.replies(found),
            "other speaker": signals.other_speakers(request.words, observations),
        }
        for text in request.without:
            alone = [Candidate(one.text, one.observation, one.tokens) for one in given]
            about = np.clip(reranker.score(Observation(text=text), alone) - _CHANCE, 0, 1)
            excluded = dict(zip(found, (about / (1 - _CHANCE)).tolist(), strict=True))
            before = judged.get("without", {})
            judged["without"] = {
                pk: max(v, before.get(pk, 0.0)) for pk, v in excluded.items() if v > 0
            }
        return judged

    def _candidates(self, found: Mapping[int, Found]) -> list[Candidate]:
        place = {pk: index for index, pk in enumerate(found)}
        card = self._text.card
        absent = [pk for pk, f in found.items() if f.tokens is None]
        tokens = self.store.token_matrices(card.space, absent, card.token_dimension)
        for pk, matrix in tokens.items():
            found[pk].tokens = matrix
        return [
            Candidate(
                f.passage.text,
                f.observation,
                f.tokens,
                tuple((place[other], position) for other, position in f.neighbours.items()),
            )
            for f in found.values()
        ]

    def _words(self, words: str, found: Mapping[int, Found]) -> dict[int, float]:
        """How many of the question's words a candidate and its neighbours have, at most 1."""
        place = {pk: index for index, pk in enumerate(found)}
        texts = [f.passage.text for f in found.values()]
        own = lexical.contributions(words, texts, self.store.telling)
        shared = own.copy()
        near = [
            (place[pk], place[other], (BEFORE if position < 0 else AFTER) ** abs(position))
            for pk, candidate in found.items()
            for other, position in candidate.neighbours.items()
        ]
        if near:
            rows, others, decays = (np.array(column) for column in zip(*near, strict=True))
            lent = decays.astype(np.float32)[:, None] * own[others]
            np.maximum.at(shared, rows, lent)
        total: NDArray[np.float32] = shared.sum(axis=1)
        total /= max(float(total.max(initial=0.0)), 1e-9)
        return dict(zip(found, total.tolist(), strict=True))

    def spans(self, observations: Observations) -> dict[int, tuple[datetime, datetime]]:
        """When each was there to be perceived: a screen stays until the next is captured."""
        screens = [one for one in observations.values() if one.modality == "screenshot"]
        shown = self.store.catalog.shown_until([screen.id for screen in screens])
        return {
            pk: (one.captured_at, shown.get(one.id, one.ended_at))
            for pk, one in observations.items()
        }

    def _hits(
        self, found: Mapping[int, Found], limit: int, confidence: float | None = None
    ) -> list[Hit]:
        eligible = [(pk, candidate) for pk, candidate in found.items() if candidate.eligible]
        best: dict[int, Found] = {}
        for key, candidate in sorted(eligible, key=lambda item: (-item[1].score, item[0])):
            if best.setdefault(candidate.passage.observation_pk, candidate) is candidate:
                # Only of what is returned is it told why: there are hundreds of candidates.
                candidate.why += [
                    Signal(name, values[key], weight=WEIGHTS[name])
                    for name, values in candidate.judged.items()
                    if key in values
                ]
                if confidence is not None:
                    candidate.why.append(Signal("confidence", confidence))
            if len(best) == limit:
                break
        return [
            Hit(one.observation, one.score, tuple(one.why), one.passage.text)
            for one in best.values()
        ]
