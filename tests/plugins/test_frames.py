"""What counts as the same screen: storage noise does, one changed digit does not."""

from io import BytesIO
from itertools import combinations

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from agentctx.plugins.screenshot.frames import (
    Read,
    Recent,
    Screen,
    changed,
    perceptual_hash,
    unchanged_lines,
)
from agentctx.plugins.screenshot.ocr import Line

INKS = {
    "black on white": ((0, 0, 0), (255, 255, 255)),
    "grey on white": ((150, 150, 150), (255, 255, 255)),
    "light on dark": ((205, 205, 205), (30, 30, 30)),
}


def dashboard(
    latency: str = "412", *, size: int = 12, ink: str = "black on white", colon: str = ":"
) -> Image.Image:
    foreground, background = INKS[ink]
    image = Image.new("RGB", (320, 200), background)
    draw = ImageDraw.Draw(image)
    font = ImageFont.truetype("DejaVuSans.ttf", size)
    draw.text((16, 20), "Checkout service", foreground, font)
    draw.text((16, 60), f"p99 latency {latency} ms", foreground, font)
    draw.text((16, 100), "Errors 0.7 %   Throughput 1893/s", foreground, font)
    draw.text((250, 170), f"09{colon}41", foreground, font)
    draw.rectangle((16, 130, 200, 150), fill=(40, 90, 200))
    return image


def recompressed(image: Image.Image, quality: int) -> Image.Image:
    out = BytesIO()
    image.save(out, "JPEG", quality=quality)
    return Image.open(BytesIO(out.getvalue()))


def screen(image: Image.Image, *, lossy: bool = False) -> Screen:
    return Screen.of(image.convert("RGB"), lossy=lossy)


@pytest.mark.parametrize("ink", INKS)
@pytest.mark.parametrize("size", [9, 12, 16])
@pytest.mark.parametrize("lossy", [False, True])
def test_one_changed_digit_is_seen(ink: str, size: int, lossy: bool) -> None:
    shown = [
        screen(dashboard(f"41{digit}", size=size, ink=ink).crop((0, 50, 200, 90)), lossy=lossy)
        for digit in range(10)
    ]
    unseen = [
        (one, other)
        for one, other in combinations(range(10), 2)
        if not changed(shown[one], shown[other]).any()
    ]
    assert not unseen


@pytest.mark.parametrize("ink", INKS)
@pytest.mark.parametrize("quality", [75, 85, 95])
def test_recompression_is_no_change(ink: str, quality: int) -> None:
    image = dashboard(ink=ink)
    again = screen(recompressed(image, quality), lossy=True)
    assert not changed(screen(image), again).any()


@pytest.mark.parametrize("quality", [80, 95])
def test_a_changed_digit_is_seen_through_recompression(quality: int) -> None:
    before = screen(recompressed(dashboard("412"), quality), lossy=True)
    after = screen(recompressed(dashboard("413"), quality), lossy=True)
    rows, columns = np.nonzero(changed(before, after))
    assert rows.size
    assert 55 < rows.min() <= rows.max() < 85
    assert columns.min() > 80


def test_without_loss_one_grey_level_of_one_pixel_is_a_change() -> None:
    image = dashboard()
    touched = image.copy()
    touched.putpixel((100, 66), (254, 254, 254))
    mask = changed(screen(image), screen(touched))
    assert mask.sum() == 1
    assert mask[66, 100]


@pytest.mark.parametrize("lossy", [False, True])
def test_a_blinking_colon_changes_its_own_line_only(lossy: bool) -> None:
    lines = (
        Line("p99 latency 412 ms", (14, 58, 160, 76), 0.99),
        Line("09:41", (248, 168, 290, 186), 0.9),
    )
    before = screen(dashboard(), lossy=lossy)
    after = screen(dashboard(colon=" "), lossy=lossy)
    found = unchanged_lines(
        Read(before, lines, "earlier"), changed(before, after), [line.box for line in lines]
    )
    assert found == [lines[0], None]


def test_a_line_is_reused_only_where_it_was() -> None:
    line = Line("Checkout service", (14, 18, 130, 36), 0.99)
    before = screen(dashboard())
    read = Read(before, (line,), "earlier")
    boxes = [(14, 18, 131, 36), (14, 118, 130, 136), (14, 18, 140, 36)]
    assert unchanged_lines(read, changed(before, before), boxes) == [line, None, None]


def test_the_nearest_recent_screen_of_the_same_size_is_found() -> None:
    recent = Recent()
    assert recent.nearest(screen(dashboard())) is None
    other = Image.effect_noise((320, 200), 80).convert("RGB")
    for id_, image in (("a", dashboard()), ("noise", other), ("b", dashboard("999"))):
        recent.add(Read(screen(image), (), id_))
    found = recent.nearest(screen(dashboard("998")))
    assert found is not None
    assert found.id == "b"
    assert recent.nearest(screen(dashboard().resize((640, 400)))) is None
    upside_down = screen(dashboard().transpose(Image.Transpose.FLIP_TOP_BOTTOM))
    assert recent.nearest(upside_down) is None


def test_only_the_last_screens_are_kept() -> None:
    recent = Recent()
    recent.add(Read(screen(dashboard()), (), "first"))
    for number in range(8):
        noise = np.random.default_rng(number).integers(0, 255, (200, 320, 3), np.uint8)
        recent.add(Read(screen(Image.fromarray(noise)), (), str(number)))
    assert recent.nearest(screen(dashboard())) is None


# What ImageHash 4.3.2 (imagehash.phash) gives for the same pictures.
GOLDEN = {
    "dashboard": "bf8fc060d039d47c",
    "circle": "97976a6a85855a9a",
}


def drawn(name: str) -> Image.Image:
    if name == "dashboard":
        image = Image.new("RGB", (320, 200), "white")
        draw = ImageDraw.Draw(image)
        for row in range(5):
            draw.rectangle(
                (16, 20 + 32 * row, 60 + 47 * row, 36 + 32 * row), fill=(20, 40 * row, 90)
            )
        return image
    image = Image.new("RGB", (300, 300), (12, 40, 70))
    ImageDraw.Draw(image).ellipse((40, 90, 260, 200), fill=(240, 200, 30))
    return image


@pytest.mark.parametrize("name", GOLDEN)
def test_the_hash_is_that_of_imagehash(name: str) -> None:
    assert f"{perceptual_hash(drawn(name)):016x}" == GOLDEN[name]
