"""The command that adds what happens, as it happens."""

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from threading import Event, Thread, Timer
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from agentctx.cli.opening import make_memory
from agentctx.cli.options import in_memory, options, split

if TYPE_CHECKING:
    from agentctx.errors import AgentctxError
    from agentctx.reports import IngestReport
    from agentctx.watching import Option

_common = options(
    click.option("--session", default="", help="What it belongs to: a meeting, a day, a machine."),
    click.option("--seconds", type=click.FloatRange(min=0, min_open=True), help="End after these."),
    in_memory,
)


class Watchers(click.Group):
    """A command for each watcher that is installed, with the options that its factory has."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of the watchers."""
        del ctx
        from agentctx import registry

        return list(registry.names("watchers"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a watcher; that of a broken one fails and says why."""
        from agentctx import registry
        from agentctx.errors import AgentctxError
        from agentctx.watching import options as options_of

        if cmd_name not in self.list_commands(ctx):
            return None
        try:
            make = registry.factory("watchers", cmd_name)
            own = [_option(one) for one in options_of(make)]
        except AgentctxError as error:
            return click.Command(cmd_name, callback=partial(_fail, error), help=str(error))
        run = click.command(cmd_name, help=make.__doc__)(_common(partial(_run, cmd_name)))
        run.params[:0] = own
        return run


@click.group("watch", cls=Watchers)
def watch() -> None:
    """Add what happens as it happens, until interrupted (docs/plugins.md).

    Watchers come with tools; agentctx plugins lists those that are installed.
    """


def _fail(error: "AgentctxError") -> None:
    raise error


def _option(option: "Option") -> click.Option:
    """A click option that is None, or empty, where it was not given."""
    flag = "--" + option.name.replace("_", "-")
    is_flag = option.kind is bool
    default = ", ".join(option.default) if option.many else option.default
    shown = "" if default in (None, "", False) else f"  [default: {default}]"
    return click.Option(
        [f"{flag}/--no-{flag[2:]}" if is_flag else flag, option.name],
        type=click.Path(path_type=Path) if option.kind is Path else option.kind,
        multiple=option.many,
        default=None,
        help=option.help + shown,
    )


def _run(name: str, /, session: str, seconds: float | None, as_json: bool, **rest: Any) -> None:
    from agentctx import watching

    where, own = split(rest)
    given = {key: value for key, value in own.items() if value not in (None, ())}
    items = added = failed = 0
    with (
        make_memory(**where) as memory,
        _stop(seconds) as stop,
        closing(watching.watch(memory, name, given, stop=stop, session=session)) as arriving,
    ):
        for source, report in arriving:
            items, added, failed = items + 1, added + report.added, failed + len(report.failed)
            click.echo(_line(source, report, as_json))
    if not as_json:
        click.echo(f"{items} items, {added} observations added, {failed} failed")
    if failed:
        sys.exit(1)


def _line(source: str, report: "IngestReport", as_json: bool) -> str:
    from agentctx import render

    if as_json:
        return json.dumps({"source": source, **render.plain(report)})
    failed = "".join(f"; {failure.error}" for failure in report.failed)
    counts = f"{report.added} added, {report.unchanged} unchanged"
    return render.printable(f"{datetime.now():%H:%M:%S} {source}: {counts}{failed}")


@contextmanager
def _stop(seconds: float | None) -> Iterator[Event]:
    """An event that the first interrupt or end of time sets; a second interrupt ends at once."""
    stop = Event()

    def interrupted(number: int, frame: FrameType | None) -> None:
        del frame
        signal.signal(number, before[signal.Signals(number)])
        # Not from here: this thread may be inside of stop.wait, and hold its lock.
        Thread(target=stop.set).start()

    before = {one: signal.signal(one, interrupted) for one in (signal.SIGINT, signal.SIGTERM)}
    timer = Timer(seconds or 0, stop.set)
    timer.daemon = True
    if seconds is not None:
        timer.start()
    try:
        yield stop
    finally:
        timer.cancel()
        for number, handler in before.items():
            signal.signal(number, handler)
