"""Sound that was heard before is not heard again, and no word is lost or kept twice by that."""

import itertools
import wave
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from agentctx import Memory
from agentctx.config import Config
from agentctx.contracts import Arrival, Services, Source
from agentctx.evaluate.metrics import spoken_words
from agentctx.plugins.speech import ENGINES, Speech
from agentctx.plugins.speech.audio import RATE
from agentctx.plugins.speech.blocks import LEAST_SECONDS, Blocks, repeats
from agentctx.plugins.speech.overlaps import Gap, Repeat, Said, gaps
from agentctx.plugins.speech.recogniser import Options, Recogniser, Segment
from agentctx.plugins.speech.utterances import Utterance, Word
from agentctx.records import Observation
from agentctx.services import SharedServices

from .recognisers import CALLS, sound, word_error_rate

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
SERVICES = SharedServices(Config())
Samples = NDArray[np.int16]


# -- blocks --------------------------------------------------------------------------------------


def noise(seconds: float, seed: int = 0) -> Samples:
    drawn = np.random.default_rng(seed).normal(0, 3000, round(seconds * RATE))
    return drawn.astype(np.int16)


@settings(deadline=None, max_examples=25)
@given(
    start=st.integers(0, 3 * RATE), length=st.integers(2 * RATE, 4 * RATE), seed=st.integers(0, 99)
)
def test_a_part_is_found_wherever_it_is(start: int, length: int, seed: int) -> None:
    whole = noise(7.0, seed)
    before = noise(0.7, seed + 1000)
    part = np.concatenate([before, whole[start : start + length], noise(1.2, seed + 2000)])
    (found,) = repeats(Blocks.of(part), Blocks.of(whole))
    assert found.shift == start - len(before)
    lost = (found.start - len(before), len(before) + length - found.end)
    assert all(0 <= samples < 0.5 * RATE for samples in lost)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 99), st.integers(0, 5 * RATE))
def test_one_other_sample_is_another_sound(seed: int, at: int) -> None:
    whole = noise(6.0, seed)
    other = whole.copy()
    other[at] ^= 1
    for one in repeats(Blocks.of(other), Blocks.of(whole)):
        assert one.shift == 0
        assert not one.start <= at < one.end


def test_what_is_not_the_same_is_not_found() -> None:
    tone = (3000 * np.sin(np.arange(5 * RATE) * 2 * np.pi * 440 / RATE)).astype(np.int16)
    silence = np.zeros(5 * RATE, np.int16)
    sounds = [noise(5.0, 1), noise(5.0, 2), silence, tone, noise(0.0), noise(1e-3)]
    for one, other in itertools.permutations([Blocks.of(each) for each in sounds], 2):
        assert repeats(one, other) == []
    louder = (noise(5.0, 1) * 1.01).astype(np.int16)
    assert repeats(Blocks.of(louder), Blocks.of(noise(5.0, 1))) == []


def test_a_beep_is_too_short_to_tell() -> None:
    beep = noise(LEAST_SECONDS * 0.9, 3)
    one, other = (
        np.concatenate([noise(3.0, seed), beep, noise(3.0, 90 + seed)]) for seed in (4, 5)
    )
    assert repeats(Blocks.of(one), Blocks.of(other)) == []


def test_a_jingle_that_comes_twice_is_found_once_each() -> None:
    jingle = noise(2.0, 6)
    old = np.concatenate([noise(1.0, 7), jingle, noise(1.5, 8), jingle, noise(1.0, 9)])
    new = np.concatenate([noise(2.0, 10), old[: 4 * RATE]])
    found = repeats(Blocks.of(new), Blocks.of(old))
    assert [one.shift for one in found] == [-2 * RATE]
    for one, other in itertools.pairwise(found):
        assert one.end <= other.start


def test_long_sounds_are_hashed_in_parts() -> None:
    whole = noise(130.0)
    (found,) = repeats(Blocks.of(whole[59 * RATE : 121 * RATE]), Blocks.of(whole))
    assert found.shift == 59 * RATE
    assert found.end - found.start > 61.5 * RATE


# -- gaps ----------------------------------------------------------------------------------------


def word(text: str, start: float, end: float) -> Word:
    return Word(f" {text}", start, end, 0.9, -0.2)


def repeat(start: float, end: float, words: Sequence[Word], seconds: float) -> Repeat:
    said = (Said(Utterance(tuple(words)), Observation(text="a")),) if words else ()
    return Repeat(start, end, said, from_start=start < 0.2, to_end=seconds - end < 0.2)


@settings(deadline=None, max_examples=25)
@given(st.lists(st.floats(0.3, 8.0), min_size=2, max_size=12), st.integers(0, 2**16))
def test_all_that_is_not_known_is_heard(lengths: list[float], seed: int) -> None:
    """Gaps and repeats cover a sound, and a gap reaches into a repeat by some seconds at most."""
    rng = np.random.default_rng(seed)
    edges = [0.0, *itertools.accumulate(lengths)]
    known = [
        repeat(a, b, [word(str(t), t, min(b, t + 0.3)) for t in np.arange(a, b, 0.7)], edges[-1])
        for a, b in itertools.pairwise(edges)
        if b - a >= 1.0 and rng.random() < 0.5
    ]
    found = list(gaps(edges[-1], known))
    covered = sorted([(g.start, g.end) for g in found] + [(r.start, r.end) for r in known])
    assert covered[0][0] == 0.0
    reached = 0.0
    for start, end in covered:
        assert start <= reached + 1e-9, "a stretch is neither known nor heard"
        reached = max(reached, end)
    assert reached == edges[-1]
    for gap in found:
        assert gap.start <= gap.end
        for one in known:
            assert min(gap.end, one.end) - max(gap.start, one.start) <= 4.0 + 1e-9


def test_hearing_goes_on_from_the_longest_pause() -> None:
    words = [word("the", 7.0, 7.3), word("pump", 7.4, 7.8), word("is", 9.0, 9.2)]
    (gap,) = gaps(20.0, [repeat(0.0, 10.0, words, 20.0)])
    assert gap.start == pytest.approx(8.0)
    assert [one.text for one in gap.before] == [" is"]


def test_what_both_heard_is_taken_once() -> None:
    gap = Gap(8.0, 20.0, before=[word("pump", 8.9, 9.2), word("is", 9.3, 9.5)], after=())
    heard = [[word("Pump", 8.8, 9.2), word("is,", 9.3, 9.5)], [word("is", 11.0, 11.2)]]
    assert gap.fresh(heard) == [[], heard[1]]
    last = Gap(0.0, 20.0, before=(), after=[word("is", 11.1, 11.3)])
    assert last.fresh(heard) == [heard[0], []]


def test_a_word_that_was_cut_is_given_whole() -> None:
    gap = Gap(8.0, 20.0, before=[word("is", 9.3, 9.5), word("shake", 9.6, 10.0)])
    heard = [[word("is", 9.3, 9.5), word("shaking", 9.6, 10.2), word("badly.", 10.3, 10.8)]]
    assert gap.fresh(heard) == [heard[0][1:]]


# -- recordings ----------------------------------------------------------------------------------

CLIPS = list(CALLS)[:2]
REFERENCE = " ".join(CALLS[name]["text"] for name in CLIPS)
OPTIONS: dict[str, Any] = {"beam_size": 1, "threads": 2}


@pytest.fixture(scope="module")
def calls() -> Samples:
    """Two calls of the demo as one stream of 25 s."""
    return np.concatenate([(sound(name) * 32768).astype(np.int16) for name in CLIPS])


@pytest.fixture(scope="module")
def heard() -> Iterator[list[float]]:
    """Seconds of each sound that an engine has been given."""
    given: list[float] = []
    make = ENGINES["faster-whisper"]

    def noting(services: Services, options: Options) -> Recogniser:
        made = make(services, options)
        recognise = made.recognise

        def noted(samples: NDArray[np.float32]) -> tuple[str, Iterator[Segment]]:
            given.append(len(samples) / RATE)
            return recognise(samples)

        made.recognise = noted  # type: ignore[method-assign]
        return made

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(ENGINES, "faster-whisper", noting)  # type: ignore[arg-type]
        yield given


def written(path: Path, samples: Samples) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.tobytes())
    return path


def source(path: Path, at: float | None = None, session: str = "s") -> Source:
    when = None if at is None else NOON + timedelta(seconds=at)
    with path.open("rb") as file:
        return Source(path, file.read(4096), session, when)


def texts(found: Sequence[Observation]) -> str:
    return " ".join(one.text for one in sorted(found, key=lambda one: one.captured_at))


@dataclass(frozen=True)
class Past:
    """A plugin that has heard a recording of the calls, which began at noon."""

    speech: Speech
    found: list[Observation]


@pytest.fixture(scope="module")
def past(heard: list[float], calls: Samples, tmp_path_factory: pytest.TempPathFactory) -> Past:
    speech = Speech(SERVICES, **OPTIONS)
    path = written(tmp_path_factory.mktemp("past") / "a.wav", calls)
    return Past(speech, list(speech.observe(source(path, 0.0))))


def test_a_copy_is_not_heard(
    past: Past, heard: list[float], calls: Samples, tmp_path: Path
) -> None:
    """Its name and its time do not tell that it is one."""
    heard.clear()
    copy = list(past.speech.observe(source(written(tmp_path / "copy.wav", calls))))
    assert [one.id for one in copy] == [one.id for one in past.found]
    assert not heard


def test_of_a_part_nothing_is_heard(
    past: Past, heard: list[float], calls: Samples, tmp_path: Path
) -> None:
    heard.clear()
    path = written(tmp_path / "part.wav", calls[5 * RATE : 20 * RATE])
    found = list(past.speech.observe(source(path, 5.0)))
    assert not heard
    assert {one.id for one in found} <= {one.id for one in past.found}
    assert "I have decided to stop" in texts(found)


def test_the_same_sound_at_another_time_was_another_time(
    past: Past, calls: Samples, tmp_path: Path
) -> None:
    """An announcement that a machine makes every hour."""
    later = list(past.speech.observe(source(written(tmp_path / "b.wav", calls), 3600.0)))
    assert texts(later) == texts(past.found)
    assert not {one.id for one in past.found} & {one.id for one in later}
    assert later[0].captured_at - past.found[0].captured_at == timedelta(hours=1)


def test_another_session_has_its_own(past: Past, calls: Samples, tmp_path: Path) -> None:
    path = written(tmp_path / "a.wav", calls[: 4 * RATE])
    found = list(past.speech.observe(source(path, 0.0, session="another")))
    assert {one.session for one in found} == {"another"}


def test_encoded_again_it_is_another_sound(
    past: Past, heard: list[float], calls: Samples, tmp_path: Path
) -> None:
    """Samples differ then: it is heard again, and kept beside."""
    heard.clear()
    path = tmp_path / "a.ogg"
    with av.open(str(path), "w") as new:
        stream = new.add_stream("libopus", rate=48_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(calls[None, : 4 * RATE], format="s16", layout="mono")
        frame.sample_rate = RATE
        resampler = av.AudioResampler(format="s16", layout="mono", rate=48_000, frame_size=960)
        for part in (*resampler.resample(frame), *resampler.resample(None)):
            new.mux(stream.encode(part))
        new.mux(stream.encode(None))
    list(past.speech.observe(source(path, 0.0)))
    assert heard


@pytest.mark.parametrize(("start", "end"), [(0.0, 13.0), (7.5, 19.0)])
def test_of_a_longer_recording_only_the_rest_is_heard(
    heard: list[float], calls: Samples, start: float, end: float, tmp_path: Path
) -> None:
    """Also where the part was cut in the midst of a word."""
    speech = Speech(SERVICES, **OPTIONS)
    path = written(tmp_path / "part.wav", calls[int(start * RATE) : int(end * RATE)])
    found = list(speech.observe(source(path, start)))
    heard.clear()
    longer = list(speech.observe(source(written(tmp_path / "whole.wav", calls), 0.0)))
    assert {one.id for one in found} <= {one.id for one in longer}
    assert [one.captured_at for one in longer] == sorted(one.captured_at for one in longer)
    assert word_error_rate(REFERENCE, texts(longer)) <= 0.15, texts(longer)
    ends = (start > 0) + (end < len(calls) / RATE)
    assert sum(heard) < len(calls) / RATE - (end - start) + ends * 4.5


# -- memories ------------------------------------------------------------------------------------


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    with Memory.open(tmp_path / "memory", Config(options={"speech": OPTIONS})) as opened:
        yield opened


def test_chunks_that_overlap_are_one_stream(
    memory: Memory, heard: list[float], calls: Samples, tmp_path: Path
) -> None:
    """As a watcher brings them: under one name, each in the file where the one before was."""
    heard.clear()
    path = tmp_path / "speech.wav"
    for start in (0, 8, 16):
        written(path, calls[start * RATE : (start + 10) * RATE])
        when = NOON + timedelta(seconds=start)
        report = memory.add([Arrival(item=path, source="microphone", captured_at=when)])
        assert not report.failed
    path.unlink()
    said = memory.timeline(modality="speech")
    assert set(spoken_words(REFERENCE)) <= set(spoken_words(texts(said))), texts(said)
    assert word_error_rate(REFERENCE, texts(said)) <= 0.15, texts(said)
    for one in said:
        original = one.find_media("original")
        assert original is not None
        assert original.read()[:4] == b"RIFF"
    heard.clear()
    report = memory.add(written(tmp_path / "whole.wav", calls), captured_at=NOON)
    assert (report.added, report.failed) == (0, ())
    assert report.unchanged == len(said)
    assert not heard


def test_what_was_forgotten_can_be_added_again(
    memory: Memory, calls: Samples, tmp_path: Path
) -> None:
    """Of the same sound, from another file, when the first is gone."""
    path = written(tmp_path / "speech.wav", calls[: 12 * RATE])
    added = memory.add([Arrival(item=path, source="microphone", captured_at=NOON)]).added
    memory.forget(source="microphone")
    path.unlink()
    report = memory.add(written(tmp_path / "copy.wav", calls[: 12 * RATE]), captured_at=NOON)
    assert (report.added, report.failed) == (added, ())
    assert memory.search("the seal is leaking", rerank=False)
