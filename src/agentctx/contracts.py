"""What a plugin, an encoder, a reranker, a watcher must be: all extension points on one page.

Each is made by a factory that an entry point names (groups ``agentctx.plugins``,
``agentctx.encoders``, ``agentctx.rerankers``, ``agentctx.watchers``). The factory is called with
`Services` and with the options that the user's config gives for that name, as keyword arguments; it
must be cheap, so models are loaded at first use. A factory may carry ``requires``: what must be
installed; and ``weights``: the names of the pinned weights that it loads.
"""

import math
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from agentctx.errors import SourceError, SourceTooLarge
from agentctx.limits import Limits
from agentctx.records import Attribute, Embeddings, EncoderCard, Observation, Passage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Requirement:
    """A module that a factory's products import when used, and the extra that brings it."""

    module: str
    extra: str
    distribution: str = "agentctx"


@dataclass(frozen=True, slots=True)
class Source:
    """A file to be observed, with what the caller knows of it.

    ``head`` holds the first bytes (up to 4,096), so that plugins can tell a format by content
    without opening the file again. ``captured_at`` and ``session`` override what the plugin
    would find (but not the clock times inside a log); ``attributes`` are added to every
    observation. ``limits`` are to be kept by the plugin; ``deadline`` (of `time.monotonic`) is
    when its work must have ended. ``label`` names what came from no file of the user's.
    """

    path: Path
    head: bytes = b""
    session: str = ""
    captured_at: datetime | None = None
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    deadline: float = math.inf
    label: str = ""

    def check_time(self) -> None:
        """Raise SourceTooLarge when the time for the source is up; to be asked between steps."""
        if time.monotonic() > self.deadline:
            raise SourceTooLarge(
                self.name,
                f"it takes longer than limits.work_seconds = {self.limits.work_seconds:g} allows: "
                "split it, or raise that option",
            )

    @property
    def name(self) -> str:
        """How the source is named in observations and errors: the path as given, or a label."""
        return self.label or str(self.path)

    @property
    def suffix(self) -> str:
        """The file extension in lower case, with its dot."""
        return self.path.suffix.lower()


class Weights(Protocol):
    """Finds model files that match their pinned digests."""

    def find(self, name: str) -> Path:
        """The verified file or directory of a pinned set of weights.

        Raises WeightsNotFound (naming each place looked in) or WeightsMismatch.
        """
        ...

    def repository(self, name: str, patterns: Sequence[str], revision: str = "main") -> Path:
        """The directory of a model that the user names on a hub, with its files of the patterns.

        Nothing about it is pinned. Raises WeightsNotFound when it is not here and may not be
        fetched.
        """
        ...


class Services(Protocol):
    """What agentctx hands to every factory."""

    @property
    def weights(self) -> Weights:
        """The weight store."""
        ...

    def encoder(self, name: str) -> "Encoder":
        """The shared encoder of that name, so that a model is loaded once."""
        ...


@runtime_checkable
class Plugin(Protocol):
    """Knows one kind of source."""

    def accepts(self, source: Source) -> bool:
        """Whether this plugin should observe the source; by its head, then its extension."""
        ...

    def observe(self, source: Source) -> Iterator[Observation]:
        """The observations in the source, in order of time.

        Raises a SourceError that names the source when it cannot be observed.
        """
        ...


@runtime_checkable
class Encoder(Protocol):
    """Turns observations and queries into vectors of one space."""

    @property
    def card(self) -> EncoderCard:
        """What makes these vectors; reading it loads no model."""
        ...

    def accepts(self, observation: Observation) -> bool:
        """Whether this observation (of the memory, or given as a query) lives in the space."""
        ...

    def encode(self, passages: Sequence[Passage]) -> Embeddings:
        """One row per passage, in order. An encoder of whole observations gets passage 0 only."""
        ...

    def encode_query(self, query: Observation) -> Embeddings:
        """One row for a query; words come as an observation of modality ``text``."""
        ...


@runtime_checkable
class JointEncoder(Encoder, Protocol):
    """An encoder whose queries may be of other kinds than what it keeps: words for pictures.

    ``accepts`` says which observations of a memory it keeps. Several queries that it takes are one:
    the sum of their rows, each times its weight.
    """

    def accepts_query(self, query: Observation) -> bool:
        """Whether `encode_query` takes it."""
        ...


@runtime_checkable
class FittingEncoder(JointEncoder, Protocol):
    """A joint encoder that knows how well words fit, beside what is written on a picture."""

    def fit(self, scores: "NDArray[np.float32]") -> "NDArray[np.float32]":
        """How well each is what words ask for, 0..1, by its score in the space, float32 [n]."""
        ...


# The attribute of a query that says what it counts beside others in a `JointEncoder`'s space: 1 by
# default, and below 0 for what is not wanted.
QUERY_WEIGHT = "query_weight"


@runtime_checkable
class TextEncoder(Encoder, Protocol):
    """An encoder of text: it also says what fits into one vector."""

    @property
    def floor(self) -> float:
        """When the nearest passage's cosine is below this, it is probably about something else."""
        ...

    def split(self, text: str) -> Sequence[tuple[int, int]]:
        """Spans (start, stop) in characters, each short enough to be encoded whole.

        Together they cover all of the text but white space; an empty text has none.
        """
        ...

    def count_tokens(self, text: str) -> int:
        """How many tokens the text has, without special tokens."""
        ...


# What a word counts that was said just before a candidate, or just after it: this, for each step.
BEFORE, AFTER = 0.85, 0.7


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A passage to be judged by a reranker.

    ``tokens`` are its stored token vectors, where there are any. ``neighbours`` are what was said
    just before and after it: (index into the list of candidates, position), where -1 is the one
    just before and 1 the one just after.
    """

    text: str
    observation: Observation
    tokens: "NDArray[np.int8] | None" = None
    neighbours: tuple[tuple[int, int], ...] = ()


@runtime_checkable
class Reranker(Protocol):
    """The slower, precise judge of the final order."""

    @property
    def floor(self) -> float:
        """When the best score is below this, the query is probably about something else."""
        ...

    def score(self, query: Observation, candidates: Sequence[Candidate]) -> "NDArray[np.float32]":
        """One score per candidate, higher is better, float32 [n]; each in 0..1."""
        ...


def _nothing() -> None:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """Something that a watcher perceived, to be added to a memory.

    ``item``: an observation; or a file, which the plugin for its kind observes under the name
    ``source`` and which may go once the next item is asked for; or the error that says why
    something that came cannot be taken. ``captured_at`` and ``attributes`` are those of a file.
    ``done`` is called when the item is in the memory, or when the error was told: then, and not
    before, what it came from may forget it.
    """

    item: Observation | Path | SourceError
    source: str
    captured_at: datetime | None = None
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    done: Callable[[], None] = _nothing


@runtime_checkable
class Watcher(Protocol):
    """Perceives what happens, as it happens."""

    def watch(self, stop: threading.Event) -> Generator[Arrival, None, None]:
        """What arrives, until ``stop`` is set; then, within seconds, what is held, and the end.

        Nothing is opened before the first item is asked for, and everything is let go of at the
        end, also when the generator is closed before. Raises a SourceError that names the source
        when it cannot be watched; a single item that cannot be taken is an `Arrival` instead.
        """
        ...
