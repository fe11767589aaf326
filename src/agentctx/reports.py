"""What a memory says it did: frozen records."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Failure:
    """A source that could not be added, and the error that says why."""

    source: str
    error: Exception

    def __iter__(self) -> Iterator[str | Exception]:
        """Unpacks as ``source, error``."""
        yield self.source
        yield self.error


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What ``Memory.add`` did: counts of observations, and the sources that failed.

    ``ids`` are the observations of this call in order, new or not; ``expired`` counts those that
    were forgotten then by the rules of retention.
    """

    added: int = 0
    unchanged: int = 0
    failed: tuple[Failure, ...] = ()
    ids: tuple[str, ...] = ()
    expired: int = 0


@dataclass(frozen=True, slots=True)
class Receipt:
    """What ``Memory.forget`` removed: observation ids and the digests of their media.

    ``fingerprints`` let `Memory.verify_erased` look for it in every byte; they do not tell what
    it was, but confirm a guess, so a receipt is to be kept like the data, or thrown away.
    Of a ``dry_run`` it says what would be forgotten; nothing was. ``unfinished``: why bytes of it
    may still be on the disk; the next process that opens the memory erases them.
    """

    forgotten: int
    ids: tuple[str, ...]
    media: tuple[str, ...]
    at: datetime
    rule: str
    fingerprints: str = field(default="", repr=False)
    dry_run: bool = False
    unfinished: str = ""


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """Whether the memory is whole: counts, and in ``problems`` what is wrong, in words."""

    observations: int
    passages: int
    media: int
    pending: int
    problems: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems
