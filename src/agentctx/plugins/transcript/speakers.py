"""Speakers that a subtitle names in its text, as programs write them that have no tag for it.

whisperX writes ``[SPEAKER_00]: ...``, whisper.cpp ``(speaker 1) ...``; both are taken wherever they
stand. Zoom and many people write ``Jane Doe: ...``: that is a speaker only where most cues begin
so and the names come back, since ``Note: ...`` is a sentence.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from agentctx.plugins.transcript.subtitles import Cue

_MARKED = re.compile(r"\[([^\[\]\n]{1,60})\]:\s+(.+)|\((speaker \d+)\)\s*(.+)", re.DOTALL)
# A name: up to five words, the first of which does not begin with a small letter.
_NAME = re.compile(r"((?!\d)\w[\w.'’-]*(?: [\w.'’()-]+){0,4}):\s+(.+)", re.DOTALL)
_LEAST_SHARE = 0.5  # of the cues
_LEAST_TURNS = 2  # of a name, on average


def named(cues: Sequence[Cue]) -> list[Cue]:
    """The cues, with the speakers that their text begins with taken out of it."""
    marked = [_marked(cue) for cue in cues]
    split = {i: parts for i, cue in enumerate(marked) if (parts := _split(cue)) is not None}
    names = {name for name, _ in split.values()}
    if len(split) > _LEAST_SHARE * len(marked) and len(split) >= _LEAST_TURNS * len(names):
        for i, (name, text) in split.items():
            marked[i] = replace(marked[i], speaker=name, text=text)
    return marked


def _marked(cue: Cue) -> Cue:
    match = _MARKED.fullmatch(cue.text)
    if match is None or cue.speaker:
        return cue
    one, said, other, also = match.groups()
    return replace(cue, speaker=one or other, text=said or also)


def _split(cue: Cue) -> tuple[str, str] | None:
    match = None if cue.speaker else _NAME.fullmatch(cue.text)
    if match is None or match[1][0].islower():
        return None
    return match[1], match[2]
