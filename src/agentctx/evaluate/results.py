"""What an evaluation of retrieval gives: figures to read, and the detail behind them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields

from agentctx.evaluate import metrics
from agentctx.evaluate.datasets.records import Query
from agentctx.evaluate.metrics import Estimate, Latency

# How far a ranking is looked at.
DEPTH = 50


@dataclass(frozen=True, slots=True)
class Figures:
    """How well one query was answered; each is 0..1.

    Recall is the share of the relevant items among the first 1, 5, 10, 50; success is whether any
    of them is; ``mrr`` is 1 over the rank of the first in 50; ``ndcg_at_10`` counts grades.
    ``session_recall_at_10`` is the share of the relevant items' groups among those of the first
    10 items, None where items have no groups.
    """

    recall_at_1: float
    recall_at_5: float
    recall_at_10: float
    recall_at_50: float
    success_at_1: float
    success_at_5: float
    mrr: float
    ndcg_at_10: float
    session_recall_at_10: float | None = None


METRICS = tuple(one.name for one in fields(Figures))


@dataclass(frozen=True, slots=True)
class Scores:
    """The means of `Figures` over queries, each with its 95 % interval.

    ``unanswered`` counts the queries for which nothing was found.
    """

    questions: int
    unanswered: int
    recall_at_1: Estimate
    recall_at_5: Estimate
    recall_at_10: Estimate
    recall_at_50: Estimate
    success_at_1: Estimate
    success_at_5: Estimate
    mrr: Estimate
    ndcg_at_10: Estimate
    session_recall_at_10: Estimate | None = None


@dataclass(frozen=True, slots=True)
class Method:
    """One way to search, scored over all queries and by category."""

    name: str
    overall: Scores
    categories: Mapping[str, Scores]


@dataclass(frozen=True, slots=True)
class Pair:
    """How well queries of one modality find items of another, searched among these alone."""

    query: str
    item: str
    scores: Scores


@dataclass(frozen=True, slots=True)
class Question:
    """A query that was asked; ``id`` is the collection's name and its own."""

    id: str
    text: str
    category: str = ""


@dataclass(frozen=True, slots=True)
class Detail:
    """The figures of every question: ``values[method][metric]``, in the order of ``questions``.

    ``primary`` is the metric by which a question counts as won or lost, ``latency`` that of the
    first method.
    """

    primary: str
    questions: Sequence[Question]
    values: Mapping[str, Mapping[str, Sequence[float | None]]]
    latency: Latency | None = None


def figures(
    found: Sequence[str], query: Query, groups: Mapping[str, str], relevant: Sequence[str] = ()
) -> Figures:
    """The figures of one ranking of item ids; ``relevant``, if given, are the only ones that count.

    ``groups``: of each item that has one, the group.
    """
    grades = {id_: query.relevant[id_] for id_ in relevant or query.relevant}
    wanted = {groups[id_] for id_ in grades if id_ in groups}
    grouped = [groups.get(id_, "") for id_ in found]
    return Figures(
        recall_at_1=metrics.recall(found, grades, 1),
        recall_at_5=metrics.recall(found, grades, 5),
        recall_at_10=metrics.recall(found, grades, 10),
        recall_at_50=metrics.recall(found, grades, 50),
        success_at_1=metrics.success(found, grades, 1),
        success_at_5=metrics.success(found, grades, 5),
        mrr=metrics.reciprocal_rank(found, grades),
        ndcg_at_10=metrics.ndcg(found, grades, 10),
        session_recall_at_10=metrics.recall(grouped, wanted, 10) if wanted else None,
    )


@dataclass(slots=True)
class Sheet:
    """What one method did, question by question; grows while they are asked."""

    found: list[int] = field(default_factory=list)
    figures: list[Figures] = field(default_factory=list)
    categories: list[str] = field(default_factory=list)

    def note(self, ranking: Sequence[str], figures_: Figures, category: str) -> None:
        """Take down a question's ranking."""
        self.found.append(len(ranking))
        self.figures.append(figures_)
        self.categories.append(category)

    def scores(self, category: str | None = None) -> Scores:
        """The means over all questions, or over those of a category."""
        kept = [n for n, one in enumerate(self.categories) if category in (None, one)]
        means = {}
        for metric in METRICS:
            values = [getattr(self.figures[n], metric) for n in kept]
            known = [value for value in values if value is not None]
            means[metric] = metrics.estimate(known) if known else None
        empty = sum(self.found[n] == 0 for n in kept)
        return Scores(len(kept), empty, **means)  # type: ignore[arg-type]

    def method(self, name: str) -> Method:
        """The scores under a name, with those of every category if there are any."""
        named = sorted({category for category in self.categories if category})
        return Method(name, self.scores(), {one: self.scores(one) for one in named})

    def columns(self) -> dict[str, list[float | None]]:
        """The figures by metric."""
        return {name: [getattr(one, name) for one in self.figures] for name in METRICS}
