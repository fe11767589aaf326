"""Which table a row belongs to, told by the row alone: so no page of the schema is needed.

The kinds of the columns tell the tables and most indexes apart; what they leave open, the form of
the values does (a digest has 64 hex digits, an observation's id 32).
"""

import re
from collections.abc import Callable, Collection, Iterator
from typing import Any

from agentctx.memory.salvage.cells import Broken, Cell, cells
from agentctx.memory.salvage.pages import Pages

Row = tuple[Any, ...]
Progress = Callable[[int, int], None]

# How a table's rows are stored: "n" where the key is, which is the rowid. A REAL that is whole is
# stored as an integer.
_IN_TABLES = {
    "nttt": "space",
    "ntt": "space",  # of schema 1
    "ntttiirttt": "observation",
    "ntttiiittt": "observation",
    "niiii": "passage",
    "niib": "vector",
    "iib": "token_matrix",
    "itti": "audit",
    "ti": "sequence",
}
# Tables without rowid, and indexes that tell what a lost row was.
_IN_INDEXES = {
    "iittti": "media",
    "it": "ingested_index",
    "ti": "ingested or id_index",
    "tt": "state",
    "t": "doomed",
    "tttii": "session_index",
    "tii": "digest_index",
    "tti": "card_index",
}
_DIGEST = re.compile("[0-9a-f]{64}")
_ID = re.compile("[0-9a-f]{32}")


def find(
    pages: Pages, wanted: Collection[str], broken: set[int], progress: Progress
) -> Iterator[tuple[str, Row]]:
    """(table, row) of all readable rows of the wanted tables, in the order of the columns.

    Adds the numbers of damaged pages to ``broken``.
    """
    for number in range(1, pages.count + 1):
        for cell in cells(pages, number, broken):
            table = (_IN_INDEXES if cell.rowid is None else _IN_TABLES).get(cell.kinds, "")
            if not any(name in wanted for name in table.split(" or ")):
                continue
            try:
                found = _row(table, cell)
            except Broken:
                broken.add(number)
                continue
            if found is not None and found[0] in wanted:
                yield found
        progress(number, pages.count)


def _row(table: str, cell: Cell) -> tuple[str, Row] | None:
    values = cell.values()
    if table == "ingested or id_index":
        if _is(_DIGEST, values[0]):
            return "ingested", values
        return ("id_index", values) if _is(_ID, values[0]) else None
    if table == "ingested_index":
        return ("ingested", values[::-1]) if _is(_DIGEST, values[1]) else None
    if table in ("digest_index", "doomed") and not _is(_DIGEST, values[0]):
        return None
    if table == "media" and not _is(_DIGEST, values[4]):
        return None
    if table == "observation":
        duration = values[6]
        values = (*values[:6], float(duration) if isinstance(duration, int) else duration,
                  *values[7:])  # fmt: skip
    if table == "space" and len(values) == 3:
        values = (*values, "active")
    if cell.kinds[0] == "n":
        values = (cell.rowid, *values[1:])
    return table, values


def _is(form: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and form.fullmatch(value) is not None
