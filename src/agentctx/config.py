"""The configuration of a memory: a frozen argument, never a global.

As a mapping (a TOML file of the CLI, say) it looks like this; unknown keys are refused:

    encoders = ["minilm", "sensor-features"]
    reranker = "late-interaction"
    max_file_bytes = 4_294_967_296

    [options.speech]            # keyword arguments of that plugin, encoder or reranker
    model = "/models/faster-whisper-small"

    [weights]                   # where pinned weights are, by the name of their set
    minilm-int8 = "/models/minilm"
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from agentctx.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything that can be chosen about a memory.

    ``plugins``: the names asked for each source, in order; None is every one installed.
    ``encoders``: the spaces, the text encoder first. ``reranker``: a name, or None for none.
    ``options``: keyword arguments by the name of a plugin, encoder or reranker.
    ``weights``: paths that take precedence over every other place weights are looked for in.
    ``allow_download``: whether weights may come from a model hub over the network.
    ``keep_originals``: whether a copy of each source goes into the memory.
    ``exact_limit``: up to how many vectors a space is scanned exactly instead of asking Chroma;
    docs/architecture.md has the measurement behind the number.
    ``batch_size``: observations committed at once.
    """

    plugins: tuple[str, ...] | None = None
    encoders: tuple[str, ...] = ("minilm", "sensor-features")
    reranker: str | None = "late-interaction"
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    weights: Mapping[str, Path] = field(default_factory=dict)
    allow_download: bool = False
    keep_originals: bool = True
    max_file_bytes: int = 4 * 1024**3
    exact_limit: int = 200_000
    batch_size: int = 64

    def __post_init__(self) -> None:
        """Check what types alone do not."""
        for name in ("max_file_bytes", "batch_size"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} is {getattr(self, name)}; it must be at least 1")
        if self.exact_limit < 0:
            raise ConfigError(f"exact_limit is {self.exact_limit}; it cannot be negative")
        if not self.encoders:
            raise ConfigError("encoders is empty; a memory needs at least a text encoder")

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> "Config":
        """A config from plain data, as TOML or JSON give it; unknown keys raise ConfigError."""
        known = sorted(field.name for field in fields(cls))
        unknown = sorted(set(mapping) - set(known))
        if unknown:
            raise ConfigError(f"unknown: {', '.join(unknown)}; known: {', '.join(known)}")
        return cls(**{name: _READ[name](name, value) for name, value in mapping.items()})


def _whole(name: str, value: object) -> int:
    # bool is an int, but no number.
    if not isinstance(value, int) or isinstance(value, bool):
        raise ConfigError(f"{name} is {value!r}; it must be a whole number")
    return value


def _switch(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise ConfigError(f"{name} is {value!r}; it must be true or false")
    return value


def _name(name: str, value: object) -> str | None:
    if value is not None and not isinstance(value, str):
        raise ConfigError(f"{name} is {value!r}; it must be a name")
    return value


def _names(name: str, value: object) -> tuple[str, ...] | None:
    if value is None and name == "plugins":
        return None
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        raise ConfigError(f"{name} is {value!r}; it must be a list of names")
    return tuple(value)


def _table(name: str, value: object) -> dict[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise ConfigError(f"{name} is {value!r}; it must be a table of names")
    return dict(value)


def _tables(name: str, value: object) -> dict[str, dict[str, Any]]:
    return {key: _table(f"{name}.{key}", item) for key, item in _table(name, value).items()}


def _paths(name: str, value: object) -> dict[str, Path]:
    paths = {}
    for key, item in _table(name, value).items():
        if not isinstance(item, str | Path):
            raise ConfigError(f"{name}.{key} is {item!r}; it must be a path")
        paths[key] = Path(item).expanduser()
    return paths


_READ: Mapping[str, Callable[[str, object], Any]] = {
    "plugins": _names,
    "encoders": _names,
    "reranker": _name,
    "options": _tables,
    "weights": _paths,
    "allow_download": _switch,
    "keep_originals": _switch,
    "max_file_bytes": _whole,
    "exact_limit": _whole,
    "batch_size": _whole,
}
