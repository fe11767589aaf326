"""What is said, cut at silence."""

import threading
import wave
from collections.abc import Generator
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

from agentctx.contracts import Arrival, Services
from agentctx.errors import ConfigError

if TYPE_CHECKING:
    from agentctx_desktop.segments import Segment
    from agentctx_desktop.sound import Sound


class Microphone:
    """What is said near a microphone, cut at silence.

    Only stretches with voice are kept, each as a recording of its own, whose words the plugin for
    speech finds. In place of a microphone it hears a WAV file, or standard input as one.
    """

    def __init__(
        self,
        services: Services,
        *,
        device: Annotated[str | None, "Its name or number; the system's if not given."] = None,
        file: Annotated[Path | None, "A WAV file to hear instead; - is standard input."] = None,
        pause: Annotated[float, "Seconds of silence that end a stretch."] = 0.8,
        longest: Annotated[float, "Seconds after which a stretch is cut."] = 30.0,
    ) -> None:
        del services
        if not 0.1 <= pause <= 60:
            raise ConfigError(f"pause is {pause} s; it must be from 0.1 s to a minute")
        if not 2 <= longest <= 600:
            raise ConfigError(f"longest is {longest} s; it must be from 2 s to 10 minutes")
        if device is not None and file is not None:
            raise ConfigError("give a device to hear, or a file, not both")
        self._device = device
        self._file = file
        self._pause = pause
        self._longest = longest

    def watch(self, stop: threading.Event) -> Generator[Arrival, None, None]:
        """A recording of each stretch of speech. Raises a SourceError."""
        from agentctx_desktop.segments import segments

        with TemporaryDirectory(prefix="agentctx-speech-") as folder, self._opened() as sound:
            for segment in segments(sound.samples(stop), self._pause, self._longest):
                yield _arrival(Path(folder), sound, segment)

    def _opened(self) -> "AbstractContextManager[Sound]":
        from agentctx_desktop.sound import microphone, recorded

        return microphone(self._device) if self._file is None else recorded(Path(self._file))


def _arrival(folder: Path, sound: "Sound", segment: "Segment") -> Arrival:
    from agentctx.plugins.speech.audio import RATE

    path = folder / "speech.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(segment.samples.astype("<i2").tobytes())
    began = sound.began + timedelta(seconds=segment.start / RATE)
    return Arrival(item=path, source=sound.name, captured_at=began)
