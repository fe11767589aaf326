"""What an archive consists of: its manifest, its tables, and what both must look like.

A ZIP file whose members are all stored as they are: nothing in an archive is larger than the
archive itself, and any part of it can be read without the rest.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import Any

from agentctx.errors import ArchiveError
from agentctx.extras import require
from agentctx.records import EncoderCard

FORMAT = "agentctx-archive"
VERSION = 1
MANIFEST = "manifest.json"
MEDIA = "media/"
# Rows of a table are read and written so many at a time, and take at most so many bytes then.
GROUP_ROWS = 1024
GROUP_BYTES = 256 * 1024**2
# It grows with the observations whose content does not fit their id, of which there are few.
MANIFEST_BYTES = 16 * 1024**2

_MOST_WIDTH = 1_000_000

DIGEST = re.compile(r"[0-9a-f]{64}")
ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Table:
    """What the manifest says of a table: rows, bytes of its member, and their sha256."""

    rows: int
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """The contents of ``manifest.json``.

    ``selection`` names the filters that made the archive a slice, without their values; ``ids``
    are observations whose id is not the one that their content gives. A space's number in
    ``spaces`` is that of its tables.
    """

    agentctx: str
    created_at: datetime
    selection: tuple[str, ...]
    spaces: tuple[EncoderCard, ...]
    tables: Mapping[str, Table]
    media: int
    ids: frozenset[str]

    def to_json(self) -> str:
        """The manifest as it is stored."""
        content = {
            "format": FORMAT,
            "version": VERSION,
            "agentctx": self.agentctx,
            "created_at": self.created_at.isoformat(),
            "selection": self.selection,
            "spaces": [asdict(card) for card in self.spaces],
            "tables": {name: asdict(table) for name, table in self.tables.items()},
            "media": self.media,
            "ids": sorted(self.ids),
        }
        return json.dumps(content, indent=1)

    @classmethod
    def from_json(cls, text: bytes) -> "Manifest":
        """The manifest in a member's bytes; raises ArchiveError saying what is wrong with it."""
        try:
            content = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ArchiveError(f"{MANIFEST} is not JSON: {error}") from error
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise ArchiveError(f"{MANIFEST} does not say that this is an archive of agentctx")
        version = content.get("version")
        if type(version) is int and version > VERSION:
            raise ArchiveError(
                f"format {version} is newer than {VERSION}, the last one known here; upgrade "
                "agentctx"
            )
        if version != VERSION or type(version) is not int:
            raise ArchiveError(f"{MANIFEST} gives the format {version!r}; there is none like it")
        try:
            return cls._read(content)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise ArchiveError(f"{MANIFEST} is incomplete or damaged: {error!r}") from error

    @classmethod
    def _read(cls, content: dict[str, Any]) -> "Manifest":
        manifest = cls(
            agentctx=_of(str, content["agentctx"]),
            created_at=datetime.fromisoformat(content["created_at"]).astimezone(UTC),
            selection=tuple(_of(str, name) for name in content["selection"]),
            spaces=tuple(card(one) for one in content["spaces"]),
            tables={name: _table(table) for name, table in content["tables"].items()},
            media=_count(content["media"]),
            ids=frozenset(_matching(ID, id_) for id_ in content["ids"]),
        )
        if len({card.space for card in manifest.spaces}) != len(manifest.spaces):
            raise ValueError("a space is there twice")
        if set(manifest.tables) != set(schemas(manifest.spaces)):
            raise ValueError(f"the tables are {sorted(manifest.tables)}")
        return manifest


def vectors(space: int) -> str:
    """The table of a space's vectors."""
    return f"vectors/{space}.parquet"


def tokens(space: int) -> str:
    """The table of a space's token matrices."""
    return f"tokens/{space}.parquet"


def schemas(spaces: tuple[EncoderCard, ...]) -> dict[str, Any]:
    """The Arrow schema of every table by the name of its member, in the order they are written.

    Raises MissingExtra without pyarrow.
    """
    arrow = require("pyarrow", extra="archive")
    text, whole = arrow.string(), arrow.int64()
    passage = [("observation", text), ("ordinal", whole)]
    tables: dict[str, list[tuple[str, Any]]] = {
        "observations.parquet": [
            ("id", text),
            ("modality", text),
            ("text", text),
            ("captured_at", arrow.timestamp("us", "UTC")),
            ("duration", arrow.float64()),
            ("session", text),
            ("source", text),
            ("attributes", text),
        ],
        "media.parquet": [
            ("observation", text),
            ("position", whole),
            ("kind", text),
            ("mime", text),
            ("digest", text),
            ("size", whole),
        ],
        "passages.parquet": [*passage, ("start", whole), ("stop", whole)],
    }
    for number, card in enumerate(spaces):
        row = arrow.list_(arrow.field("element", arrow.float32(), nullable=False), card.dimension)
        tables[vectors(number)] = [*passage, ("vector", row)]
        if card.token_dimension:
            tables[tokens(number)] = [*passage, ("tokens", whole), ("matrix", arrow.binary())]
    tables["sources.parquet"] = [("key", text), ("observation", text)]
    return {
        name: arrow.schema([arrow.field(*column, nullable=False) for column in columns])
        for name, columns in tables.items()
    }


def card(content: dict[str, Any]) -> EncoderCard:
    """An encoder card from plain data; raises ValueError when it is none."""
    if set(content) != {field.name for field in fields(EncoderCard)}:
        raise ValueError(f"an encoder card has {sorted(content)}")
    modalities = tuple(_of(str, name) for name in content["modalities"])
    found = EncoderCard(**content | {"modalities": modalities})
    for name in ("name", "revision", "space", "licence", "digest"):
        _of(str, getattr(found, name))
    for width in (_count(found.dimension), _count(found.token_dimension)):
        if width > _MOST_WIDTH:
            raise ValueError(f"the space {found.space!r} has {width} dimensions")
    return found


def _table(content: dict[str, Any]) -> Table:
    if set(content) != {field.name for field in fields(Table)}:
        raise ValueError(f"a table has {sorted(content)}")
    return Table(
        _count(content["rows"]), _count(content["size"]), _matching(DIGEST, content["sha256"])
    )


def _of(kind: type, value: Any) -> Any:  # noqa: ANN401
    if type(value) is not kind:
        raise ValueError(f"{value!r} is no {kind.__name__}")
    return value


def _count(value: object) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"{value!r} is no count")
    return value


def _matching(pattern: "re.Pattern[str]", value: object) -> str:
    if not isinstance(value, str) or pattern.fullmatch(value) is None:
        raise ValueError(f"{value!r} is no {pattern.pattern}")
    return value
