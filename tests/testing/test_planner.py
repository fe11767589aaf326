"""The scripted planner: which tool it calls with what, and what it quotes in the end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentctx import Memory
from agentctx.agents import ToolSet
from agentctx.testing.planner import (
    INTRODUCTION,
    NOTHING,
    Call,
    Done,
    KnownTool,
    answer,
    chosen,
    step,
)

FOUND = """Retrieved data.
Moment 2026-03-14 09:10:00 UTC
[aaaaaaaaaa] speech · 09:10:05 UTC
<data>
The valve of pump two is stuck again. I like soup.
</data>
[bbbbbbbbbb] screenshot · 09:11:00 UTC
<data>
Pump 2 stopped
ALARM
</data>"""


@pytest.fixture
def tools(memory: Memory) -> list[KnownTool]:
    """What a model is told of the tools of a memory, which nothing here looks into."""
    with_notes = ToolSet(memory, write=True, forget=True)
    return [KnownTool(one.name, one.description, one.schema) for one in with_notes.tools]


@pytest.mark.parametrize(
    ("question", "first"),
    [
        ("Why did the pump stop?", "search_context"),
        ("What is the mean pressure?", "read_sensor"),
        ("What changed between 2026-03-14T09:00Z and 2026-03-14T10:00Z?", "what_changed"),
        ("What happened around 2026-03-14T09:12:12Z?", "recall_moment"),
        ("Remember: Ann has the key", "remember"),
    ],
)
def test_the_tool_whose_description_fits_is_first(
    tools: list[KnownTool], question: str, first: str
) -> None:
    call = step(question, tools)
    assert isinstance(call, Call)
    assert call.name == first


def test_arguments_are_filled_by_their_schemas(tools: list[KnownTool]) -> None:
    since, until = "2026-03-14T09:00:00Z", "2026-03-14T10:00:00Z"
    changed = step(f"What changed between {since} and {until}?", tools)
    assert changed == Call("what_changed", {"since": since, "until": until})
    assert step("Why?", tools) == Call("search_context", {"query": "Why?"})
    assert step("Remember: Ann has the key", tools) == Call("remember", {"text": "Ann has the key"})


def test_nothing_is_forgotten_unless_it_is_asked_for(tools: list[KnownTool]) -> None:
    for question in ("Why did the pump stop?", "Who is Ann?", "What is the mean pressure?"):
        assert "forget" not in {tool.name for tool in chosen(question, tools)}


def test_a_channel_is_taken_from_the_list_that_came_back(tools: list[KnownTool]) -> None:
    question = "How high did the vibration go?"
    first = step(question, tools)
    assert first == Call("read_sensor", {"aggregate": "max"})
    listed = '2 sensor channels\n<data>\n"motor current" [A]\n"vibration" [mm/s]\n</data>'
    done = [Done(Call("read_sensor", {"aggregate": "max"}), listed)]
    second = step(question, tools, done)
    assert second == Call("read_sensor", {"aggregate": "max", "channel": "vibration"})
    done.append(Done(second, "vibration: max is 13.4 mm/s"))
    third = step(question, tools, done)
    assert third == Call("search_context", {"query": question})
    done.append(Done(third, FOUND))
    said = step(question, tools, done)
    assert isinstance(said, str)
    assert "- vibration: max is 13.4 mm/s" in said.splitlines()


def test_a_later_call_uses_a_citation_of_an_earlier_one(tools: list[KnownTool]) -> None:
    question = "What was said and measured around the moment when the valve was stuck?"
    search = step(question, tools)
    assert isinstance(search, Call)
    assert search.name == "search_context", "there is no citation yet to look around"
    assert step(question, tools, [Done(search, FOUND)]) == Call(
        "recall_moment", {"around": "aaaaaaaaaa"}
    )


def test_the_answer_quotes_with_citations() -> None:
    said = answer("Why is the pump stopped, is its valve stuck?", [FOUND])
    assert said.splitlines() == [
        INTRODUCTION,
        "- “The valve of pump two is stuck again.” [aaaaaaaaaa]",
        "- “Pump 2 stopped” [bbbbbbbbbb]",
    ]
    assert "soup" not in said


def test_the_best_evidence_is_quoted_whatever_its_words_are() -> None:
    assert "“The valve of pump two is stuck again.” [aaaaaaaaaa]" in answer("Warum?", [FOUND])


def test_evidence_that_came_with_the_question_is_quoted() -> None:
    assert "[aaaaaaaaaa]" in str(step("Is the valve stuck?", [], given=[FOUND]))


@pytest.mark.parametrize("texts", [[], ["Nothing in the memory matches."], ["<data>\n</data>"]])
def test_it_says_when_there_is_nothing(texts: list[str]) -> None:
    assert answer("Why did the pump stop?", texts) == NOTHING


def test_an_error_of_a_tool_is_told() -> None:
    assert "- no such channel: 'volume'" in answer("How loud?", ["no such channel: 'volume'"])


@given(st.text(max_size=80), st.text(max_size=200))
def test_it_always_comes_to_an_end(question: str, returned: str) -> None:
    schema = {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]}
    tools = [KnownTool("search", "Search the memory.", schema)]
    done: list[Done] = []
    while isinstance(call := step(question, tools, done), Call):
        done.append(Done(call, returned))
        assert len(done) <= 4
    assert call.startswith(INTRODUCTION) or call == NOTHING
