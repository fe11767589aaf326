"""Reading evaluation data, which is the user's own: what is wrong with it is said clearly.

Every error names the file, where it has lines the line, and the reason.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from agentctx.errors import SourceInvalid, SourceNotFound, SourceUnreadable

PICTURES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff"})

# Enough to tell what a file of JSON is about without reading it.
_HEAD = 65_536


def text(path: Path) -> str:
    """The content of a text file; raises SourceNotFound, SourceUnreadable or SourceInvalid."""
    try:
        return path.read_text("utf-8-sig")
    except FileNotFoundError as error:
        raise SourceNotFound(path, "there is no such file; check the data folder") from error
    except UnicodeDecodeError as error:
        raise SourceInvalid(path, f"it is no text in UTF-8: {error}") from error
    except OSError as error:
        raise SourceUnreadable(path, f"it cannot be read: {error}") from error


def load(path: Path) -> Any:  # noqa: ANN401
    """The content of a JSON file; raises SourceNotFound or SourceInvalid."""
    try:
        return json.loads(text(path))
    except (ValueError, RecursionError) as error:
        raise SourceInvalid(path, f"it is no JSON: {error}") from error


def lines(path: Path) -> Iterator[tuple[str, str]]:
    """The lines of a text file that are not empty, each after the name of its place."""
    for number, line in enumerate(text(path).split("\n"), start=1):
        if line.strip():
            yield f"{path}, line {number}", line.rstrip("\r")


def rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The objects of a JSON Lines file, each after the name of its place."""
    for place, line in lines(path):
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise SourceInvalid(place, f"it is no JSON: {error}") from error
        if not isinstance(row, dict):
            raise SourceInvalid(place, f"it is no JSON object but {line[:60]!r}")
        yield place, row


def head(path: Path) -> str:
    """The beginning of a file as text, whatever is in it."""
    try:
        with path.open("rb") as file:
            return file.read(_HEAD).decode("utf-8", "replace")
    except OSError as error:
        raise SourceUnreadable(path, f"it cannot be read: {error}") from error


@contextmanager
def expecting(place: object, what: str) -> Iterator[None]:
    """Reading fields: whatever is missing or of another kind raises SourceInvalid."""
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise SourceInvalid(place, f"it does not hold {what}: {error!r}") from error


def a_text(value: object) -> str:
    """A value that must be text with a letter in it; raises ValueError."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{value!r} is no text")
    return value


def inside(folder: Path, name: object, place: object) -> Path:
    """The file of a relative name in a folder; raises SourceInvalid when that leads out of it."""
    if not isinstance(name, str) or not name.strip("./ "):
        raise SourceInvalid(place, f"{name!r} is no name of a file")
    pure = PurePosixPath(name)
    if pure.is_absolute() or ".." in pure.parts or "\0" in name or "\\" in name:
        raise SourceInvalid(place, f"the name {name!r} leads out of its folder")
    return folder / name
