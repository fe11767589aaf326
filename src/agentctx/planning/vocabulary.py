"""The names that a memory has, and which of them a question mentions."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from agentctx.records import CONVERSATIONAL

# What a channel's label carries besides its name: "vibration [mm/s]", "flow (l/min)".
_UNIT = re.compile(r"\s*[\[(][^\])]*[\])]\s*$")
_FOLDERS = re.compile(r"^.*[/\\]", re.DOTALL)
_WORD = re.compile(r"\w+")
_PERCEPTIONS = frozenset(["picture", "screenshot", "sensor", "speech"])


@dataclass(frozen=True)
class Vocabulary:
    """The names that a memory has; make it once per state of a memory, since it keeps an index.

    An empty ``modalities`` means that these are not known. ``spoken`` are the modalities in which
    somebody speaks, so that "what did she say" asks for them: speech, and text where its
    observations are turns of a chat.
    """

    sessions: Sequence[str] = ()
    sources: Sequence[str] = ()
    speakers: Sequence[str] = ()
    apps: Sequence[str] = ()
    channels: Sequence[str] = ()
    modalities: Sequence[str] = ()
    spoken: Sequence[str] = tuple(sorted(CONVERSATIONAL))

    @property
    def perceives(self) -> bool:
        """Whether the memory is known to hold perceptions, and so is not (only) a chat."""
        return not _PERCEPTIONS.isdisjoint(self.modalities)

    @cached_property
    def _index(self) -> tuple[dict[str, list[tuple[str, str]]], dict[str, int]]:
        """Kinds and names under their words in lower case; the most words of one, by its first."""
        index: dict[str, list[tuple[str, str]]] = {}
        longest: dict[str, int] = {}
        for kind, name, spelling in self._spellings():
            words = _WORD.findall(spelling.lower())
            if words:
                if len(words) > longest.get(words[0], 0):
                    longest[words[0]] = len(words)
                index.setdefault(" ".join(words), []).append((kind, name))
        return index, longest

    def _spellings(self) -> Iterator[tuple[str, str, str]]:
        for kind, names in (
            ("session", self.sessions),
            ("speaker", self.speakers),
            ("app", self.apps),
            ("channel", self.channels),
            ("source", self.sources),
        ):
            yield from ((kind, name, name) for name in names)
        for name in self.channels:
            yield "channel", name, _UNIT.sub("", name)
        for name in self.sources:
            yield "source", name, _FOLDERS.sub("", name)

    def find(self, text: str) -> "list[Named]":
        """The names in a text, the longest at each place, in order and without overlap.

        What is under one spelling is under one `Named`: two files of one name, a session that is
        called like a channel.
        """
        index, longest = self._index
        words = list(_WORD.finditer(text))
        spelled = [word.group().lower() for word in words]
        found, place = [], 0
        while place < len(words):
            most = min(longest.get(spelled[place], 0), len(words) - place)
            for count in range(most, 0, -1):
                names = index.get(" ".join(spelled[place : place + count]))
                if names:
                    last = words[place + count - 1]
                    found.append(Named(words[place].start(), last.end(), count, _by_kind(names)))
                    place += count - 1
                    break
            place += 1
        return found


def _by_kind(names: Sequence[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, dict[str, None]] = {}
    for kind, name in names:
        found.setdefault(kind, {})[name] = None
    return {kind: tuple(several) for kind, several in found.items()}


class Named(NamedTuple):
    """Where a text has a name of the memory, in how many words, and whose name it is, by kind."""

    start: int
    stop: int
    length: int
    names: dict[str, tuple[str, ...]]
