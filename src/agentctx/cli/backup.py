"""Commands that write a memory as one file, and take such a file in."""

import sys
from pathlib import Path
from typing import Any

import click

from agentctx.cli.opening import make_memory, open_memory
from agentctx.cli.options import filtered, in_memory, split
from agentctx.cli.output import emit, progress, unstyled


@click.command("export")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--force", is_flag=True, help="Replace FILE if it exists.")
@filtered
@in_memory
def export(file: Path, force: bool, as_json: bool, **rest: Any) -> None:
    """Write the memory, or a slice of it, to FILE as a backup (docs/archive.md)."""
    from rich.filesize import decimal

    where, filters = split(rest)
    with open_memory(**where) as memory, progress("exporting", quiet=as_json) as update:
        done = memory.export(file, force=force, progress=update, **filters)
    lines = [
        f"{done.observations} observations, {done.media} media, {decimal(done.size)} in {file}",
        *([f"{done.forgotten} were forgotten meanwhile"] if done.forgotten else []),
        *done.problems,
    ]
    emit(done, lambda _: unstyled("\n".join(lines)), as_json)
    if done.problems:
        sys.exit(1)


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--reencode", is_flag=True, help="Make vectors anew if they are of other encoders.")
@in_memory
def import_(file: Path, reencode: bool, as_json: bool, **where: Any) -> None:
    """Add what the backup FILE holds and the memory does not."""
    with make_memory(**where) as memory, progress("importing", quiet=as_json) as update:
        done = memory.import_(file, reencode=reencode, progress=update)
    text = f"{done.added} added, {done.unchanged} unchanged"
    if done.encoded:
        text += ", encoded anew"
    emit(done, lambda _: unstyled(text), as_json)
