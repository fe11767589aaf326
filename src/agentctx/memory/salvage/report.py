"""What a salvage says it did."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

Ranges = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Lost:
    """An observation that was there and is not any more: what is still known of it."""

    key: int
    id: str = ""
    modality: str = ""
    captured_at: datetime | None = None
    session: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class SalvageReport:
    """What was saved of a damaged catalog, and what was not.

    The counts are rows of the new catalog. Of them, ``unproven`` are ids of observations whose
    content no longer proves their id, since what was forgotten took their original along: they
    have the right form, but a damaged letter would not show. ``restored`` are ids of observations
    that came from Chroma's files as they were, ``partial`` the (new) ids of those that came from
    there with their texts, time, session and source only.

    ``lost`` are observations that were seen in an index or in another table; ``unaccounted`` are
    ranges (first, last) of keys that nothing is known of: forgotten earlier, never used, or lost
    without a trace. ``forgotten`` says how many of them the audit log explains. ``lost_rows``
    counts other rows that were seen and could not be kept. ``unencoded`` are ids of observations
    of which passages have no vector: words find them, and they are to be encoded again.
    ``media_alone`` are files in ``media/`` that belong to nothing now, ``media_absent`` digests
    whose file is not there. ``damaged_pages`` are ranges of ``pages`` that could not be read, or
    not whole, and ``damaged_frames`` counts those in the write-ahead log.

    ``chroma`` says whether Chroma's files could help: "current", "outdated" (something was
    forgotten since), "absent" or "damaged". ``kept`` is where the damaged file is now.
    """

    observations: int
    passages: int
    vectors: int
    token_matrix: int
    media: int
    ingested: int
    audit: int
    unproven: tuple[str, ...]
    restored: tuple[str, ...]
    partial: tuple[str, ...]
    lost: tuple[Lost, ...]
    unaccounted: Ranges
    forgotten: int
    lost_rows: Mapping[str, int]
    unencoded: tuple[str, ...]
    media_alone: tuple[str, ...]
    media_absent: tuple[str, ...]
    pages: int
    damaged_pages: Ranges
    damaged_frames: int
    chroma: str
    kept: Path | None

    @property
    def whole(self) -> bool:
        """Whether nothing is known to be lost but what can be made again."""
        return not (self.lost or self.lost_rows or self.unaccounted_beyond_forgotten)

    @property
    def unaccounted_beyond_forgotten(self) -> int:
        """How many keys are unaccounted for beyond those of forgotten observations."""
        count = sum(last - first + 1 for first, last in self.unaccounted)
        return max(0, count - self.forgotten)


def ranges(numbers: Iterable[int]) -> Ranges:
    """Numbers as ranges (first, last), both included."""
    found: list[tuple[int, int]] = []
    for number in sorted(numbers):
        if found and found[-1][1] == number - 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return tuple(found)


def gaps(last: int, known: Iterable[int]) -> Ranges:
    """What of 1 to ``last`` is not known, as ranges."""
    found = []
    before = 0
    for number in sorted({*known, last + 1}):
        if number > before + 1:
            found.append((before + 1, number - 1))
        before = number
    return tuple(found)
