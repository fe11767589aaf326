"""Cues of subtitle files: SRT as its programs write it, WebVTT after the W3C's text.

Both readers are strict: what is no cue is an error that names its line, for a transcript with a
hole in it would be quoted as if it were whole.
"""

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agentctx.errors import SourceInvalid

# A year: no recording is as long, and a time beyond it is a damaged number.
_LONGEST_SECONDS = 366 * 86_400.0

_SRT_TIME = r"(\d{1,4}):([0-5]\d):([0-5]\d)[,.](\d{3})"
_SRT_TIMING = re.compile(rf"\s*{_SRT_TIME}[ \t]+-->[ \t]+{_SRT_TIME}(?:[ \t].*)?", re.ASCII)
_SRT_TAG = re.compile(r"</?(?:b|i|u|s|font)(?:[ \t][^<>]*)?>|\{\\[^{}]*\}", re.IGNORECASE)

_VTT_TIME = r"(?:(\d{2,4}):)?([0-5]\d):([0-5]\d)\.(\d{3})"
_VTT_TIMING = re.compile(rf"\s*{_VTT_TIME}[ \t]+-->[ \t]+{_VTT_TIME}(?:[ \t].*)?", re.ASCII)
_VTT_HEADER = re.compile(r"WEBVTT(?:[ \t].*)?")
_VTT_OTHER = re.compile(r"(?:NOTE|STYLE|REGION)(?:[ \t].*)?")
_VTT_VOICE = re.compile(r"<v(?:\.[^\s<>]*)?[ \t\n]+([^<>]*)>|</v>")
_VTT_TAG = re.compile(r"<[^<>]*>")

WordRow = tuple[str, float, float, float | None]


@dataclass(frozen=True, slots=True)
class Cue:
    """What was said from ``start`` to ``end`` (s from the start of the recording).

    ``speaker`` is empty and ``confidence`` (0..1) None where the file does not tell; ``words``
    are rows of a word, its start, its end and its probability.
    """

    start: float
    end: float
    text: str
    speaker: str = ""
    confidence: float | None = None
    words: tuple[WordRow, ...] = ()


def damaged(name: str, place: str, reason: str) -> SourceInvalid:
    """The error of a transcript that is wrong at a place."""
    return SourceInvalid(name, f"{place}: {reason}; repair it there, or export it again")


def checked_times(name: str, place: str, start: float, end: float) -> tuple[float, float]:
    """Times that a recording can have; raises SourceInvalid, naming the place, for others."""
    if not 0 <= start <= end <= _LONGEST_SECONDS:  # also False for NaN
        raise damaged(name, place, f"a cue cannot last from {start:g} s to {end:g} s")
    return round(start, 3), round(end, 3)


def parse_srt(name: str, text: str) -> list[Cue]:
    """The cues of an SRT file in its order; tags of style are dropped.

    Raises SourceInvalid for a block without its number or its times.
    """
    cues = []
    for first, block in _blocks(text):
        if not (block[0].strip().isascii() and block[0].strip().isdigit()):
            raise damaged(name, f"line {first}", "the number of a cue belongs here")
        match = _SRT_TIMING.fullmatch(block[1]) if len(block) > 1 else None
        if match is None:
            reason = "times as 00:01:02,345 --> 00:01:04,000 belong here"
            raise damaged(name, f"line {first + 1}", reason)
        start, end = checked_times(name, f"line {first + 1}", *_seconds(match))
        said = _SRT_TAG.sub("", "\n".join(block[2:]))
        cues.append(Cue(start, end, _tidy(said)))
    return cues


def parse_vtt(name: str, text: str) -> list[Cue]:
    """The cues of a WebVTT file in its order; a cue of several voices becomes one for each.

    Identifiers, settings, notes, styles and regions are dropped. Raises SourceInvalid for a
    file without its header or a block without its times.
    """
    blocks = list(_blocks(text))
    if not blocks or blocks[0][0] != 1 or not _VTT_HEADER.fullmatch(blocks[0][1][0]):
        raise damaged(name, "line 1", "a WebVTT file begins with the word WEBVTT")
    cues = []
    for first, block in blocks:
        if not any("-->" in line for line in block[:2]) and (
            first == 1 or _VTT_OTHER.fullmatch(block[0])
        ):
            continue
        at = next((i for i in (0, 1) if i < len(block) and "-->" in block[i]), 0)
        match = _VTT_TIMING.fullmatch(block[at])
        if match is None or (first == 1):
            reason = "times as 00:01:02.345 --> 00:01:04.000 belong here, after a blank line"
            raise damaged(name, f"line {first + at}", reason)
        start, end = checked_times(name, f"line {first + at}", *_seconds(match))
        voices = _voices("\n".join(block[at + 1 :]))
        cues += [Cue(start, end, said, speaker) for speaker, said in voices]
    return cues


def _blocks(text: str) -> Iterator[tuple[int, Sequence[str]]]:
    """Lines between blank lines, with the number of the first of them (from 1)."""
    block: list[str] = []
    lines = text.replace("\r", "\n").split("\n")
    for number, line in enumerate([*lines, ""], 1):
        if line.strip():
            block.append(line)
        elif block:
            yield number - len(block), block
            block = []


def _seconds(match: re.Match[str]) -> tuple[float, float]:
    hours, minutes, seconds, thousandths = (
        [int(group or 0) for group in match.groups()[side::4]] for side in range(4)
    )
    start, end = (
        (h * 3600 + m * 60 + s) + t / 1000
        for h, m, s, t in zip(hours, minutes, seconds, thousandths, strict=True)
    )
    return start, end


def _voices(payload: str) -> list[tuple[str, str]]:
    # The split gives: text before, name or None, text, name or None, text ...
    parts: list[str | None] = ["", *_VTT_VOICE.split(payload)]
    voices = [
        (_tidy(html.unescape(name or "")), _tidy(html.unescape(_VTT_TAG.sub("", said or ""))))
        for name, said in zip(parts[::2], parts[1::2], strict=True)
    ]
    return [voice for voice in voices if voice[1]] or voices[:1]


def _tidy(text: str) -> str:
    return "\n".join(line.strip() for line in text.strip().split("\n"))
