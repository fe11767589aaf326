"""How long it takes a memory to be itself again after a kill, against its size."""

import shutil
import sqlite3
import statistics
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from stress_parts.actors import Actor, Nursery
from stress_parts.sharing import megabytes, wait_for_lease

_BATCH = 1000
_ROUNDS = 3
_MOMENT = 0.02


def against_size(nursery: Nursery, place: Path, sizes: Sequence[int]) -> list[dict[str, Any]]:
    """For each number of entries: seconds until it opens, answers, and has its index again."""
    whole = place / "growing"
    rows = []
    entries = 0
    for size in sorted(sizes):
        actor = nursery.actor(whole)
        for start in range(entries, size, _BATCH):
            numbers = list(range(start, min(start + _BATCH, size)))
            actor.ask("add", owner="size", numbers=numbers)
        actor.ask("settle")
        actor.ask("close")
        actor.kill()
        entries = size
        rows.append({"entries": size, "megabytes": megabytes(whole)} | _row(nursery, whole, place))
    return rows


def _row(nursery: Nursery, whole: Path, place: Path) -> dict[str, Any]:
    figures: dict[str, list[float]] = {}
    for kind in ("add", "forget"):
        for round_ in range(_ROUNDS):
            copy = place / "copy"
            shutil.copytree(whole, copy)
            _killed(nursery.actor(copy, exact_limit=0), copy, kind, round_)
            actor = nursery.actor(copy, exact_limit=0)
            began = time.monotonic()
            actor.ask("open")
            _note(figures, f"open_after_{kind}", began)
            actor.ask("search", query="pump3 of line2", limit=5)
            _note(figures, f"answer_after_{kind}", began)
            if round_ == 0:
                wait_for_lease(copy / "lease", actor)
                actor.ask("settle")
                _note(figures, f"index_after_{kind}", began)
            actor.kill(family=True)
            shutil.rmtree(copy)
    return {f"{name}_seconds": statistics.median(values) for name, values in figures.items()}


def _killed(actor: Actor, directory: Path, kind: str, round_: int) -> None:
    """Kill a process in an add, or in a forget when its rows are gone and bytes are left."""
    ids = actor.ask("add", owner=f"new{round_}", numbers=list(range(64)))["ids"]
    if kind == "add":
        actor.tell("add", owner="unfinished", numbers=list(range(_BATCH)))
        time.sleep(_MOMENT)
    else:
        actor.tell("forget", ids=ids[:8])
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not _erasing(directory):
            time.sleep(_MOMENT / 10)
    actor.kill(family=True)


def _erasing(directory: Path) -> bool:
    with closing(sqlite3.connect(directory / "catalog.sqlite3")) as db:
        found = db.execute("SELECT value FROM state WHERE name = 'erasing'").fetchone()
    return bool(found == ("yes",))


def _note(figures: dict[str, list[float]], name: str, began: float) -> None:
    figures.setdefault(name, []).append(round(time.monotonic() - began, 3))
