"""From the options ``--memory`` and ``--config`` to an open memory."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agentctx.app import Memory
    from agentctx.config import Config


def settings(path: Path | None, key_file: Path | None) -> "Config":
    """The config in a TOML file, or the default one, with the key's file; raises ConfigError."""
    import tomllib
    from dataclasses import replace

    from agentctx.config import Config
    from agentctx.errors import ConfigError

    chosen = Config()
    if path is not None:
        try:
            chosen = Config.from_mapping(tomllib.loads(path.read_text("utf-8")))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path}: {error}") from error
    return chosen if key_file is None else replace(chosen, key=f"file:{key_file}")


def open_memory(directory: Path, config: Path | None, key_file: Path | None) -> "Memory":
    """Open a memory that is there; raises StoreError when there is none.

    A mistyped directory must not become an empty memory in which nothing is ever found.
    """
    from agentctx.app import Memory

    chosen = settings(config, key_file)
    return Memory.open(require_memory(directory), chosen)


def require_memory(directory: Path) -> Path:
    """The directory of a memory that is there; raises StoreError when there is none."""
    from agentctx.errors import StoreError

    found = directory.expanduser()
    if not is_memory(found):
        raise StoreError(
            f"there is no memory in {directory}; check --memory, or make one with: agentctx add"
        )
    return found


def make_memory(directory: Path, config: Path | None, key_file: Path | None) -> "Memory":
    """Open a memory, making it when there is none."""
    from agentctx.app import Memory

    return Memory.open(directory, settings(config, key_file))


def is_memory(directory: Path) -> bool:
    """Whether a directory is a memory, be it a damaged one."""
    return (directory / "catalog.sqlite3").exists()
