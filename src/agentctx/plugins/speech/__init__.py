"""What was said in a recording: audio files, and the sound tracks of video files."""

import heapq
import json
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from agentctx.contracts import Requirement, Services, Source
from agentctx.errors import ConfigError
from agentctx.plugins.speech.audio import RATE, Recording, read_recording, recognise
from agentctx.plugins.speech.blocks import Blocks
from agentctx.plugins.speech.faster import FasterWhisper
from agentctx.plugins.speech.openai_whisper import OpenAIWhisper
from agentctx.plugins.speech.overlaps import Gap, Recent, Said, Sound, gaps
from agentctx.plugins.speech.pieces import believable, pieces, words_of
from agentctx.plugins.speech.recogniser import Options, Recogniser, Segment
from agentctx.plugins.speech.transformers_whisper import TransformersWhisper
from agentctx.plugins.speech.utterances import Utterance, utterances
from agentctx.plugins.speech.voice import recognised
from agentctx.plugins.when import time_in_name
from agentctx.records import Attribute, Media, Observation

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ENGINES: Mapping[str, Callable[[Services, Options], Recogniser]] = {
    "faster-whisper": FasterWhisper,
    "openai-whisper": OpenAIWhisper,
    "transformers": TransformersWhisper,
}

# Peaks of an utterance, to look at.
_PEAKS = 60


class Speech:
    """One observation per utterance, by a Whisper model; or a single empty one without speech.

    ``engine``: "faster-whisper", or with its extra "openai-whisper" or "transformers". ``model``:
    the name of pinned weights, a file or directory that the engine reads, or a repository of the
    hub; by default tiny.en. ``language``: a code such as "de"; None is the model's only one, or
    detected. ``device``: "cpu", "cuda", "cuda:1", "mps", "auto". ``compute_type`` is the engine's;
    by default int8 for faster-whisper, float32 for the others. ``vad``: whether Silero picks out
    the stretches with voice first. ``threads``: 0 is all cores. Decoding never samples, so that
    the same file gives the same words.

    ``speakers``: who speaks on each channel of a call that was recorded so, such as
    ["agent", "caller"]: recordings with as many channels are heard channel by channel.

    Sound that was heard a while ago in the same session, sample for sample, is not heard again:
    what was said in it are the observations that there are already. Not so where both recordings
    tell their times, and these are not the same moment.
    """

    requires = (Requirement("faster_whisper", "whisper"),)
    weights = ("whisper-tiny.en",)

    def __init__(
        self,
        services: Services,
        *,
        engine: str = "faster-whisper",
        model: str | Path | None = None,
        language: str | None = None,
        compute_type: str | None = None,
        beam_size: int = 5,
        device: str = "cpu",
        vad: bool = True,
        threads: int = 0,
        speakers: Sequence[str] = (),
    ) -> None:
        if engine not in ENGINES:
            raise ConfigError(f"engine is {engine!r}; it must be one of {', '.join(ENGINES)}")
        if beam_size < 1:
            raise ConfigError(f"beam_size is {beam_size}; it must be at least 1")
        if threads < 0:
            raise ConfigError(f"threads is {threads}; it cannot be negative")
        if isinstance(speakers, str) or len(speakers) == 1:
            raise ConfigError(f"speakers is {speakers!r}; it must be a list, a name per channel")
        self._services = services
        self._engine = engine
        self._options = Options(
            model=None if model is None else str(model),
            language=language,
            device=device,
            compute_type=compute_type,
            beam_size=beam_size,
            threads=threads,
        )
        self._vad = vad
        self._speakers = tuple(speakers)
        self._recent = Recent()
        self._made: Recogniser | None = None
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
        recording = read_recording(source, max(1, len(self._speakers)))
        told = source.captured_at or recording.created_at or time_in_name(source.path.name)
        file = _File(source, told, _began(source, recording),
                     Media.of_file("original", recording.mime, source.path))  # fmt: skip
        names = self._speakers if len(recording.channels) > 1 else ("",)
        channels = [
            self._said(file, speaker, samples)
            for speaker, samples in zip(names, recording.channels, strict=True)
        ]
        silent = True
        # As they are heard, so that a long recording is seen to go on.
        for said in heapq.merge(*channels, key=lambda one: one.utterance.start):
            silent = False
            yield said.observation
        if silent:
            yield Observation(
                modality="speech",
                captured_at=file.told or file.guessed,
                duration=round(recording.seconds, 2),
                session=source.session,
                source=source.name,
                attributes={"speech": False, **source.attributes},
                media=(file.original,),
            )

    def _said(self, file: "_File", speaker: str, samples: "NDArray[np.int16]") -> Iterator[Said]:
        """What was said on a channel, heard now or before, in order."""
        source = file.source
        sound = Sound(
            scope=(source.session, speaker, tuple(sorted(source.attributes.items()))),
            name=(source.name, file.original.digest),
            began=file.told,
            seconds=len(samples) / RATE,
            blocks=Blocks.of(samples),
        )
        known = self._recent.repeats(sound)
        # A copy does not tell its time, but what it is a copy of may.
        told = file.told or next((one.began for one in known if one.began), None)
        # By its id: an utterance may reach into two repeats.
        before = {one.observation.id: one for repeat in known for one in repeat.said}
        said = sorted(before.values(), key=lambda one: one.utterance.start)
        waiting = deque(said)
        for gap in gaps(sound.seconds, known):
            for language, utterance in self._listen(samples, gap, source.check_time):
                while waiting and waiting[0].utterance.start <= utterance.start:
                    yield waiting.popleft()
                began = told or file.guessed
                heard = file.observation(began, speaker, language, utterance, samples)
                said.append(Said(utterance, heard))
                yield said[-1]
        yield from waiting
        self._recent.add(replace(sound, began=told), said, file.original)

    def _recogniser(self) -> Recogniser:
        with self._lock:
            if self._made is None:
                self._made = ENGINES[self._engine](self._services, self._options)
            return self._made

    def _listen(
        self, samples: "NDArray[np.int16]", gap: Gap, check_time: Callable[[], None]
    ) -> Iterator[tuple[str, Utterance]]:
        recogniser = self._recogniser()
        first = round(gap.start * RATE)
        for start, piece in pieces(samples[first : round(gap.end * RATE)]):
            check_time()
            language, segments = recognised(recogniser, piece, vad=self._vad)
            heard = [
                words_of(segment, first / RATE + start)
                for segment in believable(_timed(segments, check_time))
            ]
            for utterance in utterances(gap.fresh(heard)):
                yield language, utterance


def _timed(segments: Iterator[Segment], check_time: Callable[[], None]) -> Iterator[Segment]:
    # Each takes its time when it is asked for.
    for segment in segments:
        check_time()
        yield segment


@dataclass(frozen=True, slots=True)
class _File:
    """A file that is heard: when its sound began, if that is told, else by its last change."""

    source: Source
    told: datetime | None
    guessed: datetime
    original: Media

    def observation(
        self,
        began: datetime,
        speaker: str,
        language: str,
        utterance: Utterance,
        samples: "NDArray[np.int16]",
    ) -> Observation:
        """Of an utterance; ``speaker`` is empty where it is not known."""
        rows = [[w.text.strip(), w.start, w.end, w.probability] for w in utterance.words]
        words = json.dumps(rows, ensure_ascii=False, separators=(",", ":")).encode()
        attributes: dict[str, Attribute] = {
            "offset": utterance.start,
            "language": language,
            "confidence": round(utterance.confidence, 2),
        }
        if speaker:
            attributes["speaker"] = speaker
        return Observation(
            modality="speech",
            text=utterance.text,
            captured_at=began + timedelta(seconds=utterance.start),
            duration=round(utterance.end - utterance.start, 2),
            session=self.source.session,
            source=self.source.name,
            attributes={**attributes, **self.source.attributes},
            media=(
                self.original,
                _waveform(samples, utterance),
                Media.of_bytes("words", "application/json", words),
            ),
        )


def _began(source: Source, recording: Recording) -> datetime:
    """When a recording began that does not tell: its modification time is when it ended."""
    ended = datetime.fromtimestamp(source.path.stat().st_mtime, tz=UTC)
    return ended - timedelta(seconds=recording.seconds)


def _waveform(samples: "NDArray[np.int16]", utterance: Utterance) -> Media:
    import numpy as np

    first = int(utterance.start * RATE)
    said = np.abs(samples[first : max(first + 1, int(utterance.end * RATE))].astype(np.float32))
    parts = np.array_split(said, min(_PEAKS, len(said))) if len(said) else []
    peaks = [round(float(part.max()) / 327.68) for part in parts]
    return Media.of_bytes("waveform", "application/json", json.dumps(peaks).encode())
