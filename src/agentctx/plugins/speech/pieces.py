"""A long recording in pieces, and what of a recogniser's words is believed."""

import math
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from agentctx.plugins.speech.audio import RATE
from agentctx.plugins.speech.recogniser import Segment
from agentctx.plugins.speech.utterances import Word

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Whisper's memory grows with the length it is given (some 50 kB a second), so a long recording
# is heard in pieces, cut where it is quietest near a piece's end.
_PIECE_SECONDS = 600
_SEARCH_SECONDS = 30
_QUIET_SECONDS = 0.5

# What was recognised is noise beyond these.
_MIN_LOG_PROBABILITY = -1.0
_MAX_COMPRESSION = 2.4


def pieces(samples: "NDArray[np.int16]") -> Iterator[tuple[float, "NDArray[np.float32]"]]:
    """Pieces of at most ten minutes as float32 in -1..1, each with its start in seconds."""
    import numpy as np

    start = 0
    while start < len(samples):
        end = start + _PIECE_SECONDS * RATE
        if end < len(samples):
            width = int(_QUIET_SECONDS * RATE)
            search = samples[end - _SEARCH_SECONDS * RATE : end].astype(np.float32)
            power = np.square(search).reshape(-1, width).mean(axis=1)
            end -= len(search) - int(power.argmin()) * width - width // 2
        yield start / RATE, samples[start:end].astype(np.float32) / 32768.0
        start = end


def believable(segments: Iterable[Segment]) -> Iterator[Segment]:
    """Those that are likely, have a letter or a number, and do not go in circles."""
    previous = ""
    for segment in segments:
        text = segment.text.strip()
        data = text.encode()
        loops = len(data) > _MAX_COMPRESSION * len(zlib.compress(data)) or (
            segment.compression_ratio > _MAX_COMPRESSION and text == previous
        )
        previous = text
        likely = segment.log_probability >= _MIN_LOG_PROBABILITY
        if likely and not loops and any(character.isalnum() for character in text):
            yield segment


def words_of(segment: Segment, start: float) -> Sequence[Word]:
    """The words of a segment in a piece that begins at ``start`` (s)."""
    # A segment that could not be aligned has no words, only its text.
    rows = segment.words or (
        (segment.text, segment.start, segment.end, math.exp(segment.log_probability)),
    )
    return [
        Word(
            text=text,
            start=round(float(start + begin), 2),
            end=round(float(start + end), 2),
            probability=round(float(probability), 2),
            log_probability=segment.log_probability,
        )
        for text, begin, end, probability in rows
    ]
