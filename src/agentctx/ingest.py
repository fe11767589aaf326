"""From sources to stored entries: observe, encode, commit in batches."""

import hashlib
import os
import stat
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path

from agentctx import registry, resident
from agentctx.config import Config
from agentctx.contracts import Arrival, Encoder, Plugin, Source, TextEncoder
from agentctx.encoding import Encoded, entries
from agentctx.errors import (
    AgentctxError,
    ConfigError,
    PluginError,
    SourceError,
    SourceInvalid,
    SourceNotFound,
    SourceTooLarge,
    SourceUnreadable,
    SourceUnsupported,
)
from agentctx.limits import Limits
from agentctx.memory.store import Store
from agentctx.records import Attribute, Observation
from agentctx.reports import Failure, IngestReport
from agentctx.services import SharedServices

Item = Observation | Path | str | Arrival
Progress = Callable[[int, int, str], None]

_HEAD = 4096
# A slow source (OCR takes a second a page) should not keep finished work unacknowledged.
_COMMIT_AFTER_SECONDS = 5.0
# Raised when the same bytes would now be observed differently, so that they are read again.
_LEDGER_VERSION = 1


@dataclass(frozen=True, slots=True)
class Hints:
    """What the caller knows of all sources of one call, or of one that is named ``label``."""

    session: str = ""
    captured_at: datetime | None = None
    attributes: Mapping[str, Attribute] | None = None
    label: str = ""

    def apart(self, item: Item) -> "tuple[Observation | Path | str | SourceError, Hints]":
        """An item itself, and what is known of it."""
        if not isinstance(item, Arrival):
            return item, self
        attributes = {**(self.attributes or {}), **item.attributes}
        when = item.captured_at or self.captured_at
        return item.item, Hints(self.session, when, attributes, item.source)


class Ingest:
    """One call of ``Memory.add``."""

    def __init__(
        self,
        store: Store,
        services: SharedServices,
        text: TextEncoder,
        others: Sequence[Encoder],
        encoded: Encoded,
    ) -> None:
        self._store = store
        self._services = services
        self._config: Config = services.config
        self._text = text
        self._others = others
        self._encoded = encoded
        self._batch: list[Observation] = []
        self._finished: dict[str, list[str]] = {}
        self._since = 0.0
        self._new: set[str] = set()
        self._ids: list[str] = []
        self._failed: list[Failure] = []
        self._held = resident.resident()

    def run(
        self, items: Iterable[Item], hints: Hints, progress: Progress | None = None
    ) -> IngestReport:
        """Add all items; a source that fails is reported and the others go on."""
        items = list(items)
        for done, item in enumerate(items):
            name = item.source if isinstance(item, Observation | Arrival) else str(item)
            if progress:
                progress(done, len(items), name)
            thing, known = hints.apart(item)
            if isinstance(thing, Observation):
                self._take(thing)
                continue
            if isinstance(thing, SourceError):
                # As it is: to clear its frames would end the watcher that gave it.
                self._failed.append(Failure(name, thing))
                continue
            try:
                self._file(Path(thing), known, partial(progress or _silent, done, len(items), name))
            except AgentctxError as error:
                _let_go(error)
                self._failed.append(Failure(name, error))
            self._held = resident.give_back(self._held)
        self._commit()
        if progress:
            progress(len(items), len(items), "")
        ids = list(dict.fromkeys(self._ids))
        added = len(self._new)
        return IngestReport(added, len(ids) - added, tuple(self._failed), tuple(ids))

    def _file(self, path: Path, hints: Hints, tick: Callable[[], None]) -> None:
        source = open_source(path, hints, self._config.limits)
        name, plugin = choose(source, self._services)
        key = self._key(source, name)
        if known := self._store.catalog.ingested(key):
            self._ids.extend(known)
            return
        # Whole or not at all: observed to its end, and its media safe, before any of it is taken.
        observations = []
        for found in _observe(name, plugin, source):
            observations.append(self._kept(found))
            tick()
        for media in dict.fromkeys(m for o in observations for m in o.media):
            self._store.media.put(media)
        taken = []
        for observation in observations:
            taken.append(self._take(observation))
            tick()
        # Only now: a commit on the way must not call the file finished.
        self._finished[key] = taken

    def _kept(self, observation: Observation) -> Observation:
        if self._config.keep_originals:
            return observation
        media = tuple(m for m in observation.media if m.kind != "original")
        return replace(observation, media=media)

    def _key(self, source: Source, plugin: str) -> str:
        with source.path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        parts = [
            _LEDGER_VERSION,
            content,
            source.name,
            source.session,
            source.captured_at,
            sorted(source.attributes.items()),
            plugin,
            sorted(self._config.options.get(plugin, {}).items()),
        ]
        return hashlib.sha256(repr(parts).encode("utf-8", "surrogatepass")).hexdigest()

    def _take(self, observation: Observation) -> str:
        now = time.monotonic()
        if not self._batch:
            self._since = now
        self._batch.append(observation)
        self._ids.append(observation.id)
        if len(self._batch) >= self._config.batch_size or now - self._since > _COMMIT_AFTER_SECONDS:
            self._commit()
        return observation.id

    def _commit(self) -> None:
        unique = {observation.id: observation for observation in self._batch}
        known = self._store.catalog.known(list(unique))
        fresh = [observation for id_, observation in unique.items() if id_ not in known]
        if fresh or self._finished:
            new = entries(self._text, self._others, fresh, self._encoded)
            self._new |= self._store.add(new, self._finished)
        self._batch, self._finished = [], {}


def _silent(done: int, total: int, name: str) -> None:
    del done, total, name


def _observe(name: str, plugin: Plugin, source: Source) -> Iterator[Observation]:
    try:
        length = 0
        for number, found in enumerate(plugin.observe(source), 1):
            if not isinstance(found, Observation):
                raise PluginError(f"{source.name!r}: the plugin {name!r} gave {found!r}")
            source.check_time()
            length += len(found.text)
            source.limits.hold(source.name, "observations", number, "observations", "split it")
            source.limits.hold(source.name, "characters", length, "characters of text", "split it")
            yield found
    except AgentctxError:
        raise
    except MemoryError as error:
        raise SourceTooLarge(source.name, "there is not enough memory for it: split it") from error
    except Exception as error:
        # An outsider's plugin may raise anything; the rest of the batch must go on.
        raise PluginError(f"{source.name!r}: the plugin {name!r} failed: {error!r}") from error


def _let_go(error: BaseException) -> None:
    """Empty the frames of an error that is kept: they hold pictures and sounds of 100 MB."""
    traceback.clear_frames(error.__traceback__)
    if before := error.__cause__ or error.__context__:
        _let_go(before)


def open_source(path: Path, hints: Hints, limits: Limits) -> Source:
    """Check that a path is a readable file of an allowed size, and read its head.

    Raises a SourceError that says what is wrong and what to do.
    """
    name = hints.label or str(path)
    try:
        name.encode()
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise SourceUnreadable(name, "it is a directory; name its files, or use --recursive")
        if not stat.S_ISREG(status.st_mode):
            raise SourceUnreadable(name, "it is not a regular file; copy what it gives into one")
        if status.st_size == 0:
            raise SourceInvalid(name, "the file is empty; export or record it again")
        limits.hold(name, "file_bytes", status.st_size, "bytes", "split it")
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except FileNotFoundError as error:
        raise SourceNotFound(name, "there is no such file; check the path") from error
    except PermissionError as error:
        raise SourceUnreadable(
            name, f"no permission to read it as user {os.getuid()}; chmod or copy it"
        ) from error
    except UnicodeEncodeError as error:  # the catalog is UTF-8
        raise SourceUnreadable(name, "its path is not UTF-8; rename it") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL byte in the path
        raise SourceUnreadable(name, f"it cannot be opened: {error}; check the path") from error
    deadline = time.monotonic() + limits.work_seconds
    known = (hints.session, hints.captured_at, hints.attributes or {})
    return Source(path, head, *known, limits, deadline, hints.label)


def choose(source: Source, services: SharedServices) -> tuple[str, Plugin]:
    """The first plugin that accepts a source; a broken plugin does not stop the others."""
    broken: list[str] = []
    for name in services.config.plugins or registry.names("plugins"):
        try:
            plugin = services.plugin(name)
            if plugin.accepts(source):
                return name, plugin
        except (ConfigError, MemoryError):
            raise
        except Exception as error:  # noqa: BLE001 - an outsider may raise anything, also here
            broken.append(f"the plugin {name!r} cannot look: {error}")
    reason = (
        f"no plugin knows files like this ({source.suffix or 'no extension'}): convert it to a "
        "format that one knows, or install one for it"
    )
    raise SourceUnsupported(source.name, "; ".join([reason, *broken]))
