"""LlamaIndex: a retriever, a postprocessor and tools over one memory (extra ``llama-index``).

>>> from agentctx.agents.llamaindex import ContextRetriever  # doctest: +SKIP
>>> engine = CitationQueryEngine(ContextRetriever(memory), llm=llm)  # doctest: +SKIP

Importing this imports no LlamaIndex; each name brings the part of it that it needs.
"""

import importlib
from typing import TYPE_CHECKING

from agentctx.extras import require

if TYPE_CHECKING:
    from agentctx.agents.llamaindex.postprocessing import ContextPostprocessor
    from agentctx.agents.llamaindex.retrieving import ContextRetriever
    from agentctx.agents.llamaindex.tools import ContextTool, ContextToolSpec

_HOMES = {
    "ContextPostprocessor": "postprocessing",
    "ContextRetriever": "retrieving",
    "ContextTool": "tools",
    "ContextToolSpec": "tools",
}

__all__ = ["ContextPostprocessor", "ContextRetriever", "ContextTool", "ContextToolSpec"]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    require("llama_index.core", extra="llama-index")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
