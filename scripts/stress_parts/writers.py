"""Writes in a second and how long a search takes, with more and more processes that write."""

import json
import statistics
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stress_parts.actors import Actor, Nursery
from stress_parts.sharing import percentiles

_PROCESSES = (1, 2, 4, 8)
_ROUNDS = 3
# A search for every eight batches: enough to time them, few enough to be a run of writes.
_LOOKING = 0.125
_BARE = "bare chroma, 1"


def write(seconds: float, encoder: str) -> dict[str, Any]:
    """All of them in turn, several times, in so many seconds altogether.

    Medians, and ratios to one process with bare Chroma.
    """
    seconds /= _ROUNDS * (len(_PROCESSES) + 1)
    runs: dict[str, list[dict[str, Any]]] = {}
    with Nursery() as nursery, tempfile.TemporaryDirectory(prefix="stress-") as folder:
        for round_ in range(_ROUNDS):
            for count in _PROCESSES:
                place = Path(folder) / f"{round_} of {count}"
                name = f"agentctx, {count}"
                runs.setdefault(name, []).append(
                    _run(nursery, place, "share", count, seconds, encoder)
                )
            place = Path(folder) / f"{round_} of chroma"
            runs.setdefault(_BARE, []).append(
                _run(nursery, place, "share_chroma", 1, seconds, encoder)
            )
    rows = {name: _median(found) for name, found in runs.items()}
    bare = rows[_BARE]["writes_per_second"]
    for row in rows.values():
        row["writes_over_bare"] = round(row["writes_per_second"] / bare, 2)
    return {"seconds_each": round(seconds, 1), "rounds": _ROUNDS, "rows": rows}


def _run(
    nursery: Nursery, place: Path, verb: str, count: int, seconds: float, encoder: str
) -> dict[str, Any]:
    logs = place / "logs"
    logs.mkdir(parents=True)
    actors: list[Actor] = [nursery.actor(place / "shared", encoder) for _ in range(count)]
    for actor in actors:
        if verb == "share":
            actor.ask("open")
    for number, actor in enumerate(actors):
        owner = f"w{number}"
        actor.tell(verb, logs=str(logs), owner=owner, seconds=seconds, looking=_LOOKING)
    began = time.monotonic()
    done = [actor.answer(seconds + 120.0) for actor in actors]
    for actor in actors:
        actor.kill(family=True)
    told = [json.loads(path.read_text("utf-8")) for path in logs.glob("*.json")]
    # What it takes to import and open Chroma is none of its writing.
    longest = max(one["seconds"] for one in done)
    return {
        "writes_per_second": sum(one["added"] for one in done) / longest,
        "wall_seconds": time.monotonic() - began,
        "search_ms": percentiles(ms for one in told for ms in one["search_ms"]),
        "add_ms": percentiles(ms for one in told for ms in one["add_ms"]),
        "errors": sum(sum(one["errors"].values()) for one in told),
    }


def _median(found: list[dict[str, Any]]) -> dict[str, Any]:
    row: dict[str, Any] = {
        "writes_per_second": round(statistics.median(r["writes_per_second"] for r in found), 1),
        "errors": sum(run["errors"] for run in found),
    }
    for what in ("add_ms", "search_ms"):
        for share in ("p50", "p95"):
            values = [run[what][share] for run in found if run[what]]
            row[f"{what}_{share}"] = statistics.median(values) if values else None
    return row


def table(report: Mapping[str, Any]) -> str:
    """The report in short."""
    lines = [f"{'':18} writes/s  of bare  add p50    p95  search p50    p95  (ms)  errors"]
    for name, row in report["rows"].items():
        lines.append(
            f"{name:18} {row['writes_per_second']:>8} {row['writes_over_bare']:>8}"
            f" {row['add_ms_p50']!s:>8} {row['add_ms_p95']!s:>6}"
            f" {row['search_ms_p50']!s:>11} {row['search_ms_p95']!s:>6} {row['errors']:>13}"
        )
    return "\n".join(lines)
