"""Good pictures: every format and frame layout that the screenshot plugin takes."""

import io
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
import pillow_heif
from PIL import Image, ImageDraw, ImageFont

Make = Callable[[], bytes]


def screen(text: str = "Valve 7 open", size: tuple[int, int] = (200, 64)) -> Image.Image:
    """A small screen with one line of text."""
    image = Image.new("RGB", size, "white")
    font = ImageFont.load_default(size=24)
    ImageDraw.Draw(image).text((12, 16), text, "black", font)
    return image


def saved(image: Image.Image, form: str, **options: Any) -> bytes:  # noqa: ANN401
    """A picture as the bytes of a file; the options are Pillow's for the format."""
    data = io.BytesIO()
    image.save(data, form, **options)
    return data.getvalue()


def _frames(form: str, **options: Any) -> bytes:  # noqa: ANN401
    """Three frames or pages, of which the second differs by a word."""
    rest = [screen("Valve 7 shut"), screen()]
    return saved(screen(), form, save_all=True, append_images=rest, **options)


def _tagged_jpeg() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned
    exif[0x010E] = "Control room"
    exif.get_ifd(0x8769)[0x9003] = "2026:03:14 09:12:05"
    return saved(screen(), "JPEG", exif=exif, progressive=True)


def _deep_tiff(kind: type[np.generic]) -> bytes:
    grey = np.asarray(screen().convert("L")).astype(kind) * kind(2)  # type: ignore[operator]
    return saved(Image.fromarray(grey), "TIFF")


def _deep_png() -> bytes:
    grey = np.asarray(screen().convert("L")).astype(np.uint16) * np.uint16(257)
    return saved(Image.fromarray(grey), "PNG")


def _heic(frames: int) -> bytes:
    pillow_heif.register_heif_opener()
    if frames == 1:
        return saved(screen(), "HEIF", quality=60)
    return _frames("HEIF", quality=60)


def makers() -> Mapping[str, Make]:
    """What makes each good picture, by its file name."""
    return dict(_makers())


def _makers() -> Iterator[tuple[str, Make]]:
    yield "plain.png", lambda: saved(screen(), "PNG")
    yield "palette.png", lambda: saved(screen().quantize(16), "PNG", transparency=0)
    yield "deep.png", _deep_png
    yield "bits.png", lambda: saved(screen().convert("1"), "PNG")
    yield "animated.apng", partial(_frames, "PNG", duration=500, default_image=False)
    yield "plain.jpg", lambda: saved(screen(), "JPEG", quality=90)
    yield "tagged.jpeg", _tagged_jpeg
    yield "cmyk.jpg", lambda: saved(screen().convert("CMYK"), "JPEG")
    yield "lossless.webp", lambda: saved(screen(), "WEBP", lossless=True)
    yield "lossy.webp", lambda: saved(screen(), "WEBP", quality=80)
    yield "animated.webp", partial(_frames, "WEBP", duration=400, lossless=True)
    yield "plain.bmp", lambda: saved(screen(), "BMP")
    yield "palette.bmp", lambda: saved(screen().quantize(16), "BMP")
    yield "plain.gif", lambda: saved(screen(), "GIF")
    yield "animated.gif", partial(_frames, "GIF", duration=300, loop=0)
    yield "raw.tif", lambda: saved(screen(), "TIFF")
    for compression in ("tiff_lzw", "tiff_deflate", "packbits", "jpeg"):
        name = f"{compression}.tiff"
        yield name, partial(lambda c: saved(screen(), "TIFF", compression=c), compression)
    yield "group4.tiff", lambda: saved(screen().convert("1"), "TIFF", compression="group4")
    yield "pages.tiff", partial(_frames, "TIFF", compression="tiff_lzw")
    yield "big.tiff", lambda: saved(screen(), "TIFF", big_tiff=True)
    yield "deep.tiff", partial(_deep_tiff, np.uint16)
    yield "float.tiff", partial(_deep_tiff, np.float32)
    yield "plain.heic", partial(_heic, 1)
    yield "burst.heif", partial(_heic, 3)
