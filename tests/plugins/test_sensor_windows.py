"""Windows: each reading in exactly one, exact statistics, and what is said of them."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentctx.config import Config
from agentctx.contracts import Source
from agentctx.plugins.sensor import Sensor
from agentctx.plugins.sensor.series import Series
from agentctx.plugins.sensor.windows import PER_CHANNEL, STEPS, window_length, windows
from agentctx.records import Observation
from agentctx.services import SharedServices

START = datetime(2026, 3, 14, 9, tzinfo=UTC)
ORIGIN = int(START.timestamp()) * 1_000_000


def series_of(times: np.ndarray, values: np.ndarray) -> Series:
    return Series("a", "V", "", times.astype(np.int64), values.astype(np.float64))


@st.composite
def logs(draw: st.DrawFn) -> tuple[Series, float]:
    """A series at any rate, even or not, from any time on; and the length of a window."""
    gaps = draw(st.lists(st.integers(1, 90_000_000), min_size=1, max_size=120))
    start = draw(st.integers(-(10**15), 4 * 10**15))
    number = st.floats(-1e9, 1e9, allow_nan=False, width=32)
    values = draw(st.lists(number, min_size=len(gaps), max_size=len(gaps)))
    length = draw(st.sampled_from([0.5, 1.0, 7.25, 60.0, 300.0, 3600.0]))
    return series_of(start + np.cumsum(gaps), np.array(values)), length


@settings(deadline=None, max_examples=80)
@given(logs())
def test_windows_cover_every_reading_once_with_the_statistics_of_numpy(
    log: tuple[Series, float],
) -> None:
    series, length = log
    found = list(windows(series, length))
    assert sum(window.count for window in found) == series.times.size
    width = round(length * 1_000_000)
    for window in found:
        assert window.start % width == 0
        inside = (series.times >= window.start) & (series.times < window.start + width)
        times, values = series.times[inside], series.values[inside]
        assert window.count == values.size > 0
        assert (window.min, window.max, window.last) == (values.min(), values.max(), values[-1])
        assert window.min_at == times[values.argmin()]
        assert window.max_at == times[values.argmax()]
        scale = float(np.abs(values).max())
        assert window.mean == pytest.approx(values.mean(), rel=1e-12, abs=1e-12 * scale)
        assert window.std == pytest.approx(values.std(), rel=1e-9, abs=1e-9 * scale)
        if values.size > 1:
            minutes = (times - times[0]) / 60e6
            slope = np.polynomial.Polynomial.fit(minutes, values, 1).convert().coef
            expected = slope[1] if slope.size > 1 else 0.0
            # Least squares by another way: what is left differs by rounding, seen per minute.
            slack = 1e-9 * scale / float(np.ptp(minutes))
            assert window.slope == pytest.approx(expected, rel=1e-6, abs=slack)
        shape = np.array(window.shape)
        assert shape.shape == (16,)
        if shape.any():
            assert shape.mean() == pytest.approx(0, abs=1e-3)
            assert shape.std() == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(
    ("seconds", "channels", "step"),
    [(30, 1, 60), (18_000, 1, 60), (18_100, 1, 300), (86_400, 1, 300), (86_400 * 3, 1, 900),
     (86_400 * 11, 1, 3600), (86_400 * 365, 1, 7 * 86_400), (3600, 6000, 900)],
)  # fmt: skip
def test_automatic_windows(seconds: int, channels: int, step: int) -> None:
    every = max(1, seconds // 20_000)
    times = ORIGIN + np.arange(0, seconds, every) * 1_000_000
    one = series_of(times, np.zeros(times.size))
    length = window_length([one] * channels)
    assert length == step
    assert length in STEPS
    assert sum(1 for _ in windows(one, length)) <= PER_CHANNEL + 1


def test_a_log_of_short_runs_keeps_short_windows() -> None:
    hour = np.arange(3600) * 1_000_000
    times = np.concatenate([ORIGIN + day * 86_400_000_000 + hour for day in (0, 30)])
    assert window_length([series_of(times, np.zeros(times.size))]) == 60


def write_log(path: Path, columns: dict[str, np.ndarray], step: float = 1.0) -> None:
    count = len(next(iter(columns.values())))
    micros = ORIGIN + (np.arange(count) * step * 1e6).astype(np.int64)
    times = pa.array(micros).cast(pa.timestamp("us", "UTC"))
    pa_csv.write_csv(pa.table({"time": times, **columns}), path)


def observe(path: Path, **options: object) -> list[Observation]:
    sensor = Sensor(SharedServices(Config()), **options)  # type: ignore[arg-type]
    source = Source(path, path.read_bytes()[:4096], session="rig", attributes={"site": "hall 4"})
    return list(sensor.observe(source))


def test_what_a_window_says(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    values = np.round(np.linspace(2.0, 5.2, 61)[:60], 1)
    values[41] = 11.8
    write_log(path, {"vibration_mm_s": values})
    (window, *_) = observe(path)
    assert window.modality == "sensor"
    assert window.captured_at == START
    assert window.duration == 60.0
    assert (window.session, window.source) == ("rig", str(path))
    assert window.attributes["site"] == "hall 4"
    assert window.attributes["channel"] == "vibration"
    assert window.attributes["unit"] == "mm/s"
    assert window.attributes["max_at"] == "2026-03-14T09:00:41+00:00"
    assert window.attributes["events"] == ("spike",)
    assert window.text == (
        "Vibration from 09:00 to 09:01 UTC on 2026-03-14: mean 3.7 mm/s, lowest 2.0 at 09:00:00, "
        "highest 11.8 at 09:00:41, last 5.1, rising 3.5 mm/s per minute. "
        "Spike to 11.8 mm/s at 09:00:41."
    )


def test_high_low_constant_and_limits_are_said(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    rng = np.random.default_rng(5)
    values = np.round(20 + rng.normal(0, 0.2, 3600), 1)
    values[1800:1860] += 30
    values[2400:2460] -= 9
    values[3000:3060] = 20.0
    write_log(path, {"boiler temp [°C]": values})
    texts = {
        o.captured_at.minute: o.text
        for o in observe(path, thresholds={"Boiler_Temp": (12.5, 45)})
        if "shape" in o.attributes
    }
    assert "steady" in texts[3]
    assert "usual" not in texts[3]
    assert "High: far above its usual 19.7 to 20.3 °C." in texts[30]
    assert "Above its upper limit of 45.0 °C." in texts[30]
    assert "Low: far below its usual 19.7 to 20.3 °C." in texts[40]
    assert "Below its lower limit of 12.5 °C." in texts[40]
    assert "constant at 20.0 °C in all 60 readings" in texts[50]
    assert texts[0].startswith("Boiler temperature (boiler temp) from 09:00 to 09:01 UTC")


def test_observations_are_in_order_of_time_and_repeatable(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    rng = np.random.default_rng(2)
    values = rng.normal(0, 1, 1200)
    values[700] += 50
    write_log(path, {"a": values, "b": -values})
    first, second = observe(path), observe(path)
    assert [o.id for o in first] == [o.id for o in second]
    assert len({o.id for o in first}) == len(first)
    assert [o.captured_at for o in first] == sorted(o.captured_at for o in first)
    assert {m.digest for o in first for m in o.media} == {second[0].media[0].digest}


def test_the_frequency_of_an_oscillation(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    rng = np.random.default_rng(3)
    seconds = np.arange(0, 120, 0.02)
    wave = np.where(seconds < 60, 0, np.sin(2 * np.pi * 12.5 * seconds))
    write_log(path, {"accel_x (m/s²)": rng.normal(0, 0.2, seconds.size) + wave}, step=0.02)
    quiet, loud = (o for o in observe(path) if "shape" in o.attributes)
    assert quiet.attributes["frequency"] == 0.0
    assert loud.attributes["frequency"] == pytest.approx(12.5, abs=0.02)
    assert "oscillating at 12.5 Hz by ±1.0" in loud.text


@pytest.mark.parametrize(
    ("length", "says"),
    [(10, "from 09:00:00 to 09:00:10 UTC on 2026-03-14"), (3600, "from 09:00 to 10:00 UTC"),
     (86_400, "on 2026-03-14 (UTC, all day)"),
     (604_800, "from 2026-03-12 00:00 to 2026-03-19 00:00 UTC")],
)  # fmt: skip
def test_the_time_of_a_window_in_words(tmp_path: Path, length: float, says: str) -> None:
    path = tmp_path / "log.csv"
    write_log(path, {"a": np.arange(5.0)})
    window = observe(path, window=length)[0]
    assert says in window.text
    assert window.duration == length
    assert window.captured_at <= START < window.captured_at + timedelta(seconds=length)


def test_a_million_rows_in_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    rng = np.random.default_rng(1)
    write_log(path, {"a": rng.normal(0, 1, 1_000_000).round(2)})
    code = """
import sys
from pathlib import Path
from agentctx.config import Config
from agentctx.contracts import Source
from agentctx.plugins.sensor import Sensor
from agentctx.services import SharedServices
path = Path(sys.argv[1])
sensor = Sensor(SharedServices(Config()))
count = sum(o.attributes.get("count", 0) for o in sensor.observe(Source(path)))
# Not getrusage: its peak counts what the parent had before this program was loaded.
status = Path("/proc/self/status")
lines = status.read_text().splitlines() if status.exists() else ["VmHWM: 0 kB"]
print(count, *(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM")))
"""
    command = [sys.executable, "-c", code, str(path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    count, peak_mib = map(int, done.stdout.split())
    assert count == 1_000_000
    assert peak_mib < 1024
