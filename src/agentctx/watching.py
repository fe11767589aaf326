"""What watchers perceive, put into a memory as it arrives."""

import inspect
import types
from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Annotated, Any, Union, get_args, get_origin

from agentctx import registry
from agentctx.app import Memory
from agentctx.contracts import Arrival, Watcher
from agentctx.errors import AgentctxError, PluginError, SourceError
from agentctx.reports import IngestReport
from agentctx.services import SharedServices

# What the command line says itself, so that no watcher can have it as an option.
_RESERVED = frozenset({"memory", "config", "key_file", "json", "seconds", "session", "help"})
_KINDS = (bool, int, float, str, Path)


@dataclass(frozen=True, slots=True)
class Option:
    """An option of a watcher as the command line takes it; ``many``: a tuple of its kind."""

    name: str
    kind: type
    many: bool
    default: Any
    help: str


def options(make: Callable[..., Any]) -> list[Option]:
    """The options of a factory: its keyword-only arguments.

    Each is a truth value, number, text or path, may be None, or is a tuple of such; what
    ``Annotated`` says of it is its help. Raises PluginError for others.
    """
    parameters = inspect.signature(make, eval_str=True).parameters.values()
    return [_option(one) for one in parameters if one.kind is one.KEYWORD_ONLY]


def _option(parameter: inspect.Parameter) -> Option:
    name, annotation, told = parameter.name, parameter.annotation, ""
    if name in _RESERVED:
        raise PluginError(f"its option {name!r} is one of the command line: call it otherwise")
    if get_origin(annotation) is Annotated:
        annotation, told = get_args(annotation)[:2]
    if get_origin(annotation) in (types.UnionType, Union):
        (annotation, *_) = [one for one in get_args(annotation) if one is not types.NoneType]
    many = get_origin(annotation) is tuple
    kind = get_args(annotation)[0] if many else annotation
    if kind not in _KINDS:
        raise PluginError(
            f"its option {name!r} is annotated {parameter.annotation}; the command line takes "
            f"{', '.join(one.__name__ for one in _KINDS)}, and tuples of these"
        )
    return Option(name, kind, many, parameter.default, str(told))


def watch(
    memory: Memory,
    name: str,
    options: Mapping[str, Any] | None = None,
    *,
    stop: Event,
    session: str = "",
) -> Generator[tuple[str, IngestReport], None, None]:
    """Add what the watcher ``name`` perceives until ``stop`` is set; gives each source and report.

    ``options`` go before those that the memory's config has under that name. An item that cannot
    be taken is in ``failed`` of its report, and the watch goes on. A watcher is told that an item
    is done once it is on disk; one that failed it may bring again.

    Raises PluginError for an unknown or broken watcher, and what `Watcher.watch` raises.
    """
    given = {**memory.config.options.get(name, {}), **(options or {})}
    watcher: Watcher = registry.build("watchers", name, SharedServices(memory.config), given)
    with closing(watcher.watch(stop)) as arrivals:
        while (arrival := _next(name, arrivals)) is not None:
            report = memory.add([arrival], session=session)
            if not report.failed or isinstance(arrival.item, SourceError):
                arrival.done()
            yield arrival.source, report


def _next(name: str, arrivals: Generator[Arrival, None, None]) -> Arrival | None:
    try:
        arrival = next(arrivals, None)
    except AgentctxError:
        raise
    except Exception as error:
        # An outsider's watcher may raise anything.
        raise PluginError(f"the watcher {name!r} failed: {error!r}") from error
    if arrival is not None and not isinstance(arrival, Arrival):
        raise PluginError(f"the watcher {name!r} gave {arrival!r}, which is no Arrival")
    return arrival
