"""Times in words: as people say them, and what they mean when they do."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentctx.evaluate.days import wording
from agentctx.evaluate.days.chance import seeded

TUESDAY = date(2026, 3, 17)
times = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 30)).map(
    lambda naive: naive.replace(tzinfo=UTC)
)


def every(way: object, *arguments: object) -> set[tuple[str, datetime]]:
    return {way(*arguments, seeded(str(n))) for n in range(200)}  # type: ignore[operator]


@given(times)
def test_rounding_stays_within_five_minutes(at: datetime) -> None:
    low, high, near = wording.rounded(at), wording.rounded(at, up=True), wording.nearest(at)
    assert low <= at <= high
    assert high - low in (timedelta(0), wording.ROUNDED)
    assert near in (low, high)
    assert abs(near - at) <= wording.ROUNDED / 2
    assert low.minute % 5 == high.minute % 5 == 0


@pytest.mark.parametrize(
    ("hour", "minute", "expected"),
    [
        (9, 5, {"9:05", "9.05", "9:05 am"}),
        (14, 30, {"14:30", "14.30", "2:30 pm", "half past two in the afternoon"}),
        (12, 0, {"12:00", "12.00", "12:00 pm", "twelve o'clock in the afternoon"}),
        (11, 45, {"11:45", "11.45", "11:45 am", "a quarter to twelve in the morning"}),
        (10, 15, {"10:15", "10.15", "10:15 am", "a quarter past ten in the morning"}),
    ],
)
def test_a_clock_time_in_words(hour: int, minute: int, expected: set[str]) -> None:
    at = datetime(2026, 3, 17, hour, minute, tzinfo=UTC)
    assert {wording.clock_words(at, seeded(str(n))) for n in range(100)} == expected


def test_today_is_said_after_work() -> None:
    for said, now in every(wording.same_day, TUESDAY):
        assert said == "today"
        assert now.date() == TUESDAY
        assert now.hour == 17


def test_yesterday_is_said_on_the_day_after() -> None:
    for said, now in every(wording.next_day, TUESDAY):
        assert said == "yesterday"
        assert now.date() == TUESDAY + timedelta(days=1)


def test_a_weekday_is_the_last_one_of_its_name() -> None:
    found = every(wording.within_a_week, TUESDAY)
    assert {said for said, _ in found} == {"on Tuesday"}
    assert {(now.date() - TUESDAY).days for _, now in found} == {2, 3, 4, 5}


def test_a_date_is_written_in_several_ways() -> None:
    found = every(wording.much_later, TUESDAY)
    assert {said for said, _ in found} == {
        "on 17 March", "on March 17", "on the 17th of March", "on 2026-03-17",
    }  # fmt: skip
    assert all(now.date() > TUESDAY for _, now in found)


@pytest.mark.parametrize(
    ("day", "ending"),
    [(1, "st"), (2, "nd"), (3, "rd"), (4, "th"), (11, "th"), (12, "th"), (13, "th"), (22, "nd")],
)
def test_a_date_ends_as_it_is_spoken(day: int, ending: str) -> None:
    found = every(wording.much_later, date(2026, 3, day))
    assert f"on the {day}{ending} of March" in {said for said, _ in found}


@pytest.mark.parametrize(("hour", "half"), [(8, "morning"), (11, "morning"), (12, "afternoon")])
def test_a_part_of_a_day(hour: int, half: str) -> None:
    at = datetime(2026, 3, 17, hour, 30, tzinfo=UTC)
    found = every(wording.part_of_day, at)
    assert {said for said, _ in found} == {
        f"this {half}", f"yesterday {half}", f"on Tuesday {half}",
    }  # fmt: skip
    for said, now in found:
        assert (now.date() == TUESDAY) == said.startswith("this")
        assert now > at
