"""Numbers, durations, names and tables as people write them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentctx.errors import SourceInvalid
from agentctx.plugins.sensor.clock import is_time_name
from agentctx.plugins.sensor.precision import decimals_of, number, resolution_of, significant
from agentctx.plugins.sensor.sentences import lasting, title
from agentctx.plugins.sensor.sniff import dialect_of


@pytest.mark.parametrize(
    ("values", "decimals"),
    [
        ([1, 2, 3], 0), ([61.2, 74.8], 1), ([2.05, 2.15, 2.1], 2), ([101_325.25, 99_000.5], 0),
        ([1 / 3, 2 / 3, 5 / 3], 3), ([1e-5 / 3, 1e-5 / 7], 9), ([0.0, 0.0], 0), ([21.5, 21.5], 1),
    ],
)  # fmt: skip
def test_decimals_are_those_of_the_data_or_of_its_spread(
    values: list[float], decimals: int
) -> None:
    assert decimals_of(np.array(values, dtype=np.float64)) == decimals


@pytest.mark.parametrize(
    ("values", "resolution"),
    [([0, 1, 1, 0], 0.0), ([20, 20.0625, 20.125], 0.0625), ([20.0, 20.1, 20.1], 0.1), ([7], 0.0),
     ([5, 9], 1.0)],
)  # fmt: skip
def test_resolution(values: list[float], resolution: float) -> None:
    found = resolution_of(np.array(values, dtype=np.float64))
    assert found == pytest.approx(resolution, abs=1e-9)


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [(74.8, 1, "74.8"), (74.80, 2, "74.8"), (74.0, 2, "74.0"), (-0.001, 1, "0.0"), (0.0, 0, "0"),
     (-3.26, 1, "-3.3"), (0.2, 0, "0.2"), (1e18, 0, "1e+18"), (1200.0, 0, "1200")],
)  # fmt: skip
def test_numbers(value: float, decimals: int, text: str) -> None:
    assert number(value, decimals) == text


@given(st.floats(-1e12, 1e12), st.integers(0, 8))
def test_a_number_reads_back_as_it_was_rounded(value: float, decimals: int) -> None:
    assert abs(float(number(value, decimals)) - value) <= 0.5001 * 10**-decimals + 1e-3 * abs(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [(3.217, "3.2"), (0.00432, "0.0043"), (1234.5, "1200"), (0.0, "0"), (-45.6, "-46")],
)
def test_significant_digits(value: float, text: str) -> None:
    assert significant(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.25, "0.250 s"), (42.4, "42 s"), (60, "1 min"), (250, "4 min 10 s"), (7200, "2 h"),
     (5801, "1 h 36 min"), (200_000, "2 d 7 h")],
)  # fmt: skip
def test_durations(seconds: float, text: str) -> None:
    assert lasting(seconds) == text


@pytest.mark.parametrize(
    ("channel", "text"),
    [("vibration", "Vibration"), ("bearing_temp", "Bearing temperature (bearing_temp)"),
     ("oilPressure", "Oil Pressure"), ("CO2", "CO2"),
     ("accel (x)", "Acceleration (x) (accel (x))")],
)  # fmt: skip
def test_titles(channel: str, text: str) -> None:
    assert title(channel) == text


@pytest.mark.parametrize(
    "column",
    ["time", "Timestamp", "Time (s)", "ts", "date_time", "recorded_at", "local time", "t [ms]",
     "Time (UTC)", "epoch_ms", "Zeit", "unix time", "seconds"],
)  # fmt: skip
def test_names_of_time(column: str) -> None:
    assert is_time_name(column)


@pytest.mark.parametrize(
    "column",
    ["runtime", "response time (ms)", "temperature", "lap time", "update rate", "s", "", "speed"],
)
def test_other_names(column: str) -> None:
    assert not is_time_name(column)


@pytest.mark.parametrize(
    ("text", "delimiter", "decimal", "skip", "names"),
    [
        ("time,a\n1,2\n", ",", ".", 1, ("time", "a")),
        ("time;a;b\n1,5;2,5;3\n2,5;3,5;4\n", ";", ",", 1, ("time", "a", "b")),
        ("time\ta\n1\t2,5\n", "\t", ",", 1, ("time", "a")),
        ("sep=|\ntime|a,b\n1|2\n", "|", ".", 2, ("time", "a,b")),
        ('"time","a, b"\n1,"4,5"\n', ",", ",", 1, ("time", "a, b")),
        ("# x\n\nRig 7\n\ntime,a\ns,bar\n1,2\n2,3\n", ",", ".", 6, ("time", "a")),
        ("1,2\n2,3\n", ",", ".", 0, ("column 1", "column 2")),
    ],
)
def test_dialects(
    text: str, delimiter: str, decimal: str, skip: int, names: tuple[str, ...]
) -> None:
    found = dialect_of("x.csv", text.encode(), whole=True)
    assert (found.delimiter, found.decimal, found.skip) == (delimiter, decimal, skip)
    assert found.names == names


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encodings(encoding: str) -> None:
    found = dialect_of("x.csv", "time,a [°C]\n1,2\n".encode(encoding), whole=True)
    assert found.names == ("time", "a [°C]")


def test_a_sample_that_ends_within_a_letter_or_a_line() -> None:
    whole = "time,a [µm]\n1,2\n2,3 µ".encode()
    found = dialect_of("x.csv", whole[:-1], whole=False)
    assert (found.encoding, found.names) == ("utf-8", ("time", "a [µm]"))
    with pytest.raises(SourceInvalid, match="no rows"):
        dialect_of("x.csv", b"", whole=True)
