"""What an open memory encodes, understands questions and searches with."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from agentctx import changes, encoding, learning, preferring, scoring
from agentctx import ingest as intake
from agentctx.changes import Changes
from agentctx.config import DEFAULT_ENCODERS, Config
from agentctx.context import DESPITE
from agentctx.contracts import Encoder, TextEncoder
from agentctx.errors import ConfigError, QueryError
from agentctx.ingest import Hints, Ingest
from agentctx.memory.store import Store
from agentctx.planning import Plan
from agentctx.planning import plan as planned_from
from agentctx.preferences import Prefer
from agentctx.records import Filters, Hit, Observation, Signal
from agentctx.retrieve import Names, Request, Retriever, planned
from agentctx.retrieve.diversity import diverse, vectors_of
from agentctx.retrieve.request import LEAST_CONFIDENCE
from agentctx.services import SharedServices

Query = str | Path | Observation | Sequence[str | Path | Observation]

# How sure a search must be of what it finds against what was understood of the question.
_SURE = 0.9
# Diverse hits are chosen among so many times as many.
_WIDER = 3


class Engine:
    """The encoders of one store, with what searches by them; made anew when these change."""

    def __init__(
        self,
        store: Store,
        services: SharedServices,
        config: Config,
    ) -> None:
        names = config.encoders or store.encoders() or DEFAULT_ENCODERS
        self.text: TextEncoder
        self.others: Sequence[Encoder]
        self.text, self.others = encoding.load(services, names)
        store.use([encoder.card for encoder in (self.text, *self.others)], names)
        reranker = services.reranker(config.reranker) if config.reranker else None
        self.retriever = Retriever(store, self.text, self.others, reranker, config.gap)
        self._reranker = reranker
        self._encoded = encoding.Encoded()
        self._names = Names(store)
        self._services = services
        self._limits = config.limits
        self._prefer = config.prefer
        self._learned = config.learned

    def ingest(self) -> Ingest:
        """What adds to the store with these encoders."""
        return Ingest(self.retriever.store, self._services, self.text, self.others, self._encoded)

    def plan(self, question: str, now: datetime | None) -> Plan:
        """What a question is understood to ask for; ``now`` is the present when None."""
        return planned_from(question, now or datetime.now().astimezone(), self._names.vocabulary())

    def search(
        self,
        query: Query,
        limit: int,
        filters: Filters,
        *,
        plan: bool | Plan = True,
        now: datetime | None = None,
        rerank: bool = True,
        prefer: Prefer | None = None,
        diversity: float = 0.0,
    ) -> list[Hit]:
        """The best hits for a query among what passes the filters; see `Memory.search`."""
        if limit < 1:
            raise QueryError(f"limit is {limit}; it must be at least 1")
        if not 0.0 <= diversity <= 1.0:
            raise QueryError(f"diversity is {diversity}; it must be in 0..1")
        queries = self._queries(query)
        if plan is True and isinstance(query, str):
            plan = self.plan(query, now)
        prefer = self._prefer if prefer is None else prefer
        # An order that the question asks for (the last, the highest) comes before any other.
        reordered = self._learned or prefer.weighed() or diversity
        if not reordered or (isinstance(plan, Plan) and (plan.order or plan.wants)):
            return self._found(Request(queries, limit, filters, rerank=rerank), plan)
        wide = max(_WIDER * limit if diversity else limit, preferring.DEPTH)
        wider = Request(queries, wide, filters, rerank=rerank)
        at = (now or datetime.now().astimezone()).astimezone()
        catalog = self.retriever.store.catalog
        hits = self._found(wider, plan)
        if self._learned:
            hits = learning.reordered(hits, learning.learned(catalog))
        hits = preferring.reordered(hits, prefer, at, catalog)
        if diversity:
            vectors = vectors_of(self.retriever.store, self.text.card.space, hits)
            hits = diverse(hits, vectors, diversity)
        return hits[:limit]

    def _found(self, as_words: Request, plan: bool | Plan) -> list[Hit]:
        if isinstance(plan, bool):
            return self.retriever.search(as_words)
        limit, filters, rerank = as_words.limit, as_words.filters, as_words.rerank
        hits = planned.search(self.retriever, plan, limit, filters, rerank=rerank)
        return hits or self._despite(plan, as_words)

    def _despite(self, plan: Plan, as_words: Request) -> list[Hit]:
        """What the question finds as words only, when what was understood of it finds nothing.

        It may have been misunderstood: "soup for lunch on Friday" may be what somebody wrote. So
        what is surely about it is given, and its `why` says that it is not what was asked for.
        """
        least = LEAST_CONFIDENCE if plan.relations else _SURE
        hits = self.retriever.search(replace(as_words, least=least))
        return [replace(hit, why=(*hit.why, Signal(DESPITE, 0.0))) for hit in hits]

    def score(self, question: str, texts: Sequence[str | Observation]) -> list[float]:
        """How well each text fits a question; see `Memory.score`."""
        if self._reranker is None:
            raise ConfigError("config.reranker is None, and nothing else can score texts")
        return scoring.score(self.retriever.store, self.text, self._reranker, question, texts)

    def changes(self, subject: str, since: datetime, until: datetime, filters: Filters) -> Changes:
        """What changed between two times; see `Memory.changes`."""
        named = [named for part in self._names.vocabulary().find(subject)
                 for named in part.names.get("channel", ())]  # fmt: skip
        return changes.find(self.retriever, subject, since, until, filters, named)

    def _queries(self, query: Query) -> list[Observation]:
        parts = [query] if isinstance(query, str | Path | Observation) else query
        found: list[Observation] = []
        for part in parts:
            if isinstance(part, str):
                found.append(Observation(text=part))
            elif isinstance(part, Path):
                source = intake.open_source(part, Hints(), self._limits)
                _, plugin = intake.choose(source, self._services)
                found.extend(plugin.observe(source))
            else:
                found.append(part)
        if not any(part.text.strip() or part.modality != "text" for part in found):
            raise QueryError("the query is empty")
        return found
