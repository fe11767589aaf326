"""A set of days as a folder: ``day/day.json`` with ``screens``, ``speech`` and ``sensors``."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import Any

from agentctx.errors import SourceInvalid, SourceNotFound
from agentctx.evaluate.datasets.reading import expecting, load
from agentctx.evaluate.days.asking import ask
from agentctx.evaluate.days.composing import compose
from agentctx.evaluate.days.pictures import picture
from agentctx.evaluate.days.records import (
    Channel,
    Clip,
    Day,
    Event,
    Question,
    Screen,
    Sentence,
    Target,
)
from agentctx.evaluate.days.signals import write_log
from agentctx.evaluate.days.voices import speak
from agentctx.ingest import Progress

DAYS, SEED, SCENES = 12, 7, 14
_NAME = "day.json"


def write(
    folder: Path,
    days: int = DAYS,
    seed: int = SEED,
    scenes: int = SCENES,
    progress: Progress | None = None,
) -> list[Day]:
    """Make a set of working days in a folder, each at another place.

    The same seed gives the same texts, questions, readings and pages; recordings and the times of
    their sentences are espeak-ng's, pictures Chromium's, each the same for the same version.
    Raises ProgramError when one of them is absent, ConfigError for a number that makes no sense.
    """
    composed = compose(days, seed, scenes)
    made = []
    for number, day in enumerate(composed):
        if progress:
            progress(number, days, day.name)
        write_log(day, seed, folder)
        made.append(speak(day, folder))
        picture(day, folder)
    asked = ask(made, seed)
    for day in asked:
        text = json.dumps(asdict(day), indent=1, ensure_ascii=False, default=_plain)
        (folder / day.name / _NAME).write_text(text + "\n", encoding="utf-8")
    if progress:
        progress(days, days, "days")
    return asked


def _plain(value: object) -> str:
    if isinstance(value, date):  # and a datetime, which is one
        return value.isoformat()
    raise TypeError(f"{value!r} is no JSON")


def read(folder: Path) -> list[Day]:
    """The days in a folder, by name. Raises SourceNotFound or SourceInvalid."""
    paths = sorted(folder.glob(f"*/{_NAME}"))
    if not paths:
        raise SourceNotFound(folder, f"there is no day in it (a directory with {_NAME})")
    return [_day(path) for path in paths]


def _day(path: Path) -> Day:
    table = load(path)
    with expecting(path, "a working day (screens, clips, events and questions)"):
        day = Day(
            **_fields(table, "name", "place", "log"),
            date=date.fromisoformat(table["date"]),
            screens=[_timed(Screen, row, "at") for row in table["screens"]],
            clips=[_clip(row) for row in table["clips"]],
            channels=[Channel(**row) for row in table["channels"]],
            events=[_timed(Event, row, "start", "end") for row in table["events"]],
            questions=[_question(row) for row in table["questions"]],
        )
    if day.name != path.parent.name:
        raise SourceInvalid(path, f"it is of the day {day.name}; name its directory so")
    return day


def _fields(row: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: row[name] for name in names}


def _timed(make: Callable[..., Any], row: Mapping[str, Any], *names: str) -> Any:  # noqa: ANN401
    times = {name: datetime.fromisoformat(row[name]) for name in names}
    return make(**{**row, **times})


def _clip(row: Mapping[str, Any]) -> Clip:
    sentences = [_timed(Sentence, sentence, "start", "end") for sentence in row["sentences"]]
    made: Clip = _timed(Clip, {**row, "sentences": sentences}, "at")
    return made


def _question(row: Mapping[str, Any]) -> Question:
    needs = [[_timed(Target, target, "start", "end") for target in need] for need in row["needs"]]
    made: Question = _timed(Question, {**row, "needs": needs}, "now")
    return made
