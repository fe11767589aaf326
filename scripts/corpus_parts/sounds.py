"""Good recordings: every container and codec that FFmpeg, as PyAV brings it, can write."""

import io
from collections.abc import Callable, Mapping
from functools import cache, partial
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
from numpy.typing import NDArray

Make = Callable[[], bytes]

_RATE = 16_000
_BITEXACT = 1 << 23  # FFmpeg's AV_CODEC_FLAG_BITEXACT
_SAMPLE = "2026-03-14T091208Z_operator-radio-leak.ogg"


class _Sound(NamedTuple):
    """A muxer, its sound codec, and a codec for pictures beside the sound."""

    muxer: str
    codec: str
    pictures: str = ""


FLAC = _Sound("flac", "flac")
_FORMATS: Mapping[str, _Sound] = {
    "pcm16.wav": _Sound("wav", "pcm_s16le"),
    "pcm24.wav": _Sound("wav", "pcm_s24le"),
    "float.wav": _Sound("wav", "pcm_f32le"),
    "alaw.wav": _Sound("wav", "pcm_alaw"),
    "adpcm.wav": _Sound("wav", "adpcm_ima_wav"),
    "plain.flac": FLAC,
    "plain.mp3": _Sound("mp3", "libmp3lame"),
    "plain.aac": _Sound("adts", "aac"),
    "opus.ogg": _Sound("ogg", "libopus"),
    "plain.opus": _Sound("opus", "libopus"),
    "flac.oga": _Sound("ogg", "flac"),
    "aac.m4a": _Sound("ipod", "aac"),
    "alac.m4a": _Sound("ipod", "alac"),
    "film.mp4": _Sound("mp4", "aac", "mpeg4"),
    "film.mov": _Sound("mov", "pcm_s16le", "mjpeg"),
    "film.webm": _Sound("webm", "libopus", "libvpx"),
    "film.mkv": _Sound("matroska", "aac", "mpeg4"),
    "flac.mka": _Sound("matroska", "flac"),
    "pcm.aiff": _Sound("aiff", "pcm_s16be"),
}


@cache
def speech(seconds: float = 2.0) -> NDArray[np.int16]:
    """The first words of a sample: int16 mono at 16 kHz."""
    path = Path(str(files("agentctx.demo"))) / "samples" / _SAMPLE
    resampler = av.AudioResampler(format="s16", layout="mono", rate=_RATE)
    with av.open(str(path)) as opened:
        pieces = [
            piece.to_ndarray()[0]
            for frame in opened.decode(audio=0)
            for piece in resampler.resample(frame)
        ]
    return np.concatenate(pieces)[: int(seconds * _RATE)]


def encoded(sound: _Sound, samples: NDArray[np.int16] | None = None) -> bytes:
    """Two seconds of speech (or other sound) in a format; the same bytes each time."""
    data = io.BytesIO()
    options = {"fflags": "+bitexact"}
    with av.open(data, "w", format=sound.muxer, options=options) as opened:
        rate = 48_000 if sound.codec == "libopus" else _RATE
        stream = opened.add_stream(sound.codec, rate=rate, layout="mono")
        stream.codec_context.flags |= _BITEXACT
        pictures = None
        if sound.pictures:
            pictures = opened.add_stream(sound.pictures, rate=5)
            pictures.width, pictures.height = 64, 48
            pictures.pix_fmt = "yuvj420p" if sound.pictures == "mjpeg" else "yuv420p"
            pictures.codec_context.thread_count = 1
        for number in range(5 if pictures else 0):
            pixels = np.full((48, 64, 3), 40 * number, np.uint8)
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            opened.mux(pictures.encode(frame))
        _mux_sound(opened, stream, rate, speech() if samples is None else samples)
        if pictures:
            opened.mux(pictures.encode(None))
    return data.getvalue()


def _mux_sound(
    opened: av.container.OutputContainer,
    stream: av.AudioStream,
    rate: int,
    samples: NDArray[np.int16],
) -> None:
    frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
    frame.sample_rate = _RATE
    resampler = av.AudioResampler(
        format=stream.codec_context.format, layout="mono", rate=rate,
        frame_size=stream.codec_context.frame_size or 1024,
    )  # fmt: skip
    for piece in [*resampler.resample(frame), *resampler.resample(None), None]:
        # FLAC's encoder ends with an empty packet, which only its own muxer takes.
        opened.mux([p for p in stream.encode(piece) if p.size or opened.format.name == "flac"])


def delayed(seconds: int) -> bytes:
    """Sound of which the second half says that it comes so much later."""
    data = io.BytesIO()
    with av.open(data, "w", format="matroska", options={"fflags": "+bitexact"}) as opened:
        stream = opened.add_stream("pcm_s16le", rate=_RATE, layout="mono")
        stream.codec_context.flags |= _BITEXACT
        for number, samples in enumerate(np.split(speech(), 2)):
            frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
            frame.sample_rate, frame.pts = _RATE, number * seconds * _RATE
            opened.mux(stream.encode(frame))
        opened.mux(stream.encode(None))
    return data.getvalue()


def makers() -> Mapping[str, Make]:
    """What makes each good recording, by its file name."""
    return {name: partial(encoded, sound) for name, sound in _FORMATS.items()}
