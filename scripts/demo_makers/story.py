"""The story of the samples: what happens at which second, and what every maker shares."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

START = datetime(2026, 3, 14, 9, tzinfo=UTC)  # time zero of every offset below
BEFORE, LENGTH = 1800, 1800  # s simulated before time zero, for the trends; s logged after it


class SampleError(Exception):
    """A sample could not be made; the message says what is missing and what to do."""


def at(clock: str) -> int:
    """The offset in seconds of a clock time "HH:MM:SS" of the day of the story."""
    moment = datetime.combine(START.date(), datetime.strptime(clock, "%H:%M:%S").time(), UTC)
    return round((moment - START).total_seconds())


DRIFT = at("09:04:00")  # the bearing begins to warm
STEP = at("09:12:00")  # the vibration passes the alarm limit and stays there
ALARM = at("09:12:03")  # ... for three seconds, which raises the alarm
PEAK, PEAK_VIBRATION = at("09:12:21"), 13.4  # s, mm/s
STOP_A = at("09:15:30")
GAP = (at("09:18:41"), at("09:19:08"))  # no rows: the gateway was away; the end is excluded
LIMIT = 7.1  # mm/s
CHANNELS = {  # column of the log, its decimals and its NaN rows (first, last)
    "vibration [mm/s]": (2, ("09:21:10", "09:21:11")),
    "bearing temperature [°C]": (2, ("09:06:33", "09:06:35")),
    "discharge pressure [bar]": (3, None),
    "motor current [A]": (2, None),
}
VIBRATION, TEMPERATURE, PRESSURE, CURRENT = CHANNELS

CLIPS = {  # clock time of the first sample -> name, sentences; Alpha and Bravo as on a radio
    "09:12:08": ("operator-radio-leak", (
        "Control room, I am standing next to pump Alpha.",
        "It is shaking badly, and the seal is leaking.",
        "There is water on the floor.",
        "Stand by, I am taking a closer look.")),
    "09:14:55": ("operator-radio-decision", (
        "Control room, I have decided to stop pump Alpha.",
        "It stays locked out until Monday, when the mechanic can replace the seal.",
        "I am switching over to pump Bravo now.")),
    "09:23:40": ("operator-radio-handover", (
        "Pump Bravo is running quietly, and the pressure is back to normal.",
        "Please ask the night shift to check the floor drain every two hours.")),
}  # fmt: skip
LEAK = "09:12:08"  # the clip in which the seal is said to leak
DECISION = "09:14:55"
ALARM_SCREEN = "09:12:12"

SCREENS = {  # clock time -> name, template
    "09:02:10": ("dashboard-normal", "dashboard.html"),
    "09:05:40": ("team-chat", "chat.html"),
    "09:08:45": ("trend-pump-a", "trend.html"),
    "09:12:12": ("dashboard-alarm", "dashboard.html"),
    "09:14:05": ("runbook-vibration", "runbook.html"),
    "09:22:30": ("dashboard-recovered", "dashboard.html"),
    "09:26:15": ("work-order", "work_order.html"),
}


def stamp(clock: str, name: str) -> str:
    """A file's stem: its UTC time and its name."""
    return f"{START:%Y-%m-%d}T{clock.replace(':', '')}Z_{name}"


def iso(offset: float) -> str:
    """An offset as ISO 8601 in UTC, with milliseconds only when it has them."""
    moment = START + timedelta(seconds=round(offset, 3))
    spec = "milliseconds" if moment.microsecond else "seconds"
    return moment.isoformat(timespec=spec).replace("+00:00", "Z")
