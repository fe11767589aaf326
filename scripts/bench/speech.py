"""Engines for speech: words, speed against the bare library, memory; and streams that overlap.

    python scripts/bench/speech.py [--data DIR] [--weights DIR] [--engine NAME ...] [--rounds N]
    python scripts/bench/speech.py --stream [--data DIR]

DIR of the data is a folder with transcripts.json, as ``agentctx eval`` takes it; the demo's calls
serve without it. DIR of the weights is what ``scripts/whisper_weights.py`` writes: with it the
engines on torch are measured as well. Each has a process of its own, in which plugin and bare
library hear each recording in turn; medians.

``--stream`` cuts one long recording (the demo's calls and those of the data, at several speeds)
into chunks of 30 s that overlap by 20 %, and adds them to a memory that knows its recent sound, and
to one that does not.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from clock import take_turns
from numpy.typing import NDArray

from agentctx import Memory
from agentctx.config import Config
from agentctx.contracts import Source
from agentctx.evaluate.metrics import edits, spoken_words
from agentctx.plugins.speech import Speech
from agentctx.plugins.speech.audio import RATE, read_recording
from agentctx.services import SharedServices

SAMPLES = Path(str(files("agentctx.demo") / "samples"))
THREADS, BEAMS = 2, 5
CHUNK, STEP = 30, 24  # seconds
SPEEDS = (1.0, 0.94, 1.06, 0.9, 1.1)  # so that no sentence of the stream is one of before
BEGAN = datetime(2026, 3, 14, 9, tzinfo=UTC)
Samples = NDArray[np.int16]


def recordings(data: Path | None) -> dict[Path, str]:
    """Files and what is said in them."""
    folder = data or SAMPLES
    said = json.loads((folder / "transcripts.json").read_text("utf-8"))
    rows = said.items() if isinstance(said, dict) else ((row["file"], row) for row in said)
    return {folder / name: row["text"] for name, row in rows}


def source(path: Path, **known: Any) -> Source:  # noqa: ANN401
    """A file for the plugin."""
    with path.open("rb") as file:
        return Source(path, file.read(4096), **known)


def _sound(path: str) -> NDArray[np.float32]:
    from faster_whisper import decode_audio

    return np.asarray(decode_audio(path), np.float32)


def bare_faster(model: str | None) -> Callable[[str], object]:
    """faster-whisper by itself, with our options."""
    from faster_whisper import WhisperModel

    from agentctx.weights.store import WeightStore

    found = model or str(WeightStore().find("whisper-tiny.en"))
    engine = WhisperModel(found, compute_type="int8", cpu_threads=THREADS)
    options = {"beam_size": BEAMS, "word_timestamps": True, "temperature": 0.0,
               "condition_on_previous_text": False, "log_prob_threshold": None}  # fmt: skip
    return lambda path: list(engine.transcribe(path, vad_filter=True, **options)[0])


def bare_openai(model: str | None) -> Callable[[str], object]:
    """openai-whisper by itself, with our options; it knows no voice-activity filter."""
    import torch
    import whisper

    torch.set_num_threads(THREADS)
    engine = whisper.load_model(model or "tiny.en", device="cpu")
    return lambda path: engine.transcribe(
        _sound(path), beam_size=BEAMS, word_timestamps=True, temperature=0.0, fp16=False,
        condition_on_previous_text=False, logprob_threshold=None, language="en",
    )  # fmt: skip


def bare_transformers(model: str | None) -> Callable[[str], object]:
    """The pipeline of transformers, with our options; it knows no voice-activity filter."""
    import torch
    from transformers import pipeline

    torch.set_num_threads(THREADS)
    engine = pipeline("automatic-speech-recognition", model or "openai/whisper-tiny.en")
    return lambda path: engine(
        {"raw": _sound(path), "sampling_rate": RATE}, return_timestamps="word",
        generate_kwargs={"num_beams": BEAMS, "temperature": 0.0},
    )  # fmt: skip


BARE = {
    "faster-whisper": bare_faster,
    "openai-whisper": bare_openai,
    "transformers": bare_transformers,
}
MODELS = {"faster-whisper": None, "openai-whisper": "tiny.en.pt", "transformers": "transformers"}


def peak_mb() -> float:
    """The most memory this process has held, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(engine: str, model: str | None, data: Path | None, rounds: int) -> dict[str, Any]:
    """One engine: word errors, seconds in turn with the bare library, peak memory of the plugin."""
    said = recordings(data)
    plugin = Speech(SharedServices(Config()), engine=engine, model=model, threads=THREADS)
    sessions = iter(range(1_000_000))

    def ours(path: str) -> list[str]:
        found = plugin.observe(source(Path(path), session=str(next(sessions))))
        return [one.text for one in found]

    wrong, words = 0, 0
    for path, text in said.items():
        reference = spoken_words(text)
        wrong += edits(reference, spoken_words(" ".join(ours(str(path)))))
        words += len(reference)
    memory = peak_mb()
    bare = BARE[engine](model)
    paths = [str(path) for path in said]
    bare(paths[0])
    seconds = take_turns({"agentctx": ours, "bare": bare}, paths, rounds)
    # Wall and processor time: the median of each recording, all of them together.
    sums = {
        name: np.median(rows.reshape(rounds, -1, 2), axis=0).sum(axis=0)
        for name, rows in seconds.items()
    }
    ours_took, bare_took = sums["agentctx"], sums["bare"]
    sound = sum(read_recording(source(path)).seconds for path in said)
    return {
        "word_error_rate": round(wrong / words, 4),
        "times_real_time": round(float(sound / ours_took[0]), 1),
        "bare_times_real_time": round(float(sound / bare_took[0]), 1),
        "throughput_of_bare": round(float(bare_took[0] / ours_took[0]), 2),
        "by_processor_time": round(float(bare_took[1] / ours_took[1]), 2),
        "peak_mb": round(memory),
    }


def stream(data: Path | None) -> tuple[Samples, list[str]]:
    """Recordings one after the other at several speeds, as one; and the words said."""
    parts, words = [], []
    said = recordings(None) | recordings(data)
    for speed in SPEEDS:
        for path, text in said.items():
            samples = read_recording(source(path)).channels[0]
            places = np.arange(0, len(samples) - 1, speed)
            parts.append(np.interp(places, np.arange(len(samples)), samples).astype(np.int16))
            words += spoken_words(text)
    return np.concatenate(parts), words


def write(path: Path, samples: Samples) -> Path:
    """A WAV file of mono 16-bit sound."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.tobytes())
    return path


def overlapping(data: Path | None, folder: Path) -> dict[str, Any]:
    """A stream in chunks that overlap, with and without knowing what was heard; and whole."""
    samples, words = stream(data)
    write(folder / "whole.wav", samples)
    starts = range(0, max(1, len(samples) // RATE - (CHUNK - STEP)), STEP)
    chunks = {
        write(folder / f"{start}.wav", samples[start * RATE : (start + CHUNK) * RATE]): start
        for start in starts
    }
    ways: Mapping[str, Callable[[int], str]] = {
        "overlaps known": lambda _: "stream",
        "overlaps heard again": lambda start: f"chunk {start}",
    }
    found: dict[str, Any] = {"seconds": round(len(samples) / RATE), "words": len(words)}
    config = Config(options={"speech": {"threads": THREADS}})
    spent: dict[str, list[float]] = {name: [] for name in ways}
    with ExitStack() as stack:
        memories = {n: stack.enter_context(Memory.open(folder / n, config)) for n in ways}
        for memory in memories.values():
            memory.add(next(iter(recordings(None))), session="warm up")
        for path, start in chunks.items():
            when = BEGAN + timedelta(seconds=start)
            for name, memory in memories.items():
                began = time.perf_counter()
                report = memory.add(path, session=ways[name](start), captured_at=when)
                spent[name].append(time.perf_counter() - began)
                if report.failed:
                    raise report.failed[0].error
        for name, memory in memories.items():
            # Not the first: before it there is nothing to overlap with.
            found[name] = judged(memory, words) | {"seconds": round(sum(spent[name][1:]), 2)}
    with Memory.open(folder / "one") as memory:
        memory.add(folder / "whole.wav", captured_at=BEGAN)
        found["heard whole"] = judged(memory, words)
    return found


def judged(memory: Memory, words: Sequence[str]) -> dict[str, Any]:
    """Utterances of a stream, how many words they have, and how many of the reference they lack."""
    said = [one for one in memory.timeline(modality="speech") if one.session != "warm up"]
    heard = spoken_words(" ".join(one.text for one in said))
    return {
        "utterances": len(said),
        "words": len(heard),
        "lacking": lacking(words, heard),
        "word_error_rate": round(edits(words, heard) / len(words), 4),
    }


def lacking(reference: Sequence[str], heard: Sequence[str]) -> int:
    """How many words of the reference are not in what was heard, in its order."""
    row = np.zeros(len(heard) + 1, int)  # the longest common subsequence
    other = np.array(heard, object)
    for word in reference:
        row[1:] = np.maximum.accumulate(np.maximum(row[1:], row[:-1] + (other == word)))
    return len(reference) - int(row[-1])


def table(found: Mapping[str, Mapping[str, Any]]) -> str:
    """The figures as a table in Markdown."""
    names = list(dict.fromkeys(name for row in found.values() for name in row))
    lines = [["", *(name.replace("_", " ") for name in names)], ["---"] * (len(names) + 1)]
    lines += [[title, *(str(row.get(name, "")) for name in names)] for title, row in found.items()]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, help="a folder with transcripts.json")
    parser.add_argument("--weights", type=Path, help="what scripts/whisper_weights.py wrote")
    parser.add_argument("--engine", choices=tuple(BARE), action="append")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--stream", action="store_true")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.stream:
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(overlapping(given.data, Path(folder)), indent=1))
        return
    chosen = given.engine or ["faster-whisper", *(list(BARE)[1:] if given.weights else [])]
    if given.worker:
        engine = chosen[-1]
        name = MODELS[engine]
        model = None if name is None or given.weights is None else str(given.weights / name)
        print(json.dumps(measure(engine, model, given.data, given.rounds)))
        return
    found = {}
    for engine in chosen:
        command = [sys.executable, *sys.argv, "--worker", "--engine", engine]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        found[engine] = json.loads(done.stdout.splitlines()[-1])
    print(table(found))


if __name__ == "__main__":
    main()
