"""From a question to a plan, without a model: what is firmly understood leaves the words."""

from collections.abc import Sequence
from datetime import datetime

from agentctx.planning import cues, linking, naming, times, wording
from agentctx.planning.asked import Place, Reading
from agentctx.planning.linking import Link
from agentctx.planning.plans import Clause, Plan, Relation, Span, shown
from agentctx.planning.question import NAME, TIME, Question
from agentctx.planning.reading import Reader
from agentctx.planning.spans import Time, resolve
from agentctx.planning.vocabulary import Vocabulary

# A longer text is a document to compare with, and no question.
LONGEST = 1000
_ABOUT = (" about ", " regarding ", " concerning ")
_FUTURE = frozenset(["will", "going", "shall", "next", "tomorrow", "upcoming"])
Places = Sequence[Place]


def plan(question: str, now: datetime, vocabulary: Vocabulary = Vocabulary()) -> Plan:  # noqa: B008
    """What a question in English asks for; whatever is not firmly understood stays words.

    ``now`` is what relative times are counted from, and its zone is the user's; a naive one is
    local time, as `datetime.astimezone` takes it. ``vocabulary`` has the names of the memory. A
    text in another language, or longer than 1000 characters, is all words.
    """
    now = now if now.tzinfo else now.astimezone()
    if len(question) > LONGEST:
        return Plan(Clause(question), now)
    return _Planner(question, now, vocabulary).plan()


class _Planner:
    def __init__(self, text: str, now: datetime, vocabulary: Vocabulary) -> None:
        self._question = Question(text)
        self._now = now
        named = vocabulary.find(self._question.low)
        self._where = list(naming.names_of_place(self._question, named))
        for kind, names, place in self._where:
            self._question.understand(*place, f"{kind} {' or '.join(names)}")
            self._question.cover(*place, NAME)
        self._phrases = times.find(self._question.low, now)
        for phrase in self._phrases:
            for place in phrase.spans:
                self._question.cover(*place, TIME)
        self._wide = vocabulary.perceives
        if self._wide:
            self._carried()
        self._reader = Reader(self._question, named, vocabulary)

    def _carried(self) -> None:
        """Cover what says nothing about the content: "I believe", "is that right?"."""
        for pattern in cues.CARRIERS:
            for found in pattern.finditer(self._question.low):
                self._question.understand(*found.span(), "no content")
                self._question.cover(*found.span(), TIME)
        for found in cues.LEADS.finditer(self._question.low):
            self._question.understand(*found.span(), "no content")

    def plan(self) -> Plan:
        whole = [(0, len(self._question.text))]
        main, links, read, anchors = self._parts()
        if links and not (read.firm or self._from_outside(main, anchors)):
            main, links, anchors = whole, [], []
            read = self._reader.read(main)
        if links and self._is_one(read, links, anchors):
            kept = [self._named_again(place) for link in links for place in link.anchors]
            main, links, anchors = sorted([*main, *kept]), [], []
            again = self._reader.read(main)
            again.each, again.modality = read.each, read.modality or again.modality
            read = again
        for link in links:
            if link.place:
                self._question.understand(*link.place, link.kind)
        clause = self._clause(main, read, alone=main == whole, anchor=False)
        relations = tuple(
            Relation(
                link.kind,
                tuple(self._clause([at], one) for at, one in zip(link.anchors, pair, strict=True)),
                link.near,
                link.distance,
            )
            for link, pair in zip(links, anchors, strict=True)
        )
        return Plan(
            clause,
            self._now,
            relations,
            read.order,
            read.wants,
            read.aggregate,
            self._question.understood(),
        )

    def _parts(self) -> tuple[Places, Sequence[Link], Reading, list[list[Reading]]]:
        """The main clause and its relations, with what was read in each."""
        low = self._question.low
        if self._wide and (first := linking.stated(low)):
            main, links = first
            moment = self._reader.read(links[0].anchors)
            read = self._reader.read(main, linked=True)
            other = set(read.modality) - set(moment.modality)
            # A channel's name alone states nothing: "pressure: what did it do before the call?"
            stated = moment.event or "channel" not in moment.attributes
            if stated and ((moment.event and read.modality) or (moment.modality and other)):
                return main, links, read, [[moment]]
        main, links = linking.split(low, wide=self._wide)
        read = self._reader.read(main, linked=bool(links))
        anchors = [[self._reader.read([place]) for place in link.anchors] for link in links]
        for pair in anchors:
            if len(pair) == 2 and pair[0].modality and not pair[1].modality and self._wide:
                # "between the talk about the roof and the one about the door"
                pair[1].ask(pair[0].modality)
                same = cues.THE_ONE.match(low, links[anchors.index(pair)].anchors[1][0])
                if same:
                    pair[1].note(same.span(), f"modality {' or '.join(pair[0].modality)}")
        return main, links, read, anchors

    def _is_one(
        self, read: Reading, links: Sequence[Link], anchors: Sequence[Sequence[Reading]]
    ) -> bool:
        """Whether the anchor is what is asked for: "what was said when she talked of brakes?"."""
        if not self._wide or len(links) != 1 or links[0].kind != "during" or read.each:
            return False
        (anchor,), (place,) = anchors[0], links[0].anchors
        again = "channel" in read.attributes and self._named_again(place) != place
        return bool(read.modality) and (again or anchor.modality == read.modality)

    def _named_again(self, place: Place) -> Place:
        """An anchor without the pronoun that stands for what was named before."""
        return (place[0] + 3, place[1]) if self._question.low.startswith("it ", place[0]) else place

    def _from_outside(self, main: Places, anchors: Sequence[Sequence[Reading]]) -> bool:
        """Whether an anchor names a modality, and the main clause asks for no inner state."""
        named = any(one.modality for pair in anchors for one in pair)
        inner = any(wording.INNER.search(self._question.low, *place) for place in main)
        return named and not inner

    def _clause(
        self, places: Places, read: Reading, *, alone: bool = False, anchor: bool = True
    ) -> Clause:
        question = self._question
        for span, meaning, drops in read.places:
            # Of several modalities, a name may belong to one only: then it is searched for.
            named = read.each and meaning.startswith(("speaker ", "app "))
            question.understand(*span, meaning, drops=drops and not named)
        since, until, told = self._times(places, read, anchor=anchor)
        where = {kind: names for kind, names, at in self._where if _inside(at, places)}
        modality = read.modality if read.each else sorted(read.modality)
        return Clause(
            question.words(places, whole=alone, each=self._wide),
            tuple(modality),
            since,
            until,
            told,
            where.get("session", ()),
            where.get("source", ()),
            () if read.each else tuple(sorted(read.attributes.items())),
            tuple(
                phrase for start, stop, phrase in question.quotes if _inside((start, stop), places)
            ),
            tuple(read.without),
            read.each,
        )

    def _times(
        self, places: Places, read: Reading, *, anchor: bool
    ) -> tuple[datetime | None, datetime | None, Span | None]:
        """The time of capture, and the one that is only told; at most one of the two."""
        inside = [p for p in self._phrases if _inside(p.spans[0], places)]
        found = resolve(inside, self._now, ends=self._wide and read.wants == "change")
        firm = [time for time in found if self._is_firm(time, places, read, anchor=anchor)]
        if self._wide:
            # "In July" may be what a text is about, where "on Tuesday" is told as well.
            firm.sort(key=lambda time: time.length)
        if firm:
            span = firm[0].span
            self._understand(firm[0], "time")
            for time in firm[1:]:
                both = _both(span, time.span)
                if both:
                    span = both
                    self._understand(time, "time")
            return *span, None
        if not found or _FUTURE & self._spoken(places):
            return None, None, None
        self._understand(found[-1], "time, perhaps", drops=False)
        return None, None, found[-1].span

    def _spoken(self, places: Places) -> set[str]:
        return {word for place in places for word in self._question.low[slice(*place)].split()}

    def _understand(self, time: Time, name: str, *, drops: bool = True) -> None:
        for place in time.places:
            self._question.understand(*place, f"{name} {shown(time.span, self._now)}", drops=drops)

    def _is_firm(self, time: Time, places: Places, read: Reading, *, anchor: bool) -> bool:
        near = time.close or (self._wide and time.counted)
        if not read.firm:
            # Of perceptions, a time that is counted from today is one of capture; and so is,
            # anywhere, that of a moment to look from, when it is told by the clock.
            return near and (anchor or (self._wide and not cues.TO_COME & self._spoken(places)))
        before = self._question.low[places[0][0] : time.places[0][0]]
        return near or not any(word in before for word in _ABOUT)


def _inside(place: Place, outer: Places) -> bool:
    return any(start <= place[0] and place[1] <= stop for start, stop in outer)


def _both(one: Span, other: Span) -> Span | None:
    """What two spans have in common."""
    since = max((s for s in (one[0], other[0]) if s), default=None)
    until = min((s for s in (one[1], other[1]) if s), default=None)
    return None if since and until and until <= since else (since, until)
