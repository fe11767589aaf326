"""Speech: how many words of a recording are heard right, and how fast.

``transcripts.json`` lists the recordings in its folder: ``file`` and ``text``, the words said.
"""

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from agentctx.app import Memory
from agentctx.config import Config
from agentctx.errors import SourceInvalid
from agentctx.evaluate import metrics
from agentctx.evaluate.datasets.reading import expecting, inside, load
from agentctx.ingest import Hints, Progress, open_source
from agentctx.plugins.speech.audio import read_recording


@dataclass(frozen=True, slots=True)
class Clip:
    """A recording: words said, words wrong (changed, left out or put in), seconds to add it."""

    file: str
    words: int
    errors: int
    audio_seconds: float
    seconds: float
    heard: str

    @property
    def error_rate(self) -> float:
        """Errors over words said."""
        return self.errors / self.words


@dataclass(frozen=True, slots=True)
class SpeechResult:
    """What the recordings measure; ``times_real_time`` is seconds of sound per second of work."""

    clips: Sequence[Clip]
    words: int
    errors: int
    word_error_rate: float
    audio_seconds: float
    seconds: float
    times_real_time: float


def fits(folder: Path) -> bool:
    """Whether a folder is in this format."""
    return (folder / "transcripts.json").is_file()


def evaluate(folder: Path, config: Config, progress: Progress) -> SpeechResult:
    """Measure on all recordings that transcripts.json lists, in one memory.

    Raises SourceInvalid when that is no such list, and the error of a recording that cannot be
    added.
    """
    listing = folder / "transcripts.json"
    with expecting(listing, "a list of recordings with file and text"):
        said = {
            inside(folder, row["file"], listing): metrics.spoken_words(row["text"])
            for row in load(listing)
        }
    if not said or not all(said.values()):
        raise SourceInvalid(listing, "it must list recordings, each with the words said")
    with tempfile.TemporaryDirectory() as directory, Memory.open(directory, config) as memory:
        # Loads the model, which is no part of what a recording costs.
        _hear(memory, next(iter(said)), session="warm up")
        clips: list[Clip] = []
        for path, words in said.items():
            progress(len(clips), len(said), f"speech {path.name}")
            clips.append(_clip(memory, path, words, config))
    progress(len(said), len(said), "speech")
    return _result(clips)


def _clip(memory: Memory, path: Path, words: Sequence[str], config: Config) -> Clip:
    source = open_source(path, Hints(), config.limits)
    sound = read_recording(source)
    started = time.perf_counter()
    heard = _hear(memory, path)
    seconds = time.perf_counter() - started
    errors = metrics.edits(words, metrics.spoken_words(heard))
    return Clip(path.name, len(words), errors, sound.seconds, seconds, heard)


def _hear(memory: Memory, path: Path, session: str = "evaluation") -> str:
    report = memory.add(path, session=session)
    if report.failed:
        raise report.failed[0].error
    segments = memory.timeline(session=session, source=str(path))
    return " ".join(segment.text for segment in segments)


def _result(clips: Sequence[Clip]) -> SpeechResult:
    words, errors = sum(clip.words for clip in clips), sum(clip.errors for clip in clips)
    audio, seconds = sum(clip.audio_seconds for clip in clips), sum(clip.seconds for clip in clips)
    return SpeechResult(clips, words, errors, errors / words, audio, seconds, audio / seconds)
