"""How what was perceived is shown to an agent: as data that cannot pass for anything else."""

import re
import unicodedata
from datetime import date
from pathlib import PurePath

from agentctx.records import Observation

_OPEN, _CLOSE = "<data>", "</data>"
_DELIMITER = re.compile(r"<(?=\s*/?\s*data\b)", re.IGNORECASE)
_BLANK_LINES = re.compile(r"\n\s*\n")
# The attribute by which an agent's own notes are told from what the user saw, said and wrote.
WRITTEN_BY = "written_by"
AGENT = "agent"


def framed(mark: str, observation: Observation, quote: str, day: date | None = None) -> str:
    """A quotation between delimiters, under a line that says what it is, from when and where.

    ``mark`` is what to cite it by. ``day`` is a date that need not be repeated.
    """
    return f"[{mark}] {label(observation, day)}\n{enclosed(quote)}"


def enclosed(text: str) -> str:
    """Text from outside between delimiters that nothing in it can close."""
    return f"{_OPEN}\n{clean(text)}\n{_CLOSE}"


def label(observation: Observation, day: date | None = None) -> str:
    """What an observation is, from when and where, on one line."""
    same_day = observation.captured_at.date() == day
    when = f"{observation.captured_at:{'%H:%M:%S' if same_day else '%Y-%m-%d %H:%M:%S'}} UTC"
    length = [f"{observation.duration:.0f} s"] if observation.duration else []
    # The name only, for the budget's sake: the citation has the whole path.
    source = one_line(PurePath(observation.source).name)
    author = observation.attributes.get(WRITTEN_BY)
    by = ["note by an agent, not the user"] if author == AGENT else []
    return " · ".join([one_line(observation.modality), when, *length, *filter(None, [source]), *by])


def one_line(name: str) -> str:
    """A name on one line: with a line break in it, it could pass for another label."""
    return " ".join(clean(name).split())


def clean(text: str) -> str:
    """Text that cannot end its own quotation, nor hide anything from a reader.

    Control and format characters (bidirectional overrides, zero-width marks) are dropped, and
    so are blank lines.
    """
    text = _DELIMITER.sub("‹", text)
    kept = (c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cf"))
    return _BLANK_LINES.sub("\n", "".join(kept)).strip()
