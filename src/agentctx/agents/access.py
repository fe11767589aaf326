"""What every tool works with."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from agentctx.agents.results import Budget
from agentctx.errors import QueryError

if TYPE_CHECKING:
    from agentctx.app import Memory


@dataclass(frozen=True)
class Access:
    """A memory, how much an answer from it may take, and which files an agent may add.

    ``session`` is that of what is remembered without one; ``roots`` are resolved directories.
    """

    memory: "Memory"
    budget: Budget
    session: str
    roots: tuple[Path, ...]

    def permitted(self, path: str) -> Path:
        """The file, when it is in one of the directories; raises QueryError otherwise.

        Links are followed first, so that none leads out of a directory.
        """
        try:
            wanted = Path(path).expanduser()
            if not wanted.is_absolute() and len(self.roots) == 1:
                wanted = self.roots[0] / wanted
            found = wanted.resolve()
        # No home of that user, a loop of links, a NUL or half a character in the name, a long one.
        except (RuntimeError, OSError, ValueError) as error:
            raise QueryError(f"{path[:200]!r} is no path of a file here: {error}") from error
        if not any(found.is_relative_to(root) for root in self.roots):
            allowed = ", ".join(map(str, self.roots)) or "none"
            raise QueryError(f"{path!r} is outside of the allowed directories: {allowed}")
        return found

    def within(self, roots: Iterable[Path]) -> "Access":
        """The same, with files only of what is in one of these directories as well."""
        given = [root.resolve() for root in roots]
        pairs = [
            pair for one in self.roots for other in given for pair in ((one, other), (other, one))
        ]
        both = {inner for inner, outer in pairs if inner.is_relative_to(outer)}
        return replace(self, roots=tuple(sorted(both)))
