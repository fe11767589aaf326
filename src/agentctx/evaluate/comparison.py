"""Two runs against each other, question by question.

The differences are paired: each question is asked of both, so what makes it hard for both cancels
out. Their 95 % intervals are by bootstrap over the questions (Efron & Tibshirani, 1993).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from agentctx.errors import SourceInvalid
from agentctx.evaluate import metrics
from agentctx.evaluate.metrics import Estimate, Latency
from agentctx.evaluate.results import Detail, Question
from agentctx.evaluate.saved import Run


@dataclass(frozen=True, slots=True)
class Difference:
    """A metric's means in both runs, and B less A question by question."""

    metric: str
    a: float
    b: float
    difference: Estimate

    @property
    def clear(self) -> bool:
        """Whether the interval leaves 0 out."""
        return self.difference.low > 0 or self.difference.high < 0


@dataclass(frozen=True, slots=True)
class Changed:
    """A question that one run answers better, with the primary metric in both."""

    question: Question
    a: float
    b: float


@dataclass(frozen=True, slots=True)
class PartComparison:
    """One part in both runs, by the first method of each: won are the questions B does better."""

    part: str
    method: str
    primary: str
    questions: int
    only_a: int
    only_b: int
    differences: Sequence[Difference]
    won: Sequence[Changed]
    lost: Sequence[Changed]
    latency_a: Latency | None
    latency_b: Latency | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs by name; ``unmatched``: parts that only one of them has."""

    a: str
    b: str
    parts: Sequence[PartComparison]
    unmatched: Sequence[str]


def compare(a: Run, b: Run) -> Comparison:
    """The parts that two runs share; raises SourceInvalid when they share no question."""
    shared = [name for name in a.details if name in b.details]
    found = [_part(name, a.details[name], b.details[name]) for name in shared]
    parts = [one for one in found if one.questions]
    if not parts:
        raise SourceInvalid(b.name, f"no question in it was asked in {a.name} too")
    unmatched = sorted(set(a.details) ^ set(b.details))
    return Comparison(a.name, b.name, parts, unmatched)


def _part(name: str, a: Detail, b: Detail) -> PartComparison:
    rows_a = {question.id: row for row, question in enumerate(a.questions)}
    rows_b = {question.id: row for row, question in enumerate(b.questions)}
    ids = [id_ for id_ in rows_a if id_ in rows_b]
    method, columns_a = next(iter(a.values.items()))
    columns_b = next(iter(b.values.values()))
    pairs = {
        metric: [(columns_a[metric][rows_a[id_]], columns_b[metric][rows_b[id_]]) for id_ in ids]
        for metric in columns_a
        if metric in columns_b
    }
    changed = [
        Changed(a.questions[rows_a[id_]], one, other)
        for id_, (one, other) in zip(ids, pairs.get(a.primary, ()), strict=False)
        if one is not None and other is not None and one != other
    ]
    return PartComparison(
        name,
        method,
        a.primary,
        len(ids),
        len(rows_a) - len(ids),
        len(rows_b) - len(ids),
        [one for metric, rows in pairs.items() if (one := _difference(metric, rows))],
        [one for one in changed if one.b > one.a],
        [one for one in changed if one.b < one.a],
        a.latency,
        b.latency,
    )


def _difference(
    metric: str, pairs: Sequence[tuple[float | None, float | None]]
) -> Difference | None:
    known = [(one, other) for one, other in pairs if one is not None and other is not None]
    if not known:
        return None
    a, b = zip(*known, strict=True)
    apart = metrics.estimate([other - one for one, other in known])
    return Difference(metric, sum(a) / len(a), sum(b) / len(b), apart)
