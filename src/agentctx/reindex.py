"""Making the vectors that a space lacks, and moving a memory from one set of encoders to another.

A new space is built beside those that are searched, and takes their place in one transaction;
what it replaces is kept, so going back is quick. A run that ends early is gone on with by the next,
since what is to be done is looked up in the catalog and not remembered.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from agentctx.contracts import Encoder, TextEncoder
from agentctx.encoding import passages, vectors
from agentctx.memory import spaces
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
    while True:
        for filler in fillers:
            filler.run(progress)
        with store.catalog.transaction() as db:
            # Under the write lock, so nothing can come between the last look and the change.
            last = spaces.last_observation(db)
            if all(filler.position >= last for filler in fillers):
                retired = spaces.switch(db, keys, list(names))
                break
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

    ``position``: up to which key of an observation all is done.
    """

    def __init__(self, store: Store, encoder: Encoder, text: TextEncoder, space_pk: int) -> None:
        self._store = store
        self._encoder = encoder
        self._text = text
        self._space_pk = space_pk
        self.position = 0
        self.encoded = 0
        self.cut_short = 0

    def run(self, progress: Progress | None = None) -> None:
        """Do all that is there now."""
        whole = self._encoder is not self._text
        with self._store.catalog.reading() as db:
            last = spaces.last_observation(db)
            todo = spaces.lacking(db, self._space_pk, self.position, whole=whole)
        for start in range(0, len(todo), _BATCH):
            if progress:
                progress(start, len(todo), self._encoder.card.space)
            self._fill(todo[start : start + _BATCH])
        if progress:
            progress(len(todo), len(todo), self._encoder.card.space)
        self.position = last

    def _fill(self, observation_pks: Sequence[int]) -> None:
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
        if self._encoder is self._text:
            self.cut_short += sum(len(self._text.split(part.text)) > 1 for part in parts)
        made = vectors(self._encoder, parts, by_text=self._encoder is self._text)
        with catalog.transaction() as db:
            self.encoded += spaces.put(db, self._space_pk, list(zip(keys, made, strict=True)))
