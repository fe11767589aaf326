"""A candidate on its way to becoming a hit."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from agentctx.memory.catalog import PassageRow
from agentctx.records import Observation, Signal


@dataclass(slots=True)
class Found:
    """A passage that may answer the query.

    ``eligible`` is False for a neighbour that the filters exclude: it lends its words, but is no
    hit itself. ``neighbours``: other candidates by key, and their position, where -1 is what came
    just before and 1 what came just after. ``tokens``: the stored token vectors, once they are
    loaded. ``judged``: the signals of all candidates, by their keys.
    """

    passage: PassageRow
    observation: Observation
    score: float = 0.0
    eligible: bool = True
    why: list[Signal] = field(default_factory=list)
    neighbours: dict[int, int] = field(default_factory=dict)
    tokens: NDArray[np.int8] | None = None
    judged: Mapping[str, Mapping[int, float]] = field(default_factory=dict)
