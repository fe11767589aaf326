"""Files into logs: what a decoder process does, so that Arrow sees hostile bytes only there."""

from collections.abc import Iterator
from datetime import datetime, tzinfo

from agentctx.contracts import Source
from agentctx.extras import require
from agentctx.plugins.sensor.clock import Setting, read_clock
from agentctx.plugins.sensor.read import mapped, read
from agentctx.plugins.sensor.series import Log, log_of
from agentctx.plugins.when import time_of


def logged(
    source: Source, zone: tzinfo | None, time_column: str | None, max_columns: int
) -> Iterator[Log]:
    """The one log in a file. Raises a SourceError."""
    require("pyarrow", extra="sensor")

    def start() -> datetime:
        return source.captured_at or time_of(source.path)

    with mapped(source.name):
        table, units = read(source, max_columns)
        clock = read_clock(source.name, table, Setting(zone, start, time_column))
        log = log_of(source.name, table, clock, units, max_columns)
    yield log
