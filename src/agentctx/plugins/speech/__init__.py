"""What was said in a recording: audio files, and the sound tracks of video files."""

import json
import math
import os
import threading
import zlib
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentctx.contracts import Requirement, Services, Source
from agentctx.errors import ConfigError
from agentctx.extras import require
from agentctx.plugins.speech.audio import RATE, Recording, read_recording, recognise
from agentctx.plugins.speech.utterances import Utterance, Word, utterances
from agentctx.plugins.when import time_in_name
from agentctx.records import Media, Observation

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Whisper's memory grows with the length it is given (some 50 kB a second), so a long recording
# is heard in pieces, cut where it is quietest near a piece's end.
_PIECE_SECONDS = 600
_SEARCH_SECONDS = 30
_QUIET_SECONDS = 0.5

# Sound is no speech above the first, and what was recognised is noise beyond the others.
# Peaks of an utterance, to look at.
_PEAKS = 60
# Whisper's own rule forgives no_speech_prob where the words seem likely; but those that it makes
# up are the likeliest of all. docs/architecture.md has the measurement.
_NO_SPEECH = 0.6
_MIN_LOG_PROBABILITY = -1.0
_MAX_COMPRESSION = 2.4


class Speech:
    """One observation per utterance, by faster-whisper; or a single empty one without speech.

    ``model``: the name of pinned weights, or the directory of any Whisper model converted for
    CTranslate2. ``language``: a code such as "de"; None is the model's only one, or detected.
    ``compute_type``, ``beam_size`` and ``device`` are faster-whisper's. ``vad``: whether Silero
    picks out the stretches with voice first. ``threads``: 0 is all cores. Decoding never samples,
    so that the same file gives the same words.
    """

    requires = (Requirement("faster_whisper", "whisper"),)

    def __init__(
        self,
        services: Services,
        *,
        model: str | Path = "whisper-tiny.en",
        language: str | None = None,
        compute_type: str = "int8",
        beam_size: int = 5,
        device: str = "cpu",
        vad: bool = True,
        threads: int = 0,
    ) -> None:
        if beam_size < 1:
            raise ConfigError(f"beam_size is {beam_size}; it must be at least 1")
        if threads < 0:
            raise ConfigError(f"threads is {threads}; it cannot be negative")
        self._services = services
        self._name = str(model)
        self._language = language
        self._compute_type = compute_type
        self._beam_size = beam_size
        self._device = device
        self._vad = vad
        self._threads = threads
        self._model: Any = None
        self._lock = threading.Lock()

    def accepts(self, source: Source) -> bool:
        """Sound and video files, by their first bytes, then by their extension."""
        return recognise(source) is not None

    def observe(self, source: Source) -> Iterator[Observation]:
        """The utterances of a recording in order of time.

        ``captured_at`` is when the recording began plus ``attributes["offset"]`` (s). The media
        are the file itself (``original``), ``words``: JSON rows of a word, its start, its end
        (s from the file's start) and its probability, and ``waveform``: a JSON list of at most 60
        peaks over its time, in percent of full scale.
        """
        recording = read_recording(source)
        began = _began(source, recording)
        original = Media.of_file("original", recording.mime, source.path)
        model = self._load()
        silent = True
        for language, utterance in self._listen(model, recording.samples, source.check_time):
            silent = False
            wave = _waveform(recording.samples, utterance)
            yield _observation(source, began, (original, wave), language, utterance)
        if silent:
            yield Observation(
                modality="speech",
                captured_at=began,
                duration=round(recording.seconds, 2),
                session=source.session,
                source=source.name,
                attributes={"speech": False, **source.attributes},
                media=(original,),
            )

    def _load(self) -> Any:  # noqa: ANN401
        with self._lock:
            if self._model is None:
                self._model = self._made()
            return self._model

    def _made(self) -> Any:  # noqa: ANN401
        faster_whisper = require("faster_whisper", extra="whisper")
        directory = Path(self._name)
        if not directory.is_dir():
            directory = self._services.weights.find(self._name)
        # Without it faster-whisper would ask a model hub over the network.
        if not (directory / "tokenizer.json").is_file():
            raise ConfigError(f"{directory} has no tokenizer.json; copy it from the model's source")
        try:
            model = faster_whisper.WhisperModel(
                str(directory),
                device=self._device,
                compute_type=self._compute_type,
                cpu_threads=self._threads or os.cpu_count() or 1,
            )
        except (RuntimeError, ValueError) as error:
            raise ConfigError(
                f"speech: the model in {directory} cannot be used: {error}"
            ) from error
        if self._language not in (None, *model.supported_languages):
            raise ConfigError(
                f"speech: {self._name} does not know the language {self._language!r}; name another "
                "model, or one of " + ", ".join(model.supported_languages)
            )
        return model

    def _listen(
        self,
        model: Any,  # noqa: ANN401
        samples: "NDArray[np.int16]",
        check_time: Callable[[], None],
    ) -> Iterator[tuple[str, Utterance]]:
        for start, piece in _pieces(samples):
            check_time()
            segments, info = model.transcribe(
                piece,
                language=self._language,
                beam_size=self._beam_size,
                vad_filter=self._vad,
                word_timestamps=True,
                condition_on_previous_text=False,
                temperature=0.0,
                no_speech_threshold=_NO_SPEECH,
                log_prob_threshold=None,
            )
            heard = _believable(_timed(segments, check_time))
            for utterance in utterances(_words(s, start) for s in heard):
                yield info.language, utterance


def _pieces(samples: "NDArray[np.int16]") -> Iterator[tuple[float, "NDArray[np.float32]"]]:
    """Pieces of at most `_PIECE_SECONDS` as float32 in -1..1, each with its start in seconds."""
    import numpy as np

    start = 0
    while start < len(samples):
        end = start + _PIECE_SECONDS * RATE
        if end < len(samples):
            width = int(_QUIET_SECONDS * RATE)
            search = samples[end - _SEARCH_SECONDS * RATE : end].astype(np.float32)
            power = np.square(search).reshape(-1, width).mean(axis=1)
            end -= len(search) - int(power.argmin()) * width - width // 2
        yield start / RATE, samples[start:end].astype(np.float32) / 32768.0
        start = end


def _timed(segments: Iterator[Any], check_time: Callable[[], None]) -> Iterator[Any]:
    # Each takes its time when it is asked for.
    for segment in segments:
        check_time()
        yield segment


def _believable(segments: Iterator[Any]) -> Iterator[Any]:
    previous = ""
    for segment in segments:
        text = segment.text.strip()
        data = text.encode()
        loops = len(data) > _MAX_COMPRESSION * len(zlib.compress(data)) or (
            segment.compression_ratio > _MAX_COMPRESSION and text == previous
        )
        previous = text
        likely = segment.avg_logprob >= _MIN_LOG_PROBABILITY
        if likely and not loops and any(character.isalnum() for character in text):
            yield segment


def _words(segment: Any, start: float) -> Sequence[Word]:  # noqa: ANN401
    # A segment that could not be aligned has no words, only its text.
    rows = [(w.word, w.start, w.end, w.probability) for w in segment.words or ()] or [
        (segment.text, segment.start, segment.end, math.exp(segment.avg_logprob))
    ]
    return [
        Word(
            text=text,
            start=round(float(start + begin), 2),
            end=round(float(start + end), 2),
            probability=round(float(probability), 2),
            log_probability=segment.avg_logprob,
        )
        for text, begin, end, probability in rows
    ]


def _began(source: Source, recording: Recording) -> datetime:
    """When a recording began.

    The caller, the file's own tags and its name all tell the beginning; the modification time
    is when the last of it was written, so the recording's length is taken off.
    """
    told = source.captured_at or recording.created_at or time_in_name(source.path.name)
    if told is not None:
        return told
    ended = datetime.fromtimestamp(source.path.stat().st_mtime, tz=UTC)
    return ended - timedelta(seconds=recording.seconds)


def _waveform(samples: "NDArray[np.int16]", utterance: Utterance) -> Media:
    import numpy as np

    first = int(utterance.start * RATE)
    said = np.abs(samples[first : max(first + 1, int(utterance.end * RATE))].astype(np.float32))
    parts = np.array_split(said, min(_PEAKS, len(said))) if len(said) else []
    peaks = [round(float(part.max()) / 327.68) for part in parts]
    return Media.of_bytes("waveform", "application/json", json.dumps(peaks).encode())


def _observation(
    source: Source, began: datetime, sound: Sequence[Media], language: str, utterance: Utterance
) -> Observation:
    words = [[w.text.strip(), w.start, w.end, w.probability] for w in utterance.words]
    packed = json.dumps(words, ensure_ascii=False, separators=(",", ":")).encode()
    return Observation(
        modality="speech",
        text=utterance.text,
        captured_at=began + timedelta(seconds=utterance.start),
        duration=round(utterance.end - utterance.start, 2),
        session=source.session,
        source=source.name,
        attributes={
            "offset": utterance.start,
            "language": language,
            "confidence": round(utterance.confidence, 2),
            **source.attributes,
        },
        media=(*sound, Media.of_bytes("words", "application/json", packed)),
    )
