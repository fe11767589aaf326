"""Remake the samples of `agentctx demo`: one pump alarm on screens, in speech and in a sensor log.

Needs Chromium, Festival with the voice cmu_us_slt_arctic_hts, ffmpeg, numpy and Pillow, and for
the same pictures the Liberation fonts. Every random number is seeded, so the same tools give the
same files.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from agentctx.errors import ProgramError
from demo_makers.screens import write_screens
from demo_makers.sensor import Signals, simulate, write_log
from demo_makers.speech import write_speech
from demo_makers.story import (
    ALARM_SCREEN,
    CLIPS,
    DECISION,
    LEAK,
    PEAK,
    SCREENS,
    START,
    VIBRATION,
    SampleError,
    at,
    iso,
    stamp,
)

SAMPLES = Path(__file__).parents[1] / "src" / "agentctx" / "demo" / "samples"
SEED = 20260314


def questions(signals: Signals, truth: dict[str, Any], log: str) -> dict[str, Any]:
    """The demo's questions, each with its answer, modality, source and span of time.

    ``must_contain`` are the strings by which a test knows the answer; no other modality has them.
    """
    screen = f"{stamp(ALARM_SCREEN, SCREENS[ALARM_SCREEN][0])}.png"
    leak, decision = (f"{stamp(clock, CLIPS[clock][0])}.ogg" for clock in (LEAK, DECISION))
    peak = signals.value(VIBRATION, PEAK)
    said = next(s for s in truth[leak]["sentences"] if "seal is leaking" in s["text"])
    decided, locked = truth[decision]["sentences"][:2]
    return {
        "questions": [
            {
                "id": "screen",
                "question": "Which alarm did the dashboard raise, and with which code?",
                "answer": "V-417, pump A vibration high high",
                "must_contain": ["V-417"],
                "modality": "screenshot",
                "source": screen,
                "start": iso(at(ALARM_SCREEN)),
                "end": iso(at(ALARM_SCREEN)),
            },
            {
                "id": "speech",
                "question": "What did the operator decide to do about pump A?",
                "answer": "To stop it and keep it locked out until Monday, when the mechanic can "
                "replace the seal.",
                "must_contain": ["locked out until Monday"],
                "modality": "speech",
                "source": decision,
                "start": iso(at(DECISION) + decided["start"]),
                "end": iso(at(DECISION) + locked["end"]),
            },
            {
                "id": "sensor",
                "question": "How high did the vibration of pump A go, and when?",
                "answer": f"{peak:.1f} mm/s at {iso(PEAK)[11:19]} UTC",
                "must_contain": [f"{peak:.1f}"],
                "value": round(peak, 2),
                "channel": VIBRATION,
                "modality": "sensor",
                "source": log,
                "start": iso(PEAK),
                "end": iso(PEAK),
            },
        ],
        "joined": {
            "id": "moment",
            "question": "What was on the screen while the operator said the seal is leaking?",
            "answer": "The dashboard with alarm V-417, pump A vibration high high",
            "must_contain": ["V-417"],
            "modality": "screenshot",
            "source": screen,
            "start": iso(at(LEAK) + said["start"]),
            "end": iso(at(LEAK) + said["end"]),
            "anchor": {"modality": "speech", "source": leak, "text": said["text"]},
        },
    }


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Write JSON that people read too."""
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def make(out: Path) -> None:
    """Write every sample into a folder."""
    out.mkdir(parents=True, exist_ok=True)
    log = out / f"{START:%Y-%m-%d}_pump-a.csv"
    signals = simulate(np.random.default_rng(SEED))
    write_log(signals, log)
    truth = write_speech(out)
    write_json(out / "transcripts.json", truth)
    write_json(out / "questions.json", questions(signals, truth, log.name))
    write_screens(signals, out)


def main() -> int:
    """Make the samples; exit code 0, or 1 with the reason on standard error."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=SAMPLES, help="folder (default: %(default)s)")
    try:
        make(parser.parse_args().out)
    except (ProgramError, SampleError) as error:
        print(f"make_demo_samples: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
