"""Commands that get something out of a memory."""

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from agentctx.cli.opening import open_memory
from agentctx.cli.options import WHEN, filtered, in_memory, split, understood
from agentctx.cli.output import emit, unstyled


@click.command()
@click.argument("query")
@click.option("--limit", "-n", default=10, show_default=True, type=click.IntRange(min=1))
@click.option("--explain", is_flag=True, help="Say what was understood, and why each hit is there.")
@click.option("--no-rerank", is_flag=True, help="Leave the order of the first stage.")
@click.option("--diversity", default=0.0, type=click.FloatRange(0, 1),
              help="How much it counts that hits differ: 0 (not at all) to 1.")  # fmt: skip
@click.option("--by-session", is_flag=True, help="Find the sessions that fit it best instead.")
@understood
@filtered
@in_memory
def search(
    query: str,
    limit: int,
    explain: bool,
    no_rerank: bool,
    diversity: float,
    by_session: bool,
    as_json: bool,
    **rest: Any,
) -> None:
    """Find what fits QUERY best."""
    if by_session and (no_rerank or diversity):
        raise click.UsageError("--by-session goes with neither --no-rerank nor --diversity")
    where, filters = split(rest)
    asked, lines = _query(query), ""
    with open_memory(**where) as memory:
        if explain and filters["plan"] and isinstance(asked, str):
            filters["plan"] = memory.plan(asked, filters.pop("now"))
            lines = filters["plan"].describe()
        if by_session:
            groups = memory.sessions(asked, limit, **filters)
        else:
            hits = memory.search(asked, limit, rerank=not no_rerank, diversity=diversity, **filters)
    if by_session:
        emit(groups, lambda show: show.sessions(groups, explain=explain, plan=lines), as_json)
    else:
        emit(hits, lambda show: show.hits(hits, explain=explain, plan=lines), as_json)


@click.command()
@click.argument("query")
@click.option("--window", default=30.0, show_default=True, help="Seconds around a hit.")
@click.option("--limit", "-n", default=5, show_default=True, type=click.IntRange(min=1))
@understood
@filtered
@in_memory
def moments(query: str, window: float, limit: int, as_json: bool, **rest: Any) -> None:
    """Find moments: what fits QUERY, with what else was there at the time."""
    where, filters = split(rest)
    with open_memory(**where) as memory:
        found = memory.moments(_query(query), window, limit, **filters)
    emit(found, lambda render: render.moments(found), as_json)


@click.command()
@click.argument("question")
@click.option("--max-tokens", default=1500, show_default=True, type=click.IntRange(min=1))
@understood
@filtered
@in_memory
def context(question: str, max_tokens: int, as_json: bool, **rest: Any) -> None:
    """Print the evidence for QUESTION, with citations, under a token budget."""
    where, filters = split(rest)
    with open_memory(**where) as memory:
        found = memory.context(_query(question), max_tokens, **filters)
    emit(found, lambda _: unstyled(found.text), as_json)


@click.command()
@click.option("--png", type=click.Path(path_type=Path, dir_okay=False), help="Draw it as well.")
@filtered
@in_memory
def timeline(png: Path | None, as_json: bool, **rest: Any) -> None:
    """Show everything perceived, by time."""
    where, filters = split(rest)
    with open_memory(**where) as memory:
        found = memory.timeline(**filters)
        if png is not None:
            from agentctx.timeline import draw

            draw(found, png)
    emit(found, lambda render: render.timeline(found), as_json)


@click.command()
@click.argument("subject", default="")
@click.option("--since", type=WHEN, required=True)
@click.option("--until", type=WHEN, required=True)
@click.option("--session", multiple=True, help="Only this session.")
@in_memory
def changes(
    subject: str,
    since: datetime,
    until: datetime,
    session: tuple[str, ...],
    as_json: bool,
    **where: Any,
) -> None:
    """Show what changed between two times: on the screens about SUBJECT, or in that channel."""
    with open_memory(**where) as memory:
        found = memory.changes(subject, since=since, until=until, session=session)
    emit(found, lambda _: unstyled(str(found)), as_json)


@click.command()
@click.argument("channel")
@click.option("--since", type=WHEN)
@click.option("--until", type=WHEN)
@click.option("--aggregate", help="min, max, mean, sum, count, first, last, std or median.")
@in_memory
def readings(
    channel: str,
    since: datetime | None,
    until: datetime | None,
    aggregate: str | None,
    as_json: bool,
    **where: Any,
) -> None:
    """Print the exact values of a sensor CHANNEL."""
    with open_memory(**where) as memory:
        found = memory.readings(channel, since, until, aggregate)
    if isinstance(found, list):
        lines = [f"{row.time.isoformat()}  {row.value}" for row in found]
    else:
        lines = [str(found)]
    emit(found, lambda _: unstyled("\n".join(lines)), as_json)


def _query(text: str) -> str | Path:
    # A query that names a file is a query by example: @shot.png
    return Path(text[1:]) if text.startswith("@") and len(text) > 1 else text
