"""What is carried over from screen to screen: never what is gone, and all else is looked at."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

from agentctx.plugins.screenshot import regions
from agentctx.plugins.screenshot.boxes import Box, area, cut, grown, shared
from agentctx.plugins.screenshot.carrying import Known, known
from agentctx.plugins.screenshot.frames import Read, Screen
from agentctx.plugins.screenshot.ocr import Line
from agentctx.plugins.screenshot.scrolling import distances

WIDTH, HEIGHT, BAR = 512, 416, 32
PITCH = 24
FONT = ImageFont.truetype("DejaVuSans.ttf", 14)
WORDS = (
    "alarm",
    "pump",
    "ready",
    "invoice",
    "queue 17",
    "north gate",
    "78 %",
    "il1",
    "8:05",
    "8:06",
)


@dataclass(frozen=True)
class Desk:
    """A clock above a page of rows, of which the part from ``scroll`` pixels on is shown."""

    rows: tuple[str, ...]
    scroll: int = 0
    clock: str = "12:00"

    def picture(self) -> Image.Image:
        page = Image.new("L", (WIDTH, PITCH * len(self.rows) + 2 * HEIGHT), 250)
        for number, text in enumerate(self.rows):
            ImageDraw.Draw(page).text((20, PITCH * number + 4), text, 20, FONT)
        image = Image.new("L", (WIDTH, HEIGHT), 60)
        ImageDraw.Draw(image).text((440, 8), self.clock, 240, FONT)
        image.paste(page.crop((0, self.scroll, WIDTH, self.scroll + HEIGHT - BAR)), (0, BAR))
        return image

    def lines(self) -> tuple[Line, ...]:
        """What a faultless engine reads; of a row that is cut, that it is cut."""
        found = [Line(self.clock, placed(440, 8, self.clock), 1.0)]
        for number, text in enumerate(self.rows):
            box = placed(20, PITCH * number + 4 + BAR - self.scroll, text)
            view = (0, BAR, WIDTH, HEIGHT)
            seen = shared(box, view)
            if area(shared(grown(box, -2, -2, (9999, 9999)), view)):  # some of its ink is
                found.append(Line(text if seen == box else f"cut {text}", seen, 1.0))
        return tuple(found)

    def read(self) -> Read:
        return Read(Screen.of(self.picture().convert("RGB"), lossy=False), self.lines(), "")


def placed(left: int, top: int, text: str) -> Box:
    """Where an engine sees a text that is drawn there: with a margin of two pixels."""
    box = FONT.getbbox(text)
    return (
        left + int(box[0]) - 2,
        top + int(box[1]) - 2,
        left + int(box[2]) + 2,
        top + int(box[3]) + 2,
    )


def told(before: list[Desk], after: Desk) -> Known:
    return known(after.read().screen, [desk.read() for desk in reversed(before)])


def looked_at(after: Desk, found: Known) -> tuple[list[Line], list[Box]]:
    """The lines that stay, and the parts that are looked at again."""
    wanted = regions.spread(found.left)
    dropped = regions.touched(found.lines, wanted)
    for line in dropped:
        wanted[cut(line.box)] = True
    kept = [line for line in found.lines if line not in dropped]
    return kept, regions.parts(after.read().screen.grey, wanted)


def inside(box: Box, other: Box) -> bool:
    return shared(box, other) == box


words = st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join)
row = st.one_of(st.just(""), words)


@st.composite
def sessions(draw: st.DrawFn) -> list[Desk]:
    """Screens in a row, of two pages: edited, scrolled, switched between."""
    pages = [Desk(tuple(draw(st.lists(row, min_size=8, max_size=24)))) for _ in range(2)]
    shown = [pages[0]]
    for _ in range(draw(st.integers(1, 5))):
        desk = shown[-1]
        match draw(st.sampled_from(("edit", "scroll", "switch", "insert", "tick"))):
            case "edit":
                at = draw(st.integers(0, len(desk.rows) - 1))
                desk = Desk(
                    (*desk.rows[:at], draw(row), *desk.rows[at + 1 :]), desk.scroll, desk.clock
                )
            case "insert":
                at = draw(st.integers(0, len(desk.rows)))
                desk = Desk((*desk.rows[:at], draw(row), *desk.rows[at:]), desk.scroll, desk.clock)
            case "scroll":
                scroll = max(0, desk.scroll + draw(st.integers(-90, 90)))
                desk = Desk(desk.rows, scroll, desk.clock)
            case "switch":
                desk = Desk(pages[draw(st.integers(0, 1))].rows, 0, desk.clock)
            case "tick":
                desk = Desk(desk.rows, desk.scroll, f"12:{draw(st.integers(0, 59)):02}")
        shown.append(desk)
    return shown


@settings(max_examples=40, deadline=None)
@given(sessions())
def test_what_is_carried_over_is_there_and_the_rest_is_looked_at(shown: list[Desk]) -> None:
    *before, after = shown
    found = told(before, after)
    there = {(line.text, line.box) for line in after.lines()}
    kept, parts = looked_at(after, found)
    assert {(line.text, line.box) for line in kept} <= there, "no line of before that is gone"
    for line in after.lines():
        assert line in kept or any(inside(line.box, part) for part in parts), line


@settings(max_examples=25, deadline=None)
@given(st.lists(words, min_size=8, max_size=14), st.data())
def test_one_changed_digit_is_always_looked_at(rows: list[str], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(rows) - 1))
    old, new = data.draw(
        st.lists(st.sampled_from("0123456789"), min_size=2, max_size=2, unique=True)
    )
    before, after = (
        Desk((*rows[:at], f"{rows[at]} {digit}", *rows[at + 1 :])) for digit in (old, new)
    )
    kept, parts = looked_at(after, told([before], after))
    changed = after.lines()[at + 1]
    assert changed not in kept
    assert any(inside(changed.box, part) for part in parts)
    assert len(kept) >= len(rows) - 2, "its neighbours at most are read with it"


ROWS = tuple(f"{n}. {WORDS[n % 7]} {n * n} {WORDS[n % 5]}" for n in range(40))


@pytest.mark.parametrize("by", [1, 24, 31, 150, -40])
def test_what_was_scrolled_is_carried_over(by: int) -> None:
    before, after = Desk(ROWS, 120, "12:00"), Desk(ROWS, 120 + by, "12:01")
    grey = before.read().screen.grey, after.read().screen.grey
    assert distances(*grey, grey[0] != grey[1])[0] == -by
    kept, parts = looked_at(after, told([before], after))
    texts = [line.text for line in kept]
    shown = [line for line in after.lines() if not line.text.startswith(("cut", "12:"))]
    new = abs(by) // PITCH + 2
    assert len(texts) >= len(shown) - 2 * new
    assert not any(text.startswith(("cut", "12:")) for text in texts), "what was cut is read again"
    assert sum(map(area, parts)) < WIDTH * HEIGHT


def test_an_earlier_window_is_known_when_it_comes_back() -> None:
    one, other = Desk(ROWS[:12]), Desk(ROWS[20:32])
    found = told([one, other], one)
    assert sorted(line.text for line in found.lines) == sorted(line.text for line in one.lines())
    assert not found.left.any()
    assert found.read is not None


def test_parts_of_several_earlier_screens_make_up_a_new_one() -> None:
    one, ticked = Desk(ROWS[:12], clock="12:00"), Desk(ROWS[20:32], clock="12:01")
    both = Desk(ROWS[:12], clock="12:01")
    found = told([one, ticked], both)
    assert {line.text for line in found.lines} == {line.text for line in both.lines()}
    assert not found.left.any()


def test_a_line_that_grew_is_read_whole() -> None:
    before, after = Desk(("Hello", "", "other")), Desk(("Hello world", "", "other"))
    kept, parts = looked_at(after, told([before], after))
    assert [line.text for line in kept] == ["12:00", "other"]
    assert any(inside(after.lines()[1].box, part) for part in parts)


def test_nothing_known_is_all_to_be_looked_at() -> None:
    desk = Desk(ROWS[:12])
    found = told([], desk)
    assert found.lines == []
    assert found.read is None
    assert found.left.all()
    assert looked_at(desk, found)[1] == [(0, 0, WIDTH, HEIGHT)]


def test_what_is_plain_is_not_looked_at() -> None:
    before, after = Desk(("alarm", "", "pump")), Desk(("alarm", "", ""))
    kept, parts = looked_at(after, told([before], after))
    assert [line.text for line in kept] == ["12:00", "alarm"]
    assert parts == []


def test_a_pattern_that_repeats_has_not_moved() -> None:
    stripes = np.tile(np.repeat(np.array([0, 255], np.uint8), 4), 64)[:, None].repeat(256, axis=1)
    assert distances(stripes, np.roll(stripes, 3, axis=0), np.ones_like(stripes, np.bool_)) == []


def test_a_narrow_screen_is_not_searched_for_moves() -> None:
    narrow = np.zeros((300, 40), np.uint8)
    assert distances(narrow, narrow, np.ones_like(narrow, np.bool_)) == []


@pytest.mark.parametrize("size", [(400, 640), (403, 631)])
def test_parts_lie_on_the_grid_and_on_the_screen(size: tuple[int, int]) -> None:
    height, width = size
    grey = np.random.default_rng(1).integers(0, 255, size, np.uint8)
    wanted = np.zeros(size, np.bool_)
    wanted[5:20, 10:60] = wanted[height - 9 :, width - 30 :] = True
    parts = regions.parts(grey, wanted)
    assert len(parts) == 2
    for left, top, right, bottom in parts:
        assert left % 32 == top % 32 == 0
        assert right <= width
        assert bottom <= height
        assert min(right - left, bottom - top) >= regions.LEAST_SIDE
