"""Kill -9 at random moments: while adding, indexing, forgetting, migrating, rebuilding."""

import random
import sqlite3
import statistics
import tarfile
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stress_parts import recovery
from stress_parts.actors import Actor, ActorDied, ActorError, Nursery
from stress_parts.sharing import wait_for_lease

# Of how many points in a hundred; the index's take seconds each.
SHARES = {"ingest": 25, "index flush": 20, "forget": 20, "migration": 15, "rebuild": 20}
_OLD = Path(__file__).parents[2] / "tests" / "memory" / "stored" / "schema1.tar.gz"
# Every so many points of those that do not touch the index, it is looked at too.
_WHOLE = 5
_MEASURED, _MEASURED_EVERY = 3, 8
_BATCH = 10
_TRIES, _BUSY_SECONDS = 20, 2.5
_FORGOTTEN = 6
_LANES = 2


@dataclass
class Tally:
    """What came of the points of one kind."""

    points: int = 0
    answered: int = 0
    wholly_verified: int = 0
    erasures_scanned: int = 0
    lost: int = 0
    came_back: int = 0
    not_opened: int = 0
    problems: list[str] = field(default_factory=list)
    operation_seconds: float = 0.0
    open_seconds: list[float] = field(default_factory=list)


Order = tuple[str, dict[str, Any]]


class Lane:
    """One memory in which one kind of operation is killed again and again."""

    indexed = False

    def __init__(self, nursery: Nursery, directory: Path, seed: int) -> None:
        self.nursery = nursery
        self.place = self.directory = directory
        self.dice = random.Random(seed)
        self.tally = Tally()
        self.there: set[str] = set()
        self.gone: set[str] = set()

    def new(self) -> Actor:
        """A fresh process on the memory."""
        return self.nursery.actor(self.directory, exact_limit=0)

    def begin(self, point: int) -> None:
        """What is done before there is a process."""

    def prepare(self, actor: Actor, point: int) -> Order:
        """Make ready what the operation needs; gives the operation."""
        raise NotImplementedError

    def book(self, answer: Any) -> None:  # noqa: ANN401
        """Note what was acknowledged."""

    def look(self, actor: Actor, point: int) -> None:
        """Look at what only this kind of operation may have broken."""

    def run(self, points: int) -> Tally:
        """So many points; how long the operation takes is measured again and again."""
        taken = [self._undisturbed(-n - 1) for n in range(_MEASURED)]
        for point in range(points):
            if point and point % _MEASURED_EVERY == 0:
                taken.append(self._undisturbed(-len(taken) - 1))
            self.tally.operation_seconds = round(statistics.median(taken[-_MEASURED:]), 3)
            self._strike(point)
            self._check(point)
        return self.tally

    def _undisturbed(self, point: int) -> float:
        self.begin(point)
        actor = self.new()
        verb, arguments = self.prepare(actor, point)
        began = time.monotonic()
        self.book(actor.ask(verb, **arguments))
        taken = time.monotonic() - began
        actor.kill(family=True)
        return taken

    def _strike(self, point: int) -> None:
        self.begin(point)
        actor = self.new()
        verb, arguments = self.prepare(actor, point)
        actor.tell(verb, **arguments)
        time.sleep(self.dice.uniform(0.0, 1.1) * self.tally.operation_seconds)
        answers = actor.kill(family=point % 2 == 0)
        self.tally.points += 1
        self.tally.answered += len(answers)
        for answer in answers:
            self.book(answer)

    def _check(self, point: int) -> None:
        actor = self.new()
        tally = self.tally
        try:
            began = time.monotonic()
            found = set(actor.ask("ids"))
            tally.open_seconds.append(round(time.monotonic() - began, 3))
            tally.lost += len(self.there - found)
            tally.came_back += len(self.gone & found)
            tally.problems += actor.ask("verify_files")
            self.look(actor, point)
            if self.indexed or point % _WHOLE == 0:
                self._settle(actor)
                verified = actor.ask("verify")
                tally.problems += verified["problems"]
                tally.problems += [f"{verified['pending']} pending"] if verified["pending"] else []
                tally.wholly_verified += 1
        except (ActorDied, ActorError) as error:
            tally.not_opened += 1
            tally.problems.append(f"point {point}: {type(error).__name__}: {error}"[:400])
        actor.kill(family=True)

    def _settle(self, actor: Actor) -> None:
        """Wait until the index has everything: the process of one that was killed may tend it."""
        for _ in range(_TRIES):
            wait_for_lease(self.directory / "lease", actor)
            if actor.ask("settle"):
                return
            time.sleep(_BUSY_SECONDS)


class Ingest(Lane):
    """Batches with media, one after the other: some are acknowledged, one is cut off."""

    batches = 8

    def prepare(self, actor: Actor, point: int) -> Order:
        """All but the last are told here, and the process does them in turn."""
        actor.ask("open")
        for order in self._orders(point)[:-1]:
            actor.tell("add", **order)
        return "add", self._orders(point)[-1]

    def _orders(self, point: int) -> list[dict[str, Any]]:
        return [
            {
                "owner": f"p{point}",
                "numbers": list(range(_BATCH * number, _BATCH * (number + 1))),
                "media": True,
            }
            for number in range(self.batches)
        ]

    def book(self, answer: Any) -> None:  # noqa: ANN401
        """All of the batch is to stay."""
        self.there.update(answer["ids"])

    def _undisturbed(self, point: int) -> float:
        began = time.monotonic()
        actor = self.new()
        verb, arguments = self.prepare(actor, point)
        actor.tell(verb, **arguments)
        for _ in range(self.batches):
            self.book(actor.answer())
        taken = time.monotonic() - began
        actor.kill(family=True)
        return taken


class Flush(Lane):
    """What is pending goes into Chroma."""

    indexed = True

    def prepare(self, actor: Actor, point: int) -> Order:
        """Something is pending at every point."""
        added = actor.ask("add", owner=f"p{point}", numbers=list(range(4 * _BATCH)))
        self.there.update(added["ids"])
        return "settle", {}


class Rebuild(Flush):
    """The index is thrown away and made anew."""

    def prepare(self, actor: Actor, point: int) -> Order:
        """Something is there at every point."""
        super().prepare(actor, point)
        return "rebuild", {}


class Forget(Lane):
    """A few of what was just added are forgotten, to the last byte."""

    def prepare(self, actor: Actor, point: int) -> Order:
        """Add twice as many as are to be forgotten, and take their fingerprints."""
        order = {"owner": f"p{point}", "numbers": list(range(2 * _FORGOTTEN)), "media": True}
        ids = actor.ask("add", **order)["ids"]
        self.chosen = ids[:_FORGOTTEN]
        self.there.update(ids[_FORGOTTEN:])
        self.fingerprints = actor.ask("fingerprints", ids=self.chosen)
        return "forget", {"ids": self.chosen}

    def book(self, answer: Any) -> None:  # noqa: ANN401
        """What was forgotten is to stay away."""
        self.gone.update(answer["ids"])

    def look(self, actor: Actor, point: int) -> None:
        """All or none are gone; and if they are, then to the last byte, acknowledged or not."""
        left = set(self.chosen) & set(actor.ask("ids"))
        if left and len(left) < len(self.chosen):
            self.tally.problems.append(f"point {point}: {len(left)} of {len(self.chosen)} are left")
        if not left:
            self.gone.update(self.chosen)
            # What is killed last may have left its index process, which ends by itself.
            wait_for_lease(self.directory / "lease", actor)
            actor.ask("finish")
            self.tally.problems += actor.ask("erased", fingerprints=self.fingerprints)
            self.tally.erasures_scanned += 1


class Migration(Lane):
    """A memory of the first schema is opened."""

    def begin(self, point: int) -> None:
        """A fresh copy at every point."""
        place = self.place / f"old {point}"
        with tarfile.open(_OLD) as tar:
            tar.extractall(place, filter="data")
        self.directory = place / "memory"
        with closing(sqlite3.connect(self.directory / "catalog.sqlite3")) as db:
            self.there = {id_ for (id_,) in db.execute("SELECT id FROM observation")}

    def prepare(self, actor: Actor, point: int) -> Order:
        """Opening it is all."""
        return "migrate", {}

    def _check(self, point: int) -> None:
        actor = self.new()
        try:
            began = time.monotonic()
            actor.ask("migrate")
            self.tally.open_seconds.append(round(time.monotonic() - began, 3))
        except (ActorDied, ActorError) as error:
            self.tally.not_opened += 1
            self.tally.problems.append(f"point {point}: {error}"[:400])
        actor.kill()
        with closing(sqlite3.connect(self.directory / "catalog.sqlite3")) as db:
            found = {id_ for (id_,) in db.execute("SELECT id FROM observation")}
            self.tally.lost += len(self.there - found)
            for check in ("integrity_check", "foreign_key_check"):
                rows = db.execute(f"PRAGMA {check}").fetchall()
                self.tally.problems += [str(row) for row in rows if row != ("ok",)]


KINDS: Mapping[str, type[Lane]] = {
    "ingest": Ingest,
    "index flush": Flush,
    "forget": Forget,
    "migration": Migration,
    "rebuild": Rebuild,
}


def kill(points: int, sizes: Sequence[int], only: str = "") -> dict[str, Any]:
    """Kill at so many points altogether; then measure recovery against size.

    ``only``: kinds with this in their names; the others are left out.
    """
    with Nursery() as nursery, tempfile.TemporaryDirectory(prefix="stress-") as folder:
        lanes = {
            name: kind(nursery, Path(folder) / name, seed)
            for seed, (name, kind) in enumerate(KINDS.items())
            if only in name
        }
        with ThreadPoolExecutor(_LANES) as pool:
            runs = {
                name: pool.submit(lane.run, max(1, round(points * SHARES[name] / 100)))
                for name, lane in lanes.items()
            }
            kinds = {name: told(run.result()) for name, run in runs.items()}
        return {"kinds": kinds, "recovery": recovery.against_size(nursery, Path(folder), sizes)}


def told(tally: Tally) -> dict[str, Any]:
    """A tally as figures."""
    found = dict(vars(tally))
    times = found.pop("open_seconds")
    return found | {
        "open_seconds": statistics.median(times) if times else None,
        "longest_open_seconds": max(times, default=None),
    }


def table(report: Mapping[str, Any]) -> str:
    """The report in short."""
    columns: Sequence[tuple[str, Callable[[Mapping[str, Any]], object]]] = [
        ("points", lambda row: row["points"]),
        ("answered", lambda row: row["answered"]),
        ("lost", lambda row: row["lost"]),
        ("came back", lambda row: row["came_back"]),
        ("not opened", lambda row: row["not_opened"]),
        ("problems", lambda row: len(row["problems"])),
        ("verified wholly", lambda row: row["wholly_verified"]),
        ("scanned", lambda row: row["erasures_scanned"]),
        ("takes s", lambda row: row["operation_seconds"]),
        ("open s", lambda row: row["open_seconds"]),
        ("longest", lambda row: row["longest_open_seconds"]),
    ]
    lines = [f"{'killed in':14}" + "".join(f"{name:>16}" for name, _ in columns)]
    for name, row in report["kinds"].items():
        lines.append(f"{name:14}" + "".join(f"{get(row)!s:>16}" for _, get in columns))
        lines += [f"    {problem}" for problem in row["problems"][:5]]
    lines.append("recovery after a kill:")
    lines += [f"  {row}" for row in report["recovery"]]
    return "\n".join(lines)
