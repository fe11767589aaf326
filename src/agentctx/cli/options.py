"""Options that several commands share. The only module that reads the environment."""

import functools
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from agentctx.preferences import Prefer

Command = Callable[..., Any]


def attributes(given: Sequence[str], option: str) -> dict[str, tuple[Any, ...]]:
    """``NAME=VALUE`` as values by name; ``3`` means the number and the text.

    Nobody sees which of the two was stored.
    """
    found: dict[str, tuple[Any, ...]] = {}
    for pair in given:
        name, equals, value = pair.partition("=")
        if not equals:
            raise click.BadParameter(f"{pair!r} is not NAME=VALUE", param_hint=option)
        accepted: list[Any] = [value]
        try:
            other = json.loads(value)
        except ValueError:
            other = value
        if isinstance(other, int | float | bool) or other is None:
            accepted.append(other)
        found[name] = (*found.get(name, ()), *accepted)
    return found


def _preferred(
    context: click.Context, parameter: click.Parameter, given: tuple[str, ...]
) -> "Prefer | None":
    """What is preferred, None when nothing was said of it."""
    del context, parameter
    if not given:
        return None
    from agentctx.preferences import Prefer

    table: dict[str, Any] = {"attributes": {}, "weights": {}}
    for name, values in attributes(given, "--prefer").items():
        of, _, weighed = name.partition(".")
        if of == "weight" and weighed:
            table["weights"][weighed] = values[-1]
        elif name in ("half_life", "session", "items"):
            texts = tuple(one for one in values if isinstance(one, str))
            table[name] = texts[-1] if name == "half_life" else texts
        else:
            table["attributes"][name] = values
    return Prefer.from_mapping(table)


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
    click.option("--modality", multiple=True, help="text, screenshot, picture, speech, ..."),
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
    click.option(
        "--prefer",
        multiple=True,
        metavar="NAME=VALUE",
        callback=_preferred,
        help="Put first: half_life='2 days', session=NAME, items=ID, or an attribute's value; "
        "weight.NAME=0.3 says how much it counts.",
    ),
)


def split(rest: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What `in_memory` gave (but ``as_json``), and what is left."""
    where = {name: rest.pop(name) for name in ("directory", "config", "key_file")}
    return where, rest
