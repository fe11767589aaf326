"""Screenshots end to end: real files, read by the real engine."""

import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont, PngImagePlugin

from agentctx.config import Config
from agentctx.contracts import Plugin, Source
from agentctx.errors import ConfigError, SourceInvalid
from agentctx.plugins.screenshot import Screenshot, ocr
from agentctx.records import Observation
from agentctx.services import SharedServices

Save = Callable[..., Path]


def screen(
    *lines: str, size: tuple[int, int] = (420, 150), ink: str = "black", paper: str = "white"
) -> Image.Image:
    image = Image.new("RGB", size, paper)
    font = ImageFont.truetype("DejaVuSans.ttf", 17)
    for number, line in enumerate(lines):
        ImageDraw.Draw(image).text((20, 16 + 34 * number), line, ink, font)
    return image


@pytest.fixture
def plugin() -> Screenshot:
    return Screenshot(SharedServices(Config()))


@pytest.fixture
def save(tmp_path: Path) -> Save:
    def save(image: Image.Image, name: str, format: str | None = None, **options: object) -> Path:
        if name.endswith((".heic", ".heif")):
            import pillow_heif

            pillow_heif.register_heif_opener()
        path = tmp_path / name
        image.save(path, format, **options)
        return path

    return save


def observe(plugin: Plugin, path: Path, **hints: object) -> list[Observation]:
    with path.open("rb") as file:
        source = Source(path, file.read(4096), **hints)  # type: ignore[arg-type]
    assert plugin.accepts(source)
    return list(plugin.observe(source))


def layout(observation: Observation) -> list[dict[str, object]]:
    media = observation.find_media("layout")
    assert media is not None
    assert media.mime == "application/json"
    return list(json.loads(media.read()))


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "bmp", "gif", "tiff", "heic"])
def test_every_format_is_read(suffix: str, plugin: Screenshot, save: Save) -> None:
    path = save(screen("Invoice 4711 overdue", "Payment gateway timeout"), f"shot.{suffix}")
    (observation,) = observe(plugin, path, session="monday", attributes={"app": "Firefox"})
    assert observation.modality == "screenshot"
    assert " ".join(observation.text.split()) == "Invoice 4711 overdue Payment gateway timeout"
    assert observation.source == str(path)
    assert observation.session == "monday"
    assert observation.duration == 0
    found = observation.attributes
    assert (found["width"], found["height"], found["lines"]) == (420, 150, 2)
    assert len(str(found["phash"])) == 16
    assert found["app"] == "Firefox"
    original, thumbnail = observation.find_media("original"), observation.find_media("thumbnail")
    assert original is not None
    assert original.read() == path.read_bytes()
    assert thumbnail is not None
    with Image.open(BytesIO(thumbnail.read())) as small:
        assert small.size == (420, 150)


def test_it_is_one_of_the_installed_plugins() -> None:
    assert isinstance(SharedServices(Config()).plugin("screenshot"), Screenshot)


@pytest.mark.parametrize(
    ("name", "head", "accepted"),
    [
        ("a.png", b"", True),
        ("a.JPG", b"anything", True),
        ("a.dat", b"\x89PNG\r\n\x1a\n", True),
        ("a", b"\xff\xd8\xff\xe0", True),
        ("a.txt", b"BM, said the bitmap", False),
        ("a.wav", b"RIFF\0\0\0\0WAVE", False),
        ("a.mp4", b"\0\0\0\x20ftypisom", False),
    ],
)
def test_it_accepts_pictures(plugin: Screenshot, name: str, head: bytes, accepted: bool) -> None:
    assert plugin.accepts(Source(Path(name), head)) is accepted


def test_a_wrong_extension_does_not_matter(plugin: Screenshot, save: Save) -> None:
    (observation,) = observe(plugin, save(screen("Deploy finished"), "shot.gif", "PNG"))
    assert observation.text == "Deploy finished"
    original = observation.find_media("original")
    assert original is not None
    assert original.mime == "image/png"


def test_what_is_no_picture_is_refused(plugin: Screenshot, tmp_path: Path) -> None:
    path = tmp_path / "shot.png"
    path.write_text("<html>404</html>")
    with pytest.raises(
        SourceInvalid, match=r"shot\.png.*is named \.png, but its content is no PNG"
    ):
        observe(plugin, path)


def test_a_screen_without_text_is_still_seen(plugin: Screenshot, save: Save) -> None:
    (observation,) = observe(plugin, save(screen(), "blank.png"))
    assert observation.text == ""
    assert observation.attributes["lines"] == 0
    assert layout(observation) == []


def test_light_text_on_dark_is_read(plugin: Screenshot, save: Save) -> None:
    path = save(screen("Build 1893 passed", ink="#d0d0d0", paper="#1e1e1e"), "dark.png")
    assert observe(plugin, path)[0].text == "Build 1893 passed"


def test_windows_side_by_side_are_read_one_after_the_other(plugin: Screenshot, save: Save) -> None:
    image = Image.new("RGB", (760, 240), "white")
    chat = screen("Ana: is the rollout done", "Ben: not before noon", "Ana: please tell me",
                  size=(360, 240))  # fmt: skip
    image.paste(chat, (0, 0))
    image.paste(screen("Release notes", "Faster search", size=(360, 200)), (400, 17))
    (observation,) = observe(plugin, save(image, "windows.png"))
    assert " ".join(observation.text.split()) == (
        "Ana: is the rollout done Ben: not before noon Ana: please tell me "
        "Release notes Faster search"
    )


def test_the_layout_says_where_each_line_is(plugin: Screenshot, save: Save) -> None:
    (observation,) = observe(plugin, save(screen("Top line here", "", "Bottom line"), "shot.png"))
    rows = layout(observation)
    assert [row["text"] for row in rows] == ["Top line here", "Bottom line"]
    (left, top, right, bottom), (_, below, _, end) = (row["box"] for row in rows)  # type: ignore[misc]
    assert 10 < left < 24
    assert 100 < right < 180
    assert 8 < top < bottom < below < end < 120
    assert all(0.9 < row["confidence"] <= 1 for row in rows)  # type: ignore[operator]


def test_a_turned_photo_is_read_upright(plugin: Screenshot, save: Save) -> None:
    tags = Image.Exif()
    tags[0x0112] = 8
    image = screen("Boarding gate 22").transpose(Image.Transpose.ROTATE_270)
    (observation,) = observe(plugin, save(image, "photo.jpg", exif=tags, quality=95))
    assert observation.text == "Boarding gate 22"
    assert (observation.attributes["width"], observation.attributes["height"]) == (420, 150)


def test_a_slanted_line_is_read(plugin: Screenshot, save: Save) -> None:
    image = screen("Meeting moved to Friday").rotate(4, Image.Resampling.BICUBIC, fillcolor="white")
    assert observe(plugin, save(image, "photo.png"))[0].text == "Meeting moved to Friday"


def test_title_and_program_are_kept(plugin: Screenshot, save: Save) -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("Title", "Orders")
    text.add_text("Software", "Grabber")
    (observation,) = observe(plugin, save(screen(), "shot.png", pnginfo=text))
    assert observation.attributes["title"] == "Orders"
    assert observation.attributes["app"] == "Grabber"


def test_the_time_is_told_by_caller_exif_name_or_file(plugin: Screenshot, save: Save) -> None:
    tags = Image.Exif()
    tags.get_ifd(0x8769).update({0x9003: "2025:01:02 03:04:05", 0x9011: "+00:00"})
    name = "2026-03-14T091205Z_desk.jpg"
    given = datetime(2024, 5, 6, 7, 8, tzinfo=UTC)
    path = save(screen(), name, exif=tags.tobytes())
    assert observe(plugin, path, captured_at=given)[0].captured_at == given
    assert observe(plugin, path)[0].captured_at == datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)
    path = save(screen(), name)
    assert observe(plugin, path)[0].captured_at == datetime(2026, 3, 14, 9, 12, 5, tzinfo=UTC)
    path = save(screen(), "desk.jpg")
    os.utime(path, (1_700_000_000, 1_700_000_000))
    assert observe(plugin, path)[0].captured_at == datetime.fromtimestamp(1_700_000_000, UTC)


def test_frames_that_differ_are_observed_at_their_times(plugin: Screenshot, save: Save) -> None:
    idle, busy = screen("Queue is empty"), screen("Queue holds 17 jobs")
    busy_again = busy.copy()
    rest = [idle.copy(), busy, busy_again, idle.copy()]
    path = save(idle, "2026-03-14T091200Z.gif", save_all=True, append_images=rest,
                duration=[400, 600, 500, 500, 250])  # fmt: skip
    found = observe(plugin, path)
    assert [o.text for o in found] == ["Queue is empty", "Queue holds 17 jobs", "Queue is empty"]
    assert [o.duration for o in found] == [1.0, 1.0, 0.25]
    assert [o.captured_at.second for o in found] == [0, 1, 2]
    assert [o.attributes.get("same_as") for o in found] == [None, None, found[0].id]


def test_each_page_of_a_tiff_is_a_screen(plugin: Screenshot, save: Save) -> None:
    path = save(
        screen("First page"), "fax.tif", save_all=True, append_images=[screen("Second page")]
    )
    assert [o.text for o in observe(plugin, path)] == ["First page", "Second page"]


def test_an_unchanged_screen_refers_to_the_first(plugin: Screenshot, save: Save) -> None:
    first, second, third = (
        observe(plugin, save(screen("Orders today: 1893"), f"{n}.png"))[0] for n in range(3)
    )
    assert "same_as" not in first.attributes
    assert second.attributes["same_as"] == third.attributes["same_as"] == first.id
    assert second.text == first.text
    assert layout(second) == layout(first)
    assert len({first.id, second.id, third.id}) == 3


def test_a_recompressed_screen_is_unchanged(plugin: Screenshot, save: Save) -> None:
    image = screen("Orders today: 1893", "Errors: 7")
    first = observe(plugin, save(image, "first.png"))[0]
    for quality in (75, 90):
        again = observe(plugin, save(image, f"{quality}.jpg", quality=quality))[0]
        assert again.attributes["same_as"] == first.id


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_one_changed_digit_is_read_again(suffix: str, plugin: Screenshot, save: Save) -> None:
    texts = []
    for digit in "389":
        image = screen("Orders today: 1893", f"Latency: 41{digit} ms", "All systems up")
        (observation,) = observe(plugin, save(image, f"{digit}.{suffix}"))
        assert "same_as" not in observation.attributes
        texts.append(observation.text.split("\n\n"))
    assert [text[1] for text in texts] == ["Latency: 413 ms", "Latency: 418 ms", "Latency: 419 ms"]
    assert {(text[0], text[2]) for text in texts} == {("Orders today: 1893", "All systems up")}


@pytest.fixture
def small_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ocr, "_TILE_PIXELS", 420 * 130)
    monkeypatch.setattr(ocr, "_TILE_SIDE", 420)


@pytest.mark.usefixtures("small_tiles")
def test_a_picture_in_tiles_loses_no_line(plugin: Screenshot, save: Save) -> None:
    lines = [f"Row {number} of the long page" for number in range(10, 18)]
    (observation,) = observe(plugin, save(screen(*lines, size=(420, 300)), "long.png"))
    assert observation.text.replace("\n\n", "\n").split("\n") == lines
    boxes = np.array([row["box"] for row in layout(observation)])
    assert np.all(np.abs(np.diff(boxes[:, 1]) - 34) <= 4)


@pytest.mark.parametrize("size", [(4, 4), (1, 600), (2500, 6), (6, 2500)])
def test_odd_shapes_are_no_trouble(size: tuple[int, int], plugin: Screenshot, save: Save) -> None:
    stripes = Image.linear_gradient("L").resize(size)
    (observation,) = observe(plugin, save(stripes, "odd.png"))
    assert (observation.attributes["width"], observation.attributes["height"]) == size


def test_threads_share_one_engine(save: Save) -> None:
    services = SharedServices(Config())
    models = services.weights.find("ppocr-v6-small")
    plugin = Screenshot(services)
    paths = [save(screen(f"Ticket {number} is open"), f"{number}.png") for number in (31, 54, 76)]
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda path: observe(plugin, path)[0].text, paths))
        engines = set(pool.map(lambda _: ocr.shared(models), range(6)))
    assert found == ["Ticket 31 is open", "Ticket 54 is open", "Ticket 76 is open"]
    assert len(engines) == 1


def test_negative_threads_are_refused() -> None:
    with pytest.raises(ConfigError, match="threads is -1"):
        Screenshot(SharedServices(Config()), threads=-1)
