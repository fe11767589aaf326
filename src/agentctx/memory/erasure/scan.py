"""Looking for what was forgotten in every byte of a directory."""

import os
import sqlite3
import stat
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from agentctx.errors import StoreError
from agentctx.memory.erasure.fingerprints import Fingerprints, Kind
from agentctx.memory.erasure.windows import BLOCK, WIDEST, Finder, Key
from agentctx.memory.erasure.words import INDEX, words_left

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Finding:
    """A file that still has something of what was forgotten: how often, and where first."""

    file: str
    kind: Kind
    offset: int
    places: int


@dataclass(frozen=True, slots=True)
class ErasureReport:
    """What was looked for, where, and what of it was found.

    ``sought``: fingerprints by kind; ``shared``: those that were not looked for, because what
    remained had them too; ``vanished``: files that were removed before they could be read.
    """

    files: int
    bytes: int
    sought: Mapping[Kind, int]
    shared: Mapping[Kind, int]
    findings: tuple[Finding, ...] = ()
    vanished: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing was found."""
        return not self.findings


@dataclass(slots=True)
class _Found:
    first: dict[tuple[str, Kind], int] = field(default_factory=dict)
    places: dict[tuple[str, Kind], int] = field(default_factory=lambda: defaultdict(int))

    def add(self, file: str, kind: Kind, offset: int) -> None:
        place = file, kind
        self.first[place] = min(offset, self.first.get(place, offset))
        self.places[place] += 1

    def findings(self) -> tuple[Finding, ...]:
        return tuple(
            Finding(file, kind, offset, self.places[file, kind])
            for (file, kind), offset in sorted(self.first.items())
        )


def scan(
    directory: Path,
    fingerprints: Fingerprints,
    progress: Progress | None = None,
    db: sqlite3.Connection | None = None,
) -> ErasureReport:
    """Look for the fingerprints at every byte of every file, and in the names of the files.

    Others may read and write meanwhile: what they add then may not be seen. ``progress`` is
    called with the bytes that were read, and with those there are. ``db``: the catalog, for the
    words in its full-text index. Raises StoreError when a file cannot be read.
    """
    key = Key(fingerprints.salt)
    finder = Finder(key, fingerprints.by_view())
    found = _Found()

    def look(name: str, block: bytes, start: int, stop: int) -> None:
        for view, offset, fingerprint in finder.find(block, stop):
            for kind in fingerprints.kinds_of(view, fingerprint):
                found.add(name, kind, start + offset)

    paths = sorted(_files(directory))
    sizes = {path: _size(path) for path in paths}
    total, done, files = sum(sizes.values()), 0, 0
    vanished = []
    for path in paths:
        name = path.relative_to(directory).as_posix()
        look(name, name.encode("utf-8", "surrogateescape"), 0, len(name.encode()))
        try:
            with path.open("rb") as file:
                for start, block, stop in _blocks(file, sizes[path]):
                    look(name, block, start, stop)
                    done += stop
                    if progress:
                        progress(done, total)
        except FileNotFoundError:
            vanished.append(name)
            continue
        except OSError as error:
            raise StoreError(f"{path} cannot be read, so it cannot be said what is in it: {error}"
                             ) from error  # fmt: skip
        files += 1
    for place, _ in enumerate(words_left(db, fingerprints) if db else ()):
        found.add(f"{INDEX} (the full-text index)", "word", place)
    return ErasureReport(
        files, done, fingerprints.counts(), dict(fingerprints.shared or {}),
        found.findings(), tuple(vanished),
    )  # fmt: skip


def _files(directory: Path) -> Iterator[Path]:
    """All regular files below; what else there is (pipes, links to elsewhere) has no bytes."""

    def refuse(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):
            raise StoreError(f"{error.filename} cannot be listed: {error}") from error

    for folder, _, names in os.walk(directory, onerror=refuse):
        for name in names:
            path = Path(folder, name)
            try:
                if stat.S_ISREG(path.lstat().st_mode):
                    yield path
            except FileNotFoundError:
                continue


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _blocks(file: BinaryIO, size: int) -> Iterator[tuple[int, bytes, int]]:
    """(where it starts, bytes, how many of them begin a window) up to the size it had."""
    start, block = 0, file.read(min(size, BLOCK + WIDEST))
    while block:
        stop = min(BLOCK, len(block))
        yield start, block, stop
        start += stop
        rest = block[stop:]
        block = rest + file.read(max(0, min(BLOCK, size - start - len(rest))))
