"""What every tool works with."""

from dataclasses import dataclass
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
        wanted = Path(path).expanduser()
        if not wanted.is_absolute() and len(self.roots) == 1:
            wanted = self.roots[0] / wanted
        found = wanted.resolve()
        if not any(found.is_relative_to(root) for root in self.roots):
            allowed = ", ".join(map(str, self.roots)) or "none"
            raise QueryError(f"{path!r} is outside of the allowed directories: {allowed}")
        return found
