"""A day's story from a seed: who talks about what while which page is open and what is measured.

A day is a row of scenes with at least ten minutes of nothing between them. A scene has a page;
many have a recording next to it, some an event in the log. Matters come back in other modalities
and at other times, so that their words alone do not tell which is meant.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import cycle, islice
from random import Random

from agentctx.errors import ConfigError
from agentctx.evaluate.days.chance import seeded
from agentctx.evaluate.days.records import (
    SCREENS,
    SENSORS,
    SPEECH,
    Clip,
    Day,
    Event,
    Matter,
    Screen,
    Sentence,
    World,
)
from agentctx.evaluate.days.worlds import common_matters, texts, worlds

START, END = time(8), time(17)  # of a log
INTERVAL = 10  # s between two readings

_FIRST_SCENE = 15 * 60  # s after the start
_SCENES_SPAN = 8 * 3600  # s
_OWN_MATTERS, _COMMON_MATTERS = 6, 2
# How a recording stands to its scene's page: while it is open, or a minute or two off.
_SHAPES = ("during", "before", "after", "during")
_SHORTEST_GAP = 10 * 60
_NAMED = 0.5  # the share of recordings in which the matter is called by its name
# Roughly, until the voice has spoken.
_SECONDS_PER_WORD, _PAUSE = 0.36, 0.35


@dataclass(frozen=True, slots=True)
class Scene:
    """A stretch of a few minutes: its time, and what of it there is."""

    at: datetime
    kind: str
    shape: str  # empty without a recording
    event: tuple[int, str] | None  # the channel's number, and what happens to it


@dataclass(frozen=True, slots=True)
class _Page:
    matter: Matter | None
    aside: Matter | None = None
    lines: Sequence[str] = ()


def compose(days: int, seed: int, scenes: int) -> list[Day]:
    """So many days, each at another place, on working days that follow each other.

    The times of sentences are estimates until they are spoken. Raises ConfigError.
    """
    known = worlds()
    if not 1 <= days <= len(known):
        raise ConfigError(f"days is {days}; it must be from 1 to {len(known)}")
    if not 2 <= scenes <= _SCENES_SPAN // (2 * _SHORTEST_GAP):
        raise ConfigError(
            f"scenes is {scenes}; it must be from 2 to {_SCENES_SPAN // (2 * _SHORTEST_GAP)} a day"
        )
    rng = seeded(f"days {seed}")
    monday = date(2026, 1, 5) + timedelta(weeks=rng.randrange(48))
    common = list(common_matters())
    rng.shuffle(common)
    shared = cycle(common)
    return [
        _day(
            world,
            monday + timedelta(days=number // 5 * 7 + number % 5),
            list(islice(shared, _COMMON_MATTERS)),
            scenes,
            seeded(f"day {number} of {seed}"),
        )
        for number, world in enumerate(rng.sample(known, days))
    ]


def _day(world: World, day: date, common: Sequence[Matter], count: int, rng: Random) -> Day:
    scenes = _scenes(world, day, count, rng)
    matters = [*rng.sample(world.matters, _OWN_MATTERS), *common]
    told = _told(matters, common, [scene for scene in scenes if scene.shape], rng)
    name = f"{day:%Y-%m-%d}-{world.name}"
    log = f"{name}/{SENSORS}/{day:%Y-%m-%d}_log.csv"
    voices = rng.sample(range(len(texts("speech")["voices"])), 3)
    pages = iter(_pages(matters, scenes, told, rng))
    screens, clips, events = [], [], []
    spoken = iter(told)
    for scene in scenes:
        page = _Page(None) if scene.kind == "dashboard" else next(pages)
        screens.append(_screen(name, world, scene, page, rng))
        if scene.shape:
            matter, lines = next(spoken)
            clips.append(_clip(name, scene.at, matter, lines, rng.choice(voices), rng))
        if scene.event:
            number, kind = scene.event
            channel = world.channels[number].name
            events.append(_event(log, channel, kind, scene, rng))
    return Day(name, world.place, day, screens, clips, log, list(world.channels), events)


def _scenes(world: World, day: date, count: int, rng: Random) -> list[Scene]:
    start = datetime.combine(day, START, UTC) + timedelta(seconds=_FIRST_SCENE)
    pitch = _SCENES_SPAN / count
    boards = {round((n + 0.4) * count / (count // 4)) for n in range(count // 4)}
    others = rng.sample(world.kinds, len(world.kinds))
    kinds = cycle(others)
    spoken = sorted(rng.sample(range(count), max(1, count * 2 // 3)))
    shapes = list(islice(cycle(_SHAPES), len(spoken)))
    rng.shuffle(shapes)
    shape = dict(zip(spoken, shapes, strict=True))
    happening = _happening(count, shape, rng)
    scenes = []
    for number in range(count):
        late = rng.uniform(0, pitch - 2 * _SHORTEST_GAP)
        scenes.append(
            Scene(
                start + timedelta(seconds=round(number * pitch + late)),
                "dashboard" if number in boards else next(kinds),
                shape.get(number, ""),
                happening.get(number),
            )
        )
    return scenes


def _happening(count: int, shape: dict[int, str], rng: Random) -> dict[int, tuple[int, str]]:
    """Two events of different kinds for each channel, in scenes: those with a page open while
    something is said come first, since only there three modalities meet."""
    order = sorted(range(count), key=lambda n: (shape.get(n) != "during", rng.random()))
    chosen = [*order[:3], *rng.sample(order[3:], min(3, max(0, count - 3)))]
    rng.shuffle(chosen)
    kinds = [rng.sample(("step", "spike", "drift", "dropout"), 2) for _ in range(3)]
    return {
        scene: (number % 3, kinds[number % 3][number // 3]) for number, scene in enumerate(chosen)
    }


def _told(
    matters: Sequence[Matter], common: Sequence[Matter], scenes: Sequence[Scene], rng: Random
) -> list[tuple[Matter, Sequence[str]]]:
    """What is talked about in each recording: two matters twice, with different words."""
    own = [matter for matter in matters if matter not in common]
    rng.shuffle(own)
    twice = [rng.choice(list(common)), own[0]]
    once = [matter for matter in (*own[1:], *common) if matter not in twice]
    rng.shuffle(once)
    count = len(scenes)
    if count < 2 * len(twice) + 1:
        return [(matter, matter.said) for matter in islice(cycle([*twice, *once]), count)]
    half = count // 2
    middle = list(islice(cycle(once), count - 2 * len(twice)))
    early, late = middle[: half - 2], middle[half - 2 :]
    first, second = [*early, *twice], [*late, *twice]
    rng.shuffle(first)
    rng.shuffle(second)
    told = []
    for number, matter in enumerate([*first, *second]):
        lines = matter.said
        if matter in twice:
            lines = lines[:2] if number < len(first) else lines[2:]
        told.append((matter, lines))
    return told


def _pages(
    matters: Sequence[Matter],
    scenes: Sequence[Scene],
    told: Sequence[tuple[Matter, Sequence[str]]],
    rng: Random,
) -> list[_Page]:
    """What each page but the dashboards is about; never what is being said beside it."""
    spoken = iter(told)
    beside = [next(spoken)[0] if scene.shape else None for scene in scenes]
    places = [
        (scene.kind, matter)
        for scene, matter in zip(scenes, beside, strict=True)
        if scene.kind != "dashboard"
    ]
    while True:
        again = rng.sample(matters, len(matters))
        subjects = [*islice(cycle([*again, *rng.sample(again, len(again))]), len(places))]
        rng.shuffle(subjects)
        pairs = {(kind, m.name) for (kind, _), m in zip(places, subjects, strict=True)}
        apart = all(m is not b for (_, b), m in zip(places, subjects, strict=True))
        if len(pairs) == len(places) and apart:
            break
    pages: list[_Page] = []
    seen: set[str] = set()
    for number, ((_, said), matter) in enumerate(zip(places, subjects, strict=True)):
        repeated = subjects.count(matter) > 1
        lines = matter.written
        if repeated:
            lines = lines[:2] if matter.name not in seen else lines[-2:]
        # Of two pages on one matter, one mentions another matter and one does not.
        mentions = (repeated and matter.name in seen) or (not repeated and number % 3 == 0)
        others = [m for m in matters if m not in (matter, said)]
        pages.append(_Page(matter, rng.choice(others) if mentions else None, lines))
        seen.add(matter.name)
    return pages


def _screen(name: str, world: World, scene: Scene, page: _Page, rng: Random) -> Screen:
    away = {
        "during": rng.uniform(2, 6),
        "before": -rng.uniform(70, 150),
        "after": rng.uniform(75, 140),
        "": 0.0,
    }[scene.shape]
    at = scene.at + timedelta(seconds=round(away))
    hours = (at - at.replace(hour=START.hour, minute=0, second=0)).total_seconds() / 3600
    figures = {
        label: f"{_counted(first + rate * hours * rng.uniform(0.8, 1.2))}{unit}"
        for label, first, rate, unit in world.figures
    }
    return Screen(
        file=f"{name}/{SCREENS}/{at:%Y-%m-%dT%H%M%SZ}_screen.png",
        at=at,
        kind=scene.kind,
        title=headline(page.matter) if page.matter else world.board,
        matter=page.matter.name if page.matter else "",
        aside=page.aside.name if page.aside else "",
        lines=[*page.lines, *([_mention(page.aside, rng)] if page.aside else [])],
        figures=figures if scene.kind == "dashboard" else {},
    )


def _counted(value: float) -> str:
    return f"{max(0, round(value)):,}"


def headline(matter: Matter) -> str:
    """A matter as a page is headed: ``the capper jam`` is ``Capper jam``."""
    bare = matter.name.removeprefix("the ")
    return bare[:1].upper() + bare[1:]


def _mention(matter: Matter, rng: Random) -> str:
    bare = matter.name.removeprefix("the ")
    return rng.choice(
        (f"See also: {bare}.", f"Not to forget: {bare}.", f"This has to wait for {matter.name}.")
    )


def _clip(
    name: str, at: datetime, matter: Matter, lines: Sequence[str], voice: int, rng: Random
) -> Clip:
    said = texts("speech")
    opener, naming = rng.choice(said["openers"]), seeded(f"subject {name} {at}")
    if naming.random() < _NAMED:
        opener = naming.choice(said["subjects"]).format(m=matter.name)
    parts = [(opener, "")]
    parts += [(line, matter.name) for line in lines]
    if rng.random() < 0.7:
        parts.append((rng.choice(said["closers"]), ""))
    sentences, now = [], at + timedelta(seconds=_PAUSE)
    for text, about in parts:
        end = now + timedelta(seconds=_SECONDS_PER_WORD * len(text.split()))
        sentences.append(Sentence(text, now, end, about))
        now = end + timedelta(seconds=_PAUSE)
    return Clip(f"{name}/{SPEECH}/{at:%Y-%m-%dT%H%M%SZ}_voice.wav", at, voice, sentences)


def _event(log: str, channel: str, kind: str, scene: Scene, rng: Random) -> Event:
    # While something is said about an open page; else just before somebody speaks, as people
    # speak of what they have noticed; else while the page is open that nobody speaks about.
    away = {
        "during": 10,
        "before": -rng.randrange(15, 45),
        "after": -rng.randrange(15, 45),
        "": rng.randrange(15, 45),
    }[scene.shape]
    moment = scene.at + timedelta(seconds=away)
    start = moment - timedelta(seconds=moment.second % INTERVAL)
    lasting = {
        "step": 0,
        "spike": INTERVAL,
        "drift": 60 * rng.randrange(50, 80),
        "dropout": 60 * rng.randrange(4, 10),
    }[kind]
    return Event(log, channel, kind, rng.random() < 0.6, start, start + timedelta(seconds=lasting))
