"""Texts and times as every part of a memory can hold them."""

import re
from datetime import UTC, datetime, timedelta

from agentctx.errors import ConfigError

_DAYS = {"hour": 1 / 24, "day": 1.0, "week": 7.0, "month": 30.0, "year": 365.0}


def whole_characters(text: str) -> str:
    """The text with half characters (lone surrogates) replaced: UTF-8 cannot store them."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text


def shifted(when: datetime, seconds: float) -> datetime:
    """A time so many seconds later (or earlier), at most the last (or first) there is.

    >>> shifted(datetime.max.replace(tzinfo=UTC), 60.0).year
    9999
    """
    try:
        return when + timedelta(seconds=seconds)
    except OverflowError:
        end = datetime.max if seconds > 0 else datetime.min
        return end.replace(tzinfo=UTC)


def age(name: str, value: object) -> timedelta:
    """How long "12 hours" or "30 days" is; raises ConfigError by the option's name.

    >>> age("retention.speech", "2 weeks").days
    14
    """
    if isinstance(value, timedelta):
        return value
    match = re.fullmatch(r"(\d{1,5}) *(hour|day|week|month|year)s?", str(value).strip())
    if match is None:
        raise ConfigError(f"{name} is {value!r}; it must be an age such as '12 hours' or '30 days'")
    return timedelta(days=int(match[1]) * _DAYS[match[2]])
