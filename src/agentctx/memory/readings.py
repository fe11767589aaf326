"""Exact values of a sensor, from the Parquet files that a memory keeps of its readings."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from agentctx.errors import QueryError, StoreError
from agentctx.extras import require
from agentctx.records import Media

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_LISTED = 40
# The channels by the digest of their file: a live sensor leaves thousands of files.
_MOST_KNOWN = 10_000

Floats = NDArray[np.float64]
# Media where a memory keeps them sealed: they are read in memory, and no clear copy is made.
File = Path | Media
# ``std`` is that of the population, as in the windows.
AGGREGATES: Mapping[str, Callable[[Floats], float]] = {
    "count": lambda values: float(values.size),
    "sum": lambda values: float(values.sum()),
    "min": lambda values: float(values.min()),
    "max": lambda values: float(values.max()),
    "mean": lambda values: float(values.mean()),
    "median": lambda values: float(np.median(values)),
    "std": lambda values: float(values.std()),
    "first": lambda values: float(values[0]),
    "last": lambda values: float(values[-1]),
}
_OF_NOTHING = ("count", "sum")
_known: dict[str, list["Channel"]] = {}


class Reading(NamedTuple):
    """One reading: its time (UTC) and its value."""

    time: datetime
    value: float


class Channel(NamedTuple):
    """A channel that readings are kept of: its name, its unit and the header it came from."""

    name: str
    unit: str
    column: str


def channels(files: Sequence[File]) -> list[Channel]:
    """The channels in the files, each once, sorted by name. Raises StoreError for a bad file."""
    found: dict[str, Channel] = {}
    for file in files:
        for channel in _channels(file):
            found.setdefault(channel.name, channel)
    return [found[name] for name in sorted(found)]


def readings(
    files: Sequence[File],
    channel: str,
    since: datetime | None = None,
    until: datetime | None = None,
    aggregate: str | None = None,
) -> list[Reading] | float:
    """The readings of a channel with ``since <= time < until``, in order, or one number of them.

    ``channel``: its name or header, whatever its case and punctuation, or the beginning of just
    one. ``aggregate``: one of `AGGREGATES`. A time that several files hold (a log added again
    when it had grown) counts once, as in the first of the files. Naive times are local.

    Raises QueryError when there is no such channel (it lists those there are), no such aggregate,
    or nothing to aggregate (of nothing, only ``count`` and ``sum`` can be told); StoreError for a
    file that cannot be read.
    """
    if aggregate is not None and aggregate not in AGGREGATES:
        raise QueryError(f"no aggregate {aggregate!r}; there are: {', '.join(AGGREGATES)}")
    name = match(channels(files), channel)
    times, values = _select(files, name, since, until)
    if aggregate is None:
        moments = (_EPOCH + timedelta(microseconds=micros) for micros in times.tolist())
        return list(map(Reading, moments, values.tolist()))
    if not values.size and aggregate not in _OF_NOTHING:
        raise QueryError(
            f"no reading of {name!r} from {since or 'the first'} until {until or 'the last'}, so "
            f"there is no {aggregate}; {_extent(files, name)}"
        )
    return AGGREGATES[aggregate](values)


def match(known: Iterable[Channel], wanted: str) -> str:
    """The name of the one channel that is meant; raises QueryError, listing them, otherwise."""
    known = list(known)
    plain = _plain(wanted)
    exact = [c.name for c in known if wanted in (c.name, c.column)]
    same = [c.name for c in known if plain and plain in (_plain(c.name), _plain(c.column))]
    begins = [c.name for c in known if plain and (_plain(c.name).startswith(plain)
                                                  or _plain(c.column).startswith(plain))
              ]  # fmt: skip
    for found in (exact, same, begins):
        if len(found) == 1:
            return found[0]
        if found:
            break
    listed = ", ".join(repr(name) for name in (found or [c.name for c in known])[:_MOST_LISTED])
    if found:
        raise QueryError(f"{wanted!r} may mean several channels; say which: {listed}")
    if not known:
        raise QueryError(f"no channel {wanted!r}: the memory holds no sensor readings")
    raise QueryError(f"no channel {wanted!r}; there are: {listed}")


def _plain(name: str) -> str:
    letters = (letter if letter.isalnum() else " " for letter in name.casefold())
    return " ".join("".join(letters).split())


def _select(
    files: Sequence[File], name: str, since: datetime | None, until: datetime | None
) -> tuple[NDArray[np.int64], Floats]:
    holding = [file for file in files if any(c.name == name for c in _channels(file))]
    parts = [_read(file, name, since, until) for file in holding]
    times = np.concatenate([part[0] for part in parts])
    values = np.concatenate([part[1] for part in parts])
    if len(parts) == 1:
        return times, values
    # The first of equal times, and a stable order: the earlier file wins.
    times, first = np.unique(times, return_index=True)
    return times, values[first]


def _read(
    file: File, name: str, since: datetime | None, until: datetime | None
) -> tuple[NDArray[np.int64], Floats]:
    """One file's part; row groups outside of the channel and the time are not read."""
    parquet = require("pyarrow.parquet", extra="sensor")
    arrow = require("pyarrow", extra="sensor")
    filters: list[tuple[str, str, Any]] = [("channel", "==", name)]
    stamp = arrow.timestamp("us", "UTC")
    if since is not None:
        filters.append(("time", ">=", arrow.scalar(_micros(since), stamp)))
    if until is not None:
        filters.append(("time", "<", arrow.scalar(_micros(until), stamp)))
    with opened(file) as source:
        table = parquet.read_table(source, columns=["time", "value"], filters=filters)
    times = table["time"].cast(arrow.int64()).to_numpy()
    return np.asarray(times, dtype=np.int64), np.asarray(table["value"].to_numpy())


def _extent(files: Sequence[File], name: str) -> str:
    times, _ = _select(files, name, None, None)
    first, last = (_EPOCH + timedelta(microseconds=int(times[end])) for end in (0, -1))
    return f"its readings go from {first.isoformat()} to {last.isoformat()}"


def _micros(when: datetime) -> int:
    return (when.astimezone(UTC) - _EPOCH) // timedelta(microseconds=1)


def _channels(file: File) -> list[Channel]:
    """The channels of a file; what a memory keeps never changes, and is looked into once."""
    digest = file.digest if isinstance(file, Media) else ""
    found = _known.get(digest)
    if found is None:
        found = _listed(file)
        if digest:
            if len(_known) >= _MOST_KNOWN:
                _known.clear()
            _known[digest] = found
    return found


def _listed(file: File) -> list[Channel]:
    with opened(file) as source:
        metadata = require("pyarrow.parquet", extra="sensor").read_schema(source).metadata or {}
    if b"channels" not in metadata:
        raise StoreError(
            f"{_place(file)} holds no readings: its Parquet metadata names no channels"
        )
    about: dict[str, dict[str, str]] = json.loads(metadata[b"channels"])
    return [Channel(name, one["unit"], one["column"]) for name, one in about.items()]


@contextmanager
def opened(file: File) -> Iterator[Path | BinaryIO]:
    """What pyarrow reads the file from; its errors become a StoreError that names the file."""
    arrow = require("pyarrow", extra="sensor")
    try:
        if isinstance(file, Media) and file.path is None:
            with file.open() as source:
                yield source
        else:
            yield _place(file)
    except (OSError, arrow.ArrowException) as error:
        raise StoreError(f"the readings in {_place(file)} cannot be read: {error}") from error


def _place(file: File) -> Path:
    return file if isinstance(file, Path) else file.path or Path(file.digest)
