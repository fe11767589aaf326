"""The speech: an operator's radio calls by a synthetic voice, put into a noisy pump hall."""

from __future__ import annotations

import tempfile
import wave
from pathlib import Path
from typing import Any

import numpy as np

from agentctx.evaluate.days.programs import run
from demo_makers.story import CLIPS, Floats, at, iso, stamp

VOICE = "cmu_us_slt_arctic_hts"
RATE = 16_000  # Hz
SNR = 32.0  # dB; the voice loses its plosives to the hum below about 28


def read_wave(path: Path) -> Floats:
    """The samples of a 16-bit mono WAV file, -1 to 1."""
    with wave.open(str(path)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768.0


def speak(sentence: str, folder: Path) -> Floats:
    """One sentence by Festival, at RATE."""
    hint = "install Festival and its voice (Debian: apt install festival festvox-us-slt-hts)"
    spoken, resampled = folder / "spoken.wav", folder / "resampled.wav"
    run("text2wave", "-eval", f"(voice_{VOICE})", "-o", str(spoken), text=sentence, hint=hint)
    ffmpeg(spoken, "-ar", str(RATE), "-ac", "1", str(resampled))
    return read_wave(resampled)


def ffmpeg(source: Path, *options: str) -> None:
    """Convert by ffmpeg; without stamps, so that the same input gives the same bytes."""
    hint = "install ffmpeg (Debian: apt install ffmpeg)"
    head = ("-y", "-loglevel", "error", "-i", str(source), "-bitexact", "-fflags", "+bitexact")
    run("ffmpeg", *head, *options, hint=hint)


def pump_hall(speech: Floats, rng: np.random.Generator) -> Floats:
    """Put speech into a room with a short echo, a hum of 49.3 Hz and its harmonics, and hiss."""
    echo = rng.normal(size=RATE // 4) * np.exp(-np.arange(RATE // 4) / (0.032 * RATE)) * 0.05
    echo[0] = 1.0
    heard = np.convolve(speech, echo)
    hertz = np.fft.rfftfreq(len(heard), 1 / RATE)
    radio = 1 / (1 + (110 / np.maximum(hertz, 1)) ** 6) / (1 + (hertz / 5600) ** 10)
    heard = np.fft.irfft(np.fft.rfft(heard) * radio, len(heard))

    hiss = np.fft.rfft(rng.normal(size=len(heard))) / np.sqrt(np.maximum(hertz, 60))
    noise = np.fft.irfft(hiss, len(heard))
    noise /= noise.std()
    seconds = np.arange(len(heard)) / RATE
    for harmonic, level in ((1, 0.5), (2, 0.8), (4, 0.4), (6, 0.3)):
        noise += level * np.sin(2 * np.pi * 49.3 * harmonic * seconds)
    loud = heard[np.abs(heard) > 0.02].std()
    mixed = heard + noise / noise.std() * loud * 10 ** (-SNR / 20)
    return np.asarray(0.8 * mixed / np.abs(mixed).max())


def write_speech(out: Path) -> dict[str, Any]:
    """Speak every clip; return the truth: per file its text and the span of every sentence."""
    truth: dict[str, Any] = {}
    pause = np.zeros(RATE * 35 // 100)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for clock, (stem, sentences) in CLIPS.items():
            parts, spans = [pause], []
            for sentence in sentences:
                start = sum(map(len, parts)) / RATE
                parts += [speak(sentence, folder), pause]
                end = (sum(map(len, parts)) - len(pause)) / RATE
                spans.append({"start": round(start, 2), "end": round(end, 2), "text": sentence})
            samples = pump_hall(np.concatenate(parts), np.random.default_rng(at(clock)))
            with wave.open(str(folder / "clip.wav"), "wb") as file:
                file.setparams((1, 2, RATE, 0, "NONE", ""))
                file.writeframes((samples * 32767).astype("<i2").tobytes())
            path = out / f"{stamp(clock, stem)}.ogg"
            ffmpeg(folder / "clip.wav", "-c:a", "libopus", "-b:a", "32k", str(path))
            truth[path.name] = {
                "captured_at": iso(at(clock)),
                "duration": round(len(samples) / RATE, 2),
                "text": " ".join(sentences),
                "sentences": spans,
            }
    return truth
