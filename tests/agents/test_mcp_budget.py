"""Whatever a client asks, in whatever mix, no result is over its budget.

`pytest tests/agents/test_mcp_budget.py --hypothesis-profile long` asks thousands of times.
"""

import asyncio
import json
import math
from typing import Any

import mcp_types as types
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mcp import Client

from agentctx import Memory
from agentctx.agents import ToolSet
from agentctx.agents.mcp import blocks, server

from .conftest import NINE

# So many tokens a client takes without a word.
WARNED = 10_000
OF_HYPOTHESIS = 100

WORDS = ["pump", "valve", "stuck", "alarm", "the screen", "seal", "pressure", "Monday", "步", "🙂"]
TEXTS = st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(" ".join) | st.text(
    max_size=80
)
TIMES = st.one_of(
    st.just(""),
    st.integers(-5, 40).map(lambda n: NINE.replace(hour=8 + n // 60, minute=n % 60).isoformat()),
    st.sampled_from(["0001-01-01", "9999-12-31T23:59:59Z", "soon", "2026-03-14"]),
)
MODALITIES = st.lists(
    st.sampled_from(["text", "screenshot", "speech", "sensor", "smell"]), max_size=3
)
SESSIONS = st.sampled_from(["", "", "", "shift", "none"])
OFFSETS = st.just(0) | st.integers(0, 12_000)


def calls(ids: list[str]) -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
    """Calls that mostly make sense, with arguments from all over their range."""
    id_ = st.sampled_from([*ids, *(one[:10] for one in ids), "ffff", ids[0][:4]])
    span = {"since": TIMES, "until": TIMES}
    shapes: dict[str, dict[str, st.SearchStrategy[Any]]] = {
        "search_context": {
            "query": TEXTS,
            "modality": MODALITIES,
            "session": SESSIONS,
            "limit": st.integers(0, 31),
            "offset": st.integers(0, 40),
            **span,
        },
        "recall_moment": {
            "around": id_ | TIMES,
            "window": st.floats(0, 90_000),
            "modality": MODALITIES,
            "offset": OFFSETS,
        },
        "read_sensor": {
            "channel": st.sampled_from(["", "pressure", "pressure (bar)", "other"]),
            "aggregate": st.sampled_from(["", "", "mean", "max", "first", "mode"]),
            "offset": OFFSETS,
            **span,
        },
        "what_changed": {
            "subject": st.just("") | TEXTS,
            "session": SESSIONS,
            "offset": OFFSETS,
            **span,
        },
        "expand": {"id": id_, "offset": OFFSETS},
    }
    of_each = [
        st.tuples(st.just(name), st.fixed_dictionaries({}, optional=shape))
        for name, shape in shapes.items()
    ]
    return st.one_of(of_each)


def spent(tools: ToolSet, result: types.CallToolResult) -> tuple[int, int, int]:
    """The tokens of its text, of its pictures, and of all, as careful clients count."""
    text = sum(
        tools.budget.count(one.text) for one in result.content if isinstance(one, types.TextContent)
    )
    pictures = sum(
        math.ceil(len(one.data) / 4)
        for one in result.content
        if isinstance(one, types.ImageContent)
    )
    links = sum(
        len(json.dumps(one.model_dump(by_alias=True, exclude_none=True)))
        for one in result.content
        if isinstance(one, types.ResourceLink)
    )
    return text, pictures, text + pictures + math.ceil(links / 4)


@pytest.mark.parametrize("budget", [(300, 800), (2000, 7500)], ids=["small", "default"])
def test_no_result_is_over_its_budget(filled: Memory, budget: tuple[int, int]) -> None:
    tools = ToolSet(filled, max_tokens=budget[0], max_picture_tokens=budget[1])
    ids = [one.id for one in filled.timeline()]
    answered = {True: 0, False: 0}
    examples = settings().max_examples

    async def ask(asked: list[tuple[str, dict[str, Any]]]) -> None:
        async with Client(server(tools)) as client:
            for name, arguments in asked:
                result = await client.call_tool(name, arguments)
                text, pictures, everything = spent(tools, result)
                assert text <= budget[0]
                assert pictures <= budget[1]
                assert everything <= min(sum(budget) + blocks.LINK_TOKENS, WARNED)
                assert result.content, "never empty"
                answered[not result.is_error] += 1

    @settings(max_examples=examples // 5 if examples == OF_HYPOTHESIS else examples, deadline=None)
    @given(asked=st.lists(calls(ids), min_size=1, max_size=5))
    def check(asked: list[tuple[str, dict[str, Any]]]) -> None:
        asyncio.run(ask(asked))

    check()
    assert answered[True], "some of them make sense"
