"""Column headers taken apart: what is measured, and in which unit."""

import re

_WRITTEN = (
    "m g s A K V W S Hz Pa N J Ω ohm Ohm F H T lx lux lm bar °C °F °K C % %RH ‰ rpm RPM l L h min d"
    " deg °"
    " rad dB dBm dBA ppm ppb psi kn kt mph VA var Ah Wh eV cd mol pH bpm px in inch ft lb mmHg atm"
    " G gal Bq Sv Gy B bit sec degC degF DegC DegF count counts cts fps a.u."
)
_BASES = frozenset(_WRITTEN.split())
_PREFIXES = ("p", "n", "u", "µ", "μ", "m", "c", "d", "h", "k", "M", "G", "T")
_EXPONENT = re.compile(r"[\^*]*[-+−]?[\d²³]+$")
_SAME = {
    "degC": "°C", "DegC": "°C", "deg C": "°C", "celsius": "°C", "Celsius": "°C", "degF": "°F",
    "DegF": "°F", "deg F": "°F", "percent": "%", "pct": "%", "RPM": "rpm", "lux": "lx",
    "ohm": "Ω", "Ohm": "Ω",
}  # fmt: skip
# The ends of names_like_this: one or two parts, in lower case, and how the unit is written.
_SUFFIXES = {
    "mm_s": "mm/s", "mm_s2": "mm/s²", "m_s": "m/s", "m_s2": "m/s²", "ms2": "m/s²", "km_h": "km/h",
    "kmh": "km/h", "kph": "km/h", "mph": "mph", "l_min": "l/min", "lpm": "l/min", "m3_h": "m³/h",
    "deg_s": "°/s", "dps": "°/s", "rad_s": "rad/s", "deg_c": "°C", "degc": "°C", "celsius": "°C",
    "deg_f": "°F", "degf": "°F", "fahrenheit": "°F", "kelvin": "K", "deg": "°", "rad": "rad",
    "mm": "mm", "cm": "cm", "km": "km", "um": "µm", "nm": "nm", "hz": "Hz", "khz": "kHz",
    "mhz": "MHz", "rpm": "rpm", "bar": "bar", "mbar": "mbar", "pa": "Pa", "kpa": "kPa",
    "hpa": "hPa", "mpa": "MPa", "psi": "psi", "mv": "mV", "kv": "kV", "volt": "V", "volts": "V",
    "ma": "mA", "ua": "µA", "amp": "A", "amps": "A", "kw": "kW", "mw": "mW", "watt": "W",
    "watts": "W", "kwh": "kWh", "wh": "Wh", "pct": "%", "percent": "%", "ppm": "ppm", "ppb": "ppb",
    "lux": "lx", "db": "dB", "dba": "dBA", "dbm": "dBm", "kg": "kg", "ug_m3": "µg/m³",
    "kn": "kN", "ut": "µT", "mt": "mT", "sec": "s", "msec": "ms", "bpm": "bpm", "mmhg": "mmHg",
}  # fmt: skip
# One letter means a unit only after a quantity that is measured in it: phase_a is no current.
_LETTERS = {
    "c": ("temp", "°C"), "f": ("temp", "°F"), "k": ("temp", "K"), "v": ("volt", "V"),
    "a": ("curr", "A"), "w": ("power", "W"), "g": ("acc", "g"), "m": ("height", "m"),
}  # fmt: skip
_BRACKETS = re.compile(r"^(?P<name>.*?)\s*(?:\[(?P<square>[^\[\]]*)\]|\((?P<round>[^()]*)\))\s*$")
_ENCLOSED = re.compile(r"[\[(]([^\[\]()]*)[\])]")
_SEPARATED = re.compile(r"^(?P<name>.+?)(?:\s*,\s*|\s+/\s+|\s+in\s+)(?P<unit>[^,]+)$")


def is_unit(text: str) -> bool:
    """Whether a text can be read as a unit: ``mm/s``, ``µg/m³``, ``kWh``; not ``inside``."""
    factors = [_EXPONENT.sub("", part) for part in re.split(r"[/·*]", text.strip()) if part != "1"]
    return bool(factors) and all(
        factor in _BASES or (factor[:1] in _PREFIXES and factor[1:] in _BASES)
        or _SAME.get(factor) is not None
        for factor in factors
    )  # fmt: skip


def split(header: str) -> tuple[str, str]:
    """The channel name and the unit of a column header; the unit is empty when none is told.

    >>> split("temperature [°C]"), split("pressure (bar)"), split("vibration_mm_s")
    (('temperature', '°C'), ('pressure', 'bar'), ('vibration', 'mm/s'))
    """
    header = " ".join(header.split())
    if match := _BRACKETS.match(header):
        unit = match["square"] if match["square"] is not None else match["round"]
        # In square brackets it is a unit by convention; (inside) or (x) belongs to the name.
        if match["name"] and (match["square"] is not None or is_unit(unit)):
            return match["name"], tidy(unit, match["name"])
    elif (match := _SEPARATED.match(header)) and is_unit(match["unit"]):
        return match["name"], tidy(match["unit"], match["name"])
    return _split_suffix(header)


def _split_suffix(header: str) -> tuple[str, str]:
    name, _, last = header.rpartition(" ")
    # Only what can be no word of the name: "flow l/min", "humidity %", not "motor A".
    if name and re.search(r"[/°%²³]", last) and is_unit(last):
        return name, tidy(last, name)
    parts = header.lstrip("_").split("_")
    for length in (2, 1):
        if len(parts) > length and (unit := _SUFFIXES.get("_".join(parts[-length:]).lower())):
            return header[: -1 - len("_".join(parts[-length:]))], unit
    quantity, unit = _LETTERS.get(parts[-1].lower(), ("", ""))
    if quantity and len(parts) > 1 and quantity in header.lower():
        return "_".join(parts[:-1]), unit
    return header, ""


def tidy(unit: str, name: str = "") -> str:
    """A unit as it is commonly written; a bare C or F of a temperature gets its degree sign."""
    enclosed = _ENCLOSED.fullmatch(unit.strip())  # a row of units may have them in brackets
    unit = (enclosed[1] if enclosed else unit).strip()
    if unit in ("C", "F") and "temp" in name.lower():
        return f"°{unit}"
    return "" if unit in ("-", "1") else _SAME.get(unit, unit)
