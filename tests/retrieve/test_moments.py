"""Moments: what belongs together in time."""

from datetime import UTC, datetime, timedelta

import pytest

from agentctx import Memory, Observation
from agentctx.errors import QueryError

NINE = datetime(2026, 3, 14, 9, tzinfo=UTC)


def at(seconds: float, modality: str, text: str, session: str = "plant") -> Observation:
    return Observation(
        modality=modality,
        text=text,
        captured_at=NINE + timedelta(seconds=seconds),
        duration=5.0 if modality == "speech" else 0.0,
        session=session,
        source=f"{modality}-{seconds}",
    )


def test_a_moment_brings_what_else_was_there(memory: Memory) -> None:
    memory.add(
        [
            at(0, "speech", "The seal is leaking."),
            at(4, "screenshot", "ALARM V-417"),
            at(33, "sensor", "Temperature steady."),
            at(300, "screenshot", "Lunch menu"),
            at(4, "screenshot", "Holiday photos", session="home"),
        ]
    )
    (moment, *_) = memory.moments("leaking seal", window=30.0, limit=1)
    assert moment.hits[0].text == "The seal is leaking."
    together = {o.text for o in moment.companions} | {hit.text for hit in moment.hits}
    # 33 s is 28 s after the end of the speech; 300 s is not; "home" is another session.
    assert together == {"The seal is leaking.", "ALARM V-417", "Temperature steady."}
    assert moment.modalities == ("screenshot", "sensor", "speech")


def test_hits_close_in_time_are_one_moment(memory: Memory) -> None:
    memory.add(
        [
            at(0, "speech", "The seal is leaking."),
            at(20, "speech", "The seal leaks a lot."),
            at(3600, "speech", "The seal is leaking again."),
        ]
    )
    found = memory.moments("leaking seal", window=30.0)
    assert sorted(len(moment.hits) for moment in found) == [1, 2]
    (double,) = (moment for moment in found if len(moment.hits) == 2)
    assert (double.start, double.end) == (NINE, NINE + timedelta(seconds=25))
    assert double.score == max(hit.score for hit in double.hits)


def test_moments_come_best_first_and_limited(memory: Memory) -> None:
    memory.add([at(n * 600, "text", f"The pump number {n} is loud.") for n in range(9)])
    found = memory.moments("loud pump", limit=4)
    assert len(found) == 4
    assert [m.score for m in found] == sorted((m.score for m in found), reverse=True)


def test_a_negative_window_is_refused(memory: Memory) -> None:
    with pytest.raises(QueryError, match="window"):
        memory.moments("pump", window=-1.0)
