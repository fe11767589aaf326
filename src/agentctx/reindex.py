"""Making the vectors that a space lacks, and moving a memory from one set of encoders to another.

A new space is built beside those that are searched, and takes their place in one transaction;
what it replaces is kept, so going back is quick. A run that ends early is gone on with by the next,
since what is to be done is looked up in the catalog and not remembered.
"""

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from agentctx.contracts import Encoder, TextEncoder
from agentctx.encoding import passages, vectors
from agentctx.memory import spaces
from agentctx.memory.entries import NewVector
from agentctx.memory.store import Store
from agentctx.records import Passage

Progress = Callable[[int, int, str], None]

# Observations at once: few enough that a run that is killed loses seconds of work.
_BATCH = 128


@dataclass(frozen=True, slots=True)
class ReindexReport:
    """What a memory was moved to.

    ``encoded``: vectors made; ``kept``: those of the new spaces that were there from before;
    ``cut_short``: passages of which the new text encoder takes in the beginning only, since they
    were cut for another; ``retired``: spaces that are kept to go back to; ``dropped``: vectors
    erased for good.
    """

    encoders: tuple[str, ...]
    encoded: int
    kept: int
    cut_short: int
    retired: tuple[str, ...]
    dropped: int = 0


def move(
    store: Store,
    names: Sequence[str],
    text: TextEncoder,
    others: Sequence[Encoder],
    progress: Progress | None = None,
) -> ReindexReport:
    """Give every observation its vectors by these encoders, then make theirs the active spaces.

    Others may search and add meanwhile; after the change they must open the memory again, or do
    so by themselves when their config names no encoders.
    """
    encoders = [text, *others]
    with store.catalog.transaction() as db:
        keys = [spaces.begin(db, encoder.card) for encoder in encoders]
        kept = sum(spaces.count(db, key) for key in keys)
    fillers = [
        Filler(store, encoder, text, key) for encoder, key in zip(encoders, keys, strict=True)
    ]
    retired = None
    while retired is None:
        for filler in fillers:
            filler.run(progress)
        # Under the write lock, so nothing can come between the last look and the change.
        with store.catalog.transaction() as db:
            done = [filler.finish(db) for filler in fillers]
            if all(done):
                retired = spaces.switch(db, keys, list(names))
    return ReindexReport(
        tuple(names),
        sum(filler.encoded for filler in fillers),
        kept,
        fillers[0].cut_short,
        tuple(retired),
    )


def fill(
    store: Store, text: TextEncoder, others: Sequence[Encoder], progress: Progress | None = None
) -> int:
    """Make the vectors that the active spaces of these encoders lack; gives how many."""
    encoded = 0
    for encoder in (text, *others):
        filler = Filler(store, encoder, text, store.space(encoder.card.space))
        filler.run(progress)
        encoded += filler.encoded
    return encoded


class Filler:
    """Makes the vectors that one space lacks, observation by observation.

    ``encoded``: vectors made; ``cut_short``: passages longer than the encoder takes in.
    """

    def __init__(self, store: Store, encoder: Encoder, text: TextEncoder, space_pk: int) -> None:
        self._store = store
        self._encoder = encoder
        self._text = text
        self._space_pk = space_pk
        self._whole = encoder is not text
        # Up to which key of an observation all is done.
        self._position = 0
        self.encoded = 0
        self.cut_short = 0

    def run(self, progress: Progress | None = None) -> None:
        """Do all that is there now."""
        with self._store.catalog.reading() as db:
            last = spaces.last_observation(db)
            todo = self._lacking(db)
        for start in range(0, len(todo), _BATCH):
            if progress:
                progress(start, len(todo), self._encoder.card.space)
            made = self._made(todo[start : start + _BATCH])
            with self._store.catalog.transaction() as db:
                self.encoded += spaces.put(db, self._space_pk, made)
        if progress:
            progress(len(todo), len(todo), self._encoder.card.space)
        self._position = last

    def finish(self, db: sqlite3.Connection) -> bool:
        """Do what has come since, in an open transaction; False when it is too much for one."""
        todo = self._lacking(db)
        if len(todo) > _BATCH:
            return False
        self.encoded += spaces.put(db, self._space_pk, self._made(todo))
        return True

    def _lacking(self, db: sqlite3.Connection) -> list[int]:
        return spaces.lacking(db, self._space_pk, self._position, whole=self._whole)

    def _made(self, observation_pks: Sequence[int]) -> list[tuple[int, NewVector]]:
        catalog = self._store.catalog
        observations = catalog.observations(observation_pks)
        accepted = [pk for pk, o in observations.items() if self._encoder.accepts(o)]
        with catalog.reading() as db:
            cut = spaces.passages(db, accepted)
        # The memory's own passages, whoever cut them: their words are in the full-text index.
        parts: list[Passage] = []
        keys: list[int] = []
        for pk, spans in cut.items():
            if pk not in observations:
                continue
            wanted = [(start, stop) for _, start, stop in spans]
            new = passages(self._encoder, self._text, observations[pk], wanted)
            parts += new
            keys += [key for key, _, _ in spans[: len(new)]]
        if not self._whole:
            self.cut_short += sum(len(self._text.split(part.text)) > 1 for part in parts)
        made = vectors(self._encoder, parts, by_text=not self._whole)
        return list(zip(keys, made, strict=True))
