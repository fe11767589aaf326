"""What every format is read into: items, queries, and which items answer which query."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import numpy as np

from agentctx.records import Observation

_SEED = 20260314


@dataclass(frozen=True, slots=True)
class Member:
    """A file inside an uncompressed archive: ``size`` bytes from ``offset`` on.

    ``suffix`` is its extension in lower case, with the dot.
    """

    archive: Path
    name: str
    suffix: str
    offset: int
    size: int

    def read(self) -> bytes:
        """Its bytes."""
        with self.archive.open("rb") as file:
            file.seek(self.offset)
            return file.read(self.size)


Content = Observation | Path | Member


@dataclass(frozen=True, slots=True)
class Item:
    """What can be found: an observation, or a file that becomes one or several of them.

    Items of the same id count as one. ``group`` is what recall is counted by as well: the session
    of a turn, the recording of a screen.
    """

    id: str
    content: Content
    group: str = ""


@dataclass(frozen=True, slots=True)
class Query:
    """A question in words or by example, and the ids of the items that answer it.

    ``relevant``: grades above 0, the higher the better; at least one. Questions of a ``category``
    are also counted on their own. ``now``: when it is asked, which "last week" is before; None is
    the present.
    """

    id: str
    content: str | Content
    relevant: Mapping[str, int]
    category: str = ""
    now: datetime | None = None


@dataclass(frozen=True, slots=True)
class Collection:
    """Items that are searched together, in a memory of their own, and the queries put to them."""

    name: str
    items: Sequence[Item]
    queries: Sequence[Query]


@dataclass(frozen=True, slots=True)
class Dataset:
    """Collections of one source; ``skipped`` counts the questions that nothing answers."""

    name: str
    format: str
    collections: Sequence[Collection] = field(repr=False)
    skipped: int = 0

    @property
    def queries(self) -> int:
        """How many queries there are in all collections."""
        return sum(len(one.queries) for one in self.collections)

    def sample(self, most: int) -> "Dataset":
        """At most that many of the queries, drawn with a fixed seed; all items they are put to.

        >>> few = Dataset("d", "f", [Collection("c", [], [Query(str(n), "", {}) for n in "abc"])])
        >>> few.sample(2).queries
        2
        """
        if self.queries <= most:
            return self
        random = np.random.default_rng(_SEED)
        drawn = set(random.choice(self.queries, most, replace=False).tolist())
        kept, number = [], 0
        for one in self.collections:
            numbers = range(number, number + len(one.queries))
            queries = [q for n, q in zip(numbers, one.queries, strict=True) if n in drawn]
            number += len(one.queries)
            if queries:
                kept.append(replace(one, queries=queries))
        return replace(self, collections=kept)
