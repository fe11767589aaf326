"""Speed of the sensor plugin, from a CSV file to windows and sentences.

Writes logs of 10^6 rows with 1 and with 8 channels at 1 Hz, then times the plugin and, in turn
and in the same process, a bare ``pandas.read_csv(parse_dates=...)`` of the same file. Prints the
median of the repeats, readings per second, the ratio, and the peak memory of a fresh process.

    python scripts/bench/sensor.py [--rows 1000000] [--repeats 3] [--json]
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv

from agentctx.contracts import Source
from agentctx.plugins.sensor import Sensor
from agentctx.registry import build


def write_log(path: Path, rows: int, channels: int) -> None:
    """A log with ISO 8601 times, noise, a step, a drift, a gap and a few spikes per channel."""
    rng = np.random.default_rng(channels)
    start = int(datetime(2026, 3, 1, tzinfo=UTC).timestamp())
    seconds = start + np.arange(rows, dtype=np.int64)
    seconds[rows // 2 :] += 600
    columns = {"time": pa.array(seconds).cast(pa.timestamp("s", "UTC"))}
    for number in range(channels):
        values = 20 + number + rng.normal(0, 0.3, rows)
        values[rows // 3 :] += 4
        values += np.linspace(0, 2, rows) * (number % 2)
        values[rng.integers(0, rows, 10)] += 15
        columns[f"channel_{number} [°C]"] = pa.array(np.round(values, 2))
    pyarrow.csv.write_csv(pa.table(columns), path)


def observe(path: Path) -> int:
    """Run the plugin; the number of observations."""
    source = Source(path, head=path.read_bytes()[:4096])
    plugin: Sensor = build("plugins", "sensor", None, {})  # type: ignore[arg-type]
    return sum(1 for _ in plugin.observe(source))


def timed(run: Callable[[], object]) -> float:
    """Seconds of one run."""
    begin = time.perf_counter()
    run()
    return time.perf_counter() - begin


def peak_mib(path: Path) -> float:
    """Peak memory of a fresh process that runs the plugin once, in MiB."""
    command = [sys.executable, __file__, "--once", str(path)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return float(output)


def measure(rows: int, channels: int, repeats: int) -> dict[str, float]:
    """One log, measured."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "log.csv"
        write_log(path, rows, channels)
        observe(path)  # imports are no part of the rate
        ours, theirs = [], []
        for _ in range(repeats):
            ours.append(timed(lambda: observe(path)))
            theirs.append(timed(lambda: pd.read_csv(path, parse_dates=["time"])))
        seconds, pandas_seconds = statistics.median(ours), statistics.median(theirs)
        return {
            "rows": rows,
            "channels": channels,
            "seconds": round(seconds, 3),
            "readings_per_second": round(rows * channels / seconds),
            "pandas_read_csv_seconds": round(pandas_seconds, 3),
            "times_read_csv": round(seconds / pandas_seconds, 2),
            "observations": observe(path),
            "peak_mib": round(peak_mib(path)),
        }


def main() -> None:
    """Parse the arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--once", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.once:
        observe(arguments.once)
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
        return
    results = [measure(arguments.rows, channels, arguments.repeats) for channels in (1, 8)]
    if arguments.json:
        print(json.dumps(results))
        return
    for result in results:
        print(", ".join(f"{name} {value:,}" for name, value in result.items()))


if __name__ == "__main__":
    main()
