"""The screens: HTML pages, filled with the readings of their second and pictured in Chromium."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from string import Template

import numpy as np
from PIL import Image

from agentctx.evaluate.days.pictures import shoot
from demo_makers.sensor import Signals
from demo_makers.story import (
    ALARM,
    CURRENT,
    PRESSURE,
    SCREENS,
    START,
    STOP_A,
    TEMPERATURE,
    VIBRATION,
    Floats,
    SampleError,
    at,
    stamp,
)

PAGES = Path(__file__).parents[1] / "demo_pages"
WIDTH, HEIGHT = 1280, 800  # px
ALARM_ROWS = (
    ("08:41:17", "F-233", "Filter 3 head loss high", "cleared"),
    ("07:58:02", "L-081", "Clear water tank level high", "cleared"),
    ("05:20:46", "D-150", "Chlorine dosing, carrier flow low", "cleared"),
    ("04:12:09", "P-019", "Mains supply, phase dip", "cleared"),
    ("02:37:55", "F-231", "Filter 1 head loss high", "cleared"),
    ("00:18:30", "R-005", "Raw water turbidity high", "cleared"),
)
JOURNAL_ROWS = (
    ("09:19:08", "Sensor gateway of pump A back"),
    ("09:18:41", "Sensor gateway of pump A lost"),
    ("09:15:30", "Pump A stopped by operator"),
    ("09:15:10", "Pump B started by operator"),
    ("09:12:41", "Alarm of pump A acknowledged"),
    ("08:52:10", "Filter 2 back in service"),
)


def points(values: Floats, low: float, high: float, box: tuple[int, int, int, int]) -> str:
    """An SVG polyline's points for values between low and high in a box x, y, width, height."""
    x, y, width, height = box
    across = x + np.linspace(0, width, len(values))
    down = y + height * (1 - (np.clip(values, low, high) - low) / (high - low))
    return " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(across, down, strict=True))


def spark(values: Floats, low: float, high: float, colour: str) -> str:
    """A small line without axes."""
    line = points(values[::4], low, high, (2, 4, 162, 62))
    return (
        '<svg width="166" height="72"><rect width="166" height="72" rx="4" fill="#15202a"/>'
        f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="1.6"/></svg>'
    )


def chart(values: Floats, end: int, low: float, high: float, colour: str) -> str:
    """A trend of 30 minutes with a grid, a clock axis and a value axis."""
    parts = []
    for i in range(5):
        y, value = 14 + i * 57, high - i * (high - low) / 4
        parts.append(f'<path d="M58 {y} H920" stroke="#2f3e4b"/>')
        parts.append(f'<text x="46" y="{y + 5}" text-anchor="end">{value:.1f}</text>')
    for tick in range(-(-(end - 1800) // 300) * 300, end + 1, 300):
        x = 58 + 862 * (tick - end + 1800) / 1800
        clock = START + timedelta(seconds=tick)
        parts.append(f'<path d="M{x:.0f} 14 V242" stroke="#2f3e4b"/>')
        parts.append(f'<text x="{x:.0f}" y="262" text-anchor="middle">{clock:%H:%M}</text>')
    line = points(values[::5], low, high, (58, 14, 862, 228))
    parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
    body = "".join(parts)
    return f'<svg width="926" height="272" font-size="14" fill="#a8bac7">{body}</svg>'


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The rows of an HTML table; a row that ends in ACTIVE is set hot."""
    lines = ["<tr>" + "".join(f"<th>{cell}</th>" for cell in header) + "</tr>"]
    for row in rows:
        mark = ' class="hot"' if row[-1] == "ACTIVE" else ""
        lines.append(f"<tr{mark}>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>")
    return "".join(lines)


def dashboard(signals: Signals, offset: int) -> dict[str, str]:
    """What the overview shows beyond the readings: the pumps' states, banner, list and lines."""
    alarm, changed = ALARM <= offset < STOP_A, offset >= STOP_A
    banner = '<div class="banner ok">No active alarm</div>'
    rows: Sequence[Sequence[str]] = ALARM_ROWS
    if alarm:
        raised = f"{START + timedelta(seconds=ALARM):%H:%M:%S}"
        rows = ((raised, "V-417", "Pump A vibration high high", "ACTIVE"), *ALARM_ROWS[:5])
        banner = (
            '<div class="banner alarm"><span>ALARM V-417</span><span>Pump A vibration high high'
            f"</span><span>raised {raised}</span><button>Acknowledge</button></div>"
        )
    return {
        "banner": banner,
        "state_a": "stopped" if changed else "alarm" if alarm else "running",
        "class_a": "stopped" if changed else "fault" if alarm else "running",
        "fill_a": "#546572" if changed else "#c62828" if alarm else "#2e7d4f",
        "ink_a": "#ff7b6e" if alarm else "#a8bac7",
        "hot": "hot" if alarm else "",
        "state_b": "running" if changed else "standby",
        "class_b": "running" if changed else "standby",
        "fill_b": "#2e7d4f" if changed else "#546572",
        "vibration_b": "1.9" if changed else "0.2",
        "temperature_b": "39.4" if changed else "17.8",
        "current_b": "41.2" if changed else "0.0",
        "tank": "3.42" if not changed else "3.38",
        "flow": "409" if changed else "396" if alarm else "412",
        "spark_a": spark(signals.last(VIBRATION, offset, 600), 0, 16, "#4fb3d9"),
        "spark_b": spark(signals.last(PRESSURE, offset, 600), 4.5, 6.5, "#7fc79a"),
        "list_title": "Event journal" if changed else "Alarm list",
        "list_rows": table(("Time", "Event"), JOURNAL_ROWS)
        if changed
        else table(("Time", "Code", "Text", "State"), rows),
    }


def render(signals: Signals, clock: str, template: str, folder: Path) -> Path:
    """Fill a page's template with the readings of its second and picture it in Chromium."""
    offset = at(clock)
    fields = {
        "clock": clock,
        "vibration": f"{signals.value(VIBRATION, offset):.1f}",
        "temperature": f"{signals.value(TEMPERATURE, offset):.1f}",
        "pressure": f"{signals.value(PRESSURE, offset):.2f}",
        "current": f"{signals.value(CURRENT, offset):.1f}",
        "temperature_before": f"{signals.value(TEMPERATURE, offset - 1800):.1f}",
        "chart_temperature": chart(
            signals.last(TEMPERATURE, offset, 1800), offset, 44, 60, "#f0a35e"
        ),
        "chart_pressure": chart(signals.last(PRESSURE, offset, 1800), offset, 5, 6.6, "#7fc79a"),
        **dashboard(signals, offset),
    }
    page, picture = folder / "page.html", folder / f"{clock.replace(':', '')}.png"
    page.write_text(
        Template((PAGES / template).read_text(encoding="utf-8")).substitute(fields),
        encoding="utf-8",
    )
    shoot(page, picture, (WIDTH, HEIGHT))
    return picture


def write_screens(signals: Signals, out: Path) -> None:
    """Render every page and keep it as a palette PNG."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copy(PAGES / "scada.css", folder)
        for clock, (stem, template) in SCREENS.items():
            with Image.open(render(signals, clock, template, folder)) as picture:
                if picture.size != (WIDTH, HEIGHT):
                    raise SampleError(f"{stem} is {picture.size} pixels, not {(WIDTH, HEIGHT)}")
                palette = picture.convert("RGB").quantize(256, dither=Image.Dither.NONE)
            palette.save(out / f"{stamp(clock, stem)}.png", optimize=True)
