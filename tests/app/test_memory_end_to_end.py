"""One memory of a screen, a radio call, a log and a note: everything a user does with it."""

import csv
import shutil
import statistics
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw, ImageFont

from agentctx import Config, Memory, Observation
from agentctx.errors import ConfigError, PluginError, QueryError, SourceNotFound

SAMPLES = Path(str(files("agentctx.demo") / "samples"))
RADIO = "2026-03-14T091208Z_operator-radio-leak.ogg"
SCREEN = "2026-03-14T091212Z_alarm.png"
LOG = "pump-a.csv"
NOTE = "2026-03-14T101500Z_note.txt"
SOURCES = {"screenshot": SCREEN, "speech": RADIO, "sensor": LOG, "text": NOTE}
SESSION = "pump-a"


def at(hour: int, minute: int, second: int = 0) -> datetime:
    return datetime(2026, 3, 14, hour, minute, second, tzinfo=UTC)


def screen(path: Path, *lines: str) -> Path:
    image = Image.new("RGB", (640, 60 + 50 * len(lines)), "white")
    font = ImageFont.load_default(size=28)
    for number, line in enumerate(lines):
        ImageDraw.Draw(image).text((30, 30 + 50 * number), line, "black", font)
    image.save(path)
    return path


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One file of each modality; the log is 100 s of the demo's, around the alarm."""
    place = tmp_path_factory.mktemp("sources")
    screen(place / SCREEN, "ALARM V-417 vibration high", "Acknowledged by nobody")
    shutil.copy(SAMPLES / RADIO, place / RADIO)
    header, *rows = (SAMPLES / "2026-03-14_pump-a.csv").read_text("utf-8").splitlines()
    kept = [row for row in rows if "T09:11:20" <= row[10:19] < "T09:13:00"]
    (place / LOG).write_text("\n".join([header, *kept]), "utf-8")
    (place / NOTE).write_text("Order a new shaft seal, part number 88-1204, from the supplier.")
    return {modality: place / name for modality, name in SOURCES.items()}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory, sources: dict[str, Path]) -> Path:
    """A closed memory with all sources."""
    directory = tmp_path_factory.mktemp("template") / "memory"
    with Memory.open(directory) as memory:
        report = memory.add(sources.values(), session=SESSION)
        assert report.failed == ()
        assert report.added == len(report.ids)
    return directory


@pytest.fixture(scope="module")
def filled(template: Path) -> Iterator[Memory]:
    """The memory reopened, for tests that do not change it."""
    with Memory.open(template) as memory:
        yield memory


@pytest.fixture
def copy(template: Path, filled: Memory, tmp_path: Path) -> Iterator[Memory]:
    """A copy of the memory, for tests that change it."""
    shutil.copytree(template, tmp_path / "copy")
    with Memory.open(tmp_path / "copy") as memory:
        yield memory


# -- searching --------------------------------------------------------------------------------

WORDS = {
    "screenshot": ("which alarm code was on the dashboard?", "V-417"),
    "speech": ("what did the operator say about the seal?", "seal is leaking"),
    "sensor": ("how high did the vibration go?", "highest 13.4 at 09:12:21"),
    "text": ("which part number has to be ordered?", "88-1204"),
}


@pytest.mark.parametrize("modality", WORDS)
def test_words_find_each_modality(filled: Memory, modality: str) -> None:
    question, answer = WORDS[modality]
    found = [hit for hit in filled.search(question, limit=5) if answer in hit.text]
    assert found
    assert {hit.modality for hit in found} == {modality}


@pytest.mark.parametrize("modality", WORDS)
def test_filters_leave_one_modality(
    filled: Memory, sources: dict[str, Path], modality: str
) -> None:
    question, answer = WORDS[modality]
    hits = filled.search(question, modality=modality, session=SESSION)
    assert any(answer in hit.text for hit in hits)
    assert {hit.source for hit in hits} == {str(sources[modality])}
    assert filled.search(question, modality=modality, session="another") == []


@pytest.mark.parametrize("modality", SOURCES)
def test_a_file_finds_itself(filled: Memory, sources: dict[str, Path], modality: str) -> None:
    before = len(filled.timeline())
    hits = filled.search(sources[modality], limit=4)
    assert hits[0].source == str(sources[modality])
    assert len(filled.timeline()) == before, "a query is not remembered"


def test_a_picture_like_it_finds_the_screen(filled: Memory, tmp_path: Path) -> None:
    other = screen(tmp_path / "phone.png", "V-417 vibration alarm", "Room 12")
    assert filled.search(other)[0].modality == "screenshot"


@pytest.mark.parametrize("rerank", [False, True])
def test_a_file_and_words_are_one_query(
    filled: Memory, sources: dict[str, Path], rerank: bool
) -> None:
    query = [sources["screenshot"], "new shaft seal"]
    hits = filled.search(query, limit=4, rerank=rerank)
    assert {str(sources["screenshot"]), str(sources["text"])} <= {hit.source for hit in hits}


def test_a_stored_observation_finds_itself_by_example(filled: Memory) -> None:
    for modality in SOURCES:
        example = filled.timeline(modality=modality)[0]
        hits = filled.search(example, limit=5)
        assert example.id in {hit.id for hit in hits}, modality
        assert hits[0].modality == modality


def test_a_file_that_cannot_be_read_is_no_query(filled: Memory, tmp_path: Path) -> None:
    with pytest.raises(SourceNotFound, match=r"gone\.png"):
        filled.search(tmp_path / "gone.png")


# -- moments, context, timeline ---------------------------------------------------------------


def test_a_moment_joins_what_was_seen_said_and_measured(filled: Memory) -> None:
    (moment, *_) = filled.moments("the seal is leaking", window=20.0)
    assert moment.modalities == ("screenshot", "sensor", "speech")
    assert moment.start <= at(9, 12, 12) <= moment.end
    everything = [hit.observation for hit in moment.hits] + list(moment.companions)
    assert len({one.id for one in everything}) == len(everything)
    assert NOTE not in {Path(one.source).name for one in everything}, "that was an hour later"


def test_a_context_cites_sources_and_times_and_shows_the_screen(filled: Memory) -> None:
    context = filled.context("which alarm V-417 was shown, and what did the operator say?")
    assert 0 < context.tokens <= 1500
    cited = {Path(c.observation.source).name: c for c in context.citations}
    assert {SCREEN, RADIO} <= set(cited)
    assert cited[SCREEN].observation.captured_at == at(9, 12, 12)
    said = cited[RADIO].observation.captured_at - at(9, 12, 8)
    assert timedelta(0) <= said < timedelta(seconds=12.5)
    for citation in context.citations:
        assert f"[{citation.number}] {citation.observation.modality}" in context.text
        assert citation.quote in context.text
    (image,) = context.images
    with Image.open(BytesIO(image.read())) as thumbnail:
        assert thumbnail.size == (512, 128)


def test_a_context_keeps_to_its_filters(filled: Memory) -> None:
    context = filled.context("what did the operator say about the seal?", modality="speech")
    assert {c.observation.modality for c in context.citations} == {"speech"}
    assert context.images == ()


def test_the_timeline_is_in_order_and_whole(filled: Memory, sources: dict[str, Path]) -> None:
    found = filled.timeline()
    assert [one.captured_at for one in found] == sorted(one.captured_at for one in found)
    assert {one.source for one in found} == set(map(str, sources.values()))
    (note,) = filled.timeline(since=at(10, 0), until=at(11, 0))
    assert (note.text, note.captured_at) == (sources["text"].read_text(), at(10, 15))
    assert filled.timeline(until=at(9, 0)) == []


# -- exact readings ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def logged(sources: dict[str, Path]) -> dict[str, list[tuple[datetime, float]]]:
    """The log as Python's own csv module reads it."""
    with sources["sensor"].open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {
        column: [(datetime.fromisoformat(row["time"]), float(row[column])) for row in rows]
        for column in rows[0]
        if column != "time"
    }


def test_readings_are_those_of_the_log(filled: Memory, logged: dict[str, Any]) -> None:
    assert len(logged) == 4
    for column, expected in logged.items():
        assert filled.readings(column) == expected


def test_readings_of_a_span_and_their_aggregates(filled: Memory, logged: dict[str, Any]) -> None:
    since, until = at(9, 12, 5), at(9, 12, 30)
    expected = [value for when, value in logged["vibration [mm/s]"] if since <= when < until]
    assert len(expected) == 25

    def told(aggregate: str) -> Any:
        return filled.readings("vibration", since, until, aggregate)

    assert told("count") == 25
    assert told("max") == max(expected) == 13.4
    assert told("min") == min(expected)
    assert told("mean") == pytest.approx(statistics.fmean(expected))
    assert told("std") == pytest.approx(statistics.pstdev(expected))
    assert (told("first"), told("last")) == (expected[0], expected[-1])


def test_an_unknown_channel_is_answered_with_the_known(filled: Memory) -> None:
    with pytest.raises(QueryError, match=r"no channel 'voltage'; there are: .*vibration"):
        filled.readings("voltage")


def test_there_are_no_readings_outside_of_the_log(filled: Memory) -> None:
    assert filled.readings("vibration", since=at(12, 0)) == []
    assert filled.readings("vibration", since=at(12, 0), aggregate="count") == 0


# -- forgetting, reopening --------------------------------------------------------------------


@pytest.mark.parametrize("modality", SOURCES)
def test_a_forgotten_source_leaves_nothing(
    copy: Memory, sources: dict[str, Path], modality: str
) -> None:
    source = str(sources[modality])
    going = copy.timeline(source=source)
    staying = [one.id for one in copy.timeline() if one.source != source]
    media = {m.path for one in going for m in one.media if m.path}
    receipt = copy.forget(source=source)
    assert set(receipt.ids) == {one.id for one in going}
    assert receipt.rule == "source"
    assert {path.name for path in media} == set(receipt.media)
    assert not any(path.exists() for path in media)
    assert [one.id for one in copy.timeline()] == staying
    question, answer = WORDS[modality]
    assert not any(answer in hit.text for hit in copy.search(question))
    traces = [bytes(answer, "utf-8"), going[0].id.encode(), *(m.name.encode() for m in media)]
    copy.close()
    stored = b"".join(p.read_bytes() for p in copy.directory.rglob("*") if p.is_file())
    assert not [trace for trace in traces if trace in stored]


def test_forgotten_readings_cannot_be_asked_for(copy: Memory, sources: dict[str, Path]) -> None:
    copy.forget(source=str(sources["sensor"]))
    with pytest.raises(QueryError, match="holds no sensor readings"):
        copy.readings("vibration")


def test_a_reopened_memory_is_the_same(copy: Memory, sources: dict[str, Path]) -> None:
    before = copy.timeline(), copy.search("seal"), copy.context("which alarm?")
    copy.close()
    with Memory.open(copy.directory) as memory:
        assert (memory.timeline(), memory.search("seal"), memory.context("which alarm?")) == before
        report = memory.add(sources.values(), session=SESSION)
        assert (report.added, report.unchanged) == (0, len(before[0]))
        assert memory.verify().ok


# -- threads ----------------------------------------------------------------------------------


def test_threads_share_a_memory(tmp_path: Path) -> None:
    shots = [screen(tmp_path / f"{n}.png", f"Invoice {n}{n}{n}") for n in range(4)]

    def work(memory: Memory, thread: int) -> int:
        added = 0
        for n in range(8):
            words = f"Thread {thread} writes that valve {n} of line {thread} is shut."
            shared = f"Everyone writes that door {n} is locked."
            report = memory.add(
                [Observation(text=t, captured_at=at(9, n)) for t in (words, shared)]
            )
            added += report.added
            hits = memory.search(f"valve {n} of line {thread} is shut", limit=3)
            assert words in {hit.text for hit in hits}, "an acknowledged note is found at once"
        return added + memory.add(shots[thread]).added

    with Memory.open(tmp_path / "memory") as memory:
        with ThreadPoolExecutor(4) as pool:
            counts = list(pool.map(work, [memory] * 4, range(4)))
        found = memory.timeline()
        # Two threads may write the same note; it is stored once.
        assert len(found) == len({one.text for one in found}) == 4 * 8 + 8 + 4
        assert sum(counts) == len(found)
        assert memory.verify().ok
        assert memory.search("Invoice 222")[0].text == "Invoice 222"


# -- opening ----------------------------------------------------------------------------------


def test_what_no_memory_can_be_opened_with(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'sensor-features', must encode text"):
        Memory.open(tmp_path / "a", Config(encoders=("sensor-features",)))
    with pytest.raises(PluginError, match=r"no encoder is called 'bert'; installed: .*minilm"):
        Memory.open(tmp_path / "b", Config(encoders=("minilm", "bert")))
    with pytest.raises(PluginError, match=r"no reranker is called 'x'; .*late-interaction"):
        Memory.open(tmp_path / "c", Config(reranker="x"))
    # The failed opening above holds nothing that would keep the next one out.
    with Memory.open(tmp_path / "c") as memory:
        assert memory.timeline() == []


def test_the_config_names_the_plugins_that_are_asked(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("The pump is warm.")
    config = Config(encoders=("minilm",), plugins=("sensor", "no-such-plugin"))
    with Memory.open(tmp_path / "memory", config) as memory:
        ((_, error),) = memory.add(tmp_path / "a.txt").failed
    assert "no plugin knows files like this (.txt)" in str(error)
    assert "no plugin is called 'no-such-plugin'; installed: " in str(error)
