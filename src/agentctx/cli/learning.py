"""Commands for learning from what was accepted and rejected."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from agentctx.cli.opening import open_memory
from agentctx.cli.options import filtered, in_memory, split, understood
from agentctx.cli.output import emit, unstyled

if TYPE_CHECKING:
    from agentctx.records import Hit


@click.command()
@click.argument("query")
@click.option("--accept", multiple=True, required=True, metavar="ID", help="This was wanted.")
@click.option(
    "--reject",
    multiple=True,
    metavar="ID",
    help="This was not; by default, all the others.",
)
@click.option("--limit", "-n", default=10, show_default=True, type=click.IntRange(min=1))
@understood
@filtered
@in_memory
def feedback(
    query: str,
    accept: Sequence[str],
    reject: Sequence[str],
    limit: int,
    as_json: bool,
    **rest: Any,
) -> None:
    """Say which hits of a search for QUERY were wanted; the beginning of an id will do."""
    where, filters = split(rest)
    with open_memory(**where) as memory:
        hits = memory.search(query, limit, **filters)
        rejected = [_whole(hits, start) for start in reject] or None
        noted = memory.feedback(hits, [_whole(hits, start) for start in accept], rejected)
        known = memory.learned().choices
    emit(
        {"noted": noted, "choices": known},
        lambda _: f"{noted} noted, {known} in all; searches use them with learned = true",
        as_json,
    )


def _whole(hits: "Sequence[Hit]", start: str) -> str:
    """The id of the hit that begins so; what is none is left for the memory to refuse."""
    found = [hit.id for hit in hits if start and hit.id.startswith(start.lower())]
    return found[0] if len(found) == 1 else start


@click.command()
@click.option("--reset", is_flag=True, help="Erase all feedback, and what was learned from it.")
@in_memory
def learned(reset: bool, as_json: bool, **where: Any) -> None:
    """Show the weights of signals that feedback has come to, beside the default ones."""
    with open_memory(**where) as memory:
        if reset:
            memory.unlearn()
        found = memory.learned()
    since = "" if found.at is None else f", the last at {found.at:%Y-%m-%d %H:%M} UTC"
    lines = [f"{found.choices} choices{since}", f"{'signal':<24}{'default':>9}{'learned':>9}"]
    for name, weight in sorted(found.weights.items()):
        lines.append(f"{name:<24}{found.defaults.get(name, 0.0):>9.3f}{weight:>9.3f}")
    emit(found, lambda _: unstyled("\n".join(lines)), as_json)
