"""Memory that is not used goes back to the system, where it can."""

import ctypes
import sys

import pytest

from agentctx import resident

MIB = 1 << 20


def test_what_the_process_holds_is_known() -> None:
    held = resident.resident()
    kept = bytearray(b"x" * (64 * MIB))
    if sys.platform == "linux":
        assert resident.resident() >= held + 60 * MIB
    else:
        assert held == 0
    del kept


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc can be asked to give memory back")
def test_what_was_freed_is_given_back() -> None:
    before = resident.give_back(0)
    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    libc.malloc.argtypes = [ctypes.c_size_t]
    libc.free.argtypes = [ctypes.c_void_p]
    # Small pieces, which the C library keeps; the last of them stays and holds the others' place.
    pieces = [libc.malloc(64 * 1024) for _ in range(8_000)]
    for piece in pieces:
        ctypes.memset(piece, 1, 64 * 1024)
    for piece in pieces[:-1]:
        libc.free(piece)
    grown = resident.resident()
    assert grown > before + 400 * MIB
    after = resident.give_back(before)
    assert after < grown - 300 * MIB
    assert after == pytest.approx(resident.resident(), abs=8 * MIB)
    libc.free(pieces[-1])


def test_a_little_growth_is_left_alone() -> None:
    held = resident.resident()
    assert resident.give_back(held) <= max(held, resident.resident())
