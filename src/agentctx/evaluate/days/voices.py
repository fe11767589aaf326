"""The recordings: sentences by espeak-ng, put together with the exact time of each."""

import tempfile
import wave
import zlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agentctx.evaluate.days.programs import run
from agentctx.evaluate.days.records import Clip, Day, Sentence
from agentctx.evaluate.days.worlds import texts

Samples = NDArray[np.int16]

_RATE = 22_050  # Hz; what espeak-ng gives
_PAUSE = round(0.35 * _RATE)
_HISS = 60.0  # of 32,768: a quiet room
_HINT = "install espeak-ng (Debian: apt install espeak-ng)"


def speak(day: Day, folder: Path) -> Day:
    """Write every recording of a day as WAV; gives the day with the times at which each sentence
    is heard. Raises ProgramError without espeak-ng."""
    with tempfile.TemporaryDirectory() as name:
        clips = [_spoken(clip, folder / clip.file, Path(name) / "part.wav") for clip in day.clips]
    return replace(day, clips=clips)


def _spoken(clip: Clip, path: Path, part: Path) -> Clip:
    voice, speed, pitch = texts("speech")["voices"][clip.voice]
    samples: list[Samples] = [np.zeros(_PAUSE, np.int16)]
    sentences: list[Sentence] = []
    for sentence in clip.sentences:
        arguments = ["-v", voice, "-s", str(speed), "-p", str(pitch), "-w", str(part)]
        run("espeak-ng", *arguments, "--", sentence.text, hint=_HINT)
        voiced = _trimmed(_read(part))
        start = clip.at + timedelta(seconds=round(sum(map(len, samples)) / _RATE, 2))
        end = start + timedelta(seconds=round(len(voiced) / _RATE, 2))
        sentences.append(replace(sentence, start=start, end=end))
        samples += [voiced, np.zeros(_PAUSE, np.int16)]
    _write(path, samples, zlib.crc32(clip.file.encode()))
    return replace(clip, sentences=sentences)


def _read(path: Path) -> Samples:
    with wave.open(str(path)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2")


def _trimmed(samples: Samples) -> Samples:
    """Without the silence that espeak-ng puts around a sentence."""
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > 100)
    return samples[loud[0] : loud[-1] + 1] if loud.size else samples


def _write(path: Path, parts: Sequence[Samples], seed: int) -> None:
    samples = np.concatenate(parts).astype(np.float64)
    samples += np.random.default_rng(seed).normal(0.0, _HISS, samples.size)
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, _RATE, 0, "NONE", ""))
        file.writeframes(np.clip(samples, -32_768, 32_767).astype("<i2").tobytes())
