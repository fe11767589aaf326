"""``agentctx eval``: every evaluation that a data folder has data for."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agentctx import __version__
from agentctx.config import DEFAULT_ENCODERS, Config
from agentctx.errors import ConfigError, SourceNotFound
from agentctx.evaluate import locomo, report, screens, speech
from agentctx.evaluate.locomo import LocomoResult
from agentctx.evaluate.screens import ScreensResult
from agentctx.evaluate.speech import SpeechResult
from agentctx.ingest import Progress

if TYPE_CHECKING:
    from rich.console import RenderableType

PARTS = ("locomo", "screens", "speech")


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What was measured; a part is None when it was not asked for, or ``absent`` from the data."""

    data: Path
    version: str
    encoders: Sequence[str]
    reranker: str | None
    locomo: LocomoResult | None = None
    screens: ScreensResult | None = None
    speech: SpeechResult | None = None
    absent: Sequence[str] = ()


def run(
    data: Path,
    only: Collection[str] = (),
    config: Config | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Measure on ``data``/locomo, /screens and /speech, as far as they are there.

    ``only`` names the parts to measure, which must then be there. Everything is done in temporary
    memories. ``progress(done, total, name)`` is called as a part goes on.

    Raises ConfigError for a part that no one knows, and SourceNotFound when there is nothing to
    measure.
    """
    unknown = sorted(set(only) - set(PARTS))
    if unknown:
        raise ConfigError(f"unknown: {', '.join(unknown)}; known: {', '.join(PARTS)}")
    wanted = [part for part in PARTS if not only or part in only]
    absent = [part for part in wanted if not (data / part).is_dir()]
    if absent and (only or absent == wanted):
        raise SourceNotFound(data, f"it has no directory named {' or '.join(absent)} to measure on")
    settings = config or Config()

    def tell(done: int, total: int, name: str) -> None:
        if progress:
            progress(done, total, name)

    def present(part: str) -> bool:
        return part in wanted and part not in absent

    return Evaluation(
        data,
        __version__,
        settings.encoders or DEFAULT_ENCODERS,
        settings.reranker,
        locomo.evaluate(data / "locomo", settings, tell) if present("locomo") else None,
        screens.evaluate(data / "screens", settings, tell) if present("screens") else None,
        speech.evaluate(data / "speech", settings, tell) if present("speech") else None,
        absent,
    )


def table(found: Evaluation) -> "RenderableType":
    """An evaluation for people: a table for each part."""
    from rich.console import Group
    from rich.text import Text

    parts: list[RenderableType] = []
    if found.locomo:
        parts.append(report.locomo_table(found.locomo))
    if found.screens:
        parts.append(report.screens_table(found.screens))
    if found.speech:
        parts.append(report.speech_table(found.speech))
    missing = (f"{part}: not measured, there is no {found.data / part}" for part in found.absent)
    return Group(*parts, *map(Text, missing))
