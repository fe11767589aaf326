"""The boatyard's day in a memory, and a question to it as the names of what it finds."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from agentctx import Memory

from .story import NOW, STORY, names

Ask = Callable[..., list[str]]


@pytest.fixture(scope="package")
def yard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Memory]:
    """The story in a memory that no test changes."""
    with Memory.open(tmp_path_factory.mktemp("yard") / "memory") as memory:
        memory.add(STORY.values())
        yield memory


@pytest.fixture(scope="package")
def ask(yard: Memory) -> Ask:
    """What a question finds on the afternoon of the story, by name, the best first."""

    def asked(question: str, **arguments: Any) -> list[str]:
        return names(yard.search(question, **{"now": NOW, **arguments}))

    return asked
