"""What one call of ``add`` promises: outsiders held to their contract, no work done twice."""

import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from textwrap import dedent

import pytest
from PIL import Image

from agentctx import Config, Memory, Observation, registry
from agentctx.errors import PluginError, SourceTooLarge
from agentctx.limits import Limits
from agentctx.reports import IngestReport

SAMPLES = Path(str(files("agentctx.demo") / "samples"))
NINE = datetime(2026, 3, 14, 9, tzinfo=UTC)
LIGHT = Config(encoders=("minilm",), reranker=None)

Install = Callable[[str], None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """``install(code)`` makes a distribution whose plugin ``beacon`` is the code's ``Beacon``."""
    site = tmp_path / "site-packages"
    monkeypatch.syspath_prepend(site)

    def make(code: str) -> None:
        metadata = site / "beacon-1.0.dist-info"
        metadata.mkdir(parents=True)
        (site / "beacon.py").write_text(dedent(code))
        (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: beacon\nVersion: 1.0\n")
        (metadata / "entry_points.txt").write_text("[agentctx.plugins]\nbeacon = beacon:Beacon\n")
        registry._entry_points.cache_clear()

    yield make
    sys.modules.pop("beacon", None)
    registry._entry_points.cache_clear()


def outsider(accepts: str = "source.suffix == '.beacon'", observe: str = "yield from ()") -> str:
    return f"""
        from agentctx import Observation
        from agentctx.extras import require

        class Beacon:
            def __init__(self, services):
                pass

            def accepts(self, source):
                return {accepts}

            def observe(self, source):
                {observe}
    """


def add_between_notes(directory: Path, times: int = 1) -> tuple[list[IngestReport], list[str]]:
    """The reports of adding a beacon between two notes, and the texts that are stored then."""
    paths = [directory / name for name in ("first.txt", "a.beacon", "last.txt")]
    for path in paths:
        path.write_text(f"Words of {path.name}.")
    with Memory.open(directory / "memory", LIGHT) as memory:
        reports = [memory.add(paths) for _ in range(times)]
        return reports, [one.text for one in memory.timeline()]


@pytest.mark.parametrize(
    ("observe", "says"),
    [
        ("raise RuntimeError('the lamp is out')", "the lamp is out"),
        ("yield 1 / 0", "division by zero"),
        ("return None", "not iterable"),
        ("return [1][2]", "index out of range"),
        ("yield Observation(text='x', duration=-1.0)", "duration is -1.0"),
        ("yield 42", "42"),
        ("return 'abc'", "'a'"),
        ("yield Observation(text='half'); raise RuntimeError('torn')", "torn"),
    ],
)
def test_an_outsider_that_fails_is_named_and_the_rest_is_stored(
    install: Install, tmp_path: Path, observe: str, says: str
) -> None:
    install(outsider(observe=observe))
    (once, again), texts = add_between_notes(tmp_path, times=2)
    ((source, error),) = once.failed
    assert source == str(tmp_path / "a.beacon")
    assert isinstance(error, PluginError)
    assert "'beacon'" in str(error)
    assert source in str(error)
    assert says in str(error)
    assert sorted(texts) == ["Words of first.txt.", "Words of last.txt."]
    assert (once.added, again.added, again.unchanged) == (2, 0, 2)
    assert [str(failure.error) for failure in again.failed] == [str(error)]


@pytest.mark.parametrize(
    "accepts",
    [
        "[][1]",
        ("require('no_such_radio', extra='radio', distribution='beacon')"),
    ],
)
def test_an_outsider_that_cannot_look_stops_no_other(
    install: Install, tmp_path: Path, accepts: str
) -> None:
    install(outsider(accepts=accepts))
    (report,), texts = add_between_notes(tmp_path)
    ((source, error),) = report.failed
    assert source == str(tmp_path / "a.beacon")
    assert "beacon" in str(error).replace(source, "")
    assert sorted(texts) == ["Words of first.txt.", "Words of last.txt."]


def test_an_outsider_that_sees_nothing_is_no_failure(install: Install, tmp_path: Path) -> None:
    install(outsider())
    (report,), texts = add_between_notes(tmp_path)
    assert (report.added, report.failed, len(texts)) == (2, (), 2)


# -- nothing is done twice, and nothing is missed ---------------------------------------------


def test_the_same_file_is_unchanged(memory: Memory, tmp_path: Path) -> None:
    note = tmp_path / "note.txt"
    note.write_text("The pump is warm.")
    once, again = memory.add(note), memory.add([note, note])
    assert (once.added, once.unchanged) == (1, 0)
    assert (again.added, again.unchanged) == (0, 1)
    assert once.ids == again.ids == (memory.timeline()[0].id,)


def test_other_content_under_the_same_name_is_added(memory: Memory, tmp_path: Path) -> None:
    note = tmp_path / "note.txt"
    for text in ("The pump is warm.", "The pump is hot."):
        note.write_text(text)
        assert memory.add(note).added == 1
    assert {one.text for one in memory.timeline()} == {"The pump is warm.", "The pump is hot."}


def test_the_same_content_under_another_name_is_added(memory: Memory, tmp_path: Path) -> None:
    for name in ("one.txt", "two.txt"):
        (tmp_path / name).write_text("The pump is warm.")
        assert memory.add(tmp_path / name).added == 1
    assert [Path(one.source).name for one in memory.timeline()] == ["one.txt", "two.txt"]


@pytest.mark.parametrize(
    "hints",
    [
        {"session": "night"},
        {"captured_at": NINE},
        {"attributes": {"room": "cellar"}},
    ],
    ids=lambda hints: next(iter(hints)),
)
def test_other_hints_are_another_observation(
    memory: Memory, tmp_path: Path, hints: dict[str, object]
) -> None:
    note = tmp_path / "note.txt"
    note.write_text("The pump is warm.")
    memory.add(note)
    assert memory.add(note, **hints).added == 1  # type: ignore[arg-type]
    assert memory.add(note, **hints).unchanged == 1  # type: ignore[arg-type]


def log(path: Path, rows: int = 120) -> Path:
    lines = [f"{(NINE + timedelta(seconds=n)).isoformat()},{5 + n / 100}" for n in range(rows)]
    path.write_text("\n".join(["time,pressure [bar]", *lines]))
    return path


def test_other_options_read_a_source_again(tmp_path: Path) -> None:
    source = log(tmp_path / "log.csv")
    for window, added in ((60.0, 2), (30.0, 4), (30.0, 0)):
        config = Config(options={"sensor": {"window": window, "max_events": 0}})
        with Memory.open(tmp_path / "memory", config) as memory:
            assert memory.add(source).added == added
    other = Config(options={"sensor": {"window": 30.0, "max_events": 0}, "text": {"max_bytes": 9}})
    with Memory.open(tmp_path / "memory", other) as memory:
        assert memory.add(source).added == 0, "the options of another plugin do not matter"
        assert len(memory.timeline()) == 6


def test_what_was_forgotten_whole_can_be_added_again(memory: Memory, tmp_path: Path) -> None:
    source = log(tmp_path / "log.csv", rows=300)
    once = memory.add(source)
    memory.forget(source=str(source))
    again = memory.add(source)
    assert (again.added, again.ids) == (once.added, once.ids)


def test_a_source_partly_forgotten_is_complete_when_added_again(
    memory: Memory, tmp_path: Path
) -> None:
    source = log(tmp_path / "log.csv", rows=300)
    ids = memory.add(source).ids
    memory.forget(ids=ids[:2])
    assert [one.id for one in memory.timeline()] == list(ids[2:])
    report = memory.add(source)
    assert (report.added, report.ids) == (2, ids)
    assert [one.id for one in memory.timeline()] == list(ids)


def test_batches_do_not_show(tmp_path: Path) -> None:
    sources = [log(tmp_path / "log.csv", rows=400), tmp_path / "a.txt", tmp_path / "empty.txt"]
    sources[1].write_text("The pump is warm. " * 200)
    sources[2].touch()
    notes = [Observation(text=f"Note {n}", captured_at=NINE) for n in range(5)]
    kept = []
    for size in (1, 3, 64):
        with Memory.open(tmp_path / f"memory-{size}", Config(batch_size=size)) as memory:
            report = memory.add([*notes, *sources, notes[0]])
            hits = memory.search("how warm is the pump?", rerank=False)
            found = [(hit.id, round(hit.score, 6)) for hit in hits]
            checked = memory.verify()
            assert checked.ok
            counts = (checked.observations, checked.passages, checked.media)
            failed = [failure.source for failure in report.failed]
            kept.append((report.added, report.ids, failed, counts, found))
    assert kept[0] == kept[1] == kept[2]


# -- progress, limits and hints ---------------------------------------------------------------


def test_progress_is_told_of_each_item_and_each_observation(memory: Memory, tmp_path: Path) -> None:
    note = tmp_path / "note.txt"
    note.write_text("The pump is warm.")
    missing = tmp_path / "missing.txt"
    calls: list[tuple[int, int, str]] = []
    memory.add(
        [note, Observation(text="said", source="radio"), missing],
        progress=lambda *call: calls.append(call),
    )
    before, read, taken = [(0, 3, str(note))] * 3
    assert calls == [before, read, taken, (1, 3, "radio"), (2, 3, str(missing)), (3, 3, "")]
    calls.clear()
    assert memory.add([], progress=lambda *call: calls.append(call)) == IngestReport()
    assert calls == [(0, 0, "")]


def test_what_was_stored_before_a_caller_gives_up_stays(tmp_path: Path) -> None:
    def stop(done: int, total: int, name: str) -> None:
        if done == 3:
            raise KeyboardInterrupt

    notes = [Observation(text=f"Note {n}", captured_at=NINE) for n in range(9)]
    with Memory.open(tmp_path / "memory", Config(batch_size=1)) as memory:
        with pytest.raises(KeyboardInterrupt):
            memory.add(notes, progress=stop)
        assert len(memory.timeline()) == 3
        assert memory.add(notes).added == 6


@pytest.mark.parametrize(("stop_at", "kept"), [(4, 0), (8 + 6, 4)])
def test_a_caller_may_give_up_in_a_file(tmp_path: Path, stop_at: int, kept: int) -> None:
    call = tmp_path / "call.srt"
    call.write_text(
        "\n".join(f"{n}\n00:00:{n:02},000 --> 00:00:{n:02},900\nLine {n}.\n" for n in range(1, 9))
    )
    calls: list[object] = []

    def stop(*told: object) -> None:
        calls.append(told)
        if len(calls) == stop_at:
            raise InterruptedError

    with Memory.open(tmp_path / "memory", Config(batch_size=2)) as memory:
        with pytest.raises(InterruptedError):
            memory.add(call, progress=stop)
        assert calls == [(0, 1, str(call))] * stop_at
        assert len(memory.timeline()) == kept
        assert memory.add(call).added == 8 - kept


def test_a_file_over_the_limit_is_refused(tmp_path: Path) -> None:
    (tmp_path / "long.txt").write_text("word " * 100)
    with Memory.open(tmp_path / "memory", Config(limits=Limits(file_bytes=499))) as memory:
        ((_, error),) = memory.add(tmp_path / "long.txt").failed
    assert isinstance(error, SourceTooLarge)
    assert "500 bytes; limits.file_bytes allows 499" in str(error)


@pytest.fixture(scope="module")
def one_of_each(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A picture (blank, so that reading it is quick), a recording, a log, words, a transcript."""
    place = tmp_path_factory.mktemp("each")
    Image.new("RGB", (64, 64), "white").save(place / "shot.png")
    (place / "call.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\nStand by.\n")
    (place / "note.txt").write_text("The pump is warm.")
    radio = SAMPLES / "2026-03-14T091208Z_operator-radio-leak.ogg"
    return [
        place / "shot.png",
        radio,
        log(place / "log.csv"),
        place / "call.srt",
        place / "note.txt",
    ]


def test_hints_reach_every_modality(memory: Memory, one_of_each: list[Path]) -> None:
    when = datetime(2026, 5, 1, 14, tzinfo=UTC)
    attributes = {"site": "Harrow Lane", "shift": 2, "tags": ("a", "b")}
    report = memory.add(one_of_each, session="day", captured_at=when, attributes=attributes)
    assert report.failed == ()
    for path in one_of_each:
        found = memory.timeline(source=str(path))
        assert found, path
        for one in found:
            assert one.session == "day"
            assert attributes.items() <= one.attributes.items()
        # A log has times of its own, which no hint overrides.
        start = NINE if path.suffix == ".csv" else when
        assert start <= found[0].captured_at <= start + timedelta(seconds=2)
    assert {o.modality for o in memory.timeline()} == {"screenshot", "speech", "sensor", "text"}


def test_originals_are_kept_only_when_wanted(tmp_path: Path, one_of_each: list[Path]) -> None:
    sources = [path for path in one_of_each if path.suffix != ".ogg"]
    kinds = {}
    for keep in (True, False):
        with Memory.open(tmp_path / f"memory-{keep}", Config(keep_originals=keep)) as memory:
            assert memory.add(sources).failed == ()
            found = memory.timeline()
            kinds[keep] = {media.kind for one in found for media in one.media}
            stored = [path for path in memory.directory.rglob("*") if path.is_file()]
            pixels = sources[0].read_bytes()
            assert any(path.read_bytes() == pixels for path in stored) is keep
            assert memory.verify().ok
    assert kinds[True] - kinds[False] == {"original"}
    assert {"thumbnail", "readings"} <= kinds[False]
