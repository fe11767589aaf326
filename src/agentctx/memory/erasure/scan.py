"""Looking for what was forgotten in every byte of a directory."""

import hashlib
import os
import stat
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from agentctx.errors import StoreError
from agentctx.memory.cutting import RECORD_BYTES, records
from agentctx.memory.erasure.fingerprints import KINDS, Fingerprints, Kind
from agentctx.memory.erasure.windows import BLOCK, WIDEST, Finder, Key
from agentctx.memory.erasure.words import INDEX
from agentctx.memory.readings import File
from agentctx.records import Media

Progress = Callable[[int, int], None]

_LOGS = ("-wal", "-journal")
_PARQUET = b"PAR1"
_WHOLE_RECORDS = (0,)


@dataclass(frozen=True, slots=True)
class Finding:
    """A file that still has something of what was forgotten: at how many places, and the first.

    ``offset`` is in bytes; of kind ``reading`` it is the reading's number, of ``word`` nothing.
    """

    file: str
    kind: Kind
    offset: int
    places: int


@dataclass(frozen=True, slots=True)
class ErasureReport:
    """What was looked for, where, and what of it was found.

    ``sought`` and ``found``: fingerprints by kind (of something that is there once and whole, about
    half of its fingerprints are found); ``shared``: those that are not looked for, because what
    remained had them too; ``set_aside``: those of media that were found in media which remain;
    ``opaque``: compressed readings that could not be read, so that it cannot be said what is in
    them; ``vanished``: files that went before they could be read.
    """

    files: int
    bytes: int
    sought: Mapping[Kind, int]
    shared: Mapping[Kind, int]
    found: Mapping[Kind, int]
    findings: tuple[Finding, ...] = ()
    opaque: tuple[str, ...] = ()
    vanished: tuple[str, ...] = ()
    set_aside: int = 0

    @property
    def ok(self) -> bool:
        """Whether everything could be looked at, and nothing was found."""
        return not self.findings and not self.opaque


def scan(
    directory: Path,
    fingerprints: Fingerprints,
    progress: Progress | None = None,
    words: Sequence[str] = (),
    stored: Iterable[Media] = (),
) -> ErasureReport:
    """Look for the fingerprints at every byte of every file, and in the names of the files.

    Others may read and write meanwhile: what they add then may not be seen. ``progress`` is
    called with the bytes that were read, and with those there are. ``words``: what `words_left`
    found in the full-text index. Raises StoreError when a file cannot be read.

    ``stored``: the media that the catalog refers to. Those of an encrypted memory are looked at as
    they are when opened too. Pictures of one screen have stretches of bytes in common, so one that
    remains may have samples of one that was erased. These are set aside where a stored file is
    where it belongs and its bytes have its digest: nothing can have been left in it.

    A process that has the memory open must call `scan_apart` instead.
    """
    search = _Search(fingerprints)
    sizes = _files(directory)
    total, done = sum(sizes.values()), 0
    opaque, vanished = [], []
    known = list(stored)
    digests = {media.path: media.digest for media in known if media.path is not None}
    sealed = [media for media in known if media.path is None]
    # What is renamed or moved meanwhile is listed again once, under its new name.
    items: Iterator[File] = chain(sizes, _later(directory, sizes), sealed)
    for item in items:
        name = _name(item, directory)
        digest = digests.get(item) if isinstance(item, Path) else item.digest
        try:
            for count in search.through(name, item, digest):
                done += count
                if progress:
                    progress(done, max(done, total))
            if not search.inside(name, item):
                opaque.append(name)
        except FileNotFoundError:
            vanished.append(name)
        except OSError as error:
            raise StoreError(f"it cannot be said what is in {name}: {error}") from error
    for word in words:
        search.add(f"the full-text index {INDEX}", "word", 0, word)
    return ErasureReport(
        search.files,
        done,
        fingerprints.counts(),
        dict(fingerprints.shared),
        search.found(),
        search.findings(),
        tuple(opaque),
        tuple(vanished),
        search.set_aside(),
    )


class _Search:
    """Looks for fingerprints, and adds up where they are."""

    def __init__(self, fingerprints: Fingerprints) -> None:
        key = Key(fingerprints.salt)
        self._fingerprints = fingerprints
        self._finder = Finder(key, fingerprints.by_view())
        self._readings = Finder(key, fingerprints.by_view(["reading"]))
        self._first: dict[tuple[str, Kind], int] = {}
        self._places: Counter[tuple[str, Kind]] = Counter()
        self._marks: dict[tuple[str, Kind], set[int | str]] = defaultdict(set)
        self._aside: set[int | str] = set()
        self.files = 0

    def add(self, file: str, kind: Kind, offset: int, mark: int | str) -> None:
        """Note a place, and which fingerprint (or word) is there."""
        self._marks[file, kind].add(mark)
        self._first[file, kind] = min(offset, self._first.get((file, kind), offset))
        self._places[file, kind] += 1

    def found(self) -> dict[Kind, int]:
        """How many different fingerprints were found, by kind."""
        marks: dict[Kind, set[int | str]] = defaultdict(set)
        for (_, kind), found in self._marks.items():
            marks[kind] |= found
        return {kind: len(marks[kind]) for kind in KINDS if kind in marks}

    def set_aside(self) -> int:
        """How many different fingerprints of media are in stored files that are whole."""
        return len(self._aside)

    def findings(self) -> tuple[Finding, ...]:
        """All that was found, by file."""
        return tuple(
            Finding(file, kind, offset, self._places[file, kind])
            for (file, kind), offset in sorted(self._first.items())
        )

    def look(self, file: str, block: bytes, start: int = 0, stop: int | None = None) -> None:
        """Look at the bytes from ``start`` on; windows begin in the first ``stop`` of them."""
        for view, offset, mark in self._finder.find(block, len(block) if stop is None else stop):
            for kind in self._fingerprints.kinds_of(view, mark):
                self.add(file, kind, start + offset, mark)

    def through(self, name: str, item: File, digest: str | None = None) -> Iterator[int]:
        """Look at a file and its name; gives the bytes done, block by block.

        ``digest``: what a stored file's content should have; if it has, media are set aside.
        """
        seen = hashlib.sha256()
        self.look(name, os.fsencode(name))
        with _opened(item) as file:
            # Up to the size it has now: another process may write faster than this reads.
            size = file.seek(0, os.SEEK_END)
            file.seek(0)
            self.files += 1
            start, block = 0, file.read(min(size, BLOCK + WIDEST))
            while block:
                stop = min(BLOCK, len(block))
                self.look(name, block, start, stop)
                if digest is not None:
                    seen.update(block[:stop])
                yield stop
                start += stop
                rest = block[stop:]
                block = rest + file.read(max(0, min(BLOCK, size - start - len(rest))))
        if seen.hexdigest() == digest and (name, "media") in self._marks:
            self._aside |= self._marks.pop((name, "media"))
            del self._first[name, "media"], self._places[name, "media"]

    def inside(self, name: str, item: File) -> bool:
        """Look into compressed readings; False when they cannot be read."""
        if not self._readings.sought:
            return True
        with _opened(item) as file:
            if file.read(len(_PARQUET)) != _PARQUET:
                return True
        row = 0
        try:
            for part in records(item):
                for start in range(0, len(part), BLOCK):
                    block = part[start : start + BLOCK]
                    for _, at, mark in self._readings.find(block, len(block), _WHOLE_RECORDS):
                        self.add(name, "reading", row + (start + at) // RECORD_BYTES, mark)
                row += len(part) // RECORD_BYTES
        except StoreError:
            return isinstance(item, Path) and not item.exists()
        return True


def _opened(item: File) -> BinaryIO:
    return item.open("rb") if isinstance(item, Path) else item.open()


def _name(item: File, directory: Path) -> str:
    """How a file is named in the report: below the directory; of sealed media by their digest."""
    if isinstance(item, Path):
        return item.relative_to(directory).as_posix()
    return f"{item.kind} {item.digest} (opened)"


def _files(directory: Path) -> dict[Path, int]:
    """All regular files below, with their sizes, in the order to read them in.

    What else there is (pipes, links to elsewhere) has no bytes. A write-ahead log comes before
    its database, because SQLite moves pages from there to here, never back.
    """

    def refuse(error: OSError) -> None:
        if error.filename == str(directory) or not isinstance(error, FileNotFoundError):
            raise StoreError(f"{error.filename} cannot be listed: {error}") from error

    found = {}
    for folder, _, names in os.walk(directory, onerror=refuse):
        for name in names:
            path = Path(folder, name)
            try:
                about = path.lstat()
            except FileNotFoundError:
                continue
            if stat.S_ISREG(about.st_mode):
                found[path] = about.st_size
    return dict(sorted(found.items(), key=lambda item: (not item[0].name.endswith(_LOGS), item)))


def _later(directory: Path, known: Collection[Path]) -> Iterator[Path]:
    """The files that were not there before; looked for when the first is asked for."""
    yield from (path for path in _files(directory) if path not in known)
