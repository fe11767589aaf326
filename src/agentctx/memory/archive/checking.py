"""The rows of an archive as entries, each of them checked.

The tables are read once, side by side, since all are in the order of the observations: a row that
refers to an observation which is not there, or is there already, is left over and found so.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agentctx.errors import ArchiveError
from agentctx.memory.archive import layout
from agentctx.memory.archive.container import Container
from agentctx.memory.archive.content import observation
from agentctx.memory.entries import Entry, NewVector
from agentctx.records import EncoderCard, Media

Row = tuple[Any, ...]

# What float32 leaves of a length of 1, and what other programs' rounding does to it.
_LENGTH_TOLERANCE = 1e-3


class Rows:
    """The rows of a table, one after the other, with their number (from 1) for errors."""

    def __init__(self, archive: Container, name: str) -> None:
        self.name = name
        self.number = 0
        self._rows = self._read(archive)
        self._next = next(self._rows, None)

    def _read(self, archive: Container) -> Iterator[Row]:
        for batch in archive.groups(self.name):
            try:
                columns = [self._values(column) for column in batch.columns]
            except ValueError as error:
                raise ArchiveError(f"{self.name} cannot be read: {error}") from error
            yield from zip(*columns, strict=True)

    def _values(self, column: Any) -> list[Any]:  # noqa: ANN401 - pyarrow has no types
        kind = str(column.type)
        if kind.startswith("timestamp"):
            return column.cast("int64").to_pylist()  # type: ignore[no-any-return]
        if not kind.startswith("fixed_size_list"):
            return column.to_pylist()  # type: ignore[no-any-return]
        if column.flatten().null_count:
            raise self.error("a vector has a number that is none")
        vectors = column.flatten().to_numpy().reshape(-1, column.type.list_size)
        return list(self._checked(vectors))

    def _checked(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        with np.errstate(all="ignore"):
            lengths = np.linalg.norm(vectors.astype(np.float64), axis=1)
            bad = np.flatnonzero(~(np.abs(lengths - 1.0) <= _LENGTH_TOLERANCE))
        if bad.size:
            self.number += int(bad[0]) + 1
            raise self.error(f"its vector has the length {lengths[bad[0]]:.4g}, which must be 1")
        return vectors

    def __iter__(self) -> Iterator[Row]:
        """All rows that are left."""
        while self._next is not None:
            yield self._take()

    def of(self, id_: str) -> Iterator[Row]:
        """The rows that come next and belong to an observation, without its id."""
        while self._next is not None and self._next[0] == id_:
            yield self._take()[1:]

    def _take(self) -> Row:
        assert self._next is not None
        row = self._next
        self.number += 1
        self._next = next(self._rows, None)
        return row

    def check_end(self) -> None:
        """Raise when rows are left."""
        if self._next is not None:
            self.number += 1
            raise self.error(
                f"it belongs to the observation {self._next[0]!r}, which is not there, or not at "
                "this place"
            )

    def error(self, reason: str) -> ArchiveError:
        """An error that names the table and the row."""
        return ArchiveError(f"{self.name}, row {self.number}: {reason}")


@dataclass(frozen=True, slots=True)
class _Space:
    card: EncoderCard
    vectors: Rows
    tokens: Rows | None


class Checked:
    """The entries of an archive in the order of its observations; `ids` fills as they come."""

    def __init__(self, archive: Container) -> None:
        self._archive = archive
        self._manifest = archive.manifest
        self._observations = Rows(archive, "observations.parquet")
        self._media = Rows(archive, "media.parquet")
        self._passages = Rows(archive, "passages.parquet")
        self._spaces = [
            _Space(
                card,
                Rows(archive, layout.vectors(number)),
                Rows(archive, layout.tokens(number)) if card.token_dimension else None,
            )
            for number, card in enumerate(self._manifest.spaces)
        ]
        # As bytes, half as large as in hexadecimal: the only thing that is kept of all rows.
        self._ids: set[bytes] = set()
        self._digests: set[str] = set()

    def __iter__(self) -> Iterator[Entry]:
        """Every entry; raises ArchiveError at the first that is not as it should be."""
        for row in self._observations:
            yield self._entry(row)
        for table in self._others():
            table.check_end()
        if unused := sorted(self._archive.media - self._digests):
            raise ArchiveError(f"{layout.MEDIA}{unused[0]} belongs to no observation")

    def sources(self) -> Iterator[tuple[str, list[str]]]:
        """The ledger: the key of each source, and the ids of its observations."""
        table = Rows(self._archive, "sources.parquet")
        last, members = "", list[str]()
        for key, id_ in table:
            if not layout.DIGEST.fullmatch(key) or key < last:
                raise table.error(f"the key {key!r} is none, or not in order")
            if not layout.ID.fullmatch(id_) or bytes.fromhex(id_) not in self._ids:
                raise table.error(f"the observation {id_!r} is not there")
            if key != last and members:
                yield last, members
                members = []
            last = key
            members.append(id_)
        if members:
            yield last, members

    def _others(self) -> Iterator[Rows]:
        yield self._media
        yield self._passages
        for space in self._spaces:
            yield space.vectors
            if space.tokens is not None:
                yield space.tokens

    def _entry(self, row: Row) -> Entry:
        id_ = row[0]
        if not layout.ID.fullmatch(id_):
            raise self._observations.error(f"{id_!r} is no id")
        if bytes.fromhex(id_) in self._ids:
            raise self._observations.error(f"the observation {id_} is there twice")
        self._ids.add(bytes.fromhex(id_))
        try:
            found, same = observation(row, list(self._own_media(id_)))
        except ValueError as error:
            raise self._observations.error(str(error)) from error
        if not same and id_ not in self._manifest.ids:
            raise self._observations.error("its content is not that of its id")
        spans = list(self._spans(id_, len(found.text)))
        vectors = [new for space in self._spaces for new in _vectors(space, id_, len(spans))]
        return Entry(found, spans, vectors)

    def _own_media(self, id_: str) -> Iterator[Media]:
        last = -1
        for position, kind, mime, digest, size in self._media.of(id_):
            if position <= last:
                raise self._media.error(f"its position {position} is not behind {last}")
            if digest not in self._archive.media:
                raise self._media.error(f"the file of the media {digest!r} is not there")
            if size != self._archive.media_size(digest):
                raise self._media.error(f"its size is {size}, not that of the file")
            last = position
            self._digests.add(digest)
            opener = partial(self._archive.open_media, digest)
            yield Media(kind, mime, digest, size, opener=opener)

    def _spans(self, id_: str, length: int) -> Iterator[tuple[int, int]]:
        for wanted, (ordinal, start, stop) in enumerate(self._passages.of(id_)):
            if ordinal != wanted:
                raise self._passages.error(f"its ordinal is {ordinal}, not {wanted}")
            if not 0 <= start <= stop <= length:
                raise self._passages.error(f"{start}..{stop} is outside of a text of {length}")
            yield start, stop


def _vectors(space: _Space, id_: str, passages: int) -> Iterator[NewVector]:
    found: dict[int, NewVector] = {}
    for ordinal, vector in space.vectors.of(id_):
        if not max(found, default=-1) < ordinal < passages:
            raise space.vectors.error(f"the passage {ordinal} is not there, or not at this place")
        found[ordinal] = NewVector(space.card.space, ordinal, vector)
    if space.tokens is not None:
        _add_tokens(found, space.tokens, id_, space.card.token_dimension)
    yield from found.values()


def _add_tokens(found: dict[int, NewVector], tokens: Rows, id_: str, width: int) -> None:
    for ordinal, count, matrix in tokens.of(id_):
        if ordinal not in found or found[ordinal].tokens is not None:
            raise tokens.error(f"the passage {ordinal} has no vector, or two matrices")
        if count < 0 or len(matrix) != count * width:
            raise tokens.error(f"{len(matrix)} bytes are not {count} x {width} numbers")
        shaped = np.frombuffer(matrix, np.int8).reshape(-1, width)
        found[ordinal] = replace(found[ordinal], tokens=shaped)
