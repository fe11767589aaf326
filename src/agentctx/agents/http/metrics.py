"""What Prometheus is told: calls, errors and seconds by tool."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

# From a reading of one number to a recording that is transcribed, in seconds.
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)

CONTENT_TYPE = CONTENT_TYPE_LATEST


class Metrics:
    """The metrics of one application."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        named: dict[str, Any] = {"labelnames": ["tool"], "registry": self._registry}
        self._calls = Counter("agentctx_tool_calls", "Calls of a tool.", **named)
        self._seconds = Histogram(
            "agentctx_tool_seconds", "Seconds that a call took.", buckets=_BUCKETS, **named
        )
        self._errors = Counter(
            "agentctx_tool_errors",
            "Calls that failed, by the error.",
            ["tool", "error"],
            registry=self._registry,
        )

    @contextmanager
    def measured(self, tool: str) -> Iterator[None]:
        """Count a call, and what it raises."""
        self._calls.labels(tool).inc()
        began = time.perf_counter()
        try:
            yield
        except BaseException as error:
            self._errors.labels(tool, type(error).__name__).inc()
            raise
        finally:
            self._seconds.labels(tool).observe(time.perf_counter() - began)

    def text(self) -> bytes:
        """All of them in Prometheus' text format."""
        return generate_latest(self._registry)
