"""The screens as pictures: all pages of a day side by side in one start of Chromium, cut apart.

A start takes one to two seconds, a page in it a tenth of one.
"""

import os
import tempfile
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from agentctx.errors import ProgramError
from agentctx.evaluate.days.pages import html
from agentctx.evaluate.days.programs import run
from agentctx.evaluate.days.records import SCREEN_SIZE, Day, Screen
from agentctx.extras import require

if TYPE_CHECKING:
    from collections.abc import Sequence

_ACROSS = 4
_CHROMIUM = "chromium"
_HINT = "install Chromium (Debian: apt install chromium)"


def picture(day: Day, folder: Path) -> None:
    """Write every screen of a day as PNG. Raises ProgramError without Chromium."""
    image = require("PIL.Image", extra="screen")
    width, height = SCREEN_SIZE
    rows = -(-len(day.screens) // _ACROSS)
    with tempfile.TemporaryDirectory() as name:
        page, tall = Path(name) / "pages.html", Path(name) / "pages.png"
        page.write_text(_sheet(day, day.screens), encoding="utf-8")
        shoot(page, tall, (_ACROSS * width, rows * height))
        with image.open(tall) as opened:
            whole = opened.convert("RGB")
    for number, screen in enumerate(day.screens):
        left, top = number % _ACROSS * width, number // _ACROSS * height
        path = folder / screen.file
        path.parent.mkdir(parents=True, exist_ok=True)
        part = whole.crop((left, top, left + width, top + height))
        part.quantize(256, dither=image.Dither.NONE).save(path, optimize=True)


def _sheet(day: Day, screens: "Sequence[Screen]") -> str:
    """One page with every screen in a frame of its own, so that styles do not mix."""
    width, height = SCREEN_SIZE
    frames = (
        f'<iframe style="left:{number % _ACROSS * width}px;top:{number // _ACROSS * height}px" '
        f'srcdoc="{escape(html(day, screen))}"></iframe>'
        for number, screen in enumerate(screens)
    )
    style = f"iframe{{position:absolute;border:0;width:{width}px;height:{height}px}}"
    return f'<!doctype html><meta charset="utf-8"><style>{style}</style>{"".join(frames)}'


def shoot(page: Path, target: Path, size: tuple[int, int]) -> None:
    """Picture an HTML file in a window of that size (px), by the system's Chromium.

    It keeps its profile beside the page. Raises ProgramError.
    """
    # Chromium refuses its sandbox to root.
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    run(
        _CHROMIUM, "--headless", *sandbox, "--disable-gpu", "--no-first-run", "--disable-sync",
        "--disable-background-networking", "--disable-component-update", "--hide-scrollbars",
        "--force-device-scale-factor=1", f"--user-data-dir={page.parent / 'profile'}",
        f"--window-size={size[0]},{size[1]}", f"--screenshot={target}", page.as_uri(),
        hint=_HINT,
    )  # fmt: skip
    if not target.exists():
        raise ProgramError(f"{_CHROMIUM} ended well but made no picture of {page}")
