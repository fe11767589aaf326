"""Picture files: told by content, opened within limits, turned upright, and what they tell."""

import struct
import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from agentctx.contracts import Source
from agentctx.errors import SourceInvalid
from agentctx.extras import require
from agentctx.records import Media, Observation

if TYPE_CHECKING:
    from PIL.Image import Image

SUFFIXES = frozenset(
    {".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".dib", ".gif"}
    | {".tif", ".tiff", ".heic", ".heif"}
)
_HEIC = "image/heic"
# So much of a file tells its format.
_HEAD = 4096
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
# Formats whose further frames are screens too; those of a camera's JPEG or HEIC are previews.
_FRAMED = frozenset({"image/png", "image/gif", "image/webp", "image/tiff"})
# What Pillow's decoders raise on damaged data.
_DAMAGE = (OSError, SyntaxError, ValueError, TypeError, LookupError, ArithmeticError, EOFError,
           NotImplementedError, struct.error)  # fmt: skip
_DATE_TIME_ORIGINAL, _OFFSET_ORIGINAL, _SUBSECOND_ORIGINAL = 0x9003, 0x9011, 0x9291
_EXIF_IFD, _DESCRIPTION, _SOFTWARE = 0x8769, 0x010E, 0x0131
_LONGEST_LABEL = 200
_THUMBNAIL_SIDE = 512
_THUMBNAIL_BYTES = 60_000

_warnings_lock = threading.Lock()


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One frame or page: upright RGB pixels, and when it begins and how long it lasts (seconds)."""

    image: "Image"
    offset: float = 0.0
    duration: float = 0.0


@dataclass(frozen=True, slots=True)
class About:
    """What a picture says of itself: its time (None if it does not), title and program.

    ``lossy``: whether equal screens may differ in their pixels, as compression leaves them.
    """

    mime: str
    lossy: bool
    captured_at: datetime | None
    labels: Mapping[str, str]


def mime_of(head: bytes) -> str | None:
    """The media type that the first bytes show, None if they are no picture's.

    >>> mime_of(b"GIF89a...")
    'image/gif'
    """
    for magic, mime in (
        (b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"),
        (b"GIF87a", "image/gif"), (b"GIF89a", "image/gif"), (b"II*\0", "image/tiff"),
        (b"MM\0*", "image/tiff"), (b"II+\0", "image/tiff"), (b"MM\0+", "image/tiff"),
    ):  # fmt: skip
        if head.startswith(magic):
            return mime
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    # "BM" alone begins many a text; the size of the header that follows is one of a few.
    if head[:2] == b"BM" and head[14:18] in {
        bytes([n, 0, 0, 0]) for n in (12, 40, 52, 56, 64, 108, 124)
    }:
        return "image/bmp"
    if head[4:8] == b"ftyp" and head[8:12] in _HEIC_BRANDS:
        return _HEIC
    return None


class Picture:
    """An open picture file; made by `open_picture`."""

    def __init__(self, source: Source, mime: str, image: "Image") -> None:
        self._source = source
        self._name = source.name
        self._image = image
        self._mime = mime

    def about(self) -> About:
        """Its time by Exif, and the title and program that Exif or PNG text chunks name."""
        with _mapped(self._name):
            exif = self._image.getexif()
            info = self._image.info
            labels = {
                "title": _label(info.get("Title")) or _label(exif.get(_DESCRIPTION)),
                "app": _label(info.get("Software")) or _label(exif.get(_SOFTWARE)),
            }
            when = _exif_time(exif.get_ifd(_EXIF_IFD))
        lossy = self._mime in {"image/jpeg", "image/webp", _HEIC}
        return About(self._mime, lossy, when, {k: label for k, label in labels.items() if label})

    @property
    def framed(self) -> bool:
        """Whether it has further frames or pages that are screens of their own."""
        with _mapped(self._name):
            return self._mime in _FRAMED and bool(getattr(self._image, "is_animated", False))

    def frames(self) -> Iterator[Frame]:
        """Each frame or page in turn. Raises SourceInvalid where the data is damaged."""
        offset = 0.0
        for index in count():
            with _mapped(self._name):
                try:
                    self._image.seek(index)
                except EOFError:
                    return
                _check_size(self._source, self._image.size)
                upright = _upright(self._image)
                duration = float(self._image.info.get("duration", 0.0) or 0.0) / 1000
            yield Frame(upright, offset, duration)
            if self._mime not in _FRAMED:
                return
            offset += duration


def decoded(source: Source) -> Iterator[About | Frame]:
    """What a picture says of itself, then each of its frames: for a decoder process.

    Raises what `open_picture` raises.
    """
    with open_picture(source) as picture:
        yield picture.about()
        yield from picture.frames()


@contextmanager
def open_picture(source: Source) -> Iterator[Picture]:
    """Open a picture by its content, whatever its extension says.

    Raises SourceInvalid for what is no picture, is damaged or has no size, SourceTooLarge over
    ``limits.pixels``, and MissingExtra for HEIC without its decoder.
    """
    mime = mime_of(source.head)
    if mime is None:
        raise SourceInvalid(
            source.name,
            f"it is named {source.suffix}, but its content is no PNG, JPEG, WebP, BMP, GIF, TIFF "
            "or HEIC picture; give it its right extension, or export it again",
        )
    with source.path.open("rb") as file, _opened(source, mime, file) as picture:
        yield picture


@contextmanager
def _opened(source: Source, mime: str, file: BinaryIO) -> Iterator[Picture]:
    pillow: Any = require("PIL.Image", extra="screen")
    if mime == _HEIC:
        require("pillow_heif", extra="heic").register_heif_opener()
    with _mapped(source.name):
        image = pillow.open(file)
        _check_size(source, image.size)
    with image:
        yield Picture(source, mime, image)


def media_of(observation: Observation) -> Media | None:
    """The file that shows an observation best: its original, or the thumbnail; None without."""
    for kind in ("original", "thumbnail"):
        found = observation.find_media(kind)
        if found is not None and found.mime.startswith("image/"):
            return found
    return None


def shown(observation: Observation) -> "Image":
    """What an observation looks like, as upright RGB pixels.

    Frames of an animation share one original, so such a frame is its thumbnail. The file was
    decoded in a process of its own when it was added, so it is decoded here. Raises SourceInvalid
    when there is no picture, or a damaged one.
    """
    media = media_of(observation)
    name = observation.source or observation.id
    if media is None:
        raise SourceInvalid(name, "it has no picture; give it an original that is one")
    image, framed = _first(name, media)
    thumb = observation.find_media("thumbnail")
    if framed and thumb is not None:
        image, _ = _first(name, thumb)
    return image


def _first(name: str, media: Media) -> "tuple[Image, bool]":
    """The first frame of a picture, and whether there are more that are screens."""
    with media.open() as file:
        head = file.read(_HEAD)
        file.seek(0)
        mime = mime_of(head)
        if mime is None:
            raise SourceInvalid(name, f"its {media.kind} ({media.mime}) is no picture")
        with _opened(Source(Path(), head, label=name), mime, file) as picture:
            return next(picture.frames()).image, picture.framed


def thumbnail(image: "Image") -> bytes:
    """A WebP of at most 512 pixels a side and 60 kB."""
    small = image.copy()
    small.thumbnail((_THUMBNAIL_SIDE, _THUMBNAIL_SIDE))
    for quality in (75, 50, 25, 0):
        out = BytesIO()
        small.save(out, "WEBP", quality=quality, method=2)
        if out.tell() <= _THUMBNAIL_BYTES:
            break
    return out.getvalue()


@contextmanager
def _mapped(name: str) -> Iterator[None]:
    """Pillow's errors as ours. Its own check of sizes is ours, which a config can change."""
    pillow: Any = require("PIL.Image", extra="screen")
    try:
        with _warnings_lock, warnings.catch_warnings():
            # Damaged metadata is warned of; what it leaves unknown is simply not told.
            warnings.filterwarnings("ignore", module=r"PIL\.")
            pillow.MAX_IMAGE_PIXELS, own = None, pillow.MAX_IMAGE_PIXELS
            try:
                yield
            finally:
                pillow.MAX_IMAGE_PIXELS = own
    except _DAMAGE as error:
        raise SourceInvalid(
            name, f"the picture is damaged or cut short ({error}); copy or export it again"
        ) from error


def _check_size(source: Source, size: tuple[int, int]) -> None:
    """Refuse a picture or page without pixels, or with too many; to be asked before it is read."""
    width, height = size
    if min(size) < 1:
        raise SourceInvalid(source.name, f"the picture is {width} x {height}; export it again")
    what = f"pixels ({width} x {height})"
    source.limits.hold(source.name, "pixels", width * height, what, "crop it or scale it down")


def _upright(image: "Image") -> "Image":
    """RGB, turned as Exif says, over white where it is transparent."""
    ops: Any = require("PIL.ImageOps", extra="screen")
    upright: Image = ops.exif_transpose(image)
    if upright.mode.startswith(("I", "F")):  # 16 bits and more, which Pillow would clip
        return _scaled(upright).convert("RGB")
    if "transparency" in upright.info or upright.mode in {"RGBA", "LA", "PA", "RGBa", "La"}:
        over = upright.convert("RGBA")
        upright = require("PIL.Image", extra="screen").new("RGBA", over.size, "white")
        upright.alpha_composite(over)
    return upright.convert("RGB")


def _scaled(deep: "Image") -> "Image":
    """Eight bits, from the darkest to the lightest."""
    values = np.nan_to_num(np.asarray(deep, np.float64), posinf=0, neginf=0)
    span = np.ptp(values) or 1.0
    grey = ((values - values.min()) * (255 / span)).astype(np.uint8)
    image: Image = require("PIL.Image", extra="screen").fromarray(grey)
    return image


def _label(value: object) -> str:
    text = value.strip("\0 \t\r\n") if isinstance(value, str) else ""
    return text if len(text) <= _LONGEST_LABEL else text[: _LONGEST_LABEL - 1] + "…"


def _exif_time(exif: Mapping[int, Any]) -> datetime | None:
    """DateTimeOriginal with its fraction and offset; local time without an offset."""
    try:
        when = datetime.strptime(str(exif.get(_DATE_TIME_ORIGINAL))[:19], "%Y:%m:%d %H:%M:%S")
        fraction = str(exif.get(_SUBSECOND_ORIGINAL, "")).strip("\0 ")
        if fraction.isdecimal():
            when = when.replace(microsecond=int(fraction[:6].ljust(6, "0")))
        if offset := str(exif.get(_OFFSET_ORIGINAL, "")).strip("\0 "):
            return when.replace(tzinfo=datetime.strptime(offset, "%z").tzinfo)
        return when.astimezone()
    except (ValueError, OverflowError):  # blank or zeroed by the program that wrote it
        return None
