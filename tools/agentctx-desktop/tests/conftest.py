"""A screen without a monitor, with windows to draw; and recordings of real speech."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

SAMPLES = Path(str(files("agentctx.demo"))) / "samples"
RATE = 16_000


class Window:
    """A window that shows a few words, drawn by us, and that has the keyboard."""

    def __init__(self, display: str, title: str, app: str = "plant") -> None:
        from Xlib import X
        from Xlib.display import Display

        self._display = Display(display)
        screen = self._display.screen()
        self._window = screen.root.create_window(
            40, 40, 560, 320, 0, screen.root_depth, background_pixel=screen.white_pixel
        )
        self._window.set_wm_class(app.lower(), app)
        self._window.map()
        self._display.sync()
        self._window.set_input_focus(X.RevertToParent, X.CurrentTime)
        self.entitle(title)
        self._context = self._window.create_gc()

    def entitle(self, title: str) -> None:
        """Write something above it."""
        atoms = (self._display.intern_atom(name) for name in ("_NET_WM_NAME", "UTF8_STRING"))
        name, utf8 = atoms
        self._window.change_property(name, utf8, 8, title.encode())
        self._display.sync()

    def show(self, *lines: str, at: int = 20) -> None:
        """Draw lines of text into it."""
        image = Image.new("RGB", (560, 320), "white")
        font = ImageFont.truetype("DejaVuSans.ttf", 22)
        for number, line in enumerate(lines):
            ImageDraw.Draw(image).text((20, at + 40 * number), line, "black", font)
        self._window.put_pil_image(self._context, 0, 0, image)
        self._display.sync()

    def dot(self, width: int, height: int, colour: str = "black") -> None:
        """Draw something small, such as a cursor."""
        image = Image.new("RGB", (width, height), colour)
        self._window.put_pil_image(self._context, 500, 280, image)
        self._display.sync()

    def close(self) -> None:
        """Let it go."""
        self._display.close()


@contextmanager
def made_display() -> Iterator[str]:
    """The name of a display of 800 x 600, with nothing on it."""
    if shutil.which("Xvfb") is None:
        pytest.skip("no display to test on; Debian: apt-get install xvfb")
    read, write = os.pipe()
    # It picks a free number, and tells it when it listens.
    command = [
        "Xvfb",
        "-displayfd",
        str(write),
        "-screen",
        "0",
        "800x600x24",
        "-noreset",
        "-nolisten",
        "tcp",
    ]
    with subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL) as process:
        os.close(write)
        with os.fdopen(read) as told:
            name = f":{told.readline().strip()}"
        try:
            yield name
        finally:
            process.terminate()


@pytest.fixture(scope="session")
def display() -> Iterator[str]:
    """The name of a display that stays."""
    with made_display() as name:
        yield name


@pytest.fixture
def short_display() -> Callable[[], AbstractContextManager[str]]:
    """What makes a display that ends."""
    return made_display


@pytest.fixture
def window(display: str) -> Iterator[Callable[..., Window]]:
    """``window(title)`` opens one."""
    opened: list[Window] = []

    def make(title: str, app: str = "plant") -> Window:
        opened.append(Window(display, title, app))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


Samples = np.ndarray[Any, np.dtype[np.int16]]


@pytest.fixture(scope="session")
def said() -> Callable[[str], Samples]:
    """``said(name)`` is a call of the demo, int16 at 16 kHz."""

    def samples(name: str) -> Samples:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
        with av.open(str(next(SAMPLES.glob(f"*{name}.ogg")))) as opened:
            parts = [out for frame in opened.decode(audio=0) for out in resampler.resample(frame)]
        return np.concatenate([part.to_ndarray().ravel() for part in parts])

    return samples


@pytest.fixture(scope="session")
def silence() -> Callable[[float], Samples]:
    """``silence(seconds)`` is a room in which nobody speaks."""

    def samples(seconds: float) -> Samples:
        return np.random.default_rng(0).normal(0, 30, round(seconds * RATE)).astype(np.int16)

    return samples
