"""agentctx: screens, speech and sensors as one memory that gives an agent cited context.

Importing this package does nothing but define names; what they need is loaded at first use.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agentctx.app import Memory
    from agentctx.config import Config
    from agentctx.errors import AgentctxError
    from agentctx.preferences import Prefer
    from agentctx.records import Citation, Context, Hit, Media, Moment, Observation, SessionHit
    from agentctx.reports import IngestReport, Receipt

__version__ = "0.1.0"

_HOMES = {
    "AgentctxError": "agentctx.errors",
    "Citation": "agentctx.records",
    "Config": "agentctx.config",
    "Context": "agentctx.records",
    "Hit": "agentctx.records",
    "IngestReport": "agentctx.reports",
    "Media": "agentctx.records",
    "Memory": "agentctx.app",
    "Moment": "agentctx.records",
    "Observation": "agentctx.records",
    "Prefer": "agentctx.preferences",
    "Receipt": "agentctx.reports",
    "SessionHit": "agentctx.records",
}

__all__ = [
    "AgentctxError",
    "Citation",
    "Config",
    "Context",
    "Hit",
    "IngestReport",
    "Media",
    "Memory",
    "Moment",
    "Observation",
    "Prefer",
    "Receipt",
    "SessionHit",
    "__version__",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
