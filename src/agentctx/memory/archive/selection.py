"""Which observations go into an archive: those asked for whose media can be had."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from sqlite3 import Connection
from typing import Any, BinaryIO

from agentctx.errors import EncryptionError
from agentctx.memory import rows
from agentctx.memory.archive.content import observation
from agentctx.memory.store import Store
from agentctx.records import Filters, Media

# Copies the media file of a digest into the archive.
Copy = Callable[[str, BinaryIO], None]

# Observations, and characters of their texts, that are looked at at once.
_CHUNK = 500
_CHUNK_CHARACTERS = 4_000_000


@dataclass(slots=True)
class Selection:
    """The keys of observations by which they go into the archive, in pieces of a size to handle.

    ``media`` are the digests whose files went into it; ``forgotten`` counts observations that
    another process has forgotten meanwhile; ``ids`` are those that the content does not give
    (since a part of it was forgotten, say); ``problems`` says what is wrong, in words.
    """

    chunks: list[list[int]] = field(default_factory=list)
    media: set[str] = field(default_factory=set)
    forgotten: int = 0
    ids: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many observations there are."""
        return sum(map(len, self.chunks))


class Selecting:
    """Looks at every observation that passes the filters, and has its media copied."""

    def __init__(self, store: Store, db: Connection, copy: Copy) -> None:
        self._store = store
        self._db = db
        self._copy = copy
        self._found = Selection()
        self._absent: set[str] = set()
        self._gone: set[str] = set()

    def run(self, filters: Filters, progress: Callable[[int, int, str], None]) -> Selection:
        """Do it; ``progress(done, total, name)`` is called before each piece."""
        chunks = list(self._chunks(filters))
        total = sum(map(len, chunks))
        done = 0
        for chunk in chunks:
            progress(done, total, "media")
            self._found.chunks.append(list(self._kept(chunk)))
            done += len(chunk)
        return self._found

    def _chunks(self, filters: Filters) -> Iterator[list[int]]:
        condition, parameters = rows.where(filters)
        found = self._db.execute(
            "SELECT pk, length(text) FROM observation "  # noqa: S608
            f"WHERE {condition} ORDER BY pk",
            parameters,
        )
        chunk: list[int] = []
        characters = 0
        for pk, length in found:
            if chunk and (len(chunk) == _CHUNK or characters + length > _CHUNK_CHARACTERS):
                yield chunk
                chunk, characters = [], 0
            chunk.append(pk)
            characters += length
        if chunk:
            yield chunk

    def _kept(self, chunk: Sequence[int]) -> Iterator[int]:
        media = self._media(chunk)
        found = self._db.execute(
            f"SELECT {rows.COLUMNS} FROM observation "  # noqa: S608
            f"WHERE pk IN ({rows.marks(chunk)}) ORDER BY pk",
            chunk,
        )
        for pk, *row in found:
            own = media.get(pk, [])
            # All files are open before one is copied: what is forgotten meanwhile stays out whole.
            with ExitStack() as files:
                opened = {m.digest: self._file(m.digest, files) for m in own if self._is_new(m)}
                if any(one.digest in self._gone for one in own):
                    self._found.forgotten += 1
                    continue
                present = [m for m in own if opened.get(m.digest) or m.digest in self._found.media]
                if not self._is_sound(row, present):
                    continue
                for digest, file in opened.items():
                    if file is not None:
                        self._copy(digest, file)
                        self._found.media.add(digest)
            yield pk

    def _media(self, chunk: Sequence[int]) -> dict[int, list[Media]]:
        found: dict[int, list[Media]] = {}
        for pk, *item in self._db.execute(
            "SELECT observation_pk, kind, mime, digest, size FROM media "  # noqa: S608
            f"WHERE observation_pk IN ({rows.marks(chunk)}) ORDER BY observation_pk, position",
            chunk,
        ):
            found.setdefault(pk, []).append(Media(*item))
        return found

    def _is_sound(self, row: Sequence[Any], media: Sequence[Media]) -> bool:
        """Whether the row can be imported again; takes down what is odd about it."""
        try:
            found, same = observation(row, media)
        except ValueError as error:
            self._found.problems.append(f"observation {row[0]} is left out: {error}")
            return False
        if not same:
            self._found.ids.add(found.id)
        return True

    # -- media --------------------------------------------------------------------------------

    def _is_new(self, media: Media) -> bool:
        known = (self._found.media, self._absent, self._gone)
        return not any(media.digest in digests for digests in known)

    def _file(self, digest: str, files: ExitStack) -> BinaryIO | None:
        """The whole file of a digest; None, taken down, when it is absent or was forgotten."""
        if file := self._whole(digest, files):
            return file
        # A forget in flight has deleted the file, but not committed yet: wait for its end.
        with self._store.catalog.transaction() as now:
            needed = now.execute("SELECT 1 FROM media WHERE digest = ?", (digest,)).fetchone()
        if needed is None:
            self._gone.add(digest)
            return None
        if file := self._whole(digest, files):  # forgotten, and added again
            return file
        self._absent.add(digest)
        self._found.problems.append(f"media {digest} is absent or damaged")
        return None

    def _whole(self, digest: str, files: ExitStack) -> BinaryIO | None:
        try:
            file = files.enter_context(self._store.media.open(digest))
        except (OSError, EncryptionError):
            return None
        return None if self._store.media.damaged([digest]) else file
