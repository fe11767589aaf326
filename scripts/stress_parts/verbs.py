"""What an actor can be told to do."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from agentctx import Memory
from agentctx.memory import checks
from agentctx.memory.erasure import of_observations
from agentctx.memory.store import Store
from agentctx.records import Filters
from agentctx.reports import Receipt
from stress_parts import checking, light, sharers

_ANY = Filters()
_RULE = "6 ids"


def _add(memory: Memory, owner: str, numbers: Sequence[int], media: bool = False) -> dict[str, Any]:
    report = memory.add(light.observations(owner, numbers, media=media))
    return {"added": report.added, "ids": list(report.ids)}


def _search(memory: Memory, query: str, **options: Any) -> list[dict[str, Any]]:  # noqa: ANN401
    return [{"id": hit.observation.id, "text": hit.text} for hit in memory.search(query, **options)]


def _forget(memory: Memory, **rule: Any) -> dict[str, Any]:  # noqa: ANN401
    receipt = memory.forget(**rule)
    return {
        "forgotten": receipt.forgotten,
        "ids": list(receipt.ids),
        "fingerprints": receipt.fingerprints,
        "unfinished": receipt.unfinished,
    }


def _erased(memory: Memory, fingerprints: str) -> list[str]:
    """What is left of what was forgotten: where it was found."""
    receipt = Receipt(0, (), (), datetime.now(UTC), "", fingerprints)
    report = memory.verify_erased(receipt)
    return [str(finding) for finding in report.findings]


def _ids(memory: Memory) -> list[str]:
    return [observation.id for observation in memory.timeline()]


def _verify(memory: Memory) -> dict[str, Any]:
    report = memory.verify()
    return {
        "problems": list(report.problems),
        "pending": report.pending,
        "observations": report.observations,
    }


def _fingerprints(memory: Memory, ids: Sequence[str]) -> str:
    """What a receipt would have, of what may be forgotten without a receipt that arrives."""
    store = memory._store
    rows = store.catalog.select(_ANY, list(ids))
    with store.catalog.reading() as db:
        made = of_observations(db, [row.pk for row in rows], store.media.path, kept=[_RULE])
    return made.to_text()


def _verify_files(memory: Memory) -> list[str]:
    """What `Memory.verify` finds without the index, whose process takes seconds to start."""
    store = memory._store
    problems = checks.file_problems(store.catalog) + checks.words_problems(store.catalog)
    return problems + checks.media_problems(store.catalog, store.media)


def _health(memory: Memory) -> dict[str, Any]:
    """Whether the index process serves, and what it found when it opened the index."""
    store = memory._store
    guard = store._guard
    assert guard is not None
    pending = store.catalog.counts()["pending"]
    return {"ready": guard.ready, "problems": guard.problems, "pending": pending}


def _repair(directory: Path) -> dict[str, Any]:
    """What `Memory.repair` says it did."""
    report = Memory.repair(directory, light.config())
    return json.loads(json.dumps(asdict(report), default=str))  # type: ignore[no-any-return]


def _migrate(directory: Path) -> int:
    """Open a memory of an old schema; gives how many observations it has."""
    store = Store(directory, exact_limit=0)
    count = store.catalog.counts()["observations"]
    store.catalog.close()
    return count


VERBS: Mapping[str, Callable[..., Any]] = {
    "open": lambda memory: True,
    "add": _add,
    "search": _search,
    "forget": _forget,
    "ids": _ids,
    "verify": _verify,
    "verify_files": _verify_files,
    "erased": _erased,
    "fingerprints": _fingerprints,
    "finish": lambda memory: memory._store.finish_erasing(),
    "health": _health,
    "settle": lambda memory: memory._store.settle(),
    "rebuild": lambda memory: memory.rebuild_index(),
    "close": lambda memory: memory.close(),
    "share": sharers.share_memory,
    "look_up": checking.look_up,
}
# What needs no memory, but its directory.
TASKS: Mapping[str, Callable[..., Any]] = {
    "migrate": _migrate,
    "repair": _repair,
    "share_chroma": sharers.share_chroma,
    "check_chroma": checking.check_chroma,
    "own_misses": checking.own_misses,
}
