"""Sensor logs: CSV, JSON Lines, Parquet and Arrow files of readings over time.

Each channel becomes windows of time with exact statistics, said in plain words, and the most
notable events (crossed limits, spikes, steps, drifts, dropouts, oscillations) as observations of
their own. The readings themselves stay exact, in one Parquet file that all of these refer to.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from agentctx.contracts import Requirement, Services, Source
from agentctx.errors import ConfigError
from agentctx.extras import require
from agentctx.plugins import apart
from agentctx.plugins.sensor.sniff import kind_of
from agentctx.records import Observation

if TYPE_CHECKING:
    from datetime import tzinfo

Thresholds = Mapping[str, Sequence[float | None]]


class Sensor:
    """The plugin for sensor logs.

    ``window``: seconds per window; None picks 1, 5 or 15 minutes, 1 or 6 hours, 1 day or more, so
    that one file gives at most 300 windows per channel. ``timezone`` of times that do not tell
    theirs (``Europe/Berlin``); None is this machine's. ``thresholds``: the lowest and highest
    normal value by channel, either of them None. ``time_column``: its name, where it cannot be
    guessed. ``max_events``: per channel of a file. ``max_columns`` (or channels) of a file, beyond
    which SourceTooLarge is raised, as it is beyond ``limits.rows`` and ``limits.cells``.
    """

    requires = (
        Requirement("pyarrow", "sensor"),
        Requirement("scipy", "sensor"),
    )

    def __init__(
        self,
        services: Services,
        *,
        window: float | None = None,
        timezone: str | None = None,
        thresholds: Thresholds | None = None,
        time_column: str | None = None,
        max_events: int = 20,
        max_columns: int = 10_000,
    ) -> None:
        del services
        if window is not None and not 0.001 <= window <= 366 * 86_400:
            raise ConfigError(f"window is {window} s; it must be from a millisecond to a year")
        for name, least in (("max_events", max_events + 1), ("max_columns", max_columns)):
            if least < 1:
                raise ConfigError(f"{name} is too small for anything to be read")
        self._window = window
        self._zone = _zone(timezone)
        self._limits = {_plain(channel): _pair(channel, pair)
                        for channel, pair in (thresholds or {}).items()}  # fmt: skip
        self._time_column = time_column
        self._max_events = max_events
        self._max_columns = max_columns

    def accepts(self, source: Source) -> bool:
        """Whether it is a table by its head or extension, or JSON lines of times and numbers."""
        return kind_of(source) is not None

    def observe(self, source: Source) -> Iterator[Observation]:
        """Windows and events of all channels, in order of time. Raises a SourceError."""
        from agentctx.plugins.sensor.logs import logged
        from agentctx.plugins.sensor.observe import observations

        require("pyarrow", extra="sensor")
        given = self._zone, self._time_column, self._max_columns
        (log,) = apart.stream(logged, source, *given)
        yield from observations(source, log, self._window, self._limits, self._max_events)


def _plain(channel: str) -> str:
    return " ".join(channel.replace("_", " ").lower().split())


def _pair(channel: str, pair: Sequence[float | None]) -> tuple[float | None, float | None]:
    if len(pair) != 2:
        raise ConfigError(f"thresholds of {channel!r}: {pair!r}; two numbers are needed, low, high")
    low, high = pair
    if low is not None and high is not None and low > high:
        raise ConfigError(f"thresholds of {channel!r}: the low one, {low}, is above {high}")
    return low, high


def _zone(name: str | None) -> "tzinfo | None":
    if name is None:
        return None
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigError(f"timezone {name!r} is unknown; write it as Europe/Berlin") from error
