"""A chat model for LangChain that is a script (extra ``langchain``): see `ScriptedPlanner`."""

from collections.abc import Callable, Sequence
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool

from agentctx.testing import planner
from agentctx.testing.planner import Call, Done, KnownTool


class ScriptedPlanner(BaseChatModel):
    """A scripted planner in the place of a chat model. It is no language model.

    It goes by the rules of `agentctx.testing.planner`: really calls the tools that are bound to
    it, one at a time, and answers with quotations and their citations. It is for tests, examples
    and notebooks that must run without a key and give the same answer each time.
    """

    @property
    def _llm_type(self) -> str:
        return "scripted-planner"

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,
        **kwargs: Any,  # noqa: ANN401
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """The planner with these tools; it always chooses among them by itself."""
        del tool_choice
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools], **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        *,
        tools: Sequence[dict[str, Any]] = (),
        **kwargs: Any,  # noqa: ANN401
    ) -> ChatResult:
        del stop, run_manager, kwargs  # of a language model
        place = max(i for i, one in enumerate(messages) if isinstance(one, HumanMessage))
        given = [str(one.text) for one in messages[:place] if "<data>" in one.text]
        calls = _calls(messages[place:])
        step = planner.step(str(messages[place].text), [_known(t) for t in tools], calls, given)
        if isinstance(step, str):
            said = AIMessage(step)
        else:
            call = {"name": step.name, "args": dict(step.arguments), "id": f"call-{len(calls) + 1}"}
            said = AIMessage("", tool_calls=[call])
        return ChatResult(generations=[ChatGeneration(message=said)])


def _known(tool: dict[str, Any]) -> KnownTool:
    told = tool["function"]
    return KnownTool(told["name"], told.get("description", ""), told.get("parameters", {}))


def _calls(messages: Sequence[BaseMessage]) -> list[Done]:
    """The calls that were made since the question, with what came back."""
    asked: dict[str | None, Call] = {}
    done = []
    for one in messages:
        if isinstance(one, AIMessage):
            asked |= {call["id"]: Call(call["name"], call["args"]) for call in one.tool_calls}
        elif isinstance(one, ToolMessage):
            done.append(Done(asked[one.tool_call_id], str(one.text)))
    return done
