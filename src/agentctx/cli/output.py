"""What a command prints: tables and text for people, JSON for programs, progress meanwhile."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import RenderableType


def emit(value: Any, render: Callable[[Any], "RenderableType"], as_json: bool) -> None:
    """Print a result; ``render`` is called with the module `agentctx.render`."""
    from agentctx import render as renderers

    if as_json:
        # In ASCII: no terminal obeys it, and no locale lacks a letter of it.
        click.echo(json.dumps(renderers.plain(value), indent=2))
        return
    from rich.console import Console
    from rich.text import Text

    shown = render(renderers)
    # Text is not broken into lines here: a program may read it too.
    Console(highlight=False).print(shown, soft_wrap=isinstance(shown, Text))


def notice(message: str) -> None:
    """Say something beside the result, on standard error."""
    from agentctx.render import printable

    click.echo(f"agentctx: {printable(message)}", err=True)


def unstyled(text: str) -> "RenderableType":
    """Text as it is: no markup, nothing that a terminal would obey."""
    from rich.text import Text

    from agentctx.render import printable

    return Text(printable(text))


@contextmanager
def progress(work: str, *, quiet: bool) -> Iterator[Callable[[int, int, str], None] | None]:
    """A bar on standard error that says what is done (``work``) and to what; None when quiet."""
    if quiet:
        yield None
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import Progress

    from agentctx.render import printable

    console = Console(stderr=True)
    # In a file, a bar that goes away would still leave an empty line.
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(work)

        def update(done: int, total: int, name: str) -> None:
            shown = " ".join([work, *printable(Path(name).name).split()])
            bar.update(task, completed=done, total=total, description=escape(shown))

        yield update
