"""Timelines as pictures: lanes in the terminal, and a PNG (extra ``plot``)."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentctx.errors import ConfigError, QueryError
from agentctx.extras import require
from agentctx.records import Observation
from agentctx.render import COLOURS

if TYPE_CHECKING:
    from rich.text import Text

_BLOCKS = "▁▂▃▄▅▆▇█"
_MARKS = {"screenshot": "▣", "picture": "▨", "speech": "━", "text": "•"}
_OTHER = "■"
_LABEL = 22
# What a window of a channel has; other observations of a sensor are drawn like any other.
_STATISTICS = ("min", "mean", "max")
# Matplotlib draws no picture higher than 65,535 dots.
_MOST_LANES = 200
_DOTS = 120
# Matplotlib's names for the colours of `COLOURS`, darker, since paper is white.
_INK = {"text": "0.3", "screenshot": "tab:cyan", "speech": "tab:green", "sensor": "tab:orange",
        "picture": "tab:blue"}  # fmt: skip


def chart(observations: Sequence[Observation], width: int = 80) -> "Text":
    """Lanes for a terminal: a mark for each screen, a bar for speech, a curve for each channel."""
    from rich.text import Text

    start, end = _span(observations)
    columns = max(width - _LABEL, 10)
    step = (end - start) / columns

    def column(when: datetime) -> int:
        return min(int((when - start) / step), columns - 1)

    text = Text()
    for (kind, name), lane in _lanes(observations).items():
        cells = [" "] * columns
        if kind == "channel":
            _curve(cells, lane, column)
        else:
            for one in lane:
                for at in range(column(one.captured_at), column(one.ended_at) + 1):
                    cells[at] = _MARKS.get(kind, _OTHER)
        text.append(f"{name[: _LABEL - 2]:<{_LABEL}}")
        text.append("".join(cells).rstrip() + "\n", COLOURS.get(lane[0].modality, "magenta"))
    left, right = f"{start:%H:%M:%S}", f"{end:%H:%M:%S} UTC"
    text.append(f"{start:%Y-%m-%d}".ljust(_LABEL), "dim")
    text.append(left + right.rjust(columns - len(left)) + "\n", "dim")
    return text


def draw(observations: Sequence[Observation], png: Path, width: float = 10.0) -> None:
    """The same lanes as a PNG: thumbnails of screens, words of speech, channels with their units.

    ``width`` is in inches, at 120 dots each. Raises MissingExtra without matplotlib, QueryError
    when there is nothing to draw or too much, ConfigError when ``png`` cannot be written.
    """
    # Not pyplot: no window system, no global state.
    figures = require("matplotlib.figure", extra="plot")
    agg = require("matplotlib.backends.backend_agg", extra="plot")
    lanes = _lanes(observations)
    if len(lanes) > _MOST_LANES:
        raise QueryError(
            f"{len(lanes)} lanes are too many for one picture, which holds {_MOST_LANES}; choose "
            "a modality, session or source"
        )
    heights = [_HEIGHTS.get(kind, 0.5) for kind, _ in lanes]
    size = (width, sum(heights) + 0.8)
    figure = figures.Figure(figsize=size, dpi=_DOTS, layout="constrained")
    agg.FigureCanvasAgg(figure)
    grid = figure.subplots(len(lanes), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
    for axes, ((kind, name), lane) in zip(grid, lanes.items(), strict=True):
        label = name.replace(" [", "\n[")
        axes.set_ylabel(label, rotation=0, ha="right", va="center", fontsize=8, parse_math=False)
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=7)
        _DRAW.get(kind, _draw_spans)(axes, lane)
    _set_time_axis(grid[-1], *_span(observations))
    figure.draw_without_rendering()  # lays out the lanes: how wide is a second?
    for axes, ((kind, _), lane) in zip(grid, lanes.items(), strict=True):
        if kind == "speech":
            _write_words(axes, lane)
    try:
        figure.savefig(png, format="png")
    except OSError as error:
        raise ConfigError(f"{png} cannot be written: {error.strerror}") from error


def _set_time_axis(axes: Any, start: datetime, end: datetime) -> None:  # noqa: ANN401
    dates = require("matplotlib.dates", extra="plot")
    margin = (end - start) * 0.02
    axes.set_xlim(start - margin, end + margin)
    locator = dates.AutoDateLocator()
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator))


_HEIGHTS = {"screenshot": 1.3, "picture": 1.3, "speech": 1.0, "channel": 0.9}


def _draw_screens(axes: Any, lane: Sequence[Observation]) -> None:  # noqa: ANN401
    boxes = require("matplotlib.offsetbox", extra="plot")
    pictures = require("PIL.Image", extra="screen")
    axes.set_ylim(0, 2)
    axes.set_yticks([])
    for number, one in enumerate(lane):
        axes.axvline(one.captured_at, color=_INK[one.modality], linewidth=0.8)
        thumbnail = one.find_media("thumbnail")
        if thumbnail is None:
            continue
        with pictures.open(BytesIO(thumbnail.read())) as picture:
            box = boxes.OffsetImage(picture.convert("RGB"), zoom=72 / max(picture.size))
        # Two rows, so that neighbours do not cover each other.
        place = (one.captured_at, 0.5 + number % 2)
        axes.add_artist(boxes.AnnotationBbox(box, place, frameon=True, pad=0.1))


_ROWS = 4
_ROW = 0.45  # of the height of a bar
_GAP = 8.0  # dots


def _draw_speech(axes: Any, lane: Sequence[Observation]) -> None:  # noqa: ANN401
    _draw_spans(axes, lane)
    axes.set_ylim(0, 1.1 + _ROWS * _ROW)


def _write_words(axes: Any, lane: Sequence[Observation]) -> None:  # noqa: ANN401
    """Words above their bars, each in the lowest row that is free there; the others are left out.

    What would leave the picture on the right is moved to the left.
    """
    dates = require("matplotlib.dates", extra="plot")
    frame = axes.get_window_extent()
    taken = [float(frame.x0)] * _ROWS
    for one in lane:
        words = one.text if len(one.text) <= 42 else one.text[:41] + "…"
        label = axes.text(0, 0, words, fontsize=6, va="bottom", parse_math=False, in_layout=False)
        length = label.get_window_extent().width
        begin = axes.transData.transform((dates.date2num(one.captured_at), 0))[0]
        left = min(begin, frame.x1 - length)
        row = next((row for row, end in enumerate(taken) if end <= left), None)
        if row is None or not words:
            label.remove()
            continue
        taken[row] = left + length + _GAP
        label.set_position((axes.transData.inverted().transform((left, 0))[0], 1.1 + row * _ROW))


def _draw_spans(axes: Any, lane: Sequence[Observation]) -> None:  # noqa: ANN401
    axes.set_yticks([])
    for one in lane:
        length = max(one.duration, 1.0)
        ink = _INK.get(one.modality, "tab:purple")
        axes.broken_barh([(one.captured_at, timedelta(seconds=length))], (0, 1), color=ink)


def _draw_channel(axes: Any, lane: Sequence[Observation]) -> None:  # noqa: ANN401
    times = [one.captured_at + (one.ended_at - one.captured_at) / 2 for one in lane]
    values = {name: [_number(one, name) for one in lane] for name in _STATISTICS}
    axes.fill_between(times, values["min"], values["max"], color=_INK["sensor"], alpha=0.3)
    axes.plot(times, values["mean"], color=_INK["sensor"], linewidth=1)


_DRAW = {
    "screenshot": _draw_screens,
    "picture": _draw_screens,
    "speech": _draw_speech,
    "channel": _draw_channel,
}


def _span(observations: Sequence[Observation]) -> tuple[datetime, datetime]:
    if not observations:
        raise QueryError("there is nothing to draw in this span")
    start = min(one.captured_at for one in observations)
    end = max(one.ended_at for one in observations)
    return start, max(end, start + timedelta(seconds=1))


def _lanes(observations: Sequence[Observation]) -> Mapping[tuple[str, str], list[Observation]]:
    """Lanes by kind (``channel``, or the modality) and name; channels as the log orders them."""
    lanes: dict[tuple[str, str], list[Observation]] = {}
    order = {modality: place for place, modality in enumerate(COLOURS)}
    for one in sorted(observations, key=lambda o: (order.get(o.modality, 99), o.captured_at)):
        known = one.attributes
        if one.modality == "sensor" and {"channel", "event"} <= known.keys():
            continue  # of a channel; its window shows it
        key = one.modality, one.modality
        numbers = all(isinstance(known.get(name), int | float) for name in _STATISTICS)
        if one.modality == "sensor" and "channel" in known and numbers:
            unit = f" [{known['unit']}]" if known.get("unit") else ""
            key = "channel", f"{known['channel']}{unit}"
        lanes.setdefault(key, []).append(one)
    if not lanes:
        raise QueryError("there is nothing to draw in this span")
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
