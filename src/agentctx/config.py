"""The configuration of a memory: a frozen argument, never a global.

As a mapping (a TOML file of the CLI, say) it looks like this; unknown keys are refused:

    encoders = ["minilm", "sensor-features"]
    reranker = "late-interaction"
    gap = "auto"                # where modalities lie apart; docs/modality-gap.md
    key = "file:~/.agentctx.key"

    [retention]                 # how long what was perceived is kept, by modality
    screenshot = "30 days"
    "*" = "1 year"

    [limits]                    # what one source may cost
    file_bytes = 4_294_967_296

    [prefer]                    # what comes first among what fits; docs/reranking.md
    half_life = "7 days"
    attributes = { app = "Slack" }

    [options.speech]            # keyword arguments of that plugin, encoder or reranker
    model = "/models/faster-whisper-small"

    [weights]                   # where pinned weights are, by the name of their set
    minilm-int8 = "/models/minilm"
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from pathlib import Path
from typing import Any

from agentctx.errors import ConfigError
from agentctx.limits import Limits
from agentctx.preferences import Prefer
from agentctx.values import age

DEFAULT_ENCODERS = ("minilm", "sensor-features", "pictures", "picture-features")

_KEY_BYTES = 32
_GAP = ("auto", "shift", "calibrate", "off")


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything that can be chosen about a memory.

    ``plugins``: the names asked for each source, in order; None is every one installed.
    ``encoders``: the spaces, the text encoder first; None is those that the memory has, and
    `DEFAULT_ENCODERS` for a new one. ``reranker``: a name, or None for none.
    ``options``: keyword arguments by the name of a plugin, encoder or reranker.
    ``weights``: paths that take precedence over every other place weights are looked for in.
    ``allow_download``: whether weights may come from a model hub over the network.
    ``keep_originals``: whether a copy of each source goes into the memory.
    ``limits``: what one source may cost; see `agentctx.limits.Limits`.
    ``exact_limit``: up to how many vectors a space is scanned exactly instead of asking Chroma;
    docs/architecture.md has the measurement behind the number.
    ``batch_size``: observations committed at once.
    ``retention``: how long an observation is kept after its end, by modality; ``*`` is every one
    that is not named. What is older is forgotten by `Memory.expire`, and when something is added.
    ``prefer``: what searches prefer among what they find, unless they say otherwise.
    ``gap``: what searches do where modalities lie apart in a space: "auto", "shift", "calibrate" or
    "off"; see `agentctx.retrieve.gap.Comparing`.
    ``learned``: whether searches go by what `Memory.feedback` has taught.
    ``key``: where the key of an encrypted memory is: ``file:PATH``, ``keyring``, or, in Python
    only, its 32 bytes; None is a memory in clear. docs/security.md says what is encrypted.
    """

    plugins: tuple[str, ...] | None = None
    encoders: tuple[str, ...] | None = None
    reranker: str | None = "late-interaction"
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    weights: Mapping[str, Path] = field(default_factory=dict)
    allow_download: bool = False
    keep_originals: bool = True
    limits: Limits = field(default_factory=Limits)
    exact_limit: int = 200_000
    batch_size: int = 64
    retention: Mapping[str, timedelta] = field(default_factory=dict)
    prefer: Prefer = field(default_factory=Prefer)
    gap: str = "auto"
    learned: bool = False
    key: bytes | str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Check what types alone do not."""
        if self.batch_size < 1:
            raise ConfigError(f"batch_size is {self.batch_size}; it must be at least 1")
        if self.exact_limit < 0:
            raise ConfigError(f"exact_limit is {self.exact_limit}; it cannot be negative")
        for name, kept in self.retention.items():
            if kept <= timedelta(0):
                raise ConfigError(f"retention.{name} is {kept}; it must be longer than nothing")
        if self.encoders is not None and not self.encoders:
            raise ConfigError("encoders is empty; a memory needs at least a text encoder")
        if self.gap not in _GAP:
            raise ConfigError(f"gap is {self.gap!r}; it must be one of {', '.join(_GAP)}")
        _check_key(self.key)

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> "Config":
        """A config from plain data, as TOML or JSON give it; unknown keys raise ConfigError."""
        known = sorted(field.name for field in fields(cls))
        unknown = sorted(set(mapping) - set(known))
        if unknown:
            raise ConfigError(f"unknown: {', '.join(unknown)}; known: {', '.join(known)}")
        return cls(**{name: _READ[name](name, value) for name, value in mapping.items()})


def _check_key(key: bytes | str | None) -> None:
    # No message shows what was given: it may be the key itself.
    if isinstance(key, bytes) and len(key) != _KEY_BYTES:
        raise ConfigError(f"key has {len(key)} bytes; it must be {_KEY_BYTES} random ones")
    if isinstance(key, str) and not re.fullmatch(r"keyring|file:.+", key):
        raise ConfigError("key must be 'keyring' or 'file:PATH'; keep the key itself elsewhere")


def _whole(name: str, value: object) -> int:
    # bool is an int, but no number.
    if not isinstance(value, int) or isinstance(value, bool):
        raise ConfigError(f"{name} is {value!r}; it must be a whole number")
    return value


def _switch(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise ConfigError(f"{name} is {value!r}; it must be true or false")
    return value


def _word(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise ConfigError(f"{name} is {value!r}; it must be a word")
    return value


def _name(name: str, value: object) -> str | None:
    if value is not None and not isinstance(value, str):
        raise ConfigError(f"{name} is {value!r}; it must be a name")
    return value


def _key(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise ConfigError(f"{name} must be 'keyring' or 'file:PATH'")
    return value


def _names(name: str, value: object) -> tuple[str, ...] | None:
    if value is None and name in ("plugins", "encoders"):
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


def _limits(name: str, value: object) -> Limits:
    table = _table(name, value)
    known = sorted(field.name for field in fields(Limits))
    if unknown := sorted(set(table) - set(known)):
        raise ConfigError(f"unknown in {name}: {', '.join(unknown)}; known: {', '.join(known)}")
    for key, item in table.items():
        if isinstance(item, bool) or not isinstance(item, int | float):
            raise ConfigError(f"{name}.{key} is {item!r}; it must be a number")
    return Limits(**table)


def _paths(name: str, value: object) -> dict[str, Path]:
    paths = {}
    for key, item in _table(name, value).items():
        if not isinstance(item, str | Path):
            raise ConfigError(f"{name}.{key} is {item!r}; it must be a path")
        paths[key] = Path(item).expanduser()
    return paths


def _ages(name: str, value: object) -> dict[str, timedelta]:
    return {key: age(f"{name}.{key}", item) for key, item in _table(name, value).items()}


def _prefer(name: str, value: object) -> Prefer:
    return Prefer.from_mapping(_table(name, value))


_READ: Mapping[str, Callable[[str, object], Any]] = {
    "plugins": _names,
    "encoders": _names,
    "reranker": _name,
    "options": _tables,
    "weights": _paths,
    "allow_download": _switch,
    "keep_originals": _switch,
    "limits": _limits,
    "exact_limit": _whole,
    "batch_size": _whole,
    "retention": _ages,
    "prefer": _prefer,
    "gap": _word,
    "learned": _switch,
    "key": _key,
}
