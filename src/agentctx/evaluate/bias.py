"""Bias audit: whom do neutral queries bring up first, against who is there at all?

On data the user gives: ``items.jsonl``, an item a line with ``group`` and either ``text`` or
``file`` (a picture, a recording, beside it), and ``queries.txt``, a neutral query a line, such as
"a doctor at work". Measures of Geyik, Ambler & Kenthapadi, "Fairness-Aware Ranking in Search &
Recommendation Systems with Application to LinkedIn Talent Search" (KDD 2019). Nothing is judged:
the figures say how rankings differ from the base rate, not why, nor what would be right.
"""

import math
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from agentctx.config import Config
from agentctx.errors import SourceInvalid
from agentctx.evaluate import metrics
from agentctx.evaluate.datasets.reading import a_text, expecting, inside, lines, rows
from agentctx.evaluate.datasets.records import Collection, Item
from agentctx.evaluate.filling import filled
from agentctx.evaluate.metrics import Estimate
from agentctx.ingest import Progress
from agentctx.records import Observation

TOP = 10
_DEPTH = 50
_ITEMS, _QUERIES = "items.jsonl", "queries.txt"
_WHEN = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class GroupShare:
    """A group: its share of all items, of the first 10 hits, and its skew there.

    The skew is ln(share of hits / base rate): 0 is as many as there are, above 0 more. So that a
    group that is not among the hits has one, both shares are taken with one item more, which
    belongs to the groups by their base rates.
    """

    group: str
    items: int
    base_rate: float
    share_at_10: Estimate
    skew_at_10: Estimate


@dataclass(frozen=True, slots=True)
class NeutralQuery:
    """One query: how many hits, and how many of each group among the first 10."""

    query: str
    hits: int
    at_10: Mapping[str, int]
    ndkl: float | None


@dataclass(frozen=True, slots=True)
class BiasResult:
    """What neutral queries bring up, by group.

    ``spread_at_10``: the largest difference between a group's share of the hits and its base rate
    less the smallest, so that 0 is hits in proportion. ``ndkl``: how much every beginning of the
    first 50 hits differs from the base rates, the beginning counting most; 0 is not at all.
    Queries without a hit are counted in ``unanswered``, and in no mean.
    """

    items: int
    queries: int
    unanswered: int
    groups: Sequence[GroupShare]
    spread_at_10: Estimate | None
    ndkl: Estimate | None
    by_query: Sequence[NeutralQuery]


def fits(folder: Path) -> bool:
    """Whether a folder is in this format."""
    return (folder / _ITEMS).is_file() and (folder / _QUERIES).is_file()


def skew(
    ranking: Sequence[str], group: str, base: Mapping[str, float], pseudo: float = 0.0
) -> float:
    """ln of a group's share of a ranking over its base rate; -inf when it is not in it.

    ``pseudo``: how many items are added, by the base rates.

    >>> round(skew(["a", "a", "a", "b"], "a", {"a": 0.5, "b": 0.5}), 3)
    0.405
    """
    share = (ranking.count(group) + pseudo * base[group]) / (len(ranking) + pseudo)
    return math.log(share / base[group]) if share else -math.inf


def ndkl(ranking: Sequence[str], base: Mapping[str, float]) -> float:
    """The mean Kullback-Leibler divergence of every beginning of a ranking from the base rates.

    Each beginning of length i counts 1 / log2(i + 1); 0 or more.

    >>> round(ndkl(["a", "b"], {"a": 0.5, "b": 0.5}), 3)
    0.425
    """
    counts: Counter[str] = Counter()
    total = weights = 0.0
    for length, group in enumerate(ranking, start=1):
        counts[group] += 1
        weight = 1 / math.log2(length + 1)
        weights += weight
        total += weight * sum(
            count / length * math.log(count / length / base[name]) for name, count in counts.items()
        )
    return total / weights


def evaluate(folder: Path, config: Config, progress: Progress) -> BiasResult:
    """Audit the items of a folder; raises SourceInvalid when there are not two groups or no query.

    A query brings up what `Memory.search` does, without a filter.
    """
    items, groups = _items(folder)
    queries = [line.strip() for _, line in lines(folder / _QUERIES)]
    if not queries:
        raise SourceInvalid(folder / _QUERIES, "it has no query in it")
    counts = Counter(groups.values())
    if len(counts) < 2:
        raise SourceInvalid(folder / _ITEMS, "all its items are of one group")
    base = {group: count / len(groups) for group, count in sorted(counts.items())}
    rankings: list[list[str]] = []
    done = 0

    def step(what: str) -> None:
        nonlocal done
        progress(done, len(items) + len(queries), f"{folder.name} {what}")
        done += 1

    with tempfile.TemporaryDirectory() as temporary:
        collection = Collection(folder.name, items, [])
        with filled(collection, Path(temporary) / "memory", config, step) as memory:
            for query in queries:
                step(query)
                found = memory.items(memory.memory.search(query, _DEPTH))
                rankings.append([groups[id_] for id_ in found])
    progress(len(items) + len(queries), len(items) + len(queries), folder.name)
    return audited(queries, rankings, counts, base)


def _items(folder: Path) -> tuple[list[Item], dict[str, str]]:
    items: list[Item] = []
    groups: dict[str, str] = {}
    for number, (place, row) in enumerate(rows(folder / _ITEMS), start=1):
        id_ = str(number)
        with expecting(place, "a group, and a text or a file"):
            groups[id_] = a_text(row["group"])
            if "text" in row:
                text = a_text(row["text"])
                items.append(Item(id_, Observation(text=text, captured_at=_WHEN, source=id_)))
            else:
                items.append(Item(id_, inside(folder, row["file"], place)))
    return items, groups


def audited(
    queries: Sequence[str],
    rankings: Sequence[Sequence[str]],
    counts: Mapping[str, int],
    base: Mapping[str, float],
) -> BiasResult:
    """The figures of rankings, given as the group of each hit, best first."""
    rows_ = list(zip(queries, rankings, strict=True))
    answered = [ranking for ranking in rankings if ranking]
    tops = [ranking[:TOP] for ranking in answered]
    spreads = []
    for top in tops:
        apart = [top.count(group) / len(top) - rate for group, rate in base.items()]
        spreads.append(max(apart) - min(apart))
    return BiasResult(
        sum(counts.values()),
        len(queries),
        len(rankings) - len(answered),
        [
            GroupShare(
                group,
                counts[group],
                rate,
                metrics.estimate([top.count(group) / len(top) for top in tops]),
                metrics.estimate([skew(top, group, base, pseudo=1.0) for top in tops]),
            )
            for group, rate in base.items()
            if tops
        ],
        metrics.estimate(spreads) if spreads else None,
        metrics.estimate([ndkl(one, base) for one in answered]) if answered else None,
        [
            NeutralQuery(
                query,
                len(ranking),
                {group: ranking[:TOP].count(group) for group in base},
                ndkl(ranking, base) if ranking else None,
            )
            for query, ranking in rows_
        ],
    )
