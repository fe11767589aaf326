"""Which window is in front, where the desktop tells it: on X11."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple


class Window(NamedTuple):
    """What is written above a window, and the program that it belongs to; empty if unknown."""

    title: str = ""
    app: str = ""


class Desktop:
    """The windows of an X11 display; made by `desktop`."""

    def __init__(self, display: Any) -> None:  # noqa: ANN401
        self._display = display

    def front(self) -> Window:
        """The window that the window manager calls active, or else that has the keyboard."""
        from Xlib.error import ConnectionClosedError, XError

        try:
            window = self._active() or self._focused()
            return Window() if window is None else self._told(window)
        except (XError, ConnectionClosedError):  # the window was closed meanwhile, or the display
            return Window()

    def _active(self) -> Any:  # noqa: ANN401
        root = self._display.screen().root
        found = self._property(root, "_NET_ACTIVE_WINDOW")
        if found is None or not found[0]:
            return None
        return self._display.create_resource_object("window", found[0])

    def _focused(self) -> Any:  # noqa: ANN401
        window = self._display.get_input_focus().focus
        # The keyboard may be with a part of a window; its title is on the one around it.
        while hasattr(window, "query_tree"):
            if self._title(window):
                return window
            window = window.query_tree().parent
        return None

    def _told(self, window: Any) -> Window:  # noqa: ANN401
        app = window.get_wm_class()
        return Window(self._title(window), app[1] if app else "")

    def _title(self, window: Any) -> str:  # noqa: ANN401
        for name, encoding in (("_NET_WM_NAME", "utf-8"), ("WM_NAME", "latin-1")):
            found = self._property(window, name)
            if found is not None and len(found):
                data = found if isinstance(found, bytes) else str(found).encode()
                return data.decode(encoding, "replace")
        return ""

    def _property(self, window: Any, name: str) -> Any:  # noqa: ANN401
        from Xlib.X import AnyPropertyType

        found = window.get_full_property(self._display.intern_atom(name), AnyPropertyType)
        return None if found is None else found.value


@contextmanager
def desktop(display: str | None) -> Iterator[Desktop | None]:
    """The windows of a display while this lasts; None where nobody tells of them."""
    if sys.platform != "linux":
        yield None
        return
    from Xlib.display import Display
    from Xlib.error import ConnectionClosedError, DisplayError

    try:
        opened = Display(display)
    except DisplayError:  # a Wayland desktop without X; whether it can be seen at all, mss says
        yield None
        return
    try:
        yield Desktop(opened)
    finally:
        with suppress(ConnectionClosedError):  # the display may have ended
            opened.close()
