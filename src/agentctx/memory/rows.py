"""Observations as rows of the catalog, and back."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, TypeVar

from agentctx.records import Attribute, Filters, Media, Observation, Scalar

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# SQLite takes 32,766 parameters in one statement; far fewer keep a statement's memory small.
_CHUNK = 500

Item = TypeVar("Item")

_NO_ATTRIBUTES: Mapping[str, Attribute] = MappingProxyType({})

COLUMNS = "pk, id, modality, text, captured_at, duration, session, source, attributes"


@dataclass(frozen=True, slots=True)
class Row:
    """An observation in the catalog, with its key there."""

    pk: int
    observation: Observation


def to_microseconds(when: datetime) -> int:
    """An aware time as whole microseconds since 1970 UTC, without going through a float."""
    return (when.astimezone(UTC) - _EPOCH) // _MICROSECOND


def to_time(microseconds: int) -> datetime:
    """The time that `to_microseconds` came from."""
    return _EPOCH + timedelta(microseconds=microseconds)


def values(observation: Observation) -> tuple[Any, ...]:
    """The columns of an observation, ended_at behind captured_at."""
    return (
        observation.id,
        observation.modality,
        observation.text,
        to_microseconds(observation.captured_at),
        to_microseconds(observation.ended_at),
        observation.duration,
        observation.session,
        observation.source,
        json.dumps(dict(observation.attributes), ensure_ascii=False, separators=(",", ":")),
    )


def observation(row: Sequence[Any], media: Iterable[Media]) -> Row:
    """The observation in a row of `COLUMNS`."""
    return Row(
        row[0],
        Observation.restored(
            row[1],
            modality=row[2],
            text=row[3],
            captured_at=to_time(row[4]),
            duration=row[5],
            session=row[6],
            source=row[7],
            attributes=_NO_ATTRIBUTES if row[8] == "{}" else _attributes(row[8]),
            media=tuple(media),
        ),
    )


def _attributes(packed: str) -> Mapping[str, Attribute]:
    return MappingProxyType(
        {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in json.loads(packed).items()
        }
    )


def where(filters: Filters) -> tuple[str, list[Any]]:
    """Filters as a condition on the table ``observation``, with its parameters.

    ``since`` and ``until`` keep what overlaps the half-open span [since, until).
    """
    conditions, parameters = ["1"], list[Any]()
    for column in ("modality", "session", "source"):
        wanted = getattr(filters, column)
        if wanted:
            conditions.append(f"observation.{column} IN ({marks(wanted)})")
            parameters.extend(wanted)
    if filters.since is not None:
        conditions.append("observation.ended_at >= ?")
        parameters.append(to_microseconds(filters.since))
    if filters.until is not None:
        conditions.append("observation.captured_at < ?")
        parameters.append(to_microseconds(filters.until))
    for name, accepted in filters.attributes:
        condition, given = _has(name, accepted)
        conditions.append(condition)
        parameters.extend(given)
    return " AND ".join(conditions), parameters


def _has(name: str, accepted: Sequence[Scalar]) -> tuple[str, list[Any]]:
    # For SQLite's = a true is a 1, and a text is no number: so the types are told apart here.
    either, parameters = [], list[Any]([name])
    for value in accepted:
        if value is None or isinstance(value, bool):
            either.append(f"item.type = '{json.dumps(value)}'")
            continue
        types = "('text')" if isinstance(value, str) else "('integer', 'real')"
        either.append(f"(item.type IN {types} AND item.atom = ?)")
        parameters.append(value)
    condition = (
        "EXISTS (SELECT 1 FROM json_each(observation.attributes) AS had, "  # noqa: S608
        "json_each(CASE WHEN had.type = 'array' THEN had.value "
        "WHEN had.type IN ('true', 'false', 'null') THEN had.type "
        f"ELSE json_quote(had.value) END) AS item WHERE had.key = ? AND ({' OR '.join(either)}))"
    )
    return condition, parameters


def marks(items: Sequence[Any]) -> str:
    """As many parameter marks as there are items."""
    return ",".join("?" * len(items))


def chunks(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    """The items in pieces that one statement takes."""
    for start in range(0, len(items), _CHUNK):
        yield items[start : start + _CHUNK]
