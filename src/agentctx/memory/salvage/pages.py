"""The pages of a damaged SQLite file and its write-ahead log, whatever SQLite thinks of them.

Written after https://www.sqlite.org/fileformat2.html, sections 1.3 and 4. Of the log, every frame
that its checksum proves counts, up to the last commit: SQLite stops at the first damaged frame.
"""

import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import BinaryIO, Protocol

import numpy as np
from numpy.typing import NDArray

# SQLite's default since 2016; the catalog never asks for another size.
_DEFAULT_SIZE = 4096
_SIZES = tuple(1 << n for n in range(9, 17))
MAGIC = b"SQLite format 3\0"
_WAL_MAGIC = (0x377F0682, 0x377F0683)
_WAL_HEADER = 32
_FRAME_HEADER = 24


class Decipher(Protocol):
    """Opens encrypted pages."""

    reserved: int

    def __call__(self, number: int, stored: bytes) -> bytes | None:
        """The page in clear; None when it was changed."""
        ...


@dataclass(frozen=True, slots=True)
class Log:
    """What of a write-ahead log is valid: where the newest version of each page is in it."""

    page_size: int
    frames: Mapping[int, int]
    page_count: int
    damaged: int


class Pages:
    """Pages of a file, numbered from 1; those in the log come before those in the file."""

    def __init__(self, file: BinaryIO, log_file: BinaryIO | None = None) -> None:
        self._file = file
        self._log_file = log_file
        self.log = read_log(log_file) if log_file else Log(0, {}, 0, 0)
        length = file.seek(0, os.SEEK_END)
        header = _read(file, 0, 100)
        # The header may lie, the log's own is proved by a checksum.
        self.size = self.log.page_size or _DEFAULT_SIZE
        self.count = self.log.page_count or _page_count(header, self.size, length)
        self._decipher: Decipher | None = None
        self.usable = self.size

    def decipher(self, decipher: Decipher) -> None:
        """Take the pages for encrypted ones from now on."""
        self._decipher = decipher
        self.usable = self.size - decipher.reserved

    def stored(self, number: int) -> bytes:
        """A page as it is stored; shorter, or empty, where the file ends before it."""
        at = self.log.frames.get(number)
        if at is not None and self._log_file is not None:
            return _read(self._log_file, at, self.size)
        return self.in_file(number)

    def in_file(self, number: int) -> bytes:
        """A page as it is in the file itself, which may be older than that in the log."""
        return _read(self._file, (number - 1) * self.size, self.size)

    def __getitem__(self, number: int) -> bytes | None:
        """A page in clear; None when there is none, or it cannot be decrypted."""
        stored = self.stored(number)
        if len(stored) < self.size:
            # What is left of a page that was cut is still worth looking at.
            stored = stored.ljust(self.size, b"\0") if stored and self._decipher is None else b""
        if not stored or self._decipher is None:
            return stored or None
        return self._decipher(number, stored)


def _read(file: BinaryIO, at: int, length: int) -> bytes:
    file.seek(at)
    return file.read(length)


def _page_count(header: bytes, size: int, length: int) -> int:
    whole = -(-length // size)
    if not header.startswith(MAGIC):
        return whole
    # Behind the last page there may be old ones; but a count that was damaged must hide nothing.
    count, changed, counted_at = (int.from_bytes(header[n : n + 4], "big") for n in (28, 24, 92))
    return count if 0 < count <= whole and changed == counted_at else whole


def read_log(file: BinaryIO) -> Log:
    """The valid frames of a write-ahead log up to its last commit."""
    header = _read(file, 0, _WAL_HEADER)
    if len(header) < _WAL_HEADER:
        return Log(0, {}, 0, 0)
    magic, _, size = struct.unpack(">III", header[:12])
    size = 65536 if size == 1 else size
    order = ">" if magic == _WAL_MAGIC[1] else "<"
    before = _sum((0, 0), header[:24], order)
    if magic not in _WAL_MAGIC or size not in _SIZES or before != struct.unpack(">II", header[24:]):
        return Log(0, {}, 0, 0)
    return _frames(file, header[16:24], size, order, before)


def _frames(file: BinaryIO, salt: bytes, size: int, order: str, before: tuple[int, int]) -> Log:
    committed: dict[int, int] = {}
    transaction: dict[int, int] = {}
    at, page_count, damaged, damaged_before = _WAL_HEADER, 0, 0, 0
    while len(frame := _read(file, at, _FRAME_HEADER + size)) == _FRAME_HEADER + size:
        number, commit = struct.unpack(">II", frame[:8])
        # Each frame's checksum goes on from that of the one before, as that one says it is: so a
        # damaged frame does not make those behind it worthless.
        said = struct.unpack(">II", frame[16:24])
        if frame[8:16] == salt and _sum(before, frame[:8] + frame[_FRAME_HEADER:], order) == said:
            transaction[number] = at + _FRAME_HEADER
            if commit:
                committed |= transaction
                transaction, page_count, damaged = {}, commit, damaged_before
        else:
            damaged_before += 1
        before = (said[0], said[1])
        at += len(frame)
    return Log(size if committed else 0, committed, page_count, damaged)


@cache
def _powers(pairs: int) -> NDArray[np.uint32]:
    # The checksum of n pairs of words (x, y) is s = M s + B (x, y) for each, modulo 2**32; these
    # are M**(n - 1 - i) B for each i, and M**n.
    step = np.array([[1, 1], [1, 2]], np.uint32)
    powers = [np.eye(2, dtype=np.uint32)]
    for _ in range(pairs):
        powers.append(step @ powers[-1])
    return np.stack(powers[::-1])


def _sum(before: tuple[int, int], data: bytes, order: str) -> tuple[int, int]:
    words = np.frombuffer(data, f"{order}u4").astype(np.uint32).reshape(-1, 2)
    powers = _powers(len(words))
    enters = np.array([[1, 0], [1, 1]], np.uint32)
    total = powers[0] @ np.array(before, np.uint32)
    total = total + np.einsum("nij,nj->i", powers[1:], words @ enters.T, dtype=np.uint32)
    return int(total[0]), int(total[1])
