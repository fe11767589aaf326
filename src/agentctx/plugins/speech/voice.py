"""The stretches of a sound with voice, heard as one, and the times that they had before.

Where there is voice says Silero's detector, which comes with faster-whisper and needs no torch.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from agentctx.extras import require
from agentctx.plugins.speech.audio import RATE
from agentctx.plugins.speech.recogniser import Recogniser, Segment

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def recognised(
    recogniser: Recogniser, samples: "NDArray[np.float32]", *, vad: bool
) -> tuple[str, Iterator[Segment]]:
    """What a recogniser makes of a sound: all of it, or with ``vad`` what has voice in it."""
    if not vad:
        return recogniser.recognise(samples)
    import numpy as np

    library = require("faster_whisper.vad", extra="whisper")
    stretches = library.get_speech_timestamps(samples)
    if not stretches:
        return "", iter(())
    voice = np.concatenate([samples[one["start"] : one["end"]] for one in stretches])
    places = library.SpeechTimestampsMap(stretches, RATE)
    language, segments = recogniser.recognise(voice)
    return language, (_restored(segment, places) for segment in segments)


def _restored(segment: Segment, places: Any) -> Segment:  # noqa: ANN401
    """A segment with its times in the whole sound; both ends of a word are in one stretch."""
    if not segment.words:
        start = places.get_original_time(segment.start)
        end = places.get_original_time(segment.end, is_end=True)
        return replace(segment, start=start, end=end)
    words = []
    for text, start, end, probability in segment.words:
        stretch = places.get_chunk_index((start + end) / 2)
        begin, stop = (places.get_original_time(time, stretch) for time in (start, end))
        words.append((text, begin, stop, probability))
    return replace(segment, start=words[0][1], end=words[-1][2], words=tuple(words))
