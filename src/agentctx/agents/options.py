"""What adapters take in place of a tool set: a memory, with the options of one."""

from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict, Unpack

from agentctx.agents.results import Count
from agentctx.agents.toolset import ToolSet
from agentctx.app import Memory
from agentctx.errors import ConfigError


class ToolOptions(TypedDict, total=False):
    """The options of `ToolSet`."""

    write: bool
    forget: bool
    roots: Sequence[str | Path]
    session: str
    max_tokens: int
    max_picture_tokens: int
    count_tokens: Count | None


def tool_set(memory: Memory | ToolSet, **options: Unpack[ToolOptions]) -> ToolSet:
    """The tools of a memory with these options, or the tool set that is given, which has its own.

    Raises ConfigError when both a tool set and options are given.
    """
    if not isinstance(memory, ToolSet):
        return ToolSet(memory, **options)
    if options:
        raise ConfigError(f"a ToolSet has its own options; given as well: {', '.join(options)}")
    return memory
