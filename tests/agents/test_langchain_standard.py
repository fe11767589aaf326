"""LangChain's own suites, with nothing overridden."""

from typing import Any

import pytest
from langchain_core.retrievers import BaseRetriever
from langchain_core.tools import BaseTool
from langchain_tests.integration_tests import RetrieversIntegrationTests, ToolsIntegrationTests
from langchain_tests.unit_tests import ToolsUnitTests

from agentctx import Memory
from agentctx.agents import ToolSet
from agentctx.agents.langchain import ContextRetriever, ContextTool

EXAMPLES: dict[str, dict[str, Any]] = {
    "search_context": {"query": "Which alarm did the dashboard raise?", "limit": 3},
    "recall_moment": {"around": "2026-03-14T09:12:12Z", "window": 5},
    "read_sensor": {"channel": "vibration", "aggregate": "max"},
    "what_changed": {"since": "2026-03-14T09:10:00Z", "until": "2026-03-14T09:16:00Z"},
    "expand": {},  # any id of the memory: filled in below
}
TOOLS = sorted(EXAMPLES)


class _OneTool:
    """Which tool of the memory the suite is about."""

    @pytest.fixture(autouse=True, params=TOOLS)
    def _tool_of_the_memory(self, request: pytest.FixtureRequest, incident: Memory) -> None:
        self._set = ToolSet(incident)
        self._name = request.param
        self._example = EXAMPLES[request.param] or {"id": incident.timeline()[0].id}

    @property
    def tool_constructor(self) -> type[BaseTool] | BaseTool:
        return ContextTool

    @property
    def tool_constructor_params(self) -> dict[str, Any]:
        return {"tools": self._set, "name": self._name}

    @property
    def tool_invoke_params_example(self) -> dict[str, Any]:
        return self._example


class TestToolsUnit(_OneTool, ToolsUnitTests):
    pass


class TestToolsIntegration(_OneTool, ToolsIntegrationTests):
    pass


class TestRetriever(RetrieversIntegrationTests):
    @pytest.fixture(autouse=True)
    def _of_the_memory(self, incident: Memory) -> None:
        self._memory = incident

    @property
    def retriever_constructor(self) -> type[BaseRetriever]:
        return ContextRetriever

    @property
    def retriever_constructor_params(self) -> dict[str, Any]:
        return {"memory": self._memory}

    @property
    def retriever_query_example(self) -> str:
        return "What did the operator decide to do about the pump?"
