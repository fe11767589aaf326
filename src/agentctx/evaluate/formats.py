"""Which formats there are, how a folder shows its own, and what measures one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from agentctx.config import Config
from agentctx.errors import ConfigError
from agentctx.evaluate import bias, days, retrieval, speech
from agentctx.evaluate.bias import BiasResult
from agentctx.evaluate.datasets import beir, captions, locomo, longmemeval, screens, webdataset
from agentctx.evaluate.datasets.records import Dataset
from agentctx.evaluate.days import DaysResult
from agentctx.evaluate.retrieval import Options, RetrievalResult
from agentctx.evaluate.speech import SpeechResult
from agentctx.ingest import Progress

Result = RetrievalResult | SpeechResult | BiasResult | DaysResult
Measure = Callable[[Path, Config, Progress, Options], Result]


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of data: whether a folder is of it, and how it is measured."""

    fits: Callable[[Path], bool]
    measure: Measure


def _searched(read: Callable[[Path], Dataset]) -> Measure:
    def measure(folder: Path, config: Config, progress: Progress, options: Options) -> Result:
        return retrieval.evaluate(read(folder), config, progress, options)

    return measure


def _alone(measured: Callable[[Path, Config, Progress], Result]) -> Measure:
    """What takes no options."""

    def measure(folder: Path, config: Config, progress: Progress, options: Options) -> Result:
        del options
        return measured(folder, config, progress)

    return measure


# The first that fits is taken: those that are told by the name of a file come first.
FORMATS: Mapping[str, Format] = {
    "beir": Format(beir.fits, _searched(beir.read)),
    "screens": Format(screens.fits, _searched(screens.read)),
    "speech": Format(speech.fits, _alone(speech.evaluate)),
    "bias": Format(bias.fits, _alone(bias.evaluate)),
    "days": Format(lambda folder: any(folder.glob("*/day.json")), _alone(days.evaluate)),
    "longmemeval": Format(longmemeval.fits, _searched(longmemeval.read)),
    "locomo": Format(locomo.fits, _searched(locomo.read)),
    "webdataset": Format(webdataset.fits, _searched(webdataset.read)),
    "captions": Format(captions.fits, _searched(captions.read)),
}


def format_of(folder: Path) -> str | None:
    """The name of a folder's format: by its own name if that is one, otherwise by its content."""
    if folder.name in FORMATS:
        return folder.name
    return next((name for name, one in FORMATS.items() if one.fits(folder)), None)


def checked(name: str) -> str:
    """A format's name; raises ConfigError when no one knows it."""
    if name not in FORMATS:
        raise ConfigError(f"unknown: {name}; known: {', '.join(FORMATS)}")
    return name
