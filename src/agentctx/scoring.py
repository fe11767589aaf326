"""Texts from anywhere, judged by a memory's reranker."""

from collections.abc import Sequence

from agentctx.contracts import Candidate, Reranker, TextEncoder
from agentctx.memory.store import Store
from agentctx.records import Observation


def score(
    store: Store,
    encoder: TextEncoder,
    reranker: Reranker,
    question: str,
    given: Sequence[str | Observation],
) -> list[float]:
    """One score for each text or observation, in 0..1: that of its best passage, or 0 without any.

    Of an observation that the store keeps, the stored passages are judged, and nothing is encoded.
    """
    stored = _stored(store, encoder, [one for one in given if isinstance(one, Observation)])
    places: list[int] = []
    candidates: list[Candidate] = []
    for place, one in enumerate(given):
        known = stored.get(one.id) if isinstance(one, Observation) else None
        found = _split(encoder, one) if known is None else known
        places += [place] * len(found)
        candidates += found
    best = [0.0] * len(given)
    if candidates:
        scores = reranker.score(Observation(text=question), candidates)
        for place, value in zip(places, scores.tolist(), strict=True):
            best[place] = max(best[place], value)
    return best


def _split(encoder: TextEncoder, one: str | Observation) -> list[Candidate]:
    text = one if isinstance(one, str) else one.text
    observation = Observation(text=text) if isinstance(one, str) else one
    return [Candidate(text[start:stop], observation) for start, stop in encoder.split(text)]


def _stored(
    store: Store, encoder: TextEncoder, observations: Sequence[Observation]
) -> dict[str, list[Candidate]]:
    """The stored passages of observations by id, with their token vectors."""
    by_id = {one.id: one for one in observations}
    keys = store.catalog.passage_keys(list(by_id))
    rows = store.catalog.passages(list(keys.values()))
    card = encoder.card
    tokens = store.token_matrices(card.space, list(rows), card.token_dimension)
    found: dict[str, list[Candidate]] = {}
    for name, pk in keys.items():
        one = by_id[name.partition(":")[0]]
        found.setdefault(one.id, []).append(Candidate(rows[pk].text, one, tokens.get(pk)))
    return found
