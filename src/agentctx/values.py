"""Texts and times as every part of a memory can hold them."""

from datetime import UTC, datetime, timedelta


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
