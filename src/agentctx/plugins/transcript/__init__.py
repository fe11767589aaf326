"""What was said, as others wrote it down: SRT, WebVTT, and the JSON of Whisper's programs."""

import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from agentctx.contracts import Requirement, Services, Source
from agentctx.errors import SourceInvalid, SourceTooLarge, SourceUnsupported
from agentctx.plugins.text import decode
from agentctx.plugins.transcript.speakers import named
from agentctx.plugins.transcript.subtitles import Cue, parse_srt, parse_vtt
from agentctx.plugins.transcript.whisper_json import parse_whisper
from agentctx.plugins.when import time_of
from agentctx.records import Attribute, Media, Observation

_VTT = re.compile(r"WEBVTT(?:[ \t\r\n]|$)")
_SRT = re.compile(r"\s*\d+[ \t]*\r?\n[ \t]*\d+:\d\d:\d\d[,.]\d{3}[ \t]+-->")
_JSON = re.compile(
    r'"segments"\s*:\s*\[\s*(?:\]|\{[^{}\[\]]*"(?:start|text)"\s*:)'
    r'|"transcription"\s*:\s*\[\s*(?:\]|\{\s*"(?:timestamps|offsets)"\s*:)'
)
# A head that ends inside the whole text, which comes before the segments in some programs' files.
_IN_TEXT = re.compile(r'"text"\s*:\s*"(?:[^"\\]|\\.)*\\?$', re.DOTALL)

_MIMES = {"srt": "application/x-subrip", "vtt": "text/vtt", "json": "application/json"}


class Transcript:
    """One observation of modality ``speech`` per cue; ``max_bytes`` limits a file's size."""

    requires: tuple[Requirement, ...] = ()

    def __init__(self, services: Services, *, max_bytes: int = 64 * 1024**2) -> None:
        self._max_bytes = max_bytes

    def accepts(self, source: Source) -> bool:
        """SRT and WebVTT by their head or extension; JSON only where it looks like Whisper's."""
        return self._format(source) is not None

    def observe(self, source: Source) -> Iterator[Observation]:
        """The cues that say something, in order of time; without any, one with ``speech=False``.

        A recording begins when the caller or the file's name says, else when the file was last
        modified. Raises SourceTooLarge, or SourceInvalid naming the line or byte that is wrong.
        """
        kind = self._format(source)
        if kind is None:
            raise SourceUnsupported(
                source.name, "it is neither SRT, WebVTT nor Whisper's JSON; export it as one"
            )
        size = source.path.stat().st_size
        if size > self._max_bytes:
            raise SourceTooLarge(
                source.name,
                f"{size:,} bytes of transcript, the limit is {self._max_bytes:,}; split it, or "
                "raise max_bytes in the options of 'transcript'",
            )
        text = decode(source.name, source.path.read_bytes())
        if not text.strip():
            raise SourceInvalid(source.name, "it is empty; export it again")
        language = ""
        if kind == "json":
            language, cues = parse_whisper(source.name, text)
        else:
            cues = named((parse_vtt if kind == "vtt" else parse_srt)(source.name, text))
        began = source.captured_at or time_of(source.path)
        original = Media.of_file("original", _MIMES[kind], source.path)
        spoken = sorted((cue for cue in cues if cue.text), key=lambda cue: cue.start)
        for cue in spoken:
            yield _observation(source, began, original, language, cue)
        if not spoken:
            yield Observation(
                modality="speech",
                captured_at=began,
                session=source.session,
                source=source.name,
                attributes={"speech": False, **source.attributes},
                media=(original,),
            )

    def _format(self, source: Source) -> str | None:
        utf16 = source.head[:2] in (b"\xff\xfe", b"\xfe\xff")
        head = source.head.decode("utf-16" if utf16 else "utf-8-sig", errors="replace")
        if _VTT.match(head):
            return "vtt"
        if _SRT.match(head):
            return "srt"
        if head.lstrip().startswith("{"):
            return "json" if _JSON.search(head) or self._later(source, head) else None
        return {".srt": "srt", ".vtt": "vtt"}.get(source.suffix)

    def _later(self, source: Source, head: str) -> bool:
        if not _IN_TEXT.search(head):
            return False
        with source.path.open("rb") as file:
            whole = file.read(self._max_bytes)
        return _JSON.search(whole.decode("utf-8", errors="replace")) is not None


def _observation(
    source: Source, began: datetime, original: Media, language: str, cue: Cue
) -> Observation:
    attributes: dict[str, Attribute] = {"offset": cue.start}
    if language:
        attributes["language"] = language
    if cue.speaker:
        attributes["speaker"] = cue.speaker
    if cue.confidence is not None:
        attributes["confidence"] = round(cue.confidence, 2)
    media: tuple[Media, ...] = (original,)
    if cue.words:
        packed = json.dumps(cue.words, ensure_ascii=False, separators=(",", ":")).encode()
        media = (original, Media.of_bytes("words", "application/json", packed))
    return Observation(
        modality="speech",
        text=cue.text.replace("\n", " "),
        captured_at=began + timedelta(seconds=cue.start),
        duration=round(cue.end - cue.start, 3),
        session=source.session,
        source=source.name,
        attributes={**attributes, **source.attributes},
        media=media,
    )
