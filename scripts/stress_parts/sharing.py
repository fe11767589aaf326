"""Several processes add and search in one directory, and are killed: agentctx and bare Chroma."""

import json
import random
import signal
import sqlite3
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stress_parts import light, sharers
from stress_parts.actors import Actor, ActorDied, ActorError, Nursery, children, end

# From here on, searches ask Chroma; small enough to be passed at once.
_EXACT_LIMIT = 300
# Every so many kills of the index process, a whole process is killed.
_WHOLE = 4
_CHECK_SECONDS = 600.0
_LOOK_SECONDS = 0.1
_SPACES = {"light": "text-hash", "minilm": "text-minilm"}


@dataclass
class Stress:
    """What is asked: how many processes, for how long, how often something is killed."""

    processes: int = 8
    seconds: float = 180.0
    every: float = 4.0
    encoder: str = "light"


class Crowd:
    """The processes that share a directory; one that was killed is followed by another."""

    def __init__(self, nursery: Nursery, place: Path, verb: str, stress: Stress) -> None:
        self.logs = place / f"logs of {verb}"
        self.logs.mkdir()
        self.directory = place / verb
        self._nursery = nursery
        self._verb = verb
        self._stress = stress
        self._end = time.monotonic() + stress.seconds
        self._generation = 0
        self.actors = [self._new() for _ in range(stress.processes)]

    def _new(self) -> Actor:
        actor = self._nursery.actor(self.directory, self._stress.encoder, _EXACT_LIMIT)
        owner = f"w{self._generation}"
        self._generation += 1
        left = max(self._end - time.monotonic(), 1.0)
        actor.tell(self._verb, logs=str(self.logs), owner=owner, seconds=left)
        return actor

    def replace(self, index: int, *, family: bool) -> None:
        """Kill a process, and let another one take its place."""
        self.actors[index].kill(family=family)
        self.actors[index] = self._new()

    def finish(self) -> list[str]:
        """Wait for the end; gives what became of those that did not end well."""
        ends = []
        for actor in self.actors:
            try:
                actor.answer(_CHECK_SECONDS)
            except (ActorDied, ActorError, TimeoutError) as error:
                ends.append(f"{type(error).__name__}: {error}"[:300])
            actor.kill()
        return ends

    def acknowledged(self) -> dict[str, list[int]]:
        """The numbers that were acknowledged, by their owner."""
        return {log.stem: list(sharers.acknowledged(log)) for log in self.logs.glob("*.log")}

    def told(self) -> dict[str, Any]:
        """What all processes have told, added up."""
        found = [json.loads(path.read_text("utf-8")) for path in self.logs.glob("*.json")]
        errors: Counter[str] = Counter()
        for one in found:
            errors.update(one["errors"])
        sums = ("added", "searches", "with_index", "missed_own", "stale")
        return {name: sum(one[name] for one in found) for name in sums} | {
            "errors": dict(errors.most_common()),
            "add_ms": percentiles(ms for one in found for ms in one["add_ms"]),
            "search_ms": percentiles(ms for one in found for ms in one["search_ms"]),
        }


def percentiles(values: Iterable[float]) -> dict[str, float]:
    """The median and the 95th of a hundred, and the worst."""
    found = sorted(values)
    if len(found) < 2:
        return {}
    cuts = statistics.quantiles(found, n=20)
    return {"p50": round(cuts[9], 1), "p95": round(cuts[18], 1), "worst": round(found[-1], 1)}


def holder(lease: Path) -> int | None:
    """The process that holds the index's lease, as the kernel tells."""
    if not lease.exists():
        return None
    inode = lease.stat().st_ino
    for line in Path("/proc/locks").read_text("ascii").splitlines():
        fields = line.split()
        if fields[1] == "FLOCK" and fields[5].endswith(f":{inode}"):
            return int(fields[4])
    return None


def wait_for_lease(lease: Path, actor: Actor) -> None:
    """Wait until no other one's index process has the lease.

    One whose parent was killed sees that it is gone, and lets go of the index.
    """
    deadline = time.monotonic() + _CHECK_SECONDS
    while holder(lease) not in (None, *children(actor.pid)):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{lease} is held by {holder(lease)}")
        time.sleep(_LOOK_SECONDS)


def share(stress: Stress) -> dict[str, Any]:
    """The report of both, side by side."""
    with Nursery() as nursery, tempfile.TemporaryDirectory(prefix="stress-") as folder:
        place = Path(folder)
        ours = _of_memory(nursery, place, stress)
        theirs = _of_chroma(nursery, place, stress)
    return {"stress": vars(stress), "agentctx": ours, "bare chroma": theirs}


def _killing(crowd: Crowd, stress: Stress, strike: Callable[[int], str]) -> Counter[str]:
    """Kill again and again, until shortly before the end; gives what was killed how often."""
    dice = random.Random(7)
    struck: Counter[str] = Counter()
    until = time.monotonic() + stress.seconds - stress.every
    while time.monotonic() < until:
        # Sometimes long enough for a new index process to get ready and serve.
        time.sleep(dice.choice((0.5, 0.8, 1.2, 4.0)) * stress.every)
        struck[strike(struck.total())] += 1
    return struck


def _of_memory(nursery: Nursery, place: Path, stress: Stress) -> dict[str, Any]:
    crowd = Crowd(nursery, place, "share", stress)
    dice = random.Random(8)

    def strike(count: int) -> str:
        if count % _WHOLE == _WHOLE - 1:
            family = dice.random() < 0.5
            crowd.replace(dice.randrange(stress.processes), family=family)
            return "process with its index" if family else "process"
        pid = holder(crowd.directory / "lease")
        if pid is None:
            return "nobody: the index had no holder"
        end(pid, signal.SIGKILL)
        return "index holder"

    struck = _killing(crowd, stress, strike)
    ends = crowd.finish()
    return {"killed": dict(struck), "bad_ends": ends, **crowd.told()} | _checked(
        nursery, crowd, stress.encoder
    )


def _checked(nursery: Nursery, crowd: Crowd, encoder: str) -> dict[str, Any]:
    """What a fresh process finds in the memory."""
    wanted = {
        one.id
        for owner, numbers in crowd.acknowledged().items()
        for one in light.observations(owner, numbers)
    }
    found: dict[str, Any] = {"acknowledged": len(wanted), "crashes_at_open": 0}
    fresh = nursery.actor(crowd.directory, encoder, 0)
    try:
        began = time.monotonic()
        ids = fresh.ask("ids")
        found["open_seconds"] = round(time.monotonic() - began, 2)
        found |= {
            "count": len(ids),
            "lost": len(wanted - set(ids)),
            "duplicates": len(ids) - len(set(ids)),
            "problems": fresh.ask("verify")["problems"],
        }
        wait_for_lease(crowd.directory / "lease", fresh)
        began = time.monotonic()
        found["rebuilt"] = fresh.ask("rebuild")
        found["rebuild_seconds"] = round(time.monotonic() - began, 2)
        found["problems_after_rebuild"] = fresh.ask("verify")["problems"]
        found["look_ups"] = fresh.ask("look_up", space=_SPACES[encoder])
        fresh.ask("close")
    except (ActorDied, ActorError) as error:
        found["crashes_at_open"] += 1
        found["crash"] = f"{type(error).__name__}: {error}"
    fresh.kill(family=True)
    return found | {"megabytes": megabytes(crowd.directory)}


def _of_chroma(nursery: Nursery, place: Path, stress: Stress) -> dict[str, Any]:
    crowd = Crowd(nursery, place, "share_chroma", stress)
    dice = random.Random(8)

    def strike(count: int) -> str:
        del count
        crowd.replace(dice.randrange(stress.processes), family=False)
        return "process"

    struck = _killing(crowd, stress, strike)
    ends = crowd.finish()
    wanted = [f"{owner}:{n}" for owner, ns in crowd.acknowledged().items() for n in ns]
    found = {"killed": dict(struck), "bad_ends": ends, **crowd.told()}
    found |= {"acknowledged": len(wanted), "crashes_at_open": 0}
    # Its own database knows what it has, even when its client crashes on the rest.
    found["lost_from_database"] = len(set(wanted) - _in_database(crowd.directory))
    fresh = nursery.actor(crowd.directory)
    try:
        fresh.tell("check_chroma", ids=wanted)
        found |= fresh.answer(_CHECK_SECONDS)
        found["missed_in_peace"] = nursery.actor(place / "peace").ask("own_misses", ids=wanted)
    except (ActorDied, ActorError, TimeoutError) as error:
        found["crashes_at_open"] += 1
        found["crash"] = f"{type(error).__name__}: {error}"
    fresh.kill()
    return found | {"megabytes": megabytes(crowd.directory)}


def _in_database(directory: Path) -> set[str]:
    with closing(sqlite3.connect(directory / "chroma.sqlite3")) as db:
        found = db.execute(
            "SELECT embedding_id FROM embeddings UNION SELECT id FROM embeddings_queue"
        )
        return {id_ for (id_,) in found}


def megabytes(directory: Path) -> float:
    """The size of all files below."""
    sizes = (path.stat().st_size for path in directory.rglob("*") if path.is_file())
    return round(sum(sizes) / 1e6, 2)


def table(report: Mapping[str, Any]) -> str:
    """The report in short."""
    names = (
        "acknowledged", "lost", "lost_from_database", "duplicates", "stale", "missed_own",
        "crashes_at_open", "crash", "count", "megabytes", "open_seconds", "killed", "bad_ends",
        "errors", "problems", "problems_after_rebuild", "rebuilt", "look_ups", "missed",
        "missed_in_peace", "searches", "with_index", "add_ms", "search_ms",
    )  # fmt: skip
    lines = []
    for side in ("agentctx", "bare chroma"):
        lines.append(side)
        lines += [f"  {name:24} {report[side][name]}" for name in names if name in report[side]]
    return "\n".join(lines)
