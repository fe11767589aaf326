"""Windows and events in plain words, with times and units, so that a search for words finds them.

Times are UTC. What a channel usually does is told by its own log: the middle 80 % of its readings.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import time

import numpy as np

from agentctx.plugins.sensor.clock import SECOND, to_datetime
from agentctx.plugins.sensor.events import Event, Limits
from agentctx.plugins.sensor.precision import (
    decimals_of,
    decimals_of_spread,
    number,
    sample,
    significant,
)
from agentctx.plugins.sensor.series import Series
from agentctx.plugins.sensor.windows import DAY, HOUR, MINUTE, Window

_LEAST_WINDOWS = 5  # with fewer, nothing is usual
_STRAIGHT = 0.5  # of the variance that the line must explain to be called rising or falling
_MINUTE = round(MINUTE * SECOND)
_NAMED = 4  # events told in one window
_SHORT = {
    "temp": "temperature", "hum": "humidity", "press": "pressure", "pres": "pressure",
    "vib": "vibration", "accel": "acceleration", "acc": "acceleration", "volt": "voltage",
    "curr": "current", "freq": "frequency", "pwr": "power", "alt": "altitude", "vel": "velocity",
    "rh": "relative humidity", "lvl": "level", "pos": "position", "batt": "battery",
}  # fmt: skip


# A mean that the decimals of the readings would put off by more than this share of it has more.
_MEAN_OFF = 0.005


@dataclass(frozen=True, slots=True)
class Voice:
    """How one channel is spoken of.

    ``decimals`` are those of a reading, ``finer`` those of a mean that lies between two of them;
    ``usual``: the range that holds the middle 80 % of its readings, None where that cannot be
    told; ``fine``: whether times need milliseconds.
    """

    title: str
    unit: str
    decimals: int
    finer: int
    usual: tuple[float, float] | None
    restless: float
    fine: bool
    limits: Limits

    def value(self, value: float) -> str:
        """A value with its unit."""
        return self.with_unit(self.bare(value))

    def mean(self, value: float) -> str:
        """A mean with its unit: that of whole numbers has a decimal."""
        text = number(value, max(1, self.decimals))
        if abs(float(text) - value) > _MEAN_OFF * abs(value):
            text = number(value, max(1, self.finer))
        return self.with_unit(text)

    def with_unit(self, text: str) -> str:
        """A number as it is written, with the unit."""
        return f"{text}{'' if self.unit in ('', '%', '°') else ' '}{self.unit}"

    def bare(self, value: float) -> str:
        """A value without its unit."""
        return number(value, self.decimals)

    def clock(self, micros: int) -> str:
        """The time of the day: ``09:12:41``."""
        when = to_datetime(micros)
        return (
            f"{when:%H:%M:%S}.{when.microsecond // 1000:03d}" if self.fine else f"{when:%H:%M:%S}"
        )


def voice_of(series: Series, windows: Sequence[Window], limits: Limits) -> Voice:
    """The voice of a channel, from all of its readings."""
    some = sample(series.values)
    usual = None
    if len(windows) >= _LEAST_WINDOWS:
        low, high = np.quantile(some, (0.1, 0.9)).tolist()
        usual = (low, high)
    interval = float(np.median(np.diff(series.times[:10_000]))) if series.times.size > 1 else SECOND
    return Voice(
        title=title(series.channel),
        unit=series.unit,
        decimals=decimals_of(series.values),
        finer=decimals_of_spread(series.values),
        usual=usual,
        restless=float(np.median([window.std for window in windows])),
        fine=interval < SECOND / 2,
        limits=limits,
    )


def title(channel: str) -> str:
    """A channel's name in words: ``bearing_temp`` is *Bearing temperature (bearing_temp)*."""
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", channel)
    words = " ".join(re.split(r"[\s_]+", parted)).strip()
    full = " ".join(_SHORT.get(word.lower(), word) for word in words.split())
    full = full[:1].upper() + full[1:]
    return full if full.lower() == words.lower() else f"{full} ({channel})"


def span(start: int, end: int) -> str:
    """A stretch of time in words, as short as it is clear."""
    first, last = to_datetime(start), to_datetime(end)
    whole = start % _MINUTE == 0 and end % _MINUTE == 0
    form = "%H:%M" if whole else "%H:%M:%S"
    if first.date() == last.date():
        return f"from {first:{form}} to {last:{form}} UTC on {first:%Y-%m-%d}"
    midnight = last.time() == time()
    if midnight and end - start == DAY * SECOND:
        return f"on {first:%Y-%m-%d} (UTC, all day)"
    if midnight and end - start < DAY * SECOND:
        return f"from {first:{form}} to 24:00 UTC on {first:%Y-%m-%d}"
    return f"from {first:%Y-%m-%d} {first:{form}} to {last:%Y-%m-%d} {last:{form}} UTC"


def lasting(seconds: float) -> str:
    """A duration in words: ``4 min 10 s``."""
    if seconds < MINUTE:
        return f"{significant(seconds, 3) if seconds < 10 else round(seconds)} s"
    whole = round(seconds)
    parts = ((int(DAY), "d"), (int(HOUR), "h"), (int(MINUTE), "min"), (1, "s"))
    said = []
    for size, unit in parts:
        amount, whole = divmod(whole, size)
        if amount:
            said.append(f"{amount} {unit}")
    return " ".join(said[:2])


def of_window(window: Window, events: Sequence[Event], voice: Voice) -> str:
    """What a window says, one to a few sentences."""
    end = window.start + round(window.length * SECOND)
    head = f"{voice.title} {span(window.start, end)}: "
    if window.min == window.max:
        several = f" in all {window.count:,} readings" if window.count > 1 else " (one reading)"
        first = f"constant at {voice.value(window.mean)}{several}"
    else:
        first = (
            f"mean {voice.mean(window.mean)}, lowest {voice.bare(window.min)} at "
            f"{voice.clock(window.min_at)}, highest {voice.bare(window.max)} at "
            f"{voice.clock(window.max_at)}, last {voice.bare(window.last)}, {_trend(window, voice)}"
        )
    said = [f"{head}{first}.", *_compared(window, voice)]
    said += [_brief(event, voice) for event in events[:_NAMED]]
    if len(events) > _NAMED:
        said.append(f"And {len(events) - _NAMED} more events.")
    return " ".join(said)


def _trend(window: Window, voice: Voice) -> str:
    if window.count > 2 and window.fit >= _STRAIGHT:
        direction = "rising" if window.slope > 0 else "falling"
        per, minutes = "minute", 1.0
        if window.length >= DAY:
            per, minutes = "day", DAY / MINUTE
        elif window.length >= HOUR:
            per, minutes = "hour", HOUR / MINUTE
        amount = significant(abs(window.slope) * minutes)
        return f"{direction} {voice.with_unit(amount)} per {per}"
    if window.frequency:
        return (
            f"oscillating at {significant(window.frequency, 3)} Hz "
            f"by ±{voice.with_unit(significant(window.amplitude))}"
        )
    if voice.usual and voice.restless and window.std > 2 * voice.restless:
        return "fluctuating more than usual"
    return "steady"


def _compared(window: Window, voice: Voice) -> list[str]:
    """The window against the limits, and against what is usual for the channel."""
    said = []
    low, high = voice.limits
    if high is not None and window.max > high:
        said.append(f"Above its upper limit of {voice.value(high)}.")
    if low is not None and window.min < low:
        said.append(f"Below its lower limit of {voice.value(low)}.")
    if voice.usual is None:
        return said
    least, most = voice.usual
    if least <= window.mean <= most:
        return said
    excess = window.mean - most if window.mean > most else least - window.mean
    word, side = ("High", "above") if window.mean > most else ("Low", "below")
    far = "far " if excess > (most - least) > 0 else ""
    usual = voice.value(most)
    if voice.bare(least) != voice.bare(most):
        usual = f"{voice.bare(least)} to {usual}"
    said.append(f"{word}: {far}{side} its usual {usual}.")
    return said


def _brief(event: Event, voice: Voice) -> str:
    """An event as a sentence of its window."""
    at = voice.clock(event.start)
    match event.kind:
        case "spike":
            word = "Spike" if event.size > 0 else "Downward spike (dip)"
            return f"{word} to {voice.value(event.after)} at {at}."
        case "step":
            word = "up" if event.size > 0 else "down"
            levels = f"from {voice.bare(event.before)} to {voice.value(event.after)}"
            return f"Sudden step {word} {levels} at {at}."
        case "drift":
            word = "upward" if event.size > 0 else "downward"
            levels = f"from {voice.bare(event.before)} to {voice.value(event.after)}"
            return f"Start of a slow {word} drift {levels} over {_length(event)}."
        case "dropout":
            return f"Dropout: no data for {lasting(event.size)} from {at}."
        case "oscillation":
            return f"Start of oscillation at {significant(event.frequency, 3)} Hz."
        case _:
            return f"Crossed the limit of {voice.value(event.before)} at {at}."


def _length(event: Event) -> str:
    return lasting((event.end - event.start) / SECOND)


def of_event(event: Event, voice: Voice, found: int, kept: int) -> str:
    """An event on its own: what, where, from which level to which, and when.

    ``found`` and ``kept``: how many events the channel has in this file, and how many are told.
    """
    name = voice.title[:1].lower() + voice.title[1:] if voice.title[1:2].islower() else voice.title
    when = f"{voice.clock(event.start)} UTC on {to_datetime(event.start):%Y-%m-%d}"
    text = f"{_what(event, voice, name)} {_when(event, voice, when)}."
    if found > kept:
        text += f" One of the {kept} largest of {found:,} events of this channel."
    return text


def _when(event: Event, voice: Voice, when: str) -> str:
    if event.kind in ("spike", "step"):
        return f"at {when}"
    end = to_datetime(event.end)
    until = voice.clock(event.end)
    if end.date() != to_datetime(event.start).date():
        until = f"{until} on {end:%Y-%m-%d}"
    return f"from {when} until {until} ({_length(event)})"


def _what(event: Event, voice: Voice, name: str) -> str:
    levels = f"from {voice.bare(event.before)} to {voice.value(event.after)}"
    size = voice.value(abs(event.size))
    match event.kind:
        case "spike":
            word = "Spike (peak, sudden high)" if event.size > 0 else "Downward spike (dip)"
            return f"{word} in {name} to {voice.value(event.after)}, usually around then " \
                   f"{voice.bare(event.before)},"  # fmt: skip
        case "step":
            word = "jumped up" if event.size > 0 else "dropped"
            return f"Step in {name} {levels}: it suddenly {word} by {size}"
        case "drift":
            word = "rising" if event.size > 0 else "falling"
            return f"Drift of {name} {levels}: slowly {word} by {size}"
        case "dropout":
            return (
                f"Dropout of {name}: no readings (missing data, gap in the log; "
                f"{voice.bare(event.before)} before, {voice.value(event.after)} after it)"
            )
        case "oscillation":
            return (
                f"Oscillation of {name} at {significant(event.frequency, 3)} Hz "
                f"by ±{voice.with_unit(significant(event.size))}"
            )
        case "above limit":
            return (
                f"Alarm: {name} above its upper limit of {voice.value(event.before)} "
                f"(too high, highest {voice.value(event.after)})"
            )
        case _:
            return (
                f"Alarm: {name} below its lower limit of {voice.value(event.before)} "
                f"(too low, lowest {voice.value(event.after)})"
            )
