"""Days made here: composed from a seed, and one small day by hand whose media need no program."""

import shutil
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib.resources import files
from json import dumps
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from agentctx.evaluate.days.asking import ask
from agentctx.evaluate.days.composing import compose
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

NAME = "2026-03-14-waterworks"
SEED = 7


@cache
def asked(seed: int = SEED, days: int = 12, scenes: int = 14) -> Sequence[Day]:
    """A set of days with questions; sentences have the times that are estimated."""
    return ask(compose(days, seed, scenes), seed)


def at(clock: str) -> datetime:
    """A time of the day made by hand."""
    return datetime.combine(date(2026, 3, 14), datetime.strptime(clock, "%H:%M:%S").time(), UTC)


def page(clock: str, kind: str, lines: Sequence[str]) -> Screen:
    """A screen of the day made by hand."""
    name = f"{NAME}/screens/2026-03-14T{clock.replace(':', '')}Z_screen.png"
    return Screen(name, at(clock), kind, lines[0], lines[0], "", lines, {})


def draw(path: Path, lines: Sequence[str]) -> None:
    """A screenshot with lines of text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.new("RGB", (640, 300), "white")
    for number, line in enumerate(lines):
        place = (15, 20 + 65 * number)
        ImageDraw.Draw(picture).text(place, line, "black", ImageFont.load_default(24))
    picture.save(path)


def by_hand() -> Day:
    """Two screens, the demo's first radio call, a channel with a step, and five questions."""
    screens = [
        page("09:05:00", "mail", ["Order coffee beans", "Ten kilos for the canteen"]),
        page("09:12:10", "ticket", ["Window cleaning", "Ladder needed on floor three"]),
    ]
    start = at("09:12:08")
    said = (
        ("Control room, I am standing next to pump Alpha.", 0.35, 2.9, ""),
        ("It is shaking badly, and the seal is leaking.", 3.2, 6.0, "the leak"),
        ("There is water on the floor.", 6.3, 8.0, "the leak"),
        ("Stand by, I am taking a closer look.", 8.3, 10.3, ""),
    )
    sentences = [
        Sentence(text, start + timedelta(seconds=a), start + timedelta(seconds=b), matter)
        for text, a, b, matter in said
    ]
    clip = Clip(f"{NAME}/speech/2026-03-14T091208Z_voice.ogg", start, 0, sentences)
    log = f"{NAME}/sensors/2026-03-14_log.csv"
    event = Event(log, "sump level", "step", True, at("09:12:00"), at("09:12:00"))
    channel = Channel("sump level", "cm", 40.0, 0.2, 1.0)
    now = at("17:30:00")
    heard, seen = Target(clip.file, *clip.about()), Target(screens[1].file, *[screens[1].at] * 2)
    told = Target(log, at("09:11:00"), at("09:13:00"), "sump level")
    beans = Target(screens[0].file, *[screens[0].at] * 2)
    texts = [
        ("screen", "Which mail was about the order of coffee beans?", [[beans]]),
        ("speech", "What was said about the leaking seal?", [[heard]]),
        ("sensor", "When did the sump level jump up in a sudden step?", [[told]]),
        ("when", "Which page was open when the seal was said to leak?", [[seen]]),
        ("two", "Seal is leaking, window cleaning ladder", [[heard], [seen]]),
        ("off-topic", "When does the ferry to Gotland leave?", []),
        ("gibberish", "snorp flibkant zhuvvy", []),
    ]
    questions = [
        Question(f"{NAME}/{number:02}", type_, text, now, needs)
        for number, (type_, text, needs) in enumerate(texts, start=1)
    ]
    return Day(
        NAME, "Water works", date(2026, 3, 14), screens, [clip], log, [channel], [event], questions
    )


def write_by_hand(folder: Path, *, silent: bool = False) -> Day:
    """The day made by hand, as files; a silent one has no recording, which is quicker to add."""
    day = by_hand()
    if silent:
        kept = [q for q in day.questions if not any("speech" in str(n) for n in q.needs)]
        day = replace(day, clips=[], questions=kept)
    for screen in day.screens:
        draw(folder / screen.file, screen.lines)
    samples = Path(str(files("agentctx.demo") / "samples"))
    for clip in day.clips:
        (folder / clip.file).parent.mkdir(parents=True)
        shutil.copy(samples / "2026-03-14T091208Z_operator-radio-leak.ogg", folder / clip.file)
    write_log(day, SEED, folder)
    text = dumps(asdict(day), default=lambda value: value.isoformat())
    (folder / day.name / "day.json").write_text(text, "utf-8")
    return day


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the day made by hand."""
    root = tmp_path_factory.mktemp("days")
    write_by_hand(root)
    return root
