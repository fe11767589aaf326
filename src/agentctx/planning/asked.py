"""What was read in a clause: what it asks for, and which words say so."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from agentctx.planning import cues
from agentctx.planning.plans import Order, Wants

Place = tuple[int, int]


@dataclass(slots=True)
class Reading:
    """What was read in a clause, and where; nothing is noted in the question yet."""

    # In order of mention.
    modality: list[str] = field(default_factory=list)
    # One of each of them is wanted.
    each: bool = False
    # Of the thing on a screen only its kind is told: "which page".
    generic: bool = False
    # Tells what a channel did.
    event: bool = False
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

    def ask(self, modalities: Sequence[str]) -> None:
        """Ask for any of these."""
        self.modality += [one for one in modalities if one not in self.modality]

    def join(self, other: "Reading") -> None:
        """Ask for what another clause asks for, besides."""
        if other.modality and self.modality and set(self.modality) != set(other.modality):
            self.each = True
        self.ask(other.modality)
        if self.each and other.generic:
            other.drop_kept()
        for name, values in other.attributes.items():
            self.attributes.setdefault(name, values)
        self.order = self.order or other.order
        if other.wants and not self.wants:
            self.wants, self.aggregate = other.wants, other.aggregate
        self.without += other.without
        self.perceived = self.perceived or other.perceived
        self.event = self.event or other.event
        self.places += other.places

    def drop_kept(self) -> None:
        """Let what lies between the noted places go as well."""
        places = [place for place, meaning, _ in self.places if meaning == "modality screenshot"]
        whole = (min(start for start, _ in places), max(stop for _, stop in places))
        self.note(whole, "modality screenshot")

    def note(self, place: Place, meaning: str, *, drops: bool = True) -> None:
        """Keep a place for `Question.understand`."""
        self.places.append((place, meaning, drops))


def note(found: Reading, match: re.Match[str], meaning: str, start: int = 0) -> None:
    """Note what a match in the text from ``start`` on has, but for what it keeps."""
    word = match.groupdict().get("keep")
    kept = match.span("keep") if word else None
    found.generic = found.generic or word in cues.GENERIC
    for first, last in around(match.span(), kept):
        found.note((start + first, start + last), meaning)


def around(whole: Place, kept: Place | None) -> list[Place]:
    """A place without what it keeps."""
    if kept is None:
        return [whole]
    return [(whole[0], kept[0]), (kept[1], whole[1])]
