"""What the wording of one clause asks for: modalities, names, order, number, what it excludes."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from agentctx.planning import wording
from agentctx.planning.plans import Order, Wants
from agentctx.planning.question import NAME, Question
from agentctx.planning.vocabulary import Named, Vocabulary
from agentctx.words import telling

Place = tuple[int, int]
# Names that are everyday words: an app is meant where it is written with its capital only, ...
_EVERYDAY_APPS = frozenset(
    str.split("""
    access arc books bear brave calculator calendar camera clock code contacts discord drafts edge
    excel explorer files finder home keynote linear mail maps meet messages music news notes notion
    numbers opera outlook pages paint phone photos preview project reminders safari settings signal
    slack spark teams terminal things word zoom
    """)
)
# ... and a channel where it is called one.
_EVERYDAY_CHANNELS = frozenset(
    str.split("""
    alarm counter count date error event id label message mode name note number output phase result
    run signal state status step test text time type unit value x y z
    """)
)
_IN: re.Pattern[str] = re.compile(r"(?<!\w)(?:in|on|inside|using|from|within) (?:the )?$")
_IN_SESSION = re.compile(r"(?<!\w)(?:in|at|during|from|of|within) (?:the |our |my )?$")
_SESSION = re.compile(
    r"(?<!\w)(?:(?:in|at|during|from|of|within) )?(?:the |our |my )?(?:session|meeting|call) $"
)
_IS_SESSION = re.compile(r" (?:session|meeting|call)(?!\w)")
_IN_SOURCE = re.compile(r"(?<!\w)(?:in|from|of|on) (?:the )?(?:file |document |recording |log )?$")
_APP = re.compile(r" (?:app|application|window|tab|screen|page|dashboard)(?!\w)")
_APP_ASKED = re.compile(r"(?:did|does) $")
_APP_SHOWS = re.compile(r" (?:show|say|display|showed|displayed)(?: about)?(?!\w)")
_OPEN_IN = re.compile(
    r"(?<!\w)(?:what|which [\w-]+) (?:was|were|is) (?:open|shown|displayed|visible) $"
)
_BY_SPEAKER = re.compile(
    r"(?<!\w)(?:according to|speaker|(?:said|mentioned|spoken|suggested) by|words of) $"
)
_SCREEN, _SENSOR, _TEXT = "screenshot", "sensor", "text"


@dataclass(slots=True)
class Reading:
    """What was read in a clause, and where; nothing is noted in the question yet."""

    modality: set[str] = field(default_factory=set)
    attributes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    order: Order | None = None
    wants: Wants | None = None
    aggregate: str | None = None
    without: list[str] = field(default_factory=list)
    # Asks what was perceived, in whatever modality.
    perceived: bool = False
    # Where, what it means, and whether it leaves the words.
    places: list[tuple[Place, str, bool]] = field(default_factory=list)

    @property
    def firm(self) -> bool:
        """Whether it asks for what was captured, so that its times are times of capture."""
        return bool(self.modality or self.attributes or self.perceived or self.wants)

    def note(self, place: Place, meaning: str, *, drops: bool = True) -> None:
        """Keep a place for `Question.understand`."""
        self.places.append((place, meaning, drops))


def names_of_place(
    question: Question, named: Sequence[Named]
) -> Iterator[tuple[str, tuple[str, ...], Place]]:
    """The sessions and sources that a question is restricted to, with the words that say so."""
    for name in named:
        before, low = question.low[: name.start], question.low
        if "session" in name.names:
            told = _SESSION.search(before)
            after = _IS_SESSION.match(low, name.stop)
            clear = name.length > 1 or any(map(str.isdigit, low[name.start : name.stop]))
            start = told or _IN_SESSION.search(before)
            if told or after or (clear and start):
                place = (
                    start.start() if start else name.start,
                    after.end() if after else name.stop,
                )
                yield "session", name.names["session"], place
                continue
        if "source" in name.names and (told := _IN_SOURCE.search(before)):
            yield "source", name.names["source"], (told.start(), name.stop)


class Reader:
    """Reads the clauses of one question."""

    def __init__(self, question: Question, named: Sequence[Named], vocabulary: Vocabulary) -> None:
        self._question = question
        self._low = question.low
        self._named = [name for name in named if question.low[name.start] != NAME]
        self._vocabulary = vocabulary

    def read(self, start: int, stop: int) -> Reading:
        """What is read in a clause, in the order of what outweighs what."""
        found = Reading()
        place = (start, stop)
        self._excluded(found, place, wording.EXCLUDED)
        says = self._said(found, place)
        self._shown(found, place, says)
        if not says:
            self._simple(found, place, wording.MEASURED, [_SENSOR])
            self._simple(found, place, wording.WRITTEN, [_TEXT])
        self._names(found, place, says)
        self._order(found, place)
        if self._first(wording.CHANGED, place, found, "wants what changed"):
            found.wants, found.aggregate = "change", None
        found.perceived = any(p.search(self._low, *place) for p in wording.PERCEIVED)
        if found.modality:
            self._excluded(found, place, wording.WITHOUT)
        return found

    def _known(self, modalities: Sequence[str]) -> list[str]:
        """Those that the memory has; all where it is not known what it has."""
        has = self._vocabulary.modalities
        return [one for one in modalities if not has or one in has]

    def _simple(
        self, found: Reading, place: Place, patterns: Sequence[re.Pattern[str]], asks: Sequence[str]
    ) -> bool:
        known = self._known(asks)
        if known and self._first(patterns, place, found, f"modality {' or '.join(known)}"):
            found.modality.update(known)
            return True
        return False

    def _first(
        self, patterns: Sequence[re.Pattern[str]], place: Place, found: Reading, meaning: str
    ) -> re.Match[str] | None:
        """The first match of the first pattern that has one; noted, but for what it keeps."""
        for pattern in patterns:
            if match := pattern.search(self._low, *place):
                _note(found, match, meaning)
                return match
        return None

    # -- speech ------------------------------------------------------------------------------------

    def _said(self, found: Reading, place: Place) -> bool:
        heard = self._simple(found, place, wording.HEARD, ["speech"])
        known = self._known(self._vocabulary.spoken)
        if not known:
            return heard
        meaning = f"modality {' or '.join(known)}"
        for pattern in wording.SAYS:
            for match in pattern.finditer(self._low, *place):
                speaks = self._speaker(match)
                if speaks is None:
                    continue
                start, kept, names = speaks
                before = self._low[place[0] : start]
                if match.groupdict().get("states") and not wording.STATED.search(before):
                    continue
                if names:
                    found.attributes["speaker"] = names
                    found.note(kept or (start, match.end()), f"speaker {' or '.join(names)}")
                for piece in _around((start, match.end()), kept):
                    found.note(piece, meaning)
                if not heard:
                    found.modality.update(known)
                return True
        return heard

    def _speaker(self, match: re.Match[str]) -> tuple[int, Place | None, tuple[str, ...]] | None:
        """Where the wording begins, who speaks in it, and the speakers of the memory that are this.

        None if nobody speaks.
        """
        groups = match.groupdict()
        if groups.get("first"):
            return match.start(), match.span("first"), ()
        group = "name" if groups.get("name") else "role" if groups.get("role") else ""
        if not group:
            return match.start(), match.span("keep") if groups.get("keep") else None, ()
        start, stop = match.span(group)
        last = self._low.rfind(" ", start, stop) + 1 or start
        if self._low[last:stop] in wording.PRONOUNS:
            return last, None, ()
        for first in dict.fromkeys((start, last)):
            names = self._speakers(first, stop)
            if names or (self._question.text[first].isupper() and first > 0):
                begin = match.start() if first == start else first
                return begin, (first, stop), names
        if group == "role" and not _things(self._low[last:stop]):
            return match.start(), match.span("keep"), ()
        return None

    def _speakers(self, start: int, stop: int) -> tuple[str, ...]:
        return next(
            (
                name.names["speaker"]
                for name in self._named
                if (name.start, name.stop) == (start, stop) and "speaker" in name.names
            ),
            (),
        )

    # -- screens -----------------------------------------------------------------------------------

    def _shown(self, found: Reading, place: Place, says: bool) -> None:
        if says and " or shown" not in self._low[slice(*place)]:
            return
        self._simple(found, place, wording.SHOWN, [_SCREEN])

    # -- names -------------------------------------------------------------------------------------

    def _names(self, found: Reading, place: Place, says: bool) -> None:
        for name in self._named:
            if place[0] <= name.start and name.stop <= place[1]:
                if "app" in name.names:
                    self._app(found, name, place[0])
                if "speaker" in name.names and "speaker" not in found.attributes:
                    self._by_speaker(found, name, place[0])
                if "channel" in name.names and not found.attributes.get("channel"):
                    self._channel(found, name, place, says)

    def _by_speaker(self, found: Reading, name: Named, start: int) -> None:
        told = _BY_SPEAKER.search(self._low[start : name.start])
        known = self._known(self._vocabulary.spoken)
        if told and known:
            names = name.names["speaker"]
            found.attributes["speaker"] = names
            found.modality.update(known)
            found.note((start + told.start(), name.stop), f"speaker {' or '.join(names)}")

    def _app(self, found: Reading, name: Named, start: int) -> None:
        written = self._question.text[name.start : name.stop]
        everyday = written.islower() and written in _EVERYDAY_APPS
        before = self._low[start : name.start]
        told, after = _IN.search(before), _APP.match(self._low, name.stop)
        shows = _APP_SHOWS.match(self._low, name.stop)
        if shows and not everyday:
            told, after = _APP_ASKED.search(before), shows
        elif not after and (not told or everyday):
            return
        names = name.names["app"]
        first = start + told.start() if told else name.start
        found.attributes["app"] = names
        found.note((first, after.end() if after else name.stop), f"app {' or '.join(names)}")
        is_open = _OPEN_IN.search(self._low[start:first])
        if (shows or is_open) and (known := self._known([_SCREEN])):
            found.modality.update(known)
            if is_open:
                found.note((start + is_open.start(), start + is_open.end()), "modality screenshot")

    def _channel(self, found: Reading, name: Named, place: Place, says: bool) -> None:
        before = self._low[place[0] : name.start]
        of, does = (
            wording.OF_CHANNEL.search(before),
            wording.CHANNEL_DOES.match(self._low, name.stop, place[1]),
        )
        explicit = (of and of["explicit"]) or (does and does["explicit"])
        everyday = self._low[name.start : name.stop] in _EVERYDAY_CHANNELS
        if not self._known([_SENSOR]) or ((says or everyday) and not explicit):
            return
        how, aggregate = wording.HOW_HIGH.search(before), self._aggregate(before)
        asked = before[: aggregate[1].start()] + " " if aggregate else before
        ends = wording.ENDS.match(self._low, name.stop, place[1]) or does
        what = wording.WHAT_WAS.search(asked.rstrip() + " ") if ends or of else None
        # "max temperature yesterday": a query of keywords.
        keywords = bool(ends and aggregate and not asked.strip())
        if not (of or does or how or what or keywords):
            return
        names = name.names["channel"]
        found.attributes["channel"] = names
        found.modality.add(_SENSOR)
        found.note((name.start, name.stop), f"channel {' or '.join(names)}", drops=False)
        if how or what or keywords:
            found.wants = "number"
            for match in filter(None, (how, aggregate and aggregate[1])):
                span = (place[0] + match.start(), place[0] + match.end())
                found.note(span, f"wants a number{': ' + aggregate[0] if aggregate else ''}")
            found.aggregate = aggregate[0] if aggregate else None
            if does and not explicit and " reading" in does.group():
                found.note(does.span(), "modality sensor")

    def _aggregate(self, before: str) -> tuple[str, re.Match[str]] | None:
        for name, pattern in wording.AGGREGATES.items():
            if match := pattern.search(before):
                return name, match
        return None

    # -- the rest ----------------------------------------------------------------------------------

    def _order(self, found: Reading, place: Place) -> None:
        orders: tuple[Order, ...] = ("first", "last")
        for order in orders:
            if self._first(wording.ORDERS[order], place, found, f"the {order} in time"):
                found.order = order
                return
        if found.modality and self._first(wording.NOW, place, found, "the last in time"):
            found.order = "last"

    def _excluded(self, found: Reading, place: Place, patterns: Sequence[re.Pattern[str]]) -> None:
        for pattern in patterns:
            for match in pattern.finditer(self._low, *place):
                what = self._question.text[slice(*match.span("what"))].strip()
                words = match["what"].split()
                if telling(what) and words and words[-1] not in wording.NOTHING:
                    found.without.append(what)
                    found.note(match.span(), f"not about {what!r}")


def _note(found: Reading, match: re.Match[str], meaning: str) -> None:
    kept = match.span("keep") if match.groupdict().get("keep") else None
    for piece in _around(match.span(), kept):
        found.note(piece, meaning)


def _around(whole: Place, kept: Place | None) -> list[Place]:
    if kept is None:
        return [whole]
    return [(whole[0], kept[0]), (kept[1], whole[1])]


def _things(word: str) -> bool:
    return word in wording.THINGS or word.removesuffix("s") in wording.THINGS
