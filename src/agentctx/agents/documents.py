"""Hits as documents of a framework, and documents of a framework as words to be scored."""

import re
from collections.abc import Sequence
from typing import Any

from agentctx.app import Memory
from agentctx.errors import QueryError
from agentctx.quoting import clean, one_line, suspects
from agentctx.records import SHORT_ID, Attribute, Hit, Observation

_DATA_URL = re.compile(r"data:[\w.+-]+/[\w.+-]+[;,]")
# So long a string of the alphabet of base64, and nothing else, is no text that anybody wrote.
_ENCODED = re.compile(r"[A-Za-z0-9+/_-]{200,}={0,2}")


def document_of(hit: Hit) -> tuple[str, dict[str, Any]]:
    """The text of a hit without what is invisible in it, and what is known of it, as plain JSON.

    ``citation`` is the short id, which tools take; ``passage`` the part of the text that matched;
    ``suspicious`` why the text reads like an instruction, if it does.
    """
    text = clean(hit.text)
    return text, {
        "citation": hit.id[:SHORT_ID],
        "modality": hit.modality,
        "captured_at": hit.captured_at.isoformat(),
        "duration": hit.duration,
        "session": one_line(hit.session),
        "source": one_line(hit.source),
        "score": hit.score,
        "passage": text if hit.passage == hit.text else clean(hit.passage),
        "suspicious": list(suspects(hit.observation, hit.text)),
        "attributes": {one_line(name): _plain(value) for name, value in hit.attributes.items()},
    }


def _plain(value: Attribute) -> Any:  # noqa: ANN401
    # Frameworks put metadata into prompts, and this came from outside.
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return one_line(value) if isinstance(value, str) else value


def texts_of(
    memory: Memory, documents: Sequence[tuple[str | None, str]]
) -> list[str | Observation]:
    """What to score of documents, given as ids and texts.

    It is the observation, for those of the memory, and for pictures in base64 that are; the text
    for all others; and no words for pictures that nobody has read.
    """
    return [_text_of(memory, id_, text) for id_, text in documents]


def _text_of(memory: Memory, id_: str | None, text: str) -> str | Observation:
    wordless = not text.strip() or encoded(text)
    unknown = "" if wordless else text
    if len(id_ or "") < SHORT_ID:  # a number of somebody else's could be how an id of ours begins
        return unknown
    try:
        (one,) = memory.get([str(id_)])
    except QueryError:  # not of this memory
        return unknown
    # Whoever split or rewrote a document wants that text scored.
    return one if wordless or text == clean(one.text) else text


def encoded(text: str) -> bool:
    """Whether a text is bytes in base64, or a data URL."""
    bare = "".join(text.split())
    return bool(_DATA_URL.match(bare) or _ENCODED.fullmatch(bare))
