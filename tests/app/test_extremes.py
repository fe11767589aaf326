"""Times and texts at the ends of what can be: stored as they are, or refused, never a crash."""

from datetime import UTC, datetime, timedelta

import pytest

from agentctx import AgentctxError, Memory, Observation
from agentctx.errors import QueryError

FIRST = datetime(1, 1, 1, tzinfo=UTC)
LAST = datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
NOW = datetime(2026, 3, 14, 9, tzinfo=UTC)


@pytest.mark.parametrize("when", [FIRST, LAST, datetime(1969, 12, 31, tzinfo=UTC)])
def test_any_time_is_kept(memory: Memory, when: datetime) -> None:
    memory.add([Observation(text="The pump is warm.", captured_at=when)])
    assert memory.timeline()[0].captured_at == when
    assert memory.timeline(since=when)[0].captured_at == when
    assert memory.search("warm pump")[0].captured_at == when
    assert f"{when:%H:%M:%S}" in memory.context("warm pump").text


@pytest.mark.parametrize("when", [FIRST, LAST])
def test_any_time_has_moments(memory: Memory, when: datetime) -> None:
    memory.add([Observation(text="The pump is warm.", captured_at=when)])
    assert memory.moments("warm pump")[0].start == when


@pytest.mark.parametrize("window", [float("nan"), float("inf"), 1e15])
def test_a_window_that_is_no_time_is_refused(memory: Memory, window: float) -> None:
    memory.add([Observation(text="The pump is warm.", captured_at=NOW)])
    try:
        assert memory.moments("warm pump", window=window)
    except QueryError as error:
        assert "window" in str(error)  # noqa: PT017


def test_a_moment_may_be_as_long_as_a_life(memory: Memory) -> None:
    notes = [Observation(text=f"Year {n}", captured_at=NOW + timedelta(365 * n)) for n in range(3)]
    memory.add(notes)
    (moment,) = memory.moments("Year 1", window=2e9)
    assert len(moment.hits) + len(moment.companions) == 3


@pytest.mark.parametrize(
    "text", ["", " ", "\n\n", "\u200b", "🔥" * 3000, "word " * 20_000, "a" * 9999]
)
def test_any_text_is_kept(memory: Memory, text: str) -> None:
    report = memory.add([Observation(text=text, captured_at=NOW), Observation(text="The pump.")])
    assert (report.added, report.failed) == (2, ())
    assert memory.timeline(until=NOW + timedelta(1))[0].text == text
    assert memory.search("the pump")[0].text == "The pump."
    assert memory.verify().ok


def test_half_a_character_is_refused_or_kept(memory: Memory) -> None:
    try:
        memory.add([Observation(text="The pump \udcff is warm.", captured_at=NOW)])
    except (AgentctxError, ValueError):
        return
    assert len(memory.timeline()) == 1


def test_half_a_character_is_no_query_or_a_word(memory: Memory) -> None:
    memory.add([Observation(text="The pump is warm.", captured_at=NOW)])
    try:
        assert memory.search("warm pump \udcff")
    except QueryError:
        return


def test_a_naive_time_is_local(memory: Memory) -> None:
    naive = datetime(2026, 3, 14, 9)
    memory.add([Observation(text="The pump is warm.", captured_at=naive)])
    assert memory.timeline()[0].captured_at == naive.astimezone(UTC)
    assert memory.timeline(since=naive, until=naive + timedelta(seconds=1))
    assert memory.timeline(since=naive + timedelta(seconds=1)) == []
