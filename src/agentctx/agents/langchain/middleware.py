"""Context without being asked: evidence for the user's question before each call of the model."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Unpack

from langchain.agents.middleware import AgentMiddleware, AgentState, ModelRequest, ModelResponse
from langchain_core.messages import AnyMessage, HumanMessage

from agentctx.agents.langchain.tools import content
from agentctx.agents.options import ToolOptions, tool_set
from agentctx.agents.results import ToolResult
from agentctx.agents.toolset import ToolSet
from agentctx.app import Memory

# Whom the added message is from, where a provider shows names to its model.
NAME = "agentctx"
_NOT_THE_USER = "Added by a program, not written by the user, for the message that follows."
_TOOL = "search_context"
_LONGEST_QUESTION = 2000


class ContextMiddleware(AgentMiddleware[AgentState[Any], Any, Any]):
    """For ``create_agent(middleware=[ContextMiddleware(memory)])``: adds evidence to each call.

    What the memory has on the user's last message is put just before that message, as one that
    says that it is retrieved data and not the user's words. It is searched anew for every call of
    the model and is no part of the agent's state: it is neither stored nor piled up. Nothing is
    added where nothing is found; an error of the memory ends the call. ``limit`` is how many pieces
    of evidence are looked at; the options are those of `ToolSet`, for its budget.
    """

    def __init__(
        self, memory: Memory | ToolSet, *, limit: int = 8, **options: Unpack[ToolOptions]
    ) -> None:
        super().__init__()
        self._tools = tool_set(memory, **options)
        self._limit = limit

    def wrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], ModelResponse[Any]]
    ) -> ModelResponse[Any]:
        """Call the model with the evidence in its messages."""
        place = _last_of_the_user(request.messages)
        if place is None:
            return handler(request)
        return handler(_with(request, place, self._tools.call(_TOOL, self._given(request, place))))

    async def awrap_model_call(
        self,
        request: ModelRequest[Any],
        handler: Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]],
    ) -> ModelResponse[Any]:
        """`wrap_model_call`, with the search in a thread of its own."""
        place = _last_of_the_user(request.messages)
        if place is None:
            return await handler(request)
        found = await self._tools.acall(_TOOL, self._given(request, place))
        return await handler(_with(request, place, found))

    def _given(self, request: ModelRequest[Any], place: int) -> dict[str, Any]:
        question = str(request.messages[place].text).strip()[:_LONGEST_QUESTION]
        return {"query": question, "limit": self._limit}


def _last_of_the_user(messages: Sequence[AnyMessage]) -> int | None:
    """Where the last message with words of the user is."""
    for place in range(len(messages) - 1, -1, -1):
        if isinstance(messages[place], HumanMessage) and messages[place].text.strip():
            return place
    return None


def _with(request: ModelRequest[Any], place: int, found: ToolResult) -> ModelRequest[Any]:
    if not found.data["citations"]:
        return request
    parts = content(found)
    blocks = [{"type": "text", "text": parts}] if isinstance(parts, str) else parts
    added = HumanMessage([{"type": "text", "text": _NOT_THE_USER}, *blocks], name=NAME)
    messages = [*request.messages[:place], added, *request.messages[place:]]
    return request.override(messages=messages)
