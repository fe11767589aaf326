"""Sound cut at silence: stretches in which somebody speaks.

Where there is voice is told by Silero's detector, which comes with faster-whisper. It hears the
second before each new half second again, since it needs to know what came before.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from agentctx.extras import require
from agentctx.plugins.speech.audio import RATE

if TYPE_CHECKING:
    from numpy.typing import NDArray

_WINDOW = 512  # samples that Silero judges at once, 32 ms
_STEP = 16 * _WINDOW
_CONTEXT = 32 * _WINDOW
_VOICE = 0.5  # Silero's probability
_PAD = 10 * _WINDOW  # kept around voice: its detector begins late and ends early


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """A stretch of sound: where it begins, in samples from the start, and int16 [samples]."""

    start: int
    samples: "NDArray[np.int16]"


def segments(
    blocks: "Iterable[NDArray[np.int16]]", pause: float, longest: float
) -> Iterator[Segment]:
    """The stretches with voice, cut where there is none for ``pause`` seconds.

    One that lasts ``longest`` seconds is cut where, in its last quarter, voice is least likely.
    Each is given as soon as it is over, and what is held when the sound ends.
    """
    cutter = _Cutter(round(pause * RATE), max(round(longest * RATE), 2 * _STEP))
    for step in _steps(blocks):
        yield from cutter.hear(step)
    yield from cutter.rest()


def _steps(blocks: "Iterable[NDArray[np.int16]]") -> "Iterator[NDArray[np.int16]]":
    """The same sound in steps; the last is filled up with silence."""
    held = np.zeros(0, np.int16)
    for block in blocks:
        held = np.concatenate([held, block])
        while len(held) >= _STEP:
            yield held[:_STEP]
            held = held[_STEP:]
    if len(held):
        yield np.pad(held, (0, _STEP - len(held)))


class _Cutter:
    """Holds the sound that is not given yet; before any voice, what is kept around it."""

    def __init__(self, pause: int, longest: int) -> None:
        self._pause = pause
        self._longest = longest
        self._detect = require("faster_whisper.vad", extra="whisper").get_vad_model()
        self._context = np.zeros(_CONTEXT, np.int16)
        self._start = 0  # of what is held, in samples from the beginning
        self._held = np.zeros(0, np.int16)
        self._voice = np.zeros(0, np.float32)  # its probability in each window of that

    def hear(self, step: "NDArray[np.int16]") -> Iterator[Segment]:
        """Take a step of sound; give what it brings to an end."""
        sound = np.concatenate([self._context, step]).astype(np.float32) / 32768.0
        voice = self._detect(sound).ravel()[-_STEP // _WINDOW :]
        self._context = np.concatenate([self._context, step])[-_CONTEXT:]
        self._held = np.concatenate([self._held, step])
        self._voice = np.concatenate([self._voice, voice])
        voiced = self._voiced()
        if voiced is None:
            self._drop(max(0, len(self._held) - _PAD))
        elif len(self._held) - voiced[1] >= max(self._pause, _PAD):
            yield self._given(voiced[0] - _PAD, voiced[1] + _PAD)
        elif len(self._held) >= self._longest:
            quarter = len(self._voice) // 4
            least = int(self._voice[-quarter:].argmin())
            end = len(self._held) - (quarter - least) * _WINDOW
            yield self._given(voiced[0] - _PAD, end)

    def rest(self) -> Iterator[Segment]:
        """What is held at the end, if there is voice in it."""
        voiced = self._voiced()
        if voiced is not None:
            yield self._given(voiced[0] - _PAD, voiced[1] + _PAD)

    def _voiced(self) -> tuple[int, int] | None:
        """Where the first voice begins and the last ends, in samples of what is held."""
        windows = np.flatnonzero(self._voice >= _VOICE)
        if not windows.size:
            return None
        return int(windows[0]) * _WINDOW, (int(windows[-1]) + 1) * _WINDOW

    def _given(self, start: int, end: int) -> Segment:
        start, end = max(0, start), min(len(self._held), end)
        segment = Segment(self._start + start, self._held[start:end].copy())
        self._drop(end)
        return segment

    def _drop(self, samples: int) -> None:
        samples -= samples % _WINDOW
        self._start += samples
        self._held = self._held[samples:]
        self._voice = self._voice[samples // _WINDOW :]
