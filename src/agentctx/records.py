"""The frozen records that travel between the layers.

Times are aware datetimes (a naive one is taken as local time), durations are seconds, scores are
floats of which the higher is the better, vectors are float32 rows of length 1.
"""

import hashlib
import io
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, BinaryIO

from agentctx.values import shifted, whole_characters

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Scalar = str | int | float | bool | None
Attribute = Scalar | tuple[Scalar, ...]

# So many characters of an id tell it from a million others (40 bits).
SHORT_ID = 10
# Modalities whose observations follow each other as turns: one explains the next.
CONVERSATIONAL = frozenset({"text", "speech"})


def _attribute(name: str, value: object) -> Attribute:
    items = tuple(value) if isinstance(value, list | tuple) else (value,)
    if not all(item is None or isinstance(item, str | int | float) for item in items):
        raise ValueError(
            f"attribute {name!r} is {value!r}; it must be a string, a number, true or false, None, "
            "or a list of these"
        )
    return items if isinstance(value, list | tuple) else items[0]


@dataclass(frozen=True, slots=True)
class Media:
    """A file that belongs to an observation: its original, a thumbnail, readings, a layout.

    The bytes are at ``path``, or in ``data``, or what ``opener`` opens (where a memory keeps them
    encrypted); ``digest`` is their sha256 in hex.
    """

    kind: str
    mime: str
    digest: str
    size: int
    path: Path | None = field(default=None, compare=False)
    data: bytes | None = field(default=None, repr=False, compare=False)
    opener: Callable[[], BinaryIO] | None = field(default=None, repr=False, compare=False)

    @classmethod
    def of_bytes(cls, kind: str, mime: str, data: bytes) -> "Media":
        """Media held in memory, until the store writes it."""
        return cls(kind, mime, hashlib.sha256(data).hexdigest(), len(data), data=data)

    @classmethod
    def of_file(cls, kind: str, mime: str, path: Path) -> "Media":
        """Media that stays where it is, until the store copies it."""
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return cls(kind, mime, digest, path.stat().st_size, path=path)

    def __reduce__(self) -> tuple[Any, ...]:
        # An opener holds a key, which must not travel along: the bytes do.
        data = self.data if self.opener is None else self.read()
        path = self.path if self.opener is None else None
        return Media, (self.kind, self.mime, self.digest, self.size, path, data)

    def open(self) -> BinaryIO:
        """The bytes as a file for reading, at any position."""
        if self.data is not None:
            return io.BytesIO(self.data)
        if self.opener is not None:
            return self.opener()
        if self.path is None:
            raise FileNotFoundError(f"the {self.kind} {self.digest} has neither a path nor bytes")
        return self.path.open("rb")

    def read(self) -> bytes:
        """The bytes themselves."""
        with self.open() as file:
            return file.read()


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One thing perceived. Immutable; its ``id`` is derived from its content.

    ``captured_at`` is when it began and ``duration`` how many seconds it lasted. ``session``
    groups what belongs together (a meeting, a day, a machine), ``source`` says where it came
    from, and ``attributes`` hold what else is known of it: strings, numbers, booleans, or
    tuples of these.
    """

    modality: str = "text"
    text: str = ""
    captured_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    duration: float = 0.0
    session: str = ""
    source: str = ""
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    media: tuple[Media, ...] = ()
    id: str = field(init=False, default="")

    def __post_init__(self) -> None:
        """Normalise the time and the attributes, and derive the id."""
        if not (math.isfinite(self.duration) and self.duration >= 0):
            raise ValueError(f"duration is {self.duration} s; it cannot be negative or endless")
        attributes = {name: _attribute(name, value) for name, value in self.attributes.items()}
        fix = object.__setattr__
        fix(self, "captured_at", self.captured_at.astimezone(UTC))
        for name in ("text", "session", "source"):
            fix(self, name, whole_characters(getattr(self, name)))
        fix(self, "attributes", MappingProxyType(attributes))
        fix(self, "media", tuple(self.media))
        fix(self, "id", self._digest())

    @classmethod
    def restored(cls, id_: str, **fields: object) -> "Observation":
        """An observation as it was stored, normalised and hashed already.

        A search restores hundreds; normalising and hashing each anew was a fifth of its time.
        """
        made = object.__new__(cls)
        for name, value in fields.items():
            object.__setattr__(made, name, value)
        object.__setattr__(made, "id", id_)
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        # Through plain data: the read-only view of the attributes cannot be pickled or copied.
        values = {name: getattr(self, name) for name in self.__slots__ if name != "id"}
        return _restored, (self.id, {**values, "attributes": dict(self.attributes)})

    def _digest(self) -> str:
        # Derived media (thumbnail, layout) depend on library versions; the original does not.
        original = next((m.digest for m in self.media if m.kind == "original"), None)
        content = [
            self.modality,
            self.text,
            self.captured_at.isoformat(),
            self.duration,
            self.session,
            self.source,
            sorted(self.attributes.items()),
            original,
        ]
        packed = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(packed.encode("utf-8", "surrogatepass")).hexdigest()[:32]

    @property
    def ended_at(self) -> datetime:
        """When it ended: ``captured_at + duration``."""
        return shifted(self.captured_at, self.duration)

    def find_media(self, kind: str) -> Media | None:
        """The first media of a kind, if there is one."""
        return next((media for media in self.media if media.kind == kind), None)


def _restored(id_: str, fields: dict[str, Any]) -> Observation:
    return Observation.restored(
        id_, **{**fields, "attributes": MappingProxyType(fields["attributes"])}
    )


@dataclass(frozen=True, slots=True)
class Passage:
    """A part of an observation's text that an encoder takes whole: ``text[start:stop]``."""

    observation: Observation
    ordinal: int
    text: str
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class EncoderCard:
    """What made a vector. Kept with the vectors; another card under one space is refused.

    ``token_dimension`` is the width of the late-interaction token vectors, 0 where there are
    none; ``digest`` is the sha256 of the weights (or of the algorithm's parameters).
    """

    name: str
    revision: str
    space: str
    dimension: int
    modalities: tuple[str, ...]
    licence: str
    digest: str
    token_dimension: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Embeddings:
    """What an encoder gives: ``vectors`` float32 [n, dimension], rows of length 1.

    ``tokens``, where the encoder has them: one int8 matrix [tokens, token_dimension] per row,
    whose rows point where the token vectors point (their length carries no meaning).
    """

    vectors: "NDArray[np.float32]"
    tokens: "Sequence[NDArray[np.int8]] | None" = None


@dataclass(frozen=True, slots=True)
class Filters:
    """Which observations may be found. None, or an empty tuple, does not restrict."""

    modality: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    session: tuple[str, ...] = ()
    source: tuple[str, ...] = ()
    # Pairs of a name and the values that it may have; a list has each of its items.
    attributes: tuple[tuple[str, tuple[Scalar, ...]], ...] = ()

    def __bool__(self) -> bool:
        """Whether anything is restricted at all."""
        return self != Filters()


@dataclass(frozen=True, slots=True)
class Signal:
    """One reason for a hit: its rank (1 is the best) and score in one list or stage.

    ``weight``: what the score counts in that of the hit; None for a list of candidates.
    """

    name: str
    score: float
    rank: int | None = None
    weight: float | None = None

    def __str__(self) -> str:
        """The signal in words, for people."""
        rank = "" if self.rank is None else f" #{self.rank}"
        weight = "" if self.weight is None else f" x {self.weight:g}"
        return f"{self.name}{rank} ({self.score:.3f}{weight})"


@dataclass(frozen=True, slots=True)
class Hit:
    """An observation that was found: how well it fits (higher is better), and why."""

    observation: Observation
    score: float
    why: tuple[Signal, ...] = ()
    passage: str = ""

    @property
    def id(self) -> str:
        """The observation's id."""
        return self.observation.id

    @property
    def text(self) -> str:
        """The observation's whole text; ``passage`` is the part that matched best."""
        return self.observation.text

    @property
    def modality(self) -> str:
        """The observation's modality."""
        return self.observation.modality

    @property
    def captured_at(self) -> datetime:
        """When the observation began (UTC)."""
        return self.observation.captured_at

    @property
    def duration(self) -> float:
        """How long the observation lasted, in seconds."""
        return self.observation.duration

    @property
    def session(self) -> str:
        """The observation's session."""
        return self.observation.session

    @property
    def source(self) -> str:
        """The observation's source."""
        return self.observation.source

    @property
    def attributes(self) -> Mapping[str, Attribute]:
        """The observation's attributes."""
        return self.observation.attributes

    def _repr_html_(self) -> str:
        from agentctx import render_html

        return render_html.hit(self.observation, self.score, self.passage)


@dataclass(frozen=True, slots=True)
class SessionHit:
    """A session that was found: how well it fits (higher is better), and its best hits."""

    session: str
    score: float
    hits: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class Moment:
    """A stretch of time around hits, with what else was perceived then.

    ``hits`` matched the query; ``companions`` did not, but overlap the same stretch.
    """

    start: datetime
    end: datetime
    score: float
    hits: tuple[Hit, ...]
    companions: tuple[Observation, ...] = ()

    @property
    def modalities(self) -> tuple[str, ...]:
        """The modalities present, sorted."""
        found = {hit.modality for hit in self.hits} | {o.modality for o in self.companions}
        return tuple(sorted(found))

    def _repr_html_(self) -> str:
        from agentctx import render_html

        hits = [hit.observation for hit in self.hits]
        return render_html.moment(self.start, self.end, hits, self.companions)


@dataclass(frozen=True, slots=True)
class Citation:
    """What a mark in a context's text stands for: ``[number]``, or ``[id]`` where ids were asked.

    The short id is the beginning of the observation's; `Memory.get` takes it. ``suspicious`` says
    why the quotation reads like instructions to an agent (`agentctx.suspicion.reasons`).
    """

    number: int
    observation: Observation
    quote: str
    suspicious: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """The first characters of the observation's id, enough to find it again."""
        return self.observation.id[:SHORT_ID]


@dataclass(frozen=True, slots=True)
class Context:
    """What an agent gets: text with citation marks, under a token budget.

    ``images`` are thumbnails of the cited observations, in order of citation; ``tokens`` counts
    ``text``; ``left_out`` says how many hits did not fit, and ``more`` whether there are further
    ones after those that were looked at.
    """

    text: str
    citations: tuple[Citation, ...]
    images: tuple[Media, ...]
    tokens: int
    left_out: int = 0
    more: bool = False

    def __str__(self) -> str:
        """The text, ready for a prompt."""
        return self.text

    def _repr_html_(self) -> str:
        from agentctx import render_html

        # A mark is a number or an id: the text has the one that is meant.
        by_id = any(f"[{one.id}]" in self.text for one in self.citations)
        cited = [(one.id if by_id else str(one.number), one.observation) for one in self.citations]
        return render_html.context(self.text, self.tokens, cited)
