"""Transcripts: each format's cues, what is no cue, and that nothing else is claimed."""

import html
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentctx.config import Config
from agentctx.contracts import Source
from agentctx.errors import SourceError, SourceInvalid, SourceTooLarge, SourceUnsupported
from agentctx.plugins.transcript import Transcript
from agentctx.plugins.transcript.speakers import named
from agentctx.plugins.transcript.subtitles import Cue, parse_srt, parse_vtt
from agentctx.records import Observation
from agentctx.services import SharedServices

SERVICES = SharedServices(Config())
NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)

SRT = """1
00:00:01,000 --> 00:00:02,500
Pump <i>alpha</i> is
shaking.

2
00:01:00.250 --> 00:01:03.000 X1:10 X2:20
{\\an8}Stop it.
"""
VTT = """WEBVTT - a meeting
Kind: captions

STYLE
::cue { color: red }

NOTE nobody says this
00:00:00.000 is only a note

intro
00:01.000 --> 00:02.500 align:start position:10%
<v.loud Mary Ann>Pump <b>alpha</b> &amp; its <00:00:02.000>seal</v>

01:00:00.000 --> 01:00:02.000
<v Mary Ann>Stop it.
<v Bob>Stopped.
"""
OPENAI = {
    "text": " Pump alpha. Stop it.",
    "segments": [
        {
            "id": 0, "start": 0.0, "end": 1.5, "text": " Pump alpha.", "avg_logprob": -0.2231,
            "words": [
                {"word": " Pump", "start": 0.0, "end": 0.5, "probability": 0.9},
                {"word": " alpha.", "start": 0.5, "end": 1.5, "probability": 0.8},
            ],
        },
        {"id": 1, "start": 2.0, "end": 3.0, "text": " Stop it.", "speaker": "SPEAKER_01"},
    ],
    "language": "en",
}  # fmt: skip
CPP = {
    "systeminfo": "AVX = 1",
    "result": {"language": "de"},
    "transcription": [
        {
            "timestamps": {"from": "00:00:01,000", "to": "00:00:02,500"},
            "offsets": {"from": 1000, "to": 2500},
            "text": " Halt!",
        }
    ],
}


def opened(path: Path, content: str | bytes, **known: Any) -> Source:
    data = content.encode() if isinstance(content, str) else content
    path.write_bytes(data)
    return Source(path, data[:4096], **known)


def observe(source: Source, **options: Any) -> list[Observation]:
    plugin = Transcript(SERVICES, **options)
    assert plugin.accepts(source)
    return list(plugin.observe(source))


def test_srt_cues_become_observations_with_their_times(tmp_path: Path) -> None:
    source = opened(tmp_path / "a.srt", SRT, captured_at=NOON, session="s", attributes={"room": 1})
    first, second = observe(source)
    assert (first.modality, first.text) == ("speech", "Pump alpha is shaking.")
    assert (first.captured_at, first.duration) == (NOON + timedelta(seconds=1), 1.5)
    assert (first.session, first.source) == ("s", str(source.path))
    assert dict(first.attributes) == {"offset": 1.0, "room": 1}
    assert (second.text, second.captured_at) == ("Stop it.", NOON + timedelta(seconds=60.25))
    originals = [o.find_media("original") for o in (first, second)]
    assert originals[0] == originals[1]
    assert originals[0] is not None
    assert originals[0].read() == SRT.encode()


def test_vtt_voices_become_speakers(tmp_path: Path) -> None:
    found = observe(opened(tmp_path / "a.vtt", VTT, captured_at=NOON))
    assert [(o.attributes.get("speaker"), o.text) for o in found] == [
        ("Mary Ann", "Pump alpha & its seal"),
        ("Mary Ann", "Stop it."),
        ("Bob", "Stopped."),
    ]
    assert [o.attributes["offset"] for o in found] == [1.0, 3600.0, 3600.0]


def test_whisper_json_keeps_language_words_and_confidence(tmp_path: Path) -> None:
    first, second = observe(opened(tmp_path / "a.json", json.dumps(OPENAI), captured_at=NOON))
    assert first.text == "Pump alpha."
    assert dict(first.attributes) == {"offset": 0.0, "language": "en", "confidence": 0.8}
    words = first.find_media("words")
    assert words is not None
    assert json.loads(words.read()) == [["Pump", 0.0, 0.5, 0.9], ["alpha.", 0.5, 1.5, 0.8]]
    assert second.attributes["speaker"] == "SPEAKER_01"
    assert second.find_media("words") is None


def test_whisper_cpp_json(tmp_path: Path) -> None:
    (only,) = observe(opened(tmp_path / "a.json", json.dumps(CPP), captured_at=NOON))
    assert (only.text, only.duration) == ("Halt!", 1.5)
    assert dict(only.attributes) == {"offset": 1.0, "language": "de"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_encodings_and_line_ends(tmp_path: Path, encoding: str, line_end: str) -> None:
    data = SRT.replace("shaking", "zitternd – größer").replace("\n", line_end).encode(encoding)
    found = observe(opened(tmp_path / "unnamed", data))
    assert [o.text for o in found] == ["Pump alpha is zitternd – größer.", "Stop it."]


def test_begins_at_the_time_in_the_name_else_at_the_modification_time(tmp_path: Path) -> None:
    named = opened(tmp_path / "2026-03-14T120000Z_call.srt", SRT)
    assert observe(named)[0].captured_at == NOON + timedelta(seconds=1)
    plain = opened(tmp_path / "call.srt", SRT)
    os.utime(plain.path, (NOON.timestamp(), NOON.timestamp()))
    assert observe(plain)[0].captured_at == NOON + timedelta(seconds=1)


def test_cues_are_given_in_order_of_time(tmp_path: Path) -> None:
    swapped = "\n\n".join(reversed(SRT.strip().split("\n\n"))) + "\n"
    assert [o.attributes["offset"] for o in observe(opened(tmp_path / "a.srt", swapped))] == [
        1.0,
        60.25,
    ]


@pytest.mark.parametrize(
    ("name", "content"), [("a.vtt", "WEBVTT\n\n"), ("a.json", '{"text": "", "segments": []}')]
)
def test_a_transcript_in_which_nobody_speaks_is_remembered(
    tmp_path: Path, name: str, content: str
) -> None:
    (only,) = observe(opened(tmp_path / name, content, captured_at=NOON))
    assert (only.text, only.captured_at) == ("", NOON)
    assert dict(only.attributes) == {"speech": False}


SEGMENT = {"start": 0, "end": 1, "text": "x"}
NESTED = "[" * 200_000


def whisper(**changed: Any) -> str:
    return json.dumps({"segments": [SEGMENT | changed]})


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.srt", b"", "empty"),
        ("a.srt", "\n \n", "empty"),
        ("a.srt", SRT.replace("\n2\n", "\ntwo\n"), "line 6"),
        ("a.srt", SRT.replace("00:01:00.250", "00:61:00.250"), "line 7"),
        ("a.srt", SRT.replace("00:01:00.250", "00:01:09.250"), "line 7: a cue cannot last"),
        ("a.srt", SRT + "\n3\n", "line 11"),
        ("a.srt", b"1\n00:00:01,000 --> 00:00:02,000\ncaf\xe9\n", "byte 35 is 0xe9"),
        ("a.srt", "just some words\n", "line 1"),
        ("a.vtt", SRT.replace("1\n", "x\n", 1), "WEBVTT"),
        ("a.vtt", VTT.replace("00:02.500", "00:02,500"), "line 11"),
        ("a.vtt", "WEBVTT\n00:01.000 --> 00:02.000\nx\n", "line 2"),
        ("a.vtt", "WEBVTT\n\nwords without times\n", "line 3"),
        ("a.json", '{"segments": [{"start": 0, "text"', "not JSON"),
        ("a.json", whisper(start="0"), "segments[0]: 'start'"),
        ("a.json", whisper(start=float("nan")), "segments[0]: 'start'"),
        ("a.json", whisper(end=10**400), "segments[0]: 'end'"),
        ("a.json", whisper(start=-1), "segments[0]: a cue cannot last"),
        ("a.json", whisper(start=2), "segments[0]: a cue cannot last"),
        ("a.json", whisper(end=1e9), "segments[0]: a cue cannot last"),
        ("a.json", whisper(text=None), "segments[0]: None is no string"),
        ("a.json", whisper(text="\ud800"), "surrogate"),
        ("a.json", whisper(words=[{"word": "\ud800", "start": 0, "end": 1}]), "surrogate"),
        ("a.json", '{"segments": [{"text": ""}, 3]}', "segments[0]: 'start'"),
        ("a.json", '{"segments": [{"text": ' + NESTED, "nested"),
        ("a.json", '{"transcription": [{"timestamps": {}}]}', "no 'offsets'"),
    ],
)  # fmt: skip
def test_what_is_no_cue_is_an_error_that_says_where(
    tmp_path: Path, name: str, content: str | bytes, says: str
) -> None:
    with pytest.raises(SourceInvalid) as caught:
        observe(opened(tmp_path / name, content))
    assert says in str(caught.value)
    assert name in caught.value.source


def test_a_transcript_over_the_limit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceTooLarge, match="max_bytes"):
        observe(opened(tmp_path / "a.srt", SRT), max_bytes=20)


def test_the_wholly_written_text_may_come_first(tmp_path: Path) -> None:
    long = {"language": "en", "text": 'say "pump" \\ ' * 1000, "segments": [SEGMENT]}
    (only,) = observe(opened(tmp_path / "a.json", json.dumps(long)))
    assert only.text == "x"


@pytest.mark.parametrize(
    "content",
    [
        '{"name": "agentctx", "version": 1}',
        '[{"start": 0, "end": 1, "text": "a list"}]',
        '{"segments": 3}',
        '{"segments": [{"type": "line", "points": [1, 2]}]}',
        '{"text": "' + "a long note " * 1000 + '"}',
        "Notes of a call: 00:00:01,000 --> 00:00:02,000",
        "WEBVTTX",
    ],
)
def test_other_files_are_not_claimed(tmp_path: Path, content: str) -> None:
    source = opened(tmp_path / "a.json", content)
    plugin = Transcript(SERVICES)
    assert not plugin.accepts(source)
    with pytest.raises(SourceUnsupported):
        list(plugin.observe(source))


# -- properties ----------------------------------------------------------------------------------

# No control characters, no line or paragraph marks, nothing that stands for markup.
LINES = st.text(
    st.characters(exclude_categories=("C", "Z"), exclude_characters="<>{}\\"), min_size=1
)
MILLISECONDS = st.integers(0, 99 * 3_600_000)


@st.composite
def cues(draw: st.DrawFn) -> Cue:
    start, end = sorted((draw(MILLISECONDS), draw(MILLISECONDS)))
    return Cue(start / 1000, end / 1000, "\n".join(draw(st.lists(LINES, min_size=1, max_size=3))))


def clock(seconds: float, mark: str) -> str:
    whole, thousandths = divmod(round(seconds * 1000), 1000)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}{mark}{thousandths:03}"


@given(st.lists(cues()))
def test_srt_reads_what_was_written(written: list[Cue]) -> None:
    text = "\n".join(
        f"{number}\n{clock(cue.start, ',')} --> {clock(cue.end, ',')}\n{cue.text}\n"
        for number, cue in enumerate(written, 1)
    )
    assert parse_srt("a", text) == written


@given(st.lists(cues()))
def test_vtt_reads_what_was_written(written: list[Cue]) -> None:
    text = "WEBVTT\n" + "".join(
        f"\n{clock(cue.start, '.')} --> {clock(cue.end, '.')}\n{html.escape(cue.text)}\n"
        for cue in written
    )
    assert parse_vtt("a", text) == written


@given(st.text() | st.text("WEBVT0123456789:.,-> \n<v/&;") | st.text('{}[]"segmnt:0,'))
def test_any_text_gives_cues_or_a_source_error(text: str) -> None:
    for parse in (parse_srt, parse_vtt):
        try:
            found = parse("a", text)
        except SourceError:
            continue
        assert all(0 <= cue.start <= cue.end for cue in found)


# -- speakers ------------------------------------------------------------------------------------


def cues(*texts: str, vtt: bool = False) -> str:
    mark = "." if vtt else ","
    blocks = [
        f"{number}\n00:00:{number:02}{mark}000 --> 00:00:{number:02}{mark}500\n{text}\n"
        for number, text in enumerate(texts, 1)
    ]
    return "\n".join((["WEBVTT\n"] if vtt else []) + blocks)


def turns(tmp_path: Path, *texts: str, vtt: bool = False) -> list[tuple[object, str]]:
    path = tmp_path / ("a.vtt" if vtt else "a.srt")
    found = observe(opened(path, cues(*texts, vtt=vtt), captured_at=NOON))
    return [(one.attributes.get("speaker"), one.text) for one in found]


@pytest.mark.parametrize("vtt", [True, False])
def test_speakers_that_programs_mark_in_the_text(vtt: bool, tmp_path: Path) -> None:
    """One cue is enough: whisperX and whisper.cpp write so."""
    texts = ("[SPEAKER_00]: The seal leaks.", "(speaker 1) Stop it.", "[laughs] (quietly) Note: no")
    assert turns(tmp_path, *texts, vtt=vtt) == [
        ("SPEAKER_00", "The seal leaks."),
        ("speaker 1", "Stop it."),
        (None, "[laughs] (quietly) Note: no"),
    ]


def test_names_before_a_colon_are_speakers_where_they_come_back(tmp_path: Path) -> None:
    """Zoom writes so."""
    said = ["Ann O'Neil: The seal leaks.", "Zoë: Where?", "Ann O'Neil: At: the\nfloor.", "and hot"]
    assert turns(tmp_path, *said, "Zoë: Stop it.", vtt=True) == [
        ("Ann O'Neil", "The seal leaks."),
        ("Zoë", "Where?"),
        ("Ann O'Neil", "At: the floor."),
        (None, "and hot"),
        ("Zoë", "Stop it."),
    ]


@pytest.mark.parametrize(
    "texts",
    [
        ("Note: it leaks.", "We stop it.", "Warning: it is hot."),
        ("First: stop it.", "Second: drain it.", "Third: call."),
        ("the reason: it is hot", "the reason: it leaks"),
        ("12:30: it leaks", "12:30: it is hot"),
    ],
)
def test_other_colons_are_none(texts: tuple[str, ...], tmp_path: Path) -> None:
    assert turns(tmp_path, *texts) == [(None, text) for text in texts]


def test_a_voice_that_has_a_tag_is_left_alone(tmp_path: Path) -> None:
    said = ["<v Ann>Note: it leaks.", "<v Ann>Note: it is hot.", "<v Bob>Note: stop."]
    assert turns(tmp_path, *said, vtt=True) == [
        ("Ann", "Note: it leaks."),
        ("Ann", "Note: it is hot."),
        ("Bob", "Note: stop."),
    ]


def test_whisper_cpp_names_the_louder_channel(tmp_path: Path) -> None:
    row = CPP["transcription"][0]  # type: ignore[index]
    data = {**CPP, "transcription": [{**row, "speaker": name} for name in ("0", "1", "?")]}
    found = observe(opened(tmp_path / "a.json", json.dumps(data), captured_at=NOON))
    assert [one.attributes.get("speaker") for one in found] == ["0", "1", None]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=40), max_size=6))
def test_naming_speakers_loses_no_word(said: list[str]) -> None:
    before = [Cue(float(i), i + 1.0, text.strip()) for i, text in enumerate(said)]
    for cue, other in zip(named(before), before, strict=True):
        left = other.text.removesuffix(cue.text) if cue.text != other.text else ""
        assert cue.speaker in left
        assert len(left) - len(cue.speaker) <= 6 or left.isspace()
