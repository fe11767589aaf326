"""The parsers that are ours, on whatever hypothesis comes up with: a result, or an error of ours.

A hundred examples each by default; docs/development.md has the long job.
"""

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from agentctx.config import Config
from agentctx.contracts import Plugin, Source
from agentctx.errors import ConfigError, SourceError
from agentctx.plugins.sensor.logs import logged
from agentctx.plugins.sensor.sniff import dialect_of, kind_of
from agentctx.plugins.sensor.units import split, tidy
from agentctx.plugins.text import Text
from agentctx.plugins.transcript import Transcript
from agentctx.plugins.when import time_in_name
from agentctx.services import SharedServices

SRT = "1\n00:00:01,000 --> 00:00:02,500\n<i>Yes.</i>\n\n2\n00:00:03,000 --> 00:00:04,000\nNo.\n"
VTT = "WEBVTT\n\nNOTE a\n\n00:01.000 --> 00:02.000 align:start\n<v Ann>Yes &amp; no.</v>\n"
CSV = "time,flow [l/s],state\n2026-03-14T09:00:00Z,1.5,on\n2026-03-14T09:00:01Z,,off\n"
GERMAN = "Datum;Uhrzeit;Druck\n14.03.2026;09:00:00;1,5\n15.03.2026;09:00:01;2,5\n"
JSONL = '{"ts": 1773478800, "pump": {"flow": 1.5}}\n{"ts": 1773478801, "pump": {"flow": 2}}\n'
WHISPER = json.dumps(
    {"text": "Yes.", "language": "en", "segments": [
        {"start": 0.5, "end": 1.5, "text": " Yes.", "avg_logprob": -0.2,
         "words": [{"word": "Yes.", "start": 0.5, "end": 1.5, "probability": 0.9}]}]}
)  # fmt: skip
CPP = json.dumps(
    {"result": {"language": "en"},
     "transcription": [{"offsets": {"from": 500, "to": 1500}, "text": " Yes."}]}
)  # fmt: skip
PIECES = [
    *"\0\r\n\t ,;|#\"'<>&{}[]:-+.%/e", "-->", "\r\n\r\n", "1e999", "9" * 30, "nan", "null",
    "\ufeff", "\u2028", "\ud800", "é", "00:00:00,000", "99:59:59.999", "<v a", "&#x110000;",
    "WEBVTT", "sep=;", "PM", "UTC", "31/12/2026", "0000-00-00", '"start":', '"words":[', "true",
]  # fmt: skip


@st.composite
def damaged(draw: st.DrawFn, *texts: str) -> bytes:
    """A good text in which pieces were cut out, doubled, or replaced, as bytes."""
    text = draw(st.sampled_from(texts))
    for _ in range(draw(st.integers(0, 5))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 40)))
        put = draw(st.sampled_from(PIECES) | st.text(max_size=5) | st.just(text[start:end] * 2))
        text = text[:start] + put + text[end:]
    encoding = draw(st.sampled_from(["utf-8", "utf-8", "utf-16", "cp1252"]))
    return text.encode(encoding, "surrogatepass" if encoding.startswith("utf") else "replace")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


def source(place: Path, name: str, data: bytes) -> Source:
    path = place / name
    path.write_bytes(data)
    return Source(path, head=data[:4096])


def texts_of(plugin: Plugin, source: Source) -> Iterator[str]:
    """What the observations say; none where the source is refused in due form."""
    refused = None
    try:
        for one in plugin.observe(source):
            assert one.source == source.name
            yield one.text
    except SourceError as error:
        refused = error
    if refused is not None:
        assert source.name in str(refused)
        assert str(refused).isprintable()
        assert len(refused.reason) < 600


@settings(deadline=None)
@given(data=damaged(SRT, VTT, WHISPER, CPP) | st.binary(max_size=200))
def test_transcripts(place: Path, data: bytes) -> None:
    plugin = Transcript(SharedServices(Config()))
    for suffix in (".srt", ".vtt", ".json"):
        here = source(place, f"call{suffix}", data)
        if plugin.accepts(here):
            for text in texts_of(plugin, here):
                assert text.encode("utf-8").decode() == text.strip()


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["start", "end", "text", "words", "word", "offsets", "from", "to",
                         "probability", "avg_logprob", "speaker", "language", "result"]),
        inner, max_size=5,
    ),
    max_leaves=12,
)  # fmt: skip


@settings(deadline=None)
@given(
    rows=st.lists(JSON_VALUES, max_size=3),
    key=st.sampled_from(["segments", "transcription"]),
    extra=JSON_VALUES,
)
def test_any_json_as_a_transcript(place: Path, rows: list[Any], key: str, extra: object) -> None:
    data = json.dumps({"language": extra, "result": extra, key: rows}).encode()
    plugin = Transcript(SharedServices(Config()))
    for text in texts_of(plugin, source(place, "call.srt", data)):
        assert text == text.strip()


@settings(deadline=None)
@given(data=damaged(SRT, CSV) | st.binary(max_size=200))
def test_plain_text(place: Path, data: bytes) -> None:
    (text,) = [*texts_of(Text(SharedServices(Config())), source(place, "note.txt", data)), ""][:1]
    assert "\0" not in text


@settings(deadline=None)
@given(data=damaged(CSV, GERMAN) | st.binary(max_size=200), whole=st.booleans())
def test_the_layout_of_a_table(data: bytes, whole: bool) -> None:
    with suppress(SourceError):
        found = dialect_of("a.csv", data, whole=whole)
        assert len(found.names) == len(found.units) >= 1
        assert found.skip <= len(data)
        assert len(found.delimiter) == 1


@settings(deadline=None)
@given(data=damaged(JSONL, CSV, WHISPER) | st.binary(max_size=200) | st.text("[{").map(str.encode))
def test_the_kind_of_a_log(data: bytes) -> None:
    for suffix in (".json", ".jsonl", ".csv", ".bin", ""):
        assert kind_of(Source(Path(f"a{suffix}"), head=data)) in {
            None, "csv", "jsonl", "parquet", "arrow",
        }  # fmt: skip


@settings(deadline=None, max_examples=settings.default.max_examples // 4)  # the slowest of all
@given(data=damaged(CSV, GERMAN), suffix=st.sampled_from([".csv", ".tsv"]))
def test_tables_of_times_and_numbers(place: Path, data: bytes, suffix: str) -> None:
    assume(data)
    here = source(place, f"log{suffix}", data)
    with suppress(SourceError):
        (log,) = logged(here, None, None, 100)
        for series in log.series:
            assert len(series.times) == len(series.values) > 0
            assert (series.times[1:] > series.times[:-1]).all()


@settings(deadline=None)
@given(data=damaged(JSONL))
def test_lines_of_json(place: Path, data: bytes) -> None:
    assume(data)
    with suppress(SourceError):
        (log,) = logged(source(place, "log.jsonl", data), None, None, 100)
        assert all(len(series.times) == len(series.values) > 0 for series in log.series)


@given(st.text(max_size=40) | st.text("[](){}°%/²·_ abcPVmul-", max_size=40))
def test_headers(header: str) -> None:
    channel, unit = split(header)
    assert isinstance(channel, str)
    assert isinstance(tidy(unit, channel), str)


@given(st.text(max_size=60) | st.text("0123456789-_T:.Z ", max_size=40))
def test_times_in_names(name: str) -> None:
    found = time_in_name(name)
    assert found is None or found.tzinfo is not None


CONFIG_KEYS = ["plugins", "encoders", "reranker", "options", "weights", "allow_download", "limits",
               "keep_originals", "exact_limit", "batch_size", "retention", "key"]  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from(["3 days", "99999 years", "file:", "keyring", "\0"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["pixels", "rows", "speech", "sensor", "a"]) | st.text(max_size=4),
        inner, max_size=3,
    ),
    max_leaves=8,
)  # fmt: skip


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(CONFIG_KEYS) | st.text(max_size=5), VALUES, max_size=4))
def test_any_mapping_as_a_config(values: dict[str, Any]) -> None:
    with suppress(ConfigError):
        assert Config.from_mapping(values) == Config.from_mapping(values)
