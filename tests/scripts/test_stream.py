"""The recorded session is the same each time, and what is counted as read or lost is right."""

import pytest

from stream_parts.scenes import APPS, Desk
from stream_parts.truth import distance, found_in, lives, reads, untrue

HERE, BELOW = (20, 10, 200, 30), (20, 40, 200, 60)


def test_a_session_is_ten_minutes_and_the_same_for_a_seed() -> None:
    steps = list(Desk(6).steps())
    assert len(steps) == 600
    assert steps == list(Desk(6).steps())
    assert steps != list(Desk(7).steps())


def test_every_window_is_shown_and_seconds_for_half_of_the_time() -> None:
    calls = [call for step in Desk(6).steps() for call in step]
    assert {call[1] for call in calls if call[0] == "show"} == {name for name, _ in APPS}
    clocks = [call[1] for call in calls if call[0] == "clock"]
    assert clocks[:2] == ["09:00:00", "09:00:01"]
    assert clocks[300:302] == ["09:05", "09:05"]
    assert sum(not step[:-1] for step in Desk(6).steps()) > 20, "there are rests"


@pytest.mark.parametrize(
    ("text", "read", "far"),
    [("abc", "xxabcxx", 0), ("abc", "", 3), ("abc", "ab", 1), ("pump", "theplmp", 1), ("", "x", 0)],
)
def test_the_distance_is_to_the_nearest_part(text: str, read: str, far: int) -> None:
    assert distance(text, read) == far


def test_a_misread_letter_is_noise_and_a_misread_digit_is_not() -> None:
    assert reads("thepumpisready", "thepurnpisready") is True
    assert reads("orderstoday:1893", "orderstoday:1883") is False
    assert reads("orderstoday:1893", "alarm") is False


def test_lives_are_frames_in_a_row() -> None:
    truth = [[("a line", HERE)], [("a line", BELOW), ("—", HERE)], [], [("a line", HERE)]]
    assert sorted((text, list(frames)) for text, frames in lives(truth)) == [
        ("a line", [0, 1]),
        ("a line", [3]),
    ]


def test_a_line_is_found_where_it_stands_in_a_frame_of_its_life() -> None:
    truth = [[("Order 17", HERE)], [("Order 17", BELOW)]]
    life = ("Order 17", range(2))
    assert found_in(life, truth, {0: [], 1: [("order 17", BELOW)]})
    assert found_in(life, truth, {1: [("Order", (20, 40, 80, 60)), ("17", (90, 40, 120, 60))]})
    assert not found_in(life, truth, {0: [("Order 17", BELOW)], 1: []}), "it is elsewhere by then"
    assert not found_in(life, truth, {})


def test_what_is_read_but_gone_is_untrue() -> None:
    truth = [[("Order 17", HERE)], [("Order 18", HERE)]]
    read = {0: [("Order 17", HERE)], 1: [("Order 17", HERE)]}
    assert untrue(truth, read, read) == 1
    assert untrue(truth, read, [0]) == 0
