"""LangChain: tools, a retriever, a reranker and a middleware over one memory (extra ``langchain``).

>>> from agentctx.agents.langchain import context_tools  # doctest: +SKIP
>>> agent = create_agent("openai:gpt-5", context_tools(memory))  # doctest: +SKIP

Importing this imports no LangChain; each name brings the part of it that it needs.
"""

import importlib
from typing import TYPE_CHECKING

from agentctx.extras import require

if TYPE_CHECKING:
    from agentctx.agents.langchain.middleware import ContextMiddleware
    from agentctx.agents.langchain.reranking import ContextReranker
    from agentctx.agents.langchain.retrieving import ContextRetriever
    from agentctx.agents.langchain.tools import ContextTool, context_tools

_HOMES = {
    "ContextMiddleware": "middleware",
    "ContextReranker": "reranking",
    "ContextRetriever": "retrieving",
    "ContextTool": "tools",
    "context_tools": "tools",
}

__all__ = [
    "ContextMiddleware",
    "ContextReranker",
    "ContextRetriever",
    "ContextTool",
    "context_tools",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    require("langchain_core", extra="langchain")
    require("langchain", extra="langchain")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
