"""Taking an archive in: all of it is checked before any of it is written."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from agentctx.errors import EncoderMismatch
from agentctx.memory import rows
from agentctx.memory.archive import layout
from agentctx.memory.archive.checking import Checked
from agentctx.memory.archive.container import Container
from agentctx.memory.entries import Entry
from agentctx.memory.store import Store
from agentctx.records import EncoderCard, Observation

Progress = Callable[[int, int, str], None]
Encode = Callable[[Sequence[Observation]], Sequence[Entry]]

# Passages, and characters of text, that are committed at once.
_BATCH = 256
_BATCH_CHARACTERS = 4_000_000


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did: observations that are new, those that were there, and sources.

    ``encoded``: whether their vectors were made anew.
    """

    added: int
    unchanged: int
    sources: int
    encoded: bool = False


def read(
    store: Store,
    source: Path,
    cards: Sequence[EncoderCard],
    *,
    encode: Encode | None = None,
    progress: Progress | None = None,
) -> ImportReport:
    """Add the observations of an archive that the memory does not have.

    ``cards`` are the memory's encoders. Where the archive's are others, EncoderMismatch is
    raised, or ``encode`` makes passages and vectors anew. Raises ArchiveError, with nothing
    taken, for whatever is wrong with the archive. When the process dies meanwhile the memory has
    a part of the archive, and another import adds the rest.
    """
    with Container(source) as archive:
        with archive.explained():
            differing = _differing(archive, cards)
        if differing and encode is None:
            raise EncoderMismatch(
                f"{source} has other vectors than this memory: {'; '.join(differing)}. Open the "
                "memory with the archive's encoders, or have them made anew with --reencode"
            )
        run = _Reader(store, archive, progress)
        with archive.explained():
            run.check()
        with archive.explained("A part of it was taken; import another copy of it"):
            return run.take(encode if differing else None)


def _differing(archive: Container, ours: Sequence[EncoderCard]) -> list[str]:
    """What vectors the archive lacks; none are of a space that nothing in it would live in."""
    known = {card.space: card for card in archive.manifest.spaces}
    kept: set[str] = set()
    if any(card.space not in known for card in ours):
        for batch in archive.groups("observations.parquet"):
            kept.update(batch.column("modality").to_pylist())
    found = []
    for card in ours:
        other = known.get(card.space)
        if other is None:
            if not kept.isdisjoint(card.modalities):
                found.append(f"none of the space {card.space!r}")
        elif other != card:
            found.append(
                f"those of {other.name} {other.revision} (digest {other.digest[:12]}) in the space "
                f"{card.space!r}, not of {card.name} {card.revision} (digest {card.digest[:12]})"
            )
    return found


class _Reader:
    def __init__(self, store: Store, archive: Container, progress: Progress | None) -> None:
        self._store = store
        self._archive = archive
        self._progress = progress
        self._total = archive.manifest.tables["observations.parquet"].rows

    def check(self) -> None:
        for name, table in self._archive.manifest.tables.items():
            self._archive.check_digest(name, table.sha256)
        for digest in self._archive.media:
            self._archive.check_digest(layout.MEDIA + digest, digest)
        checked = Checked(self._archive)
        for _ in self._counted(checked, "checking"):
            pass
        for _ in checked.sources():
            pass
        self._archive.check_unchanged()

    def take(self, encode: Encode | None) -> ImportReport:
        if encode is None:
            for card in self._archive.manifest.spaces:
                self._store.register(card)
        checked = Checked(self._archive)
        added = 0
        for batch in _batches(self._counted(checked, "")):
            ids = [entry.observation.id for entry in batch]
            known = self._store.catalog.known(ids)
            fresh = [entry for entry in batch if entry.observation.id not in known]
            if encode is not None and fresh:
                fresh = list(encode([entry.observation for entry in fresh]))
            unproven = self._archive.manifest.ids
            added += len(self._store.add(fresh, {}, unproven)) if fresh else 0
            self._restore_media(entry for entry in batch if entry.observation.id in known)
        sources = self._take_sources(checked.sources())
        return ImportReport(added, self._total - added, sources, encode is not None)

    def _restore_media(self, entries: Iterable[Entry]) -> None:
        """Put back the media files that the memory refers to and has lost."""
        media = {one.digest: one for entry in entries for one in entry.observation.media}
        for part in rows.chunks(list(media)):
            for (digest,) in self._store.catalog.query(
                f"SELECT DISTINCT digest FROM media WHERE digest IN ({rows.marks(part)})",  # noqa: S608
                part,
            ):
                self._store.media.put(media[digest])

    def _take_sources(self, sources: Iterator[tuple[str, list[str]]]) -> int:
        count = 0
        waiting: dict[str, Sequence[str]] = {}
        for key, ids in sources:
            waiting[key] = ids
            count += 1
            if sum(map(len, waiting.values())) >= _BATCH:
                self._store.add((), waiting)
                waiting = {}
        if waiting:
            self._store.add((), waiting)
        return count

    def _counted(self, entries: Iterable[Entry], name: str) -> Iterator[Entry]:
        for done, entry in enumerate(entries):
            if self._progress and done % _BATCH == 0:
                self._progress(done, self._total, name)
            yield entry


def _batches(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    batch: list[Entry] = []
    passages = characters = 0
    for entry in entries:
        batch.append(entry)
        passages += max(1, len(entry.spans))
        characters += len(entry.observation.text)
        if passages >= _BATCH or characters >= _BATCH_CHARACTERS:
            yield batch
            batch, passages, characters = [], 0, 0
    if batch:
        yield batch
