"""Every built-in plugin holds its contract, on real files."""

import io
import json
import wave
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from agentctx import registry
from agentctx.plugins.screenshot import Screenshot
from agentctx.plugins.sensor import Sensor
from agentctx.plugins.speech import Speech
from agentctx.plugins.text import Text
from agentctx.plugins.transcript import Transcript
from agentctx.testing.contracts import PluginContract

SAMPLES = Path(str(files("agentctx.demo"))) / "samples"
CALL = SAMPLES / "2026-03-14T092340Z_operator-radio-handover.ogg"
Contents = dict[str, str | bytes]


def written(folder: Path, contents: Contents) -> list[Path]:
    paths = []
    for name, content in contents.items():
        path = folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        paths.append(path)
    return paths


def sound(samples: bytes) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(samples)
    return out.getvalue()


def sentence() -> bytes:
    """The first sentence of a call of the demo."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=16_000)
    with av.open(str(CALL)) as opened:
        frames = [out for frame in opened.decode(audio=0) for out in resampler.resample(frame)]
    samples = np.concatenate([frame.to_ndarray().ravel() for frame in frames])
    return sound(samples[: round(4.7 * 16_000)].tobytes())


def screen(words: str, form: str) -> bytes:
    image = Image.new("RGB", (240, 60), "white")
    font = ImageFont.truetype("DejaVuSans.ttf", 17)
    ImageDraw.Draw(image).text((20, 18), words, "black", font)
    out = io.BytesIO()
    image.save(out, form)
    return out.getvalue()


def log(*rows: tuple[object, float], time: str = "time") -> str:
    return "\n".join([f"{time},pressure_bar", *(f"{when},{value}" for when, value in rows)])


NOTE = "The seal leaks.\n"
SUBTITLES = "1\n00:00:01,000 --> 00:00:02,500\nThe seal leaks.\n"
LOG = log(*((f"2026-03-14T09:{s // 60:02}:{s % 60:02}Z", 5 + s % 7 / 10) for s in range(150)))
SILENCE = sound(bytes(3200))
NOISE = np.random.default_rng(0).bytes(3000)


class TestText(PluginContract):
    factory = Text

    @pytest.fixture
    def sources(self, tmp_path: Path) -> Sequence[Path]:
        utf16 = NOTE.encode("utf-16")
        return written(tmp_path, {"a.md": NOTE, "2026-03-14 09.30.00.txt": NOTE, "b.log": utf16})

    @pytest.fixture
    def foreign(self, tmp_path: Path) -> Sequence[Path]:
        others: Contents = {"a.csv": LOG, "a.wav": SILENCE, "a.srt": SUBTITLES, "a": NOTE}
        return written(tmp_path, others)

    @pytest.fixture
    def damaged(self, tmp_path: Path) -> Sequence[Path]:
        bad: Contents = {"noise.txt": NOISE, "nul.md": b"a\0b", "blank.txt": " \n", "0.log": b""}
        return written(tmp_path, bad)


class TestTranscript(PluginContract):
    factory = Transcript

    @pytest.fixture
    def sources(self, tmp_path: Path) -> Sequence[Path]:
        vtt = "WEBVTT\n\n00:05.000 --> 00:06.000\nLater.\n\n00:01.000 --> 00:02.000\nSooner.\n"
        whisper = {
            "text": " The seal leaks.",
            "language": "en",
            "segments": [{"id": 0, "start": 0.0, "end": 1.5, "text": " The seal leaks."}],
        }
        good: Contents = {"a.srt": SUBTITLES, "a.vtt": vtt, "a.json": json.dumps(whisper)}
        return written(tmp_path, good)

    @pytest.fixture
    def foreign(self, tmp_path: Path) -> Sequence[Path]:
        others: Contents = {"a.txt": NOTE, "b.json": '{"time": 1, "value": 2}', "a.csv": LOG}
        return written(tmp_path, others)

    @pytest.fixture
    def damaged(self, tmp_path: Path) -> Sequence[Path]:
        bad: Contents = {
            "cut.json": '{"segments": [{"start": 0.0, "end": 1.5, "te',
            "noise.srt": NOISE,
            "prose.srt": "no cue in here",
            "0.vtt": b"",
        }
        return written(tmp_path, bad)


class TestScreenshot(PluginContract):
    factory = Screenshot

    @pytest.fixture
    def sources(self, tmp_path: Path) -> Sequence[Path]:
        return written(tmp_path, {"2026-03-14T091212Z_a.png": screen("Alarm V-417", "PNG")})

    @pytest.fixture
    def foreign(self, tmp_path: Path) -> Sequence[Path]:
        others: Contents = {"a.txt": NOTE, "a.wav": SILENCE, "a.csv": LOG, "noise": NOISE}
        return written(tmp_path, others)

    @pytest.fixture
    def damaged(self, tmp_path: Path) -> Sequence[Path]:
        whole = screen("Alarm V-417", "PNG")
        cut = screen("Alarm V-417", "JPEG")[:600]
        bad: Contents = {"half.png": whole[: len(whole) // 2], "cut.jpg": cut, "noise.png": NOISE}
        return written(tmp_path, bad)


class TestSpeech(PluginContract):
    factory = Speech
    options = {"beam_size": 1}  # noqa: RUF012 - as authors write it

    @pytest.fixture
    def sources(self, tmp_path: Path) -> Sequence[Path]:
        return written(tmp_path, {"call.wav": sentence()})

    @pytest.fixture
    def foreign(self, tmp_path: Path) -> Sequence[Path]:
        others: Contents = {"a.txt": NOTE, "a.srt": SUBTITLES, "a.png": screen("a", "PNG")}
        return written(tmp_path, others)

    @pytest.fixture
    def damaged(self, tmp_path: Path) -> Sequence[Path]:
        bad: Contents = {"noise.wav": NOISE, "header.wav": SILENCE[:44], "cut.ogg": b"OggS"}
        return written(tmp_path, bad)


class TestSensorLogOfItsOwnTimes(PluginContract):
    factory = Sensor
    own_times = True

    @pytest.fixture
    def sources(self, tmp_path: Path) -> Sequence[Path]:
        lines = "\n".join(json.dumps({"ts": 1773480000 + s, "rpm": 1400 + s}) for s in range(90))
        return written(tmp_path, {"pump.csv": LOG, "motor.jsonl": lines})

    @pytest.fixture
    def foreign(self, tmp_path: Path) -> Sequence[Path]:
        others: Contents = {"a.txt": NOTE, "a.json": '{"text": "a"}', "a.srt": SUBTITLES}
        return written(tmp_path, others)

    @pytest.fixture
    def damaged(self, tmp_path: Path) -> Sequence[Path]:
        bad: Contents = {
            "noise.csv": NOISE,
            "header.csv": "time,pressure_bar\n",
            "words.csv": "name,colour\npump,red\n",
            "cut.parquet": b"PAR1" + NOISE,
            "cut.arrow": b"ARROW1" + NOISE,
        }
        return written(tmp_path, bad)


class TestSensorLogFromTheHintOn(TestSensorLogOfItsOwnTimes):
    own_times = False

    @pytest.fixture
    def sources(self, tmp_path: Path) -> Sequence[Path]:
        elapsed = log(*((s / 2, 5 + s % 7 / 10) for s in range(150)), time="seconds")
        return written(tmp_path, {"elapsed.csv": elapsed})


def test_none_is_left_out() -> None:
    suites = {suite.factory for suite in globals().values() if hasattr(suite, "factory")}
    names = registry.names("plugins")
    assert [name for name in names if registry.factory("plugins", name) not in suites] == []
