"""Sound cut into blocks by its content, to find the same samples again wherever they are.

A block ends where a hash of the 16 samples before has nine zero bits, so that where two recordings
hold the same samples, they have the same blocks, whatever comes before (content-defined chunking:
Muthitacharoen et al., "A low-bandwidth network file system", 2001). A block is equal only to one of
the same samples, bit for bit: sound that was encoded again, resampled at another offset, or made
louder has other blocks.
"""

import hashlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agentctx.plugins.speech.audio import RATE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Blocks of 512 samples (32 ms) on average: what is not found at either end of a repeat is of
# that order, less than a syllable.
_BITS = 9
_REACH = 16  # samples that decide on an end
_AT_ONCE = 60 * RATE  # hashed at once, so that an hour needs no gigabyte
_ODD = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F)

# Shorter sounds are the same by chance, or on purpose: a beep, a click.
LEAST_SECONDS = 1.0
_LEAST_BLOCKS = 4
_PLACES = 16  # at most so many, the likeliest, are looked at


@dataclass(frozen=True, slots=True, eq=False)
class Blocks:
    """The blocks of a sound: where each starts (the last entry: where the last ends), its digest.

    ``starts``: int64 [n + 1], in samples; ``digests``: uint64 [n]. What comes before the first end
    and after the last belongs to no block.
    """

    starts: "NDArray[np.int64]"
    digests: "NDArray[np.uint64]"

    @classmethod
    def of(cls, samples: "NDArray[np.int16]") -> "Blocks":
        """The blocks of int16 [n] at 16 kHz."""
        import numpy as np

        starts = np.concatenate([np.zeros(0, np.int64), *_ends(samples)])
        data = np.ascontiguousarray(samples)
        digests = b"".join(
            hashlib.blake2b(data[start:end].data, digest_size=8).digest()
            for start, end in itertools.pairwise(starts)
        )
        return cls(starts, np.frombuffer(digests, np.uint64))


def _ends(samples: "NDArray[np.int16]") -> "Iterator[NDArray[np.int64]]":
    import numpy as np

    for first in range(0, len(samples), _AT_ONCE):
        part = samples[first : first + _AT_ONCE + _REACH - 1]
        if len(part) < _REACH:
            return
        one = part.view(np.uint16).astype(np.uint64)
        # Four samples in each number, hashed; four of these make the sixteen.
        four = one[:-3] | one[1:-2] << 16 | one[2:-1] << 32 | one[3:] << 48
        four = (four + np.uint64(1)) * np.uint64(_ODD[0])
        four ^= four >> 29
        whole = four[:-12] + 3 * four[4:-8] + 5 * four[8:-4] + 7 * four[12:]
        whole *= np.uint64(_ODD[1])
        yield np.flatnonzero(whole >> np.uint64(64 - _BITS) == 0) + first + _REACH


@dataclass(frozen=True, slots=True)
class Stretch:
    """Samples ``start`` to ``end`` of one sound are those from ``start + shift`` on of another."""

    start: int
    end: int
    shift: int


def repeats(new: Blocks, old: Blocks) -> list[Stretch]:
    """Where a sound holds, for a second or more, the samples of an older one; in order of time.

    A stretch that the older one has several times is given once.
    """
    import numpy as np

    if not (len(new.digests) and len(old.digests)):
        return []
    order = np.argsort(old.digests, kind="stable")
    known = old.digests[order]
    left = np.searchsorted(known, new.digests, "left")
    once = np.searchsorted(known, new.digests, "right") - left == 1
    shifts = old.starts[order[left[once]]] - new.starts[:-1][once]
    found, counts = np.unique(shifts, return_counts=True)
    likely = found[np.argsort(-counts, kind="stable")][:_PLACES]
    stretches: list[Stretch] = []
    for shift in likely[np.sort(counts)[::-1][:_PLACES] >= _LEAST_BLOCKS].tolist():
        for stretch in _runs(new, old, shift):
            if all(stretch.end <= s.start or s.end <= stretch.start for s in stretches):
                stretches.append(stretch)
    return sorted(stretches, key=lambda stretch: stretch.start)


def _runs(new: Blocks, old: Blocks, shift: int) -> Iterator[Stretch]:
    """The runs of blocks that are equal at this shift."""
    import numpy as np

    at = np.searchsorted(old.starts, new.starts[:-1] + shift)
    at = np.minimum(at, len(old.digests) - 1)
    same = (old.starts[at] == new.starts[:-1] + shift) & (old.digests[at] == new.digests)
    edges = np.flatnonzero(np.diff(np.pad(same.astype(np.int8), 1)))
    for first, last in edges.reshape(-1, 2).tolist():
        start, end = int(new.starts[first]), int(new.starts[last])
        if end - start >= LEAST_SECONDS * RATE:
            yield Stretch(start, end, shift)
