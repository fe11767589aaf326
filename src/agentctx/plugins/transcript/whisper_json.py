"""The JSON that Whisper's programs write: openai-whisper, faster-whisper, whisperX, whisper.cpp."""

import json
import math
import reprlib
from typing import Any, TypeGuard

from agentctx.errors import SourceInvalid
from agentctx.plugins.transcript.subtitles import Cue, WordRow, checked_times, damaged


def parse_whisper(name: str, text: str) -> tuple[str, list[Cue]]:
    """The language (empty where it is not told) and the segments of a transcript.

    Raises SourceInvalid for what is no JSON, holds no list of segments, or holds a segment
    without its times or text.
    """
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise SourceInvalid(name, f"it is not JSON: {error}; export it again") from error
    except (ValueError, RecursionError) as error:
        reason = "its JSON has a number too long, or is nested too deeply, for a transcript"
        raise SourceInvalid(name, f"{reason}; export it again") from error
    if not isinstance(data, dict):
        reason = "a transcript is a JSON object with a list of 'segments'; export it as such"
        raise SourceInvalid(name, reason)
    for key, read in (("segments", _segment), ("transcription", _cpp_segment)):
        if isinstance(rows := data.get(key), list):
            cues = [read(name, f"{key}[{i}]", row) for i, row in enumerate(rows)]
            result = data.get("result")
            told = result if isinstance(result, dict) else data
            language = told.get("language")
            return (language if isinstance(language, str) else ""), cues
    reason = "it holds neither a list of 'segments' nor of 'transcription'; export it again"
    raise SourceInvalid(name, reason)


def _segment(name: str, place: str, row: Any) -> Cue:  # noqa: ANN401
    if not isinstance(row, dict):
        raise damaged(name, place, "a JSON object belongs here")
    start, end = checked_times(
        name, place, _number(name, place, row, "start"), _number(name, place, row, "end")
    )
    likely = row.get("avg_logprob")
    return Cue(
        start,
        end,
        _string(name, place, row.get("text")),
        speaker=_string(name, place, row.get("speaker") or ""),
        confidence=math.exp(min(0.0, likely)) if _is_number(likely) else None,
        words=_words(name, place, row.get("words")),
    )


def _cpp_segment(name: str, place: str, row: Any) -> Cue:  # noqa: ANN401
    offsets = row.get("offsets") if isinstance(row, dict) else None
    if not isinstance(offsets, dict):
        raise damaged(name, place, "it has no 'offsets'")
    start, end = (_number(name, place, offsets, key) / 1000 for key in ("from", "to"))
    times = checked_times(name, place, start, end)
    speaker = _string(name, place, row.get("speaker") or "")
    # By the louder channel of two, and a question mark where neither is.
    known = speaker if speaker != "?" else ""
    return Cue(*times, _string(name, place, row.get("text")), known)


def _words(name: str, place: str, rows: Any) -> tuple[WordRow, ...]:  # noqa: ANN401
    # Programs leave out the times of words that they could not align; the text has them all.
    found: list[WordRow] = []
    for row in rows if isinstance(rows, list) else ():
        if not isinstance(row, dict):
            continue
        start, end, word = row.get("start"), row.get("end"), row.get("word")
        likely = row.get("probability", row.get("score"))
        if _is_number(start) and _is_number(end) and isinstance(word, str):
            probability = round(float(likely), 3) if _is_number(likely) else None
            word = _string(name, place, word)
            found.append((word, round(float(start), 3), round(float(end), 3), probability))
    return tuple(found)


def _is_number(value: object) -> TypeGuard[int | float]:
    # A whole number in JSON may be too large for a float; NaN is in no range.
    return isinstance(value, int | float) and not isinstance(value, bool) and -1e12 < value < 1e12


def _number(name: str, place: str, row: dict[str, Any], key: str) -> float:
    if not _is_number(value := row.get(key)):
        raise damaged(name, place, f"{key!r} is no number of a sensible size")
    return float(value)


def _string(name: str, place: str, value: object) -> str:
    if not isinstance(value, str):
        raise damaged(name, place, f"{reprlib.repr(value)} is no string")
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise damaged(name, place, f"{reprlib.repr(value)} has half a character (a lone surrogate)")
    return value.strip()
