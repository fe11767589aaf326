"""A small memory of every modality, as an agent's tools find it."""

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import settings
from PIL import Image, ImageDraw, ImageFont

from agentctx import Memory, Observation

# For those with time: --hypothesis-profile long.
settings.register_profile("long", max_examples=1000)

NINE = datetime(2026, 3, 14, 9, tzinfo=UTC)
SAID = [
    "The valve of pump two is stuck again.",
    "I close it by hand and call the mechanic.",
    "He can come on Monday, so pump two stays off.",
]


def draw(path: Path, *lines: str) -> Path:
    """A screenshot with these lines."""
    picture = Image.new("RGB", (640, 60 + 40 * len(lines)), "white")
    pen = ImageDraw.Draw(picture)
    for number, line in enumerate(lines):
        pen.text((30, 30 + 40 * number), line, "black", ImageFont.load_default(24))
    picture.save(path)
    return path


def log(path: Path, name: str = "pressure (bar)") -> Path:
    """Twenty minutes of a channel, a reading each second, with a fall after ten."""
    rows = (
        f"{(NINE + timedelta(seconds=s)).isoformat()},{5 - 2 * (s > 600) + 0.01 * math.sin(s):.3f}"
        for s in range(1200)
    )
    path.write_text(f"time,{name}\n" + "\n".join(rows) + "\n")
    return path


@pytest.fixture(scope="package")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Memory]:
    """Speech, two screens, a sensor log and a long text around nine o'clock; not to be changed."""
    folder = tmp_path_factory.mktemp("agents")
    with Memory.open(folder / "memory") as memory:
        said = [
            Observation(
                modality="speech",
                text=text,
                captured_at=NINE + timedelta(minutes=10, seconds=5 * number),
                duration=4.0,
                session="shift",
                source="radio.wav",
            )
            for number, text in enumerate(SAID)
        ]
        manual = " ".join(f"Step {n}: check the seal and note its wear." for n in range(300))
        manual_ = Observation(text=manual, captured_at=NINE, session="shift", source="manual.txt")
        memory.add([*said, manual_])
        for minute, lines in (
            (5, ["Pump 2 running", "no alarm"]),
            (11, ["Pump 2 stopped", "ALARM"]),
        ):
            shot = draw(folder / f"screen-{minute}.png", *lines)
            memory.add(shot, session="shift", captured_at=NINE + timedelta(minutes=minute))
        memory.add(log(folder / "pump.csv"), session="shift")
        yield memory
