"""The tool set as LlamaIndex tools: text and pictures as blocks, the whole result as raw output."""

from collections.abc import Sequence
from typing import Any, Unpack

from llama_index.core.base.llms.types import ContentBlock, ImageBlock, TextBlock
from llama_index.core.tools import FunctionTool, ToolMetadata, ToolOutput
from llama_index.core.tools.tool_spec.base import SPEC_FUNCTION_TYPE, BaseToolSpec

from agentctx.agents.options import ToolOptions, tool_set
from agentctx.agents.results import ToolResult, explained
from agentctx.agents.toolset import ToolSet
from agentctx.app import Memory
from agentctx.errors import AgentctxError


class ContextToolSpec(BaseToolSpec):
    """The tools of a memory: ``ContextToolSpec(memory).to_tool_list()``.

    The options are those of `ToolSet`.
    """

    spec_functions: list[SPEC_FUNCTION_TYPE]

    def __init__(self, memory: Memory | ToolSet, **options: Unpack[ToolOptions]) -> None:
        self._tools = tool_set(memory, **options)
        self.spec_functions = [tool.name for tool in self._tools.tools]

    def to_tool_list(
        self,
        spec_functions: Sequence[SPEC_FUNCTION_TYPE] | None = None,
        func_to_metadata_mapping: dict[str, ToolMetadata] | None = None,
    ) -> list[FunctionTool]:
        """The tools, or those named; each can be told of by other metadata."""
        described = func_to_metadata_mapping or {}
        chosen = self.spec_functions if spec_functions is None else spec_functions
        names = [one if isinstance(one, str) else one[0] for one in chosen]
        return [ContextTool(self._tools, name, described.get(name)) for name in names]


class ContextTool(FunctionTool):
    """One tool of a `ToolSet`.

    Its output has a text block and an image block per picture; ``raw_output`` is the `ToolResult`.
    What cannot be done is an output with ``is_error`` that says why.
    """

    def __init__(self, tools: ToolSet, name: str, metadata: ToolMetadata | None = None) -> None:
        tool = tools[name]

        def run(**given: Any) -> ToolResult:  # noqa: ANN401
            return tools.call(name, given)

        async def arun(**given: Any) -> ToolResult:  # noqa: ANN401
            return await tools.acall(name, given)

        known = ToolMetadata(tool.description, name, tool.arguments)
        super().__init__(fn=run, async_fn=arun, metadata=metadata or known)

    def call(self, *args: Any, **kwargs: Any) -> ToolOutput:  # noqa: ANN401
        """Call it with arguments by name."""
        try:
            return self._output(kwargs, self.fn(*args, **kwargs))
        except AgentctxError as error:
            return self._failed(kwargs, error)

    async def acall(self, *args: Any, **kwargs: Any) -> ToolOutput:  # noqa: ANN401
        """`call`, in a thread of its own."""
        try:
            return self._output(kwargs, await self.async_fn(*args, **kwargs))
        except AgentctxError as error:
            return self._failed(kwargs, error)

    def _output(self, given: dict[str, Any], result: ToolResult) -> ToolOutput:
        pictures: list[ContentBlock] = [
            ImageBlock(image=picture.media.read(), image_mimetype=picture.media.mime)
            for picture in result.pictures
        ]
        return ToolOutput(
            self.metadata.get_name(),
            blocks=[TextBlock(text=result.text), *pictures],
            raw_input=given,
            raw_output=result,
        )

    def _failed(self, given: dict[str, Any], error: AgentctxError) -> ToolOutput:
        reason = explained(error)
        return ToolOutput(
            self.metadata.get_name(),
            content=reason,
            raw_input=given,
            raw_output=reason,
            is_error=True,
            exception=error,
        )
