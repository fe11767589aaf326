"""Times as loggers write them, each read back as the instant that was meant."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentctx.config import Config
from agentctx.contracts import Source
from agentctx.errors import SourceInvalid
from agentctx.memory.readings import Reading, readings
from agentctx.plugins.sensor import Sensor
from agentctx.services import SharedServices

NINE = datetime(2026, 3, 14, 9, 12, 5, tzinfo=UTC)
CAPTURED = datetime(2026, 3, 14, 12, tzinfo=UTC)
# strftime writes years before 1000 without leading zeros on some systems.
_MOMENTS = st.datetimes(datetime(1900, 1, 2), datetime(2199, 12, 30))


def times_of(writings: Sequence[str], header: str = "time", **options: Any) -> list[datetime]:
    """The times of a log with one reading per writing; the reading is its row's number."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "log.csv"
        rows = (f'"{writing}",{number}\n' for number, writing in enumerate(writings))
        path.write_text(f"{header},v\n{''.join(rows)}")
        sensor = Sensor(SharedServices(Config()), **({"timezone": "UTC"} | options))
        first = next(sensor.observe(Source(path, path.read_bytes()[:4096], captured_at=CAPTURED)))
        path.write_bytes(first.media[0].read())
        found = readings([path], "v")
    assert isinstance(found, list)
    return [row.time for row in sorted(found, key=lambda row: row.value)]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("writing", "instant"),
    [
        ("2026-03-14T09:12:05Z", "2026-03-14 09:12:05"),
        ("2026-03-14 09:12:05", "2026-03-14 09:12:05"),
        ("2026-03-14T09:12", "2026-03-14 09:12:00"),
        ("2026-03-14", "2026-03-14 00:00:00"),
        ("2026-03-14T09:12:05+01:00", "2026-03-14 08:12:05"),
        ("2026-03-14T09:12:05+0100", "2026-03-14 08:12:05"),
        ("2026-03-14T09:12:05-03", "2026-03-14 12:12:05"),
        ("2026-03-14T01:12:05+05:45", "2026-03-13 19:27:05"),
        ("2026-03-14T09:12:05.5Z", "2026-03-14 09:12:05.5"),
        ("2026-03-14 09:12:05.123456", "2026-03-14 09:12:05.123456"),
        ("2026-03-14 09:12:05.123456789", "2026-03-14 09:12:05.123456"),
        ("2026-03-14 09:12:05,123", "2026-03-14 09:12:05.123"),
        ("2026-03-14 09:12:05,123456", "2026-03-14 09:12:05.123456"),
        ("2026-03-14, 09:12:05", "2026-03-14 09:12:05"),
        ("2026-3-4 9:12:05", "2026-03-04 09:12:05"),
        ("2026/3/4 9:12", "2026-03-04 09:12:00"),
        ("2026.03.14 09:12", "2026-03-14 09:12:00"),
        ("14.3.2026 9:12:05", "2026-03-14 09:12:05"),
        ("04.03.2026 09:12", "2026-03-04 09:12:00"),
        ("14-03-2026 09:12", "2026-03-14 09:12:00"),
        ("14/3/2026 09:12:05.250", "2026-03-14 09:12:05.250"),
        ("3/14/2026 9:12", "2026-03-14 09:12:00"),
        ("3/14/2026 9:12:05 pm", "2026-03-14 21:12:05"),
        ("2026-03-14 12:00:00 AM", "2026-03-14 00:00:00"),
        ("2026-03-14 12:30:00 PM", "2026-03-14 12:30:00"),
        ("2026-03-14 09:12:05 UTC", "2026-03-14 09:12:05"),
        ("2026-03-14 09:12:05 GMT", "2026-03-14 09:12:05"),
        ("1969-12-31 23:59:59.5", "1969-12-31 23:59:59.5"),
        ("0001-01-03 00:00:00", "0001-01-03 00:00:00"),
        ("9999-12-29 23:59:59", "9999-12-29 23:59:59"),
        ("9:12:05", "2026-03-14 09:12:05"),
        ("9:12:05.25 PM", "2026-03-14 21:12:05.25"),
        ("12:00 AM", "2026-03-14 00:00:00"),
    ],
)
def test_one_instant_in_many_writings(writing: str, instant: str) -> None:
    assert times_of([writing]) == [at(instant)]


@pytest.mark.parametrize(
    "form", ["%Y-%m-%dT%H:%M:%S.%fZ", "%Y-%m-%d %H:%M:%S,%f", "%d.%m.%Y %H:%M:%S.%f",
             "%Y/%m/%d %H:%M:%S.%f", "%Y-%m-%d %I:%M:%S.%f %p", "%Y-%m-%d %H:%M:%S.%f UTC"]
)  # fmt: skip
@settings(max_examples=15, deadline=None)
@given(st.lists(_MOMENTS, min_size=2, max_size=9, unique=True))
def test_any_time_is_read_back_to_the_microsecond(form: str, moments: list[datetime]) -> None:
    found = times_of([moment.strftime(form) for moment in moments])
    assert found == [moment.replace(tzinfo=UTC) for moment in moments]


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.integers(0, 10**9), min_size=2, max_size=8, unique=True),
    st.lists(st.integers(-14 * 4, 14 * 4), min_size=8, max_size=8),
)
def test_every_row_may_have_its_own_offset(seconds: list[int], quarters: list[int]) -> None:
    instants = [NINE + timedelta(seconds=second) for second in seconds]
    zones = [timezone(timedelta(minutes=15 * quarter)) for quarter in quarters]
    local = [when.astimezone(zone) for when, zone in zip(instants, zones, strict=False)]
    assert times_of([when.isoformat() for when in local], timezone="Asia/Tokyo") == instants


def test_the_day_and_month_are_told_by_any_row() -> None:
    unclear = [f"{n:02d}/03/2026 10:00" for n in range(1, 12)]
    day_first = times_of([*unclear, "13/03/2026 10:00"])
    assert day_first == [at(f"2026-03-{n:02d} 10:00") for n in (*range(1, 12), 13)]
    month_first = times_of([*unclear, "12/31/2026 10:00"])
    assert month_first == [at(f"2026-{n:02d}-03 10:00") for n in range(1, 12)] + [
        at("2026-12-31 10:00")
    ]


@pytest.mark.parametrize(
    ("writings", "says"),
    [
        (["03/04/2026 10:00", "05/06/2026 10:00"], "cannot be told apart"),
        (["13/14/2026 10:00", "15/03/2026 10:00"], "such as '13/14/2026 10:00'"),
        (["14/03/2026 10:00", "03/15/2026 10:00"], "such as '14/03/2026 10:00'"),
        (["2026-02-30 10:00", "2026-03-01 10:00"], "such as '2026-02-30 10:00'"),
        (["2026-03-14 25:00:00"], "such as '2026-03-14 25:00:00'"),
        (["2026-03-14T09:12:05Z", "2026-03-14T09:12:06"], "write them as ISO 8601"),
        (["Sat Mar 14 09:12:05 2026"], "write them as ISO 8601"),
        (["0001-01-01 00:00:00"], "outside of the years 1 to 9999"),
        (["", "n/a"], "no time in any row"),
        (["1e19"], "outside of the years 1 to 9999"),
    ],
)
def test_times_that_could_mean_two_things_or_none_are_refused(
    writings: list[str], says: str
) -> None:
    with pytest.raises(SourceInvalid, match=says):
        times_of(writings)


# -- zones ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "local", "instant"),
    [
        ("Europe/Berlin", "2026-03-29 01:59:59", "2026-03-29 00:59:59"),
        ("Europe/Berlin", "2026-03-29 03:00:00", "2026-03-29 01:00:00"),
        ("Europe/Berlin", "2026-10-25 01:59:59", "2026-10-24 23:59:59"),
        ("Europe/Berlin", "2026-10-25 02:30:00", "2026-10-25 00:30:00"),  # the first of the two
        ("Europe/Berlin", "2026-10-25 03:00:00", "2026-10-25 02:00:00"),
        ("America/New_York", "2026-03-08 01:59:59", "2026-03-08 06:59:59"),
        ("America/New_York", "2026-03-08 03:00:00", "2026-03-08 07:00:00"),
        ("America/New_York", "2026-11-01 01:30:00", "2026-11-01 05:30:00"),
        ("Australia/Lord_Howe", "2026-04-05 01:29:59", "2026-04-04 14:29:59"),
        ("Australia/Lord_Howe", "2026-04-05 02:00:00", "2026-04-04 15:30:00"),
        ("Asia/Kathmandu", "2026-03-14 09:12:05", "2026-03-14 03:27:05"),
        ("UTC", "2026-03-29 02:30:00", "2026-03-29 02:30:00"),
    ],
)
def test_local_times_at_the_change_of_the_clock(zone: str, local: str, instant: str) -> None:
    assert times_of([local, local + ".5"], timezone=zone) == [
        at(instant), at(instant) + timedelta(seconds=0.5)
    ]  # fmt: skip


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from(["Europe/Berlin", "America/St_Johns", "Pacific/Apia", "Asia/Tehran"]),
    st.lists(
        st.datetimes(datetime(1975, 1, 1), datetime(2036, 1, 1)).map(
            # Of an hour that the clock shows twice, the first is meant.
            lambda when: when.replace(microsecond=0, fold=0)
        ),
        min_size=1, max_size=9, unique=True,
    ),
)  # fmt: skip
def test_local_times_are_those_of_the_zone(zone: str, local: list[datetime]) -> None:
    expected = [when.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) for when in local]
    if len(set(expected)) == len(expected):
        assert times_of([f"{when:%Y-%m-%d %H:%M:%S}" for when in local], timezone=zone) == expected


def test_an_offset_in_the_file_goes_before_the_zone() -> None:
    for writing in ("2026-03-14T09:12:05Z", "2026-03-14 09:12:05 UTC", "2026-03-14T10:12:05+01"):
        assert times_of([writing], timezone="America/New_York") == [NINE]


def test_a_night_of_times_of_the_day_and_its_date() -> None:
    night = ["22:30:00", "23:59:59", "00:00:00", "05:00:00", "21:00:00", "03:00:00"]
    assert times_of(night, timezone="UTC") == [
        at("2026-03-14 22:30:00"), at("2026-03-14 23:59:59"), at("2026-03-15 00:00:00"),
        at("2026-03-15 05:00:00"), at("2026-03-15 21:00:00"), at("2026-03-16 03:00:00"),
    ]  # fmt: skip
    # The capture, 12:00 UTC, is on the 15th in Auckland (+13).
    assert times_of(["01:00:00"], timezone="Pacific/Auckland") == [at("2026-03-14 12:00:00")]


# -- numbers ----------------------------------------------------------------------------------


def since_epoch(seconds: float) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("number", "instant"),
    [
        ("100000000", since_epoch(1e8)),
        ("9999999999", since_epoch(9999999999)),
        ("100000000000", since_epoch(1e8)),
        ("9999999999999", since_epoch(9999999999) + timedelta(milliseconds=999)),
        ("100000000000000", since_epoch(1e8)),
        ("1773479525123456", NINE + timedelta(microseconds=123_456)),
        ("100000000000000000", since_epoch(1e8)),
        ("1773479525123456789", NINE + timedelta(microseconds=123_456)),
        ("1773479525.123456", NINE + timedelta(microseconds=123_456)),
        ("1.773479525e9", NINE),
        ("99999999", CAPTURED + timedelta(seconds=99_999_999)),  # too small to be since 1970
        ("0.25", CAPTURED + timedelta(seconds=0.25)),
        ("-5", CAPTURED - timedelta(seconds=5)),
    ],
)
def test_numbers_are_seconds_to_nanoseconds_by_their_size(number: str, instant: datetime) -> None:
    assert times_of([number]) == [instant]


@pytest.mark.parametrize(
    ("header", "number", "instant"),
    [
        ("time_s", "1773479525123", NINE + timedelta(milliseconds=123)),
        ("time (ms)", "1773479525123", NINE + timedelta(milliseconds=123)),
        ("ts [us]", "1773479525123456", NINE + timedelta(microseconds=123_456)),
        ("time_ms", "1773479520", CAPTURED + timedelta(milliseconds=1_773_479_520)),
        ("elapsed [min]", "1.5", CAPTURED + timedelta(seconds=90)),
        ("t_h", "2", CAPTURED + timedelta(hours=2)),
        ("time_us", "2500", CAPTURED + timedelta(microseconds=2500)),
    ],
)
def test_the_unit_in_the_header_goes_before_the_size(
    header: str, number: str, instant: datetime
) -> None:
    assert times_of([number], header) == [instant]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(10**14, 7 * 10**15), min_size=1, max_size=9, unique=True))
def test_every_scale_gives_the_same_instants(micros: list[int]) -> None:
    expected = [datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=m) for m in micros]
    assert times_of([str(m) for m in micros]) == expected
    assert times_of([f"{m}789" for m in micros]) == expected
    seconds = [m // 10**6 for m in micros]
    if len(set(seconds)) == len(seconds):
        whole = [when.replace(microsecond=0) for when in expected]
        assert times_of([str(second) for second in seconds]) == whole


# -- rows without a time ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("write", "missing"),
    [
        (lambda second: f"2026-03-14 09:12:0{second}", ""),
        (lambda second: f"2026-03-14T09:12:0{second}Z", "n/a"),
        (lambda second: f"14.3.2026 09:12:0{second}", "-"),
        (lambda second: str(1773479520 + second), "NaN"),
        (lambda second: f"09:12:0{second} AM", "null"),
    ],
)
@pytest.mark.parametrize("place", [0, 2, 4])
def test_a_row_without_a_time_is_left_out_wherever_it_is(
    write: Callable[[int], str], missing: str, place: int
) -> None:
    writings = [write(second) for second in range(5)]
    writings[place] = missing
    expected = [NINE.replace(second=second) for second in range(5) if second != place]
    assert times_of(writings) == expected


def test_rows_out_of_order_are_put_in_order(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("time,v\n1773479527,3\n1773479525,1\n,9\n1773479526,2\n,9\n")
    first = next(Sensor(SharedServices(Config())).observe(Source(path)))
    path.write_bytes(first.media[0].read())
    assert readings([path], "v") == [
        Reading(NINE + timedelta(seconds=number), number + 1.0) for number in range(3)
    ]
