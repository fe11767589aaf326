"""The configuration of a memory: a frozen argument, never a global.

As a mapping (a TOML file of the CLI, say) it looks like this; unknown keys are refused:

    encoders = ["minilm", "sensor-features"]
    reranker = "late-interaction"
    max_file_bytes = 4_294_967_296

    [options.speech]            # keyword arguments of that plugin, encoder or reranker
    model = "/models/faster-whisper-small"

    [weights]                   # a path of your own for pinned or unpinned weights
    minilm = "/models/minilm"
"""

from collections.abc import Mapping
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
    ``batch_size``: observations committed at once. ``threads``: for models; 0 is all cores.
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
    threads: int = 0

    def __post_init__(self) -> None:
        """Check what types alone do not."""
        for name in ("max_file_bytes", "batch_size"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} is {getattr(self, name)}; it must be at least 1")
        for name in ("exact_limit", "threads"):
            if getattr(self, name) < 0:
                raise ConfigError(f"{name} is {getattr(self, name)}; it cannot be negative")
        if not self.encoders:
            raise ConfigError("encoders is empty; a memory needs at least a text encoder")

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> "Config":
        """A config from plain data, as TOML or JSON give it; unknown keys raise ConfigError."""
        known = sorted(field.name for field in fields(cls))
        unknown = sorted(set(mapping) - set(known))
        if unknown:
            raise ConfigError(f"unknown: {', '.join(unknown)}; known: {', '.join(known)}")
        values = dict(mapping)
        for name in ("plugins", "encoders"):
            if isinstance(values.get(name), list):
                values[name] = tuple(values[name])
        if "weights" in values:
            values["weights"] = {name: Path(path) for name, path in values["weights"].items()}
        return cls(**values)
