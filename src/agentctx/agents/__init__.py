"""A memory in the hands of an agent: one set of tools, and what each framework makes of it.

`ToolSet` describes every tool once; the modules beside it only render them: `langchain`,
`llamaindex`, `mcp`, `openai`, `http`.
"""

from agentctx.agents.results import Link, Picture, ToolResult
from agentctx.agents.toolset import Tool, ToolSet

__all__ = ["Link", "Picture", "Tool", "ToolResult", "ToolSet"]
