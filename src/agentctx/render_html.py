"""Hits, moments and contexts as HTML for notebooks; nothing in a record can become markup.

Imported by the records themselves, at first use, so it knows them by their shape only.
"""

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from html import escape
from pathlib import PurePath
from typing import Any, Protocol

_COLOURS = {"text": "#555", "screenshot": "#0e8aa0", "speech": "#2b8a3e", "sensor": "#c77700",
            "picture": "#1c6dd0"}  # fmt: skip
_OTHER = "#8e24aa"
# What a browser shows, and can do nothing else with.
_PICTURES = frozenset({"image/jpeg", "image/png", "image/webp"})
_WIDTH, _HEIGHT = 160, 28
_PREVIEW = 240
_SHORT_ID = 10
_MOST_PEAKS = 200


class Bytes(Protocol):
    """What is needed of a `Media`."""

    @property
    def mime(self) -> str:
        """Its type."""

    def read(self) -> bytes:
        """Its bytes."""


class Seen(Protocol):
    """What is needed of an `Observation`."""

    @property
    def id(self) -> str: ...  # noqa: D102
    @property
    def modality(self) -> str: ...  # noqa: D102
    @property
    def text(self) -> str: ...  # noqa: D102
    @property
    def captured_at(self) -> datetime: ...  # noqa: D102
    @property
    def source(self) -> str: ...  # noqa: D102
    @property
    def attributes(self) -> Mapping[str, Any]: ...  # noqa: D102
    def find_media(self, kind: str) -> Bytes | None: ...  # noqa: D102


def hit(one: Seen, score: float, passage: str) -> str:
    """A hit: what and when, the passage that matched, its thumbnail, waveform or curve."""
    head = f"{score:.2f} · {_label(one)}"
    return _box(one, head, passage or one.text, [_look([one])])


def moment(start: datetime, end: datetime, hits: Sequence[Seen], others: Sequence[Seen]) -> str:
    """A moment by time: what matched in bold, the pictures, and a curve for each channel."""
    matched = {one.id for one in hits}
    everything = sorted([*hits, *others], key=lambda one: (one.captured_at, one.id))
    rows = "".join(_row(one, matched=one.id in matched) for one in everything)
    title = f"<b>{start:%Y-%m-%d %H:%M:%S} to {end:%H:%M:%S} UTC</b>"
    return f"<div>{title}<table>{rows}</table>{_look(everything)}</div>"


def context(text: str, tokens: int, cited: Sequence[tuple[str, Seen]]) -> str:
    """A context: the text as the agent gets it, and the pictures of what it cites, by mark."""
    marks = "".join(
        f"<li>[{escape(mark)}] {_label(one)} {_look([one])}</li>" for mark, one in cited
    )
    words = f'<pre style="white-space:pre-wrap">{_bare(text)}</pre>'
    return f"<details open><summary>{tokens} tokens</summary>{words}</details><ul>{marks}</ul>"


def _box(one: Seen, head: str, words: str, looks: Iterable[str]) -> str:
    edge = f"border-left:4px solid {_COLOURS.get(one.modality, _OTHER)};padding-left:8px"
    return f'<div style="{edge}"><div>{head}</div>{_words(words)}{"".join(looks)}</div>'


def _row(one: Seen, *, matched: bool) -> str:
    weight = "bold" if matched else "normal"
    colour = _COLOURS.get(one.modality, _OTHER)
    cells = (
        f"<td>{one.captured_at:%H:%M:%S}</td>",
        f'<td style="color:{colour}">{_bare(one.modality)}</td>',
        f'<td style="text-align:left;font-weight:{weight}">{_words(one.text)}</td>',
    )
    return f"<tr>{''.join(cells)}</tr>"


def _label(one: Seen) -> str:
    name = PurePath(one.source).name or one.source
    when = f"{one.captured_at:%Y-%m-%d %H:%M:%S} UTC"
    return f"{_bare(one.modality)} · {when} · {_bare(name)} · {escape(one.id[:_SHORT_ID])}"


def _words(text: str) -> str:
    line = " ".join(text.split())
    return _bare(line if len(line) <= _PREVIEW else line[: _PREVIEW - 1] + "…")


def _bare(text: str) -> str:
    # Isolated: a sign that turns the direction of writing must not turn what follows it.
    return f"<bdi>{escape(text)}</bdi>"


def _look(seen: Sequence[Seen]) -> str:
    """Thumbnails, waveforms, and a curve for each sensor channel among what is given."""
    pictures = (one.find_media("thumbnail") for one in seen)
    shown = [_picture(one) for one in pictures if one is not None and one.mime in _PICTURES]
    channels: dict[str, list[Seen]] = {}
    for one in seen:
        if {"channel", "shape", "mean", "std"} <= one.attributes.keys():
            channels.setdefault(str(one.attributes["channel"]), []).append(one)
    waves = [one.find_media("waveform") for one in seen]
    heard = [_wave(_peaks(one.read())) for one in waves if one is not None]
    curves = (_curve(name, windows) for name, windows in channels.items())
    return "".join([*shown, *heard, *curves])


def _picture(picture: Bytes) -> str:
    data = base64.b64encode(picture.read()).decode("ascii")
    style = "max-width:240px;max-height:160px;margin:4px"
    return f'<img style="{style}" src="data:{picture.mime};base64,{data}">'


def _peaks(packed: bytes) -> list[float]:
    """The numbers of a waveform; none of one that is no list of numbers."""
    try:
        given = json.loads(packed)
    except (ValueError, RecursionError):
        return []
    numbers = given[:_MOST_PEAKS] if isinstance(given, list) else []
    return [min(max(float(n), 0.0), 100.0) for n in numbers if isinstance(n, int | float)]


def _wave(peaks: Sequence[float]) -> str:
    """An utterance as it sounded: its peaks, in percent of full scale, above and below a line."""
    across, middle = _WIDTH / max(len(peaks), 1), _HEIGHT / 2
    bars = "".join(
        f"M{(place + 0.5) * across:.1f},{middle - up:.1f}v{2 * up:.1f}"
        for place, up in enumerate(middle * one / 100 for one in peaks)
    )
    size = f'width="{_WIDTH}" height="{_HEIGHT}"'
    line = f'<path stroke="{_COLOURS["speech"]}" stroke-width="{across * 0.6:.1f}" d="{bars}"/>'
    return f'<div><svg {size} viewBox="0 0 {_WIDTH} {_HEIGHT}">{line}</svg></div>'


def _curve(name: str, windows: Sequence[Seen]) -> str:
    """The course of a channel: sixteen points for each window, as the memory keeps them."""
    values = [
        float(one.attributes["mean"]) + float(point) * float(one.attributes["std"])
        for one in windows
        for point in one.attributes["shape"]
    ]
    low, high = min(values), max(values)
    across, up = _WIDTH / max(len(values) - 1, 1), _HEIGHT / ((high - low) or 1.0)
    points = " ".join(
        f"{place * across:.1f},{_HEIGHT - (value - low) * up:.1f}"
        for place, value in enumerate(values)
    )
    unit = windows[0].attributes.get("unit", "")
    size = f'width="{_WIDTH}" height="{_HEIGHT}"'
    line = f'<polyline fill="none" stroke="{_COLOURS["sensor"]}" points="{points}"/>'
    told = f"{_bare(name)} {low:.4g} to {high:.4g} {_bare(str(unit))}"
    return f'<div><svg {size} viewBox="0 -2 {_WIDTH} {_HEIGHT + 4}">{line}</svg> {told}</div>'
