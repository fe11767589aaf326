"""Reading evaluation data, which is the user's own: what is wrong with it is said clearly."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from agentctx.errors import SourceInvalid, SourceNotFound


def load(path: Path) -> Any:  # noqa: ANN401
    """The content of a JSON file; raises SourceNotFound or SourceInvalid."""
    try:
        return json.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise SourceNotFound(path, "there is no such file; check the data folder") from error
    except ValueError as error:
        raise SourceInvalid(path, f"it is no JSON: {error}") from error


@contextmanager
def expecting(path: Path, what: str) -> Iterator[None]:
    """Reading a file's fields: whatever is missing or of another kind raises SourceInvalid."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SourceInvalid(path, f"it does not hold {what}: {error!r}") from error
