"""Observations as rows of an archive, and back: what is read must give the id it has."""

import json
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

from agentctx.memory import rows
from agentctx.records import Media, Observation


def observation(row: Sequence[Any], media: Sequence[Media]) -> tuple[Observation, bool]:
    """The observation in a row of ``observations.parquet``, its time in microseconds.

    Also: whether its content gives its id, which it keeps in any case. Raises ValueError when
    the row cannot be an observation.
    """
    id_, modality, text, captured_at, duration, session, source, attributes = row
    found = Observation(
        modality=modality,
        text=text,
        captured_at=_time(captured_at),
        duration=duration,
        session=session,
        source=source,
        attributes=_attributes(attributes),
        media=tuple(media),
    )
    if found.id != id_ and duration.is_integer():
        # As it was given, 5 and not 5.0 gave the id; the catalog keeps 5.0.
        found = replace(found, duration=int(duration))
    if found.id == id_:
        return found, True
    content = {field.name: getattr(found, field.name) for field in fields(found) if field.init}
    return Observation.restored(id_, **content), False


def _time(microseconds: int) -> Any:  # noqa: ANN401
    try:
        return rows.to_time(microseconds)
    except OverflowError as error:
        raise ValueError(f"captured_at is {microseconds} µs, which no calendar has") from error


def _attributes(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except RecursionError as error:
        raise ValueError("attributes are nested without end") from error
    if not isinstance(found, dict):
        raise ValueError(f"attributes are {text[:80]!r}; they must be a JSON object")
    return found
