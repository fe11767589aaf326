"""Picture files as they come: every format, every mode, and every kind of damage."""

import struct
import zlib
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, PngImagePlugin

from agentctx.contracts import Source
from agentctx.errors import SourceError, SourceInvalid, SourceTooLarge
from agentctx.pictures import About, Frame, mime_of, open_picture, thumbnail

MIMES = {
    "PNG": "image/png",
    "JPEG": "image/jpeg",
    "WEBP": "image/webp",
    "BMP": "image/bmp",
    "GIF": "image/gif",
    "TIFF": "image/tiff",
    "HEIF": "image/heic",
}
TITLE, SOFTWARE, ORIENTATION = 0x010E, 0x0131, 0x0112
EXIF, TAKEN, FRACTION, OFFSET = 0x8769, 0x9003, 0x9291, 0x9011


def encoded(image: Image.Image, format: str, **options: object) -> bytes:
    if format == "HEIF":
        import pillow_heif

        pillow_heif.register_heif_opener()
    out = BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def source(path: Path) -> Source:
    with path.open("rb") as file:
        return Source(path, file.read(4096))


def frames_of(path: Path) -> list[Frame]:
    with open_picture(source(path)) as picture:
        return list(picture.frames())


def about(path: Path) -> About:
    with open_picture(source(path)) as picture:
        return picture.about()


def halves(mode: str = "RGB", left: object = "navy", right: object = "yellow") -> Image.Image:
    image = Image.new(mode, (64, 40), left)
    ImageDraw.Draw(image).rectangle((32, 0, 63, 39), fill=right)
    return image


def exif(**tags: str) -> Image.Exif:
    found = Image.Exif()
    for name, value in tags.items():
        if name in ("taken", "offset", "fraction"):
            tag = {"taken": TAKEN, "offset": OFFSET, "fraction": FRACTION}[name]
            found.get_ifd(EXIF)[tag] = value
        else:
            found[{"title": TITLE, "software": SOFTWARE}[name]] = value
    return found


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def write(data: bytes, name: str = "shot.png") -> Path:
        path = tmp_path / name
        path.write_bytes(data)
        return path

    return write


@pytest.mark.parametrize("format", MIMES)
def test_every_format_is_told_by_content(format: str, write: Callable[..., Path]) -> None:
    path = write(encoded(halves(), format), "misnamed.dat")
    assert mime_of(path.read_bytes()[:4096]) == MIMES[format]
    with open_picture(source(path)) as picture:
        (frame,) = picture.frames()
        assert picture.about().mime == MIMES[format]
    assert frame.image.mode == "RGB"
    left, right = frame.image.getpixel((8, 20)), frame.image.getpixel((56, 20))
    assert np.abs(np.subtract(left, (0, 0, 128))).max() < 24
    assert np.abs(np.subtract(right, (255, 255, 0))).max() < 24


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"BM is how this text begins",
        b"RIFF\0\0\0\0WAVEfmt ",
        b"\0\0\0\x20ftypisom",
        b"GIF87",
        b"II",
        b"%PDF-1.7",
    ],
)
def test_other_content_is_no_picture(head: bytes) -> None:
    assert mime_of(head) is None


@pytest.mark.parametrize(
    ("mode", "left", "right", "format"),
    [
        ("1", 0, 1, "PNG"),
        ("L", 0, 255, "PNG"),
        ("L", 0, 255, "BMP"),
        ("P", 0, 1, "PNG"),
        ("LA", (0, 255), (9, 0), "PNG"),
        ("RGBA", (0, 0, 0, 255), (0, 0, 0, 0), "PNG"),
        ("RGBA", (0, 0, 0, 255), (0, 0, 0, 0), "WEBP"),
        ("I;16", 900, 30_000, "PNG"),
        ("I;16", 900, 30_000, "TIFF"),
        ("F", -2.5, 7.5, "TIFF"),
        ("CMYK", (0, 0, 0, 255), (0, 0, 0, 0), "JPEG"),
    ],
)
def test_every_mode_comes_out_dark_and_light(
    mode: str, left: object, right: object, format: str, write: Callable[..., Path]
) -> None:
    image = Image.new(mode, (64, 40), left)  # type: ignore[arg-type]
    image.paste(right, (32, 0, 64, 40))  # type: ignore[arg-type]
    if mode == "P":
        image.putpalette([0, 0, 0, 255, 255, 255])
    (frame,) = frames_of(write(encoded(image, format)))
    assert frame.image.mode == "RGB"
    assert max(frame.image.getpixel((8, 20))) < 16  # type: ignore[arg-type]
    assert min(frame.image.getpixel((56, 20))) > 239  # type: ignore[arg-type]


@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_it_is_turned_as_exif_says(format: str, write: Callable[..., Path]) -> None:
    tags = Image.Exif()
    tags[ORIENTATION] = 6  # the camera was turned: show it a quarter clockwise
    (frame,) = frames_of(write(encoded(halves(), format, exif=tags)))
    assert frame.image.size == (40, 64)
    assert np.abs(np.subtract(frame.image.getpixel((20, 8)), (0, 0, 128))).max() < 24


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG"])
def test_frames_have_their_times(format: str, write: Callable[..., Path]) -> None:
    rest = [halves(left="green"), halves(left="red")]
    options = {"lossless": True} if format == "WEBP" else {}
    data = encoded(halves(), format, save_all=True, append_images=rest, duration=[500, 1500, 250],
                   **options)  # fmt: skip
    frames = frames_of(write(data))
    assert [(frame.offset, frame.duration) for frame in frames] == [
        (0, 0.5), (0.5, 1.5), (2.0, 0.25)]  # fmt: skip
    assert [frame.image.getpixel((8, 20)) for frame in frames] == [
        (0, 0, 128), (0, 128, 0), (255, 0, 0)]  # fmt: skip


def test_pages_of_a_tiff_may_differ_in_size(write: Callable[..., Path]) -> None:
    data = encoded(halves(), "TIFF", save_all=True, append_images=[halves().resize((30, 90))])
    assert [frame.image.size for frame in frames_of(write(data))] == [(64, 40), (30, 90)]


def test_the_preview_in_a_camera_file_is_no_second_screen(write: Callable[..., Path]) -> None:
    data = encoded(halves(), "MPO", save_all=True, append_images=[halves().resize((32, 20))])
    assert [frame.image.size for frame in frames_of(write(data, "shot.jpg"))] == [(64, 40)]


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF", "HEIF"])
def test_exif_tells_time_and_zone(format: str, write: Callable[..., Path]) -> None:
    tags = exif(taken="2026:03:14 10:12:05", offset="+02:00", fraction="250", title="Orders",
                software="Grabber 3")  # fmt: skip
    found = about(write(encoded(halves(), format, exif=tags.tobytes())))
    assert found.captured_at == datetime(2026, 3, 14, 8, 12, 5, 250_000, tzinfo=UTC)
    assert found.captured_at.utcoffset() == timedelta(hours=2)
    assert found.labels == {"title": "Orders", "app": "Grabber 3"}


def test_exif_time_without_a_zone_is_local(write: Callable[..., Path]) -> None:
    found = about(
        write(encoded(halves(), "JPEG", exif=exif(taken="2026:03:14 10:12:05").tobytes()))
    )
    assert found.captured_at == datetime(2026, 3, 14, 10, 12, 5).astimezone()


@pytest.mark.parametrize("taken", ["0000:00:00 00:00:00", "    :  :     :  :  ", "yesterday", ""])
def test_a_blank_exif_time_tells_nothing(taken: str, write: Callable[..., Path]) -> None:
    data = encoded(halves(), "JPEG", exif=exif(taken=taken).tobytes())
    assert about(write(data)).captured_at is None


def test_png_text_names_title_and_program(write: Callable[..., Path]) -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("Title", " Board of the week ")
    text.add_itxt("Software", "Bildschirmfoto äöü" + "x" * 300)
    found = about(write(encoded(halves(), "PNG", pnginfo=text)))
    assert found.captured_at is None
    assert found.labels["title"] == "Board of the week"
    assert found.labels["app"].startswith("Bildschirmfoto äöü")
    assert len(found.labels["app"]) == 200


def png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        check = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(20_000, 20_000), (12_000, 8_000), (2**31 - 1, 2)])
def test_a_decompression_bomb_is_refused(size: tuple[int, int], write: Callable[..., Path]) -> None:
    with pytest.raises(SourceTooLarge, match=r"limits\.pixels allows 50,000,000: crop it or scale"):
        frames_of(write(png(*size)))


def test_a_huge_second_page_is_refused(write: Callable[..., Path]) -> None:
    pages = [halves("1", 0, 1).resize((11_000, 9_000))]
    data = encoded(halves("1", 0, 1), "TIFF", save_all=True, append_images=pages,
                   compression="group4")  # fmt: skip
    with pytest.raises(SourceTooLarge, match="11000 x 9000"):
        frames_of(write(data))


@pytest.mark.parametrize("size", [(0, 0), (0, 5), (5, 0)])
def test_a_picture_without_pixels_is_refused(
    size: tuple[int, int], write: Callable[..., Path]
) -> None:
    gif = b"GIF89a" + struct.pack("<HHBBB", *size, 0, 0, 0) + b"\x3b"
    for data in (png(*size), gif):
        with pytest.raises(SourceInvalid, match=r"shot.png"):
            frames_of(write(data))


@pytest.mark.parametrize("content", [b"", b"just words\n", b"\0" * 64, b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_picture_is_named_with_a_way_out(
    content: bytes, write: Callable[..., Path]
) -> None:
    with pytest.raises(SourceInvalid, match=r"shot.png.*export it again"):
        frames_of(write(content))


@pytest.mark.parametrize("format", MIMES)
@pytest.mark.parametrize("kept", [0.2, 0.6, 0.9])
def test_a_truncated_file_is_refused(format: str, kept: float, write: Callable[..., Path]) -> None:
    noise = Image.effect_noise((200, 160), 90).convert("RGB")
    data = encoded(noise, format)
    with pytest.raises(SourceInvalid, match="damaged or cut short"):
        frames_of(write(data[: int(len(data) * kept)]))


SAMPLES = {format: encoded(Image.effect_noise((40, 30), 90).convert("RGB"), format)
           for format in MIMES if format != "HEIF"}  # fmt: skip
SAMPLES["TAGGED"] = encoded(halves(), "JPEG", exif=exif(taken="2026:03:14 10:12:05").tobytes())
SAMPLES["MOVING"] = encoded(halves(), "GIF", save_all=True, append_images=[halves(left="red")])
SAMPLES["PAGES"] = encoded(halves(), "TIFF", save_all=True, append_images=[halves(left="red")])


@pytest.mark.parametrize("name", SAMPLES)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_damaged_bytes_give_a_picture_or_our_error(
    name: str, data: st.DataObject, tmp_path: Path
) -> None:
    content = bytearray(SAMPLES[name])
    places = st.integers(0, min(len(content), 600) - 1)
    for place in data.draw(st.lists(places, min_size=1, max_size=8)):
        content[place] = data.draw(st.integers(0, 255))
    path = tmp_path / "damaged"
    path.write_bytes(content)
    with suppress(SourceError), open_picture(source(path)) as picture:
        picture.about()
        assert all(frame.image.mode == "RGB" for frame in picture.frames())


def test_the_limit_of_pillow_is_left_alone(write: Callable[..., Path]) -> None:
    before = Image.MAX_IMAGE_PIXELS
    frames_of(write(encoded(halves(), "PNG")))
    assert before == Image.MAX_IMAGE_PIXELS


def test_a_thumbnail_is_small_whatever_it_shows() -> None:
    noise = np.random.default_rng(3).integers(0, 255, (1500, 2000, 3), np.uint8)
    data = thumbnail(Image.fromarray(noise))
    assert len(data) < 60_000
    with Image.open(BytesIO(data)) as small:
        assert (small.format, small.size) == ("WEBP", (512, 384))
