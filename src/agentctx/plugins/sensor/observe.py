"""A log as observations: windows and events, each with its words, attributes and readings."""

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from agentctx.contracts import Source
from agentctx.plugins.sensor import sentences
from agentctx.plugins.sensor.clock import SECOND, to_datetime
from agentctx.plugins.sensor.events import Event, Limits, detect, notable
from agentctx.plugins.sensor.sentences import Voice, voice_of
from agentctx.plugins.sensor.series import Log, Series
from agentctx.plugins.sensor.store import store
from agentctx.plugins.sensor.windows import Window, window_length, windows
from agentctx.records import Attribute, Media, Observation

_TOLD_IGNORED = 20


@dataclass(frozen=True, slots=True)
class _Channel:
    series: Series
    voice: Voice
    windows: Sequence[Window]
    events: Sequence[Event]
    notable: Sequence[Event]


def observations(
    source: Source,
    log: Log,
    window: float | None,
    limits: Mapping[str, Limits],
    max_events: int,
) -> Iterator[Observation]:
    """The observations of a log in order of time; at one time, channels in order of the file."""
    length = window or window_length(log.series)
    channels = []
    for one in log.series:
        source.check_time()
        channels.append(_channel(one, length, limits, max_events))
    readings = store(log.series)
    common: dict[str, Attribute] = dict(source.attributes)
    if log.ignored:
        common["ignored"] = log.ignored[:_TOLD_IGNORED]
    streams = [
        stream
        for channel in channels
        for stream in (
            _of_windows(channel, source, readings, common),
            _of_events(channel, source, readings, common),
        )
    ]
    yield from heapq.merge(*streams, key=lambda observation: observation.captured_at)


def _channel(
    series: Series, length: float, limits: Mapping[str, Limits], max_events: int
) -> _Channel:
    names = (" ".join(name.replace("_", " ").lower().split())
             for name in (series.channel, series.column))  # fmt: skip
    own = next((limits[name] for name in names if name in limits), (None, None))
    parts = list(windows(series, length))
    events = detect(series, parts, own)
    voice = voice_of(series, parts, own)
    return _Channel(series, voice, parts, events, notable(events, max_events))


def _of_windows(
    channel: _Channel, source: Source, readings: Media, common: Mapping[str, Attribute]
) -> Iterator[Observation]:
    pending = list(channel.events)[::-1]
    for window in channel.windows:
        end = window.start + round(window.length * SECOND)
        inside = []
        # An event begins at a reading, or ends at one; so each falls into some window.
        while pending and pending[-1].start < end:
            inside.append(pending.pop())
        inside.sort(key=lambda event: -abs(event.size) if event.kind == "spike" else -float("inf"))
        kinds = {event.kind for event in inside}
        low, high = channel.voice.limits
        kinds |= {"above limit"} if high is not None and window.max > high else set()
        kinds |= {"below limit"} if low is not None and window.min < low else set()
        yield Observation(
            modality="sensor",
            text=sentences.of_window(window, inside, channel.voice),
            captured_at=to_datetime(window.start),
            duration=window.length,
            session=source.session,
            source=source.name,
            attributes={
                "channel": channel.series.channel,
                "unit": channel.series.unit,
                "count": window.count,
                "min": window.min,
                "max": window.max,
                "mean": window.mean,
                "last": window.last,
                "std": window.std,
                "slope": window.slope,
                "min_at": to_datetime(window.min_at).isoformat(),
                "max_at": to_datetime(window.max_at).isoformat(),
                "events": tuple(sorted(kinds)),
                "shape": window.shape,
                "frequency": window.frequency,
                **common,
            },
            media=(readings,),
        )


def _of_events(
    channel: _Channel, source: Source, readings: Media, common: Mapping[str, Attribute]
) -> Iterator[Observation]:
    found, kept = len(channel.events), len(channel.notable)
    for event in channel.notable:
        yield Observation(
            modality="sensor",
            text=sentences.of_event(event, channel.voice, found, kept),
            captured_at=to_datetime(event.start),
            duration=(event.end - event.start) / SECOND,
            session=source.session,
            source=source.name,
            attributes={
                "channel": channel.series.channel,
                "unit": channel.series.unit,
                "event": event.kind,
                "size": event.size,
                "before": event.before,
                "after": event.after,
                "frequency": event.frequency,
                **common,
            },
            media=(readings,),
        )
