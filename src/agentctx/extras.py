"""One helper for optional packages."""

import importlib
from typing import Any

from agentctx.errors import MissingExtra


def require(module: str, *, extra: str, distribution: str = "agentctx") -> Any:  # noqa: ANN401
    """Import an optional module, or raise `MissingExtra` with the pip line that adds it.

    Only when that very module (or a package above it) is absent: an import error from inside an
    installed module is a defect of that installation and passes through unchanged.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise
        raise MissingExtra(module, extra, distribution) from error
