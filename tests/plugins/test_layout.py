"""Reading order: what belongs together stays together, whatever order the boxes come in."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentctx.plugins.screenshot.layout import reading_order, text_of
from agentctx.plugins.screenshot.ocr import Line

HEIGHT = 20
WIDTH = 10  # of a character


def line(text: str, x: int, y: int) -> Line:
    return Line(text, (x, y, x + WIDTH * len(text), y + HEIGHT), 0.9)


def column(texts: str, x: int, y: int, pitch: int) -> list[Line]:
    return [line(text, x, y + i * pitch) for i, text in enumerate(texts.split("|"))]


def read(lines: list[Line]) -> str:
    return text_of(reading_order(lines))


def test_nothing_has_no_text() -> None:
    assert read([]) == ""


def test_rows_go_from_left_to_right_and_down() -> None:
    assert read([line("world", 100, 3), line("again", 0, 24), line("hello", 0, 0)]) == (
        "hello world\nagain"
    )


def test_paragraphs_are_blocks() -> None:
    lines = column("one|two", 0, 0, 24) + column("three|four", 0, 80, 24)
    assert read(lines) == "one\ntwo\n\nthree\nfour"


def test_a_side_bar_is_read_before_the_page() -> None:
    side = column("Inbox|Drafts|Sent|Spam|Trash", 0, 60, 22)
    page = column("The quarterly report|is due on Friday and|needs the new figures", 200, 64, 25)
    blocks = [[row[0].text for row in block] for block in reading_order(side + page)]
    assert blocks == [[one.text for one in side], [one.text for one in page]]


def test_bars_above_and_below_do_not_mix_columns() -> None:
    bar = line("File  Edit  View  Tools  Window  Help and more", 0, 0)
    status = line("Ready, 3 of 3 documents, everything is saved", 0, 300)
    side = column("Inbox|Drafts|Sent|Spam|Trash", 0, 60, 22)
    page = column("The quarterly report|is due on Friday and|needs the new figures", 200, 64, 25)
    text = read([status, *page, *side, bar])
    order = [
        text.index(part) for part in ("File", "Inbox", "Trash", "The quart", "figures", "Ready")
    ]
    assert order == sorted(order)


@pytest.mark.parametrize("pitch", [24, 40])
def test_a_table_is_read_row_by_row(pitch: int) -> None:
    lines = (
        column("Service|api|worker|search", 0, 0, pitch)
        + column("Latency|412 ms|37 ms|90 ms", 200, 0, pitch)
        + column("Errors|3|0|12", 400, 0, pitch)
    )
    assert [row.split() for row in read(lines).split("\n") if row] == [
        ["Service", "Latency", "Errors"],
        ["api", "412", "ms", "3"],
        ["worker", "37", "ms", "0"],
        ["search", "90", "ms", "12"],
    ]


def test_a_wrapped_cell_is_read_before_the_next_cell() -> None:
    lines = [line("Notes", 0, 0), *column("restart the|worker after|the upgrade", 200, 0, 22)]
    assert read(lines) == "Notes\n\nrestart the\nworker after\nthe upgrade"


def test_a_value_at_the_end_of_a_wrapped_line_ends_its_row() -> None:
    lines = [*column("Storage for the team,|paid by the month", 0, 0, 22), line("12.50", 400, 0)]
    assert read(lines) == "Storage for the team, 12.50\npaid by the month"


def test_a_heading_beside_small_print_is_one_row() -> None:
    heading = Line("Total", (0, 0, 120, 48), 0.9)
    assert read([heading, line("incl. tax", 140, 12)]) == "Total incl. tax"


boxes = st.tuples(
    st.integers(0, 900), st.integers(0, 700), st.integers(1, 300), st.integers(1, 60)
).map(lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3]))
screens = st.lists(st.builds(Line, st.text("ab", min_size=1), boxes, st.just(0.9)), max_size=25)


@given(screens, st.randoms(use_true_random=False))
def test_the_order_of_detection_does_not_matter(lines: list[Line], chance: random.Random) -> None:
    shuffled = lines.copy()
    chance.shuffle(shuffled)
    assert read(shuffled) == read(lines)


@given(screens)
def test_every_line_is_read_once(lines: list[Line]) -> None:
    found = [one for block in reading_order(lines) for row in block for one in row]
    assert sorted(found, key=repr) == sorted(lines, key=repr)


def test_a_dense_screen_is_ordered_at_once() -> None:
    cells = [line(f"r{r}c{c}", c * 90, r * 24) for r in range(60) for c in range(20)]
    random.Random(7).shuffle(cells)
    rows = read(cells).split("\n")
    assert rows == [" ".join(f"r{r}c{c}" for c in range(20)) for r in range(60)]
