"""The sound of a recording: told by content, decoded whole, held to its own header.

Decoding is PyAV's (FFmpeg). The demuxer is always named, never guessed by FFmpeg: some of those
that it would try, playlists for one, open other files and addresses.
"""

import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, BinaryIO

from agentctx.contracts import Source
from agentctx.errors import SourceInvalid, SourceUnsupported
from agentctx.extras import require
from agentctx.plugins import apart

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RATE = 16_000  # Hz; what Whisper and Silero VAD take
_SAMPLE_BYTES = 2
_PART_BYTES = 1024**2

# A gap between time stamps that is no rounding: sound that the recorder left out.
_GAP_SECONDS = 0.25
# How far below the length in its header a sound track may stay: padding of the last frame.
_SHORT_SECONDS = 1.0

_REPAIR = "get it again, or save what there is with: ffmpeg -i FILE repaired.flac"


@dataclass(frozen=True, slots=True)
class Container:
    """A file format: FFmpeg's demuxer for it, and its media type with and without pictures."""

    demuxer: str
    audio: str
    video: str = ""


_WAV = Container("wav", "audio/wav")
_FLAC = Container("flac", "audio/flac")
_MP3 = Container("mp3", "audio/mpeg")
_AAC = Container("aac", "audio/aac")
_OGG = Container("ogg", "audio/ogg", "video/ogg")
_MP4 = Container("mp4", "audio/mp4", "video/mp4")
_MOV = Container("mov", "audio/mp4", "video/quicktime")
_WEBM = Container("matroska", "audio/webm", "video/webm")
_MKV = Container("matroska", "audio/x-matroska", "video/x-matroska")
_AIFF = Container("aiff", "audio/aiff")
_BY_SUFFIX: Mapping[str, Container] = {
    ".wav": _WAV, ".flac": _FLAC, ".mp3": _MP3, ".aac": _AAC, ".ogg": _OGG, ".oga": _OGG,
    ".opus": _OGG, ".ogv": _OGG, ".m4a": _MP4, ".m4b": _MP4, ".mp4": _MP4, ".m4v": _MP4,
    ".mov": _MOV, ".webm": _WEBM, ".weba": _WEBM, ".mkv": _MKV, ".mka": _MKV, ".aiff": _AIFF,
    ".aif": _AIFF,
}  # fmt: skip
_MAGIC: tuple[tuple[re.Pattern[bytes], Container], ...] = tuple(
    (re.compile(pattern, re.DOTALL), container)
    for pattern, container in (
        (rb"(?:RIFF|RIFX|RF64)....WAVE", _WAV),
        (rb"fLaC", _FLAC),
        (rb"OggS", _OGG),
        (rb"FORM....AIF[FC]", _AIFF),
        (rb"\x1aE\xdf\xa3.{0,60}webm", _WEBM),
        (rb"\x1aE\xdf\xa3", _MKV),
        (rb"....ftypqt  |....(?:moov|mdat|wide|free|skip)", _MOV),
        # HEIC and AVIF pictures are of the same family; their brands are left out.
        (rb"....ftyp(?!hei|hev|mif|msf|avi|jp)", _MP4),
        (rb"ID3|\xff[\xe2\xe3\xf2\xf3\xfa\xfb][^\xf0-\xff]", _MP3),
        (rb"\xff[\xf0\xf1\xf8\xf9]", _AAC),
    )
)


def recognise(source: Source) -> Container | None:
    """The container of a sound or video file, by its first bytes, then by its extension."""
    for pattern, container in _MAGIC:
        if pattern.match(source.head):
            return container
    return _BY_SUFFIX.get(source.suffix)


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """A sound track at `RATE`, and what its file says of it.

    ``channels``: int16 [channels, samples], one of them unless several were asked for. Gaps in the
    time stamps are filled with silence, so that a sample's place is its time. ``created_at`` is
    None where the file does not tell.
    """

    channels: "NDArray[np.int16]"
    mime: str
    created_at: datetime | None

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return len(self.channels[0]) / RATE


@dataclass(frozen=True, slots=True)
class _Track:
    """What a file says of its sound track; it follows the sound itself."""

    mime: str
    created_at: datetime | None
    channels: int


def read_recording(source: Source, channels: int = 1) -> Recording:
    """Decode the sound track of a file, in a process of its own.

    Channels are mixed into one, unless there are as many as are asked for: then each is kept.

    All of it is decoded before anything is returned (32 kB a second), so that a damaged file
    fails before it has been half observed. Formats made for streaming (ogg, webm, mp3, a wav
    with an open length) may end anywhere; one whose header gives a length must have it.

    Raises SourceUnsupported, SourceInvalid, or SourceTooLarge over ``limits.sound_seconds``.
    """
    import numpy as np

    require("av", extra="whisper")
    pcm = bytearray()
    track = _Track("", None, 1)
    for part in apart.stream(decoded, source, channels):
        if isinstance(part, _Track):
            track = part
        else:
            pcm += part
    samples = np.frombuffer(pcm, dtype=np.int16).reshape(-1, track.channels).T
    return Recording(np.ascontiguousarray(samples), track.mime, track.created_at)


def decoded(source: Source, channels: int = 1) -> Iterator[bytes | _Track]:
    """The sound as int16 at `RATE`, part by part, then what the file says of it.

    Samples of ``channels`` alternate where the file has as many; otherwise it is mono.
    """
    av = require("av", extra="whisper")
    container = recognise(source)
    if container is None:
        raise SourceUnsupported(
            source.name,
            "it is no sound or video file of a known format; export it as wav, flac, mp3, ogg or "
            "mp4",
        )
    with source.path.open("rb") as file:
        if container is _WAV:
            _check_wav(source.name, file)
        try:
            with av.open(file, format=container.demuxer, metadata_errors="ignore") as opened:
                yield from _decode(source, opened, container, channels)
        except av.error.FFmpegError as error:
            reason = f"it cannot be read as {container.audio}: {error.strerror}; {_REPAIR}"
            raise SourceInvalid(source.name, reason) from error


def _decode(
    source: Source,
    opened: Any,  # noqa: ANN401
    container: Container,
    channels: int,
) -> Iterator[bytes | _Track]:
    name = source.name
    cover = require("av.stream", extra="whisper").Disposition.attached_pic
    if not opened.streams.audio:
        raise SourceInvalid(
            name, "it has no sound track, so there is no speech to hear; export it with its sound"
        )
    stream = opened.streams.audio[0]
    # A container's own duration may be that of the pictures; only a track's own is a promise.
    promised = float(stream.duration * stream.time_base) if stream.duration else 0.0
    if stream.codec_context is None:  # FFmpeg knows no decoder for what the header says
        raise SourceInvalid(name, f"nothing in its sound track can be decoded; {_REPAIR}")
    layout = stream.layout
    if layout.nb_channels != channels:
        channels, layout = 1, "mono"
    length = 0
    for part in _pcm(source, _chunks(opened, stream, layout), _SAMPLE_BYTES * channels):
        length += len(part)
        yield part
    if not length:
        raise SourceInvalid(name, f"nothing in its sound track can be decoded; {_REPAIR}")
    if container not in (_MP3, _OGG, _AAC):
        _check_length(name, promised, length / channels / _SAMPLE_BYTES / RATE)
    pictures = any(not video.disposition & cover for video in opened.streams.video)
    yield _Track(
        container.video if pictures and container.video else container.audio,
        _created({**stream.metadata, **opened.metadata}),
        channels,
    )


def _pcm(source: Source, chunks: Iterator[tuple[float, bytes]], width: int) -> Iterator[bytes]:
    """The sound without gaps, in parts of about a megabyte; ``width``: bytes of all channels."""
    length = 0
    held = bytearray()
    for start, chunk in chunks:
        missing = round(start * RATE) * width - length
        gap = missing if missing > _GAP_SECONDS * RATE * width else 0
        length += gap + len(chunk)
        seconds = length / width / RATE
        source.limits.hold(
            source.name, "sound_seconds", seconds, "seconds of sound", "cut it into parts"
        )
        for begin in range(0, gap, _PART_BYTES):
            yield bytes(held) + bytes(min(_PART_BYTES, gap - begin))
            held.clear()
        held += chunk
        if len(held) >= _PART_BYTES:
            yield bytes(held)
            held.clear()
    yield bytes(held)


def _chunks(opened: Any, stream: Any, layout: Any) -> Iterator[tuple[float, bytes]]:  # noqa: ANN401
    """16-bit sound at `RATE`, each piece with its time in seconds from the file's start."""
    resampler: Any = None
    made_for: object = None
    origin = (opened.start_time or 0) / 1_000_000  # FFmpeg's AV_TIME_BASE
    for frame in _frames(opened, stream):
        start = 0.0 if frame.time is None else frame.time - origin
        frame.pts = None  # the resampler refuses stamps that run backwards
        shape = (frame.format.name, frame.layout.name, frame.sample_rate)
        if shape != made_for:  # a chained stream may change it half-way
            if resampler is not None:
                yield from ((start, _bytes(last)) for last in resampler.resample(None))
            resampler = _resampler(layout)
            made_for = shape
        yield from ((start, _bytes(piece)) for piece in resampler.resample(frame))
    if resampler is not None:
        yield from ((0.0, _bytes(last)) for last in resampler.resample(None))


def _resampler(layout: Any) -> Any:  # noqa: ANN401
    return require("av", extra="whisper").AudioResampler(format="s16", layout=layout, rate=RATE)


def _bytes(frame: Any) -> bytes:  # noqa: ANN401
    return bytes(frame.to_ndarray())


def _frames(opened: Any, stream: Any) -> Iterator[Any]:  # noqa: ANN401
    # A packet that cannot be decoded is passed over, as players do: the rest is still speech.
    invalid = require("av", extra="whisper").error.InvalidDataError
    packets = opened.demux(stream)
    while True:
        try:
            packet = next(packets)
        except (StopIteration, invalid):  # invalid: the file was cut off inside a block
            return
        try:
            yield from packet.decode()
        except invalid:
            continue


def _check_length(name: str, promised: float, seconds: float) -> None:
    if seconds < 0.99 * promised - _SHORT_SECONDS:
        raise SourceInvalid(
            name,
            f"it ends too early: {promised:.1f} s by its header, {seconds:.1f} s are there. It may "
            f"still be on its way here; if not, {_REPAIR}",
        )


def _check_wav(name: str, file: BinaryIO) -> None:
    """Hold a wav header to the file's size, which FFmpeg does not; leaves the file rewound.

    Recorders that write to a pipe leave 0 or 0xFFFFFFFF as the length: then all of it counts.
    """
    size = file.seek(0, 2)
    file.seek(12)
    while len(head := file.read(8)) == 8:
        kind, length = struct.unpack("<4sI", head)
        if kind == b"data":
            there = size - file.tell()
            if length not in (0, 0xFFFFFFFF):
                file.seek(length + length % 2, 1)
                rest = file.read(4)
                if there < 0.99 * length or (len(rest) == 4 and not rest.isascii()):
                    raise SourceInvalid(
                        name,
                        f"its wav header promises {length:,} bytes of sound, {there:,} are there. "
                        f"It may still be on its way here; if not, {_REPAIR}",
                    )
            break
        file.seek(length + length % 2, 1)
    file.seek(0)


def _created(tags: Mapping[str, str]) -> datetime | None:
    """When recording began, by a container's tags; clocks that were never set are not believed."""
    lower = {key.lower(): value for key, value in tags.items()}
    # The first is Apple's, with the place's own time zone. Broadcast wav has a date and a time.
    stamps = [lower.get("com.apple.quicktime.creationdate"), lower.get("creation_time")]
    if "date" in lower and "creation_time" in lower:
        stamps.append(f"{lower['date']}T{lower['creation_time']}")
    for stamp in filter(None, stamps):
        try:
            when = datetime.fromisoformat(stamp)
        except ValueError:
            continue
        if when.year >= 1990:  # containers count from 1904 or 1970
            return when.astimezone()
    return None
