"""A dataset's collection in a memory: which observation is which item, and what is asked of it."""

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agentctx.app import Memory
from agentctx.config import Config
from agentctx.errors import QueryError
from agentctx.evaluate.datasets.records import Collection, Content, Item, Member, Query
from agentctx.ingest import Hints, choose, open_source
from agentctx.records import Hit, Observation
from agentctx.services import SharedServices


@dataclass(frozen=True, slots=True)
class Filled:
    """An open memory with a collection in it.

    ``owners``: of each observation, its item; ``modalities``: of each item, that of its first
    observation; ``without_text``: observations that have no words; ``seconds``: what adding each
    item took (those that are observations already were added together, and share it evenly).
    """

    memory: Memory
    owners: Mapping[str, str]
    modalities: Mapping[str, str]
    without_text: int
    seconds: Sequence[float]

    def items(self, hits: Sequence[Hit]) -> list[str]:
        """The items that were found, each at the rank of its best observation."""
        return self.named([hit.id for hit in hits])

    def named(self, ids: Sequence[str]) -> list[str]:
        """The items behind observations, in their order, each once."""
        return list(dict.fromkeys(self.owners[id_] for id_ in ids))

    def observations(self) -> dict[str, list[Observation]]:
        """What each item became."""
        found: dict[str, list[Observation]] = {}
        for one in self.memory.timeline():
            found.setdefault(self.owners[one.id], []).append(one)
        return found


def files_of(collection: Collection) -> list[Item]:
    """The items of a collection that are files, and must be observed."""
    return [item for item in collection.items if not isinstance(item.content, Observation)]


@contextmanager
def filled(
    collection: Collection, directory: Path, config: Config, step: Callable[[str], None]
) -> Iterator[Filled]:
    """A new memory with all items of a collection; ``step`` is called before each file.

    Raises the error of an item that cannot be added, since without it nothing that is counted
    would mean what it says.
    """
    with Memory.open(directory, config) as memory, tempfile.TemporaryDirectory() as scratch:
        owners: dict[str, str] = {}
        seconds: list[float] = []
        # Loads the text encoder, which is no part of what an item costs.
        memory.search("warm up")
        ready = [item for item in collection.items if isinstance(item.content, Observation)]
        started = time.perf_counter()
        _add(memory, [item.content for item in ready])
        seconds += [(time.perf_counter() - started) / len(ready)] * len(ready) if ready else []
        owners.update((item.content.id, item.id) for item in ready)  # type: ignore[union-attr]
        for item in files_of(collection):
            step(item.id)
            started = time.perf_counter()
            owners.update(_file(memory, item, Path(scratch)))
            seconds.append(time.perf_counter() - started)
        seen = memory.timeline()
        modalities = {owners[one.id]: one.modality for one in reversed(seen)}
        empty = sum(not one.text.strip() for one in seen)
        yield Filled(memory, owners, modalities, empty, seconds)


def _file(memory: Memory, item: Item, scratch: Path) -> dict[str, str]:
    path = _path(item.content, scratch)
    ids = _add(memory, [path])
    if isinstance(item.content, Member):
        path.unlink()
    return dict.fromkeys(ids, item.id)


def _add(memory: Memory, items: Sequence[Content]) -> tuple[str, ...]:
    report = memory.add(items)  # type: ignore[arg-type]
    if report.failed:
        raise report.failed[0].error
    return report.ids


def _path(content: Content, scratch: Path) -> Path:
    """A file as it is, or a member of an archive under a name of ours."""
    if isinstance(content, Path):
        return content
    assert isinstance(content, Member)
    path = scratch / f"{content.archive.stem}-{content.offset}{content.suffix}"
    path.write_bytes(content.read())
    return path


@dataclass(frozen=True, slots=True)
class Asked:
    """What a query asks, ready to be searched for: files are observed once, before."""

    query: Query
    what: Sequence[str | Observation]
    modality: str

    @property
    def words(self) -> str | None:
        """The query when it is nothing but words."""
        return self.what[0] if isinstance(self.what[0], str) else None

    def search(self, memory: Memory, limit: int, **options: Any) -> list[Hit]:  # noqa: ANN401
        """What a memory finds for it: words are a question, asked when the dataset says."""
        return memory.search(self.words or self.what, limit, now=self.query.now, **options)

    @property
    def shown(self) -> str:
        """The query for people: its words, or the name of its file."""
        content = self.query.content
        if isinstance(content, Path | Member):
            return content.name
        return content if isinstance(content, str) else content.text


class Asker:
    """Makes queries ready; loads each plugin once."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._services = SharedServices(config)

    def ask(self, query: Query) -> Asked:
        """A query with its files observed; raises QueryError when there is nothing in one."""
        content = query.content
        if isinstance(content, str):
            return Asked(query, (content,), "text")
        if isinstance(content, Observation):
            return Asked(query, (content,), content.modality)
        with tempfile.TemporaryDirectory() as scratch:
            source = open_source(_path(content, Path(scratch)), Hints(), self._config.limits)
            _, plugin = choose(source, self._services)
            found = tuple(plugin.observe(source))
        if not found:
            raise QueryError(f"the query {query.id!r} is a file in which nothing was found")
        return Asked(query, found, found[0].modality)
