"""The command line, the only module that reads the environment.

Exit codes: 0 success, 1 failure (or something could not be added), 2 bad use.
"""

import functools
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

if TYPE_CHECKING:
    from rich.console import RenderableType

    from agentctx.app import Memory
    from agentctx.config import Config

Command = Callable[..., Any]


class _When(click.ParamType[datetime]):
    """A time: ISO 8601; local where no zone is given."""

    name = "time"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Parse a time, or fail as click does."""
        try:
            return datetime.fromisoformat(value).astimezone()
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is no ISO time such as 2026-03-14T09:12:05Z", param, ctx)


_WHEN = _When()


def _options(*options: Command) -> Callable[[Command], Command]:
    def decorate(command: Command) -> Command:
        return functools.reduce(lambda f, option: option(f), reversed(options), command)

    return decorate


_json = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
_memory = _options(
    click.option(
        "--memory",
        "directory",
        type=click.Path(path_type=Path, file_okay=False),
        envvar="AGENTCTX_MEMORY",
        default=Path("~/.agentctx"),
        show_default=True,
        help="The memory's directory (or AGENTCTX_MEMORY).",
    ),
    click.option(
        "--config",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        envvar="AGENTCTX_CONFIG",
        help="A TOML file with options (or AGENTCTX_CONFIG).",
    ),
    _json,
)
_filters = _options(
    click.option("--modality", multiple=True, help="text, screenshot, speech, sensor, ..."),
    click.option("--since", type=_WHEN, help="From this time on."),
    click.option("--until", type=_WHEN, help="Before this time."),
    click.option("--session", multiple=True, help="Only this session."),
    click.option("--source", multiple=True, help="Only this source."),
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="agentctx")
def cli() -> None:
    """Screens, speech and sensors as one memory that gives an AI agent cited context."""


@cli.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option("--text", multiple=True, help="Remember these words.")
@click.option("--session", default="", help="What these belong to: a meeting, a day, a machine.")
@click.option("--at", type=_WHEN, help="When they were captured, if the files do not say.")
@click.option("--recursive", "-r", is_flag=True, help="Take all files below directories.")
@_memory
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
    with _open(**where) as memory, _progress(quiet=as_json) as progress:
        done = memory.add(items, session=session, captured_at=at, progress=progress)
    _print(done, lambda render: render.report(done), as_json)
    if done.failed:
        sys.exit(1)


@cli.command()
@click.argument("query")
@click.option("--limit", "-n", default=10, show_default=True, type=click.IntRange(min=1))
@click.option("--explain", is_flag=True, help="Say of every hit why it is there.")
@click.option("--no-rerank", is_flag=True, help="Leave the order of the first stage.")
@_filters
@_memory
def search(
    query: str, limit: int, explain: bool, no_rerank: bool, as_json: bool, **rest: Any
) -> None:
    """Find what fits QUERY best."""
    where, filters = _split(rest)
    with _open(**where) as memory:
        found = memory.search(_query(query), limit, rerank=not no_rerank, **filters)
    _print(found, lambda render: render.hits(found, explain=explain), as_json)


@cli.command()
@click.argument("query")
@click.option("--window", default=30.0, show_default=True, help="Seconds around a hit.")
@click.option("--limit", "-n", default=5, show_default=True, type=click.IntRange(min=1))
@_filters
@_memory
def moments(query: str, window: float, limit: int, as_json: bool, **rest: Any) -> None:
    """Find moments: what fits QUERY, with what else was there at the time."""
    where, filters = _split(rest)
    with _open(**where) as memory:
        found = memory.moments(_query(query), window, limit, **filters)
    _print(found, lambda render: render.moments(found), as_json)


@cli.command()
@click.argument("question")
@click.option("--max-tokens", default=1500, show_default=True, type=click.IntRange(min=1))
@_filters
@_memory
def context(question: str, max_tokens: int, as_json: bool, **rest: Any) -> None:
    """Print the evidence for QUESTION, with citations, under a token budget."""
    where, filters = _split(rest)
    with _open(**where) as memory:
        found = memory.context(_query(question), max_tokens, **filters)
    _print(found, lambda _: _unstyled(found.text), as_json)


@cli.command()
@click.option("--png", type=click.Path(path_type=Path, dir_okay=False), help="Draw it as well.")
@_filters
@_memory
def timeline(png: Path | None, as_json: bool, **rest: Any) -> None:
    """Show everything perceived, by time."""
    where, filters = _split(rest)
    with _open(**where) as memory:
        found = memory.timeline(**filters)
        if png is not None:
            from agentctx.timeline import draw

            draw(found, png)
    _print(found, lambda render: render.timeline(found), as_json)


@cli.command()
@click.argument("channel")
@click.option("--since", type=_WHEN)
@click.option("--until", type=_WHEN)
@click.option("--aggregate", help="min, max, mean, sum, count, first, last, std or median.")
@_memory
def readings(
    channel: str,
    since: datetime | None,
    until: datetime | None,
    aggregate: str | None,
    as_json: bool,
    **where: Any,
) -> None:
    """Print the exact values of a sensor CHANNEL."""
    with _open(**where) as memory:
        found = memory.readings(channel, since, until, aggregate)
    if isinstance(found, list):
        lines = [f"{row.time.isoformat()}  {row.value}" for row in found]
    else:
        lines = [str(found)]
    _print(found, lambda _: _unstyled("\n".join(lines)), as_json)


@cli.command()
@click.option("--id", "ids", multiple=True, help="Of this observation.")
@click.option("--since", type=_WHEN)
@click.option("--until", type=_WHEN)
@click.option("--session", multiple=True)
@click.option("--source", multiple=True)
@click.option("--yes", is_flag=True, help="Do not ask.")
@_memory
def forget(ids: Sequence[str], yes: bool, as_json: bool, **rest: Any) -> None:
    """Remove observations and everything derived from them."""
    where = {name: rest.pop(name) for name in ("directory", "config")}
    if not yes:
        click.confirm("This cannot be undone. Forget?", abort=True, err=True)
    with _open(**where) as memory:
        done = memory.forget(list(ids) or None, **rest)
    _print(done, lambda _: f"{done.forgotten} forgotten, {len(done.media)} media erased", as_json)


@cli.command()
@_memory
def verify(as_json: bool, **where: Any) -> None:
    """Check that everything stored is whole."""
    with _open(**where) as memory:
        found = memory.verify()
    lines = [f"{found.observations} observations, {found.passages} passages, {found.media} media"]
    lines += found.problems or ["no problems"]
    _print(found, lambda _: _unstyled("\n".join(lines)), as_json)
    if not found.ok:
        sys.exit(1)


@cli.command()
@_memory
def repair(as_json: bool, **where: Any) -> None:
    """Make the Chroma index anew from the catalog."""
    with _open(**where) as memory:
        written = memory.rebuild_index()
    _print({"written": written}, lambda _: f"{written} rows written to Chroma", as_json)


@cli.command()
@_json
def plugins(as_json: bool) -> None:
    """List plugins, encoders and rerankers, and what is missing."""
    from agentctx.registry import listing

    rows = listing()
    _print(rows, lambda render: render.listing(rows), as_json)


@cli.command()
@_memory
def doctor(as_json: bool, directory: Path, config: Path | None) -> None:
    """Check this installation: packages, weights, the memory's directory."""
    from agentctx.doctor import examine

    checks = examine(directory, _settings(config))
    text = "\n".join(f"{'ok     ' if c.ok else 'PROBLEM'} {c.name}: {c.detail}" for c in checks)
    _print(checks, lambda _: _unstyled(text), as_json)
    if not all(check.ok for check in checks):
        sys.exit(1)


@cli.command("eval")
@click.option(
    "--data",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    required=True,
    help="Holds any of locomo/, screens/, speech/.",
)
@click.option("--only", multiple=True, help="Only this part: locomo, screens, speech.")
@_json
def evaluate(data: Path, only: Sequence[str], as_json: bool) -> None:
    """Measure retrieval and recognition on data of yours."""
    from agentctx.evaluate.run import run, table

    with _progress(quiet=as_json) as progress:
        found = run(data, only, progress=progress)
    _print(found, lambda _: table(found), as_json)


@cli.command()
@click.option("--directory", type=click.Path(path_type=Path, file_okay=False), help="Keep it here.")
@click.option("--png", type=click.Path(path_type=Path, dir_okay=False), help="Draw the timeline.")
@_json
def demo(directory: Path | None, png: Path | None, as_json: bool) -> None:
    """One incident on screen, in speech and in sensor readings: add it, ask it."""
    from agentctx.demo.run import run, show

    with _progress(quiet=as_json) as progress:
        done = run(directory, png, progress)
    _print(done, lambda _: show(done), as_json)
    if not done.ok:
        sys.exit(1)


def main() -> NoReturn:
    """Entry point: errors of agentctx become one line on standard error and exit code 1."""
    from agentctx.errors import AgentctxError, ConfigError, QueryError
    from agentctx.render import printable

    try:
        cli(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        click.echo("aborted", err=True)
        sys.exit(1)
    except (ConfigError, QueryError) as error:
        click.echo(f"agentctx: {printable(str(error))}", err=True)
        sys.exit(2)
    except AgentctxError as error:
        click.echo(f"agentctx: {printable(str(error))}", err=True)
        sys.exit(1)
    sys.exit(0)


def _print(value: Any, show: Callable[[Any], "RenderableType"], as_json: bool) -> None:
    from agentctx import render

    if as_json:
        # In ASCII: no terminal obeys it, and no locale lacks a letter of it.
        click.echo(json.dumps(render.plain(value), indent=2))
        return
    from rich.console import Console
    from rich.text import Text

    shown = show(render)
    # Text is not broken into lines here: a program may read it too.
    Console(highlight=False).print(shown, soft_wrap=isinstance(shown, Text))


def _unstyled(text: str) -> "RenderableType":
    from rich.text import Text

    from agentctx.render import printable

    return Text(printable(text))


def _settings(path: Path | None) -> "Config":
    import tomllib

    from agentctx.config import Config
    from agentctx.errors import ConfigError

    if path is None:
        return Config()
    try:
        return Config.from_mapping(tomllib.loads(path.read_text("utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from error


def _open(directory: Path, config: Path | None) -> "Memory":
    from agentctx.app import Memory

    return Memory.open(directory, _settings(config))


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Callable[[int, int, str], None] | None]:
    if quiet:
        yield None
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import Progress

    from agentctx.render import printable

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("adding")

        def update(done: int, total: int, name: str) -> None:
            shown = " ".join(printable(Path(name).name).split()) or "adding"
            bar.update(task, completed=done, total=total, description=escape(shown))

        yield update


def _split(rest: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    where = {name: rest.pop(name) for name in ("directory", "config")}
    return where, rest


def _query(text: str) -> str | Path:
    # A query that names a file is a query by example: @shot.png
    return Path(text[1:]) if text.startswith("@") and len(text) > 1 else text


def _below(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(p for p in path.rglob("*") if p.is_file())
        else:
            yield path
