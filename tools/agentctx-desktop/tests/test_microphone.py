"""What is said: cut at silence, on time, with its words; and what is no speech is let go of."""

import io
import json
import signal
import subprocess
import sys
import threading
import time
import wave
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agentctx import Config, Memory, registry, watching
from agentctx.contracts import Arrival
from agentctx.errors import ConfigError, SourceError
from agentctx.services import SharedServices
from agentctx.testing.contracts import WatcherContract
from agentctx_desktop import Microphone
from agentctx_desktop.segments import segments

RATE = 16_000
Samples = np.ndarray[Any, np.dtype[np.int16]]


def wav(samples: Samples, rate: int = RATE, channels: int = 1) -> bytes:
    """A WAV file of these."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.repeat(samples, channels).astype("<i2").tobytes())
    return out.getvalue()


@pytest.fixture(scope="session")
def two_calls(said: Callable[[str], Samples], silence: Callable[[float], Samples]) -> Samples:
    """Silence, a call of 12 s, silence, another of the same length, silence."""
    parts = [silence(2), said("radio-leak"), silence(2), said("radio-decision"), silence(2)]
    return np.concatenate(parts)


@pytest.fixture
def recording(two_calls: Samples, tmp_path: Path) -> Path:
    """A file that says when it was recorded."""
    path = tmp_path / "2026-03-14T091206Z_radio.wav"
    path.write_bytes(wav(two_calls))
    return path


def heard(options: Mapping[str, Any]) -> list[tuple[Arrival, Samples]]:
    """Each arrival, with its samples."""
    made = registry.build("watchers", "microphone", SharedServices(Config()), options)
    found = []
    for arrival in made.watch(threading.Event()):
        with wave.open(str(arrival.item)) as file:
            assert (file.getframerate(), file.getnchannels()) == (RATE, 1)
            samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        found.append((arrival, samples))
    return found


class TestContract(WatcherContract):
    factory = Microphone

    @pytest.fixture
    def reachable(self, recording: Path) -> Mapping[str, Any]:
        return {"file": recording}

    @pytest.fixture
    def unreachable(self, tmp_path: Path) -> Mapping[str, Any]:
        return {"file": tmp_path / "none.wav"}

    @pytest.fixture
    def happen(self) -> Callable[[], None]:
        return lambda: None


def test_each_call_is_a_recording_of_its_own_at_its_time(
    recording: Path, two_calls: Samples
) -> None:
    found = heard({"file": recording})
    assert len(found) == 2
    began = datetime(2026, 3, 14, 9, 12, 6, tzinfo=UTC)
    for (arrival, samples), from_, to in zip(found, (2.0, 16.4), (14.6, 28.5), strict=True):
        assert arrival.source == str(recording)
        assert arrival.captured_at is not None
        start = (arrival.captured_at - began).total_seconds()
        assert from_ - 0.5 < start < from_ + 1
        assert to - 1.5 < start + len(samples) / RATE < to + 0.5
        # The very samples, not one more or less.
        first = round(start * RATE)
        assert np.array_equal(samples, two_calls[first : first + len(samples)])


def test_its_words_are_found(recording: Path, tmp_path: Path) -> None:
    with Memory.open(tmp_path / "memory") as memory:
        for source, report in watching.watch(
            memory, "microphone", {"file": recording}, stop=threading.Event(), session="shift"
        ):
            assert source == str(recording)
            assert report.failed == ()
        (hit,) = memory.search("who said that the seal is leaking?", limit=1)
        spoken = memory.timeline(modality="speech")
    assert "seal is leaking" in hit.text
    assert hit.session == "shift"
    assert len(spoken) >= 4
    assert all(one.text for one in spoken)
    assert 8 <= (hit.captured_at - datetime(2026, 3, 14, 9, 12, tzinfo=UTC)).total_seconds() <= 14


@pytest.mark.parametrize("kind", ["silence", "hum", "clicks"])
def test_where_nobody_speaks_nothing_is_kept(
    kind: str, silence: Callable[[float], Samples], tmp_path: Path
) -> None:
    time_ = np.arange(10 * RATE) / RATE
    sounds = {
        "silence": silence(10),
        "hum": (6000 * np.sin(2 * np.pi * 100 * time_)).astype(np.int16),
        "clicks": np.where(np.arange(10 * RATE) % RATE < 40, 20_000, 0).astype(np.int16),
    }
    (tmp_path / "a.wav").write_bytes(wav(sounds[kind]))
    assert heard({"file": tmp_path / "a.wav"}) == []


def test_what_goes_on_is_cut_and_nothing_of_it_is_lost(two_calls: Samples) -> None:
    whole = list(segments([two_calls], 0.8, 30))
    parts = list(segments(np.array_split(two_calls, 97), 0.8, 4))
    assert len(parts) > len(whole) == 2
    assert all(len(part.samples) <= 4 * RATE + 16 * 512 for part in parts)
    # One goes on where the one before was cut, or after silence.
    for call in whole:
        inside = [p for p in parts if call.start <= p.start < call.start + len(call.samples)]
        joined = np.concatenate([part.samples for part in inside])
        assert abs(len(joined) - len(call.samples)) < 0.7 * RATE


def test_how_the_sound_comes_makes_no_difference(two_calls: Samples) -> None:
    one, other = (list(segments(blocks, 0.8, 30)) for blocks in
                  ([two_calls], np.array_split(two_calls, 1013)))  # fmt: skip
    assert [segment.start for segment in one] == [segment.start for segment in other]
    for a, b in zip(one, other, strict=True):
        assert np.array_equal(a.samples, b.samples)


def test_a_longer_pause_keeps_calls_together(recording: Path) -> None:
    ((_, samples),) = heard({"file": recording, "pause": 5.0})
    assert len(samples) > 24 * RATE


def test_another_rate_and_two_channels(two_calls: Samples, tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(wav(np.repeat(two_calls, 3), 3 * RATE, 2))
    assert len(heard({"file": tmp_path / "a.wav"})) == 2


def test_a_pipe_is_heard_as_it_comes(two_calls: Samples, tmp_path: Path) -> None:
    """As ``arecord | agentctx watch microphone --file -``: a first call is there before the end."""
    memory = tmp_path / "memory"
    words = ["watch", "microphone", "--file", "-", "--memory", str(memory), "--json"]
    code = "from agentctx.cli import main; main()"
    with subprocess.Popen(
        [sys.executable, "-c", code, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        data = wav(two_calls)
        half = 44 + 2 * RATE * 18
        process.stdin.write(data[:half])
        process.stdin.flush()
        first = json.loads(process.stdout.readline())
        assert (first["source"], first["failed"]) == ("standard input", [])
        assert first["added"] >= 1
        process.stdin.write(data[half : half + 2 * RATE * 4])
        process.stdin.flush()
        time.sleep(0.5)
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)  # while it waits for more
        rest = process.stdout.read()
        assert process.wait(30) == 0
    assert time.monotonic() - began < 20
    assert len(rest.splitlines()) == 1, "what was held is lost"
    with Memory.open(memory) as opened:
        assert len(opened.timeline(modality="speech")) > first["added"]


def test_what_is_no_sound_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"RIFF nothing of the kind")
    with pytest.raises(SourceError, match="it is no WAV sound") as raised:
        heard({"file": tmp_path / "a.wav"})
    assert raised.value.source == str(tmp_path / "a.wav")


def test_without_a_microphone_it_says_what_to_do() -> None:
    """On a machine that has one, by a name that none has."""
    made = Microphone(SharedServices(Config()), device="no such microphone")
    with closing(made.watch(threading.Event())) as arrivals, pytest.raises(SourceError) as raised:
        next(arrivals)
    assert raised.value.source == "microphone"
    assert "give --file" in raised.value.reason


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"pause": 0.0}, "pause is 0.0"),
        ({"longest": 1.0}, "longest is 1.0"),
        ({"device": "1", "file": Path("a.wav")}, "not both"),
    ],
)
def test_options_that_make_no_sense(options: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        Microphone(SharedServices(Config()), **options)
