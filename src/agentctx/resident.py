"""How much memory this process holds, and giving back what it does not use."""

import ctypes
import os
from functools import cache
from pathlib import Path
from typing import Any

# So much growth is worth giving back: that takes tens of milliseconds, and taking it again too.
_GROWTH = 256 << 20
_STATM = Path("/proc/self/statm")


def resident() -> int:
    """The bytes of memory this process holds; 0 where the system does not tell."""
    try:
        pages = int(_STATM.read_text("ascii").split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def give_back(held: int) -> int:
    """Give freed memory back once the process has grown by 256 MiB over what it ``held``.

    The C library keeps what large pictures and recordings took, and adds to it with each. Gives
    the bytes that are held now, for the next call; does nothing where there is no glibc.
    """
    now = resident()
    if now <= held + _GROWTH:
        return min(held, now) if held else now
    trim = _trim()
    if trim is None:
        return now
    trim(0)
    return resident()


@cache
def _trim() -> Any:  # noqa: ANN401
    try:
        return ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):
        return None
