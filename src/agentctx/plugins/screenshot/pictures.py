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
from typing import TYPE_CHECKING, Any

import numpy as np

from agentctx.contracts import Source
from agentctx.errors import SourceInvalid, SourceTooLarge
from agentctx.extras import require

if TYPE_CHECKING:
    from PIL.Image import Image

SUFFIXES = frozenset(
    {".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".dib", ".gif"}
    | {".tif", ".tiff", ".heic", ".heif"}
)
_HEIC = "image/heic"
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
    """What a picture says of itself: its time (None if it does not), title and program."""

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

    def __init__(self, name: str, mime: str, image: "Image") -> None:
        self._name = name
        self._image = image
        self.mime = mime

    @property
    def lossy(self) -> bool:
        """Whether equal screens may differ in their pixels, as compression leaves them."""
        return self.mime in {"image/jpeg", "image/webp", _HEIC}

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
        return About(when, {key: label for key, label in labels.items() if label})

    def frames(self) -> Iterator[Frame]:
        """Each frame or page in turn. Raises SourceInvalid where the data is damaged."""
        offset = 0.0
        for index in count():
            with _mapped(self._name):
                try:
                    self._image.seek(index)
                except EOFError:
                    return
                _check_size(self._name, self._image.size)
                upright = _upright(self._image)
                duration = float(self._image.info.get("duration", 0.0) or 0.0) / 1000
            yield Frame(upright, offset, duration)
            if self.mime not in _FRAMED:
                return
            offset += duration


@contextmanager
def open_picture(source: Source) -> Iterator[Picture]:
    """Open a picture by its content, whatever its extension says.

    Raises SourceInvalid for what is no picture, is damaged or has no size, SourceTooLarge over
    Pillow's limit for decompression bombs, and MissingExtra for HEIC without its decoder.
    """
    mime = mime_of(source.head)
    if mime is None:
        raise SourceInvalid(
            source.name,
            f"it is named {source.suffix}, but its content is no PNG, JPEG, WebP, BMP, GIF, TIFF "
            "or HEIC picture; give it its right extension, or export it again",
        )
    pillow: Any = require("PIL.Image", extra="screen")
    if mime == _HEIC:
        require("pillow_heif", extra="heic").register_heif_opener()
    with source.path.open("rb") as file:
        with _mapped(source.name):
            image = pillow.open(file)
            _check_size(source.name, image.size)
        with image:
            yield Picture(source.name, mime, image)


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
    """Pillow's errors as ours; its warning of a decompression bomb counts as an error."""
    pillow: Any = require("PIL.Image", extra="screen")
    try:
        with _warnings_lock, warnings.catch_warnings():
            # Damaged metadata is warned of; what it leaves unknown is simply not told.
            warnings.filterwarnings("ignore", module=r"PIL\.")
            warnings.simplefilter("error", pillow.DecompressionBombWarning)
            yield
    except (pillow.DecompressionBombWarning, pillow.DecompressionBombError) as error:
        raise _too_large(name, str(error)) from error
    except _DAMAGE as error:
        raise SourceInvalid(
            name, f"the picture is damaged or cut short ({error}); copy or export it again"
        ) from error


def _check_size(name: str, size: tuple[int, int]) -> None:
    """Pages may differ in size, and Pillow checks only the first."""
    limit = require("PIL.Image", extra="screen").MAX_IMAGE_PIXELS
    if min(size) < 1:
        raise SourceInvalid(name, f"the picture is {size[0]} x {size[1]} pixels; export it again")
    if limit is not None and size[0] * size[1] > limit:
        raise _too_large(name, f"{size[0]} x {size[1]} pixels, the limit is {limit:,} in all")


def _too_large(name: str, reason: str) -> SourceTooLarge:
    return SourceTooLarge(name, f"the picture is too large: {reason}; crop it or scale it down")


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
