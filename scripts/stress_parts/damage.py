"""Damaged files: how soon it is noticed, whether searches go on, and what is left at the end."""

import shutil
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stress_parts import light
from stress_parts.actors import Actor, ActorDied, ActorError, Nursery
from stress_parts.wounds import CATALOG, CHROMA, Patient

_COUNT = 2500
_EARLIER = 1200
_OWNER = "patient"
_PATIENCE = 240.0
_LOOK_SECONDS = 0.05


def damage(only: str = "") -> dict[str, Any]:
    """The table of everything that was damaged, and what happened."""
    with Nursery() as nursery, tempfile.TemporaryDirectory(prefix="stress-") as folder:
        place = Path(folder)
        sound = _made(nursery, place)
        found: dict[str, Any] = {"entries": _COUNT, "chroma": {}, "catalog": {}}
        for kind, wounds, treat in (("chroma", CHROMA, _index), ("catalog", CATALOG, _catalog)):
            for name, wound in wounds.items():
                if only in f"{kind} {name}":
                    copy = place / "copy"
                    shutil.copytree(sound.memory, copy)
                    patient = Patient(copy, sound.other, sound.earlier)
                    wound(patient)
                    found[kind][name] = treat(nursery, patient)
                    print(f"{kind}: {name}", file=sys.stderr)
                    _thrown_away(copy)
        return found


def _made(nursery: Nursery, place: Path) -> Patient:
    memory, other, earlier = place / "memory", place / "other", place / "earlier"
    for directory, owner, count in ((memory, _OWNER, _EARLIER), (other, "somebody", _COUNT)):
        _filled(nursery.actor(directory), owner, range(count))
    shutil.copytree(memory, earlier)
    _filled(nursery.actor(memory), _OWNER, range(_EARLIER, _COUNT))
    return Patient(memory, other, earlier)


def _filled(actor: Actor, owner: str, numbers: range) -> None:
    actor.ask("add", owner=owner, numbers=list(numbers))
    actor.ask("settle")
    actor.ask("close")
    actor.kill()


def _thrown_away(copy: Path) -> None:
    for path in [copy / "chroma", *copy.glob("chroma/*"), *copy.glob("chroma/*/*")]:
        if path.exists():
            path.chmod(0o700)
    shutil.rmtree(copy)


def _index(nursery: Nursery, patient: Patient) -> dict[str, Any]:
    """What becomes of a memory whose Chroma is damaged, while it is searched."""
    actor = nursery.actor(patient.memory, exact_limit=0)
    row: dict[str, Any] = {"right": 0, "wrong": 0, "errors": []}
    began = time.monotonic()
    try:
        while time.monotonic() - began < _PATIENCE:
            _searched(actor, row)
            health = actor.ask("health")
            if health["ready"]:
                break
            time.sleep(_LOOK_SECONDS)
        row["detected_seconds"] = round(time.monotonic() - began, 2)
        row["problems"] = health["problems"]
        row["to_make_anew"] = health["pending"]
        actor.ask("settle")
        row["whole_again_seconds"] = round(time.monotonic() - began, 2)
        for _ in range(5):
            _searched(actor, row)
        row["problems_left"] = _left(actor)
        row["self_look_ups"] = actor.ask("look_up", space="text-hash")
        row["alive"] = True
    except (ActorDied, ActorError) as error:
        row["errors"].append(f"{type(error).__name__}: {error}")
        row["alive"] = not isinstance(error, ActorDied)
    actor.kill(family=True)
    return row


def _left(actor: Actor) -> list[str]:
    """What verify finds when the problems that were mended at the opening are behind."""
    actor.ask("close")
    problems: list[str] = actor.ask("verify")["problems"]
    return problems


def _searched(actor: Actor, row: dict[str, Any]) -> None:
    number = (row["right"] + row["wrong"]) * 37 % _COUNT
    wanted = light.text(_OWNER, number)
    try:
        found = actor.ask("search", query=wanted, limit=5)
    except ActorError as error:
        if str(error) not in row["errors"]:
            row["errors"].append(str(error))
        row["wrong"] += 1
        return
    row["right" if any(hit["text"] == wanted for hit in found) else "wrong"] += 1


def _catalog(nursery: Nursery, patient: Patient) -> dict[str, Any]:
    """What opening says of a damaged catalog, and what a repair makes of it."""
    row: dict[str, Any] = {}
    actor = nursery.actor(patient.memory)
    for step, verb in (("opening", "open"), ("searching", "ids"), ("verifying", "verify_files")):
        try:
            said = actor.ask(verb)
            row[step] = said if verb == "verify_files" else "works"
        except (ActorDied, ActorError) as error:
            row[step] = f"{type(error).__name__} {error}"
    actor.kill(family=True)
    actor = nursery.actor(patient.memory)
    try:
        began = time.monotonic()
        row["repair"] = actor.ask("repair")
        row["repair_seconds"] = round(time.monotonic() - began, 2)
        there = set(actor.ask("ids"))
        wanted = {one.id for one in light.observations(_OWNER, range(_COUNT))}
        row["saved"] = len(there & wanted)
        row["others"] = len(there - wanted)
        row["problems_left"] = actor.ask("verify")["problems"]
    except (ActorDied, ActorError) as error:
        row["repair_failed"] = f"{type(error).__name__} {error}"
    actor.kill(family=True)
    return row


def table(report: Mapping[str, Any]) -> str:
    """The report in short."""
    lines = [f"{'chroma/':36} found s  whole s  anew  right wrong  left  first problem"]
    for name, row in report["chroma"].items():
        problems = [*row.get("problems", ()), *row["errors"], ""]
        figures = (row.get("detected_seconds"), row.get("whole_again_seconds"))
        lines.append(
            f"{name:36} {figures[0]!s:>7} {figures[1]!s:>8} {row.get('to_make_anew')!s:>5}"
            f" {row['right']:>6} {row['wrong']:>5}"
            f" {len(row.get('problems_left', 'gone'))!s:>5}  {problems[0][:90]}"
        )
    lines.append(f"{'catalog.sqlite3':28} saved others  left  repair s  opening")
    for name, row in report["catalog"].items():
        left = row.get("problems_left", row.get("repair_failed", ""))
        lines.append(
            f"{name:28} {row.get('saved')!s:>5} {row.get('others')!s:>6} {len(left):>5}"
            f" {row.get('repair_seconds')!s:>9}  {row['opening'][:110]}"
        )
        lines += [f"    {row['repair_failed']}"] if "repair_failed" in row else []
    return "\n".join(lines)
