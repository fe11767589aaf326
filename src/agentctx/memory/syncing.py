"""Keeping Chroma in step with the catalog, in the process that holds the lease."""

import numpy as np

from agentctx.memory import state
from agentctx.memory.catalog import Catalog
from agentctx.memory.checks import index_problems
from agentctx.memory.chroma import ChromaIndex, IndexRow

# Rows handed to Chroma at once; it builds its graph faster in larger steps.
_BATCH = 1000


class IndexSync:
    """Brings what is pending in the catalog into Chroma, and makes Chroma's files anew."""

    def __init__(self, catalog: Catalog, index: ChromaIndex) -> None:
        self.index = index
        self._catalog = catalog
        self._made_for = ""

    def close(self) -> None:
        """Close Chroma's files and the catalog."""
        self.index.close()
        self._catalog.close()

    def current(self) -> bool:
        """Whether Chroma's files are those that the catalog wants."""
        return self._catalog.state(state.INDEX) == self._made_for

    def pending(self) -> int:
        """How many vectors Chroma does not have yet."""
        ((count,),) = self._catalog.query("SELECT count(*) FROM pending")
        return int(count)

    def prepare(self, *, remake: bool = False) -> list[str]:
        """Open the index, and begin it anew when it is outdated, damaged or to be remade.

        Gives what was wrong with it, in words.
        """
        self.index.sweep()
        self._made_for = self._catalog.state(state.INDEX)
        outdated = self._catalog.state(state.INDEXED) != self._made_for
        problems = [] if outdated or remake else index_problems(self._catalog, self.index)
        if outdated or remake or problems:
            self.index.erase()
            with self._catalog.transaction() as db:
                db.execute(
                    "INSERT OR IGNORE INTO pending SELECT vector.pk FROM vector "
                    "JOIN space ON space.pk = space_pk WHERE status = 'active'"
                )
                state.put(db, state.INDEXED, self._made_for)
        return problems

    def index_batch(self) -> int:
        """Bring one batch into Chroma; gives the number of rows, 0 when nothing is pending."""
        waiting = self._catalog.query(
            "SELECT name, space.pk FROM pending JOIN vector ON vector.pk = vector_pk "
            "JOIN space ON space.pk = space_pk LIMIT 1"
        )
        if not waiting:
            return 0
        ((space, space_pk),) = waiting
        batch = self._batch(space_pk)
        self.index.upsert(space, [row for _, row in batch])
        with self._catalog.transaction() as db:
            db.executemany("DELETE FROM pending WHERE vector_pk = ?", [(pk,) for pk, _ in batch])
        return len(batch)

    def _batch(self, space_pk: int) -> list[tuple[int, IndexRow]]:
        found = self._catalog.query(
            "SELECT vector.pk, passage_pk, vector FROM pending "
            "JOIN vector ON vector.pk = vector_pk WHERE space_pk = ? ORDER BY vector.pk LIMIT ?",
            (space_pk, _BATCH),
        )
        passages = self._catalog.passages([row[1] for row in found])
        observations = self._catalog.observations(
            list({passage.observation_pk for passage in passages.values()})
        )
        batch = []
        for pk, passage_pk, blob in found:
            # Another process may have forgotten it since the first of these queries.
            passage = passages.get(passage_pk)
            observation = observations.get(passage.observation_pk) if passage else None
            if passage and observation:
                vector = np.frombuffer(blob, np.float32)
                batch.append((pk, IndexRow(observation, passage.ordinal, passage.text, vector)))
        return batch
