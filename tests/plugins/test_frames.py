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
    same,
)

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
def test_a_blinking_colon_is_a_change_where_it_stands(lossy: bool) -> None:
    before = screen(dashboard(), lossy=lossy)
    after = screen(dashboard(colon=" "), lossy=lossy)
    rows, columns = np.nonzero(changed(before, after))
    assert rows.size
    assert 160 < rows.min() <= rows.max() < 195
    assert columns.min() > 245
    assert not same(before, after)


def test_screens_of_other_sizes_are_not_the_same() -> None:
    assert same(screen(dashboard()), screen(dashboard()))
    assert not same(screen(dashboard()), screen(dashboard().crop((0, 0, 320, 199))))


def recent_ids(recent: Recent, shown: Screen) -> list[str]:
    return [read.id for read in recent.like(shown)]


def test_all_screens_of_the_size_are_given_the_latest_first() -> None:
    recent = Recent()
    assert recent_ids(recent, screen(dashboard())) == []
    reads = [Read(screen(dashboard(str(n))), (), str(n)) for n in range(3)]
    for read in reads:
        recent.add(read)
    recent.add(Read(screen(dashboard().resize((640, 400))), (), "large"))
    assert recent_ids(recent, screen(dashboard("998"))) == ["2", "1", "0"]
    recent.seen(reads[0])
    assert recent_ids(recent, screen(dashboard("998"))) == ["0", "2", "1"]
    recent.seen(Read(screen(dashboard()), (), "not kept"))
    assert recent_ids(recent, screen(dashboard("998"))) == ["0", "2", "1"]


def test_a_lossy_screen_is_compared_with_the_nearest_only() -> None:
    recent = Recent()
    other = Image.effect_noise((320, 200), 80).convert("RGB")
    for id_, image in (("a", dashboard()), ("noise", other), ("b", dashboard("999"))):
        recent.add(Read(screen(image), (), id_))
    assert recent_ids(recent, screen(dashboard("998"), lossy=True)) == ["b"]
    upside_down = dashboard().transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    assert recent_ids(recent, screen(upside_down, lossy=True)) == []


def test_only_the_last_screens_are_kept() -> None:
    recent = Recent()
    for number in range(20):
        recent.add(Read(screen(dashboard(str(number))), (), str(number), view=str(number)))
    assert recent_ids(recent, screen(dashboard())) == [str(n) for n in range(19, 3, -1)]


def test_a_view_of_many_screens_does_not_drive_out_others() -> None:
    recent = Recent()
    for number in range(60):
        view = "inbox" if number < 2 else "page"
        recent.add(Read(screen(dashboard(str(number))), (), str(number), view=view))
    kept = recent_ids(recent, screen(dashboard()))
    assert kept[-2:] == ["1", "0"]
    assert kept[:14] == [str(n) for n in range(59, 45, -1)]


def test_large_screens_are_kept_up_to_so_many_pixels() -> None:
    recent = Recent()
    for number in range(4):
        recent.add(Read(Screen(np.zeros((5000, 5000), np.uint8), False), (), str(number)))
    assert len(recent_ids(recent, Screen(np.zeros((5000, 5000), np.uint8), False))) == 2


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
