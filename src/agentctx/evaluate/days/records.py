"""What a working day is made of, and what is asked about it: frozen records.

Times are aware, in UTC. Files are named as they lie in the set's folder: ``day/screens/x.png``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

SCREEN_SIZE = (1024, 768)  # px
SCREENS, SPEECH, SENSORS = "screens", "speech", "sensors"


@dataclass(frozen=True, slots=True)
class Matter:
    """Something that people deal with: its name, the same in other words, and what is said and
    written about it."""

    name: str
    alias: str
    said: Sequence[str]
    written: Sequence[str]


@dataclass(frozen=True, slots=True)
class Channel:
    """An instrument: its usual level, the deviation of its noise, and the swing over a day."""

    name: str
    unit: str
    level: float
    noise: float
    season: float

    @property
    def column(self) -> str:
        """The header of its column in a log."""
        return f"{self.name} [{self.unit}]" if self.unit else self.name


@dataclass(frozen=True, slots=True)
class World:
    """A place of work with its people's words: what the stories of a day are drawn from.

    ``figures`` are rows of the dashboard ``board``: a label, the value at eight, the change per
    hour, the unit.
    """

    name: str
    place: str
    board: str
    team: str
    prefix: str
    kinds: Sequence[str]
    fillers: Sequence[str]
    figures: Sequence[tuple[str, float, float, str]]
    channels: Sequence[Channel]
    matters: Sequence[Matter]


@dataclass(frozen=True, slots=True)
class Screen:
    """A screenshot: what kind of page, its heading, its own lines, and what they are about.

    ``matter`` is the page's subject, ``aside`` another that is mentioned on it, both by name and
    either of them empty; ``figures`` are what a dashboard shows, by label.
    """

    file: str
    at: datetime
    kind: str
    title: str
    matter: str
    aside: str
    lines: Sequence[str]
    figures: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence as it was spoken; ``matter`` is empty for what belongs to none."""

    text: str
    start: datetime
    end: datetime
    matter: str


@dataclass(frozen=True, slots=True)
class Clip:
    """A recording of one speaker; ``voice`` numbers the voices of the synthesiser."""

    file: str
    at: datetime
    voice: int
    sentences: Sequence[Sentence]

    @property
    def end(self) -> datetime:
        """When the last sentence is over."""
        return self.sentences[-1].end

    @property
    def matter(self) -> str:
        """What it is about."""
        return next(s.matter for s in self.sentences if s.matter)

    def about(self) -> tuple[datetime, datetime]:
        """From when until when its matter is spoken of."""
        told = [sentence for sentence in self.sentences if sentence.matter]
        return told[0].start, told[-1].end


@dataclass(frozen=True, slots=True)
class Event:
    """What was put into a channel: ``step``, ``spike``, ``drift`` or ``dropout``.

    A step and a spike begin and end with the first sample that shows them. ``up`` means nothing
    for a dropout.
    """

    file: str
    channel: str
    kind: str
    up: bool
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Target:
    """A right answer: what comes from this file (and channel) and overlaps this span."""

    source: str
    start: datetime
    end: datetime
    channel: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """A question with its type and the time at which it is asked.

    Each of its ``needs`` is met by any one of some targets. One modality has one need, a question
    for what was seen and said has two; without any need there is no answer.
    """

    id: str
    type: str
    text: str
    now: datetime
    needs: Sequence[Sequence[Target]]


@dataclass(frozen=True, slots=True)
class Day:
    """A working day: everything perceived on it, and the questions about it."""

    name: str
    place: str
    date: date
    screens: Sequence[Screen]
    clips: Sequence[Clip]
    log: str
    channels: Sequence[Channel]
    events: Sequence[Event]
    questions: Sequence[Question] = ()
