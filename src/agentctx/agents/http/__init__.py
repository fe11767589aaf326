"""A memory over HTTP: its tools, observations, health and metrics (extra ``serve``).

>>> uvicorn.run(application(ToolSet(memory), token="..."))  # doctest: +SKIP

Importing this imports neither FastAPI nor the Prometheus client; `application` brings them.
"""

import importlib
from typing import TYPE_CHECKING

from agentctx.extras import require

if TYPE_CHECKING:
    from agentctx.agents.http.serving import application

__all__ = ["application"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    require("fastapi", extra="serve")
    require("prometheus_client", extra="serve")
    value = getattr(importlib.import_module("agentctx.agents.http.serving"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
