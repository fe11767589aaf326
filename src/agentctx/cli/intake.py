"""Commands that put something into a memory."""

import os
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from agentctx.cli.opening import is_memory, make_memory
from agentctx.cli.options import WHEN, in_memory
from agentctx.cli.output import emit, notice, progress


@click.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option("--text", multiple=True, help="Remember these words.")
@click.option("--session", default="", help="What these belong to: a meeting, a day, a machine.")
@click.option("--at", type=WHEN, help="When they were captured, if the files do not say.")
@click.option("--recursive", "-r", is_flag=True, help="Take all files below directories.")
@in_memory
def add(
    files: Sequence[Path],
    text: Sequence[str],
    session: str,
    at: datetime | None,
    recursive: bool,
    as_json: bool,
    **where: Any,
) -> None:
    """Add FILES: pictures, recordings, transcripts, sensor logs, texts."""
    from agentctx.records import Observation

    items: list[Any] = list(_below(files) if recursive else files)
    for words in text:
        now = at or datetime.now().astimezone()
        note = Observation(text=words, captured_at=now, session=session, source="command line")
        items.append(note)
    if not items:
        raise click.UsageError("name at least one file, or give --text")
    with make_memory(**where) as memory, progress("adding", quiet=as_json) as update:
        done = memory.add(items, session=session, captured_at=at, progress=update)
    emit(done, lambda render: render.report(done), as_json)
    if done.failed:
        sys.exit(1)


def _below(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        found = []
        for folder, folders, names in os.walk(path, onerror=_unreadable):
            here = Path(folder)
            if is_memory(here):
                # Its files are no sources, and a memory that adds itself would never end.
                notice(f"{here} is a memory; it is left out")
                folders.clear()
                continue
            found += [here / name for name in names if (here / name).is_file()]
        yield from sorted(found)


def _unreadable(error: OSError) -> None:
    notice(f"{error.filename} cannot be looked into: {error.strerror}; it is left out")
