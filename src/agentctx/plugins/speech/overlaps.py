"""Sound that was heard before: what was said in it, and what is left to be heard.

Chunks of a stream that overlap, a recording and a longer version of it, the same clip under another
name: where samples are the same, the words are known. Where the older recording ends and the newer
goes on, a word may be cut, so the newer is heard again from the longest pause in the last seconds
that both have, and what both heard is told apart by its words.
"""

import itertools
import threading
from collections import deque
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from agentctx.plugins.speech.audio import RATE
from agentctx.plugins.speech.blocks import LEAST_SECONDS, Blocks, Stretch, repeats
from agentctx.plugins.speech.utterances import Utterance, Word
from agentctx.records import Media, Observation

_KEPT_SECONDS = 4 * 3600.0
_KEPT_BYTES = 64 * 1024**2
# Originals up to this size are kept in memory: a watcher's file is gone when it is needed.
_SMALL_BYTES = 4 * 1024**2

# Told times of the same moment differ by no more: clocks drift, and names have whole seconds.
_CLOCKS = timedelta(seconds=2)
# A repeat that begins or ends so near to an end of a recording reaches that end.
_EDGE_SECONDS = 0.25
# Where one of the recordings ends, this much of what both have is looked through for a pause.
_AGAIN_SECONDS = 4.0
_AFTER_WORD_SECONDS = 0.2
# The same word, recognised in two recordings, has times this near.
_SAME_WORD_SECONDS = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Sound:
    """A sound to be heard, or that was heard.

    ``scope``: sounds of another one are never compared. ``name``: those of the same file are not
    either. ``began``: None where nobody has told it.
    """

    scope: Hashable
    name: Hashable
    began: datetime | None
    seconds: float
    blocks: Blocks


@dataclass(frozen=True, slots=True, eq=False)
class Said:
    """An utterance, in seconds from the start of its sound, and its observation."""

    utterance: Utterance
    observation: Observation


@dataclass(frozen=True, slots=True, eq=False)
class _Heard:
    sound: Sound
    said: Sequence[Said]
    original: tuple[Media, tuple[int, int] | None]


@dataclass(frozen=True, slots=True, eq=False)
class Repeat:
    """Seconds ``start`` to ``end`` of a sound, which are in an older one; and all said in it.

    ``said`` has the times of the newer sound. ``from_start`` and ``to_end``: whether nothing new
    comes before, or after. ``began``: when the newer sound began, if the older one's time is told.
    """

    start: float
    end: float
    said: tuple[Said, ...]
    from_start: bool
    to_end: bool
    began: datetime | None = None

    @property
    def words(self) -> list[Word]:
        """The words that lie in it."""
        return [
            word
            for one in self.said
            for word in one.utterance.words
            if self.start <= word.start and word.end <= self.end + _EDGE_SECONDS
        ]


@dataclass(frozen=True, slots=True, eq=False)
class Gap:
    """What is to be heard, in seconds; ``before`` and ``after`` are words known at its ends."""

    start: float
    end: float
    before: Sequence[Word] = ()
    after: Sequence[Word] = ()

    def fresh(self, heard: Sequence[Sequence[Word]]) -> list[Sequence[Word]]:
        """The words of segments without those at either end that are known."""
        words = [word for segment in heard for word in segment]
        known = [i for i, word in enumerate(words) if _among(word, self.before)]
        first = known[-1] + 1 if known else 0
        known = [i for i, w in enumerate(words) if i >= first and _among(w, self.after)]
        last = known[0] if known else len(words)
        kept = iter(range(len(words)))
        return [[word for word in segment if first <= next(kept) < last] for segment in heard]


def _among(word: Word, others: Iterable[Word]) -> bool:
    text = _plain(word)
    return bool(text) and any(
        text == _plain(other) and abs(word.start - other.start) <= _SAME_WORD_SECONDS
        for other in others
    )


def _plain(word: Word) -> str:
    return "".join(c for c in word.text.casefold() if c.isalnum())


class Recent:
    """The last sounds that were heard, four hours of them; safe to use from several threads."""

    def __init__(self) -> None:
        self._kept: deque[_Heard] = deque()
        self._lock = threading.Lock()

    def add(self, sound: Sound, said: Sequence[Said], original: Media) -> None:
        """Remember what was said in a sound; the oldest are let go."""
        status = None
        if original.size <= _SMALL_BYTES:
            original = replace(original, path=None, data=original.read())
        elif original.path is not None:
            found = original.path.stat()
            status = (found.st_size, found.st_mtime_ns)
        with self._lock:
            self._kept.append(_Heard(sound, tuple(said), (original, status)))
            while len(self._kept) > 1 and (
                sum(one.sound.seconds for one in self._kept) > _KEPT_SECONDS
                or sum(len(one.original[0].data or b"") for one in self._kept) > _KEPT_BYTES
            ):
                self._kept.popleft()

    def repeats(self, sound: Sound) -> list[Repeat]:
        """Where a sound is one that was heard; in order of time, none within another."""
        with self._lock:
            kept = list(self._kept)
        found = [
            _repeat(sound, heard, stretch)
            for heard in reversed(kept)
            if _may_be_known(sound, heard.sound) and _readable(heard)
            for stretch in repeats(sound.blocks, heard.sound.blocks)
            if not _another_time(sound, heard.sound, stretch.shift / RATE)
        ]
        chosen: list[Repeat] = []
        for one in sorted(found, key=lambda one: one.start - one.end):
            if _news(one, chosen) >= LEAST_SECONDS:
                chosen.append(one)
        return sorted(chosen, key=lambda one: one.start)


def _may_be_known(sound: Sound, old: Sound) -> bool:
    return old.scope == sound.scope and old.name != sound.name


def _news(one: Repeat, others: Sequence[Repeat]) -> float:
    """How many seconds of a repeat are in none of the others, which are not within another."""
    known = sorted((max(one.start, o.start), min(one.end, o.end)) for o in others)
    reached, news = one.start, 0.0
    for start, end in known:
        if start < end:
            news += max(0.0, start - reached)
            reached = max(reached, end)
    return news + max(0.0, one.end - reached)


def _readable(heard: _Heard) -> bool:
    """Whether its original can be given again, with the bytes that it had."""
    media, status = heard.original
    if media.data is not None:
        return True
    try:
        found = media.path.stat() if media.path is not None else None
    except OSError:
        return False
    return found is not None and (found.st_size, found.st_mtime_ns) == status


def _another_time(sound: Sound, old: Sound, shift: float) -> bool:
    """Whether both told times say that the same sound was there twice."""
    if sound.began is None or old.began is None:
        return False
    return abs(sound.began - old.began - timedelta(seconds=shift)) > _CLOCKS


def _repeat(sound: Sound, heard: _Heard, stretch: Stretch) -> Repeat:
    start, end, shift = stretch.start / RATE, stretch.end / RATE, stretch.shift / RATE
    said = []
    for one in heard.said:
        words = tuple(
            replace(w, start=round(w.start - shift, 2), end=round(w.end - shift, 2))
            for w in one.utterance.words
        )
        if words[0].start < end and words[-1].end > start:
            said.append(Said(Utterance(words), _with(one.observation, heard.original[0])))
    return Repeat(
        start,
        end,
        tuple(said),
        from_start=start <= _EDGE_SECONDS,
        to_end=sound.seconds - end <= _EDGE_SECONDS,
        began=heard.sound.began and heard.sound.began + timedelta(seconds=shift),
    )


def _with(observation: Observation, original: Media) -> Observation:
    """The same observation (its id is that of its content), its original where it still is."""
    media = tuple(original if m.digest == original.digest else m for m in observation.media)
    return replace(observation, media=media)


def gaps(seconds: float, known: Sequence[Repeat]) -> Iterator[Gap]:
    """What of a sound is left to be heard; all of it, where nothing is known.

    ``known``: in order of time, none within another.
    """
    for left, right in itertools.pairwise([None, *known, None]):
        if left is not None and right is not None:
            joined = left.end - right.start >= LEAST_SECONDS
        else:
            joined = (left is not None and left.to_end) or (right is not None and right.from_start)
        if joined:
            continue
        start, before = (0.0, []) if left is None else _goes_on(left)
        end, after = (seconds, []) if right is None else _is_reached(right)
        if start < end:
            yield Gap(start, end, before, after)


def _goes_on(known: Repeat) -> tuple[float, list[Word]]:
    """From when to hear what comes after a repeat, and its words from there on."""
    first, last = _pause(known.words, max(known.start, known.end - _AGAIN_SECONDS), known.end)
    start = first + min(_AFTER_WORD_SECONDS, (last - first) / 2)
    return start, [word for word in known.words if word.end >= start]


def _is_reached(known: Repeat) -> tuple[float, list[Word]]:
    """Up to when to hear what comes before a repeat, and its words until there."""
    first, last = _pause(known.words, known.start, min(known.end, known.start + _AGAIN_SECONDS))
    end = last - min(_AFTER_WORD_SECONDS, (last - first) / 2)
    return end, [word for word in known.words if word.start <= end]


def _pause(words: Sequence[Word], start: float, end: float) -> tuple[float, float]:
    """The longest time without a word between two times."""
    here = [word for word in words if word.end > start and word.start < end]
    begins = [*(word.start for word in here), end]
    ends = [start, *(word.end for word in here)]
    spans = [(a, b) for a, b in zip(ends, begins, strict=True) if b >= a] or [(end, end)]
    return max(spans, key=lambda span: (span[1] - span[0], span[0]))
