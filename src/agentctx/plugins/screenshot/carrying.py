"""What earlier screens tell of a new one: the lines that are still there, and what is left to read.

Every line is carried over by its pixels: all those in its box are what they were when it was read,
at the same place or, where the screen was scrolled, moved up or down. And every other pixel of the
new screen is either that of an earlier one where no line was, or left to be read.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from agentctx.plugins.screenshot import scrolling
from agentctx.plugins.screenshot.boxes import Box, area, core, cut, moved, overlap, shared
from agentctx.plugins.screenshot.frames import Read, Screen, changed
from agentctx.plugins.screenshot.ocr import Line

Mask = NDArray[np.bool_]

_SCROLLED = 2  # how many of the latest screens may be the ones that were scrolled
_APART = 0.3  # of the smaller box, in which lines next to each other may overlap
_WITHIN = 0.8  # of a box, that makes it a part of another


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """Lines carried over, and the pixels [height, width] that no earlier screen accounts for.

    ``read``: the screen that most of the lines are from; None if there are none.
    """

    lines: list[Line]
    left: Mask
    read: Read | None


@dataclass(frozen=True, slots=True, eq=False)
class _Laid:
    """An earlier screen laid over the new one, moved down; ``agree``: where its pixels are."""

    read: Read
    down: int
    agree: Mask


def known(screen: Screen, earlier: Sequence[Read]) -> Known:
    """What those earlier screens, of the same size and the latest first, tell of a screen."""
    left = np.ones(screen.grey.shape, np.bool_)
    lines: list[Line] = []
    most: tuple[int, Read | None] = 0, None
    for laid in _laid(screen, earlier, left):
        count = len(lines)
        _carry(laid, left, lines)
        if len(lines) - count > most[0]:
            most = len(lines) - count, laid.read
        if not left.any():
            break
    return Known(lines, left, most[1])


def _laid(screen: Screen, earlier: Sequence[Read], left: Mask) -> Iterator[_Laid]:
    for read in earlier:
        yield _Laid(read, 0, ~changed(read.screen, screen))
    height = len(left)
    for read in earlier[:_SCROLLED]:
        if screen.lossy or read.screen.lossy:
            continue
        before, after = read.screen.grey, screen.grey
        for down in scrolling.distances(before, after, left):
            agree = np.zeros_like(left)
            to = slice(max(0, down), height + min(0, down))
            was = slice(max(0, -down), height - max(0, down))
            np.equal(after[to], before[was], out=agree[to])
            yield _Laid(read, down, agree)


def _carry(laid: _Laid, left: Mask, lines: list[Line]) -> None:
    """Take over the lines that agree, and strike from ``left`` what is accounted for by that."""
    height, width = left.shape
    wanted = [
        replace(line, box=moved(line.box, laid.down))
        for line in laid.read.lines
        if left[cut(moved(line.box, laid.down))].any()
    ]
    whole = [
        shared(line.box, (0, 0, width, height)) == line.box
        and bool(laid.agree[cut(line.box)].all())
        for line in wanted
    ]
    for line, agrees in zip(wanted, whole, strict=True):
        if not (agrees and _settled(line, lines)):
            laid.agree[cut(core(line.box))] = False
    left &= ~laid.agree


def _settled(line: Line, lines: list[Line]) -> bool:
    """Put a line among the others, unless it contradicts one: whether it is accounted for now."""
    met = [other for other in lines if overlap(line.box, other.box) > _APART]
    if any(_part_of(line.box, other.box) for other in met):
        return True
    if not all(_part_of(other.box, line.box) for other in met):
        return False
    for other in met:
        lines.remove(other)
    lines.append(line)
    return True


def _part_of(one: Box, other: Box) -> bool:
    return area(shared(one, other)) >= _WITHIN * area(one)
