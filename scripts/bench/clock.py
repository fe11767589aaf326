"""Wall and processor time, for benchmarks on machines that have other work to do."""

import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np


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
    calls: Mapping[str, Callable[[str], object]], arguments: Sequence[str], rounds: int = 1
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
