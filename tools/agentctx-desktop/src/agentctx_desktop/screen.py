"""The screen, whenever something on it has changed."""

import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

from agentctx.contracts import Arrival, Services
from agentctx.errors import ConfigError, SourceUnreadable
from agentctx_desktop.window import Window, desktop

if TYPE_CHECKING:
    from mss import MSS
    from PIL.Image import Image

    from agentctx.plugins.screenshot.frames import Screen as Frame


class Screen:
    """Screenshots of what is new on the screen.

    A screen is taken when enough of its pixels differ from the last one taken, or another window
    is in front: a blinking cursor or the seconds of a clock are no news. Its text is read by the
    plugin for screenshots; the window's title and program are with it where the desktop tells
    them (X11).
    """

    def __init__(
        self,
        services: Services,
        *,
        every: Annotated[float, "Seconds between looks."] = 2.0,
        change: Annotated[float, "The share of the pixels that must differ."] = 0.0005,
        monitor: Annotated[int, "Which; 0 is all of them as one picture."] = 1,
        display: Annotated[str | None, "Which X display, such as :0."] = None,
    ) -> None:
        del services
        if not 0.05 <= every <= 86_400:
            raise ConfigError(f"every is {every} s; it must be from 0.05 s to a day")
        if not 0 < change <= 1:
            raise ConfigError(f"change is {change}; it must be above 0 and at most 1")
        if monitor < 0:
            raise ConfigError(f"monitor is {monitor}; the first is 1, and 0 is all of them")
        self._every = every
        self._change = change
        self._monitor = monitor
        self._display = display

    @property
    def _name(self) -> str:
        return f"screen {self._monitor}" if self._monitor else "screens"

    def watch(self, stop: threading.Event) -> Generator[Arrival, None, None]:
        """A picture for each change. Raises SourceUnreadable where no screen can be seen."""
        last: Frame | None = None
        before = Window()
        with (
            TemporaryDirectory(prefix="agentctx-screen-") as folder,
            self._opened() as shots,
            desktop(self._display) as windows,
        ):
            path = Path(folder) / "screen.png"
            while not stop.is_set():
                window = windows.front() if windows else Window()
                now = datetime.now(UTC)
                image = self._shot(shots)
                frame = self._news(image, last, other=window != before)
                if frame is not None:
                    last, before = frame, window
                    # Small enough is soon enough: it is stored as it is.
                    image.save(path, compress_level=3)
                    told = {"title": window.title, "app": window.app}
                    attributes = {key: value for key, value in told.items() if value}
                    yield Arrival(
                        item=path, source=self._name, captured_at=now, attributes=attributes
                    )
                stop.wait(self._every)

    def _news(self, image: "Image", last: "Frame | None", *, other: bool) -> "Frame | None":
        """The screen to compare with from now on, None when it shows nothing new."""
        from agentctx.plugins.screenshot.frames import Screen as Frame
        from agentctx.plugins.screenshot.frames import changed

        frame = Frame.of(image, lossy=False)
        if last is None or last.grey.shape != frame.grey.shape:
            return frame
        share = float(changed(last, frame).mean())
        return frame if share >= self._change or (other and share > 0) else None

    @contextmanager
    def _opened(self) -> "Iterator[MSS]":
        from mss import MSS, ScreenShotError

        try:
            shots = MSS() if self._display is None else MSS(display=self._display)
        except ScreenShotError as error:
            raise SourceUnreadable(
                self._name, f"there is no screen to see: {error}; check DISPLAY, or --display"
            ) from error
        try:
            if self._monitor >= len(shots.monitors):
                raise SourceUnreadable(
                    self._name, f"there are {len(shots.monitors) - 1} monitors; check --monitor"
                )
            yield shots
        finally:
            with suppress(ScreenShotError):  # the display may have ended
                shots.close()

    def _shot(self, shots: "MSS") -> "Image":
        from mss import ScreenShotError
        from PIL import Image

        try:
            shot = shots.grab(shots.monitors[self._monitor])
        except (ScreenShotError, AssertionError) as error:  # mss asserts that the display is there
            raise SourceUnreadable(
                self._name, "it cannot be seen any more; start again when there is a display"
            ) from error
        return Image.frombytes("RGB", shot.size, shot.bgra, "raw", "BGRX")
