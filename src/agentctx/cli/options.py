"""Options that several commands share. The only module that reads the environment."""

import functools
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import click

Command = Callable[..., Any]


class When(click.ParamType[datetime]):
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


WHEN = When()


def options(*given: Command) -> Callable[[Command], Command]:
    """Several options as one decorator; help lists them in the order given."""

    def decorate(command: Command) -> Command:
        return functools.reduce(lambda f, option: option(f), reversed(given), command)

    return decorate


in_json = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
in_memory = options(
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
    click.option(
        "--key-file",
        type=click.Path(path_type=Path, dir_okay=False),
        envvar="AGENTCTX_KEY_FILE",
        help="The key of an encrypted memory (or AGENTCTX_KEY_FILE).",
    ),
    in_json,
)
filtered = options(
    click.option("--modality", multiple=True, help="text, screenshot, speech, sensor, ..."),
    click.option("--since", type=WHEN, help="From this time on."),
    click.option("--until", type=WHEN, help="Before this time."),
    click.option("--session", multiple=True, help="Only this session."),
    click.option("--source", multiple=True, help="Only this source."),
)
understood = options(
    click.option(
        "--now", type=WHEN, help='What "yesterday" counts from; the present if not given.'
    ),
    click.option(
        "--plan/--no-plan",
        default=True,
        help="Whether times, modalities and the like are understood, or all is words.",
    ),
)


def split(rest: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What `in_memory` gave (but ``as_json``), and what is left."""
    where = {name: rest.pop(name) for name in ("directory", "config", "key_file")}
    return where, rest
