"""Screens in a row, read by the real engine: as if each were read alone, and at a small cost."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

from agentctx.config import Config
from agentctx.contracts import Source
from agentctx.plugins.screenshot import Screenshot
from agentctx.plugins.screenshot.frames import Read, Recent, Screen
from agentctx.plugins.screenshot.ocr import Line, Ocr, Pixels, Quad, shared
from agentctx.plugins.screenshot.reading import Reading, read
from agentctx.records import Observation
from agentctx.services import SharedServices

WIDTH, HEIGHT, BAR, PITCH = 480, 320, 40, 34
FONT = ImageFont.truetype("DejaVuSans.ttf", 17)
ROWS = ("Invoice 4711 is overdue", "Payment gateway timeout", "Pump 3 was restarted",
        "Backup finished at noon", "Ticket 8812 is open", "The north gate is closed",
        "Queue holds 17 jobs", "Server 14 needs approval", "Parcel scanner is offline",
        "Release notes for Friday", "Cooling loop passed its check", "Meeting moved to room 9",
        "Label printer out of paper", "Order 5530 was shipped", "Alarm in hall 2")  # fmt: skip


def desk(rows: Sequence[str], clock: str = "12:00", scroll: int = 0) -> Image.Image:
    """A clock above a page of rows, scrolled by so many pixels."""
    page = Image.new("RGB", (WIDTH, PITCH * len(rows) + HEIGHT), "white")
    for number, text in enumerate(rows):
        ImageDraw.Draw(page).text((30, PITCH * number + 24), text, "black", FONT)
    image = Image.new("RGB", (WIDTH, HEIGHT), "#22303f")
    ImageDraw.Draw(image).text((400, 9), clock, "white", FONT)
    image.paste(page.crop((0, scroll, WIDTH, scroll + HEIGHT - BAR)), (0, BAR))
    return image


class Counted:
    """The engine, with the pixels it looks at and the lines it reads counted."""

    def __init__(self, engine: Ocr) -> None:
        self._engine = engine
        self.pixels = self.lines = 0

    def detect(self, pixels: Pixels, *rest: Any) -> list[Quad]:
        self.pixels += pixels.shape[0] * pixels.shape[1]
        return self._engine.detect(pixels, *rest)

    def recognise(self, pixels: Pixels, quads: Sequence[Quad], *rest: Any) -> list[Line]:
        self.lines += len(quads)
        return self._engine.recognise(pixels, quads, *rest)


class Stream:
    """Screens read one after the other."""

    def __init__(self, engine: Ocr) -> None:
        self.engine = Counted(engine)
        self.recent = Recent()

    def read(self, image: Image.Image, *, lossy: bool = False) -> Reading:
        screen = Screen.of(image, lossy=lossy)
        found = read(image, screen, self.recent, lambda: self.engine)  # type: ignore[arg-type, return-value]
        if not found.same:
            self.recent.add(Read(screen, tuple(found.lines), "", (), found.view, found.parts))
        return found

    def texts(self, image: Image.Image, **how: bool) -> list[str]:
        """Its lines from top to bottom, but the clock first."""
        lines = self.read(image, **how).lines
        clock = [line.text for line in lines if line.box[1] < BAR / 2]
        rest = sorted((line.box[1], line.text) for line in lines if line.box[1] >= BAR / 2)
        return [*clock, *(text for _, text in rest)]


@pytest.fixture(scope="module")
def engine() -> Ocr:
    return shared(SharedServices(Config()).weights.find("ppocr-v6-small"))


@pytest.fixture
def stream(engine: Ocr) -> Stream:
    return Stream(engine)


def test_an_unchanged_screen_asks_nothing_of_the_engine(stream: Stream) -> None:
    first = stream.read(desk(ROWS[:5]))
    stream.read(desk(ROWS[5:10]))
    asked = stream.engine.pixels, stream.engine.lines
    again = stream.read(desk(ROWS[:5]))
    assert again.same is not None
    assert again.lines == tuple(first.lines)
    assert (stream.engine.pixels, stream.engine.lines) == asked


@pytest.mark.parametrize("lossy", [False, True])
def test_a_clock_that_ticks_costs_a_part_and_a_line(stream: Stream, lossy: bool) -> None:
    def shown(clock: str) -> Image.Image:
        if not lossy:
            return desk(ROWS[:7], clock)
        out = BytesIO()
        desk(ROWS[:7], clock).save(out, "JPEG", quality=90)
        return Image.open(out).convert("RGB")

    stream.read(shown("12:00"), lossy=lossy)
    whole = stream.engine.pixels, stream.engine.lines
    assert stream.texts(shown("12:07"), lossy=lossy) == ["12:07", *ROWS[:7]]
    assert stream.engine.pixels - whole[0] < 0.2 * WIDTH * HEIGHT
    assert stream.engine.lines - whole[1] == 1


def test_a_page_that_is_scrolled_costs_what_came_into_sight(stream: Stream) -> None:
    stream.read(desk(ROWS, scroll=20))
    before = stream.engine.lines
    assert stream.texts(desk(ROWS, scroll=20 + 2 * PITCH)) == ["12:00", *ROWS[2:10]]
    assert stream.engine.lines - before <= 4


def test_a_window_that_comes_back_costs_nothing_but_what_changed(stream: Stream) -> None:
    for clock, rows in (("12:01", ROWS[:7]), ("12:02", ROWS[7:14])):
        stream.read(desk(rows, clock))
    before = stream.engine.lines
    assert stream.texts(desk(ROWS[:7], "12:03")) == ["12:03", *ROWS[:7]]
    assert stream.engine.lines - before == 1


def test_what_a_dialog_hid_is_there_again(stream: Stream) -> None:
    page, asked = desk(ROWS[:7]), desk(ROWS[:7])
    asked.paste(desk(["Replace it?"], "").crop((0, BAR, 240, BAR + 90)), (150, 120))
    stream.read(page)
    assert "Replace it?" in stream.texts(asked)
    assert "Replace it?" not in stream.texts(desk(ROWS[:7], "12:01"))
    assert stream.texts(desk(ROWS[:7], "12:02")) == ["12:02", *ROWS[:7]]


def test_what_is_typed_is_read_as_one_line(stream: Stream) -> None:
    line = "The pump was restarted twice"
    for end in range(9, len(line) + 1, 6):
        assert stream.texts(desk([*ROWS[:3], line[:end].strip()]))[-1] == line[:end].strip()


def test_text_that_goes_is_gone(stream: Stream) -> None:
    stream.read(desk(ROWS[:6]))
    rows = [*ROWS[:2], "", *ROWS[3:6]]
    assert stream.texts(desk(rows)) == ["12:00", *filter(None, rows)]


def test_after_many_screens_in_parts_one_is_read_whole(stream: Stream) -> None:
    stream.read(desk(ROWS[:5]))
    (first,) = stream.recent.like(Screen.of(desk(ROWS[:5]), lossy=False))
    stream.recent = Recent()
    stream.recent.add(Read(first.screen, first.lines, "", parts=100))
    before = stream.engine.pixels
    found = stream.read(desk(ROWS[:5], "12:01"))
    assert stream.engine.pixels - before == WIDTH * HEIGHT
    assert found.parts == 0
    assert stream.read(desk(ROWS[:5], "12:02")).parts == 1


numbers = st.lists(st.integers(10, 9999), min_size=2, max_size=2)


@settings(
    max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(numbers=numbers, at=st.integers(0, 5), data=st.data())
def test_a_number_that_changes_is_read_each_time(
    engine: Ocr, numbers: list[int], at: int, data: st.DataObject
) -> None:
    stream = Stream(engine)
    scroll = 0
    for number in numbers:
        rows = [*ROWS[:at], f"Orders today: {number}", *ROWS[at:6]]
        scroll = data.draw(st.sampled_from((scroll, 10, 27)))
        texts = stream.texts(desk(rows, scroll=scroll))
        assert texts == Stream(engine).texts(desk(rows, scroll=scroll))
        assert f"Orders today: {number}" in texts


# -- through the plugin ---------------------------------------------------------------------------


Save = Callable[[Image.Image, str], Path]


@pytest.fixture
def save(tmp_path: Path) -> Save:
    def save(image: Image.Image, name: str) -> Path:
        image.save(tmp_path / name)
        return tmp_path / name

    return save


def observed(plugin: Screenshot, path: Path) -> Observation:
    (found,) = plugin.observe(Source(path, path.read_bytes()[:4096]))
    return found


def test_an_unchanged_screen_has_the_media_of_the_first(save: Save) -> None:
    plugin = Screenshot(SharedServices(Config()))
    page = desk(ROWS[:4])
    one, changed, other = (
        observed(plugin, save(image, f"{n}.png"))
        for n, image in enumerate((page, desk(ROWS[:4], "12:01"), page))
    )
    assert other.attributes["same_as"] == one.id
    assert [m.digest for m in other.media] == [m.digest for m in one.media]
    assert "same_as" not in changed.attributes
    assert {m.digest for m in changed.media}.isdisjoint(m.digest for m in one.media)


def test_threads_may_share_a_stream(save: Save) -> None:
    plugin = Screenshot(SharedServices(Config()))
    paths = [save(desk([*ROWS[:4], f"Ticket {n}"]), f"{n}.png") for n in range(310, 315)]
    with ThreadPoolExecutor(4) as pool:
        texts = pool.map(lambda path: observed(plugin, path).text, paths)
    for n, text in zip(range(310, 315), texts, strict=True):
        assert sorted(text.split()) == sorted(" ".join(["12:00", *ROWS[:4], f"Ticket {n}"]).split())
