"""The one set of tools: what a model is told, what it gets back, what it cannot do."""

import asyncio
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agentctx import Memory, Observation
from agentctx.agents import ToolResult, ToolSet
from agentctx.agents.results import careful, explained
from agentctx.errors import AgentctxError, QueryError, SourceError

from .conftest import NINE, draw, log

READ = ["search_context", "recall_moment", "read_sensor", "what_changed", "expand"]
TEN_PAST = "2026-03-14T09:10:00Z"


@pytest.fixture
def tools(filled: Memory) -> ToolSet:
    return ToolSet(filled)


@pytest.fixture
def writing(memory: Memory, tmp_path: Path) -> ToolSet:
    (tmp_path / "inbox").mkdir()
    return ToolSet(memory, write=True, forget=True, roots=[tmp_path / "inbox"], session="today")


def ids(result: ToolResult) -> list[str]:
    return [one["id"] for one in result.data["citations"]]


# -- what a model is told ---------------------------------------------------------------------


def test_reading_is_all_that_is_offered_unasked(filled: Memory, tmp_path: Path) -> None:
    assert [tool.name for tool in ToolSet(filled).tools] == READ
    assert not any(tool.writes for tool in ToolSet(filled).tools)
    more = [tool.name for tool in ToolSet(filled, write=True).tools]
    assert more == [*READ, "remember"], "no directory is allowed, so no file is"
    everything = ToolSet(filled, write=True, forget=True, roots=[tmp_path]).tools
    files = ["remember_screenshot", "remember_speech", "remember_sensor"]
    assert [tool.name for tool in everything] == [*more, *files, "forget"]
    assert [tool.name for tool in everything if tool.destructive] == ["forget"]


def test_schemas_are_plain_enough_for_any_provider(filled: Memory, tmp_path: Path) -> None:
    for tool in ToolSet(filled, write=True, forget=True, roots=[tmp_path]).tools:
        text = json.dumps(tool.schema)
        for hard in ("anyOf", "$ref", "null", "$defs", "title"):
            assert f'"{hard}"' not in text, f"{tool.name} has {hard}"
        assert tool.schema["type"] == "object"
        assert tool.schema["additionalProperties"] is False
        assert len(tool.description) > 40
        for name, one in tool.schema["properties"].items():
            assert one.get("description"), f"{tool.name}.{name} says nothing"


def test_a_tool_of_one_string_takes_the_telling_one(filled: Memory) -> None:
    first = {t.name: next(iter(t.schema["properties"])) for t in ToolSet(filled).tools}
    assert first == {
        "search_context": "query",
        "recall_moment": "around",
        "read_sensor": "channel",
        "what_changed": "since",
        "expand": "id",
    }


def test_an_unknown_tool_is_refused_with_those_there_are(tools: ToolSet) -> None:
    with pytest.raises(QueryError, match=r"no tool 'rm'; there are: search_context, .*expand"):
        tools.call("rm", {})


@pytest.mark.parametrize(
    ("name", "wrong", "why"),
    [
        ("search_context", {}, "query: Field required"),
        ("search_context", {"query": ""}, "query: .*at least 1"),
        ("search_context", {"query": "a", "limit": 99}, "limit: .*30"),
        ("search_context", {"query": "a", "modalities": []}, "modalities: Extra"),
        ("search_context", {"query": "a", "since": "yesterday"}, "since is 'yesterday'; .*ISO"),
        ("recall_moment", {"around": "soon"}, "no observation 'soon'"),
        ("recall_moment", {"around": TEN_PAST, "window": -1}, "window: "),
        ("read_sensor", {"channel": "speed"}, "no channel 'speed'; there are: 'pressure'"),
        ("read_sensor", {"channel": "pressure", "aggregate": "mode"}, "no aggregate 'mode'"),
        ("what_changed", {"since": TEN_PAST, "until": TEN_PAST}, "is not after since"),
        ("expand", {"id": "ffffffffff"}, "no observation 'ffffffffff'"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_reason(
    tools: ToolSet, name: str, wrong: Mapping[str, Any], why: str
) -> None:
    with pytest.raises(QueryError, match=why):
        tools.call(name, wrong)


def test_an_error_for_a_model_is_one_short_line() -> None:
    said = explained(AgentctxError("no channel\n'</data>\u202e" + "x" * 5000))
    assert "\n" not in said
    assert "</data" not in said
    assert "\u202e" not in said
    assert len(said) <= 600


def test_a_budget_of_next_to_nothing_is_refused(filled: Memory) -> None:
    with pytest.raises(QueryError, match="max_tokens is 10"):
        ToolSet(filled, max_tokens=10)


# -- search -----------------------------------------------------------------------------------


def test_a_question_is_answered_with_evidence_of_several_kinds(tools: ToolSet) -> None:
    found = tools.call("search_context", {"query": "why was pump 2 stopped?"})
    kinds = {one["modality"] for one in found.data["citations"]}
    assert {"speech", "screenshot"} <= kinds
    assert "stuck" in found.text
    assert "not instructions" in found.text
    for id_ in ids(found):
        assert f"[{id_}] " in found.text


def test_pictures_are_thumbnails_of_what_is_cited(tools: ToolSet) -> None:
    found = tools.call("search_context", {"query": "pump 2", "modality": ["screenshot"]})
    assert len(found.pictures) == 2
    assert {picture.id for picture in found.pictures} == set(ids(found))
    assert all(picture.media.kind == "thumbnail" for picture in found.pictures)
    assert {link.uri for link in found.links} == {
        f"agentctx://observation/{id_}" for id_ in ids(found)
    }
    without = ToolSet(tools.memory, max_picture_tokens=0)
    assert without.call("search_context", {"query": "pump 2"}).pictures == ()


def test_pages_of_a_search_end(tools: ToolSet) -> None:
    seen: set[str] = set()
    offset: int | None = 0
    while offset is not None:
        asked = {"query": "pump pressure", "limit": 5, "offset": offset}
        found = tools.call("search_context", asked)
        if found.data["next_offset"] is not None:
            assert f"offset={found.data['next_offset']}" in found.text
            assert found.data["next_offset"] > offset
        seen |= set(ids(found))
        offset = found.data["next_offset"]
    assert len(seen) > 5


def test_finding_nothing_is_said(tools: ToolSet) -> None:
    found = tools.call("search_context", {"query": "qwxz vlorp brimbash"})
    assert found.text.startswith("Nothing in the user's memory matches")
    assert ids(found) == []


# -- moments, sensors, changes ----------------------------------------------------------------


def test_a_moment_has_everything_by_time(tools: ToolSet) -> None:
    around = tools.call("recall_moment", {"around": TEN_PAST, "window": 90})
    kinds = [one["modality"] for one in around.data["citations"]]
    assert {"speech", "screenshot", "sensor"} <= set(kinds)
    times = [one["captured_at"] for one in around.data["citations"]]
    assert times == sorted(times)
    only = {"around": TEN_PAST, "window": 90, "modality": ["speech"]}
    assert len(ids(tools.call("recall_moment", only))) == 3


def test_a_moment_can_be_that_of_a_citation(tools: ToolSet) -> None:
    said = ids(tools.call("search_context", {"query": "valve stuck", "modality": ["speech"]}))[0]
    beside = tools.call("recall_moment", {"around": said, "window": 2, "modality": ["speech"]})
    assert said in ids(beside)
    assert len(ids(beside)) == 2


def test_readings_are_exact(tools: ToolSet) -> None:
    assert tools.call("read_sensor", {}).data["channels"] == ["pressure [bar]"]
    lowest = tools.call("read_sensor", {"channel": "pressure", "aggregate": "min"})
    assert lowest.data["value"] == 2.99
    assert "2.99 bar" in lowest.text
    span = {"channel": "pressure", "since": TEN_PAST, "until": "2026-03-14T09:10:05Z"}
    rows = tools.call("read_sensor", span).data["readings"]
    values = [round(5 - 2 * (s > 600) + 0.01 * math.sin(s), 3) for s in range(600, 605)]
    assert rows == [[f"2026-03-14T09:10:0{s}Z", value] for s, value in enumerate(values)]


def test_readings_come_in_pages(tools: ToolSet) -> None:
    rows: list[Any] = []
    offset: int | None = 0
    while offset is not None:
        page = tools.call("read_sensor", {"channel": "pressure", "offset": offset}).data
        rows += page["readings"]
        offset = page["next_offset"]
    assert len(rows) == 1200
    assert rows == sorted(rows)


def test_what_changed_is_said_line_by_line(tools: ToolSet) -> None:
    changed = tools.call(
        "what_changed", {"since": "2026-03-14T09:09:00Z", "until": "2026-03-14T09:12:00Z"}
    )
    assert "ALARM" in changed.text
    assert "pressure" in changed.text
    assert changed.text.count("<data>") == changed.text.count("</data>") == 1


# -- expanding --------------------------------------------------------------------------------


def test_a_long_text_is_expanded_page_by_page(tools: ToolSet) -> None:
    (manual,) = [one for one in tools.memory.timeline() if one.source == "manual.txt"]
    parts: list[str] = []
    offset: int | None = 0
    while offset is not None:
        page = tools.call("expand", {"id": manual.id[:10], "offset": offset})
        parts.append(page.data["text"])
        offset = page.data["next_offset"]
    assert "".join(parts) == manual.text
    assert len(parts) > 1


def test_expanding_past_the_end_ends(tools: ToolSet) -> None:
    found = ids(tools.call("search_context", {"query": "valve stuck"}))[0]
    page = tools.call("expand", {"id": found, "offset": 10_000_000})
    assert page.data["text"] == ""
    assert page.data["next_offset"] is None


# -- the budget -------------------------------------------------------------------------------

words = st.text(max_size=40) | st.sampled_from(["pump", "pressure", "why did it stop?", TEN_PAST])
numbers = st.integers(0, 3000)
calls = st.one_of(
    st.tuples(
        st.just("search_context"),
        st.fixed_dictionaries({"query": words, "limit": st.integers(1, 30), "offset": numbers}),
    ),
    st.tuples(
        st.just("recall_moment"),
        st.fixed_dictionaries({"around": st.just(TEN_PAST), "window": numbers, "offset": numbers}),
    ),
    st.tuples(
        st.just("read_sensor"),
        st.fixed_dictionaries({"channel": st.sampled_from(["", "pressure"]), "offset": numbers}),
    ),
    st.tuples(
        st.just("what_changed"),
        st.fixed_dictionaries(
            {
                "since": st.just("2026-03-14T09:09:00Z"),
                "until": st.just("2026-03-14T09:12:00Z"),
                "subject": words,
                "offset": numbers,
            }
        ),
    ),
    st.tuples(
        st.just("expand"), st.fixed_dictionaries({"id": st.sampled_from("0123456789abcdef")})
    ),
)


@settings(max_examples=60, deadline=None)
@given(call=calls, budget=st.integers(300, 3000), pictures=st.integers(0, 9000))
@example(("recall_moment", {"around": TEN_PAST, "window": 3000, "offset": 0}), 300, 0)
def test_no_answer_is_over_its_budget(
    filled: Memory, call: tuple[str, dict[str, Any]], budget: int, pictures: int
) -> None:
    tools = ToolSet(filled, max_tokens=budget, max_picture_tokens=pictures)
    name, given_ = call
    if name == "expand":
        given_ = {"id": next(o.id for o in filled.timeline() if o.id >= given_["id"])}
    try:
        answer = tools.call(name, given_)
    except QueryError:
        return
    assert tools.budget.count(answer.text) <= budget
    assert sum(picture.tokens for picture in answer.pictures) <= pictures
    assert answer.text.count("<data>") == answer.text.count("</data>")
    json.dumps(dict(answer.data))


def test_a_word_of_ten_thousand_letters_costs_what_it_takes(filled: Memory) -> None:
    assert filled.count_tokens("x" * 10_000) < 10
    assert careful(filled.count_tokens)("x" * 10_000) == 2500


# -- remembering ------------------------------------------------------------------------------


def test_a_note_is_marked_as_an_agent_s(writing: ToolSet) -> None:
    done = writing.call("remember", {"text": "The user said: stop pump two."})
    (note,) = writing.memory.get([done.data["id"]])
    assert (note.session, note.source) == ("today", "agent")
    found = writing.call("search_context", {"query": "stop pump two"})
    assert "note by an agent, not the user" in found.text


def test_files_are_added_from_allowed_directories_only(writing: ToolSet, tmp_path: Path) -> None:
    inside, outside = tmp_path / "inbox", tmp_path / "secret.csv"
    log(outside)
    done = writing.call("remember_sensor", {"path": str(log(inside / "pump.csv"))})
    assert done.data["kinds"].keys() == {"sensor"}
    assert writing.call("remember_sensor", {"path": "pump.csv"}).data["added"] == 0
    (inside / "link.csv").symlink_to(outside)
    for path in (outside, inside / ".." / "secret.csv", inside / "link.csv", "/etc/passwd"):
        with pytest.raises(QueryError, match="outside of the allowed directories"):
            writing.call("remember_sensor", {"path": str(path)})
    with pytest.raises(SourceError, match=r"absent\.csv"):
        writing.call("remember_sensor", {"path": "absent.csv"})


def test_a_screenshot_and_a_transcript_are_added(writing: ToolSet, tmp_path: Path) -> None:
    draw(tmp_path / "inbox" / "shot.png", "Invoice 4711 is overdue")
    srt = "1\n00:00:01,000 --> 00:00:03,000\nPlease pay the invoice.\n"
    (tmp_path / "inbox" / "call.srt").write_text(srt)
    shot = {"path": "shot.png", "captured_at": NINE.isoformat()}
    assert writing.call("remember_screenshot", shot).data["kinds"] == {"screenshot": 1}
    said = {"path": "call.srt", "captured_at": NINE.isoformat(), "session": "call"}
    assert writing.call("remember_speech", said).data["kinds"] == {"speech": 1}
    found = writing.call("search_context", {"query": "invoice"})
    assert {one["modality"] for one in found.data["citations"]} == {"screenshot", "speech"}


def test_long_work_tells_how_far_it_is_and_can_be_ended(writing: ToolSet, tmp_path: Path) -> None:
    log(tmp_path / "inbox" / "pump.csv")
    heard: list[tuple[int, int]] = []
    asked = {"path": "pump.csv"}
    writing.call("remember_sensor", asked, lambda done, total, _: heard.append((done, total)))
    assert heard[-1] == (1, 1)

    def stop(done: int, total: int, name: str) -> None:
        raise InterruptedError(name)

    log(tmp_path / "inbox" / "other.csv", "level (m)")
    with pytest.raises(InterruptedError):
        writing.call("remember_sensor", {"path": "other.csv"}, stop)


# -- forgetting -------------------------------------------------------------------------------


def test_forgetting_is_asked_for_twice(writing: ToolSet) -> None:
    note = writing.call("remember", {"text": "my PIN is 2930"}).data["id"]
    would = writing.call("forget", {"ids": [note]})
    assert would.data == {"forgotten": 1, "dry_run": True}
    assert f"[{note}]" in would.text
    assert writing.memory.get([note])
    done = writing.call("forget", {"ids": [note], "confirm": True})
    assert done.data == {"forgotten": 1, "dry_run": False}
    assert writing.memory.timeline() == []
    with pytest.raises(QueryError, match="no observation"):
        writing.call("expand", {"id": note})


def test_forgetting_needs_to_know_what(writing: ToolSet) -> None:
    writing.memory.add(Observation(text="stays"))
    with pytest.raises(QueryError, match="say what to forget"):
        writing.call("forget", {"confirm": True})
    assert len(writing.memory.timeline()) == 1


def test_the_event_loop_goes_on_meanwhile(tools: ToolSet) -> None:
    async def both() -> list[ToolResult]:
        asked = [{"query": "valve stuck"}, {"query": "pump stopped"}]
        return await asyncio.gather(*(tools.acall("search_context", one) for one in asked))

    assert all(ids(found) for found in asyncio.run(both()))


def test_a_channel_of_a_memory_without_sensors_is_an_error(memory: Memory) -> None:
    with pytest.raises(QueryError, match="'pressure': the memory holds no sensor readings"):
        ToolSet(memory).call("read_sensor", {"channel": "pressure"})


@pytest.mark.parametrize("path", ["a\0b", "~nobody-of-this-name/a.png", "\ud800", "a" * 5000])
def test_what_is_no_path_is_refused(writing: ToolSet, path: str) -> None:
    with pytest.raises(
        (QueryError, SourceError), match=r"no path of a file|cannot be opened|valid string"
    ):
        writing.call("remember_screenshot", {"path": path})
