"""Every tool, described once: name, description for a model, arguments, what it does."""

import asyncio
import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from agentctx.agents import arguments, reading, writing
from agentctx.agents.access import Access
from agentctx.agents.results import Budget, ToolResult, careful
from agentctx.errors import QueryError

if TYPE_CHECKING:
    from agentctx.app import Memory
    from agentctx.ingest import Progress


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool. ``run(access, arguments)`` does it; ``slow`` ones take ``progress`` as well.

    ``writes``: it changes the memory. ``destructive``: it takes something away from it.
    """

    name: str
    description: str
    arguments: type[arguments.Arguments]
    run: Callable[..., ToolResult]
    writes: bool = False
    destructive: bool = False
    slow: bool = False

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON schema of its arguments, without what models have no use for."""
        return _bare(self.arguments.model_json_schema())


_READ = (
    Tool(
        "search_context",
        "Search the user's memory of what was on the screen, said, written and measured, and get "
        "the evidence that answers a question, with citations. Use it before answering anything "
        "about the user's past or present work. Cite what you use by the id in its brackets. "
        "When it finds nothing, say so instead of guessing.",
        arguments.SearchContext,
        reading.search_context,
    ),
    Tool(
        "recall_moment",
        "Get everything that was on the screen, said and measured around a time, or around an "
        "earlier citation, in order of time. Use it to see what came before, during and after.",
        arguments.RecallMoment,
        reading.recall_moment,
    ),
    Tool(
        "read_sensor",
        "Get exact numbers of a sensor channel: its readings in a span, or one aggregate (min, "
        "max, mean, ...). Use it whenever a question asks for a number. Without a channel it "
        "lists the channels there are.",
        arguments.ReadSensor,
        reading.read_sensor,
    ),
    Tool(
        "what_changed",
        "Compare two times: which lines of a screen appeared, vanished or changed, and how sensor "
        "channels differ.",
        arguments.WhatChanged,
        reading.what_changed,
    ),
    Tool(
        "expand",
        "Get one citation whole by the id in its brackets: its full text, its picture, where it "
        "came from, and a link to the original.",
        arguments.Expand,
        reading.expand,
    ),
)
_NOTES = (
    Tool(
        "remember",
        "Keep a note in the user's memory for later. It is marked as written by an agent.",
        arguments.Remember,
        writing.remember,
        writes=True,
    ),
)
_FILES = tuple(
    Tool(
        f"remember_{kind}",
        f"Add {what} on this machine to the user's memory.",
        arguments.RememberFile,
        writing.remember_file,
        writes=True,
        slow=True,
    )
    for kind, what in (
        ("screenshot", "a screenshot or a photograph"),
        ("speech", "a recording or a transcript file"),
        ("sensor", "a sensor log file (CSV, JSON lines, Parquet)"),
    )
)
_FORGET = (
    Tool(
        "forget",
        "Erase things from the user's memory for good. Without confirm it only says what would be "
        "forgotten. Use it only when the user asks for it.",
        arguments.Forget,
        writing.forget,
        writes=True,
        destructive=True,
    ),
)


class ToolSet:
    """The tools of one memory, under one budget.

    The tools that read are always there. ``write`` adds those that remember: notes, and files of
    the directories in ``roots`` (of no others; links are followed first). ``forget`` adds the one
    that erases. ``session`` is what is remembered without one. An answer takes at most
    ``max_tokens`` of text and ``max_picture_tokens`` of thumbnails, which are counted as their
    base64 would be; together they stay below the 10,000 at which clients begin to complain.
    ``count_tokens`` is the tokenizer of your model; the default is on the safe side of the
    common ones.
    """

    def __init__(
        self,
        memory: "Memory",
        *,
        write: bool = False,
        forget: bool = False,
        roots: Sequence[str | Path] = (),
        session: str = "",
        max_tokens: int = 2000,
        max_picture_tokens: int = 7500,
        count_tokens: Callable[[str], int] | None = None,
    ) -> None:
        if max_tokens < _LEAST:
            raise QueryError(f"max_tokens is {max_tokens}; an answer needs at least {_LEAST}")
        self.memory = memory
        count = count_tokens or careful(memory.count_tokens)
        self.budget = Budget(max_tokens, max_picture_tokens, count)
        allowed = tuple(Path(root).expanduser().resolve() for root in roots)
        self._access = Access(memory, self.budget, session, allowed)
        files = _FILES if write and allowed else ()
        self.tools: tuple[Tool, ...] = (
            *_READ,
            *(_NOTES if write else ()),
            *files,
            *(_FORGET if forget else ()),
        )

    def __getitem__(self, name: str) -> Tool:
        """The tool of that name; raises QueryError, listing those there are."""
        for tool in self.tools:
            if tool.name == name:
                return tool
        there = ", ".join(tool.name for tool in self.tools)
        raise QueryError(f"there is no tool {name[:60]!r}; there are: {there}")

    def within(self, roots: Iterable[Path]) -> "ToolSet":
        """The same tools, with files only of what is in one of these directories as well."""
        narrowed = copy.copy(self)
        narrowed._access = self._access.within(roots)
        return narrowed

    def call(
        self, name: str, given: Mapping[str, Any], progress: "Progress | None" = None
    ) -> ToolResult:
        """Call a tool with arguments as a model gives them.

        Raises QueryError for arguments that make no sense, and any AgentctxError that the work
        raises; a failure is never an empty answer. ``progress(done, total, name)`` is called by
        those that take long; what it raises ends the work, with what was done until then kept.
        """
        tool = self[name]
        try:
            parsed = tool.arguments.model_validate(given)
        except ValidationError as error:
            raise QueryError(f"{name}: {problems(error)}") from error
        run = partial(tool.run, progress=progress) if tool.slow else tool.run
        return run(self._access, parsed)

    async def acall(
        self, name: str, given: Mapping[str, Any], progress: "Progress | None" = None
    ) -> ToolResult:
        """`call`, in a thread of its own, so that the event loop goes on."""
        return await asyncio.to_thread(self.call, name, given, progress)


# The fixed words of the longest answer take as many.
_LEAST = 300


def problems(error: ValidationError) -> str:
    """What is wrong with a tool's arguments, in words for the model that gave them."""
    found = []
    for one in error.errors(include_url=False, include_context=False):
        where = ".".join(map(str, one["loc"])) or "arguments"
        found.append(f"{where[:60]}: {one['msg']}")
    return "; ".join(found[:5])


def _bare(schema: dict[str, Any]) -> dict[str, Any]:
    properties = {
        name: {key: value for key, value in one.items() if key != "title"}
        for name, one in schema["properties"].items()
    }
    kept = {key: value for key, value in schema.items() if key not in ("title", "description")}
    return {**kept, "properties": properties}
