"""Timelines as pictures: lanes in the terminal, and a PNG (extra ``plot``)."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentctx.errors import QueryError
from agentctx.extras import require
from agentctx.records import Observation
from agentctx.render import COLOURS

if TYPE_CHECKING:
    from rich.text import Text

_BLOCKS = "▁▂▃▄▅▆▇█"
_MARKS = {"screenshot": "▣", "speech": "━", "text": "•"}
_OTHER = "■"
_LABEL = 22
# Matplotlib's names for the colours of `COLOURS`, darker, since paper is white.
_INK = {"text": "0.3", "screenshot": "tab:cyan", "speech": "tab:green", "sensor": "tab:orange"}


def chart(observations: Sequence[Observation], width: int = 80) -> "Text":
    """Lanes for a terminal: a mark for each screen, a bar for speech, a curve for each channel."""
    from rich.text import Text

    start, end = _span(observations)
    columns = max(width - _LABEL, 10)
    step = (end - start) / columns

    def column(when: datetime) -> int:
        return min(int((when - start) / step), columns - 1)

    text = Text()
    for name, lane in _lanes(observations).items():
        modality = lane[0].modality
        cells = [" "] * columns
        if modality == "sensor":
            _curve(cells, lane, column)
        else:
            for one in lane:
                for at in range(column(one.captured_at), column(one.ended_at) + 1):
                    cells[at] = _MARKS.get(modality, _OTHER)
        text.append(f"{name[: _LABEL - 2]:<{_LABEL}}")
        text.append("".join(cells).rstrip() + "\n", COLOURS.get(modality, "magenta"))
    left, right = f"{start:%H:%M:%S}", f"{end:%H:%M:%S} UTC"
    text.append(f"{start:%Y-%m-%d}".ljust(_LABEL), "dim")
    text.append(left + right.rjust(columns - len(left)) + "\n", "dim")
    return text


def draw(observations: Sequence[Observation], png: Path, width: float = 10.0) -> None:
    """The same lanes as a PNG: thumbnails of screens, words of speech, channels with their units.

    Raises MissingExtra without matplotlib. ``width`` is in inches, at 120 dots each.
    """
    # Not pyplot: no window system, no global state.
    dates = require("matplotlib.dates", extra="plot")
    figures = require("matplotlib.figure", extra="plot")
    agg = require("matplotlib.backends.backend_agg", extra="plot")
    start, end = _span(observations)
    lanes = _lanes(observations)
    heights = [_HEIGHTS.get(lane[0].modality, 0.5) for lane in lanes.values()]
    figure = figures.Figure(figsize=(width, sum(heights) + 0.8), dpi=120, layout="constrained")
    agg.FigureCanvasAgg(figure)
    grid = figure.subplots(len(lanes), 1, sharex=True, squeeze=False, height_ratios=heights)
    for axes, (name, lane) in zip(grid[:, 0], lanes.items(), strict=True):
        axes.set_ylabel(name.replace(" [", "\n["), rotation=0, ha="right", va="center", fontsize=8)
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=7)
        _DRAW.get(lane[0].modality, _draw_spans)(axes, lane)
    last = grid[-1, 0]
    margin = (end - start) * 0.02
    last.set_xlim(start - margin, end + margin)
    locator: Any = dates.AutoDateLocator()
    last.xaxis.set_major_locator(locator)
    last.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator))
    figure.savefig(png, format="png")


_HEIGHTS = {"screenshot": 1.3, "speech": 0.7, "sensor": 0.9}


def _draw_screens(axes: Any, lane: Sequence[Observation]) -> None:  # noqa: ANN401
    boxes = require("matplotlib.offsetbox", extra="plot")
    pictures = require("PIL.Image", extra="screen")
    axes.set_ylim(0, 2)
    axes.set_yticks([])
    for number, one in enumerate(lane):
        axes.axvline(one.captured_at, color=_INK["screenshot"], linewidth=0.8)
        thumbnail = one.find_media("thumbnail")
        if thumbnail is None:
            continue
        with pictures.open(BytesIO(thumbnail.read())) as picture:
            box = boxes.OffsetImage(picture.convert("RGB"), zoom=72 / max(picture.size))
        # Two rows, so that neighbours do not cover each other.
        place = (one.captured_at, 0.5 + number % 2)
        axes.add_artist(boxes.AnnotationBbox(box, place, frameon=True, pad=0.1))


def _draw_speech(axes: Any, lane: Sequence[Observation]) -> None:  # noqa: ANN401
    _draw_spans(axes, lane)
    for number, one in enumerate(lane):
        words = one.text if len(one.text) <= 42 else one.text[:41] + "…"
        height = (0.05, 0.35, 0.65)[number % 3]
        axes.text(one.captured_at, 1.1 + height, words, fontsize=6, va="bottom", clip_on=False)
    axes.set_ylim(0, 2.2)


def _draw_spans(axes: Any, lane: Sequence[Observation]) -> None:  # noqa: ANN401
    axes.set_yticks([])
    for one in lane:
        length = max(one.duration, 1.0)
        ink = _INK.get(one.modality, "tab:purple")
        axes.broken_barh([(one.captured_at, timedelta(seconds=length))], (0, 1), color=ink)


def _draw_channel(axes: Any, lane: Sequence[Observation]) -> None:  # noqa: ANN401
    times = [one.captured_at + (one.ended_at - one.captured_at) / 2 for one in lane]
    values = {name: [_number(one, name) for one in lane] for name in ("min", "mean", "max")}
    axes.fill_between(times, values["min"], values["max"], color=_INK["sensor"], alpha=0.3)
    axes.plot(times, values["mean"], color=_INK["sensor"], linewidth=1)


_DRAW = {"screenshot": _draw_screens, "speech": _draw_speech, "sensor": _draw_channel}


def _span(observations: Sequence[Observation]) -> tuple[datetime, datetime]:
    if not observations:
        raise QueryError("there is nothing to draw in this span")
    start = min(one.captured_at for one in observations)
    end = max(one.ended_at for one in observations)
    return start, max(end, start + timedelta(seconds=1))


def _lanes(observations: Sequence[Observation]) -> Mapping[str, list[Observation]]:
    lanes: dict[str, list[Observation]] = {}
    order = {modality: place for place, modality in enumerate(COLOURS)}
    known = sorted(observations, key=lambda o: (order.get(o.modality, 99), o.captured_at, o.id))
    for one in known:
        if one.modality == "sensor":
            if "mean" not in one.attributes:
                continue  # an event of a channel; its window shows it
            unit = one.attributes.get("unit")
            name = f"{one.attributes['channel']}" + (f" [{unit}]" if unit else "")
        else:
            name = one.modality
        lanes.setdefault(name, []).append(one)
    return lanes


def _curve(cells: list[str], lane: Sequence[Observation], column: Any) -> None:  # noqa: ANN401
    # The highest of each column: a spike must not vanish in a mean.
    low = min(_number(one, "min") for one in lane)
    high = max(_number(one, "max") for one in lane)
    tops: dict[int, float] = {}
    for one in lane:
        for at in range(column(one.captured_at), column(one.ended_at) + 1):
            tops[at] = max(tops.get(at, low), _number(one, "max"))
    for at, top in tops.items():
        share = (top - low) / (high - low) if high > low else 0.0
        cells[at] = _BLOCKS[round(share * (len(_BLOCKS) - 1))]


def _number(observation: Observation, name: str) -> float:
    value = observation.attributes[name]
    assert isinstance(value, int | float)
    return float(value)
