"""Reading order: lines on a screen, put into blocks, columns and rows as a person reads them.

A recursive XY-cut (Nagy & Seth, 1984) with two rules for screens. A region is cut between its
columns first, unless these are the columns of a table, whose rows belong together. And bars that
run across above or below are set aside first, so that they do not keep a side bar and a page from
being told apart. The result depends on the boxes alone, not on the order in which they come.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise
from statistics import median

from agentctx.plugins.screenshot.ocr import Line

Region = list[Line]
# Lengths in heights of a line of text, as detected (a detected box has a margin around its text).
_COLUMN_GAP = 0.6
_BLOCK_GAP = 0.6
_MARGIN = 0.15
_ALIGNED = 0.15
# Of the shorter column's lines, how many must stand in a row with one of the other column.
_TABLE = 0.75
# How many bands above and below may be bars (menu, tabs, status), those with fewest bars first.
_BARS = sorted(
    ((a, b) for a in range(7) for b in range(7) if a + b), key=lambda bars: (sum(bars), bars)
)


def text_of(blocks: Sequence[Sequence[Sequence[Line]]]) -> str:
    """The text of blocks: a row a line, a blank line between blocks."""
    return "\n\n".join(
        "\n".join(" ".join(line.text for line in row) for row in block) for block in blocks
    )


def reading_order(lines: Sequence[Line]) -> list[list[list[Line]]]:
    """Blocks of rows of lines, in reading order."""
    region = sorted(lines, key=lambda line: (line.box, line.text, line.confidence))
    return [_rows(block) for block in _blocks(region)] if region else []


def _blocks(region: Region) -> list[Region]:
    height = median(_height(line) for line in region)
    parts = _columns(region, height) or _across(region, height)
    return [block for part in parts for block in _blocks(part)] if parts else [region]


def _columns(region: Region, height: float) -> list[Region] | None:
    """The region cut in two at its widest gap from top to bottom that parts columns."""
    gaps = _gaps(region, lambda line: (line.box[0], line.box[2]), _COLUMN_GAP * height)
    for _, at in sorted(gaps, key=lambda gap: (-gap[0], gap[1])):
        left = [line for line in region if line.box[0] < at]
        right = [line for line in region if line.box[0] >= at]
        if not _is_table(left, right, height):
            return [left, right]
    return None


def _is_table(left: Region, right: Region, height: float) -> bool:
    """Whether two columns are those of a table (or of one row), to be read row by row."""
    few, many = sorted((left, right), key=len)
    centres = sorted(_centre(line) for line in many)
    reach = _ALIGNED * height
    level = [
        bisect_right(centres, _centre(line) + reach) - bisect_left(centres, _centre(line) - reach)
        for line in few
    ]
    if len(few) == 1:  # one row; or a label beside a paragraph, a cell beside a wrapped one
        return level[0] == len(many) or few is right
    return sum(map(bool, level)) >= _TABLE * len(few)


def _across(region: Region, height: float) -> list[Region] | None:
    """The region cut from left to right: bars off a part that has columns, or at every gap."""
    cuts = [at for _, at in _gaps(region, _inner, _BLOCK_GAP * height)]
    if not cuts:
        return None
    bands: list[Region] = [[] for _ in range(len(cuts) + 1)]
    for line in region:
        bands[bisect_right(cuts, _inner(line)[0])].append(line)
    for above, below in _BARS:
        middle = [line for band in bands[above : len(bands) - below] for line in band]
        if above + below < len(bands) - 1 and _columns(middle, height):
            top = [line for band in bands[:above] for line in band]
            bottom = [line for band in bands[len(bands) - below :] for line in band]
            return [part for part in (top, middle, bottom) if part]
    return bands


def _gaps(
    region: Region, extent: Callable[[Line], tuple[float, float]], least: float
) -> list[tuple[float, float]]:
    """The gaps (width, where it ends) that no line's extent covers, from low to high."""
    spans = sorted(extent(line) for line in region)
    reached = accumulate((end for _, end in spans), max)
    return [
        (start - end, start)
        for end, (start, _) in zip(reached, spans[1:], strict=False)
        if start - end >= least
    ]


def _rows(block: Region) -> list[list[Line]]:
    """Lines whose centres are level form a row, from left to right."""
    ordered = sorted(block, key=lambda line: (_centre(line), line.box, line.text))
    rows = [[ordered[0]]]
    for last, line in pairwise(ordered):
        # Half the smaller height: a heading beside small print is still one row.
        if _centre(line) - _centre(last) < min(_height(last), _height(line)) / 2:
            rows[-1].append(line)
        else:
            rows.append([line])
    return [sorted(row, key=lambda line: (line.box, line.text)) for row in rows]


def _height(line: Line) -> int:
    return line.box[3] - line.box[1]


def _centre(line: Line) -> float:
    return (line.box[1] + line.box[3]) / 2


def _inner(line: Line) -> tuple[float, float]:
    """From top to bottom without the margin, so that lines set close do not overlap."""
    margin = _MARGIN * _height(line)
    return line.box[1] + margin, line.box[3] - margin
