"""What the wording of one clause asks for: modalities, names, order, number, what it excludes."""

import re
from collections.abc import Sequence

from agentctx.planning import cues, linking, wording
from agentctx.planning.asked import Place, Reading, around, note
from agentctx.planning.plans import Order
from agentctx.planning.question import NAME, Question
from agentctx.planning.vocabulary import Named, Vocabulary
from agentctx.words import telling

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
_APP = re.compile(r" (?:app|application|window|tab|screen|page|dashboard)(?!\w)")
_APP_ASKED = re.compile(r"(?:did|does) $")
_APP_SHOWS = re.compile(r" (?:show|say|display|showed|displayed)(?: about)?(?!\w)")
_OPEN_IN = re.compile(
    r"(?<!\w)(?:what|which [\w-]+) (?:was|were|is) (?:open|shown|displayed|visible) $"
)
_BY_SPEAKER = re.compile(
    r"(?<!\w)(?:according to|speaker|(?:said|mentioned|spoken|suggested) by|words of) $"
)
_SCREEN, _SENSOR, _TEXT, _PICTURE = "screenshot", "sensor", "text", "picture"


class Reader:
    """Reads the clauses of one question."""

    def __init__(self, question: Question, named: Sequence[Named], vocabulary: Vocabulary) -> None:
        self._question = question
        self._low = question.low
        self._named = [name for name in named if question.low[name.start] != NAME]
        self._vocabulary = vocabulary

    def read(self, places: Sequence[Place], *, linked: bool = False) -> Reading:
        """What is read in a clause, which may be in several places; ``linked``: beside anchors."""
        if not self._vocabulary.perceives:
            found = Reading()
            for place in places:
                found.join(self._read(place, listed=False))
            return found
        parts = [part for place in places for part in linking.segments(self._low, place)]
        readings = [self._read(part, listed=linked or len(parts) > 1) for part in parts]
        found = readings[0] if readings else Reading()
        for other in readings[1:]:
            found.join(other)
        return found

    def _read(self, place: Place, *, listed: bool) -> Reading:
        """What is read in a part of a clause, in the order of what outweighs what."""
        found = Reading()
        wide = self._vocabulary.perceives
        if self._hints("excluded", place):
            if wide:
                self._excluded(found, place, cues.EXCLUDED)
            self._excluded(found, place, wording.EXCLUDED)
        says = self._said(found, place)
        if not says and _PICTURE in self._vocabulary.modalities:
            self._simple(found, place, wording.PICTURED, [_PICTURE])
        self._shown(found, place, says)
        if not says and self._hints("measured", place):
            self._simple(found, place, wording.MEASURED, [_SENSOR])
        if not says and self._hints("written", place):
            self._simple(found, place, wording.WRITTEN, [_TEXT])
        if wide:
            self._perceived(found, place, listed=listed)
        self._names(found, place, says)
        if self._hints("order", place):
            self._order(found, place)
        if self._hints("changed", place):
            self._changed(found, place)
        found.perceived = any(p.search(self._low, *place) for p in wording.PERCEIVED)
        if found.modality:
            self._excluded(found, place, wording.WITHOUT)
        return found

    def _perceived(self, found: Reading, place: Place, *, listed: bool) -> None:
        """What is asked for in words that mean a perception only where a memory has them."""
        if listed:
            for modality, pattern in cues.LISTED.items():
                part = self._low[slice(*place)]
                if self._known([modality]) and not found.modality and pattern.search(part):
                    found.ask([modality])
                    found.note(place, f"modality {modality}")
                    return
        spoken = self._known(self._vocabulary.spoken)
        if found.modality == spoken and self._known([_SCREEN]):
            found.each = self._cue(found, place, [cues.AND_SHOWN], [_SCREEN])
            found.ask([_SCREEN] if found.each else [])
        seen = self._known([_SCREEN]) if cues.ON_SCREENS.search(self._low, *place) else []
        inner = wording.INNER.search(self._low, *place)
        if inner or not cues.SPOKEN.search(self._low, *place):
            spoken = []
        read = seen if not self._known([_TEXT]) else []
        for patterns, known in (
            (cues.SEEN, seen),
            (cues.READ, read),
            (cues.THINGS, seen),
            (cues.TALK, spoken),
        ):
            if known and not found.modality and self._cue(found, place, patterns, known):
                found.ask(known)
        # What says the same once more: "what was said in the conversation about ...".
        if spoken and set(found.modality) == set(spoken):
            self._besides(found, place, (*cues.TALK, *cues.ALOUD), spoken)
        elif found.modality == [_SCREEN]:
            self._besides(found, place, cues.SEEN_BESIDES, [_SCREEN])

    def _besides(
        self,
        found: Reading,
        place: Place,
        patterns: Sequence[re.Pattern[str]],
        known: Sequence[str],
    ) -> None:
        part = self._low[slice(*place)]
        for pattern in patterns:
            for match in pattern.finditer(part):
                note(found, match, f"modality {' or '.join(known)}", place[0])

    def _cue(
        self,
        found: Reading,
        place: Place,
        patterns: Sequence[re.Pattern[str]],
        known: Sequence[str],
    ) -> bool:
        part = self._low[slice(*place)]
        for pattern in patterns:
            if match := pattern.search(part):
                note(found, match, f"modality {' or '.join(known)}", place[0])
                return True
        return False

    def _hints(self, kind: str, place: Place) -> bool:
        return wording.HINTS[kind].search(self._low, *place) is not None

    def _known(self, modalities: Sequence[str]) -> list[str]:
        """Those that the memory has; all where it is not known what it has."""
        has = self._vocabulary.modalities
        return [one for one in modalities if not has or one in has]

    def _simple(
        self, found: Reading, place: Place, patterns: Sequence[re.Pattern[str]], asks: Sequence[str]
    ) -> bool:
        known = self._known(asks)
        if known and self._first(patterns, place, found, f"modality {' or '.join(known)}"):
            found.ask(known)
            return True
        return False

    def _first(
        self, patterns: Sequence[re.Pattern[str]], place: Place, found: Reading, meaning: str
    ) -> re.Match[str] | None:
        """The first match of the first pattern that has one; noted, but for what it keeps."""
        for pattern in patterns:
            if match := pattern.search(self._low, *place):
                note(found, match, meaning)
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
                for piece in around((start, match.end()), kept):
                    found.note(piece, meaning)
                if not heard:
                    found.ask(known)
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
            found.ask(known)
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
            found.ask(known)
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
        event = self._event(found, name, place)
        how, aggregate = wording.HOW_HIGH.search(before), self._aggregate(before)
        asked = before[: aggregate[1].start()] + " " if aggregate else before
        ends = wording.ENDS.match(self._low, name.stop, place[1]) or does
        what = wording.WHAT_WAS.search(asked.rstrip() + " ") if ends or of else None
        # "max temperature yesterday": a query of keywords.
        keywords = bool(ends and aggregate and not asked.strip())
        if not (of or does or how or what or keywords or event):
            return
        found.event = bool(event and cues.EVENT.match(self._low, name.stop, place[1]))
        if event and not found.event:
            self._besides(found, place, cues.FIGURES, [_SENSOR])
        if self._vocabulary.perceives and (far := cues.FAR.search(before)):
            found.wants, found.aggregate = "number", cues.ENDS_OF.get(far["far"])
            span = (place[0] + far.start(), place[0] + far.end())
            found.note(span, f"wants a number: {found.aggregate or 'the values'}")
            if go := cues.GO.match(self._low, name.stop, place[1]):
                found.note(go.span(), "wants a number")
        names = name.names["channel"]
        found.attributes["channel"] = names
        found.ask([_SENSOR])
        found.note((name.start, name.stop), f"channel {' or '.join(names)}", drops=False)
        if how or what or keywords:
            found.wants = "number"
            for match in filter(None, (how, aggregate and aggregate[1])):
                span = (place[0] + match.start(), place[0] + match.end())
                found.note(span, f"wants a number{': ' + aggregate[0] if aggregate else ''}")
            found.aggregate = aggregate[0] if aggregate else found.aggregate
            if does and not explicit and " reading" in does.group():
                found.note(does.span(), "modality sensor")

    def _event(self, found: Reading, name: Named, place: Place) -> bool:
        """Whether a clause tells what a channel did, or asks for it."""
        if not self._vocabulary.perceives or (found.modality and _SENSOR not in found.modality):
            return False
        if cues.EVENT.match(self._low, name.stop, place[1]):
            return True
        part = self._low[slice(*place)]
        first = name.length > 1 and not self._low[place[0] : name.start].strip(" \x01")
        ends = (
            wording.ENDS.match(self._low, name.stop, place[1]) or self._low[name.stop :][:1] == ":"
        )
        return bool(first and ends) or any(p.search(part) for p in cues.FIGURES)

    def _aggregate(self, before: str) -> tuple[str, re.Match[str]] | None:
        for name, pattern in wording.AGGREGATES.items():
            if match := pattern.search(before):
                return name, match
        return None

    # -- the rest ----------------------------------------------------------------------------------

    def _order(self, found: Reading, place: Place) -> None:
        orders: tuple[Order, ...] = ("first", "last")
        for order in orders:
            meaning = f"the {order} in time"
            if self._first(wording.ORDERS[order], place, found, meaning) or (
                self._vocabulary.perceives
                and found.modality
                and self._first(cues.ORDERS[order], place, found, meaning)
            ):
                found.order = order
                return
        if found.modality and self._first(wording.NOW, place, found, "the last in time"):
            found.order = "last"

    def _changed(self, found: Reading, place: Place) -> None:
        meaning, wide = "wants what changed", self._vocabulary.perceives
        if not self._first(wording.CHANGED, place, found, meaning) and not (
            wide and self._first(cues.CHANGED, place, found, meaning)
        ):
            return
        found.wants, found.aggregate = "change", None
        if wide:
            self._besides(found, place, cues.THE_OTHER, ["the other time"])
            titled = cues.TITLED.search(self._low, *place)
            capital = titled and self._question.text[titled.end() : titled.end() + 1].isupper()
            if capital and not found.modality:
                found.ask(self._known([_SCREEN]))

    def _excluded(self, found: Reading, place: Place, patterns: Sequence[re.Pattern[str]]) -> None:
        for pattern in patterns:
            for match in pattern.finditer(self._low, *place):
                what = self._question.text[slice(*match.span("what"))].strip()
                words = match["what"].split()
                if any(
                    start < match.end() and match.start() < stop
                    for (start, stop), meaning, _ in found.places
                    if "not about" in meaning
                ):
                    continue
                if telling(what) and words and words[-1] not in wording.NOTHING:
                    found.without.append(what)
                    found.note(match.span(), f"not about {what!r}")


def _things(word: str) -> bool:
    return word in wording.THINGS or word.removesuffix("s") in wording.THINGS
