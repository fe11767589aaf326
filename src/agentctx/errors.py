"""Every error that agentctx raises on purpose, drawn first:

    AgentctxError
    ├── ConfigError (ValueError)          an option or argument that makes no sense
    ├── QueryError (ValueError)           a search that cannot be carried out as asked
    ├── MissingExtra (ImportError)        an optional package is not installed
    ├── ProgramError                      a program of the system is absent, or failed
    ├── PluginError                       an entry point is unknown, broken or breaks its contract
    ├── SourceError                       one source cannot become observations
    │   ├── SourceNotFound                no such file
    │   ├── SourceUnreadable              it is there, but cannot be read as a file
    │   ├── SourceUnsupported             no plugin knows this kind of source
    │   ├── SourceInvalid                 damaged, empty or lying about itself
    │   └── SourceTooLarge                over a limit that protects this process
    ├── WeightsError                      model weights
    │   ├── WeightsNotFound               in none of the places looked in
    │   └── WeightsMismatch               found, but not the bytes that were pinned
    └── StoreError                        the memory's directory
        ├── SchemaError                   written by a newer agentctx, or not a memory at all
        ├── CatalogDamaged                bytes of the catalog are not what SQLite wrote
        ├── EncoderMismatch               the space holds vectors of another encoder
        ├── EncryptionError               no key, another key, or sealed bytes that were changed
        └── ArchiveError                  a backup that is damaged, or none of this format

Foreign errors are mapped to these at the boundary where they arise, with the original as
``__cause__``. A failure is never an empty result.
"""

from collections.abc import Sequence
from typing import Any

_LONGEST_REASON = 500


class AgentctxError(Exception):
    """Base of all errors of agentctx. Each can be pickled and copied, with all that it says."""

    def __reduce__(self) -> tuple[Any, ...]:
        # Exception's own way calls the constructor with the message, which several do not take.
        reduced: Any = super().__reduce__()
        return _restored, (type(self), reduced[1]), *reduced[2:]


def _restored(kind: type[AgentctxError], arguments: tuple[object, ...]) -> AgentctxError:
    error = kind.__new__(kind, *arguments)
    # Past our constructors: the attributes they would set follow as the error's state.
    super(AgentctxError, error).__init__(*arguments)
    return error


class ConfigError(AgentctxError, ValueError):
    """An option or argument is unknown or makes no sense."""


class QueryError(AgentctxError, ValueError):
    """A search cannot be carried out as asked."""


class MissingExtra(AgentctxError, ImportError):
    """An optional package is not installed; the message carries the pip line that adds it."""

    def __init__(self, module: str, extra: str, distribution: str = "agentctx") -> None:
        self.extra = extra
        self.install = f"pip install '{distribution}[{extra}]'"
        super().__init__(f"{module} is not installed; add it with: {self.install}", name=module)


class ProgramError(AgentctxError):
    """A program of the system is not installed, or failed; the message says what to do."""


class PluginError(AgentctxError):
    """An entry point is unknown, cannot be loaded, or breaks its contract."""


class SourceError(AgentctxError):
    """One source cannot become observations.

    ``source`` names it, ``reason`` says what is wrong and what to do (what a file brings into it is
    made printable, and cut in the middle); the rest of a batch goes on.
    """

    def __init__(self, source: object, reason: str) -> None:
        self.source = str(source)
        self.reason = _shown(reason)
        super().__init__(f"{self.source!r}: {self.reason}")


def _shown(reason: str) -> str:
    # A damaged file is often quoted: it may hold megabytes, or commands to a terminal.
    if len(reason) > _LONGEST_REASON:
        half = _LONGEST_REASON // 2
        reason = f"{reason[:half]} ... {reason[-half:]}"
    return "".join(c if c.isprintable() else " " if c.isspace() else "\ufffd" for c in reason)


class SourceNotFound(SourceError):
    """There is no such file."""


class SourceUnreadable(SourceError):
    """The source is there, but cannot be read as a file (permission, directory, link loop)."""


class SourceUnsupported(SourceError):
    """No plugin knows this kind of source."""


class SourceInvalid(SourceError):
    """The source is damaged, empty, or not what it says it is."""


class SourceTooLarge(SourceError):
    """The source is over a limit that protects this process."""


class WeightsError(AgentctxError):
    """Model weights cannot be had."""


class WeightsNotFound(WeightsError):
    """The weights are in none of the places that were looked in."""

    def __init__(self, name: str, places: Sequence[str], install: str) -> None:
        self.name = name
        self.places = tuple(places)
        looked = "".join(f"\n  - {place}" for place in places)
        super().__init__(f"no weights for {name!r}; looked in:{looked}\nget them with: {install}")


class WeightsMismatch(WeightsError):
    """A file was found, but its sha256 is not the pinned one; it is not loaded."""


class StoreError(AgentctxError):
    """The memory's directory cannot be used."""


class SchemaError(StoreError):
    """The directory is not a memory, or was written by a newer agentctx."""


class CatalogDamaged(StoreError):
    """The catalog's file is damaged; `agentctx repair` saves what can be read."""


class EncoderMismatch(StoreError):
    """The space holds vectors of another encoder than the one configured."""


class EncryptionError(StoreError):
    """A key is missing or wrong, a memory is not encrypted, or sealed bytes were changed."""


class ArchiveError(StoreError):
    """An archive is damaged, incomplete, or not one that this agentctx can read."""
