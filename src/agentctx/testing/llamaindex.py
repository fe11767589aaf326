"""Two stand-ins for language models in LlamaIndex, both scripts (extra ``llama-index``)."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    ChatResponseAsyncGen,
    ChatResponseGen,
    CompletionResponse,
    CompletionResponseAsyncGen,
    CompletionResponseGen,
    LLMMetadata,
    MessageRole,
)
from llama_index.core.llms.callbacks import llm_completion_callback
from llama_index.core.llms.custom import CustomLLM
from llama_index.core.llms.function_calling import FunctionCallingLLM
from llama_index.core.llms.llm import ToolSelection

from agentctx.testing import planner
from agentctx.testing.planner import Call, Done, KnownTool

if TYPE_CHECKING:
    from llama_index.core.tools import BaseTool

_CALL = "scripted_call"
_SOURCE = re.compile(r"^Source (\d+):\n(.*?)(?=^</data>$|^Source \d+:|^-{3,}|\Z)", re.M | re.S)
_CITED = re.compile(r"^citation: (\w+)$.*?^<data>\n(.*?)\n</data>", re.M | re.S)
_QUERY = re.compile(r"^Query: (.*)$", re.M)


class QuotingLLM(CustomLLM):
    """A script in the place of a language model for query engines. It is no language model.

    It quotes, from the sources in the prompt, the sentences that have most of the question's
    words, each with its number (of `CitationQueryEngine`) or id (of our nodes). For tests, examples
    and notebooks that must run without a key and give the same answer each time.
    """

    @property
    def metadata(self) -> LLMMetadata:
        """What LlamaIndex asks of a model; its context has no end."""
        return LLMMetadata(model_name="quoting-script", context_window=1_000_000)

    @llm_completion_callback()
    def complete(
        self,
        prompt: str,
        formatted: bool = False,
        **kwargs: Any,  # noqa: ANN401
    ) -> CompletionResponse:
        """Quotations from the prompt's sources."""
        del formatted, kwargs  # of a language model
        question = (_QUERY.findall(prompt) or [""])[-1]
        # Before the rule, the prompt may show what sources look like.
        sources = prompt[prompt.find("\n---") :]
        found = _SOURCE.findall(sources) or _CITED.findall(sources)
        evidence = "\n".join(f"[{mark}] \n<data>\n{text.strip()}\n</data>" for mark, text in found)
        return CompletionResponse(text=planner.answer(question, [evidence]))

    @llm_completion_callback()
    def stream_complete(
        self,
        prompt: str,
        formatted: bool = False,
        **kwargs: Any,  # noqa: ANN401
    ) -> CompletionResponseGen:
        """`complete`, all at once."""

        def whole() -> CompletionResponseGen:
            done = self.complete(prompt, formatted, **kwargs)
            yield CompletionResponse(text=done.text, delta=done.text)

        return whole()


class ScriptedPlanner(FunctionCallingLLM):
    """A scripted planner in the place of a chat model. It is no language model.

    It goes by the rules of `agentctx.testing.planner`: really calls the tools it is given, one at a
    time, and answers with quotations and their citations.
    """

    @property
    def metadata(self) -> LLMMetadata:
        """What LlamaIndex asks of a model; its context has no end."""
        return LLMMetadata(
            model_name="scripted-planner",
            context_window=1_000_000,
            is_chat_model=True,
            is_function_calling_model=True,
        )

    def chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:  # noqa: ANN401
        """The next call of a tool, or the answer."""
        asked = [i for i, one in enumerate(messages) if one.role == MessageRole.USER]
        question = messages[asked[-1]].content or ""
        done = _done(messages[asked[-1] :])
        step = planner.step(question, kwargs.get("tools", []), done)
        if isinstance(step, str):
            return ChatResponse(message=ChatMessage(step, role=MessageRole.ASSISTANT))
        call = ToolSelection(
            tool_id=f"call-{len(done) + 1}",
            tool_name=step.name,
            tool_kwargs=dict(step.arguments),
        )
        said = ChatMessage("", role=MessageRole.ASSISTANT, additional_kwargs={_CALL: call})
        return ChatResponse(message=said)

    async def achat(
        self,
        messages: Sequence[ChatMessage],
        **kwargs: Any,  # noqa: ANN401
    ) -> ChatResponse:
        """`chat`; there is nothing to wait for."""
        return self.chat(messages, **kwargs)

    def stream_chat(
        self,
        messages: Sequence[ChatMessage],
        **kwargs: Any,  # noqa: ANN401
    ) -> ChatResponseGen:
        """`chat`, all at once."""
        whole = self.chat(messages, **kwargs)
        whole.delta = whole.message.content
        yield whole

    async def astream_chat(
        self,
        messages: Sequence[ChatMessage],
        **kwargs: Any,  # noqa: ANN401
    ) -> ChatResponseAsyncGen:
        """`chat`, all at once."""

        async def whole() -> ChatResponseAsyncGen:
            for one in self.stream_chat(messages, **kwargs):
                yield one

        return whole()

    def complete(
        self,
        prompt: str,
        formatted: bool = False,
        **kwargs: Any,  # noqa: ANN401
    ) -> CompletionResponse:
        """What `chat` says to the prompt as a question, without tools."""
        del formatted, kwargs
        return CompletionResponse(text=planner.answer(prompt, [prompt]))

    async def acomplete(
        self,
        prompt: str,
        formatted: bool = False,
        **kwargs: Any,  # noqa: ANN401
    ) -> CompletionResponse:
        """`complete`; there is nothing to wait for."""
        return self.complete(prompt, formatted, **kwargs)

    def stream_complete(
        self,
        prompt: str,
        formatted: bool = False,
        **kwargs: Any,  # noqa: ANN401
    ) -> CompletionResponseGen:
        """`complete`, all at once."""
        yield self.complete(prompt, formatted, **kwargs)

    async def astream_complete(
        self,
        prompt: str,
        formatted: bool = False,
        **kwargs: Any,  # noqa: ANN401
    ) -> CompletionResponseAsyncGen:
        """`complete`, all at once."""

        async def whole() -> CompletionResponseAsyncGen:
            yield self.complete(prompt, formatted, **kwargs)

        return whole()

    def _prepare_chat_with_tools(
        self,
        tools: Sequence["BaseTool"],
        user_msg: str | ChatMessage | None = None,
        chat_history: list[ChatMessage] | None = None,
        verbose: bool = False,
        allow_parallel_tool_calls: bool = False,
        tool_required: bool = False,
        **kwargs: Any,  # noqa: ANN401
    ) -> dict[str, Any]:
        del verbose, allow_parallel_tool_calls, tool_required, kwargs  # it chooses by itself
        asked = [user_msg] if isinstance(user_msg, ChatMessage) else []
        if isinstance(user_msg, str):
            asked = [ChatMessage(user_msg, role=MessageRole.USER)]
        return {
            "messages": [*(chat_history or []), *asked],
            "tools": [_known(tool) for tool in tools],
        }

    def get_tool_calls_from_response(
        self,
        response: ChatResponse,
        error_on_no_tool_call: bool = True,
        **kwargs: Any,  # noqa: ANN401
    ) -> list[ToolSelection]:
        """The call that `chat` decided on, if it did."""
        del kwargs
        call = response.message.additional_kwargs.get(_CALL)
        if call is None and error_on_no_tool_call:
            raise ValueError("the scripted planner answered and called no tool")
        return [] if call is None else [call]


def _known(tool: "BaseTool") -> KnownTool:
    told = tool.metadata
    return KnownTool(told.get_name(), told.description, told.get_parameters_dict())


def _done(messages: Sequence[ChatMessage]) -> list[Done]:
    """The calls that were made since the question, with what came back."""
    asked: dict[str, Call] = {}
    done = []
    for one in messages:
        if call := one.additional_kwargs.get(_CALL):
            asked[call.tool_id] = Call(call.tool_name, call.tool_kwargs)
        elif one.role == MessageRole.TOOL:
            made = asked[one.additional_kwargs["tool_call_id"]]
            done.append(Done(made, one.content or ""))
    return done
