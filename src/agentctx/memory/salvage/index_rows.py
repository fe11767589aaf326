"""Observations that Chroma's own database still has the texts of.

Read with plain SQLite: Chroma is not needed for it, and would write.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from agentctx.records import Observation

_SQL = (
    "SELECT embedding_id, key, string_value, int_value, float_value, bool_value "
    "FROM embedding_metadata JOIN embeddings USING (id)"
)
_DOCUMENT = "chroma:document"
# What agentctx.memory.chroma adds to an observation's own attributes.
_OURS = (
    _DOCUMENT, "observation_id", "modality", "captured_at", "captured_at_epoch", "duration",
    "session", "source",
)  # fmt: skip
# White space between passages and behind the last: Chroma does not have it, the id proves it.
_BETWEEN = ("", " ", "\n", "\n\n")
_BEHIND = ("", "\n", " ")


@dataclass(slots=True)
class Indexed:
    """An observation as Chroma has it: the texts of its passages, and what else it tells."""

    texts: dict[int, str] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)

    def observations(self) -> list[Observation]:
        """What it may have been; none, when Chroma has not enough of it."""
        texts = [text for _, text in sorted(self.texts.items())]
        if sorted(self.texts) != list(range(len(texts))):
            return []
        values = self.values
        attributes = {name: value for name, value in values.items() if name not in _OURS}
        try:
            return [
                Observation(
                    modality=values["modality"],
                    text=between.join(texts) + behind,
                    captured_at=datetime.fromisoformat(values["captured_at"]),
                    duration=values["duration"],
                    session=values["session"],
                    source=values["source"],
                    attributes=attributes,
                )
                for between in (_BETWEEN if len(texts) > 1 else _BETWEEN[:1])
                for behind in _BEHIND
            ]
        except (LookupError, ValueError, TypeError):
            return []


def indexed(directory: Path) -> tuple[str, Mapping[str, Indexed]]:
    """In which state Chroma's database is ("current" if it can be read), and what it has, by id."""
    path = directory / "chroma.sqlite3"
    if not path.exists():
        return "absent", {}
    found: dict[str, Indexed] = defaultdict(Indexed)
    try:
        # Writable, so that SQLite can undo what a killed process had begun.
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True)) as db:
            for name, key, *values, boolean in db.execute(_SQL):
                id_, _, ordinal = name.rpartition(":")
                value = next((v for v in values if v is not None), None)
                if key == _DOCUMENT:
                    found[id_].texts[int(ordinal)] = str(value)
                found[id_].values[key] = value if boolean is None else bool(boolean)
    except (sqlite3.Error, ValueError):
        return "damaged", found
    return "current", found
