"""Times asked at other times: ends of months and years, other zones, the nights clocks change."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from agentctx.planning import Clause, plan

NEW_YORK = ZoneInfo("America/New_York")
BERLIN = ZoneInfo("Europe/Berlin")


def asked(time: str, now: datetime) -> Clause:
    return plan(f"What was on the screen {time}?", now).clause


def local(time: str, now: datetime) -> str:
    """The span of a time, by the clock on the wall where it is asked."""
    found = asked(time, now)
    ends = [
        f"{when.astimezone(now.tzinfo):%Y-%m-%d %H:%M}" if when else ""
        for when in (found.since, found.until)
    ]
    return " .. ".join(ends).strip()


@pytest.mark.parametrize(
    ("now", "time", "expected"),
    [
        ("2024-03-01 10:00", "yesterday", "2024-02-29 00:00 .. 2024-03-01 00:00"),
        ("2026-01-01 10:00", "yesterday", "2025-12-31 00:00 .. 2026-01-01 00:00"),
        ("2026-01-01 10:00", "last month", "2025-12-01 00:00 .. 2026-01-01 00:00"),
        ("2026-01-01 10:00", "last quarter", "2025-10-01 00:00 .. 2026-01-01 00:00"),
        ("2026-01-15 10:00", "two months ago", "2025-11-01 00:00 .. 2025-12-01 00:00"),
        ("2026-01-15 10:00", "in December", "2025-12-01 00:00 .. 2026-01-01 00:00"),
        ("2026-01-15 10:00", "on 31 December", "2025-12-31 00:00 .. 2026-01-01 00:00"),
        ("2026-01-15 10:00", "on the 31st", "2025-12-31 00:00 .. 2026-01-01 00:00"),
        ("2026-12-31 23:59", "in December", "2026-12-01 00:00 .. 2027-01-01 00:00"),
        ("2026-03-16 09:00", "last week", "2026-03-09 00:00 .. 2026-03-16 00:00"),
        ("2026-03-16 09:00", "last Monday", "2026-03-09 00:00 .. 2026-03-10 00:00"),
        ("2026-03-16 09:00", "on Monday", "2026-03-16 00:00 .. 2026-03-17 00:00"),
        ("2026-03-15 09:00", "last weekend", "2026-03-07 00:00 .. 2026-03-09 00:00"),
        ("2026-03-15 09:00", "over the weekend", "2026-03-14 00:00 .. 2026-03-16 00:00"),
        (
            "2026-03-15 09:00",
            "on the weekend after 2 March",
            "2026-03-07 00:00 .. 2026-03-09 00:00",
        ),
        (
            "2026-03-15 09:00",
            "on the Sunday before 10 March",
            "2026-03-08 00:00 .. 2026-03-09 00:00",
        ),
        ("2026-03-15 09:00", "the week before 10 March", "2026-03-03 00:00 .. 2026-03-10 00:00"),
        ("2026-03-15 09:00", "the day after 10 March", "2026-03-11 00:00 .. 2026-03-12 00:00"),
        # A bare hour is the last one that was.
        ("2026-03-18 01:00", "at nine", "2026-03-17 08:55 .. 2026-03-17 09:05"),
        ("2026-03-18 10:00", "at nine", "2026-03-18 08:55 .. 2026-03-18 09:05"),
        ("2026-03-18 22:00", "at nine", "2026-03-18 20:55 .. 2026-03-18 21:05"),
        ("2026-03-18 22:00", "yesterday at nine", "2026-03-17 08:55 .. 2026-03-17 09:05"),
        ("2026-03-18 22:00", "yesterday at four", "2026-03-17 15:55 .. 2026-03-17 16:05"),
        ("2026-03-18 22:00", "yesterday evening at nine", "2026-03-17 20:55 .. 2026-03-17 21:05"),
        ("2026-03-18 10:00", "last night at eleven", "2026-03-17 22:55 .. 2026-03-17 23:05"),
        ("2026-03-18 10:00", "last night at two", "2026-03-18 01:55 .. 2026-03-18 02:05"),
        ("2026-03-18 10:00", "at midnight", "2026-03-17 23:55 .. 2026-03-18 00:05"),
        ("2026-03-18 10:00", "before midnight", "2026-03-17 00:00 .. 2026-03-18 00:00"),
        ("2026-03-18 10:00", "at 12 am", "2026-03-17 23:55 .. 2026-03-18 00:05"),
        ("2026-03-18 14:00", "at 12 pm", "2026-03-18 11:55 .. 2026-03-18 12:05"),
        ("2026-03-18 14:00", "at twelve", "2026-03-18 11:55 .. 2026-03-18 12:05"),
        ("2026-03-18 14:00", "from 22:00 to 6:00", "2026-03-17 22:00 .. 2026-03-18 06:00"),
        ("2026-03-18 14:00", "from ten to eleven", "2026-03-18 10:00 .. 2026-03-18 11:00"),
        ("2026-03-18 14:00", "at ten to eleven", "2026-03-18 10:50 .. 2026-03-18 10:51"),
        ("2026-03-18 14:00", "between 11 am and 1 pm", "2026-03-18 11:00 .. 2026-03-18 13:00"),
        ("2026-03-18 14:00", "around nine", "2026-03-18 08:45 .. 2026-03-18 09:15"),
        ("2026-03-18 14:00", "half an hour ago", "2026-03-18 13:24 .. 2026-03-18 13:36"),
        ("2026-03-18 14:00", "30 seconds ago", "2026-03-18 13:59 .. 2026-03-18 14:00"),
        ("2026-03-18 14:00", "just now", "2026-03-18 13:55 .. 2026-03-18 14:00"),
        ("2026-03-18 14:00", "since two hours ago", "2026-03-18 11:45 .."),
    ],
)
@pytest.mark.parametrize("zone", [BERLIN, NEW_YORK, UTC])
def test_a_time(zone: ZoneInfo, now: str, time: str, expected: str) -> None:
    assert local(time, datetime.fromisoformat(now).replace(tzinfo=zone)) == expected


@pytest.mark.parametrize(
    "time",
    ["tomorrow", "next week", "next Friday", "in 2030", "on 1 April 2027", "at 2027-01-01 10:00"],
)
def test_what_is_to_come_was_not_captured(time: str) -> None:
    found = asked(time, datetime(2026, 3, 18, 14, tzinfo=BERLIN))
    assert (found.since, found.until, found.told) == (None, None, None)
    assert found.words.endswith(time.rsplit(" ", 1)[-1])


@pytest.mark.parametrize(
    "time",
    ["on 31 April", "on 30 February 2026", "on 31.11.2026", "on 2026-13-01", "at 25:10", "at 9:75"],
)
def test_what_is_in_no_calendar_is_words(time: str) -> None:
    found = asked(time, datetime(2026, 3, 18, 14, tzinfo=BERLIN))
    assert (found.since, found.until) == (None, None)


def test_a_day_is_as_long_as_it_was_where_it_was() -> None:
    lengths = [
        asked("yesterday", datetime(2026, month, day, 12, tzinfo=zone))
        for zone, month, day in ((BERLIN, 3, 30), (BERLIN, 10, 26), (NEW_YORK, 3, 9), (UTC, 3, 30))
    ]
    hours = [(c.until - c.since) / timedelta(hours=1) for c in lengths if c.since and c.until]
    assert hours == [23, 25, 23, 24]


def test_a_time_that_a_night_skipped_still_is_a_span() -> None:
    found = asked("from 2:30 am to 3 am", datetime(2026, 3, 29, 12, tzinfo=BERLIN))
    assert found.since == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    assert found.until == datetime(2026, 3, 29, 2, 0, tzinfo=UTC)


def test_a_stamp_has_its_own_zone() -> None:
    now = datetime(2026, 3, 18, 14, tzinfo=NEW_YORK)
    found = asked("at 2026-03-18T09:12:05+01:00", now)
    assert found.since == datetime(2026, 3, 18, 8, 12, 5, tzinfo=UTC)
    assert found.until == found.since + timedelta(seconds=1)
    found = asked("since 2026-03-18 09:12", now)
    assert found.since == datetime(2026, 3, 18, 13, 12, tzinfo=UTC)
    assert found.until is None


def test_the_zone_of_the_question_counts() -> None:
    early = datetime(2026, 3, 18, 1, tzinfo=timezone(timedelta(hours=5, minutes=45)))
    assert asked("today", early).since == datetime(2026, 3, 17, 18, 15, tzinfo=UTC)
    assert asked("today", early.astimezone(UTC)).since == datetime(2026, 3, 17, tzinfo=UTC)
