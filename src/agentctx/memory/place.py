"""The directory of a memory."""

from pathlib import Path

from agentctx.errors import CatalogDamaged, SchemaError, StoreError
from agentctx.memory import private
from agentctx.memory.encryption import MARKER
from agentctx.memory.media import PART


def prepare(directory: Path) -> None:
    """Make a memory's directories, or see that what is there is one.

    Raises SchemaError when it holds other files, CatalogDamaged when its catalog is gone.
    """
    try:
        private.directory(directory)
        names = {path.name for path in directory.iterdir()}
        if _is_lost(directory / "catalog.sqlite3"):
            raise CatalogDamaged(
                f"{directory} has lost its catalog.sqlite3: it is missing or empty; save what the "
                "other files have with: agentctx repair"
            )
        if names - {MARKER, "media"} and "catalog.sqlite3" not in names:
            raise SchemaError(f"{directory} holds other files and no catalog.sqlite3; name another")
        private.directory(directory / "media")
    except OSError as error:
        raise StoreError(f"{directory} cannot be a memory: {error}") from error


def _is_lost(catalog: Path) -> bool:
    # SQLite would take an empty file for a new one, and throw the log of the old one away.
    if _has_bytes(catalog):
        return False
    if (catalog.parent / "chroma").exists() or _has_bytes(catalog.with_name(f"{catalog.name}-wal")):
        return True
    media = (catalog.parent / "media").rglob("*")
    return any(path.is_file() and path.suffix != PART for path in media)


def _has_bytes(path: Path) -> bool:
    try:
        return path.stat().st_size > 0
    except FileNotFoundError:
        return False
