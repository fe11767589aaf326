"""The timeline as a PNG: its size, what is on it, and that words do not cover each other."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from itertools import combinations
from pathlib import Path
from typing import Any

import matplotlib.dates
import matplotlib.figure
import numpy as np
import pytest
from matplotlib.text import Text
from PIL import Image

from agentctx import Media, Observation
from agentctx.errors import ConfigError, MissingExtra, QueryError
from agentctx.timeline import draw

START = datetime(2026, 3, 14, 9, tzinfo=UTC)
WORDS = "Control room, I am standing next to pump Alpha, and it is shaking badly."


def said(seconds: float, text: str = WORDS, duration: float = 3.0) -> Observation:
    when = START + timedelta(seconds=seconds)
    return Observation(modality="speech", text=text, captured_at=when, duration=duration)


def window(minute: int, channel: str, unit: str = "bar", high: float = 3.0) -> Observation:
    return Observation(
        modality="sensor",
        captured_at=START + timedelta(minutes=minute),
        duration=60.0,
        attributes={"channel": channel, "unit": unit, "min": 1.0, "mean": 2.0, "max": high},
    )


def screen(seconds: float, colour: str) -> Observation:
    out = BytesIO()
    Image.new("RGB", (320, 200), colour).save(out, "PNG")
    return Observation(
        modality="screenshot",
        captured_at=START + timedelta(seconds=seconds),
        media=(Media.of_bytes("thumbnail", "image/png", out.getvalue()),),
    )


@pytest.fixture
def figure(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """The figures that were saved, to be asked what is on them."""
    saved: list[Any] = []
    save = matplotlib.figure.Figure.savefig

    def keep(self: Any, *args: Any, **known: Any) -> None:
        save(self, *args, **known)
        saved.append(self)

    monkeypatch.setattr(matplotlib.figure.Figure, "savefig", keep)
    yield saved
    for one in saved:
        one.clear()


def lane(figure: Any, name: str) -> Any:
    (found,) = [axes for axes in figure.axes if axes.get_ylabel().startswith(name)]
    return found


def words(figure: Any) -> list[Text]:
    return list(lane(figure, "speech").texts)


def pixels(png: Path) -> np.ndarray[Any, np.dtype[np.uint8]]:
    with Image.open(png) as image:
        assert image.format == "PNG"
        return np.asarray(image.convert("RGB"))


def test_the_picture_has_its_size_and_ink(tmp_path: Path) -> None:
    png = tmp_path / "timeline.png"
    draw([window(minute, "pressure") for minute in range(5)] + [said(30), screen(60, "red")], png)
    found = pixels(png)
    assert found.shape[1] == 1200
    heights = {"screenshot": 1.3, "speech": 1.0, "channel": 0.9, "margins": 0.8}
    assert found.shape[0] == round(sum(heights.values()) * 120)
    assert (found == 255).all(axis=2).mean() > 0.5
    for ink in [(255, 0, 0), (44, 160, 44), (255, 217, 183)]:  # screen, speech, channel
        near = np.abs(found.astype(int) - ink).max(axis=2) <= 2
        assert near.sum() > 300, ink


def test_the_width_can_be_chosen(tmp_path: Path) -> None:
    draw([said(0)], tmp_path / "narrow.png", width=5.0)
    assert pixels(tmp_path / "narrow.png").shape[1] == 600


def test_channels_keep_the_order_of_the_log(tmp_path: Path, figure: list[Any]) -> None:
    names = ["vibration", "bearing", "pressure", "current", "a"]
    draw([window(m, name) for m in range(3) for name in names], tmp_path / "a.png")
    assert [axes.get_ylabel() for axes in figure[0].axes] == [f"{name}\n[bar]" for name in names]


def test_a_spike_reaches_the_top_of_its_lane(tmp_path: Path, figure: list[Any]) -> None:
    quiet = [window(minute, "vibration") for minute in range(60)]
    draw([*quiet[:30], window(30, "vibration", high=13.4), *quiet[31:]], tmp_path / "a.png")
    assert lane(figure[0], "vibration").get_ylim()[1] >= 13.4


@pytest.mark.parametrize("gap", [0.0, 0.5, 4.0, 20.0, 100.0])
def test_words_do_not_cover_each_other(gap: float, tmp_path: Path, figure: list[Any]) -> None:
    draw([said(number * gap, f"{number}: {WORDS}") for number in range(12)], tmp_path / "a.png")
    boxes = [label.get_window_extent() for label in words(figure[0])]
    assert 4 <= len(boxes) <= 12
    for one, other in combinations(boxes, 2):
        assert not one.overlaps(other)


def test_words_stay_in_their_lane_and_in_the_picture(tmp_path: Path, figure: list[Any]) -> None:
    draw([*(said(n) for n in range(6)), said(1800), window(0, "b")], tmp_path / "a.png")
    frame = lane(figure[0], "speech").get_window_extent()
    shown = words(figure[0])
    assert len(shown) == 5
    for box in (label.get_window_extent() for label in shown):
        assert box.x0 >= frame.x0
        assert box.x1 <= frame.x1 + 1
        assert box.y0 >= frame.y0
        assert box.y1 <= frame.y1 + 1


def test_words_with_room_stand_above_their_bar(tmp_path: Path, figure: list[Any]) -> None:
    draw([said(0, "first"), said(600, "second"), said(900, "")], tmp_path / "a.png")
    first, second = words(figure[0])
    axes = lane(figure[0], "speech")
    for label, seconds in ((first, 0), (second, 600)):
        when = matplotlib.dates.date2num(START + timedelta(seconds=seconds))
        begin = axes.transData.transform((when, 0))[0]
        assert label.get_window_extent().x0 == pytest.approx(begin, abs=3)
    assert first.get_position()[1] == second.get_position()[1] > 1.0


def test_long_words_are_cut(tmp_path: Path, figure: list[Any]) -> None:
    draw([said(0), said(60, "Short.")], tmp_path / "a.png")
    long, short = (label.get_text() for label in words(figure[0]))
    assert long == WORDS[:41] + "…"
    assert short == "Short."


def test_dollars_are_no_mathematics(tmp_path: Path, figure: list[Any]) -> None:
    draw([said(0, r"from $5 to $\bad 6$"), window(0, "$x_1$", "$")], tmp_path / "a.png")
    assert [label.get_text() for label in words(figure[0])] == [r"from $5 to $\bad 6$"]


def test_silence_has_a_bar_and_no_words(tmp_path: Path, figure: list[Any]) -> None:
    draw([said(0, "", 60.0)], tmp_path / "a.png")
    assert words(figure[0]) == []
    assert (pixels(tmp_path / "a.png") == (44, 160, 44)).all(axis=2).sum() > 1000


def test_a_screen_without_a_thumbnail_is_a_line(tmp_path: Path) -> None:
    bare = Observation(modality="screenshot", captured_at=START)
    draw([bare, said(60)], tmp_path / "a.png")
    assert (pixels(tmp_path / "a.png") == (23, 190, 207)).all(axis=2).any()


def test_another_modality_has_spans(tmp_path: Path, figure: list[Any]) -> None:
    heat = Observation(modality="thermal", captured_at=START, duration=60.0)
    draw([heat, Observation(text="note", captured_at=START)], tmp_path / "a.png")
    assert [axes.get_ylabel() for axes in figure[0].axes] == ["text", "thermal"]


def test_nothing_to_draw(tmp_path: Path) -> None:
    with pytest.raises(QueryError, match="nothing to draw"):
        draw([], tmp_path / "a.png")
    assert not list(tmp_path.iterdir())


def test_too_many_lanes(tmp_path: Path) -> None:
    with pytest.raises(QueryError, match="201 lanes are too many"):
        draw([window(0, f"channel {number}") for number in range(201)], tmp_path / "a.png")


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    png = tmp_path / "absent" / "a.png"
    with pytest.raises(ConfigError, match=r"a\.png cannot be written: No such file") as raised:
        draw([said(0)], png)
    assert isinstance(raised.value.__cause__, OSError)


@pytest.mark.parametrize("module", ["matplotlib", "matplotlib.figure"])
def test_without_matplotlib_the_extra_is_named(
    module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtra, match=r"pip install 'agentctx\[plot\]'"):
        draw([said(0)], tmp_path / "a.png")
