"""What is done to a good file: each mutation is a function of its bytes and a seeded generator."""

import random
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import PurePath

Mutation = Callable[[bytes, random.Random], bytes]

_EXTREMES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF)
_HEADER = 64


def _cut(share: float) -> Mutation:
    """Ends after a share of its bytes, give or take a few."""

    def mutate(data: bytes, chance: random.Random) -> bytes:
        return data[: max(1, int(len(data) * share) - chance.randrange(8))]

    return mutate


def _cut_header(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(1, min(len(data), _HEADER))]


def _cut_tail(data: bytes, chance: random.Random) -> bytes:
    return data[: -chance.randrange(1, min(len(data), 24))]


def _flip(count: int, first: int = 0, within: int | None = None) -> Mutation:
    """Flips so many bits, of the whole file or of a part of it."""

    def mutate(data: bytes, chance: random.Random) -> bytes:
        changed = bytearray(data)
        end = len(data) if within is None else min(len(data), first + within)
        for _ in range(count):
            changed[chance.randrange(min(first, end - 1), end)] ^= 1 << chance.randrange(8)
        return bytes(changed)

    return mutate


def _swap(data: bytes, chance: random.Random) -> bytes:
    a, b, c = sorted(chance.sample(range(len(data) + 1), 3))
    return data[:a] + data[b:c] + data[a:b] + data[c:]


def _filled(value: int) -> Mutation:
    """Overwrites a stretch with one value."""

    def mutate(data: bytes, chance: random.Random) -> bytes:
        start = chance.randrange(len(data))
        length = min(len(data) - start, chance.randrange(1, max(2, len(data) // 4)))
        return data[:start] + bytes([value]) * length + data[start + length :]

    return mutate


def _zero_header(data: bytes, chance: random.Random) -> bytes:
    start = chance.choice((0, 4, 8, 12))
    return data[:start] + bytes(min(_HEADER, len(data)) - start) + data[_HEADER:]


def _lying_number(data: bytes, chance: random.Random) -> bytes:
    """Puts extreme numbers where the file has others: in its first and its last kilobyte."""
    changed = bytearray(data)
    for _ in range(chance.randrange(1, 4)):
        form = chance.choice(("<I", ">I", "<H", ">H"))
        size = struct.calcsize(form)
        head = chance.random() < 0.7
        low = 0 if head else max(0, len(data) - 1024)
        high = min(len(data), 1024) if head else len(data)
        at = chance.randrange(low, max(low + 1, high - size))
        number = chance.choice(_EXTREMES) & (256**size - 1)
        changed[at : at + size] = struct.pack(form, number)
    return bytes(changed)


def _repeated(data: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(data))
    part = data[start : start + chance.randrange(1, 512)]
    return data[:start] + part * chance.randrange(2, 200) + data[start:]


def _inserted(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data))
    return data[:at] + chance.randbytes(chance.randrange(1, 64)) + data[at:]


def _reversed_end(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data))
    return data[:at] + data[at:][::-1]


MUTATIONS: Mapping[str, Mutation] = {
    "cut-header": _cut_header,
    "cut-quarter": _cut(0.25),
    "cut-most": _cut(0.8),
    "cut-tail": _cut_tail,
    "flip-1": _flip(1),
    "flip-header": _flip(3, first=8, within=120),
    "flip-64": _flip(64),
    "swap": _swap,
    "zeros": _filled(0),
    "ones": _filled(255),
    "zero-header": _zero_header,
    "lying-number": _lying_number,
    "lying-number-2": _lying_number,
    "repeated": _repeated,
    "inserted": _inserted,
    "reversed-end": _reversed_end,
}


def disguised(names: Sequence[str], chance: random.Random) -> Iterator[tuple[str, str]]:
    """Each file once under the extension of another: pairs of its name and the new extension."""
    suffixes = sorted({PurePath(name).suffix for name in names})
    for name in names:
        others = [suffix for suffix in suffixes if suffix != PurePath(name).suffix]
        yield name, chance.choice(others)


def spliced(one: bytes, other: bytes, chance: random.Random) -> bytes:
    """The beginning of one file and the end of another."""
    cut, start = chance.randrange(1, len(one)), chance.randrange(len(other))
    return one[:cut] + other[start:]
