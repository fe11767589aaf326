"""Headers as loggers write them: the channel and the unit that each of them names."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentctx.config import Config
from agentctx.contracts import Source
from agentctx.plugins.sensor import Sensor
from agentctx.plugins.sensor.units import is_unit, split, tidy
from agentctx.services import SharedServices

IN_BRACKETS = [
    ("Temp (°F)", "Temp", "°F"),
    ("Temp[°C]", "Temp", "°C"),
    ("  Temp   (°C) ", "Temp", "°C"),
    ("temp (deg C)", "temp", "°C"),
    ("temp [deg F]", "temp", "°F"),
    ("Room temp [F]", "Room temp", "°F"),
    ("capacitance [F]", "capacitance", "F"),
    ("temp (K)", "temp", "K"),
    ("P [kPa]", "P", "kPa"),
    ("humidity (%RH)", "humidity", "%RH"),
    ("RH (%)", "RH", "%"),
    ("accel_x (m/s²)", "accel_x", "m/s²"),
    ("accel_x [m/s^2]", "accel_x", "m/s^2"),
    ("heat flux (W/m^2)", "heat flux", "W/m^2"),
    ("gyro_z (°/s)", "gyro_z", "°/s"),
    ("torque (N·m)", "torque", "N·m"),
    ("conductivity (µS/cm)", "conductivity", "µS/cm"),
    ("flow (m^3/h)", "flow", "m^3/h"),
    ("density (kg/m³)", "density", "kg/m³"),
    ("strain (µm/m)", "strain", "µm/m"),
    ("rate (1/min)", "rate", "1/min"),
    ("radiation (µSv/h)", "radiation", "µSv/h"),
    ("resistance (Ohm)", "resistance", "Ω"),
    ("resistance [kΩ]", "resistance", "kΩ"),
    ("field [µT]", "field", "µT"),
    ("efficiency (pct)", "efficiency", "%"),
    ("light (lx)", "light", "lx"),
    ("sound (dBA)", "sound", "dBA"),
    ("capacity (Ah)", "capacity", "Ah"),
    ("volume (ml)", "volume", "ml"),
    ("motor A [A]", "motor A", "A"),
    ("vibration rms (mm/s)", "vibration rms", "mm/s"),
    ("load [counts]", "load", "counts"),
    ("door [open]", "door", "open"),  # square brackets hold a unit by convention
    ("ratio [-]", "ratio", ""),
    ("ratio [1]", "ratio", ""),
    ("count []", "count", ""),
]
BEHIND_A_MARK = [
    ("pressure, hPa", "pressure", "hPa"),
    ("Pressure / mbar", "Pressure", "mbar"),
    ("distance in mm", "distance", "mm"),
    ("humidity %RH", "humidity", "%RH"),
    ("humidity %", "humidity", "%"),
    ("temp °C", "temp", "°C"),
    ("flow m³/h", "flow", "m³/h"),
]
SUFFIXES = [
    ("flow_l_min", "flow", "l/min"),
    ("wind_speed_m_s", "wind_speed", "m/s"),
    ("accel_ms2", "accel", "m/s²"),
    ("accel_y_m_s2", "accel_y", "m/s²"),
    ("gyro_z_dps", "gyro_z", "°/s"),
    ("speed_kmh", "speed", "km/h"),
    ("speed_rpm", "speed", "rpm"),
    ("pressure_PSI", "pressure", "psi"),
    ("pm10_ug_m3", "pm10", "µg/m³"),
    ("co2_ppm", "co2", "ppm"),
    ("level_pct", "level", "%"),
    ("temp_deg_c", "temp", "°C"),
    ("temp_degC", "temp", "°C"),
    ("temperature_kelvin", "temperature", "K"),
    ("MotorTemp_C", "MotorTemp", "°C"),
    ("data.temp_c", "data.temp", "°C"),
    ("temp_f", "temp", "°F"),
    ("voltage_v", "voltage", "V"),
    ("v_in_mv", "v_in", "mV"),
    ("power_w", "power", "W"),
    ("energy_kwh", "energy", "kWh"),
    ("current_ma", "current", "mA"),
    ("magnetic_x_ut", "magnetic_x", "µT"),
    ("bp_mmhg", "bp", "mmHg"),
    ("heart_rate_bpm", "heart_rate", "bpm"),
    ("height_m", "height", "m"),
    ("acc_x_g", "acc_x", "g"),
    ("uptime_sec", "uptime", "s"),
]
NO_UNIT = [
    "temperature", "motor A", "supply_v", "volume_l", "power_factor", "a_b_c", "stepm", "pH", "RPM",
    "°C", "(bar)", "[bar]", "bar", "valve (open)", "vibration (RMS)", "accel (x)",
    "temp (°C) (inside)", "outlet [°C] max", "stage in use", "a, b", "in / out",
]  # fmt: skip


@pytest.mark.parametrize(("header", "channel", "unit"), IN_BRACKETS + BEHIND_A_MARK + SUFFIXES)
def test_a_header_is_a_channel_and_a_unit(header: str, channel: str, unit: str) -> None:
    assert split(header) == (channel, unit)


@pytest.mark.parametrize("header", NO_UNIT)
def test_a_header_without_a_unit_is_the_channel_as_it_stands(header: str) -> None:
    assert split(header) == (header, "")


@given(st.text(max_size=40))
def test_any_header_keeps_a_name(header: str) -> None:
    channel, unit = split(header)
    assert bool(channel) == bool(header.split())
    assert len(channel) <= len(header)
    assert channel in " ".join(header.split())
    # What was taken off as a unit leaves a name that is not shortened a second time by itself.
    assert unit == unit.strip()


@pytest.mark.parametrize("unit", ["kW·h", "µg/m³", "1/min", "m/s^2", "m*s-1", "%", "Mbit/s", "°"])
def test_units(unit: str) -> None:
    assert is_unit(unit)


@pytest.mark.parametrize(
    "word", ["inside", "x", "RMS", "", "1", "max", "no 2", "m/x", "kk", "open"]
)
def test_words_are_no_units(word: str) -> None:
    assert not is_unit(word)


@pytest.mark.parametrize(
    ("unit", "name", "written"),
    [
        ("C", "oil temp", "°C"), ("C", "charge", "C"), ("celsius", "x", "°C"),
        (" bar ", "x", "bar"),
        ("[ bar ]", "x", "bar"), ("(C)", "Temp", "°C"), ("-", "x", ""), ("RPM", "x", "rpm"),
        ("W/(m²·K)", "x", "W/(m²·K)"), ("furlong", "x", "furlong"),
    ],
)  # fmt: skip
def test_units_are_written_in_one_way(unit: str, name: str, written: str) -> None:
    assert tidy(unit, name) == written


def attributes(path: Path) -> dict[str, str]:
    sensor = Sensor(SharedServices(Config()))
    found = sensor.observe(Source(path, head=path.read_bytes()[:4096]))
    return {str(o.attributes["channel"]): str(o.attributes["unit"]) for o in found}


def test_a_file_with_every_header_has_a_channel_of_each(tmp_path: Path) -> None:
    table = IN_BRACKETS + BEHIND_A_MARK + SUFFIXES
    named = {channel.lower(): (header, channel, unit) for header, channel, unit in table}
    headers = [f'"{header}"' for header, _, _ in named.values()]
    path = tmp_path / "log.csv"
    path.write_text(f"time,{','.join(headers)}\n1773479520" + ",7.5" * len(headers) + "\n")
    assert attributes(path) == {channel: unit for _, channel, unit in named.values()}


def test_the_unit_is_said_with_each_value(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("time,flow_l_min,humidity %RH,angle_deg\n1773479520,7.5,40.5,90.5\n")
    texts = [o.text for o in Sensor(SharedServices(Config())).observe(Source(path))]
    for text, said in zip(texts, ("7.5 l/min", "40.5 %RH", "90.5°"), strict=True):
        assert f"constant at {said} (one reading)" in text


def test_channels_that_differ_in_the_unit_only_keep_their_headers(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("time,p [bar],p [psi],P_kpa,q [V]\n1773479520,1,2,3,4\n")
    assert attributes(path) == {"p [bar]": "bar", "p [psi]": "psi", "P_kpa": "kPa", "q": "V"}


@pytest.mark.parametrize("row", ["s,bar,°C", "ISO,[bar],(°C)", "-,bar,degC"])
def test_a_row_of_units_below_the_header(tmp_path: Path, row: str) -> None:
    path = tmp_path / "log.csv"
    path.write_text(f"time,oil,water\n{row}\n1773479520,1,2\n1773479521,2,3\n")
    assert attributes(path) == {"oil": "bar", "water": "°C"}


def test_a_row_of_units_goes_before_those_in_the_names(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("time,oil_bar,temp\ns,mbar,C\n1773479520,1,2\n1773479521,2,3\n")
    assert attributes(path) == {"oil": "mbar", "temp": "°C"}


def test_the_units_of_a_long_table(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    rows = ["oil temp,1,C", "charge,2,C", "load,3,pct", "door,4,", "oil temp,5,C"]
    lines = [f"17734795{20 + number},{row}" for number, row in enumerate(rows)]
    path.write_text("time,sensor,value,unit\n" + "\n".join(lines) + "\n")
    assert attributes(path) == {"oil temp": "°C", "charge": "C", "load": "%", "door": ""}


def test_headers_in_json_lines_are_taken_apart_too(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text(json.dumps({"ts": 1773479520, "Temp (°F)": 70.5, "gps": {"alt_m": 5}}) + "\n")
    assert attributes(path)["Temp"] == "°F"
