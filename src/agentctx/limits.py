"""What one source may cost, and the error that says which option allows more."""

import math
from dataclasses import dataclass, fields

from agentctx.errors import ConfigError, SourceTooLarge

_MB = 1024**2
_GB = 1024 * _MB


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one source may cost; what passes the defaults keeps a process below 2 GB.

    ``file_bytes``: the size of the file.
    ``pixels``: those of a picture, or of any frame or page in it.
    ``sound_seconds``: how long a recording lasts.
    ``rows`` and ``cells`` (rows times columns) of a table.
    ``observations``: how many it becomes: cues of a transcript, screens of an animation.
    ``characters``: those of all text in it, which is what takes time to encode.
    ``work_seconds``: how long it may be observed, on this machine; what was found is encoded after.
    ``decoder_bytes``: memory for the process that decodes it, besides the decoder itself (Linux).
    """

    file_bytes: int = 4 * _GB
    pixels: int = 50_000_000
    sound_seconds: float = 4 * 3600.0
    rows: int = 10_000_000
    cells: int = 20_000_000
    observations: int = 200_000
    characters: int = 4_000_000
    work_seconds: float = 3600.0
    decoder_bytes: int = 768 * _MB

    def __post_init__(self) -> None:
        """Check what types alone do not."""
        for one in fields(self):
            value = getattr(self, one.name)
            if not 0 < value < math.inf:
                raise ConfigError(f"limits.{one.name} is {value}; it must be a positive number")

    def hold(self, name: str, limit: str, found: float, what: str, advice: str) -> None:
        """Raise SourceTooLarge when a figure of the source ``name`` is over a limit.

        >>> Limits(rows=10).hold("a.csv", "rows", 12, "rows", "split it")
        Traceback (most recent call last):
        agentctx.errors.SourceTooLarge: 'a.csv': 12 rows; limits.rows allows 10: split it, or raise
        that option
        """
        allowed = getattr(self, limit)
        if found > allowed:
            raise SourceTooLarge(
                name,
                f"{found:,.12g} {what}; limits.{limit} allows {allowed:,.12g}: {advice}, or raise "
                "that option",
            )
