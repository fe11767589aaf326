"""A disk that is full, and a directory that cannot be written: on a small file system in memory.

Only root may mount one. Without it, nothing is done, and the report says so.
"""

import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from stress_parts import light
from stress_parts.actors import Actor, ActorDied, ActorError, Nursery

_SMALL, _LARGE = "12m", "64m"
_BATCH = 64
_BATCHES = 60
_OWNER = "disk"
# The orders that are tried in every state, and what they are given.
_TRIED: Mapping[str, dict[str, Any]] = {
    "add": {"owner": "more", "numbers": list(range(_BATCH)), "media": True},
    "search": {"query": light.text(_OWNER, 3), "limit": 3},
    "ids": {},
    "forget": {"session": light.session(1)},
    "verify": {},
    "rebuild": {},
    "close": {},
}


@contextmanager
def small_disk(size: str = _SMALL) -> Iterator[Path]:
    """A file system of a few megabytes."""
    with tempfile.TemporaryDirectory(prefix="stress-disk-") as folder:
        mount("tmpfs", folder, "-t", "tmpfs", "-o", f"size={size}")
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)


def mount(*arguments: str) -> None:
    """Mount something."""
    subprocess.run(["mount", *arguments], check=True)


def disk(encoder: str) -> dict[str, Any]:
    """What every call says on a full disk and in a directory that is read-only, and afterwards."""
    if os.geteuid() != 0:
        return {"skipped": "only root may mount a small file system"}
    with Nursery() as nursery:
        return {"full": _full(nursery, encoder), "read-only": _read_only(nursery, encoder)}


def _full(nursery: Nursery, encoder: str) -> dict[str, Any]:
    report: dict[str, Any] = {}
    with small_disk() as place:
        directory = place / "memory"
        actor = nursery.actor(directory, encoder, 0)
        there = _added_until_full(actor, report)
        _fill(place / "filler")
        report["open before it was full"] = _tried(actor, there)
        actor.kill(family=True)
        # Chroma's index was thrown away, which made room.
        _fill(place / "more filler")
        fresh = nursery.actor(directory, encoder, 0)
        report["opened on the full disk"] = {"open": _said(fresh, "open")} | _tried(fresh, there)
        fresh.kill(family=True)
        (place / "filler").unlink()
        (place / "more filler").unlink()
        mount("-o", f"remount,size={_LARGE}", str(place))
        report["with room again"] = _after(nursery, directory, encoder, there)
    return report


def _added_until_full(actor: Actor, report: dict[str, Any]) -> set[str]:
    there: set[str] = set()
    actor.ask("open")
    for number in range(_BATCHES):
        numbers = list(range(_BATCH * number, _BATCH * (number + 1)))
        try:
            there |= set(
                actor.ask("add", owner=_OWNER, numbers=numbers, media=number % 4 == 0)["ids"]
            )
        except ActorError as error:
            report["the add that filled it"] = str(error)
            break
        if number == 8:
            actor.ask("settle")
    report["acknowledged"] = len(there)
    return there


def _fill(path: Path) -> None:
    """Take what is left, to the last byte."""
    with path.open("wb", buffering=0) as file:
        for size in (1 << 16, 1):
            try:
                while file.write(bytes(size)):
                    pass
            except OSError:
                continue


def _read_only(nursery: Nursery, encoder: str) -> dict[str, Any]:
    report: dict[str, Any] = {}
    with small_disk(_LARGE) as place:
        directory = place / "memory"
        actor = nursery.actor(directory, encoder, 0)
        there = set(actor.ask("add", owner=_OWNER, numbers=list(range(500)), media=True)["ids"])
        actor.ask("settle")
        actor.ask("close")
        actor.kill()
        mount("-o", "remount,ro", str(place))
        fresh = nursery.actor(directory, encoder, 0)
        report["opened read-only"] = {"open": _said(fresh, "open")} | _tried(fresh, there)
        fresh.kill(family=True)
        mount("-o", "remount,rw", str(place))
        report["writable again"] = _after(nursery, directory, encoder, there)
    return report


def _tried(actor: Actor, there: set[str]) -> dict[str, str]:
    """What each order says; what is forgotten is taken out of ``there``."""
    found = {}
    for verb, arguments in _TRIED.items():
        found[verb] = _said(actor, verb, there, **arguments)
    return found


def _said(actor: Actor, verb: str, there: set[str] | None = None, **arguments: Any) -> str:  # noqa: ANN401
    try:
        said = actor.ask(verb, **arguments)
    except (ActorDied, ActorError) as error:
        return f"{type(error).__name__} {error}"
    if verb == "ids" and there is not None:
        return f"works, {len(there - set(said))} missing"
    if verb == "add" and there is not None:
        there |= set(said["ids"])
    if verb == "forget" and there is not None:
        there -= set(said["ids"])
        return f"works, {said['forgotten']} forgotten; {said['unfinished']}"
    if verb == "verify":
        return f"works: {said['problems']}"
    return "works"


def _after(nursery: Nursery, directory: Path, encoder: str, there: set[str]) -> dict[str, Any]:
    """What a fresh process finds when the trouble is over."""
    actor = nursery.actor(directory, encoder, 0)
    found = set(actor.ask("ids"))
    row: dict[str, Any] = {"lost": len(there - found), "unacknowledged": len(found - there)}
    row |= _tried(actor, there)
    actor.kill(family=True)
    return row


def table(report: Mapping[str, Any]) -> str:
    """The report in short."""
    if "skipped" in report:
        return f"skipped: {report['skipped']}"
    lines = []
    for trouble, states in report.items():
        for state, said in states.items():
            rows = said if isinstance(said, dict) else {"": said}
            lines.append(f"{trouble}: {state}")
            lines += [f"    {verb:14} {words}" for verb, words in rows.items()]
    return "\n".join(lines)
