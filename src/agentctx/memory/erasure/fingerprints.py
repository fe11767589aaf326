"""What was forgotten as salted fingerprints, to be looked for without being kept."""

import base64
import json
import secrets
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from agentctx.errors import ConfigError
from agentctx.memory.erasure import samples
from agentctx.memory.erasure.windows import (
    BLOCK,
    BYTES_32,
    EVERY_PHASE,
    FLOATS,
    SALT_BYTES,
    VIEWS,
    WIDEST,
    Finder,
    Key,
    View,
    Words,
    holds,
)

Kind = Literal["text", "label", "id", "digest", "media", "vector", "tokens", "reading", "word"]
KINDS: tuple[Kind, ...] = get_args(Kind)
Value = str | bytes | NDArray[np.float32] | NDArray[np.int8]

_FORMAT = "agentctx erasure 1"
# Of an array of floats, all begin at one of these places of every 8 bytes.
_WHOLE_FLOATS = (0, 4)


@dataclass(frozen=True, slots=True, eq=False)
class Fingerprints:
    """Salted fingerprints by kind and view, each sorted; of words, their salted hashes.

    ``shared``: how many there were of each kind that what remains has too; they are not looked
    for. ``short``: how many texts are too short (8 bytes or fewer) to be looked for as text.
    """

    salt: bytes
    marks: Mapping[tuple[Kind, View], Words]
    words: frozenset[int] = frozenset()
    shared: Mapping[Kind, int] = field(default_factory=dict)
    short: int = 0

    def counts(self) -> dict[Kind, int]:
        """How many fingerprints of each kind there are."""
        found: dict[Kind, int] = defaultdict(int)
        for (kind, _), marks in self.marks.items():
            found[kind] += len(marks)
        if self.words:
            found["word"] = len(self.words)
        return {kind: found[kind] for kind in KINDS if found[kind]}

    def by_view(self, kinds: Iterable[Kind] = KINDS) -> dict[View, Words]:
        """The fingerprints of these kinds together, sorted, by view."""
        wanted = set(kinds)
        found: dict[View, list[Words]] = defaultdict(list)
        for (kind, view), marks in self.marks.items():
            if kind in wanted:
                found[view].append(marks)
        return {view: np.unique(np.concatenate(parts)) for view, parts in found.items()}

    def kinds_of(self, view: View, fingerprint: int) -> list[Kind]:
        """Which kinds have this fingerprint."""
        return [
            kind
            for (kind, other), marks in self.marks.items()
            if other == view and holds(marks, fingerprint)
        ]

    def without(self, remaining: Iterable[Value]) -> "Fingerprints":
        """These less those that something has which is to stay.

        ``remaining``, taken one by one: texts and labels (str), vectors (float32) and token
        matrices (int8); bytes are parts of media files, and count against such parts only: text
        that a file has which stays is a copy to be told of.
        """
        found: dict[View, set[int]] = defaultdict(set)
        key = Key(self.salt)
        finders: dict[str, tuple[Finder, Iterable[int]]] = {
            "str": (Finder(key, self.by_view()), EVERY_PHASE),
            "bytes": (Finder(key, self.by_view(["media"])), EVERY_PHASE),
            "f": (Finder(key, self.by_view(["vector"])), _WHOLE_FLOATS),
            "i": (Finder(key, self.by_view(["tokens"])), EVERY_PHASE),
        }
        for name, block, stop in _blocks(remaining):
            finder, phases = finders[name]
            for view, _, fingerprint in finder.find(block, stop, tuple(phases)):
                found[view].add(fingerprint)
        marks, shared = {}, dict(self.shared)
        for (kind, view), own in self.marks.items():
            gone = np.array(sorted(found[view]), np.uint64)
            marks[kind, view] = np.setdiff1d(own, gone, assume_unique=True)
            lost = len(own) - len(marks[kind, view])
            if lost:
                shared[kind] = shared.get(kind, 0) + lost
        return replace(self, marks=marks, shared=shared)

    def to_text(self) -> str:
        """One line of JSON, for a receipt."""
        marks = [
            {"kind": kind, "view": view.name, "marks": _packed(marks)}
            for (kind, view), marks in self.marks.items()
            if len(marks)
        ]
        words = np.array(sorted(self.words), np.uint64)
        content = {
            "format": _FORMAT,
            "salt": base64.b64encode(self.salt).decode(),
            "marks": marks,
            "words": _packed(words),
            "shared": dict(self.shared),
            "short": self.short,
        }
        return json.dumps(content, separators=(",", ":"))

    @classmethod
    def from_text(cls, text: str) -> "Fingerprints":
        """What `to_text` gave; raises ConfigError for anything else."""
        try:
            content: dict[str, Any] = json.loads(text)
            made_as = content["format"]
            if made_as == _FORMAT:
                return cls._from(content)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ConfigError(
                f"this is no receipt of what was forgotten: {error!r}; give the file that "
                "agentctx forget --json wrote"
            ) from error
        raise ConfigError(
            f"the receipt's fingerprints are of {made_as!r}, this agentctx reads {_FORMAT!r}; "
            "check with the agentctx that made the receipt"
        )

    @classmethod
    def _from(cls, content: Mapping[str, Any]) -> "Fingerprints":
        salt = base64.b64decode(content["salt"], validate=True)
        if len(salt) != SALT_BYTES:
            raise ValueError(f"a salt of {len(salt)} bytes")
        return cls(
            salt=salt,
            marks={
                (_kind(part["kind"]), VIEWS[part["view"]]): _unpacked(part["marks"])
                for part in content["marks"]
            },
            words=frozenset(_unpacked(content["words"]).tolist()),
            shared={_kind(kind): int(count) for kind, count in content["shared"].items()},
            short=int(content["short"]),
        )


def collect(
    *,
    texts: Iterable[str] = (),
    labels: Iterable[str] = (),
    ids: Iterable[str] = (),
    digests: Iterable[str] = (),
    media: Iterable[Path] = (),
    vectors: Iterable[NDArray[np.float32]] = (),
    tokens: Iterable[NDArray[np.int8]] = (),
    readings: Iterable[bytes] = (),
    words: Iterable[str] = (),
) -> Fingerprints:
    """Fingerprints of what is to be forgotten, while it is still there.

    ``labels``: sessions, sources, names and values of attributes; ``digests``: in hex; ``media``:
    the files to be erased; ``vectors`` float32 [d] and ``tokens`` int8 [n, d], one array for each
    passage; ``readings``: records of `agentctx.memory.cutting`; ``words``: those of the full-text
    index that only the forgotten had.
    """
    key = Key(secrets.token_bytes(SALT_BYTES))
    made: dict[tuple[Kind, View], list[samples.Windows]] = defaultdict(list)
    short = 0
    strings: tuple[tuple[Kind, Iterable[str]], ...] = (
        ("text", texts), ("label", labels), ("id", ids), ("digest", digests),
    )  # fmt: skip
    for kind, group in strings:
        for data in _bytes_of(kind, group):
            if (sample := samples.of_bytes(data)) is not None:
                view, windows = sample
                made[kind, view].append(windows)
            else:
                short += kind == "text"
    made["media", BYTES_32] = [samples.of_media(path) for path in media]
    made["vector", FLOATS] = [samples.of_vector(vector) for vector in vectors]
    made["tokens", BYTES_32] = [samples.of_tokens(matrix) for matrix in tokens]
    made["reading", BYTES_32] = [
        np.frombuffer(part, np.uint8).reshape(-1, BYTES_32.width) for part in readings
    ]
    marks = {
        (kind, view): key.fingerprints(view, np.concatenate(parts))
        for (kind, view), parts in made.items()
        if parts
    }
    return Fingerprints(key.salt, marks, frozenset(map(key.word, words)), short=short)


def _bytes_of(kind: Kind, strings: Iterable[str]) -> Iterator[bytes]:
    """All that may be in a file of strings: as text, in JSON, and of a digest as bytes."""
    for string in dict.fromkeys(strings):
        yield from samples.forms(string)
        if kind == "digest":
            yield bytes.fromhex(string)


def _blocks(values: Iterable[Value]) -> Iterator[tuple[str, bytes, int]]:
    """Values of a type joined into blocks: (the type, bytes, how many of them begin windows)"""
    waiting: dict[str, bytearray] = defaultdict(bytearray)
    name: str
    for value in values:
        if isinstance(value, np.ndarray):
            name, data = value.dtype.kind, value.tobytes()
        elif isinstance(value, bytes):
            name, data = "bytes", value + b"\0"
        else:
            name, data = "str", b"\0".join([*samples.forms(value), b""])
        waiting[name] += data
        while len(waiting[name]) >= BLOCK + WIDEST:
            yield name, bytes(waiting[name][: BLOCK + WIDEST]), BLOCK
            del waiting[name][:BLOCK]
    for name, rest in waiting.items():
        for start in range(0, len(rest), BLOCK):
            block = bytes(rest[start : start + BLOCK + WIDEST])
            yield name, block, min(BLOCK, len(block))


def _packed(marks: Words) -> str:
    return base64.b64encode(marks.astype("<u8").tobytes()).decode()


def _unpacked(text: str) -> Words:
    return np.unique(np.frombuffer(base64.b64decode(text, validate=True), "<u8"))


def _kind(name: str) -> Kind:
    for kind in KINDS:
        if kind == name:
            return kind
    raise ValueError(f"fingerprints of {name!r}")
