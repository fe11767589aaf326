"""What messages say: readings, their channels, times and units, or why there is none."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentctx.errors import SourceInvalid
from agentctx_mqtt.payload import Reading, readings

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)


def read(payload: Any, topic: str = "plant/pump") -> list[Reading]:
    """The readings in a payload, given as bytes or as what its JSON says."""
    data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return readings("mqtt://here", topic, data, NOON)


@pytest.mark.parametrize(
    ("payload", "value"),
    [(b"21.5", 21.5), (b" -3\n", -3.0), (b"1e-3", 0.001), (b"true", 1.0), (b"false", 0.0)],
)
def test_a_number_is_a_reading_of_its_topic(payload: bytes, value: float) -> None:
    assert read(payload) == [Reading(NOON, "plant/pump", value)]


def test_an_object_is_a_channel_for_each_number() -> None:
    found = read({"rpm": 1480, "state": "on", "running": True, "bearing": {"front": 60.5}})
    assert [(one.channel, one.value) for one in found] == [
        ("plant/pump/rpm", 1480.0),
        ("plant/pump/running", 1.0),
        ("plant/pump/bearing/front", 60.5),
    ]


def test_a_value_is_that_of_its_topic_and_has_its_unit() -> None:
    assert read({"value": 5.2, "unit": "bar"}) == [Reading(NOON, "plant/pump", 5.2, "bar")]
    (inner,) = read({"pressure": {"value": 5.2}, "unit": "bar"})
    assert (inner.channel, inner.unit) == ("plant/pump/pressure", "")


@pytest.mark.parametrize(
    ("time", "wanted"),
    [
        ("2026-03-14T09:12:05Z", datetime(2026, 3, 14, 9, 12, 5, tzinfo=UTC)),
        ("2026-03-14T10:12:05.25+01:00", datetime(2026, 3, 14, 9, 12, 5, 250_000, tzinfo=UTC)),
        (1773479525, datetime(2026, 3, 14, 9, 12, 5, tzinfo=UTC)),
        (1773479525.5, datetime(2026, 3, 14, 9, 12, 5, 500_000, tzinfo=UTC)),
        (1773479525250, datetime(2026, 3, 14, 9, 12, 5, 250_000, tzinfo=UTC)),
        (1773479525000001, datetime(2026, 3, 14, 9, 12, 5, 1, tzinfo=UTC)),
        (1773479525000001999, datetime(2026, 3, 14, 9, 12, 5, 1, tzinfo=UTC)),
        (None, NOON),
    ],
)
@pytest.mark.parametrize("key", ["timestamp", "time", "ts", "datetime"])
def test_times_are_those_of_the_message(key: str, time: Any, wanted: datetime) -> None:
    (found,) = read({"value": 1, key: time})
    assert found.time == wanted


def test_a_time_without_a_zone_is_local() -> None:
    (found,) = read({"value": 1, "ts": "2026-03-14T09:12:05"})
    assert found.time == datetime(2026, 3, 14, 9, 12, 5).astimezone()


@pytest.mark.parametrize(
    ("payload", "says"),
    [
        (b"hello", "neither a number nor JSON"),
        (b"", "neither a number nor JSON"),
        (b"\xff\x00", "neither a number nor JSON"),
        (b"[" * 100_000, "neither a number nor JSON"),
        ({"state": "on"}, "no number in it"),
        ("21.5", "no number in it"),
        ([1, 2], "no number in it"),
        (None, "no number in it"),
        (b"NaN", "no number in it"),
        (b'{"value": Infinity}', "no number in it"),
        ({"value": 10**400}, "no number in it"),
        ({"value": 1, "ts": "yesterday"}, "its time 'yesterday' is neither"),
        ({"value": 1, "ts": 12}, "its time 12 is neither"),
        ({"value": 1, "ts": {}}, "its time {} is neither"),
    ],
)
def test_what_is_no_reading_is_refused_by_name(payload: Any, says: str) -> None:
    with pytest.raises(SourceInvalid, match=says) as raised:
        read(payload)
    assert raised.value.source == "mqtt://here"
    assert "on plant/pump" in raised.value.reason
    assert len(raised.value.reason) < 400


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_stays_exact(value: float) -> None:
    assert read(value)[0].value == value
    assert read({"a": {"value": value}})[0].value == value


@given(st.datetimes(datetime(1974, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)))
def test_a_time_stays_exact(time: datetime) -> None:
    micros = (time - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    assert read({"value": 1, "ts": time.isoformat()})[0].time == time
    assert read({"value": 1, "ts": micros})[0].time == time
    assert read({"value": 1, "ts": micros * 1000})[0].time == time


@given(st.binary(max_size=40) | st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["value", "unit", "ts", "a"]), inner, max_size=3),
).map(lambda value: json.dumps(value).encode()))  # fmt: skip
def test_whatever_comes_is_read_or_refused(payload: bytes) -> None:
    try:
        found = readings("mqtt://here", "t", payload, NOON)
    except SourceInvalid:
        return
    assert found
    assert all(one.channel.startswith("t") for one in found)
