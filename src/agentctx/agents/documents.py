"""What there is to read in a document of a framework, which may be a picture in base64."""

import re

from agentctx.app import Memory
from agentctx.errors import QueryError

_DATA_URL = re.compile(r"data:[\w.+-]+/[\w.+-]+[;,]")
# So long a string of the alphabet of base64, and nothing else, is no text that anybody wrote.
_ENCODED = re.compile(r"[A-Za-z0-9+/_-]{200,}={0,2}")


def words_of(memory: Memory, id_: str | None, text: str) -> str:
    """The words of a document: its text, or what the memory reads on the picture that it is."""
    if text.strip() and not encoded(text):
        return text
    try:
        (one,) = memory.get([id_ or ""])
    except QueryError:  # not of this memory: nobody has read it
        return ""
    return one.text


def encoded(text: str) -> bool:
    """Whether a text is bytes in base64, or a data URL."""
    bare = "".join(text.split())
    return bool(_DATA_URL.match(bare) or _ENCODED.fullmatch(bare))
