"""Photographs that are drawn: shaded, blurred and grainy, as a camera would take such things."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from agentctx import Memory, Observation
from agentctx.config import Config

START = datetime(2026, 3, 14, 9, tzinfo=UTC)
ENCODERS = ("minilm", "sensor-features", "pictures", "picture-features")


def taken(image: Image.Image, grain: float, blur: float, seed: int) -> Image.Image:
    """A drawing as a lens and a sensor give it."""
    pixels = np.asarray(image.filter(ImageFilter.GaussianBlur(blur)), np.float32)
    noise = np.random.default_rng(seed).normal(0, grain, pixels.shape[:2])
    return Image.fromarray(np.clip(pixels + noise[..., None], 0, 255).astype(np.uint8))


def honeycomb() -> Image.Image:
    """Six-sided cells in yellow and brown."""
    random = np.random.default_rng(3)
    image = Image.new("RGB", (360, 360), (120, 70, 10))
    draw = ImageDraw.Draw(image)
    corners = np.pi / 6 + np.arange(6) * np.pi / 3
    for row in range(-1, 12):
        for column in range(-1, 12):
            x, y = column * 45.2 + (row % 2) * 22.6, row * 39.0
            cell = zip(x + 22.4 * np.cos(corners), y + 22.4 * np.sin(corners), strict=True)
            draw.polygon(list(cell), fill=(230, 170 + int(random.integers(-30, 30)), 40))
    return taken(image, 12, 1.2, 1)


def spider_web() -> Image.Image:
    """White threads, rays and rings, before dark green."""
    image = Image.new("RGB", (360, 360), (30, 50, 30))
    draw = ImageDraw.Draw(image)
    turns = np.arange(37) * np.pi / 18
    for turn in turns[::2]:
        draw.line((180, 180, 180 + 300 * np.cos(turn), 180 + 300 * np.sin(turn)), (220,) * 3)
    for radius in range(12, 230, 11):
        away = radius * (1 - 0.08 * (np.arange(37) % 2))
        ring = zip(180 + away * np.cos(turns), 180 + away * np.sin(turns), strict=True)
        draw.line(list(ring), (220,) * 3)
    return taken(image, 12, 0.6, 2)


def clock() -> Image.Image:
    """A white dial with twelve marks and two hands in a dark frame."""
    image = Image.new("RGB", (360, 360), (150, 110, 80))
    draw = ImageDraw.Draw(image)
    draw.ellipse((40, 40, 320, 320), (40, 30, 25))
    draw.ellipse((58, 58, 302, 302), (240, 236, 225))
    for hour in np.arange(12) * np.pi / 6:
        x, y = np.cos(hour), np.sin(hour)
        mark = (180 + 100 * x, 180 + 100 * y, 180 + 115 * x, 180 + 115 * y)
        draw.line(mark, (20, 20, 20), 6)
    draw.line((180, 180, 180, 90), "black", 7)
    draw.line((180, 180, 250, 210), "black", 9)
    return taken(image, 8, 1.2, 3)


def ball() -> Image.Image:
    """A yellow ball in slanting light, on green."""
    y, x = np.mgrid[:360, :360]
    across, down = (x - 180) / 130, (y - 180) / 130
    away = across**2 + down**2
    up = np.sqrt(np.clip(1 - away, 0, 1))
    light = np.clip(0.35 + 0.75 * (0.7 * up - 0.4 * across - 0.5 * down), 0, 1.2)[..., None]
    lawn = np.array([60, 120, 60]) * (0.7 + 0.3 * y / 360)[..., None]
    pixels = np.where((away < 1)[..., None], np.array([200, 230, 40]) * light, lawn)
    return taken(Image.fromarray(pixels.clip(0, 255).astype(np.uint8)), 13, 0.1, 4)


def screen(lines: Sequence[str]) -> Image.Image:
    """A window with a title bar and lines of text."""
    image = Image.new("RGB", (640, 420), "white")
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, 640, 36), (40, 70, 120))
    for row, line in enumerate(lines):
        draw.text((24, 60 + row * 40), line, "black", ImageFont.load_default(22))
    return image


PHOTOS = {"honeycomb": honeycomb, "spider web": spider_web, "clock": clock, "ball": ball}


@pytest.fixture(scope="session")
def photos() -> Mapping[str, Image.Image]:
    """The drawn photographs by what they show."""
    return {name: make() for name, make in PHOTOS.items()}


@pytest.fixture(scope="session")
def album(
    photos: Mapping[str, Image.Image], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Memory]:
    """A memory of the photographs, a screen, and some notes, a minute apart; only to be read."""
    folder = tmp_path_factory.mktemp("album")
    with Memory.open(folder / "memory", Config(encoders=ENCODERS)) as memory:
        for minute, (name, image) in enumerate(photos.items()):
            path = folder / f"IMG_{minute}.jpg"
            image.save(path, quality=90)
            report = memory.add(
                path, captured_at=START + timedelta(minutes=minute), attributes={"really": name}
            )
            assert not report.failed
        path = folder / "screen.png"
        screen(["Invoice 4711", "Total amount 310 EUR", "Due on Friday"]).save(path)
        memory.add(path, captured_at=START + timedelta(minutes=10))
        memory.add(notes())
        yield memory


def notes() -> list[Observation]:
    """What somebody wrote meanwhile."""
    said = (
        "The rent is due on the first of the month.",
        "Bob repaired the pump at the mill.",
        "We meet in the small kitchen at noon.",
        "The keys are under the blue mat.",
    )
    return [
        Observation(text=text, captured_at=START + timedelta(minutes=20 + n), session="notes")
        for n, text in enumerate(said)
    ]
