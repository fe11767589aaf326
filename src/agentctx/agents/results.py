"""What a tool answers: text for the model, pictures beside it, and links to originals."""

import base64
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agentctx.errors import AgentctxError
from agentctx.quoting import closed, flagged, label, one_line
from agentctx.records import SHORT_ID, Media, Observation

SCHEME = "agentctx://observation/"
# Tokenizers of language models take fewer bytes than this for one token of nearly any text.
_BYTES_A_TOKEN = 4
_LONGEST_ERROR = 600

Count = Callable[[str], int]


@dataclass(frozen=True, slots=True)
class Picture:
    """A thumbnail that comes with an answer; ``id`` is that of the citation it belongs to."""

    id: str
    media: Media

    def base64(self) -> str:
        """Its bytes in base64, as every framework's image block wants them."""
        return base64.b64encode(self.media.read()).decode("ascii")

    @property
    def tokens(self) -> int:
        """What it costs at most: its base64 as text, which is how careful clients count it."""
        return math.ceil(4 * math.ceil(self.media.size / 3) / _BYTES_A_TOKEN)


@dataclass(frozen=True, slots=True)
class Link:
    """Where the original of an observation can be read, for clients that can."""

    uri: str
    name: str
    mime: str
    size: int


@dataclass(frozen=True, slots=True)
class ToolResult:
    """One answer. ``text`` says all of it; ``data`` repeats it for programs, as plain JSON.

    ``pictures`` and ``links`` may be dropped by a client without a loss of anything but the look.
    """

    text: str
    pictures: tuple[Picture, ...] = ()
    links: tuple[Link, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Budget:
    """How much an answer may take: of text, and of pictures, each in tokens."""

    tokens: int
    picture_tokens: int
    count: Count

    def pictures(self, observations: Sequence[Observation]) -> tuple[Picture, ...]:
        """The thumbnails that fit, in order."""
        left, chosen = self.picture_tokens, []
        for one in observations:
            media = one.find_media("thumbnail")
            picture = media and Picture(one.id[:SHORT_ID], media)
            if picture and picture.tokens <= left:
                chosen.append(picture)
                left -= picture.tokens
        return tuple(chosen)

    def page(
        self, head: str, lines: Sequence[str], offset: int, tail: Callable[[int], str]
    ) -> tuple[str, int]:
        """``head``, as many of the lines from ``offset`` on as fit, and ``tail(next)``.

        ``next`` is the index of the first line that is left. Gives the text and ``next``; a line
        that fits by no means is cut.
        """

        def text(stop: int) -> str:
            return "\n".join(filter(None, [head, *lines[offset:stop], tail(stop)]))

        low, high = min(offset, len(lines)), len(lines)
        while low < high:
            middle = (low + high + 1) // 2
            if self.count(text(middle)) <= self.tokens:
                low = middle
            else:
                high = middle - 1
        if low == offset and offset < len(lines):
            room = self.tokens - self.count(text(offset))
            cut = longest(lines[offset], lambda part: self.count(closed(part + " …")) <= room)
            return "\n".join(filter(None, [head, closed(cut + " …"), tail(offset + 1)])), offset + 1
        return text(low), low


def explained(error: AgentctxError) -> str:
    """An error in words for a model, on one line.

    Names from outside in it are cleaned, and the whole is cut; what reads like instructions is
    flagged.
    """
    said = one_line(str(error))
    room = _LONGEST_ERROR - len(flagged("", said))
    return flagged(said[:room], said)


def longest(text: str, fits: Callable[[str], bool]) -> str:
    """The longest beginning of a text that fits, cut between words where there are any."""
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if fits(text[:middle]):
            low = middle
        else:
            high = middle - 1
    if low == len(text):
        return text
    at_word = max(text.rfind(" ", 0, low), text.rfind("\n", 0, low))
    return text[:at_word] if at_word > low // 2 else text[:low]


def careful(count: Count) -> Count:
    """A count that no string of letters without spaces can cheat: at least one per 4 bytes."""

    def counted(text: str) -> int:
        return max(count(text), math.ceil(len(text.encode("utf-8", "replace")) / _BYTES_A_TOKEN))

    return counted


def link(observation: Observation) -> Link | None:
    """A link to an observation's original, if the memory keeps one."""
    original = observation.find_media("original")
    if original is None:
        return None
    name = label(observation)
    return Link(SCHEME + observation.id[:SHORT_ID], name, original.mime, original.size)


def cited(observation: Observation, suspicious: Sequence[str] = ()) -> dict[str, Any]:
    """A citation as plain data; ``suspicious``: why it reads like instructions to an agent."""
    return {
        "id": observation.id[:SHORT_ID],
        "modality": observation.modality,
        "captured_at": observation.captured_at.isoformat(),
        "duration": observation.duration,
        "session": one_line(observation.session[:200]),
        "source": one_line(observation.source[-200:]),
        "suspicious": list(suspicious),
    }
