"""What agentctx adds to the engines it runs: screenshots, speech and sensor logs.

`Memory.add` of a file, from its bytes to the committed and encoded observations, in turn with the
bare engine on the same file: RapidOCR's parts as agentctx drives them and RapidOCR as it comes,
faster-whisper with the same options and with its own, pandas.read_csv. Medians and ratios of one
process; the models are loaded before the clock starts.

    python scripts/bench/ingest.py [--data DIR] [--only screens|speech|sensor] [--json]

DIR holds screens/ and speech/ as ``agentctx eval`` takes them; without it the demo's samples serve.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib.resources import files
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from clock import Clock, take_turns
from sensor import observe, write_log

from agentctx import Memory
from agentctx.plugins.screenshot.frames import Recent
from agentctx.plugins.screenshot.ocr import shared
from agentctx.weights.store import WeightStore

SAMPLES = Path(str(files("agentctx.demo") / "samples"))
PICTURES = {".png", ".jpg", ".jpeg", ".webp"}
SOUNDS = {".wav", ".ogg", ".flac", ".mp3"}
SENSOR_ROWS, SENSOR_CHANNELS = 250_000, 4
# What the design asks for.
MOST_OVER_ENGINE = 1.10
LEAST_READINGS_PER_SECOND = 500_000


def found_in(data: Path | None, part: str, suffixes: set[str], most: int) -> list[str]:
    """Up to ``most`` files, evenly spread over the folder (its neighbours look alike)."""
    folder = data / part if data else SAMPLES
    paths = sorted(str(path) for path in folder.glob("*") if path.suffix.lower() in suffixes)
    if not paths:
        raise SystemExit(f"{folder} holds none of {', '.join(sorted(suffixes))}")
    places = np.linspace(0, len(paths) - 1, min(most, len(paths)))
    return [paths[int(place)] for place in places]


def adding(memory: Memory, forget: Callable[[], None] = lambda: None) -> Callable[[str], None]:
    """A call that adds a file anew each time, as if it had never been seen."""
    numbers = count()

    def add(path: str) -> None:
        forget()
        report = memory.add(path, session=f"round {next(numbers)}")
        if report.failed:
            raise report.failed[0].error

    return add


def screens(memory: Memory, data: Path | None, rounds: int) -> dict[str, Any]:
    """Screenshots one by one, none of which is like the one before."""
    import cv2
    from rapidocr import RapidOCR

    paths = found_in(data, "screens", PICTURES, 16)
    plugin = memory._services.plugin("screenshot")
    engine = shared(WeightStore().find("ppocr-v6-small"))
    default = RapidOCR(params={"Global.log_level": "critical"})

    def bare(path: str) -> None:
        pixels = cv2.imread(path)
        engine.recognise(pixels, engine.detect(pixels))

    def forget() -> None:
        plugin._recent = Recent()  # type: ignore[attr-defined]

    add = adding(memory, forget)
    calls = {"agentctx": add, "bare engine": bare, "engine's defaults": default}
    take_turns(calls, paths[:1])
    found = figures(take_turns(calls, paths, rounds), len(paths))
    return found | {"in_a_row": in_a_row(memory, data), "most_over_engine": MOST_OVER_ENGINE}


def in_a_row(memory: Memory, data: Path | None) -> dict[str, float]:
    """All screenshots in their order, where what has not changed is not read again."""
    paths = found_in(data, "screens", PICTURES, 64)
    add = adding(memory)
    clock = Clock()
    for path in paths:
        add(path)
    return {"files": len(paths), "seconds_per_file": round(float(clock.read()[0]) / len(paths), 3)}


def speech(memory: Memory, data: Path | None, rounds: int) -> dict[str, Any]:
    """Recordings, heard whole."""
    paths = found_in(data, "speech", SOUNDS, 4)
    add = adding(memory)
    add(paths[0])
    model = memory._services.plugin("speech")._made._model  # type: ignore[attr-defined]
    transcribe, options = model.transcribe, dict[str, Any]()

    def noting(samples: object, **given: Any) -> Any:  # noqa: ANN401
        options.update(given)
        return transcribe(samples, **given)

    # The plugin's own options, whatever they are today.
    model.transcribe = noting
    add(paths[0])
    del model.transcribe

    def bare(path: str, **given: Any) -> None:  # noqa: ANN401
        list(transcribe(path, **given)[0])

    calls = {
        "agentctx": add,
        # The plugin leaves out silence by the same means, before the engine gets it.
        "bare engine": partial(bare, vad_filter=True, **options),
        "engine's defaults": bare,
    }
    found = figures(take_turns(calls, paths, rounds), len(paths))
    heard = memory.timeline(modality="speech")
    seconds = {o.source: o.attributes.get("offset", 0.0) + o.duration for o in heard}
    sound = sum(seconds.values()) / len(seconds)
    rates = {name: round(sound / row["seconds"], 1) for name, row in found["calls"].items()}
    return found | {"times_real_time": rates, "most_over_engine": MOST_OVER_ENGINE}


def sensor(memory: Memory, rounds: int) -> dict[str, Any]:
    """One log of a million readings."""
    import pandas as pd

    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "log.csv"
        write_log(path, SENSOR_ROWS, SENSOR_CHANNELS)
        calls = {
            "agentctx": adding(memory),
            "the plugin alone": lambda name: observe(Path(name)),
            "bare engine": partial(pd.read_csv, parse_dates=["time"]),
        }
        take_turns(calls, [str(path)])
        found = figures(take_turns(calls, [str(path)], rounds), 1)
    readings = SENSOR_ROWS * SENSOR_CHANNELS
    rates = {name: round(readings / row["seconds"]) for name, row in found["calls"].items()}
    return found | {
        "readings_per_second": rates,
        "least_readings_per_second": LEAST_READINGS_PER_SECOND,
    }


def figures(spent: Mapping[str, np.ndarray], paths: int) -> dict[str, Any]:
    """Seconds a file, and how many times the bare engine's each call takes.

    Each file counts with its median over the rounds; the ratio is that of the sums.
    """
    by_file = {
        name: np.median(rows.reshape(-1, paths, 2), axis=0).sum(axis=0)
        for name, rows in spent.items()
    }
    bare = by_file["bare engine"]
    return {
        "files": paths,
        "calls": {
            name: {
                "seconds": round(float(wall) / paths, 4),
                "over_engine": round(float(wall / bare[0]), 3),
                "processor_over_engine": round(float(processor / bare[1]), 3),
            }
            for name, (wall, processor) in by_file.items()
        },
    }


def report(found: Mapping[str, Mapping[str, Any]]) -> str:
    """The figures as text."""
    lines = []
    for part, result in found.items():
        lines.append(f"{part}: {result['files']} files")
        for name, row in result["calls"].items():
            lines.append(
                f"  {name:20} {row['seconds']:8.3f} s a file   {row['over_engine']:6.2f} x engine"
                f"   (processor {row['processor_over_engine']:.2f} x)"
            )
        more = {name: value for name, value in result.items() if name not in ("files", "calls")}
        lines += [f"  {name.replace('_', ' ')}: {value}" for name, value in more.items()]
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, help="a folder with screens/ and speech/")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=("screens", "speech", "sensor"), action="append")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    parts: Sequence[str] = options.only or ("screens", "speech", "sensor")
    found = {}
    with tempfile.TemporaryDirectory() as directory, Memory.open(Path(directory) / "m") as memory:
        for part in parts:
            print(f"measuring {part}", file=sys.stderr)
            if part == "sensor":
                found[part] = sensor(memory, options.rounds)
            else:
                run = screens if part == "screens" else speech
                found[part] = run(memory, options.data, options.rounds)
    print(json.dumps(found, indent=1) if options.json else report(found))


if __name__ == "__main__":
    main()
