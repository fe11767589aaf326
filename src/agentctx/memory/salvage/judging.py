"""Which of the rows that were found are sound: by their form, their references and their hashes."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from agentctx.memory import rows
from agentctx.memory.salvage.finding import Row
from agentctx.memory.salvage.index_rows import Indexed
from agentctx.memory.salvage.report import Lost, Ranges, gaps
from agentctx.records import EncoderCard, Media, Observation

# What is looked for first and held; vectors and token matrices, most of a catalog, come later.
SMALL = (
    "space", "card_index", "observation", "id_index", "session_index", "media", "digest_index",
    "passage", "ingested", "state", "doomed", "audit", "sequence",
)  # fmt: skip
LARGE = ("vector", "token_matrix")

_STATUSES = ("active", "building", "retired")
_STATE_NAME = re.compile("[a-z_]{1,40}")
# An encoder's rows have length 1, but for rounding.
_ROUNDING = 1e-3
_COUNTED = ("observation", "passage", "vector")
# A larger count was damaged.
_MOST_KEYS = 1 << 40


@dataclass(slots=True)
class Sound:
    """Rows that can be kept, by their keys, and what is known to be lost."""

    spaces: dict[int, Row] = field(default_factory=dict)
    widths: dict[int, tuple[int, int]] = field(default_factory=dict)
    observations: dict[int, Row] = field(default_factory=dict)
    unproven: list[str] = field(default_factory=list)
    restored: list[str] = field(default_factory=list)
    partial: list[str] = field(default_factory=list)
    media: dict[tuple[int, int], Row] = field(default_factory=dict)
    passages: dict[int, Row] = field(default_factory=dict)
    ingested: set[Row] = field(default_factory=set)
    audit: list[Row] = field(default_factory=list)
    doomed: set[str] = field(default_factory=set)
    state: dict[str, str] = field(default_factory=dict)
    sequence: dict[str, int] = field(default_factory=dict)
    lost: dict[int, Lost] = field(default_factory=dict)
    lost_rows: Counter[str] = field(default_factory=Counter)
    unaccounted: Ranges = ()

    def takes_vector(self, row: Row) -> bool:
        """Whether a vector belongs to a passage that is kept, and is one."""
        _, space_pk, passage_pk, blob = row
        if space_pk not in self.widths or passage_pk not in self.passages:
            return False
        if len(blob) != 4 * self.widths[space_pk][0]:
            return False
        vector = np.frombuffer(blob, np.float32).astype(np.float64)
        return bool(np.isfinite(vector).all()) and abs(float(vector @ vector) - 1) < _ROUNDING

    def takes_matrix(self, row: Row) -> bool:
        """Whether a token matrix belongs to a passage that is kept, and is one."""
        passage_pk, space_pk, blob = row
        if space_pk not in self.widths or passage_pk not in self.passages:
            return False
        width = self.widths[space_pk][1]
        return width > 0 and len(blob) % width == 0


def by_table(found: Iterable[tuple[str, Row]]) -> Mapping[str, list[Row]]:
    """The rows of each table that were found."""
    tables: dict[str, list[Row]] = defaultdict(list)
    for table, row in found:
        tables[table].append(row)
    return tables


def judge(tables: Mapping[str, list[Row]], indexed: Mapping[str, Indexed]) -> Sound:
    """The sound ones among the rows of the tables in `SMALL`.

    ``indexed``: what Chroma has, by the ids of observations.
    """
    sound = Sound()
    sound.state = {name: text for name, text in tables["state"] if _STATE_NAME.fullmatch(name)}
    sound.doomed = {digest for (digest,) in tables["doomed"]}
    sound.audit = sorted(set(tables["audit"]))
    sound.sequence = {
        name: last
        for name, last in tables["sequence"]
        if name in _COUNTED and 0 < last < _MOST_KEYS
    }
    _spaces(tables, sound)
    _observations(tables, sound)
    _lost(tables, sound)
    _restore(tables, indexed, sound)
    _belonging(tables, sound)
    _passages(tables["passage"], sound)
    _ingested(tables, sound)
    return sound


def _restore(tables: Mapping[str, list[Row]], indexed: Mapping[str, Indexed], sound: Sound) -> None:
    """Take from Chroma what the catalog has lost: as it was if its id proves that, else in part."""
    kept = {row[1] for row in sound.observations.values()}
    keys = {id_: pk for id_, pk in tables["id_index"] if pk not in sound.observations}
    originals = _originals(tables)
    for id_ in sorted(set(indexed) - kept):
        candidates = indexed[id_].observations()
        if not candidates:
            continue
        pk = keys.get(id_, 0)
        made = [(pk, id_, *rows.values(one)[1:]) for one in candidates]
        proved = next((row for row in made if proves(row, originals[pk])), None)
        if proved is None or pk == 0:
            pk = sound.sequence["observation"] = sound.sequence["observation"] + 1
        row = proved or (0, *rows.values(candidates[0]))
        if row[1] in kept:
            continue
        sound.observations[pk] = (pk, *row[1:])
        kept.add(row[1])
        (sound.partial if proved is None else sound.restored).append(row[1])
        sound.lost.pop(pk, None)


def _spaces(tables: Mapping[str, list[Row]], sound: Sound) -> None:
    # The index of the cards has all but the status.
    mirrored = [(pk, name, card, "active") for name, card, pk in tables["card_index"]]
    active = set[str]()
    for pk, name, text, status in tables["space"] + mirrored:
        try:
            card = EncoderCard(**json.loads(text))
            widths = (int(card.dimension), int(card.token_dimension))
        except (ValueError, TypeError):
            continue
        if pk in sound.spaces or card.space != name or status not in _STATUSES:
            continue
        kept = "retired" if status == "active" and name in active else status
        if kept == "active":
            active.add(name)
        sound.spaces[pk] = (pk, name, text, kept)
        sound.widths[pk] = widths


def _observations(tables: Mapping[str, list[Row]], sound: Sound) -> None:
    originals = _originals(tables)
    with_original = {row[0] for row in tables["media"] if row[2] == "original"}
    complete = {pk for _, pk in tables["ingested"]}
    unproven = []
    for row in tables["observation"]:
        pk = row[0]
        if not has_form(row):
            continue
        if proves(row, originals[pk]):
            sound.observations[pk] = row
        elif may_have_lost_its_original(row, with_original | complete):
            unproven.append(row)
    for row in unproven:
        if sound.observations.setdefault(row[0], row) is row:
            sound.unproven.append(row[1])
    _one_per_id(sound)


def _originals(tables: Mapping[str, list[Row]]) -> Mapping[int, set[str]]:
    """Digests, by the observation's key, of what may be its original."""
    found: dict[int, set[str]] = defaultdict(set)
    for pk, _, kind, _, digest, _ in tables["media"]:
        if kind == "original":
            found[pk].add(digest)
    for digest, pk, _ in tables["digest_index"]:
        found[pk].add(digest)
    return found


def _one_per_id(sound: Sound) -> None:
    ids = set[str]()
    for pk, row in sorted(sound.observations.items()):
        if row[1] in ids:
            del sound.observations[pk]
        ids.add(row[1])


def has_form(row: Row) -> bool:
    """Whether a row of the table ``observation`` can be one: its id, times and attributes."""
    pk, id_, modality, _, captured_at, ended_at, duration, *_, attributes = row
    try:
        held = Observation(captured_at=rows.to_time(captured_at), duration=duration)
        ended = rows.to_microseconds(held.ended_at)
        values = json.loads(attributes)
    except (ValueError, OverflowError):
        return False
    form = pk > 0 and len(id_) == 32 and id_.isalnum() and modality != ""
    return form and isinstance(values, dict) and ended == ended_at


def may_have_lost_its_original(row: Row, whole: Collection[int]) -> bool:
    """Whether an id may not prove its content because the original was forgotten.

    It goes from all observations of a file when one of them is forgotten. ``whole``: keys of those
    that have an original, or come from a file that is complete.
    """
    return row[0] not in whole and row[8] != ""


def proves(row: Row, originals: Iterable[str]) -> bool:
    """Whether an observation's id is the hash of its content, with one of the originals or none."""
    _, id_, modality, text, captured_at, _, duration, session, source, attributes = row
    fields: dict[str, Any] = {
        "modality": modality,
        "text": text,
        "captured_at": rows.to_time(captured_at),
        "session": session,
        "source": source,
        "attributes": json.loads(attributes),
    }
    media = [(), *((Media("original", "", digest, 0),) for digest in originals)]
    # A duration that was given as an integer was hashed as one.
    durations = [duration] if duration % 1 else [duration, int(duration)]
    try:
        return any(
            Observation(**fields, duration=length, media=held).id == id_
            for held in media
            for length in durations
        )
    except ValueError:  # attributes that no observation has
        return False


def _belonging(tables: Mapping[str, list[Row]], sound: Sound) -> None:
    mirrored = {(pk, position): digest for digest, pk, position in tables["digest_index"]}
    for row in tables["media"]:
        known = row[0] in sound.observations and min(row[1], row[5]) >= 0
        # Where the index says something else, one of them is damaged, and nothing tells which.
        if known and mirrored.get(row[:2], row[4]) == row[4]:
            sound.media.setdefault(row[:2], row)
    seen = {key for key in mirrored if key[0] in sound.observations}
    sound.lost_rows["media"] = len(seen - set(sound.media))


def _passages(found: Iterable[Row], sound: Sound) -> None:
    places = set[tuple[int, int]]()
    for pk, observation_pk, ordinal, start, stop in found:
        observation = sound.observations.get(observation_pk)
        if observation is None or (observation_pk, ordinal) in places or pk in sound.passages:
            continue
        if 0 <= start <= stop <= len(observation[3]) and ordinal >= 0 < pk:
            sound.passages[pk] = (pk, observation_pk, ordinal, start, stop)
            places.add((observation_pk, ordinal))


def _lost(tables: Mapping[str, list[Row]], sound: Sound) -> None:
    ids = {pk: id_ for id_, pk in tables["id_index"]}
    places = {row[4]: row[:4] for row in tables["session_index"]}
    seen = {row[0] for row in tables["observation"]} | set(ids) | set(places)
    # A damaged key could be any number: none is larger than the last that was given.
    last = sound.sequence.get("observation", 0) or max(seen, default=0)
    last = sound.sequence["observation"] = max(last, *sound.observations, 0)
    seen |= {row[1] for row in tables["passage"]} | {row[0] for row in tables["media"]}
    seen |= {pk for _, pk in tables["ingested"]}
    for pk in sorted(pk for pk in seen - set(sound.observations) if 0 < pk <= last):
        session, source, modality, captured_at = places.get(pk, ("", "", "", None))
        try:
            when = None if captured_at is None else rows.to_time(captured_at)
        except OverflowError:
            when = None
        sound.lost[pk] = Lost(pk, ids.get(pk, ""), modality, when, session, source)
    sound.unaccounted = gaps(last, [*sound.observations, *sound.lost])


def _ingested(tables: Mapping[str, list[Row]], sound: Sound) -> None:
    """Keep the keys of sources that are complete: to add one of the others again mends it."""
    # Of a source, keys follow each other; so those beside a gap may be of a source with a gap.
    bad = {pk for first, last in sound.unaccounted for pk in (first - 1, last + 1)}
    bad |= {pk for _, pk, position in tables["digest_index"] if (pk, position) not in sound.media}
    found = tables["ingested"]
    broken = {key for key, pk in found if pk in bad or pk not in sound.observations}
    sound.ingested = {row for row in found if row[0] not in broken}
