"""A day as questions look at it: what goes with what, and how each thing is called."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import TYPE_CHECKING

from agentctx.evaluate.days.records import Clip, Day, Event, Matter, Screen, Target
from agentctx.evaluate.days.signals import clock, simulate
from agentctx.evaluate.days.worlds import common_matters, texts, worlds

if TYPE_CHECKING:
    from agentctx.evaluate.days.signals import Floats

Needs = Sequence[Sequence[Target]]

# A page and a recording of one scene are nearer to each other than this, those of two are not.
NEAR = timedelta(minutes=4)
_PAD = timedelta(seconds=60)
_MOST_EXTREMES = 20
_SHORT = ("step", "spike", "dropout")


@dataclass(frozen=True, slots=True)
class Draft:
    """A question before it has words: its type, the phrasings that suit it, what they need.

    ``dated``: whether a day is named: ``never``, ``free`` to do so, ``must``, or as a ``part`` of
    the day of ``at``, or ``yesterday``.
    """

    type: str
    phrasing: str
    needs: Needs
    slots: Mapping[str, str] = field(default_factory=dict)
    dated: str = "never"
    at: datetime | None = None


class View:
    """One day, its readings, and the words for what is in it, chosen by a seeded generator."""

    def __init__(self, day: Day, seed: int, rng: Random) -> None:
        self.day = day
        self.rng = rng
        self.series: Mapping[str, Floats] = simulate(day, seed)
        self.times = clock(day)
        self.pages = [screen for screen in day.screens if screen.matter]
        self.boards = [screen for screen in day.screens if screen.kind == "dashboard"]
        world = next(one for one in worlds() if day.name.endswith(one.name))
        self._matters = {matter.name: matter for matter in (*world.matters, *common_matters())}
        self._own = {matter.name for matter in world.matters}

    # -- what there is ------------------------------------------------------------------------

    def own(self, matter: str) -> bool:
        """Whether a matter is of this place alone, and of no other day of a set."""
        return matter in self._own

    def clips_about(self, matter: str) -> list[Clip]:
        """The recordings about a matter, by time."""
        return [clip for clip in self.day.clips if clip.matter == matter]

    def once(self) -> list[Clip]:
        """The recordings on matters of this place that are talked about only once."""
        return [c for c in self.day.clips
                if self.own(c.matter) and len(self.clips_about(c.matter)) == 1]  # fmt: skip

    def twice(self) -> list[tuple[Clip, Clip]]:
        """The recordings on one matter, where there are two."""
        matters = dict.fromkeys(clip.matter for clip in self.day.clips)
        told = (self.clips_about(matter) for matter in matters)
        return [(clips[0], clips[1]) for clips in told if len(clips) == 2]

    def together(self) -> list[tuple[Clip, Screen]]:
        """Recordings with the page that opens while they last."""
        return [(c, s) for c in self.day.clips for s in self.day.screens if c.at <= s.at <= c.end]

    def at_once(self) -> list[tuple[Event, Clip]]:
        """Short events with the recording that is going on when they begin."""
        return [(e, c) for e in self._short() for c in self.day.clips
                if c.at <= e.start <= c.end]  # fmt: skip

    def noticed(self) -> list[tuple[Event, Clip]]:
        """Short events with the recording that begins within the minute after."""
        return [(e, c) for e in self._short() for c in self.day.clips
                if timedelta(0) < c.at - e.start <= _PAD]  # fmt: skip

    def seen(self) -> list[tuple[Event, Screen]]:
        """Short events with the page that was opened in the minutes before."""
        return [(e, s) for e in self._short() for s in self.day.screens
                if timedelta(0) <= e.start - s.at < NEAR]  # fmt: skip

    def _short(self) -> list[Event]:
        return [event for event in self.day.events if event.kind in _SHORT]

    def kinds(self) -> Iterator[list[Screen]]:
        """The pages of each kind of which there are several, by time."""
        for kind in dict.fromkeys(page.kind for page in self.pages):
            same = [page for page in self.pages if page.kind == kind]
            if len(same) > 1:
                yield same

    def event_pairs(self) -> list[tuple[Event, Event]]:
        """The two events of each channel, by time."""
        pairs = []
        for channel in self.day.channels:
            found = [e for e in self.day.events if e.channel == channel.name]
            if len(found) == 2:
                pairs.append((found[0], found[1]))
        return pairs

    # -- how it is called ---------------------------------------------------------------------

    def called(self, matter: str) -> str:
        """A matter by its name, or as somebody would put it who forgot the name."""
        known: Matter = self._matters[matter]
        return self.rng.choice((known.name, known.alias))

    def kind(self, page: Screen) -> str:
        """What a page's kind is called."""
        return str(self.rng.choice(texts("phrasings")["kind"][page.kind]))

    def happening(self, event: Event) -> dict[str, str]:
        """A channel, and what it did, for a question about an event."""
        ways = texts("phrasings")["did"][event.kind]["up" if event.up else "down"]
        return {"ch": event.channel, "did": self.rng.choice(ways)}

    # -- what answers -------------------------------------------------------------------------

    def reading(self, channel: str, start: datetime, end: datetime) -> list[Target]:
        """What a channel read in a span."""
        return [Target(self.day.log, start, end, channel)]

    def extremes(self, channel: str, *, high: bool) -> list[Target]:
        """Where a channel read its highest or lowest value; none when that was all the time."""
        import numpy as np

        values = self.series[channel]
        extreme = np.nanmax(values) if high else np.nanmin(values)
        places = np.flatnonzero(values == extreme).tolist()
        if len(places) > _MOST_EXTREMES:
            return []
        return [t for place in places
                for t in self.reading(channel, self.times[place], self.times[place])]  # fmt: skip


def page_target(page: Screen) -> list[Target]:
    """A page answers."""
    return [Target(page.file, page.at, page.at)]


def told_target(clip: Clip) -> list[Target]:
    """What a recording says on its matter answers."""
    return [Target(clip.file, *clip.about())]


def heard_target(clip: Clip) -> list[Target]:
    """Anything in a recording answers."""
    return [Target(clip.file, clip.sentences[0].start, clip.end)]


def event_target(event: Event) -> list[Target]:
    """What a channel read while an event went on answers; a minute around a short one."""
    pad = _PAD if event.kind in ("step", "spike") else timedelta(0)
    return [Target(event.file, event.start - pad, event.end + pad, event.channel)]
