"""Which directories a client allows: its roots, asked for in the way of its protocol version.

Until 2025 a server sends ``roots/list``; from version 2026-07-28 on it answers a call with what it
needs to know, and the client calls again with it.
"""

from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp.shared.message import ServerMessageMetadata
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import ValidationError

from agentctx.errors import QueryError

_KEY = "roots"
_SECONDS = 30.0

Context = ServerRequestContext[Any, Any]


async def allowed(
    context: Context, params: types.CallToolRequestParams
) -> list[Path] | types.InputRequiredResult | None:
    """The client's roots; None from one that has none to tell, or what to answer to be told.

    Raises QueryError when the client tells something else.
    """
    capabilities = context.session.client_capabilities
    if capabilities is None or capabilities.roots is None:
        return None
    if context.protocol_version not in MODERN_PROTOCOL_VERSIONS:
        related = ServerMessageMetadata(related_request_id=context.request_id)
        try:
            told = await context.session.send_request(
                types.ListRootsRequest(), types.ListRootsResult, _SECONDS, related
            )
        except (MCPError, ValidationError) as error:
            raise QueryError(f"the client was asked for its roots: {error}") from error
        return _paths(told)
    answers = params.input_responses or {}
    if _KEY not in answers:
        return types.InputRequiredResult(input_requests={_KEY: types.ListRootsRequest()})
    answer = answers[_KEY]
    if not isinstance(answer, types.ListRootsResult):
        raise QueryError("the client was asked for its roots and told something else")
    return _paths(answer)


def _paths(told: types.ListRootsResult) -> list[Path]:
    parts = [urlsplit(str(root.uri)) for root in told.roots]
    local = [one for one in parts if one.scheme == "file" and one.netloc in ("", "localhost")]
    return [Path(unquote(one.path)) for one in local if one.path.startswith("/")]
