"""Which observations are meant, from the arguments that users give."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime

from agentctx.errors import QueryError
from agentctx.memory.catalog import Catalog
from agentctx.records import Attribute, Filters, Observation

# One name, several of which any will do, or whatever there is.
Names = str | Sequence[str] | None


def selection(
    modality: Names,
    since: datetime | None,
    until: datetime | None,
    session: Names,
    source: Names,
    attributes: Mapping[str, Attribute] | None = None,
) -> Filters:
    """Filters of the arguments that the methods of `Memory` share; raises QueryError."""
    if since is not None and until is not None and until <= since:
        raise QueryError(f"until ({until}) is not after since ({since})")
    had = tuple(
        (name, value if isinstance(value, tuple) else (value,))
        for name, value in (attributes or {}).items()
    )
    return Filters(_names(modality), since, until, _names(session), _names(source), had)


def _names(value: Names) -> tuple[str, ...]:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(value)


def by_id(catalog: Catalog, ids: Sequence[str]) -> list[Observation]:
    """The observations with these ids, in that order; the beginning of an id will do.

    Raises QueryError for an id that is not there, or may be several.
    """
    whole = [_whole_id(catalog, start) for start in ids]
    found = {row.observation.id: row.observation for row in catalog.select(Filters(), whole)}
    return [found[id_] for id_ in whole if id_ in found]


def _whole_id(catalog: Catalog, start: str) -> str:
    found = catalog.beginning(start.strip().lower(), 3) if start.strip() else []
    if len(found) == 1:
        return found[0]
    if not found:
        raise QueryError(f"no observation {start!r} in this memory; it may have been forgotten")
    raise QueryError(f"{start!r} begins several ids: {', '.join(found)}; give more of it")


def rule_of(ids: Sequence[str] | None, filters: Filters, *, by_query: bool) -> str:
    """How the audit log names what was forgotten."""
    # What the rule named (a session, a source) may itself be private: only its kind is kept.
    given = [field.name for field in fields(filters) if getattr(filters, field.name)]
    counted = [] if ids is None else [f"{len(ids)} ids"]
    return ", ".join([*counted, *given, *(["query"] if by_query else [])])
