"""The chart for a terminal: one lane per kind, and no spike lost."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentctx import Observation
from agentctx.errors import QueryError
from agentctx.timeline import chart

START = datetime(2026, 3, 14, 9, tzinfo=UTC)
LABEL = 22


def at(seconds: float, modality: str, duration: float = 0.0, text: str = "") -> Observation:
    when = START + timedelta(seconds=seconds)
    return Observation(modality=modality, text=text, captured_at=when, duration=duration)


def window(
    minute: int, low: float, mean: float, high: float, channel: str = "vibration", unit: str = ""
) -> Observation:
    return Observation(
        modality="sensor",
        captured_at=START + timedelta(minutes=minute),
        duration=60.0,
        attributes={"channel": channel, "unit": unit, "min": low, "mean": mean, "max": high},
    )


def lanes(*observations: Observation, width: int = LABEL + 60) -> dict[str, str]:
    """The lanes by label; the axis under its date."""
    lines = chart(observations, width).plain.splitlines()
    return {line[:LABEL].rstrip(): line[LABEL:] for line in lines}


def test_a_lane_for_each_modality_and_channel() -> None:
    shown = lanes(
        window(0, 1, 2, 3, "vibration", "mm/s"),
        window(0, 5, 5, 5, "pressure", "bar"),
        window(1, 1, 2, 3, "vibration", "mm/s"),
        at(70, "speech", 5),
        at(10, "screenshot"),
        at(40, "text"),
        at(50, "thermal"),
    )
    assert list(shown) == [
        "text", "screenshot", "speech", "vibration [mm/s]", "pressure [bar]", "thermal",
        "2026-03-14",
    ]  # fmt: skip
    assert shown["2026-03-14"].split() == ["09:00:00", "09:02:00", "UTC"]


def test_marks_stand_at_their_time() -> None:
    """60 columns for two minutes: a column is two seconds."""
    shown = lanes(
        at(0, "screenshot"), at(60, "screenshot"), at(30, "speech", 20.0), at(120, "text")
    )
    assert [column for column, mark in enumerate(shown["screenshot"]) if mark == "▣"] == [0, 30]
    assert shown["speech"] == " " * 15 + "━" * 11
    assert shown["text"] == " " * 59 + "•"


def test_a_spike_is_seen() -> None:
    """One reading of an hour lifts no mean, but it is what one looks for."""
    quiet = [window(minute, 1.9, 2.0, 2.1) for minute in range(60)]
    quiet[30] = window(30, 1.9, 2.01, 13.4)
    curve = lanes(*quiet)["vibration"]
    assert len(curve) == 60
    assert curve[30] == "█"
    assert set(curve[:30] + curve[32:]) == {"▁"}


def test_a_spike_is_seen_where_columns_are_fewer_than_windows() -> None:
    quiet = [window(minute, 1.9, 2.0, 2.1) for minute in range(1440)]
    quiet[701] = window(701, 1.9, 2.01, 13.4)
    curve = lanes(*quiet)["vibration"]
    assert "█" in curve[29:31]
    assert set(curve) == {"▁", "█"}


def test_a_gap_stays_a_gap() -> None:
    curve = lanes(window(0, 1, 2, 3), window(9, 1, 2, 4))["vibration"]
    assert curve[0] != " "
    assert set(curve[8:50]) == {" "}


def test_a_channel_that_never_moves_is_low() -> None:
    assert set(lanes(window(0, 5, 5, 5), window(1, 5, 5, 5))["vibration"]) == {"▁"}


def test_events_of_a_channel_are_in_its_window() -> None:
    event = Observation(
        modality="sensor", captured_at=START, attributes={"channel": "vibration", "event": "spike"}
    )
    assert list(lanes(event, window(0, 1, 2, 3))) == ["vibration", "2026-03-14"]
    with pytest.raises(QueryError, match="nothing to draw"):
        chart([event])


def test_what_a_user_says_of_a_sensor_has_a_lane() -> None:
    said = Observation(
        modality="sensor", text="calibrated", captured_at=START, attributes={"mean": "none"}
    )
    assert lanes(said)["sensor"].startswith("■")


def test_a_moment_without_length() -> None:
    assert lanes(at(0, "screenshot"))["screenshot"] == "▣"


def test_nothing_to_draw() -> None:
    with pytest.raises(QueryError, match="nothing to draw"):
        chart([])


@given(
    st.lists(
        st.builds(
            at,
            st.floats(0, 1e8),
            st.sampled_from(["text", "speech", "screenshot", "other"]),
            st.floats(0, 1e6),
        ),
        min_size=1,
        max_size=20,
    ),
    st.integers(1, 200),
)
def test_it_never_leaves_its_width(observations: list[Observation], width: int) -> None:
    lines = chart(observations, width).plain.splitlines()
    assert len(lines) == len({one.modality for one in observations}) + 1
    widest = max(len(line) for line in lines[:-1])
    assert widest <= max(width, LABEL + 10)
    assert all(line[LABEL:].strip() for line in lines)
