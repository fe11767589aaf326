"""The committed samples are what their README says."""

import csv
import json
import math
import re
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import av
import pytest
from PIL import Image

SAMPLES = Path(str(files("agentctx.demo"))) / "samples"
README = (SAMPLES / "README.md").read_text("utf-8")
QUESTIONS = json.loads((SAMPLES / "questions.json").read_text("utf-8"))
TRANSCRIPTS = json.loads((SAMPLES / "transcripts.json").read_text("utf-8"))
LOG = SAMPLES / "2026-03-14_pump-a.csv"
SCREENS = sorted(SAMPLES.glob("*.png"))
CALLS = sorted(SAMPLES.glob("*.ogg"))
KILOBYTE = 1000


def rows() -> list[dict[str, str]]:
    with LOG.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def told() -> dict[str, str]:
    """What the README tells happened, by time of day; a span is under its first second."""
    table = re.findall(r"^\| (\d\d:\d\d:\d\d)[^|]*\| ([^|]+) \|", README, re.MULTILINE)
    return dict(table)


def test_nothing_is_missing_and_nothing_else_is_there() -> None:
    others = {"README.md", "questions.json", "transcripts.json", LOG.name}
    known = others | {path.name for path in SCREENS + CALLS}
    assert {path.name for path in SAMPLES.iterdir()} == known
    assert (len(SCREENS), len(CALLS)) == (7, 3)
    for word in ("seven screenshots", "three radio calls", LOG.name, "transcripts.json"):
        assert word in README


def test_they_are_small_enough_to_be_installed() -> None:
    sizes = {path.name: path.stat().st_size for path in SAMPLES.iterdir()}
    assert all(0 < size < 100 * KILOBYTE for size in sizes.values()), sizes
    assert sum(sizes.values()) < 600 * KILOBYTE


@pytest.mark.parametrize("path", SCREENS, ids=lambda path: path.stem)
def test_screens_have_the_size_of_the_readme(path: Path) -> None:
    with Image.open(path) as image:
        assert image.size == (1280, 800)
        assert "1280 x 800" in README
        assert image.getextrema() != ((0, 0),)


@pytest.mark.parametrize("path", CALLS, ids=lambda path: path.stem)
def test_calls_are_as_long_as_their_transcript(path: Path) -> None:
    with av.open(str(path)) as opened:
        stream = opened.streams.audio[0]
        assert (stream.codec_context.name, stream.channels) == ("opus", 1)
        seconds = sum(frame.samples / frame.sample_rate for frame in opened.decode(stream))
    known = TRANSCRIPTS[path.name]
    assert seconds == pytest.approx(known["duration"], abs=0.1)
    ends = [sentence["end"] for sentence in known["sentences"]]
    assert ends == sorted(ends)
    assert ends[-1] <= known["duration"]
    assert " ".join(sentence["text"] for sentence in known["sentences"]) == known["text"]


@pytest.mark.parametrize("path", SCREENS + CALLS, ids=lambda path: path.stem)
def test_names_carry_the_time(path: Path) -> None:
    stamp = datetime.strptime(path.name.partition("_")[0], "%Y-%m-%dT%H%M%SZ")
    assert "2026-03-14 09:00" <= f"{stamp:%Y-%m-%d %H:%M}" < "2026-03-14 09:30"
    if path in CALLS:
        assert TRANSCRIPTS[path.name]["captured_at"] == f"{stamp:%Y-%m-%dT%H:%M:%SZ}"


def test_the_log_peaks_where_the_story_says() -> None:
    readings = {row["time"]: float(row["vibration [mm/s]"]) for row in rows()}
    known = {time: value for time, value in readings.items() if not math.isnan(value)}
    assert max(known, key=known.__getitem__) == "2026-03-14T09:12:21Z"
    assert known["2026-03-14T09:12:21Z"] == 13.4
    assert told()["09:12:21"] == "highest vibration"


def test_the_log_has_the_gaps_of_the_story() -> None:
    log = {row["time"][11:19]: row for row in rows()}
    seconds = [f"09:{minute:02}:{second:02}" for minute in range(30) for second in range(60)]
    away = [second for second in seconds if second not in log]
    assert (away[0], away[-1], len(away)) == ("09:18:41", "09:19:07", 27)
    assert "09:18:41 to 09:19:07" in README
    assert list(log) == [second for second in seconds if second in log]
    for channel, blank in (
        ("bearing temperature [°C]", ["09:06:33", "09:06:34", "09:06:35"]),
        ("vibration [mm/s]", ["09:21:10", "09:21:11"]),
    ):
        found = [second for second, row in log.items() if math.isnan(float(row[channel]))]
        assert found == blank
        assert f"{blank[0]} to {blank[-1]}" in README


def test_the_alarm_limit_is_passed_when_the_story_says() -> None:
    readings = {row["time"][11:19]: float(row["vibration [mm/s]"]) for row in rows()}
    above = [second for second, value in readings.items() if value > 7.1]
    assert above[0] == "09:12:00"
    assert "passes 7.1 mm/s" in told()["09:12:00"]


@pytest.mark.parametrize(
    "question", [*QUESTIONS["questions"], QUESTIONS["joined"]], ids=lambda question: question["id"]
)
def test_questions_point_at_what_is_there(question: dict[str, Any]) -> None:
    assert (SAMPLES / question["source"]).is_file()
    kinds = {".png": "screenshot", ".ogg": "speech", ".csv": "sensor"}
    assert kinds[Path(question["source"]).suffix] == question["modality"]
    assert question["start"] <= question["end"]
    assert question["must_contain"]
    if question["modality"] == "speech":
        said = TRANSCRIPTS[question["source"]]["text"]
        assert all(words in said for words in question["must_contain"])
    if question["modality"] == "sensor":
        values = {row["time"]: row[question["channel"]] for row in rows()}
        assert float(values[question["start"]]) == question["value"]


def test_each_question_needs_another_modality() -> None:
    modalities = [question["modality"] for question in QUESTIONS["questions"]]
    assert sorted(modalities) == ["screenshot", "sensor", "speech"]
