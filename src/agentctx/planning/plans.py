"""What a question asks for: the frozen records that `plan` makes."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from agentctx.records import Scalar

Kind = Literal["before", "after", "during", "between", "since", "until"]
Order = Literal["first", "last"]
Wants = Literal["change", "number"]
# Half-open, in UTC; None is open. At least one of the two is set, and since < until.
Span = tuple[datetime | None, datetime | None]


@dataclass(frozen=True, slots=True)
class Clause:
    """One thing to look for.

    ``words`` is what to search for: the question without what was understood otherwise. It is
    empty only where nothing telling is left, as in "what was on the screen at 9:12?"; then the
    restrictions say it all. ``modality``, ``since``, ``until`` (UTC, half-open), ``session``,
    ``source`` and ``attributes`` are as in `agentctx.records.Filters`. ``told`` is a time that the
    question mentions, but perhaps not the time of capture: something to prefer, not to filter by.
    ``exact`` are quoted phrases, which must occur (``words`` has them too); ``without`` is what a
    hit must not be about. ``each``: one hit of each modality is wanted, not the best of any; then
    ``modality`` is in order of mention, and there are no ``attributes``, which would hold for one
    of them only.
    """

    words: str
    modality: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    told: Span | None = None
    session: tuple[str, ...] = ()
    source: tuple[str, ...] = ()
    attributes: tuple[tuple[str, tuple[Scalar, ...]], ...] = ()
    exact: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    each: bool = False


@dataclass(frozen=True, slots=True)
class Relation:
    """The main clause stands in this relation of time to the anchors: two for between, else one.

    ``near``: the moment right next to the anchor is meant ("just before", "right after", "when");
    ``distance``: so many seconds from it ("two minutes before").
    """

    kind: Kind
    anchors: tuple[Clause, ...]
    near: bool = False
    distance: float | None = None

    def __str__(self) -> str:
        """The relation in words, for people."""
        far = "" if self.distance is None else f"{self.distance:g} s "
        return f"{far}{'just ' if self.near else ''}{self.kind}"


@dataclass(frozen=True, slots=True)
class Understood:
    """A part ``question[start:stop]`` that was taken as more than words, and what it means."""

    start: int
    stop: int
    words: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What a question asks for.

    ``now`` is the time that relative times were counted from; its zone is the user's. ``order``
    asks for the first or last in time, ``wants`` for a difference (where two times are told, they
    are ``since`` and ``until``) or a number; ``aggregate`` is
    then the one that `Memory.readings` should take (None: the values themselves). ``understood``
    is in order of the question; its parts do not overlap.
    """

    clause: Clause
    now: datetime
    relations: tuple[Relation, ...] = ()
    order: Order | None = None
    wants: Wants | None = None
    aggregate: str | None = None
    understood: tuple[Understood, ...] = ()

    def describe(self) -> str:
        """The plan in lines for people: what is looked for, and which words said so."""
        lines = list(_lines(self.clause, self.now, "looks for"))
        for relation in self.relations:
            for number, anchor in enumerate(relation.anchors):
                lines += _lines(anchor, self.now, str(relation) if not number else "and")
        if self.order:
            lines.append(f"order: {self.order} in time")
        if self.wants:
            lines.append(" ".join(filter(None, ("wants:", self.wants, self.aggregate))))
        lines += (f"understood: {part.words!r} as {part.meaning}" for part in self.understood)
        return "\n".join(lines)


def _lines(clause: Clause, now: datetime, label: str) -> Iterator[str]:
    yield f"{label}: {clause.words!r}" if clause.words else f"{label}: anything"
    named = {"session": clause.session, "source": clause.source, **dict(clause.attributes)}
    parts = {
        "modality": (" and " if clause.each else " or ").join(clause.modality),
        "time": shown((clause.since, clause.until), now),
        "time, perhaps": shown(clause.told, now) if clause.told else "",
        **{name: " or ".join(map(str, values)) for name, values in named.items()},
        "exactly": ", ".join(map(repr, clause.exact)),
        "without": ", ".join(map(repr, clause.without)),
    }
    yield from (f"  {name}: {value}" for name, value in parts.items() if value)


def shown(span: Span, now: datetime) -> str:
    """A span in the zone of ``now``; empty where it is open on both sides.

    >>> from datetime import UTC
    >>> shown((datetime(2026, 3, 18, 9, tzinfo=UTC), None), datetime(2026, 3, 18, 12, tzinfo=UTC))
    'from 2026-03-18 09:00'
    """
    since, until = (_local(when, now) for when in span)
    return " ".join([f"from {since}"] * bool(since) + [f"until {until}"] * bool(until))


def _local(when: datetime | None, now: datetime) -> str:
    if when is None:
        return ""
    with suppress(OverflowError):  # at an end of the calendar only UTC can tell it
        when = when.astimezone(now.tzinfo)
    return when.replace(tzinfo=None).isoformat(" ", "seconds" if when.second else "minutes")
