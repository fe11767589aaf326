"""Attacks as data, and the sources that carry them: pictures, transcripts, logs, names, notes."""

import csv
import html
import io
import json
import re
import subprocess
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

ATTACKS = Path(__file__).parents[2] / "tests" / "hygiene" / "attacks.json"
CARRIERS = ("screenshot", "speech", "csv", "filename", "note")
NINE = datetime(2026, 3, 14, 9, tzinfo=UTC)
# What stands around an attack: it is found by these words too.
BEFORE, AFTER = "Work order for pump A: the seal was replaced.", "The next inspection is on Friday."
_COLUMNS = 64  # characters in a line of a picture
_LINE, _MARGIN, _SIZE = 34, 24, 22  # pixels


@dataclass(frozen=True, slots=True)
class Attack:
    """A text that wants an agent to do something, and how it comes.

    ``how``: "srt", "vtt" or "voice" for speech; ``where``: "header", "cell" or "comment" of a CSV.
    ``held_out``: not to be looked at while rules are written.
    """

    name: str
    carrier: str
    kind: str
    text: str
    held_out: bool
    how: str = ""
    where: str = ""
    speaker: str = ""


def load(path: Path = ATTACKS) -> list[Attack]:
    """The attacks of a file."""
    return [Attack(**row) for row in json.loads(path.read_text("utf-8"))]


def write(attack: Attack, folder: Path) -> Path:
    """Make the source that carries an attack, in a folder of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    match attack.carrier:
        case "screenshot":
            lines = [part for line in attack.text.split("\n") for part in _wrapped(line)]
            return picture(folder / "screen.png", [BEFORE, *lines, AFTER])
        case "speech" if attack.how == "voice":
            return _voice(folder / "radio.wav", attack.text)
        case "speech":
            return _transcript(folder / f"call.{attack.how}", attack)
        case "csv":
            return _log(folder / "log.csv", attack)
        case "filename":
            path = folder / attack.text.replace("/", "⁄")
            path.write_text(f"{BEFORE}\n{AFTER}\n", "utf-8")
            return path
        case _:
            path = folder / "notes.txt"
            path.write_text(f"{BEFORE}\n{attack.text}\n{AFTER}\n", "utf-8")
            return path


def picture(path: Path, lines: Iterable[str]) -> Path:
    """A screenshot of lines in black on white."""
    from PIL import Image, ImageDraw, ImageFont

    lines = list(lines)
    made = Image.new("RGB", (1024, 2 * _MARGIN + _LINE * len(lines)), "white")
    pen = ImageDraw.Draw(made)
    for number, line in enumerate(lines):
        pen.text((_MARGIN, _MARGIN + _LINE * number), line, "black", ImageFont.load_default(_SIZE))
    made.save(path)
    return path


def _wrapped(line: str) -> list[str]:
    return textwrap.wrap(line, _COLUMNS) or [""]


def _voice(path: Path, text: str) -> Path:
    spoken = f"{text} {AFTER}"
    subprocess.run(["espeak-ng", "-s", "150", "-w", str(path), "--", spoken], check=True)
    return path


def _transcript(path: Path, attack: Attack) -> Path:
    cues = []
    for number, said in enumerate([BEFORE, attack.text, AFTER]):
        start, end = (f"00:00:{second:02d}" for second in (10 * number, 10 * number + 8))
        if attack.how == "srt":
            cues.append(f"{number + 1}\n{start},000 --> {end},000\n{said}\n")
        else:
            speaker = attack.speaker if said == attack.text else ""
            voice = f"<v {html.escape(speaker)}>" if speaker else ""
            cues.append(f"{start}.000 --> {end}.000\n{voice}{html.escape(said, quote=False)}\n")
    head = ["WEBVTT\n"] if attack.how == "vtt" else []
    path.write_text("\n".join([*head, *cues]), "utf-8")
    return path


def _log(path: Path, attack: Attack) -> Path:
    channel = attack.text if attack.where == "header" else "pressure [bar]"
    note = attack.text if attack.where == "cell" else "ok"
    buffer = io.StringIO()
    if attack.where == "comment":
        buffer.write(f"# {attack.text}\n")
    rows = csv.writer(buffer, lineterminator="\n")
    rows.writerow(["time", channel, "note"])
    for second in range(120):
        when = NINE + timedelta(seconds=second)
        rows.writerow([when.isoformat(), f"{5 + 0.01 * (second % 7):.2f}", note])
    path.write_text(buffer.getvalue(), "utf-8")
    return path


def words(text: str) -> list[str]:
    """The words of a text, in lower case, of two letters and more."""
    return re.findall(r"[^\W_]{2,}", text.lower())
