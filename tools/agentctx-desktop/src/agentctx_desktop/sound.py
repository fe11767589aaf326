"""Sound as it comes: from a microphone, or from a file or pipe in its place."""

import queue
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from agentctx.errors import SourceError, SourceInvalid, SourceNotFound, SourceUnreadable
from agentctx.extras import require
from agentctx.plugins.speech.audio import RATE
from agentctx.plugins.when import time_in_name

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BLOCK_SECONDS = 0.1
_WAIT_SECONDS = 0.2
# How much of a file is decoded ahead of what is heard: 100 s of sound.
_AHEAD = 1_000
STANDARD_INPUT = "-"


class Sound(NamedTuple):
    """Open sound: its name, when it began, and the samples as they come."""

    name: str
    began: datetime
    blocks: "queue.Queue[NDArray[np.int16] | SourceError | None]"

    def samples(self, stop: threading.Event) -> "Iterator[NDArray[np.int16]]":
        """Mono int16 at `RATE`, in blocks, until the end or until ``stop``. Raises SourceError."""
        while not stop.is_set():
            try:
                block = self.blocks.get(timeout=_WAIT_SECONDS)
            except queue.Empty:
                continue
            if block is None:
                return
            if isinstance(block, SourceError):
                raise block
            yield block


@contextmanager
def microphone(device: str | None) -> Iterator[Sound]:
    """A microphone, by its name, number, or that of the system. Raises SourceUnreadable."""
    name = "microphone"
    try:
        import sounddevice
    except OSError as error:  # there is no PortAudio
        raise SourceUnreadable(
            name, f"{error}; install it (Debian: apt install libportaudio2), or give --file"
        ) from error
    blocks: queue.Queue[NDArray[np.int16] | SourceError | None] = queue.Queue()

    def heard(data: Any, frames: int, time: Any, status: Any) -> None:  # noqa: ANN401
        del frames, time, status
        blocks.put(np.frombuffer(bytes(data), np.int16))

    chosen = int(device) if device is not None and device.isdecimal() else device
    try:
        stream = sounddevice.RawInputStream(
            samplerate=RATE,
            channels=1,
            dtype="int16",
            blocksize=round(_BLOCK_SECONDS * RATE),
            device=chosen,
            callback=heard,
        )
        with stream:
            yield Sound(name, datetime.now(UTC), blocks)
    except (sounddevice.PortAudioError, ValueError) as error:
        raise SourceUnreadable(
            name, f"it cannot be heard: {error}; check --device, or give --file"
        ) from error


@contextmanager
def recorded(path: Path) -> Iterator[Sound]:
    """A WAV file, or what comes through a pipe as one, as if it were heard now."""
    pipe = str(path) == STANDARD_INPUT
    name = "standard input" if pipe else str(path)
    if not pipe and not path.is_file():
        raise SourceNotFound(name, "there is no such file; check --file")
    blocks: queue.Queue[NDArray[np.int16] | SourceError | None] = queue.Queue(_AHEAD)
    over = threading.Event()

    def put(block: "NDArray[np.int16] | SourceError | None") -> None:
        while not over.is_set():
            try:
                blocks.put(block, timeout=_WAIT_SECONDS)
            except queue.Full:
                continue
            return

    def read() -> None:
        try:
            # Without a buffer: at the end of the process its lock would be with this thread.
            with open(0 if pipe else path, "rb", 0, closefd=not pipe) as file:
                for block in _decoded(name, file):
                    put(block)
                    if over.is_set():
                        return
        except SourceError as error:
            put(error)
        put(None)

    # Nobody can wake it while it waits for a pipe.
    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    try:
        yield Sound(name, time_in_name(path.name) or datetime.now(UTC), blocks)
    finally:
        over.set()
        if not pipe:
            thread.join()


def _decoded(name: str, file: Any) -> "Iterator[NDArray[np.int16]]":  # noqa: ANN401
    av = require("av", extra="whisper")
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
    try:
        with closing(av.open(file, mode="r", format="wav")) as opened:
            for frame in opened.decode(audio=0):
                frame.pts = None
                for part in resampler.resample(frame):
                    yield np.asarray(part.to_ndarray(), np.int16).ravel()
            for part in resampler.resample(None):
                yield np.asarray(part.to_ndarray(), np.int16).ravel()
    except (av.error.FFmpegError, OSError) as error:
        raise SourceInvalid(name, f"it is no WAV sound: {error}; record it as wav") from error
