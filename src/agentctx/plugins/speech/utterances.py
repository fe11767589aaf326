"""Words with their times, put together into utterances that read and sound as one."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

# After such a pause a speaker starts anew, whatever the grammar says.
PAUSE_SECONDS = 1.5
# What one utterance may last: a quote that can still be checked by ear.
LONGEST_SECONDS = 30.0
_SENTENCE_ENDS = (".", "?", "!", "…", "。", "？", "！")
_CLOSING = "\"'”’)]}»"


@dataclass(frozen=True, slots=True)
class Word:
    """A word with the white space before it, its times in seconds, and its probability.

    ``log_probability`` is the mean over the tokens of the segment that it was recognised in.
    """

    text: str
    start: float
    end: float
    probability: float
    log_probability: float

    @property
    def ends_sentence(self) -> bool:
        """Whether a sentence ends with it."""
        return self.text.rstrip().rstrip(_CLOSING).endswith(_SENTENCE_ENDS)


@dataclass(frozen=True, slots=True)
class Utterance:
    """Words said in one go; never without any."""

    words: tuple[Word, ...]

    @property
    def text(self) -> str:
        """What was said."""
        return "".join(word.text for word in self.words).strip()

    @property
    def start(self) -> float:
        """When it begins, in seconds from the start of the recording."""
        return self.words[0].start

    @property
    def end(self) -> float:
        """When it ends, never before it begins."""
        return max(self.start, self.words[-1].end)

    @property
    def confidence(self) -> float:
        """The recogniser's probability per token, 0..1: exp of the mean log probability."""
        mean = math.fsum(word.log_probability for word in self.words) / len(self.words)
        return math.exp(min(0.0, mean))


def utterances(segments: Iterable[Sequence[Word]]) -> Iterator[Utterance]:
    """Group the segments of a recogniser, in order of time, into utterances.

    A segment is cut at pauses. What goes on after it without one is joined to it when its
    sentence is not finished, or when one of both is a single word. What would last longer than
    `LONGEST_SECONDS` is cut at the end of a sentence, else at its longest pause.
    """
    current: list[Word] = []
    for segment in segments:
        for run in _runs(segment):
            if current and not _belong(current, run):
                yield from _short(current)
                current = []
            current += run
    yield from _short(current)


def _runs(words: Sequence[Word]) -> Iterator[Sequence[Word]]:
    start = 0
    for i in range(1, len(words)):
        if words[i].start - words[i - 1].end > PAUSE_SECONDS:
            yield words[start:i]
            start = i
    if words:
        yield words[start:]


def _belong(left: Sequence[Word], right: Sequence[Word]) -> bool:
    near = right[0].start - left[-1].end <= PAUSE_SECONDS
    fits = right[-1].end - left[0].start <= LONGEST_SECONDS
    goes_on = not left[-1].ends_sentence or len(left) == 1 or len(right) == 1
    return near and fits and goes_on


def _short(words: Sequence[Word]) -> Iterator[Utterance]:
    while len(words) > 1 and words[-1].end - words[0].start > LONGEST_SECONDS:
        fits = [
            i
            for i in range(1, len(words))
            if i == 1 or words[i - 1].end - words[0].start <= LONGEST_SECONDS
        ]
        ends = [i for i in fits if words[i - 1].ends_sentence]
        cut = ends[-1] if ends else max(fits, key=lambda i: (words[i].start - words[i - 1].end, i))
        yield Utterance(tuple(words[:cut]))
        words = words[cut:]
    if words:
        yield Utterance(tuple(words))
