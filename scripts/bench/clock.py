"""Wall and processor time, for benchmarks on machines that have other work to do."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np

Argument = TypeVar("Argument")


class Clock:
    """Wall and processor time since it was made, in seconds.

    Processor time counts all threads, and suffers less than wall time from a busy machine.
    """

    def __init__(self) -> None:
        self._wall, self._processor = time.perf_counter(), time.process_time()

    def read(self) -> np.ndarray:
        """Wall and processor time, float64 [2]."""
        wall, processor = time.perf_counter(), time.process_time()
        return np.array([wall - self._wall, processor - self._processor])


def take_turns(
    calls: Mapping[str, Callable[[Argument], object]],
    arguments: Sequence[Argument],
    rounds: int = 1,
) -> dict[str, np.ndarray]:
    """Seconds [arguments x rounds, 2] of every call, each argument going to all of them in turn."""
    spent: dict[str, list[np.ndarray]] = {name: [] for name in calls}
    for _ in range(rounds):
        for argument in arguments:
            for name, call in calls.items():
                clock = Clock()
                call(argument)
                spent[name].append(clock.read())
    return {name: np.array(rows) for name, rows in spent.items()}


def percentiles(spent: np.ndarray) -> dict[str, float]:
    """Of wall and processor seconds [n, 2], in milliseconds."""
    milliseconds = 1e3 * spent
    p50, p95 = np.percentile(milliseconds[:, 0], (50, 95))
    processor = np.median(milliseconds[:, 1])
    figures = {"p50_ms": p50, "p95_ms": p95, "processor_p50_ms": processor}
    return {name: round(float(value), 2) for name, value in figures.items()}


class Stages:
    """Wall and processor seconds spent in chosen functions, without those in one another."""

    def __init__(self) -> None:
        self.spent: dict[str, np.ndarray] = defaultdict(lambda: np.zeros(2))
        self._inside: list[np.ndarray] = []

    @contextmanager
    def watching(self, parts: Sequence[tuple[Any, str, str]]) -> Iterator[None]:
        """Time the parts (owner, name of the function, stage) while this is open."""
        calls = [(owner, name, getattr(owner, name)) for owner, name, _ in parts]
        try:
            for (owner, name, call), (_, _, stage) in zip(calls, parts, strict=True):
                setattr(owner, name, self._timed(call, stage))
            yield
        finally:
            for owner, name, call in calls:
                setattr(owner, name, call)

    def _timed(self, call: Callable[..., object], stage: str) -> Callable[..., object]:
        def timed(*args: object, **kwargs: object) -> object:
            self._inside.append(np.zeros(2))
            clock = Clock()
            try:
                return call(*args, **kwargs)
            finally:
                took = clock.read()
                self.spent[stage] += took - self._inside.pop()
                if self._inside:
                    self._inside[-1] += took

        return timed

    def means(self, calls: int) -> dict[str, dict[str, float]]:
        """Milliseconds of each stage per call, those that cost most first."""
        shares = {name: 1e3 * seconds / calls for name, seconds in self.spent.items()}
        return {
            name: {"ms": round(float(wall), 2), "processor_ms": round(float(processor), 2)}
            for name, (wall, processor) in sorted(shares.items(), key=lambda item: -item[1][1])
        }
