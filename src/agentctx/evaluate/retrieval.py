"""Retrieval on any dataset: recall, success, MRR and nDCG by method, category and modality.

Each collection of the dataset becomes a memory of its own, in a temporary directory. Everything is
deterministic but the latency; no language model judges anything.
"""

import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from collections.abc import Set as Names
from dataclasses import dataclass, field
from pathlib import Path

from agentctx.app import Memory
from agentctx.config import Config
from agentctx.errors import ConfigError, SourceInvalid
from agentctx.evaluate import metrics
from agentctx.evaluate.abstention import OFF_TOPIC, Abstention, AbstentionProbe
from agentctx.evaluate.datasets.records import Collection, Dataset
from agentctx.evaluate.filling import Asked, Asker, Filled, files_of, filled
from agentctx.evaluate.first_stages import FirstStages
from agentctx.evaluate.gap import Gap
from agentctx.evaluate.leakage import Leakage, LeakageProbe
from agentctx.evaluate.metrics import Latency
from agentctx.evaluate.pairs import GapProbe
from agentctx.evaluate.results import (
    DEPTH,
    Detail,
    Method,
    Pair,
    Question,
    Sheet,
    figures,
)
from agentctx.ingest import Progress

PROBES = ("abstention", "gap", "leakage")
OURS = "agentctx"
_AS_WORDS = "agentctx, plan off"
_FUSED = "RRF, no rerank"
_WORDS = "BM25"
_DENSE = "dense (plain Chroma)"
_TOP = 10
_PRIMARY = "recall_at_10"
# Passages per observation that are looked through for a baseline's first 50 observations.
_PASSAGES = 4


@dataclass(frozen=True, slots=True)
class RetrievalResult:
    """What a dataset measures: agentctx first, then the baselines, where queries are words.

    ``skipped`` counts the queries that nothing answers. ``search`` is at limit 10, without what it
    takes to read a query's file; ``adding_ms`` is the median over items. The probes are None unless
    asked for.
    """

    format: str
    collections: int
    items: int
    questions: int
    skipped: int
    without_text: int
    methods: Sequence[Method]
    pairs: Sequence[Pair]
    search: Latency
    adding_ms: float
    abstention: Abstention | None = None
    gap: Gap | None = None
    leakage: Leakage | None = None
    detail: Detail | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What is measured beside retrieval: ``probes`` of `PROBES`, ``off_topic`` for abstention.

    ``sample``: how many queries of a dataset are asked at most; 0 is all of them. ``baselines``:
    whether plain Chroma and plain BM25 are asked as well, which starts Chroma for each collection.
    """

    probes: Names[str] = frozenset()
    off_topic: Sequence[str] = OFF_TOPIC
    sample: int = 0
    baselines: bool = True

    def __post_init__(self) -> None:
        """Check the names; raises ConfigError."""
        if unknown := sorted(set(self.probes) - set(PROBES)):
            raise ConfigError(f"unknown: {', '.join(unknown)}; known: {', '.join(PROBES)}")
        if self.sample < 0:
            raise ConfigError(f"sample is {self.sample}; it cannot be negative")


def evaluate(
    dataset: Dataset, config: Config, progress: Progress, options: Options | None = None
) -> RetrievalResult:
    """Put every query of a dataset to agentctx and to the baselines.

    Raises SourceInvalid when there is no query, and the error of an item that cannot be added.
    """
    chosen = options or Options()
    if chosen.sample:
        dataset = dataset.sample(chosen.sample)
    if not dataset.queries:
        raise SourceInvalid(dataset.name, "no question in it is answered by anything in it")
    return _Run(dataset, config, chosen, progress).result()


class _Run:
    """One dataset on its way to figures."""

    def __init__(
        self, dataset: Dataset, config: Config, options: Options, progress: Progress
    ) -> None:
        self._dataset, self._config, self._progress = dataset, config, progress
        self._asker = Asker(config)
        self._abstention = AbstentionProbe(options.off_topic)
        self._gap, self._leakage = GapProbe(config), LeakageProbe()
        self._probes, self._with_baselines = options.probes, options.baselines
        self._sheets: dict[str, Sheet] = {}
        self._pairs: dict[tuple[str, str], Sheet] = {}
        self._questions: list[Question] = []
        self._seconds: list[float] = []
        self._adding: list[float] = []
        self._empty = self._done = 0
        files = sum(len(files_of(one)) for one in dataset.collections)
        self._steps = dataset.queries + files

    def result(self) -> RetrievalResult:
        for collection in self._dataset.collections:
            with tempfile.TemporaryDirectory() as temporary:
                self._collection(collection, Path(temporary) / "memory")
        self._progress(self._steps, self._steps, self._dataset.name)
        methods = [sheet.method(name) for name, sheet in self._sheets.items()]
        values = {name: sheet.columns() for name, sheet in self._sheets.items()}
        search = metrics.latency(self._seconds)
        items = sum(len({item.id for item in one.items}) for one in self._dataset.collections)
        return RetrievalResult(
            self._dataset.format,
            len(self._dataset.collections),
            items,
            self._dataset.queries,
            self._dataset.skipped,
            self._empty,
            methods,
            [
                Pair(*modalities, sheet.scores())
                for modalities, sheet in sorted(self._pairs.items())
            ],
            search,
            statistics.median(self._adding) * 1e3 if self._adding else 0.0,
            self._abstention.result(),
            self._gap.result(),
            self._leakage.result(),
            Detail(_PRIMARY, self._questions, values, search),
        )

    def _step(self, what: str) -> None:
        self._progress(self._done, self._steps, f"{self._dataset.name} {what}")
        self._done += 1

    def _collection(self, collection: Collection, directory: Path) -> None:
        with filled(collection, directory, self._config, self._step) as memory:
            self._adding += memory.seconds
            self._empty += memory.without_text
            asked = self._ask(collection, memory)
            words = [one.words for one in asked if one.words]
            if "abstention" in self._probes and words:
                self._abstention.ask(memory.memory, words)
            if "gap" in self._probes:
                self._gap.collect(collection.name, asked, memory.observations())
        if self._with_baselines and len(words) == len(asked):
            self._baselines(collection, memory, asked, directory)
        if "leakage" in self._probes:
            with Memory.open(directory, self._config) as reopened:
                self._leakage.look(reopened)

    def _ask(self, collection: Collection, memory: Filled) -> list[Asked]:
        """Put a collection's queries to its memory."""
        groups = {item.id: item.group for item in collection.items if item.group}
        asked = []
        for query in collection.queries:
            self._step(collection.name)
            one = self._asker.ask(query)
            asked.append(one)
            self._questions.append(
                Question(f"{collection.name}/{query.id}", one.shown, query.category)
            )
            started = time.perf_counter()
            one.search(memory.memory, _TOP)
            self._seconds.append(time.perf_counter() - started)
            found = memory.items(one.search(memory.memory, DEPTH))
            self._note(OURS, one, found, groups)
            if one.words:
                as_words = one.search(memory.memory, DEPTH, plan=False)
                self._note(_AS_WORDS, one, memory.items(as_words), groups)
            fused = one.search(memory.memory, DEPTH, plan=False, rerank=False)
            self._note(_FUSED, one, memory.items(fused), groups)
            self._by_modality(memory, one, found, groups)
        return asked

    def _note(
        self, method: str, asked: Asked, found: Sequence[str], groups: Mapping[str, str]
    ) -> None:
        sheet = self._sheets.setdefault(method, Sheet())
        sheet.note(found, figures(found, asked.query, groups), asked.query.category)

    def _by_modality(
        self, memory: Filled, asked: Asked, found: Sequence[str], groups: Mapping[str, str]
    ) -> None:
        relevant: dict[str, list[str]] = {}
        for id_ in asked.query.relevant:
            if id_ in memory.modalities:
                relevant.setdefault(memory.modalities[id_], []).append(id_)
        for modality, ids in relevant.items():
            if set(memory.modalities.values()) != {modality}:
                found = memory.items(asked.search(memory.memory, DEPTH, modality=modality))
            sheet = self._pairs.setdefault((asked.modality, modality), Sheet())
            sheet.note(found, figures(found, asked.query, groups, ids), asked.query.category)

    def _baselines(
        self, collection: Collection, memory: Filled, asked: Sequence[Asked], directory: Path
    ) -> None:
        groups = {item.id: item.group for item in collection.items if item.group}
        with FirstStages(directory, self._config) as stages:
            depth = min(stages.passages, _PASSAGES * DEPTH)
            for one in asked:
                for name, search in ((_WORDS, stages.bm25), (_DENSE, stages.dense)):
                    found = memory.named(search(one.words or "", depth))[:DEPTH]
                    self._note(name, one, found, groups)
