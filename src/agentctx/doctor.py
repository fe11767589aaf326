"""Is this installation, and this memory, in order? One check a line, each with its remedy."""

import platform
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from agentctx import registry
from agentctx.app import Memory
from agentctx.config import Config
from agentctx.errors import AgentctxError
from agentctx.weights.pins import PINS
from agentctx.weights.store import WeightStore


@dataclass(frozen=True, slots=True)
class Check:
    """One thing examined; ``detail`` says what was found, or what to do."""

    name: str
    ok: bool
    detail: str


def examine(directory: Path, config: Config) -> list[Check]:
    """Look at Python, SQLite, Chroma, everything registered, the weights and the memory."""
    return [
        Check("python", True, f"{platform.python_version()} on {platform.platform()}"),
        _sqlite(),
        Check("chroma", True, version("chromadb")),
        *_registered(),
        *_weights(config),
        _memory(directory, config),
    ]


def _sqlite() -> Check:
    with sqlite3.connect(":memory:") as db:
        found = db.execute("SELECT sqlite_compileoption_used('ENABLE_FTS5')").fetchone()[0]
    detail = sqlite3.sqlite_version if found else "built without FTS5; use another Python build"
    return Check("sqlite", bool(found), detail)


def _registered() -> Iterator[Check]:
    for row in registry.listing():
        detail = row.error or (f"missing; {row.install}" if row.install else "ready")
        yield Check(f"{row.kind} {row.name}", row.ready, detail)


def _weights(config: Config) -> Iterator[Check]:
    store = WeightStore(config.weights, allow_download=False)
    rows = registry.listing()
    for name in PINS:
        try:
            found = store.find(name)
            size = sum((found / file).stat().st_size for file in PINS[name].files)
            used = ", ".join(row.name for row in rows if name in row.weights)
            yield Check(f"weights {name}", True, f"{found} ({size / 1e6:.1f} MB, for {used})")
        except AgentctxError as error:
            yield Check(f"weights {name}", False, str(error))


def _memory(directory: Path, config: Config) -> Check:
    if not directory.expanduser().exists():
        return Check("memory", True, f"{directory} does not exist yet; the first add makes it")
    try:
        with Memory.open(directory, config) as memory:
            found = memory.verify()
    except AgentctxError as error:
        return Check("memory", False, str(error))
    detail = "; ".join(found.problems) or f"{directory}: {found.observations} observations, whole"
    return Check("memory", found.ok, detail)
