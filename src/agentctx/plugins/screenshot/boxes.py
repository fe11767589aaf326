"""Upright boxes on a screen: (left, top, right, bottom) in pixels, the last two beyond the end."""

Box = tuple[int, int, int, int]

_MARGIN = 0.2  # of a line's height, above and below its letters, in a detected box


def area(box: Box) -> int:
    """Pixels in a box; 0 if it is empty.

    >>> area((1, 1, 4, 3))
    6
    """
    return max(0, box[2] - box[0]) * max(0, box[3] - box[1])


def moved(box: Box, down: int) -> Box:
    """A box so many pixels further down."""
    return box[0], box[1] + down, box[2], box[3] + down


def shared(one: Box, other: Box) -> Box:
    """Where two boxes overlap; of area 0 if they do not."""
    return (
        max(one[0], other[0]),
        max(one[1], other[1]),
        min(one[2], other[2]),
        min(one[3], other[3]),
    )


def around(one: Box, other: Box) -> Box:
    """The smallest box that has both."""
    return (
        min(one[0], other[0]),
        min(one[1], other[1]),
        max(one[2], other[2]),
        max(one[3], other[3]),
    )


def overlap(one: Box, other: Box) -> float:
    """The share of the smaller box that is in the other, 0..1."""
    return area(shared(one, other)) / max(1, min(area(one), area(other)))


def grown(box: Box, across: int, along: int, size: tuple[int, int]) -> Box:
    """A box wider on each side, as far as a screen of that height and width goes."""
    height, width = size
    return shared(
        (box[0] - across, box[1] - along, box[2] + across, box[3] + along), (0, 0, width, height)
    )


def core(box: Box) -> Box:
    """A line's box without its margin, which the boxes of lines set close have in common."""
    margin = int(_MARGIN * (box[3] - box[1]))
    return box[0], box[1] + margin, box[2], box[3] - margin


def cut(box: Box) -> tuple[slice, slice]:
    """The index of its pixels in an array [height, width]; of what is in the array."""
    return slice(max(0, box[1]), max(0, box[3])), slice(max(0, box[0]), max(0, box[2]))
