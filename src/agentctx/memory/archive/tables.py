"""The tables of an archive as the catalog holds them, in pieces of a size to handle.

All are in the order of the observations, and these in the order in which they were added: so an
import reads every table once, side by side, and what ties were broken by keeps its order.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from sqlite3 import Connection
from typing import Any

import numpy as np

from agentctx.extras import require
from agentctx.memory import rows
from agentctx.memory.archive import layout
from agentctx.memory.archive.selection import Selection

Batch = Sequence[tuple[Any, ...]]

# CROSS JOIN keeps SQLite from beginning with the passages, vectors and matrices of all others.
_PASSAGES = "observation CROSS JOIN passage ON passage.observation_pk = observation.pk"
_QUERIES = {
    "observations.parquet": (
        "SELECT id, modality, text, captured_at, duration, session, source, attributes "
        "FROM observation WHERE observation.pk IN ({}) ORDER BY observation.pk"
    ),
    "media.parquet": (
        "SELECT id, position, kind, mime, digest, size "
        "FROM observation CROSS JOIN media ON media.observation_pk = observation.pk "
        "WHERE observation.pk IN ({}) ORDER BY observation.pk, position"
    ),
    "passages.parquet": (
        f"SELECT id, ordinal, start, stop FROM {_PASSAGES} "  # noqa: S608
        "WHERE observation.pk IN ({}) ORDER BY observation.pk, ordinal"
    ),
}
_VECTORS = (
    f"SELECT id, ordinal, vector FROM {_PASSAGES} "  # noqa: S608
    "CROSS JOIN vector ON vector.passage_pk = passage.pk AND space_pk = ? "
    "WHERE observation.pk IN ({}) ORDER BY observation.pk, ordinal"
)
_TOKENS = (
    f"SELECT id, ordinal, length(matrix), matrix FROM {_PASSAGES} "  # noqa: S608
    "CROSS JOIN token_matrix ON token_matrix.passage_pk = passage.pk AND space_pk = ? "
    "WHERE observation.pk IN ({}) ORDER BY observation.pk, ordinal"
)


class Source:
    """Reads what belongs to a selection; ``spaces`` are (key, width of a token vector)."""

    def __init__(
        self, db: Connection, selection: Selection, spaces: Sequence[tuple[int, int]]
    ) -> None:
        self._db = db
        self._selection = selection
        self._spaces = spaces

    def batches(self, name: str, progress: Callable[[int, int, str], None]) -> Iterator[Batch]:
        """The rows of a table; ``progress(done, total, name)`` is called before each chunk."""
        if name == "sources.parquet":
            yield from self._sources()
            return
        done = 0
        for chunk in self._selection.chunks:
            progress(done, self._selection.count, name.removesuffix(".parquet"))
            yield from filter(None, self._rows(name, chunk))
            done += len(chunk)

    def _rows(self, name: str, chunk: Sequence[int]) -> Iterator[Batch]:
        sql, parameters, width = _QUERIES.get(name, ""), list[int](), 0
        for number, (pk, token_dimension) in enumerate(self._spaces):
            if name in (layout.vectors(number), layout.tokens(number)):
                sql = _VECTORS if name == layout.vectors(number) else _TOKENS
                parameters, width = [pk], token_dimension
        found = self._db.execute(sql.format(rows.marks(chunk)), [*parameters, *chunk])
        while batch := found.fetchmany(layout.GROUP_ROWS):
            if sql is _TOKENS:
                yield [(id_, n, size // width, matrix) for id_, n, size, matrix in batch]
            elif name == "media.parquet":
                yield [row for row in batch if row[4] in self._selection.media]
            else:
                yield batch

    def _sources(self) -> Iterator[Batch]:
        """The ledger, of the sources all of whose observations are selected.

        Otherwise a source would count as added although a part of it is missing.
        """
        selected = {pk for chunk in self._selection.chunks for pk in chunk}
        found = self._db.execute(
            "SELECT key, id, observation.pk FROM ingested "
            "CROSS JOIN observation ON observation.pk = observation_pk ORDER BY key, observation_pk"
        )
        batch: list[tuple[str, str]] = []
        for key, members in groupby(found, key=itemgetter(0)):
            whole = list(members)
            if all(pk in selected for _, _, pk in whole):
                batch += [(key, id_) for _, id_, _ in whole]
            if len(batch) >= layout.GROUP_ROWS:
                yield batch
                batch = []
        if batch:
            yield batch


def to_arrow(schema: Any, batch: Batch) -> Any:  # noqa: ANN401 - pyarrow has no types
    """A batch of rows as an Arrow table; vectors come as the bytes that the catalog keeps."""
    arrow = require("pyarrow", extra="archive")
    columns = []
    for field, values in zip(schema, zip(*batch, strict=True), strict=True):
        if arrow.types.is_fixed_size_list(field.type):
            numbers = arrow.array(np.frombuffer(b"".join(values), np.float32))
            columns.append(arrow.FixedSizeListArray.from_arrays(numbers, type=field.type))
        else:
            columns.append(arrow.array(values, field.type))
    return arrow.table(columns, schema=schema)
