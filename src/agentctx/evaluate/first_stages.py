"""What agentctx is compared with: its own first stages, each alone, over the same passages."""

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from agentctx.config import DEFAULT_ENCODERS, Config
from agentctx.memory.store import Store
from agentctx.records import Observation
from agentctx.services import SharedServices


class FirstStages:
    """Plain Chroma and plain full text over a memory that no one else has open.

    The memory's own Chroma collection and full-text index are asked, so that both see the very
    vectors and words that the memory's search sees.
    """

    def __init__(self, directory: Path, config: Config) -> None:
        self._encoder = SharedServices(config).encoder((config.encoders or DEFAULT_ENCODERS)[0])
        # Nothing is scanned exactly: every dense query goes to Chroma.
        self._store = Store(directory, exact_limit=0)
        self._store.register(self._encoder.card)
        self._store.settle()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._store.close()

    @property
    def passages(self) -> int:
        """How many passages there are."""
        return self._store.catalog.counts()["passages"]

    def dense(self, query: str, limit: int) -> list[str]:
        """Ids of the observations that own the ``limit`` passages nearest to the query, by Chroma.

        The semantic search of a plain Chroma collection with the memory's text encoder.
        """
        vector = self._encoder.encode_query(Observation(text=query)).vectors[0]
        return self._ids(self._store.nearest(self._encoder.card.space, vector, limit))

    def bm25(self, query: str, limit: int) -> list[str]:
        """Ids of the observations that own the ``limit`` best passages, by BM25."""
        return self._ids(self._store.words(query, limit))

    def _ids(self, ranking: Sequence[tuple[int, float]]) -> list[str]:
        catalog = self._store.catalog
        passages = catalog.passages([pk for pk, _ in ranking])
        # An observation is as good as its best passage.
        owners = list(dict.fromkeys(passages[pk].observation_pk for pk, _ in ranking))
        observations = catalog.observations(owners)
        return [observations[pk].id for pk in owners]
