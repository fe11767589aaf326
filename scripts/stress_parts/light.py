"""A memory without a model: what is stressed is the store, and the encoder costs next to nothing.

The double of `agentctx.testing` enters as any outsider's encoder would: by an entry point, here
of a distribution that consists of nothing else.
"""

import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from agentctx import Config, Media, Observation, registry

ENCODERS = {"light": "hash-double", "minilm": "minilm"}
_METADATA = "Metadata-Version: 2.1\nName: stress-double\nVersion: 1.0\n"
_POINTS = "[agentctx.encoders]\nhash-double = agentctx.testing.doubles:HashEncoder\n"
_BEGIN = datetime(2026, 3, 14, 9, tzinfo=UTC)
SESSIONS = 7


@cache
def _place() -> "tempfile.TemporaryDirectory[str]":
    return tempfile.TemporaryDirectory(prefix="stress-double-")


def install() -> None:
    """Let the encoder be found by its name, in this process and in those it forks."""
    site = Path(_place().name)
    if str(site) in sys.path:
        return
    metadata = site / "stress_double-1.0.dist-info"
    metadata.mkdir(exist_ok=True)
    (metadata / "METADATA").write_text(_METADATA, "utf-8")
    (metadata / "entry_points.txt").write_text(_POINTS, "utf-8")
    sys.path.append(str(site))
    registry._entry_points.cache_clear()


def uninstall() -> None:
    """Take back what `install` did to this process."""
    if _place().name in sys.path:
        sys.path.remove(_place().name)
        registry._entry_points.cache_clear()


def config(encoder: str = "light", exact_limit: int | None = None) -> Config:
    """The configuration of a memory under stress."""
    chosen = Config(encoders=(ENCODERS[encoder],), reranker=None)
    if exact_limit is None:
        return chosen
    return Config(encoders=chosen.encoders, reranker=None, exact_limit=exact_limit)


def session(number: int) -> str:
    """The session of an observation."""
    return f"session{number % SESSIONS}"


def text(owner: str, number: int) -> str:
    """A text with a word that no other one has, and words that many have."""
    return (
        f"{owner}x{number} reports from room{number % 97}: pump{number % 13} runs at "
        f"{number % 1009} bar, valve{number % 11} of line{number % 5} is {owner}s."
    )


def observations(owner: str, numbers: Sequence[int], *, media: bool = False) -> list[Observation]:
    """The observations of these numbers: always the same for the same owner and number.

    ``media``: each with a file of its own and one that all of the owner share.
    """
    shared = Media.of_bytes("original", "text/plain", f"shared by all of {owner} ".encode() * 20)
    return [
        Observation(
            text=text(owner, number),
            captured_at=_BEGIN + timedelta(seconds=number),
            session=session(number),
            source=owner,
            media=(shared, _file(owner, number)) if media else (),
        )
        for number in numbers
    ]


def _file(owner: str, number: int) -> Media:
    return Media.of_bytes("original", "text/plain", f"only of {owner}x{number} ".encode() * 20)
