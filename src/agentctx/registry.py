"""Plugins, encoders, rerankers and watchers by name, through entry points.

Built-ins and outsiders come in by the same door. Listing imports nothing heavy, a factory is
called at first use, and a broken entry point is reported without breaking the others.
"""

import importlib.util
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from agentctx.contracts import Encoder, Plugin, Requirement, Reranker, Services, Watcher
from agentctx.errors import AgentctxError, ConfigError, PluginError

_CONTRACTS: Mapping[str, type] = {
    "plugins": Plugin,
    "encoders": Encoder,
    "rerankers": Reranker,
    "watchers": Watcher,
}


@dataclass(frozen=True, slots=True)
class Listing:
    """One entry point: what it is, whether it can be used, and if not, what to do.

    ``weights``: the pinned sets that it loads; `agentctx doctor` says where they are.
    """

    kind: str
    name: str
    target: str
    distribution: str
    missing: tuple[Requirement, ...] = ()
    error: str = ""
    weights: tuple[str, ...] = ()

    @property
    def ready(self) -> bool:
        """Whether it can be used as it is."""
        return not self.missing and not self.error

    @property
    def install(self) -> str:
        """The pip line that adds what is missing, empty when nothing is."""
        if not self.missing:
            return ""
        extras = ",".join(sorted({need.extra for need in self.missing}))
        return f"pip install '{self.missing[0].distribution}[{extras}]'"


@cache
def _entry_points(kind: str) -> Mapping[str, EntryPoint]:
    # Two distributions may claim one name; the built-in wins, so that none is replaced silently.
    found: dict[str, EntryPoint] = {}
    for point in entry_points(group=f"agentctx.{kind}"):
        if point.name not in found or point.value.startswith("agentctx."):
            found[point.name] = point
    return dict(sorted(found.items()))


def names(kind: str) -> tuple[str, ...]:
    """The names registered for ``plugins``, ``encoders``, ``rerankers`` or ``watchers``, sorted."""
    return tuple(_entry_points(kind))


def factory(kind: str, name: str) -> Callable[..., Any]:
    """The factory behind a name; raises PluginError when it is unknown or cannot be loaded."""
    points = _entry_points(kind)
    if name not in points:
        raise PluginError(f"no {kind[:-1]} is called {name!r}; installed: {', '.join(points)}")
    try:
        return points[name].load()  # type: ignore[no-any-return]
    except Exception as error:
        raise PluginError(f"{kind[:-1]} {name!r} ({points[name].value}): {error}") from error


def build(kind: str, name: str, services: Services, options: Mapping[str, Any]) -> Any:  # noqa: ANN401
    """Make a plugin, encoder, reranker or watcher and check that it keeps its contract.

    Raises PluginError for a broken one and ConfigError for an option that it does not have.
    """
    make = factory(kind, name)
    try:
        parameters = inspect.signature(make).parameters.values()
    except (TypeError, ValueError) as error:
        raise PluginError(f"{kind[:-1]} {name!r} is no factory: {make!r}") from error
    known = {p.name for p in parameters if p.kind is p.KEYWORD_ONLY}
    if unknown := sorted(set(options) - known):
        has = ", ".join(sorted(known)) or "none"
        raise ConfigError(f"{name} has no option {', '.join(unknown)}; it has: {has}")
    try:
        made = make(services, **options)
    except AgentctxError:
        raise
    except Exception as error:
        raise PluginError(f"{kind[:-1]} {name!r} cannot be made: {error}") from error
    if not isinstance(made, _CONTRACTS[kind]):
        raise PluginError(f"{kind[:-1]} {name!r} is no {_CONTRACTS[kind].__name__}: {made!r}")
    return made


def missing(requirements: Iterable[Requirement]) -> tuple[Requirement, ...]:
    """Those requirements whose module is not installed; nothing is imported."""
    return tuple(
        need for need in requirements if importlib.util.find_spec(need.module.split(".")[0]) is None
    )


def listing() -> list[Listing]:
    """Everything registered, with what is missing; a broken entry point becomes a row."""
    rows = []
    for kind in _CONTRACTS:
        for name, point in _entry_points(kind).items():
            distribution = point.dist.name if point.dist else ""
            try:
                make = factory(kind, name)
            except PluginError as error:
                row = Listing(kind[:-1], name, point.value, distribution, error=str(error))
            else:
                needs = missing(getattr(make, "requires", ()))
                loaded = tuple(getattr(make, "weights", ()))
                row = Listing(kind[:-1], name, point.value, distribution, needs, weights=loaded)
            rows.append(row)
    return rows
