"""Sessions: their order, their score, and the hits that are shown of each."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from agentctx import Hit, Memory, Observation
from agentctx.cli import cli
from agentctx.errors import QueryError
from agentctx.retrieve.sessions import by_session

NINE = datetime(2026, 3, 14, 9, tzinfo=UTC)
TALKS = {
    "pumps": ("The seal of the pump leaks.", "The new seal of the pump is here.", "Good.", "Bye."),
    "lunch": ("Soup again.", "With a seal on the lid.", "I had bread."),
    "boats": ("The keel is cracked.", "We weld it on Friday."),
}


@pytest.fixture
def talks(memory: Memory) -> Memory:
    memory.add(
        Observation(text=text, session=session, captured_at=NINE + timedelta(seconds=n))
        for session, texts in TALKS.items()
        for n, text in enumerate(texts)
    )
    memory.add(Observation(text="The seal of a pump, in no session.", captured_at=NINE))
    return memory


def made(scores: list[tuple[str, float]]) -> list[Hit]:
    return [
        Hit(Observation(text=str(n), session=session, captured_at=NINE), score)
        for n, (session, score) in enumerate(scores)
    ]


SCORES = st.lists(st.tuples(st.sampled_from(["", "a", "b", "c"]), st.floats(0, 1)), max_size=12)


@given(SCORES, st.integers(1, 4))
def test_sessions_come_in_order_each_once(scores: list[tuple[str, float]], limit: int) -> None:
    hits = made(scores)
    found = by_session(hits, limit)
    assert len(found) == min(limit, len({session for session, _ in scores if session}))
    assert len({one.session for one in found}) == len(found)
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    for one in found:
        of = sorted((s for session, s in scores if session == one.session), reverse=True)
        assert [hit.score for hit in one.hits] == of[:3]
        assert 0 <= one.score <= 1
    if found:
        assert found[0].score == pytest.approx(found[0].hits[0].score)


def test_two_good_hits_pass_one_that_is_little_better() -> None:
    found = by_session(made([("one", 0.9), ("two", 0.8), ("two", 0.7), ("two", 0.6)]), 2)
    assert [one.session for one in found] == ["two", "one"]
    assert found[1].score == pytest.approx(0.8 * 0.9 / (0.8 + 0.35))


def test_the_session_that_is_about_it_comes_first(talks: Memory) -> None:
    found = talks.sessions("the seal of the pump")
    assert found[0].session == "pumps"
    assert {hit.text for hit in found[0].hits[:2]} == set(TALKS["pumps"][:2])
    assert "" not in {one.session for one in found}
    assert all(hit.session == one.session for one in found for hit in one.hits)
    assert len(talks.sessions("the seal of the pump", 1)) == 1
    assert [one.session for one in talks.sessions("the seal", session="lunch")] == ["lunch"]


def test_what_nobody_spoke_of_is_in_no_session(talks: Memory) -> None:
    assert talks.sessions("medieval castles of Portugal") == []
    with pytest.raises(QueryError, match="limit is 0"):
        talks.sessions("pump", 0)


def test_the_command_line_shows_sessions(talks: Memory) -> None:
    asked = ["search", "the seal of the pump", "--by-session", "--memory", str(talks.directory)]
    shown = CliRunner().invoke(cli, asked)
    assert shown.exit_code == 0
    assert shown.output.splitlines()[0].endswith("  pumps")
    assert "The new seal of the pump is here." in shown.output
    assert "why:" in CliRunner().invoke(cli, [*asked, "--explain"]).output
    (first, *_) = json.loads(CliRunner().invoke(cli, [*asked, "--json"]).output)
    assert first["session"] == "pumps"
    assert first["hits"][0]["observation"]["session"] == "pumps"
    nothing = CliRunner().invoke(cli, ["search", "asdkj qwpoe zxcmn", *asked[2:]])
    assert "Nothing in this memory matches." in nothing.output
    assert CliRunner().invoke(cli, [*asked, "--diversity", "0.5"]).exit_code == 2
