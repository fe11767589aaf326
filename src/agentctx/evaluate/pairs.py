"""The modality gap of a dataset: queries, and the items that answer them, in shared spaces."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from agentctx import encoding
from agentctx.config import DEFAULT_ENCODERS, Config
from agentctx.contracts import Encoder, TextEncoder
from agentctx.evaluate import gap
from agentctx.evaluate.filling import Asked
from agentctx.evaluate.gap import ANY, Gap, Paired, Rows, SpaceGap
from agentctx.records import Observation
from agentctx.retrieve.gap import Calibration, unrelated
from agentctx.services import SharedServices

# Queries and items of a dataset that are looked at; those that belong together come first.
_QUERIES = 300
_ITEMS = 500


@dataclass(slots=True)
class GapProbe:
    """Collects queries and items, with their observations, until there are enough of them."""

    config: Config
    _queries: list[tuple[Asked, str]] = field(default_factory=list)
    _items: dict[str, list[Observation]] = field(default_factory=dict)

    def collect(
        self, name: str, asked: Sequence[Asked], items: Mapping[str, Sequence[Observation]]
    ) -> None:
        """Take what a collection (of that name) has, as far as there is room."""
        for one in asked[: _QUERIES - len(self._queries)]:
            if any(id_ in items for id_ in one.query.relevant):
                self._queries.append((one, name))
                self._take(name, items, one.query.relevant)
        self._take(name, items, items)

    def _take(
        self, name: str, items: Mapping[str, Sequence[Observation]], ids: Mapping[str, object]
    ) -> None:
        for id_ in ids:
            if len(self._items) < _ITEMS and id_ in items:
                self._items.setdefault(f"{name}/{id_}", list(items[id_]))

    def result(self) -> Gap | None:
        """The spaces that hold both queries and items; None when there was nothing to collect."""
        if not self._queries or not self._items:
            return None
        names = self.config.encoders or DEFAULT_ENCODERS
        text, others = encoding.load(SharedServices(self.config), names)
        found = [self._space(encoder, text) for encoder in (text, *others)]
        return Gap([one for one in found if one is not None])

    def _space(self, encoder: Encoder, text: TextEncoder) -> SpaceGap | None:
        queries = {
            number: encoder.encode_query(query).vectors
            for number, (asked, _) in enumerate(self._queries)
            if encoder.accepts(query := _observation(asked))
        }
        items = {
            id_: np.concatenate([gap.one_of(encoder, text, one) for one in seen])
            for id_, seen in self._items.items()
            if all(encoder.accepts(one) for one in seen)
        }
        if not queries or not items:
            return None
        matrices = self._by_modality(queries, items)
        means = {name: rows.mean(axis=0) for name, rows in matrices.items()}
        moved_queries = {n: gap.shift(rows, means[self._label(n)]) for n, rows in queries.items()}
        moved = {id_: gap.shift(rows, means[self._of(id_)]) for id_, rows in items.items()}
        return gap.compared(
            encoder.card.space,
            matrices,
            [*self._pairs(queries, items), *self._among_all(encoder, queries, items)],
            [*self._pairs(moved_queries, moved), *self._among_all(None, moved_queries, moved)],
        )

    def _label(self, number: int) -> str:
        return f"{self._queries[number][0].modality} query"

    def _of(self, id_: str) -> str:
        return self._items[id_][0].modality

    def _by_modality(
        self, queries: Mapping[int, Rows], items: Mapping[str, Rows]
    ) -> dict[str, Rows]:
        rows: dict[str, list[Rows]] = {}
        for id_, found in items.items():
            rows.setdefault(self._of(id_), []).append(found)
        for number, found in queries.items():
            rows.setdefault(self._label(number), []).append(found)
        return {name: np.concatenate(found) for name, found in sorted(rows.items())}

    def _pairs(self, queries: Mapping[int, Rows], items: Mapping[str, Rows]) -> list[Paired]:
        """Queries of each modality with items of each, where any belong together."""
        found = []
        for query in sorted({self._label(n) for n in queries}):
            for item in sorted({self._of(id_) for id_ in items}):
                numbers = [n for n in queries if self._label(n) == query]
                ids = [id_ for id_ in items if self._of(id_) == item]
                matching = self._matching(numbers, ids)
                if matching.any():
                    found.append(Paired(query, item, _best(queries, items, numbers, ids), matching))
        return found

    def _among_all(
        self, encoder: Encoder | None, queries: Mapping[int, Rows], items: Mapping[str, Rows]
    ) -> list[Paired]:
        """Queries with all items of their collection, where these are of several modalities.

        They are calibrated for what the encoder makes of unrelated queries; as they are without.
        """
        found = []
        for name in dict.fromkeys(name for _, name in self._queries):
            here = {id_: rows for id_, rows in items.items() if id_.startswith(f"{name}/")}
            asked = [n for n in queries if self._queries[n][1] == name]
            rows = self._by_modality({}, here)
            places = np.array([[*rows].index(self._of(id_)) for id_ in here])
            for query in sorted({self._label(n) for n in asked}) if len(rows) > 1 else ():
                numbers = [n for n in asked if self._label(n) == query]
                cosines, calibrated = _best(queries, here, numbers, list(here)), None
                if encoder is not None:
                    others = unrelated(encoder, query.removesuffix(" query"), rows)
                    if len(others):
                        fitted = Calibration.fitted(others, [*rows.values()])
                        calibrated = fitted.calibrated(cosines, places)
                matching = self._matching(numbers, list(here))
                found.append(Paired(query, ANY, cosines, matching, calibrated))
        return found

    def _matching(self, numbers: Sequence[int], ids: Sequence[str]) -> NDArray[np.bool_]:
        return np.array([[self._belong(n, id_) for id_ in ids] for n in numbers])

    def _belong(self, number: int, id_: str) -> bool:
        asked, name = self._queries[number]
        return id_.startswith(f"{name}/") and id_[len(name) + 1 :] in asked.query.relevant


def _observation(asked: Asked) -> Observation:
    one = asked.what[0]
    return Observation(text=one) if isinstance(one, str) else one


def _best(
    queries: Mapping[int, Rows],
    items: Mapping[str, Rows],
    numbers: Sequence[int],
    ids: Sequence[str],
) -> Rows:
    """Cosines [queries, items]; an item is as near as its nearest passage is."""
    asked = np.concatenate([queries[n] for n in numbers])
    return np.stack([(asked @ items[id_].T).max(axis=1) for id_ in ids], axis=1)
