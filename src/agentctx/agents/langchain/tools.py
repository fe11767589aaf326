"""The tool set as LangChain tools: text and pictures for the model, the whole result beside."""

from typing import Any, Literal, Unpack

from langchain_core.tools import BaseTool, ToolException
from pydantic import Field, ValidationError

from agentctx.agents.options import ToolOptions, tool_set
from agentctx.agents.results import ToolResult, explained
from agentctx.agents.toolset import ToolSet, problems
from agentctx.app import Memory
from agentctx.errors import AgentctxError

Content = str | list[str | dict[str, Any]]


def context_tools(memory: Memory | ToolSet, **options: Unpack[ToolOptions]) -> list[BaseTool]:
    """The tools of a memory, for an agent; the options are those of `ToolSet`.

    For a model that takes no pictures from tools, give ``max_picture_tokens=0``.
    """
    tools = tool_set(memory, **options)
    return [ContextTool(tools=tools, name=tool.name) for tool in tools.tools]


class ContextTool(BaseTool):
    """One tool of a `ToolSet`: ``ContextTool(tools=tool_set, name="search_context")``.

    The content is text, or content blocks where pictures come with it; the artifact is the
    `ToolResult`. What cannot be done comes back as a message of status ``error`` that says why.
    """

    tools: ToolSet = Field(exclude=True, repr=False)
    response_format: Literal["content", "content_and_artifact"] = "content_and_artifact"
    handle_tool_error: Any = True

    def __init__(self, *, tools: ToolSet, name: str, **options: Any) -> None:  # noqa: ANN401
        tool = tools[name]

        def invalid(error: ValidationError) -> str:
            return f"{name}: {problems(error)}"

        described = {"description": tool.description, "args_schema": tool.arguments}
        handled = {"handle_validation_error": invalid}
        super().__init__(tools=tools, name=name, **{**described, **handled, **options})

    def _run(self, **given: Any) -> tuple[Content, ToolResult]:  # noqa: ANN401
        try:
            result = self.tools.call(self.name, given)
        except AgentctxError as error:
            raise ToolException(explained(error)) from error
        return content(result), result

    async def _arun(self, **given: Any) -> tuple[Content, ToolResult]:  # noqa: ANN401
        try:
            result = await self.tools.acall(self.name, given)
        except AgentctxError as error:
            raise ToolException(explained(error)) from error
        return content(result), result


def content(result: ToolResult) -> Content:
    """A result as the content of a message: text, then the pictures if there are any."""
    if not result.pictures:
        return result.text
    return [
        {"type": "text", "text": result.text},
        *(
            {"type": "image", "base64": picture.base64(), "mime_type": picture.media.mime}
            for picture in result.pictures
        ),
    ]
