"""Windows of bytes as salted fingerprints, and where a block of bytes has them.

A fingerprint is 64 bits: the upper half a multilinear hash modulo 2^64 of the window's 8-byte
words (Lemire and Kaser 2014, "Strongly universal string hashing is fast"), which numpy computes
at many offsets at once; the lower half a keyed BLAKE2b of the window, which is computed only
where the upper half is one that is sought. Nobody reads a window back from these; but who has
the salt can try what it may have been.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]

SALT_BYTES = 16
# Of blocks that a processor's second-level cache holds with what is made of them, a scan is fast.
BLOCK = 1 << 19
_HALF = np.uint64(32)
_WORD = 8
# 1.6 % of what is not sought gets past a table 64 times as large as what is in it.
_SPARSENESS = 64
_LEAST_BITS, _MOST_BITS = 10, 24


@dataclass(frozen=True, slots=True)
class View:
    """One way to look at bytes: in windows of ``width`` bytes.

    Of ``floats``, the lowest 12 of each float32's 32 bits do not count: Chroma makes vectors of
    length 1 anew. Of random unit vectors [384], 29 % came out bit by bit as they went in and the
    others up to 8 units in the last place off; without 12 bits, 99.7 % of the windows of 8 floats
    were the same.
    """

    name: str
    width: int
    floats: bool = False

    @property
    def phases(self) -> range:
        """Where within every 8 bytes windows are looked for: at every other byte (or float).

        That is enough, because of whatever is sought windows are taken at even and odd places.
        """
        return range(_WORD // 2) if self.floats else range(0, _WORD, 2)


BYTES_8 = View("bytes 8", 8)
BYTES_16 = View("bytes 16", 16)
BYTES_32 = View("bytes 32", 32)
FLOATS = View("floats", 32, floats=True)
VIEWS: Mapping[str, View] = {v.name: v for v in (BYTES_8, BYTES_16, BYTES_32, FLOATS)}
WIDEST = max(view.width for view in VIEWS.values())
EVERY_PHASE = range(_WORD)

_FLOAT_BITS = np.uint64(0xFFFFF000_FFFFF000)


class _Room:
    """Arrays that are used again for every block: new ones cost more than what is done in them."""

    def __init__(self, words: int) -> None:
        self._words = np.empty((5, words), np.uint64)
        self._bytes = np.empty((2, words), np.uint8)

    def words(self, number: int, count: int) -> Words:
        """A scratch array of so many words."""
        return self._words[number, :count]

    def bytes(self, number: int, count: int) -> NDArray[np.uint8]:
        """A scratch array of so many bytes."""
        return self._bytes[number, :count]


class Key:
    """What a salt makes of windows."""

    def __init__(self, salt: bytes) -> None:
        self.salt = salt
        drawn = hashlib.blake2b(salt, digest_size=3 * _WORD, person=b"multipliers").digest()
        # Odd, so that multiplying loses nothing.
        self._first, self._second, self._last = np.frombuffer(drawn, "<u8") | np.uint64(1)

    def hashes(self, view: View, words: Words, room: _Room | None = None) -> Words:
        """The multilinear hashes of the windows of k words in rows of words [..., n].

        There are n - k + 1 in each row, one from every word on. With ``room``, the result is
        there, until the next call.
        """

        def out(number: int) -> Words | None:
            return room.words(number, count) if room else None

        count = words.shape[-1]
        if view.floats:
            words = np.bitwise_and(words, _FLOAT_BITS, out=out(1))
        if view.width > _WORD:
            count -= 1
            pairs = np.multiply(words[..., :-1], self._first, out=out(2))
            pairs += words[..., 1:]
            words = pairs
        if view.width > 2 * _WORD:
            count -= 2
            fours = np.multiply(words[..., :-2], self._second, out=out(3))
            fours += words[..., 2:]
            words = fours
        found: Words = np.multiply(words, self._last, out=out(4))
        return found

    def digest(self, view: View, window: bytes) -> int:
        """The keyed BLAKE2b (32 bits) of a window as the view sees it."""
        if view.floats:
            window = (np.frombuffer(window, "<u8") & _FLOAT_BITS).tobytes()
        found = hashlib.blake2b(window, digest_size=4, key=self.salt, person=b"window")
        return int.from_bytes(found.digest(), "little")

    def word(self, word: str) -> int:
        """The keyed BLAKE2b (64 bits) of a word."""
        data = word.encode("utf-8", "surrogatepass")
        found = hashlib.blake2b(data, digest_size=8, key=self.salt, person=b"word")
        return int.from_bytes(found.digest(), "little")

    def fingerprints(self, view: View, windows: NDArray[np.uint8]) -> Words:
        """The fingerprints of windows, uint8 [n, width]: sorted, each once."""
        rows = np.ascontiguousarray(windows)
        hashes = self.hashes(view, rows.view("<u8"))[:, 0]
        digests = [self.digest(view, row.tobytes()) for row in rows]
        return np.unique((hashes >> _HALF << _HALF) | np.array(digests, np.uint64))


@dataclass(frozen=True, slots=True, eq=False)
class _Sought:
    """The fingerprints of one view, sorted, and a table of bits that lets few others through."""

    view: View
    fingerprints: Words
    tags: NDArray[np.uint32]
    bits: int
    table: NDArray[np.uint8]

    @classmethod
    def of(cls, view: View, fingerprints: Words) -> "_Sought":
        wanted = (_SPARSENESS * len(fingerprints)).bit_length()
        bits = min(max(wanted, _LEAST_BITS), _MOST_BITS)
        table = np.zeros(1 << bits, np.uint8)
        table[(fingerprints >> np.uint64(64 - bits)).astype(np.int64)] = 1
        tags = (fingerprints >> _HALF).astype(np.uint32)
        return cls(view, fingerprints, tags, bits, np.packbits(table, bitorder="little"))

    def candidates(self, hashes: Words, room: _Room) -> NDArray[np.int64]:
        """Where hashes have the upper half of a fingerprint."""
        count = len(hashes)
        places, eighths, bit = room.words(1, count), room.bytes(0, count), room.bytes(1, count)
        np.right_shift(hashes, np.uint64(64 - self.bits), out=places)
        np.copyto(bit, places, casting="unsafe")
        bit &= np.uint8(7)
        places >>= np.uint64(3)
        # Small numbers: as signed ones they are the same.
        np.take(self.table, places.view(np.int64), out=eighths, mode="clip")
        eighths >>= bit
        eighths &= np.uint8(1)
        near = np.flatnonzero(eighths.view(np.bool_))
        tags = (hashes[near] >> _HALF).astype(np.uint32)
        at = np.searchsorted(self.tags, tags)
        at[at == len(self.tags)] = 0
        sought: NDArray[np.int64] = near[self.tags[at] == tags]
        return sought


def holds(ordered: Words, fingerprint: int) -> bool:
    """Whether this is one of the fingerprints, which are sorted."""
    at = int(ordered.searchsorted(np.uint64(fingerprint)))
    return at < len(ordered) and int(ordered[at]) == fingerprint


class Finder:
    """Finds fingerprints in blocks of bytes. Not for several threads at once."""

    def __init__(self, key: Key, sought: Mapping[View, Words]) -> None:
        self._key = key
        self._sought = [_Sought.of(view, found) for view, found in sought.items() if len(found)]
        self._room = _Room((BLOCK + 2 * WIDEST) // _WORD)

    @property
    def sought(self) -> bool:
        """Whether there is anything to be found."""
        return bool(self._sought)

    def find(
        self, data: bytes, stop: int, phases: Sequence[int] | None = None
    ) -> list[tuple[View, int, int]]:
        """The windows that begin before ``stop``, at most `BLOCK`: (view, offset, fingerprint).

        ``data`` goes on behind ``stop`` for a window's width, where there is more. ``phases``: the
        offsets within every 8 bytes to look at; None is those of each view.
        """
        found: list[tuple[View, int, int]] = []
        # Zeros behind the end, so that the last bytes begin a window of every view.
        padded = np.frombuffer(data[: stop + WIDEST] + bytes(WIDEST), np.uint8)
        for phase in EVERY_PHASE:
            looking = [
                sought
                for sought in self._sought
                if phase in (sought.view.phases if phases is None else phases)
            ]
            if not looking:
                continue
            count = (len(padded) - phase) // _WORD
            words = self._room.words(0, count)
            words.view(np.uint8)[:] = padded[phase : phase + count * _WORD]
            for sought in looking:
                found += self._in(sought, words, phase, padded, stop)
        return found

    def _in(
        self, sought: _Sought, words: Words, phase: int, padded: NDArray[np.uint8], stop: int
    ) -> list[tuple[View, int, int]]:
        found = []
        view = sought.view
        hashes = self._key.hashes(view, words, self._room)
        places = sought.candidates(hashes, self._room)
        tags = (hashes[places] >> _HALF << _HALF).tolist()
        for place, tag in zip(places.tolist(), tags, strict=True):
            offset = place * _WORD + phase
            window = padded[offset : offset + view.width].tobytes()
            fingerprint = tag | self._key.digest(view, window)
            if offset < stop and holds(sought.fingerprints, fingerprint):
                found.append((view, offset, fingerprint))
        return found
