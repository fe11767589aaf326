"""From a question to a plan, without a model: what is firmly understood leaves the words."""

from collections.abc import Sequence
from datetime import UTC, datetime

from agentctx.planning import linking, reading, times, wording
from agentctx.planning.plans import Clause, Plan, Relation, Span, shown
from agentctx.planning.question import NAME, TIME, Question
from agentctx.planning.reading import Place, Reader, Reading
from agentctx.planning.spans import Time, resolve
from agentctx.planning.vocabulary import Vocabulary

# A longer text is a document to compare with, and no question.
LONGEST = 1000
_ABOUT = (" about ", " regarding ", " concerning ")
_FUTURE = frozenset(["will", "going", "shall", "next", "tomorrow", "upcoming"])


def plan(question: str, now: datetime, vocabulary: Vocabulary = Vocabulary()) -> Plan:  # noqa: B008
    """What a question in English asks for; whatever is not firmly understood stays words.

    ``now`` is what relative times are counted from, and its zone is the user's (a naive one is
    taken as local time). ``vocabulary`` has the names of the memory. Never fails: a text in another
    language, or longer than 1000 characters, is all words.
    """
    now = now if now.tzinfo else now.replace(tzinfo=UTC)
    if len(question) > LONGEST:
        return Plan(Clause(question), now)
    return _Planner(question, now, vocabulary).plan()


class _Planner:
    def __init__(self, text: str, now: datetime, vocabulary: Vocabulary) -> None:
        self._question = Question(text)
        self._now = now
        named = vocabulary.find(self._question.low)
        self._where = list(reading.names_of_place(self._question, named))
        for kind, names, place in self._where:
            self._question.understand(*place, f"{kind} {' or '.join(names)}")
            self._question.cover(*place, NAME)
        self._phrases = times.find(self._question.low, now)
        for phrase in self._phrases:
            for place in phrase.spans:
                self._question.cover(*place, TIME)
        self._reader = Reader(self._question, named, vocabulary)

    def plan(self) -> Plan:
        main, links = linking.split(self._question.low)
        read = self._reader.read(*main)
        anchors = [[self._reader.read(*place) for place in link.anchors] for link in links]
        if not (read.firm or self._from_outside(main, anchors)):
            main, links, anchors = (0, len(self._question.text)), [], []
            read = self._reader.read(*main)
        for link in links:
            self._question.understand(*link.place, link.kind)
        clause = self._clause(main, read, alone=not links, anchor=False)
        relations = tuple(
            Relation(
                link.kind,
                tuple(map(self._clause, link.anchors, pair)),
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

    def _from_outside(self, main: Place, anchors: Sequence[Sequence[Reading]]) -> bool:
        """Whether an anchor names a modality, and the main clause asks for no inner state."""
        named = any(one.modality for pair in anchors for one in pair)
        return named and not wording.INNER.search(self._question.low, *main)

    def _clause(
        self, place: Place, read: Reading, *, alone: bool = False, anchor: bool = True
    ) -> Clause:
        question = self._question
        for span, meaning, drops in read.places:
            question.understand(*span, meaning, drops=drops)
        since, until, told = self._times(place, read, anchor=anchor)
        where = {kind: names for kind, names, at in self._where if _inside(at, place)}
        return Clause(
            question.words(*place, whole=alone),
            tuple(sorted(read.modality)),
            since,
            until,
            told,
            where.get("session", ()),
            where.get("source", ()),
            tuple(sorted(read.attributes.items())),
            tuple(
                phrase for start, stop, phrase in question.quotes if _inside((start, stop), place)
            ),
            tuple(read.without),
        )

    def _times(
        self, place: Place, read: Reading, *, anchor: bool
    ) -> tuple[datetime | None, datetime | None, Span | None]:
        """The time of capture, and the one that is only told; at most one of the two."""
        inside = [p for p in self._phrases if _inside(p.spans[0], place)]
        found = resolve(inside, self._now)
        firm = [time for time in found if self._is_firm(time, place, read, anchor=anchor)]
        if firm:
            span = firm[0].span
            self._understand(firm[0], "time")
            for time in firm[1:]:
                both = _both(span, time.span)
                if both:
                    span = both
                    self._understand(time, "time")
            return *span, None
        if not found or _FUTURE & set(self._question.low[slice(*place)].split()):
            return None, None, None
        self._understand(found[-1], "time, perhaps", drops=False)
        return None, None, found[-1].span

    def _understand(self, time: Time, name: str, *, drops: bool = True) -> None:
        for place in time.places:
            self._question.understand(*place, f"{name} {shown(time.span, self._now)}", drops=drops)

    def _is_firm(self, time: Time, place: Place, read: Reading, *, anchor: bool) -> bool:
        if not read.firm:
            # A moment to look from is one of capture, when it is told by the clock.
            return anchor and time.close
        before = self._question.low[place[0] : time.places[0][0]]
        return time.close or not any(word in before for word in _ABOUT)


def _inside(place: Place, outer: Place) -> bool:
    return outer[0] <= place[0] and place[1] <= outer[1]


def _both(one: Span, other: Span) -> Span | None:
    """What two spans have in common."""
    since = max((s for s in (one[0], other[0]) if s), default=None)
    until = min((s for s in (one[1], other[1]) if s), default=None)
    return None if since and until and until <= since else (since, until)
