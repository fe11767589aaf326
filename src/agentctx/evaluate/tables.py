"""Results as tables of text, for the terminal and for the page alike."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import singledispatch

from agentctx.evaluate.abstention import Abstention
from agentctx.evaluate.bias import BiasResult
from agentctx.evaluate.days import DaysResult
from agentctx.evaluate.gap import Direction, Gap, Similarities, SpaceGap
from agentctx.evaluate.leakage import Leakage
from agentctx.evaluate.metrics import Estimate
from agentctx.evaluate.results import Method, Pair, Scores
from agentctx.evaluate.retrieval import RetrievalResult
from agentctx.evaluate.speech import SpeechResult


@dataclass(frozen=True, slots=True)
class Table:
    """A title, the names of the columns, rows as long as these, and what is said below.

    ``first``: the first row is what the others are compared with.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""
    first: bool = False


@singledispatch
def tables(result: object, name: str) -> list[Table]:
    """What a part of that name measured; a new kind of result registers here."""
    raise TypeError(f"{name}: no table is known for {type(result).__name__}")


@tables.register
def _(found: RetrievalResult, name: str) -> list[Table]:
    shown = [
        Table(
            f"{name}: {counted(found.questions, 'question', 'questions')} on "
            f"{counted(found.items, 'item', 'items')} in "
            f"{counted(found.collections, 'memory', 'memories')}"
            + (f" ({found.skipped} without an answer skipped)" if found.skipped else ""),
            ("", *_COLUMNS),
            [_scored(one.name, one.overall) for one in found.methods],
            f"empty: nothing found; search: {found.search}; "
            f"adding: {found.adding_ms:.0f} ms an item"
            + (f"; {found.without_text} without words" if found.without_text else ""),
            first=True,
        )
    ]
    if len(found.methods[0].categories) > 1:
        shown.append(_by_category(found.methods[0]))
    if len(found.pairs) > 1:
        shown.append(pair_table(found.pairs))
    for probe in (found.abstention, found.leakage, found.gap):
        if probe is not None:
            shown += tables(probe, name)
    return shown


_COLUMNS = (
    "recall@10 (95 %)",
    "@50",
    "success@1",
    "@5",
    "MRR",
    "nDCG@10",
    "session@10",
    "asked",
    "empty",
)


def _scored(name: str, scores: Scores) -> tuple[str, ...]:
    return (
        name,
        ranged(scores.recall_at_10),
        mean(scores.recall_at_50),
        mean(scores.success_at_1),
        mean(scores.success_at_5),
        mean(scores.mrr),
        mean(scores.ndcg_at_10),
        mean(scores.session_recall_at_10),
        str(scores.questions),
        str(scores.unanswered),
    )


def metric_name(metric: str) -> str:
    """A metric as people write it.

    >>> metric_name("ndcg_at_10"), metric_name("session_recall_at_10")
    ('nDCG@10', 'session recall@10')
    """
    words = metric.replace("_at_", "@").replace("_", " ")
    return words.replace("mrr", "MRR").replace("ndcg", "nDCG")


def mean(one: Estimate | None) -> str:
    """The mean alone, or a dash."""
    return "–" if one is None else f"{one.mean:.3f}"


def ranged(one: Estimate | None) -> str:
    """The mean with its interval, or a dash."""
    return "–" if one is None else str(one)


def counted(number: int, one: str, many: str) -> str:
    """A number of things, in the right form."""
    return f"{number} {one if number == 1 else many}"


def _by_category(method: Method) -> Table:
    rows = [_scored(name, scores) for name, scores in method.categories.items()]
    return Table(f"{method.name}, by category", ("", *_COLUMNS), rows)


def pair_table(pairs: Sequence[Pair]) -> Table:
    """Query modality by item modality, each searched among the items of that modality alone."""
    items = sorted({pair.item for pair in pairs})
    cells = {(pair.query, pair.item): pair.scores for pair in pairs}
    rows = []
    for query in sorted({pair.query for pair in pairs}):
        found = [cells.get((query, item)) for item in items]
        rows.append((query, *(_pair(scores) for scores in found)))
    return Table(
        "recall@10 by the modality of query and item",
        ("query", *items),
        rows,
        "each among the items of that modality alone; in brackets the 95 % interval, then "
        "MRR and the number of questions",
    )


def _pair(scores: Scores | None) -> str:
    if scores is None:
        return "–"
    return f"{ranged(scores.recall_at_10)}, {mean(scores.mrr)}, {scores.questions}"


@tables.register
def _(found: Abstention, name: str) -> list[Table]:
    rows = [
        (
            one.kind,
            str(one.questions),
            ranged(one.refused),
            f"{one.auroc:.3f}",
            f"{one.coverage_at_95:.3f}",
        )
        for one in found.kinds
    ]
    return [
        Table(
            f"{name}: abstention",
            ("", "questions", "find nothing", "AUROC", "coverage at 95 % refused"),
            [("answerable", str(found.answerable), ranged(found.refused), "–", "–"), *rows],
            "AUROC: how probably an answerable question has the better score",
        )
    ]


@tables.register
def _(found: Leakage, name: str) -> list[Table]:
    rows = [(one.name, str(one.asked), str(one.before), str(one.after)) for one in found.forms]
    forgotten = counted(found.forgotten, "observation", "observations")
    return [
        Table(
            f"{name}: {forgotten} forgotten, found by searches {found.leaked} times",
            ("found by", "asked", "found before", "after"),
            rows,
            f"{found.traces:,} places in {found.bytes:,} bytes have one of {found.fingerprints:,} "
            f"fingerprints of what was forgotten ({found.shared:,} more are known to be in what "
            "remains)" + (f"; {found.opaque} files could not be read" if found.opaque else ""),
        )
    ]


@tables.register
def _(found: Gap, name: str) -> list[Table]:
    return [table for space in found.spaces for table in _space_tables(space, name)]


def _space_tables(space: SpaceGap, name: str) -> list[Table]:
    counts = ", ".join(f"{count} {one}" for one, count in space.modalities.items())
    shifted = space.shifted
    moved = ("shifted cosine", "shifted distance") if shifted else ()
    shown = [
        Table(
            f"{name}: the space {space.space} ({counts})",
            ("", "pairs", "cosine", "5 % below", "95 % below", "distance", *moved),
            [
                (
                    f"{one.one} – {one.other}" + " (matching)" * (one.kind == "matching"),
                    f"{one.pairs:,}",
                    f"{one.mean:.3f}",
                    f"{one.p5:.3f}",
                    f"{one.p95:.3f}",
                    _apart(space, one),
                    *((f"{after.mean:.3f}", _apart(shifted, after)) if shifted else ()),
                )
                for one, after in zip(
                    space.similarities, (shifted or space).similarities, strict=True
                )
            ],
            "distance: of the centroids"
            + ("; shifted: with the mean of each modality taken away" if shifted else ""),
        )
    ]
    ways = [(one.query, one.item) for one in space.directions if one.by == "cosine"]
    after = [replace(one, by="cosine, shifted") for one in shifted.directions] if shifted else []
    if ways:
        found = [*space.directions, *after]
        rows = [_found(one) for way in ways for one in found if (one.query, one.item) == way]
        heads = ("query", "finds", "by", "questions", "among", "recall@1", "recall@10", "MRR")
        shown.append(Table(f"{name}: by the vectors of {space.space} alone", heads, rows))
    return shown


def _apart(space: SpaceGap, pair: Similarities) -> str:
    """The distance of the centroids of two modalities, which matching pairs have none of."""
    known = {(one.one, one.other): f"{one.centroids:.3f}" for one in space.distances}
    return known.get((pair.one, pair.other), "–") if pair.kind == "all" else ""


def _found(one: Direction) -> Sequence[str]:
    return (
        one.query,
        one.item,
        one.by,
        str(one.questions),
        str(one.candidates),
        mean(one.recall_at_1),
        ranged(one.recall_at_10),
        mean(one.mrr),
    )


@tables.register
def _(found: BiasResult, name: str) -> list[Table]:
    return [
        Table(
            f"{name}: {counted(found.queries, 'neutral query', 'neutral queries')} on "
            f"{found.items} items ({found.unanswered} find nothing)",
            ("group", "items", "base rate", "share of the first 10", "skew@10"),
            [
                (
                    one.group,
                    str(one.items),
                    f"{one.base_rate:.3f}",
                    ranged(one.share_at_10),
                    ranged(one.skew_at_10),
                )
                for one in found.groups
            ],
            f"spread of shares over base rates: {ranged(found.spread_at_10)}; "
            f"NDKL: {ranged(found.ndkl)}; 0 is in proportion",
        )
    ]


@tables.register
def _(found: SpeechResult, name: str) -> list[Table]:
    clips = [
        (
            clip.file,
            str(clip.words),
            f"{clip.error_rate:.3f}",
            f"{clip.audio_seconds:.1f}",
            f"{clip.seconds:.2f}",
            f"{clip.audio_seconds / clip.seconds:.1f}",
        )
        for clip in found.clips
    ]
    overall = (
        "all",
        str(found.words),
        f"{found.word_error_rate:.3f}",
        f"{found.audio_seconds:.1f}",
        f"{found.seconds:.2f}",
        f"{found.times_real_time:.1f}",
    )
    columns = ("", "words", "word error rate", "sound (s)", "adding (s)", "x real time")
    return [Table(f"{name}: recordings", columns, [*clips, overall])]


@tables.register
def _(found: DaysResult, name: str) -> list[Table]:
    types = {type_: None for method in found.methods for type_ in method.types}
    ours = found.methods[0]
    rows = [
        ("all", str(ours.overall.questions), *(ranged(m.overall.all_at_5) for m in found.methods))
    ]
    for type_ in types:
        asked = ours.types[type_].questions if type_ in ours.types else 0
        scores = [method.types.get(type_) for method in found.methods]
        cells = [ranged(None if one is None else one.all_at_5) for one in scores]
        rows.append((type_, str(asked), *cells))
    shown = [
        Table(
            f"{name}: {found.questions} questions on {found.observations} observations of "
            f"{counted(found.days, 'day', 'days')}, all it takes in 5 hits (95 %)",
            ("", "asked", *(method.name for method in found.methods)),
            rows,
            f"search: {found.search}"
            + (
                ""
                if found.word_error_rate is None
                else f"; words misheard: {found.word_error_rate:.3f}"
            ),
            first=True,
        )
    ]
    if ours.abstention:
        shown.append(
            Table(
                f"{name}: abstention",
                ("", "questions", "find nothing", "AUROC"),
                [
                    (kind, str(one.questions), ranged(one.refused), ranged(one.auroc))
                    for kind, one in ours.abstention.items()
                ],
            )
        )
    return shown
