"""Which observations are meant, from the arguments that users give."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime

from agentctx.errors import QueryError
from agentctx.records import Attribute, Filters

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


def rule_of(ids: Sequence[str] | None, filters: Filters, *, by_query: bool) -> str:
    """How the audit log names what was forgotten."""
    # What the rule named (a session, a source) may itself be private: only its kind is kept.
    given = [field.name for field in fields(filters) if getattr(filters, field.name)]
    counted = [] if ids is None else [f"{len(ids)} ids"]
    return ", ".join([*counted, *given, *(["query"] if by_query else [])])
