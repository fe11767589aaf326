"""Commands that take care of a memory."""

import sys
from collections.abc import Sequence
from typing import Any

import click

from agentctx.cli.opening import open_memory
from agentctx.cli.options import WHEN, in_memory, split
from agentctx.cli.output import emit, unstyled


@click.command()
@click.option("--id", "ids", multiple=True, help="Of this observation.")
@click.option("--since", type=WHEN)
@click.option("--until", type=WHEN)
@click.option("--session", multiple=True)
@click.option("--source", multiple=True)
@click.option("--yes", is_flag=True, help="Do not ask.")
@in_memory
def forget(ids: Sequence[str], yes: bool, as_json: bool, **rest: Any) -> None:
    """Remove observations and everything derived from them."""
    where, rule = split(rest)
    with open_memory(**where) as memory:
        if not yes:
            click.confirm("This cannot be undone. Forget?", abort=True, err=True)
        done = memory.forget(list(ids) or None, **rule)
    emit(done, lambda _: f"{done.forgotten} forgotten, {len(done.media)} media erased", as_json)


@click.command()
@in_memory
def verify(as_json: bool, **where: Any) -> None:
    """Check that everything stored is whole."""
    with open_memory(**where) as memory:
        found = memory.verify()
    lines = [f"{found.observations} observations, {found.passages} passages, {found.media} media"]
    lines += found.problems or ["no problems"]
    emit(found, lambda _: unstyled("\n".join(lines)), as_json)
    if not found.ok:
        sys.exit(1)


@click.command()
@in_memory
def repair(as_json: bool, **where: Any) -> None:
    """Make the Chroma index anew from the catalog."""
    with open_memory(**where) as memory:
        written = memory.rebuild_index()
    emit({"written": written}, lambda _: f"{written} rows written to Chroma", as_json)
