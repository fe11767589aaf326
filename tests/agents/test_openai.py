"""Function calling as the providers speak it: schemas, calls of every shape, mistakes."""

import base64
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentctx import Memory
from agentctx.agents import ToolSet
from agentctx.agents.openai import Style, adispatch, dispatch, dispatch_all, functions
from agentctx.errors import QueryError

JPEG = b"\xff\xd8\xff"
PNG = b"\x89PNG"
STYLES: list[Style] = ["chat", "responses", "anthropic"]


@pytest.fixture
def tools(filled: Memory) -> ToolSet:
    return ToolSet(filled)


def chat(name: str, arguments: object, id_: str = "call_1") -> dict[str, Any]:
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return {"id": id_, "type": "function", "function": {"name": name, "arguments": text}}


def responses(name: str, arguments: object, id_: str = "call_1") -> dict[str, Any]:
    called = {"name": name, "arguments": json.dumps(arguments)}
    return {"type": "function_call", "id": "fc_1", "call_id": id_, **called}


def anthropic(name: str, arguments: object, id_: str = "toolu_1") -> dict[str, Any]:
    return {"type": "tool_use", "id": id_, "name": name, "input": arguments}


def as_object(value: Any) -> Any:
    """What a provider's package gives: attributes instead of keys."""
    if not isinstance(value, dict):
        return value
    inner = value.get("input")
    made = SimpleNamespace(**{key: as_object(one) for key, one in value.items()})
    if inner is not None:
        made.input = inner
    return made


# -- what a model is told ---------------------------------------------------------------------


def test_every_tool_is_described_in_each_shape(filled: Memory, tmp_path: Path) -> None:
    tools = ToolSet(filled, write=True, forget=True, roots=[tmp_path])
    for tool, in_chat, in_responses, in_anthropic in zip(
        tools.tools, *(functions(tools, style) for style in STYLES), strict=True
    ):
        said = {"name": tool.name, "description": tool.description}
        assert in_chat == {"type": "function", "function": {**said, "parameters": tool.schema}}
        assert in_responses.items() >= {"type": "function", **said}.items()
        assert in_responses["parameters"] == tool.schema
        assert in_anthropic == {**said, "input_schema": tool.schema}
        json.dumps([in_chat, in_responses, in_anthropic])


# -- calls ------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [dict, as_object], ids=["dict", "object"])
def test_a_call_of_each_shape_is_answered_in_it(tools: ToolSet, shape: Any) -> None:
    given = {"query": "who closed the valve?", "modality": ["speech"]}
    text = tools.call("search_context", given).text
    assert "by hand" in text
    assert dispatch(tools, shape(chat("search_context", given))) == {
        "role": "tool",
        "tool_call_id": "call_1",
        "content": text,
    }
    assert dispatch(tools, shape(responses("search_context", given))) == {
        "type": "function_call_output",
        "call_id": "call_1",
        "output": text,
    }
    assert dispatch(tools, shape(anthropic("search_context", given))) == {
        "type": "tool_result",
        "tool_use_id": "toolu_1",
        "content": [{"type": "text", "text": text}],
    }


async def test_a_call_does_not_hold_up_the_loop(tools: ToolSet) -> None:
    call = chat("read_sensor", {})
    assert await adispatch(tools, call) == dispatch(tools, call)


def test_no_arguments_may_be_no_text(tools: ToolSet) -> None:
    assert "pressure" in dispatch(tools, chat("read_sensor", ""))["content"]


def test_a_type_may_be_left_out(tools: ToolSet) -> None:
    call = chat("read_sensor", {})
    del call["type"]
    assert "pressure" in dispatch(tools, call)["content"]


# -- pictures ---------------------------------------------------------------------------------

SCREENS = {"query": "alarm, pump 2 stopped", "modality": ["screenshot"]}


def is_picture(data: str) -> bool:
    return base64.b64decode(data, validate=True).startswith((JPEG, PNG, b"RIFF"))


def test_pictures_follow_all_tool_messages_of_a_chat(tools: ToolSet) -> None:
    calls = [chat("search_context", SCREENS, "a"), chat("read_sensor", {}, "b")]
    first, second, shown = dispatch_all(tools, calls)
    assert [first["tool_call_id"], second["tool_call_id"]] == ["a", "b"]
    assert shown["role"] == "user"
    said, *images = shown["content"]
    pictures = tools.call("search_context", SCREENS).pictures
    assert len(images) == len(pictures) > 0
    assert all(f"[{picture.id}]" in said["text"] for picture in pictures)
    assert "not the user's words" in said["text"]
    for image in images:
        head, _, data = image["image_url"]["url"].partition(";base64,")
        assert head.startswith("data:image/")
        assert is_picture(data)


def test_without_pictures_a_chat_gets_no_user_message(tools: ToolSet) -> None:
    assert [m["role"] for m in dispatch_all(tools, [chat("read_sensor", {})])] == ["tool"]
    assert dispatch_all(tools, []) == []


def test_pictures_are_in_the_item_of_responses(tools: ToolSet) -> None:
    (item,) = dispatch_all(tools, [responses("search_context", SCREENS)])
    text, *images = item["output"]
    assert text["type"] == "input_text"
    assert images
    for image in images:
        assert image["type"] == "input_image"
        assert is_picture(image["image_url"].partition(";base64,")[2])


def test_pictures_are_in_the_result_of_anthropic(tools: ToolSet) -> None:
    calls = [anthropic("search_context", SCREENS, "a"), anthropic("read_sensor", {}, "b")]
    (message,) = dispatch_all(tools, calls)
    assert message["role"] == "user"
    first, second = message["content"]
    assert [first["tool_use_id"], second["tool_use_id"]] == ["a", "b"]
    images = [block for block in first["content"] if block["type"] == "image"]
    assert images
    for image in images:
        assert image["source"]["media_type"].startswith("image/")
        assert is_picture(image["source"]["data"])


# -- mistakes ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (chat("rm", {}), "there is no tool 'rm'; there are: search_context"),
        (chat("search_context", {}), "query: Field required"),
        (chat("search_context", '{"query": "a'), "search_context: the arguments are no JSON"),
        (chat("search_context", "[" * 100_000), "the arguments are no JSON"),
        (chat("search_context", '["a"]'), "must be a JSON object"),
        (chat("search_context", {"query": "a", "since": "soon"}), "since is 'soon'; give an ISO"),
        (chat("expand", {"id": "ffffffff"}), "no observation 'ffffffff'"),
    ],
)
def test_a_mistake_of_the_model_is_told_to_it(tools: ToolSet, call: Any, why: str) -> None:
    content = dispatch(tools, call)["content"]
    assert content.startswith("Error: ")
    assert why in content
    assert "Traceback" not in content


def test_anthropic_is_told_that_it_is_an_error(tools: ToolSet) -> None:
    answer = dispatch(tools, anthropic("expand", {"id": "ffffffff"}))
    assert answer["is_error"] is True
    assert answer["content"][0]["text"].startswith("Error: no observation")


@pytest.mark.parametrize("wrong", [{}, None, 3, {"type": "text"}, {"id": "a", "function": None}])
def test_what_is_no_call_is_the_programs_mistake(tools: ToolSet, wrong: object) -> None:
    with pytest.raises(QueryError, match="is no tool call; hand over"):
        dispatch(tools, wrong)


def test_shapes_do_not_mix(tools: ToolSet) -> None:
    with pytest.raises(QueryError, match="anthropic, chat"):
        dispatch_all(tools, [chat("read_sensor", {}), anthropic("read_sensor", {})])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(["search_context", "recall_moment", "read_sensor", "expand", "nothing"]),
    arguments=st.text(max_size=40) | JSON,
)
def test_no_arguments_break_the_loop(filled: Memory, name: str, arguments: object) -> None:
    tools = ToolSet(filled)
    answer = dispatch(tools, chat(name, arguments))
    assert answer["role"] == "tool"
    assert answer["content"]
    assert tools.budget.count(answer["content"]) <= tools.budget.tokens
