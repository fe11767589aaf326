"""The gap between modalities, taken out of a search where there is one.

In a space that two encoders share, one of pictures and one of words, each modality lies in a cone
of its own (Liang et al., "Mind the Gap", 2022): where both are kept, a question in words finds any
text before the picture that shows the answer. Two corrections need nothing encoded or stored anew.

Calibration makes the cosines of a query's modality Q and an item's M deviations from those of pairs
that have nothing to do with each other (Z-norm of speaker verification: Auckenthaler, Carey &
Lloyd-Thomas, 2000). It rises with the cosine, so the order within a modality stays as it is:

    (q·x - mean[Q, M]) / deviation[Q, M]

The mean shift puts the cones onto each other: of a query whose modality has the mean a, and of an
item whose modality has the mean b, it takes

    cos(q - a, x - b) = (q·x - a·x - (q - a)·b) / (|q - a| |x - b|)
                        with |x - b|² = 1 - 2 x·b + |b|²

q·x is the cosine that a scan computes anyway; a·x and |x - b| are two numbers for every item,
computed when the memory has changed and the same for every query; (q - a)·b is one number for each
modality of items, and |q - a| changes no order. What a·x takes away is how near an item is to
whatever is asked (Zhou et al., "Test-Time Distribution Normalization", 2023): this changes the
order within a modality too, for the better or the worse.

Both need to know what unrelated queries look like. In words these are a few of ours, encoded once;
otherwise the items of that modality. docs/modality-gap.md has what either is worth.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agentctx.contracts import Encoder, FittingEncoder
from agentctx.memory.store import Store
from agentctx.memory.vectors import Comparison
from agentctx.records import CONVERSATIONAL, Observation

Rows = NDArray[np.float32]
Keys = NDArray[np.int64]

# Vectors of a modality that are looked at, evenly over all of them; and how few say nothing yet.
_SAMPLE = 256
_LEAST = 10
# Modalities of items lie apart for a query when the means of unrelated cosines differ by so many
# deviations; queries lie apart from items when their means are so far from each other, 0..2.
_APART = 0.35
_ELSEWHERE = 0.5

# What has nothing to do with most memories.
_UNRELATED = (
    "a cat asleep on a chair",
    "children playing football in a park",
    "a bowl of fruit on a wooden table",
    "snow on a mountain",
    "an old church in a small town",
    "a man with a red umbrella",
    "the sea at sunset",
    "Who wrote this song?",
    "How long should rice cook?",
    "What is the capital of the country?",
    "Where did they spend their holiday?",
    "Why is the sky blue?",
    "Which team won the match?",
    "When was the telephone invented?",
    "the price of tickets for the concert",
    "a recipe for apple cake",
)


class Items:
    """The items of a space at some time: their keys, their vectors, and the modality of each."""

    def __init__(self, keys: Keys, matrix: Rows, names: Sequence[str], of: Keys) -> None:
        self.keys, self.names, self.of = keys, names, of
        self._matrix = matrix
        self.state = (len(keys), int(keys.max(initial=0)))

    @cached_property
    def samples(self) -> Mapping[str, Rows]:
        """Up to 256 vectors of each modality, evenly over all."""
        places = {name: np.flatnonzero(self.of == n) for n, name in enumerate(self.names)}
        return {name: self._matrix[found[_evenly(len(found))]] for name, found in places.items()}

    @cached_property
    def several(self) -> bool:
        """Whether there are enough items of more than one modality."""
        return sum(len(rows) >= _LEAST for rows in self.samples.values()) > 1

    @cached_property
    def means(self) -> Rows:
        """The mean of each modality [modalities, d]; of one with few items, that of all."""
        pooled = np.concatenate(list(self.samples.values())).mean(axis=0)
        enough = (rows.mean(axis=0) if len(rows) >= _LEAST else pooled
                  for rows in self.samples.values())  # fmt: skip
        return np.stack(list(enough))

    def by_key(self, values: NDArray[Any], other: float = 0) -> NDArray[Any]:
        """A table of values [n] of the items by their keys; keys of no item have ``other``."""
        table = np.full(self.state[1] + 1, other, values.dtype)
        table[self.keys] = values
        return table

    def products(self, mean: Rows) -> Rows:
        """Every item's product with a mean, by key."""
        return self.by_key(self._matrix @ mean)

    @cached_property
    def modalities(self) -> Keys:
        """The number of every item's modality, by key."""
        return self.by_key(self.of)

    @cached_property
    def lengths(self) -> Rows:
        """How far every item is from the mean of its modality, by key."""
        near = (self._matrix @ self.means.T)[np.arange(len(self.of)), self.of]
        squares = 1 - 2 * near + (self.means**2).sum(axis=1)[self.of]
        return self.by_key(np.sqrt(np.maximum(squares, 1e-12)), 1)


def _evenly(count: int) -> Keys:
    return np.unique(np.linspace(0, count - 1, min(count, _SAMPLE)).astype(np.int64))


def shifted(items: Items, query: Rows, mean: Rows, products: Rows) -> Comparison:
    """What the mean shift goes by, but for a factor; ``products``: of the items with ``mean``."""
    towards = items.means @ (query - mean)

    def compared(keys: Keys, cosines: Rows) -> Rows:
        # What another process has added meanwhile is taken for the last item, for this one search.
        near, of, lengths = (
            table.take(keys, mode="clip") for table in (products, items.modalities, items.lengths)
        )
        found: Rows = (cosines - near - towards[of]) / lengths
        return found

    return compared


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """What unrelated pairs have: means and deviations of their cosines, float32 [modalities]."""

    means: Rows
    deviations: Rows

    @classmethod
    def fitted(cls, queries: Rows, items: Sequence[Rows]) -> "Calibration":
        """That of queries like these [n, d] and the items of each modality.

        A modality with too few items to tell counts as all of them together do.
        """
        enough = [rows for rows in items if len(rows) >= _LEAST] or [np.concatenate(items)]
        pooled = np.concatenate([queries @ rows.T for rows in enough], axis=1)
        pairs = [queries @ rows.T if len(rows) >= _LEAST else pooled for rows in items]
        means = np.array([cosines.mean() for cosines in pairs], np.float32)
        # Vectors that are all the same have no deviation.
        deviations = np.array([max(float(cosines.std()), 1e-6) for cosines in pairs], np.float32)
        return cls(means, deviations)

    @property
    def gap(self) -> float:
        """By how many deviations the means of two modalities differ at most."""
        usual = float(np.sqrt(np.mean(self.deviations**2)))
        return float(self.means.max() - self.means.min()) / usual

    def calibrated(self, cosines: Rows, modalities: Keys) -> Rows:
        """Cosines [n] of items as deviations from what is usual; ``modalities``: of each item."""
        found: Rows = (cosines - self.means[modalities]) / self.deviations[modalities]
        return found


def unrelated(encoder: Encoder, modality: str, items: Mapping[str, Rows]) -> Rows:
    """Queries of a modality that have nothing to do with most items, float32 [n, d].

    In words they are ours. Otherwise they are the items of that modality themselves, since of
    any two few have to do with each other; none when there are no such items.
    """
    if modality in CONVERSATIONAL:
        rows = [encoder.encode_query(Observation(text=text)).vectors for text in _UNRELATED]
        return np.concatenate(rows)
    return items.get(modality, np.empty((0, encoder.card.dimension), np.float32))


class Comparing:
    """What searches of one store go by instead of cosines.

    ``how``: "calibrate" calibrates wherever items are of several modalities; "auto" does so only
    where the means of two of them differ by 0.35 deviations, and never in the space of ``text``,
    where all are words; "shift" shifts the means wherever queries lie apart from the
    items; "off" leaves the cosines.
    """

    def __init__(self, store: Store, text: Encoder, how: str = "auto") -> None:
        self._store = store
        self._text = text
        self._how = how
        self._items: dict[str, Items] = {}
        # Unrelated queries in words, by space.
        self._queries: dict[str, Rows] = {}
        # By space and the modality of the query, with the items that they were made for.
        self._calibrations: dict[tuple[str, str], tuple[Items, Calibration]] = {}
        self._products: dict[tuple[str, str], tuple[Items, Rows]] = {}

    def nearest(
        self,
        encoder: Encoder,
        queries: Sequence[tuple[Observation, float]],
        vector: Rows,
        limit: int,
        allowed: Keys | None,
    ) -> list[tuple[int, float]]:
        """The best passages of the encoder's space: (passage key, cosine), best first.

        ``queries``: each with its share in ``vector``, which is the sum of their rows.
        """
        compared = self._comparison(encoder, queries, vector)
        return self._store.nearest(encoder.card.space, vector, limit, allowed, compared)

    def _comparison(
        self, encoder: Encoder, queries: Sequence[tuple[Observation, float]], vector: Rows
    ) -> Comparison | None:
        """What a search goes by; None is the cosines."""
        space = encoder.card.space
        if self._how == "off" or (self._how == "auto" and space == self._text.card.space):
            return None
        if isinstance(encoder, FittingEncoder):  # its scores say how well pictures fit as they are
            return None
        items = self._known(space)
        if len(items.keys) < _LEAST or (self._how != "shift" and not items.several):
            return None
        rows = {q.modality: self._unrelated(encoder, q.modality, items) for q, _ in queries}
        if any(len(found) < _LEAST for found in rows.values()):
            return None
        if self._how == "shift":
            return self._shifted(items, space, queries, vector, rows)
        if len(queries) == 1:
            found = self._calibration(items, space, *rows.items())
        else:
            least = min(len(found) for found in rows.values())
            parts = (share * rows[query.modality][:least] for query, share in queries)
            found = Calibration.fitted(np.sum([*parts], axis=0), [*items.samples.values()])
        if self._how == "auto" and found.gap < _APART:
            return None
        of = items.modalities
        # What another process has added meanwhile is taken for the last item, for this one search.
        return lambda keys, cosines: found.calibrated(cosines, of.take(keys, mode="clip"))

    def _known(self, space: str) -> Items:
        keys, matrix = self._store.matrix(space)
        known = self._items.get(space)
        if known is None or known.state != (len(keys), int(keys.max(initial=0))):
            known = Items(keys, matrix, *self._store.columns.modalities(keys))
            self._items[space] = known
        return known

    def _unrelated(self, encoder: Encoder, modality: str, items: Items) -> Rows:
        if modality not in CONVERSATIONAL:  # as they are now
            return unrelated(encoder, modality, items.samples)
        space = encoder.card.space
        if space not in self._queries:
            self._queries[space] = unrelated(encoder, modality, {})
        return self._queries[space]

    def _calibration(self, items: Items, space: str, one: tuple[str, Rows]) -> Calibration:
        modality, queries = one
        known = self._calibrations.get((space, modality))
        if known is None or known[0] is not items:
            known = items, Calibration.fitted(queries, [*items.samples.values()])
            self._calibrations[space, modality] = known
        return known[1]

    def _shifted(
        self,
        items: Items,
        space: str,
        queries: Sequence[tuple[Observation, float]],
        vector: Rows,
        rows: Mapping[str, Rows],
    ) -> Comparison | None:
        means = {modality: found.mean(axis=0) for modality, found in rows.items()}
        centre = np.concatenate([*items.samples.values()]).mean(axis=0)
        if all(np.linalg.norm(mean - centre) < _ELSEWHERE for mean in means.values()):
            return None
        for modality, mean in means.items():
            known = self._products.get((space, modality))
            if known is None or known[0] is not items:
                self._products[space, modality] = items, items.products(mean)
        products = [self._products[space, query.modality][1] for query, _ in queries]
        shares = np.array([share for _, share in queries], np.float32)
        mean = shares @ np.stack([means[query.modality] for query, _ in queries])
        return shifted(items, vector, mean, shares @ np.stack(products))
