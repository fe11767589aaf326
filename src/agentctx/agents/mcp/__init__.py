"""A memory as an MCP server: tools, originals and thumbnails, prompts (extra ``mcp``).

>>> run(server(ToolSet(memory)))  # over stdin and stdout  # doctest: +SKIP

Importing this imports nothing of the SDK; each name brings it.
"""

import importlib
from typing import TYPE_CHECKING

from agentctx.extras import require

if TYPE_CHECKING:
    from agentctx.agents.mcp.serving import application, run, server

__all__ = ["application", "run", "server"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    require("mcp", extra="mcp")
    value = getattr(importlib.import_module("agentctx.agents.mcp.serving"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
