"""Speech: the same words from every container, silence that stays silent, sound that is damaged."""

import json
import math
import os
import shutil
import struct
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from agentctx.config import Config
from agentctx.contracts import Source
from agentctx.errors import (
    ConfigError,
    SourceInvalid,
    SourceTooLarge,
    SourceUnsupported,
    WeightsError,
)
from agentctx.limits import Limits
from agentctx.plugins.speech import Speech
from agentctx.plugins.speech.utterances import LONGEST_SECONDS, PAUSE_SECONDS, Word, utterances
from agentctx.records import Observation
from agentctx.services import SharedServices

SAMPLES = Path(str(files("agentctx.demo") / "samples"))
CLIP = SAMPLES / "2026-03-14T092340Z_operator-radio-handover.ogg"
SAID = json.loads((SAMPLES / "transcripts.json").read_text())[CLIP.name]
NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
RATE = 48_000
SERVICES = SharedServices(Config())
Samples = NDArray[np.int16]

# Container, sound codec, codec of the pictures beside it; the media type that is kept.
FORMATS = {
    "a.wav": ("wav", "pcm_s16le", "", "audio/wav"),
    "a.flac": ("flac", "flac", "", "audio/flac"),
    "a.mp3": ("mp3", "libmp3lame", "", "audio/mpeg"),
    "vorbis.ogg": ("ogg", "vorbis", "", "audio/ogg"),
    "a.opus": ("ogg", "libopus", "", "audio/ogg"),
    "a.m4a": ("ipod", "aac", "", "audio/mp4"),
    "a.webm": ("webm", "libopus", "", "audio/webm"),
    "a.mp4": ("mp4", "aac", "mpeg4", "video/mp4"),
    "a.mkv": ("matroska", "libmp3lame", "mpeg4", "video/x-matroska"),
    "a.aac": ("adts", "aac", "", "audio/aac"),
    "a.aiff": ("aiff", "pcm_s16be", "", "audio/aiff"),
    "a.mov": ("mov", "pcm_s16le", "mpeg4", "video/quicktime"),
}


@pytest.fixture(scope="session")
def clip() -> Samples:
    """A call of the demo: int16 [samples] at RATE, mono."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
    with av.open(str(CLIP)) as opened:
        frames = [out for frame in opened.decode(audio=0) for out in resampler.resample(frame)]
    return np.concatenate([frame.to_ndarray().ravel() for frame in frames])


@pytest.fixture(scope="session")
def speech() -> Speech:
    return Speech(SERVICES, threads=1)


def write(
    path: Path, samples: Samples, form: str = "a.wav", tags: dict[str, str] | None = None,
    gap: tuple[float, float] = (math.inf, 0.0),
) -> Path:  # fmt: skip
    """Encode stereo sound at RATE; stamps after ``gap[0]`` seconds are ``gap[1]`` s later."""
    container, codec, pictures, _ = FORMATS[form]
    options = {"movflags": "use_metadata_tags"} if container in ("mp4", "mov", "ipod") else {}
    with av.open(str(path), "w", format=container, options=options) as out:
        out.metadata.update(tags or {})
        sound: Any = out.add_stream(codec, rate=RATE, layout="stereo")
        sound.codec_context.options = {"strict": "experimental"}  # FFmpeg's own Vorbis
        if pictures:
            film: Any = out.add_stream(pictures, rate=5, width=64, height=48, pix_fmt="yuv420p")
            for _ in range(math.ceil(len(samples) / RATE * 5)):
                black = av.VideoFrame(64, 48, "yuv420p")
                out.mux(film.encode(black))
        fifo = av.AudioFifo()
        whole = av.AudioFrame.from_ndarray(
            np.repeat(samples, 2).reshape(1, -1), format="s16", layout="stereo"
        )
        whole.sample_rate = RATE
        fifo.write(whole)
        done = 0
        while (frame := fifo.read(960, partial=True)) is not None:
            frame.pts = done + (round(gap[1] * RATE) if done / RATE >= gap[0] else 0)
            done += frame.samples
            out.mux(sound.encode(frame))
        out.mux(sound.encode(None))
    return path


@pytest.fixture(scope="session")
def encoded(clip: Samples, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the clip in each of FORMATS."""
    folder = tmp_path_factory.mktemp("encoded")
    for name in FORMATS:
        write(folder / name, clip, name)
    return folder


def opened(path: Path, **known: Any) -> Source:
    with path.open("rb") as file:
        return Source(path, file.read(4096), **known)


def hear(speech: Speech, path: Path, **known: Any) -> list[Observation]:
    source = opened(path, **known)
    assert speech.accepts(source)
    return list(speech.observe(source))


def words(text: str) -> list[str]:
    kept = "".join(c if c.isalnum() or c.isspace() else "" for c in text.lower())
    return kept.replace("2", "two").split()


def word_error_rate(expected: str, heard: str) -> float:
    """Levenshtein distance in words over the number of words expected."""
    left, right = words(expected), words(heard)
    row = list(range(len(right) + 1))
    for i, word in enumerate(left, 1):
        last, row[0] = row[0], i
        for j, other in enumerate(right, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (word != other))
    return row[-1] / len(left)


# -- what is heard -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_the_same_words_at_the_same_times(
    speech: Speech, encoded: Path, name: str
) -> None:
    found = hear(speech, encoded / name, captured_at=NOON, session=name, attributes={"n": 1})
    assert word_error_rate(SAID["text"], " ".join(o.text for o in found)) <= 0.05
    assert len(found) == len(SAID["sentences"])
    for observation, sentence in zip(found, SAID["sentences"], strict=True):
        offset = observation.attributes["offset"]
        assert isinstance(offset, float)
        assert offset == pytest.approx(sentence["start"], abs=0.5)
        assert offset + observation.duration == pytest.approx(sentence["end"], abs=0.5)
        assert observation.captured_at == NOON + timedelta(seconds=offset)
        assert observation.modality == "speech"
        assert observation.session == name
        assert observation.attributes["language"] == "en"
        assert observation.attributes["n"] == 1
        assert 0.4 < observation.attributes["confidence"] <= 1  # type: ignore[operator]
    originals = {(m.mime, m.digest, m.path) for o in found for m in o.media if m.kind == "original"}
    assert len(originals) == 1
    assert originals.pop()[::2] == (FORMATS[name][3], encoded / name)


def test_words_have_times_and_probabilities(speech: Speech) -> None:
    for observation in hear(speech, CLIP):
        media = observation.find_media("words")
        assert media is not None
        rows = json.loads(media.read())
        assert " ".join(row[0] for row in rows) == observation.text
        times = [time for row in rows for time in row[1:3]]
        assert times == sorted(times)
        assert times[0] == observation.attributes["offset"]
        assert all(0 < row[3] <= 1 for row in rows)


def test_a_waveform_has_the_peaks_of_what_was_said(speech: Speech) -> None:
    for observation in hear(speech, CLIP):
        media = observation.find_media("waveform")
        assert media is not None
        peaks = json.loads(media.read())
        assert len(peaks) == 60
        assert all(0 <= peak <= 100 for peak in peaks)
        assert max(peaks) > 3 * min(peaks), "words are louder than what is between them"


def test_a_wrong_extension_is_no_hindrance(speech: Speech, encoded: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(encoded / "a.m4a", tmp_path / "really-m4a.wav"))
    found = hear(speech, path)
    assert word_error_rate(SAID["text"], " ".join(o.text for o in found)) <= 0.05
    media = found[0].find_media("original")
    assert media is not None
    assert media.mime == "audio/mp4"


def test_hearing_twice_gives_the_same_observations(speech: Speech) -> None:
    again = Speech(SERVICES)
    ids = [o.id for o in hear(speech, CLIP)]
    with ThreadPoolExecutor(2) as pool:
        for found in pool.map(lambda _: hear(again, CLIP), range(2)):
            assert [o.id for o in found] == ids


def test_a_gap_in_the_time_stamps_is_time(speech: Speech, clip: Samples, tmp_path: Path) -> None:
    pause = 4.8  # between the two sentences
    path = write(tmp_path / "a.mkv", clip, "a.mkv", gap=(pause, 20.0))
    first, second = hear(speech, path)
    assert first.attributes["offset"] == pytest.approx(0.35, abs=0.5)
    assert second.attributes["offset"] == pytest.approx(24.84, abs=0.5)


def test_a_long_recording_is_heard_in_pieces(speech: Speech, clip: Samples, tmp_path: Path) -> None:
    silence = np.zeros(594 * RATE, np.int16)  # so that the second call straddles ten minutes
    path = tmp_path / "a.wav"
    path.write_bytes(wav(np.concatenate([silence, clip])))
    found = hear(speech, path)
    assert word_error_rate(SAID["text"], " ".join(o.text for o in found)) <= 0.05
    starts = [594 + sentence["start"] for sentence in SAID["sentences"]]
    assert [o.attributes["offset"] for o in found] == pytest.approx(starts, abs=0.5)


# -- what is not heard ---------------------------------------------------------------------------


def silence(_: np.random.Generator, n: int) -> NDArray[np.float64]:
    return np.zeros(n)


def white(rng: np.random.Generator, n: int) -> NDArray[np.float64]:
    return rng.standard_normal(n)


def pink(rng: np.random.Generator, n: int) -> NDArray[np.float64]:
    spectrum = np.fft.rfft(rng.standard_normal(n))
    return np.fft.irfft(spectrum / np.sqrt(np.arange(1, len(spectrum) + 1)), n)


def note(frequency: float, seconds: float, rng: np.random.Generator) -> NDArray[np.float64]:
    time = np.arange(int(seconds * RATE)) / RATE
    phase = 2 * np.pi * frequency * time + 0.3 * np.sin(2 * np.pi * 5.5 * time)
    tone = sum(np.sin(h * phase) / h ** rng.uniform(0.8, 1.6) for h in range(1, 11))
    return np.asarray(tone * np.minimum(1, time / 0.02) * np.exp(-2 * time))


def music(rng: np.random.Generator, n: int) -> NDArray[np.float64]:
    """Chords, a melody with harmonics and vibrato, bass drum and hi-hat, in a random tempo."""
    beat = 60 / rng.uniform(80, 150)
    root = rng.uniform(110, 220)
    scale = root * 2 ** (np.array([0, 2, 4, 5, 7, 9, 11, 12, 14, 16]) / 12)
    song = np.zeros(n + 5 * RATE)
    for step in range(int(n / RATE / beat)):
        at = int(step * beat * RATE)
        parts = [0.4 * note(2 * scale[rng.integers(10)], beat, rng)]
        parts.append(0.2 * rng.standard_normal(RATE // 20) * np.linspace(1, 0, RATE // 20) ** 3)
        if step % 4 == 0:
            degree = rng.integers(5)
            parts += [0.2 * note(scale[degree + third], 4 * beat, rng) for third in (0, 2, 4)]
            thump = np.arange(RATE // 4) / RATE
            parts.append(np.sin(2 * np.pi * 55 * thump) * np.exp(-12 * thump))
        for part in parts:
            song[at : at + len(part)] += part
    return song[:n]


@pytest.mark.parametrize(("seed", "vad"), [(1, True), (2, True), (3, True), (3, False)])
@pytest.mark.parametrize("make", [silence, white, pink, music])
def test_nothing_is_heard_where_nobody_speaks(
    make: Callable[[np.random.Generator, int], NDArray[np.float64]],
    seed: int,
    vad: bool,
    tmp_path: Path,
    speech: Speech,
    deaf: Speech,
) -> None:
    sound = make(np.random.default_rng(seed), 10 * RATE)
    level = {1: 0.02, 2: 0.2, 3: 0.9}[seed] * 32767
    loud = (sound / (np.abs(sound).max() or 1) * level).astype(np.int16)
    path = write(tmp_path / "a.wav", loud)
    (only,) = hear(speech if vad else deaf, path, captured_at=NOON)
    assert (only.text, only.captured_at, only.duration) == ("", NOON, 10.0)
    assert dict(only.attributes) == {"speech": False}
    assert only.find_media("original") is not None


@pytest.fixture(scope="session")
def deaf() -> Speech:
    """Without the voice-activity filter, so that Whisper itself has to say that nobody speaks."""
    return Speech(SERVICES, threads=1, vad=False, beam_size=1)


# -- when ----------------------------------------------------------------------------------------


@pytest.fixture
def quiet() -> Samples:
    return np.zeros(2 * RATE, np.int16)


@pytest.mark.parametrize("form", ["a.m4a", "a.mp4", "a.webm"])
def test_the_containers_own_time_comes_first(
    speech: Speech, quiet: Samples, form: str, tmp_path: Path
) -> None:
    path = tmp_path / f"2001-01-01_000000_{form}"
    write(path, quiet, form, tags={"creation_time": "2026-03-14T12:00:00.000000Z"})
    assert hear(speech, path)[0].captured_at == NOON
    assert hear(speech, path, captured_at=NOON + timedelta(1))[0].captured_at.day == 15


def test_a_clock_that_was_never_set_is_not_believed(
    speech: Speech, quiet: Samples, tmp_path: Path
) -> None:
    path = tmp_path / "2026-03-14T120000Z.m4a"
    write(path, quiet, "a.m4a", tags={"creation_time": "1970-01-01T00:00:00Z"})
    assert hear(speech, path)[0].captured_at == NOON


def test_a_name_tells_the_start_and_the_modification_time_the_end(
    speech: Speech, quiet: Samples, tmp_path: Path
) -> None:
    path = write(tmp_path / "2026-03-14T120000Z_call.wav", quiet)
    assert hear(speech, path)[0].captured_at == NOON
    path = path.rename(tmp_path / "call.wav")
    os.utime(path, (NOON.timestamp(), NOON.timestamp()))
    assert hear(speech, path)[0].captured_at == NOON - timedelta(seconds=2)


# -- damage --------------------------------------------------------------------------------------


def wav(sound: Samples, promised: int | None = None, codec: int = 1, bits: int = 16) -> bytes:
    data = sound.tobytes()
    size = len(data) if promised is None else promised
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, codec, 1, RATE, 2 * RATE, 2, bits)
    riff = struct.pack("<4sI4s", b"RIFF", min(size + 36, 0xFFFFFFFF), b"WAVE")
    return riff + form + struct.pack("<4sI", b"data", size) + data


BUZZ = np.tile(np.array([0, -1000], np.int16), RATE)  # two seconds


@pytest.mark.parametrize("promised", [0, 0xFFFFFFFF])
def test_a_wav_with_an_open_length_is_taken_whole(
    speech: Speech, promised: int, tmp_path: Path
) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(wav(BUZZ, promised))
    assert hear(speech, path)[0].duration == 2.0


@pytest.mark.parametrize("name", ["a.mp3", "vorbis.ogg", "a.webm"])
def test_a_stream_may_end_anywhere(
    speech: Speech, encoded: Path, name: str, tmp_path: Path
) -> None:
    data = (encoded / name).read_bytes()
    path = tmp_path / name
    path.write_bytes(data[: int(len(data) * 0.55)])
    assert "bravo is running quietly" in hear(speech, path)[0].text.lower()


def test_a_damaged_stretch_is_passed_over(speech: Speech, encoded: Path, tmp_path: Path) -> None:
    data = bytearray((encoded / "a.mp3").read_bytes())
    data[len(data) // 2 : len(data) // 2 + 300] = bytes(300)
    path = tmp_path / "a.mp3"
    path.write_bytes(data)
    found = hear(speech, path)
    assert word_error_rate(SAID["text"], " ".join(o.text for o in found)) <= 0.3


DAMAGED: dict[str, tuple[bytes, str]] = {
    "empty.wav": (b"", "cannot be read"),
    "header.wav": (wav(BUZZ[:0]), "nothing in its sound track"),
    "codec.wav": (wav(BUZZ, codec=0xABCD), "nothing in its sound track"),
    "bits.wav": (wav(BUZZ, bits=0), "nothing in its sound track"),
    "cut-header.wav": (wav(BUZZ)[:20], "cannot be read"),
    "more-promised.wav": (wav(BUZZ, 10 * 2 * RATE), "promises 960,000 bytes of sound, 192,000"),
    "less-promised.wav": (wav(BUZZ, 2 * RATE), "promises 96,000 bytes of sound, 192,000"),
    "words.wav": (b"These are words, no sound. " * 99, "cannot be read as audio/wav"),
    "words.mp3": (b"These are words, no sound. " * 99, "cannot be read as audio/mpeg"),
    "words.ogg": (b"These are words, no sound. " * 99, "cannot be read as audio/ogg"),
    "list.m4a": (b"#EXTM3U\n#EXTINF:9,\nfile:///etc/passwd\n", "cannot be read as audio/mp4"),
    "zeros.flac": (bytes(5000), "nothing in its sound track"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damage_is_an_error_that_says_what_to_do(speech: Speech, name: str, tmp_path: Path) -> None:
    data, says = DAMAGED[name]
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(SourceInvalid) as caught:
        hear(speech, path)
    assert says in caught.value.reason
    assert "ffmpeg" in caught.value.reason
    assert caught.value.source == str(path)


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.m4a", "a.mp4", "a.mov"])
def test_a_file_cut_short_of_its_header_is_an_error(
    speech: Speech, encoded: Path, name: str, tmp_path: Path
) -> None:
    data = (encoded / name).read_bytes()
    path = tmp_path / name
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(SourceInvalid, match="ffmpeg"):
        hear(speech, path)


def test_a_film_without_sound_is_an_error(speech: Speech, tmp_path: Path) -> None:
    path = tmp_path / "silent.mp4"
    with av.open(str(path), "w") as out:
        film: Any = out.add_stream("mpeg4", rate=5, width=64, height=48, pix_fmt="yuv420p")
        out.mux(film.encode(av.VideoFrame(64, 48, "yuv420p")))
        out.mux(film.encode(None))
    with pytest.raises(SourceInvalid, match="no sound track"):
        hear(speech, path)


def test_a_recording_over_the_limit_is_refused(
    speech: Speech, clip: Samples, tmp_path: Path
) -> None:
    short = Limits(sound_seconds=5)
    with pytest.raises(SourceTooLarge, match=r"limits\.sound_seconds allows 5: cut it"):
        hear(speech, write(tmp_path / "a.wav", clip), limits=short)
    jump = write(tmp_path / "a.mkv", clip[:RATE], "a.mkv", gap=(0.5, 1e6))
    with pytest.raises(SourceTooLarge, match=r"limits\.sound_seconds allows 5: cut it"):
        hear(speech, jump, limits=short)


@pytest.mark.parametrize(
    "head",
    [
        b"\xff\xfeW\0o\0r\0d\0s\0",
        b"\0\0\0\x1cftypheic\0\0\0\0",
        b"\0\0\0\x20ftypavif\0\0\0\0",
        b"RIFF\x24\0\0\0WEBPVP8 ",
        b"\x89PNG\r\n\x1a\n",
        b"Just some words",
    ],
)
def test_other_files_are_not_claimed(speech: Speech, head: bytes, tmp_path: Path) -> None:
    path = tmp_path / "unnamed"
    path.write_bytes(head)
    source = opened(path)
    assert not speech.accepts(source)
    with pytest.raises(SourceUnsupported):
        list(speech.observe(source))


# -- options -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [{"beam_size": 0}, {"threads": -1}],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(options))):
        Speech(SERVICES, **options)


def test_a_model_is_a_pinned_name_or_a_directory(tmp_path: Path) -> None:
    pinned = SERVICES.weights.find("whisper-tiny.en")
    assert hear(Speech(SERVICES, model=str(pinned)), CLIP)[0].attributes["language"] == "en"
    with pytest.raises(WeightsError, match="whisper-huge"):
        hear(Speech(SERVICES, model="whisper-huge"), CLIP)
    with pytest.raises(ConfigError, match=r"tokenizer\.json"):
        hear(Speech(SERVICES, model=str(tmp_path)), CLIP)
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(ConfigError, match="cannot be used"):
        hear(Speech(SERVICES, model=str(tmp_path)), CLIP)


@pytest.mark.parametrize(
    ("options", "says"), [({"language": "de"}, "'de'"), ({"compute_type": "int3"}, "int3")]
)
def test_what_the_model_cannot_do_is_an_error(options: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        hear(Speech(SERVICES, **options), CLIP)


# -- utterances ----------------------------------------------------------------------------------


def spoken(text: str, start: float, seconds: float = 0.4) -> list[Word]:
    return [
        Word(f" {word}", start + i * seconds, start + (i + 1) * seconds, 0.9, -0.2)
        for i, word in enumerate(text.split())
    ]


def texts(*segments: list[Word]) -> list[str]:
    return [utterance.text for utterance in utterances(segments)]


def test_segments_are_joined_to_sentences() -> None:
    assert texts(spoken("Turn the", 0), spoken("pump off.", 1)) == ["Turn the pump off."]
    assert texts(spoken("All is well.", 0), spoken("It is hot.", 2)) == [
        "All is well.",
        "It is hot.",
    ]
    assert texts(spoken("Yes.", 0), spoken("It is hot.", 1)) == ["Yes. It is hot."]
    assert texts(spoken("Yes.", 0), spoken("It is hot.", 9)) == ["Yes.", "It is hot."]
    assert texts(spoken("Turn the", 0) + spoken("pump off.", 9)) == ["Turn the", "pump off."]


def test_long_speech_is_cut_at_the_end_of_a_sentence() -> None:
    sentence = "one two three four five six seven eight nine ten."
    assert texts(spoken(" ".join([sentence] * 8), 0, 0.5)) == [
        " ".join([sentence] * 6),
        " ".join([sentence] * 2),
    ]


@st.composite
def segments(draw: st.DrawFn) -> list[list[Word]]:
    time, made = 0.0, []
    for _ in range(draw(st.integers(0, 12))):
        segment = []
        for _ in range(draw(st.integers(0, 12))):
            time += draw(st.sampled_from([0.0, 0.1, 0.5, 2.0, 8.0]))
            end = time + draw(st.sampled_from([0.0, 0.3, 1.0, 5.0]))
            segment.append(Word(draw(st.sampled_from([" a", " b.", " c?"])), time, end, 1, 0))
            time = end
        made.append(segment)
    return made


@given(segments())
def test_utterances_keep_every_word_and_no_pause(made: list[list[Word]]) -> None:
    found = list(utterances(made))
    assert [w for u in found for w in u.words] == [w for segment in made for w in segment]
    for utterance in found:
        assert utterance.end - utterance.start <= LONGEST_SECONDS or len(utterance.words) == 1
        assert all(b.start - a.end <= PAUSE_SECONDS for a, b in pairwise(utterance.words))
