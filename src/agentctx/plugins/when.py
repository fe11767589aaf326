"""When a file was captured, told by its name or by the file system."""

import re
from datetime import UTC, datetime
from pathlib import Path

# Screenshot and recorder programs put the time into the name: 2026-03-14T091205Z_x.png,
# Screenshot 2026-03-14 at 09.12.05.png, IMG_20260314_091205.jpg, 2026-03-14_09-12-05-123456.jpg
_STAMP = re.compile(
    r"(?<!\d)(?P<year>(?:19|20)\d\d)[-_.]?(?P<month>[01]\d)[-_.]?(?P<day>[0-3]\d)"
    r"(?:[T _-]|\s?at\s)+(?P<hour>[0-2]\d)[-_.:h]?(?P<minute>[0-5]\d)[-_.:m]?(?P<second>[0-5]\d)"
    r"(?:[-_.,](?P<fraction>\d{6}|\d{3})(?!\d))?(?P<zulu>Z)?"
)


def time_in_name(name: str) -> datetime | None:
    """The time that a file name carries, aware; local time unless it ends in Z.

    >>> time_in_name("2026-03-14T091205Z_dashboard.png").isoformat()
    '2026-03-14T09:12:05+00:00'
    """
    for match in _STAMP.finditer(name):
        part = match.groupdict()
        microsecond = int((part["fraction"] or "0").ljust(6, "0"))
        numbers = [int(part[unit]) for unit in ("year", "month", "day", "hour", "minute", "second")]
        try:
            when = datetime(*numbers, microsecond)  # type: ignore[arg-type, call-arg]
        except ValueError:  # digits that only look like a date, such as a 14th month
            continue
        return when.replace(tzinfo=UTC) if part["zulu"] else when.astimezone()
    return None


def time_of(path: Path) -> datetime:
    """When a file was captured: the time in its name, else its modification time."""
    return time_in_name(path.name) or datetime.fromtimestamp(path.stat().st_mtime, tz=UTC)
