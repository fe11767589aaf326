"""Evaluations and comparisons as tables for people."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from agentctx.evaluate.comparison import Changed, Comparison, PartComparison
from agentctx.evaluate.metrics import Latency
from agentctx.evaluate.run import Evaluation
from agentctx.evaluate.tables import Table, counted, metric_name, tables

if TYPE_CHECKING:
    from rich.console import RenderableType

# Questions of each kind that a comparison lists; all are in its JSON.
_LISTED = 20


def evaluation_tables(found: Evaluation) -> list[Table]:
    """The tables of every part."""
    return [table for name, part in found.parts.items() for table in tables(part, name)]


def comparison_tables(found: Comparison) -> list[Table]:
    """For every part the differences, and the questions won and lost."""
    return [table for part in found.parts for table in part_tables(part)]


def part_tables(part: PartComparison) -> list[Table]:
    """One part: the differences, and the questions won and lost."""
    rest = part.only_a + part.only_b
    rows = [
        (
            metric_name(one.metric),
            f"{one.a:.3f}",
            f"{one.b:.3f}",
            f"{one.difference.mean:+.3f} ({one.difference.low:+.3f} to {one.difference.high:+.3f})",
            "" if not one.clear else "better" if one.difference.mean > 0 else "worse",
        )
        for one in part.differences
    ]
    return [
        Table(
            f"{part.part}: B less A on {part.questions} questions"
            + (f" ({rest} asked in one only)" if rest else ""),
            ("", "A", "B", "B − A (95 %)", "B is"),
            rows,
            f"search: A {_latency(part.latency_a)}; B {_latency(part.latency_b)}",
        ),
        *_listed(part, "won", part.won),
        *_listed(part, "lost", part.lost),
    ]


def _latency(one: Latency | None) -> str:
    return "–" if one is None else str(one)


def _listed(part: PartComparison, what: str, changed: Sequence[Changed]) -> list[Table]:
    if not changed:
        return []
    most = sorted(changed, key=lambda one: -abs(one.b - one.a))[:_LISTED]
    more = len(changed) - len(most)
    metric = metric_name(part.primary)
    return [
        Table(
            f"{part.part}: {counted(len(changed), 'question', 'questions')} {what} by {metric}",
            ("A", "B", "category", "question"),
            [
                (f"{one.a:.2f}", f"{one.b:.2f}", one.question.category, one.question.text)
                for one in most
            ],
            f"and {more} more" if more else "",
        )
    ]


def table(found: Evaluation) -> "RenderableType":
    """An evaluation for a terminal."""
    from rich.console import Group
    from rich.text import Text

    unread = [
        Text(f"{name}: not measured, its format is none that is known") for name in found.unread
    ]
    return Group(*map(_rich, evaluation_tables(found)), *unread)


def part_table(found: object, name: str) -> "RenderableType":
    """One part for a terminal."""
    from rich.console import Group

    return Group(*map(_rich, tables(found, name)))


def comparison_table(found: Comparison) -> "RenderableType":
    """A comparison for a terminal."""
    from rich.console import Group
    from rich.text import Text

    head = Text(f"A: {found.a}\nB: {found.b}\n")
    unmatched = [Text(f"{name}: only in one of them") for name in found.unmatched]
    return Group(head, *map(_rich, comparison_tables(found)), *unmatched)


def _rich(shown: Table) -> "RenderableType":
    from rich.markup import escape
    from rich.table import Table as RichTable

    from agentctx.render import printable

    def safe(text: str) -> str:
        return escape(printable(text))

    table = RichTable(
        title=safe(shown.title),
        caption=safe(shown.note) or None,
        title_justify="left",
        caption_justify="left",
        box=None,
    )
    for number, column in enumerate(shown.columns):
        words = number == 0 or column == "question"
        table.add_column(
            safe(column),
            justify="left" if words else "right",
            overflow="fold",
            # On a narrow terminal, names are what must stay readable.
            no_wrap=number == 0,
        )
    for row in shown.rows:
        table.add_row(*map(safe, row))
    return table
