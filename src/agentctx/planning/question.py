"""A question whose parts are understood one after the other, each at most once."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from agentctx.planning.plans import Understood
from agentctx.words import STOP_WORDS, telling

# What is covered up, so that no pattern reads it again: quotes, times, names.
QUOTE, TIME, NAME = "\x00", "\x01", "\x02"
_CONTROL = re.compile(r"[\x00-\x02]")
_APOSTROPHES = str.maketrans("’ʼ", "''")
_QUOTED = re.compile(
    r"\"([^\"]{2,200})\"|“([^”]{2,200})”|«([^»]{2,200})»|(?<!\S)['‘](?=\S)([^\n]{1,199}?\S)['’](?=$|[\s.,;:!?)])"
)
# What may be left at the edges when a part in the middle was understood, and tells nothing.
_EDGES = frozenset(
    str.split("""
    what what's which was were is are did does do has have had about that of on in at to and or for
    by from with show find give tell me can could you please there
    """)
)
# At the end they belong to what is before: "a bill nobody can find", "who has July off".
_VERBS = frozenset(["find", "show", "give", "tell", "can", "could", "by", "off"])
_TELLS_NOTHING = frozenset(
    str.split("""
    show find give tell happened happening going please changed thing things see saw seen
    """)
)


@dataclass(frozen=True, slots=True)
class Part:
    """What was understood at ``[start, stop)``; ``drops`` tells whether it leaves the words."""

    start: int
    stop: int
    meaning: str
    drops: bool


@dataclass(slots=True)
class Question:
    """A text, the same in lower case with what is understood covered up, and those parts.

    ``low`` has the length of ``text``, so that places in the one are places in the other.
    """

    text: str
    low: str = ""
    parts: list[Part] = field(default_factory=list)
    # Quoted phrases, each with its place, marks included.
    quotes: list[tuple[int, int, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Lower the text, letter by letter where that changes its length, and find quotes."""
        low = self.text.lower()
        if len(low) != len(self.text):
            low = "".join(c.lower() if len(c.lower()) == 1 else c for c in self.text)
        self.low = _CONTROL.sub(" ", low.translate(_APOSTROPHES))
        self.low = re.sub(r"\s", " ", self.low)
        for quoted in _QUOTED.finditer(self.text):
            phrase = next(filter(None, quoted.groups())).strip()
            if telling(phrase):
                self.quotes.append((*quoted.span(), phrase))
                self.understand(*quoted.span(), "exact phrase", drops=False)
                self.cover(*quoted.span(), QUOTE)

    def cover(self, start: int, stop: int, mark: str) -> None:
        """Hide a place from the patterns that follow."""
        self.low = self.low[:start] + mark * (stop - start) + self.low[stop:]

    def understand(self, start: int, stop: int, meaning: str, *, drops: bool = True) -> None:
        """Note what was understood at a place, as far as nothing else was there before."""
        free = [(start, stop)]
        for part in self.parts:
            free = [piece for place in free for piece in _without(place, part)]
        for first, last in free:
            piece = self.text[first:last]
            first, last = (
                first + len(piece) - len(piece.lstrip()),
                last - len(piece) + len(piece.rstrip()),
            )
            if first < last:
                self.parts.append(Part(first, last, meaning, drops))

    def words(self, places: Sequence[tuple[int, int]], *, whole: bool, each: bool = False) -> str:
        """What is left to search for in places.

        ``whole`` keeps it as it is if nothing is gone, ``each`` leaves out every piece that tells
        nothing by itself.
        """
        dropped, pieces = False, []
        for start, stop in places:
            gone = [p for p in self.parts if p.drops and p.start < stop and p.stop > start]
            dropped, place = dropped or bool(gone), start
            for part in sorted(gone, key=lambda part: part.start):
                pieces.append(self._plain(place, part.start))
                place = part.stop
            pieces.append(self._plain(place, stop))
        if dropped and each:
            pieces = [p for p in pieces if not STOP_WORDS.issuperset(map(_bare, p.split()))]
        left = " ".join(" ".join(pieces).split())
        return left if whole and not dropped else _trimmed(left)

    def _plain(self, start: int, stop: int) -> str:
        """A piece of the text, with quoted phrases but without their marks."""
        plain, place = "", start
        for first, last, phrase in self.quotes:
            if start <= first and last <= stop:
                plain += self.text[place:first] + phrase
                place = last
        return plain + self.text[place:stop]

    def understood(self) -> tuple[Understood, ...]:
        """All parts in order."""
        parts = sorted(self.parts, key=lambda part: part.start)
        return tuple(
            Understood(p.start, p.stop, self.text[p.start : p.stop], p.meaning) for p in parts
        )


def _without(place: tuple[int, int], part: Part) -> list[tuple[int, int]]:
    start, stop = place
    if part.stop <= start or part.start >= stop:
        return [place]
    pieces = [(start, part.start), (part.stop, stop)]
    return [(first, last) for first, last in pieces if first < last]


def _trimmed(text: str) -> str:
    words = text.split()
    while words and _bare(words[0]) in _EDGES:
        del words[0]
    while words and _bare(words[-1]) in _EDGES - _VERBS:
        del words[-1]
    left = " ".join(words).strip(" ?.,;:!-")
    kept = [word for word in telling(left) if word not in STOP_WORDS | _TELLS_NOTHING]
    return left if kept else ""


def _bare(word: str) -> str:
    return word.lower().strip("?.,;:!-\"'()") or "to"  # a lone mark tells as little
