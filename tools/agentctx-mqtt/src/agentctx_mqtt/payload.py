"""What a message says: readings of channels, each with its time."""

import json
import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from agentctx.errors import SourceInvalid

# Where an object says when it was measured, and in which unit.
TIME_KEYS = ("timestamp", "time", "ts", "datetime")
UNIT_KEYS = ("unit", "units", "unit_of_measurement")
# What is measured where the topic says it already: its name adds nothing to the channel's.
_VALUE = "value"
# Seconds, milli-, micro- and nanoseconds since 1970: from 1973 to 2286 they do not overlap.
_EPOCHS = ((1e8, 1e10, 1), (1e11, 1e13, 10**3), (1e14, 1e16, 10**6), (1e17, 9.3e18, 10**9))
_DEEPEST = 8
_QUOTED = 80


class Reading(NamedTuple):
    """One value of a channel; ``time`` is UTC."""

    time: datetime
    channel: str
    value: float
    unit: str = ""


def readings(name: str, topic: str, payload: bytes, arrived: datetime) -> list[Reading]:
    """The readings in a message: a number, or a JSON object of numbers, perhaps nested.

    The channel is the topic, followed by the keys; truth values are 1 and 0, and texts are left
    out. The time is that under one of `TIME_KEYS` (ISO 8601, local without a zone; or a number
    since 1970), else ``arrived``. Raises SourceInvalid, which names the source ``name``.

    >>> noon = datetime(2026, 3, 14, 12, tzinfo=UTC)
    >>> [one.value for one in readings("mqtt", "plant/pressure", b"5.25", noon)]
    [5.25]
    >>> readings("mqtt", "pump", b'{"rpm": 1480, "ts": 1773480000}', noon)[0].channel
    'pump/rpm'
    """
    try:
        value = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise _refused(name, topic, payload, "it is neither a number nor JSON") from error
    if not isinstance(value, dict):
        value = {_VALUE: value}
    time = _time(name, topic, payload, value) or arrived
    unit = next((str(value[key]) for key in UNIT_KEYS if isinstance(value.get(key), str)), "")
    told = {key: one for key, one in value.items() if key not in TIME_KEYS}
    found = [
        Reading(time, "/".join(channel), number, unit if channel == (topic,) else "")
        for channel, number in _numbers((topic,), told)
    ]
    if not found:
        raise _refused(name, topic, payload, "there is no number in it")
    return found


def _numbers(
    channel: tuple[str, ...], value: Mapping[str, object]
) -> Iterator[tuple[tuple[str, ...], float]]:
    for key, one in value.items():
        inner = channel if key == _VALUE else (*channel, key)
        if isinstance(one, dict) and len(inner) < _DEEPEST:
            yield from _numbers(inner, one)
        elif isinstance(one, int | float) and (number := _finite(one)) is not None:
            yield inner, number


def _finite(value: float) -> float | None:
    try:
        number = float(value)
    except OverflowError:  # an integer beyond all doubles
        return None
    return number if math.isfinite(number) else None


def _time(name: str, topic: str, payload: bytes, value: Mapping[str, object]) -> datetime | None:
    told = next((value[key] for key in TIME_KEYS if value.get(key) is not None), None)
    if told is None:
        return None
    try:
        if isinstance(told, str):
            return datetime.fromisoformat(told).astimezone(UTC)
        if isinstance(told, int | float):
            for low, high, unit in _EPOCHS:
                if low <= told < high:
                    return _since_1970(told, unit)
    except (ValueError, OverflowError):
        pass
    reason = f"its time {told!r} is neither ISO 8601 nor a number since 1970"
    raise _refused(name, topic, payload, reason)


def _since_1970(told: float, unit: int) -> datetime:
    # In integers where it is one: a double has no room for microseconds and more.
    micros = told * 10**6 // unit if isinstance(told, int) else round(told * (10**6 / unit))
    return datetime.fromtimestamp(micros // 10**6, UTC).replace(microsecond=int(micros % 10**6))


def _refused(name: str, topic: str, payload: bytes, reason: str) -> SourceInvalid:
    quoted = payload[:_QUOTED].decode("utf-8", "replace")
    return SourceInvalid(
        name,
        f"the message {quoted!r} on {topic}: {reason}; send a number, a JSON object with numbers, "
        "or watch other topics",
    )
