"""Which lines of the truth of a recording were read: what `scripts/bench/stream.py` counts."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

Box = tuple[int, int, int, int]
Seen = list[tuple[str, Box]]  # lines: text and box
Read = dict[int, Seen]  # of the frames that were read

LEAST_SECONDS = 2  # frames, since there is one a second
NOISE = 0.15  # of a line's characters


def plain(text: str) -> str:
    """Without spaces and case; quotes and dashes as a keyboard has them."""
    table = str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'", "—": "-", "–": "-", "…": "..."})
    return "".join(text.translate(table).casefold().split())


def digits(text: str) -> str:
    """Its digits."""
    return "".join(filter(str.isdigit, text))


def beside(box: Box, lines: Seen) -> str:
    """The text of the lines that stand where a box is, from left to right."""
    here = [
        (other[0], text)
        for text, other in lines
        if box[1] < (other[1] + other[3]) / 2 < box[3] and other[0] < box[2] and box[0] < other[2]
    ]
    return "".join(plain(text) for _, text in sorted(here))


def reads(text: str, read: str) -> bool:
    """Whether a text, both plain, is in what was read, but for what an engine may misread."""
    if digits(text) not in digits(read):
        return False
    return text in read or distance(text, read) <= NOISE * len(text)


def distance(text: str, read: str) -> int:
    """The least edit distance from a text to any part of what was read (Sellers, 1980).

    >>> distance("pump 3", "the pumps 3")
    1
    """
    above = [0] * (len(read) + 1)
    for letter in text:
        row = [above[0] + 1]
        for n, other in enumerate(read):
            row.append(min(above[n] + (letter != other), above[n + 1] + 1, row[n] + 1))
        above = row
    return min(above)


def lives(truth: Sequence[Seen]) -> Iterator[tuple[str, range]]:
    """Each line with the frames in a row that show it."""
    frames: dict[str, list[int]] = defaultdict(list)
    for number, lines in enumerate(truth):
        for text in {text for text, _ in lines if any(map(str.isalnum, text))}:
            frames[text].append(number)
    for text, numbers in frames.items():
        start = numbers[0]
        for one, following in zip(numbers, [*numbers[1:], -1], strict=True):
            if following != one + 1:
                yield text, range(start, one + 1)
                start = following


def found_in(life: tuple[str, range], truth: Sequence[Seen], read: Read) -> bool:
    """Whether a line was read in a frame of its life."""
    text, frames = life
    return any(
        reads(plain(text), beside(box, read[number]))
        for number in frames
        if number in read
        for shown, box in truth[number]
        if shown == text
    )


def untrue(truth: Sequence[Seen], read: Read, frames: Iterable[int]) -> int:
    """How many lines were read in frames that do not stand there, such as ones that are gone."""
    return sum(
        not reads(plain(text), beside((box[0] - 8, box[1], box[2] + 8, box[3]), truth[number]))
        for number in frames
        for text, box in read[number]
        if sum(map(str.isalnum, text)) > 2
    )
