"""Watchers: what they perceive is in the memory before they hear of it; what fails is named."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest
from click.testing import CliRunner

from agentctx import Config, Memory, Observation, registry, watching
from agentctx.cli import cli
from agentctx.contracts import Arrival
from agentctx.errors import AgentctxError, ConfigError, PluginError, SourceError

Install = Callable[..., None]

# Reads the lines of a file as it grows; what is done is cut off its beginning by a count.
TAIL = '''
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from agentctx import Observation
from agentctx.contracts import Arrival
from agentctx.errors import SourceInvalid, SourceNotFound

DONE = []

class Tail:
    """Lines of a file, as they are written."""

    def __init__(
        self,
        services,
        *,
        file: Annotated[Path | None, "What to read."] = None,
        words: Annotated[tuple[str, ...], "Only lines with one of these."] = (),
        every: Annotated[float, "Seconds between looks."] = 0.02,
        notes: Annotated[bool, "Whether lines are files of their own."] = False,
    ):
        self.file, self.words, self.every, self.notes = file, words, every, notes

    def watch(self, stop):
        if self.file is None or not Path(self.file).exists():
            raise SourceNotFound(f"tail {self.file}", "there is no such file; check --file")
        seen = 0
        while True:
            lines = Path(self.file).read_text().splitlines()
            for number, line in enumerate(lines[seen:], seen):
                try:
                    self.check(line)
                except SourceInvalid as error:
                    yield self.arrival(number, line, error)
                else:
                    yield self.arrival(number, line)
            seen = len(lines)
            if stop.wait(self.every):
                return

    def check(self, line):
        if line == "bad":
            raise SourceInvalid("tail", "line is bad; write another")

    def arrival(self, number, line, error=None):
        when = datetime(2026, 3, 14, 9, number, tzinfo=UTC)
        if line == "boom":
            raise RuntimeError("the tail broke")
        if line == "bad":
            item = error
        elif self.notes:
            item = Path(self.file).with_name(f"{number}.md")
            item.write_text(line)
        else:
            item = Observation(text=line, captured_at=when, source="tail")
        def done():
            DONE.append(line)
        return Arrival(item=item, source="tail", captured_at=when,
                       attributes={"line": number}, done=done)
'''


@pytest.fixture
def log(install: Install, tmp_path: Path) -> Path:
    """A file that the watcher ``tail`` reads, with two lines."""
    install("tail", TAIL, watchers={"tail": "tail:Tail"})
    (tmp_path / "log").write_text("the pump stopped\nthe seal leaks\n")
    return tmp_path / "log"


@pytest.fixture
def memory(tmp_path: Path) -> "Memory":
    """One that encodes words only."""
    return Memory.open(tmp_path / "memory", Config(encoders=("minilm",)))


def done() -> list[str]:
    """What the watcher was told is done."""
    return list(sys.modules["tail"].DONE)


def taken(memory: Memory, log: Path, items: int, **more: object) -> list[str]:
    """Watch until so many items came; gives what is in the memory after each, when it is done."""
    stop, seen = Event(), []
    for number, (source, report) in enumerate(
        watching.watch(memory, "tail", {"file": log, **more}, stop=stop, session="day"), 1
    ):
        assert source == "tail"
        seen.append(f"{report.added} of {len(memory.timeline())}, done {len(done())}")
        if number == items:
            stop.set()
    return seen


def test_an_item_is_in_the_memory_before_the_next_and_then_done(log: Path, memory: Memory) -> None:
    with memory:
        assert taken(memory, log, 2) == ["1 of 1, done 1", "1 of 2, done 2"]
        first, second = memory.timeline()
    assert (first.text, first.source, first.captured_at.minute) == ("the pump stopped", "tail", 0)
    assert second.text == "the seal leaks"


def test_a_file_is_observed_under_the_name_of_its_source(log: Path, memory: Memory) -> None:
    with memory:
        taken(memory, log, 2, notes=True)
        _, second = memory.timeline()
        assert [hit.source for hit in memory.search("seal", source="tail", limit=1)] == ["tail"]
    assert (second.text, second.source, second.session) == ("the seal leaks", "tail", "day")
    assert second.attributes["line"] == 1
    assert second.captured_at.minute == 1


def test_what_arrives_can_be_added_by_hand(memory: Memory, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("the pump stopped")
    with memory:
        for item in (tmp_path / "a.txt", Observation(text="the seal leaks")):
            assert memory.add(Arrival(item=item, source="by hand")).added == 1
        report = memory.add([Arrival(item=tmp_path / "no.txt", source="by hand")])
    (failure,) = report.failed
    assert failure.source == "by hand"
    assert str(failure.error).startswith("'by hand': there is no such file")


def test_what_cannot_be_taken_is_told_and_the_others_go_on(log: Path, memory: Memory) -> None:
    log.write_text("one\nbad\nthree\n")
    stop = Event()
    with memory:
        reports = []
        for _, report in watching.watch(memory, "tail", {"file": log}, stop=stop):
            reports.append(report)
            if len(reports) == 3:
                stop.set()
        assert [one.text for one in memory.timeline()] == ["one", "three"]
    (failure,) = reports[1].failed
    assert str(failure.error) == "'tail': line is bad; write another"
    # Told is done: what is bad would come again for ever.
    assert done() == ["one", "bad", "three"]


def test_what_failed_to_be_added_is_not_done(log: Path, memory: Memory) -> None:
    log.write_text("  \nthree\n")
    stop = Event()
    with memory:
        for _, report in watching.watch(memory, "tail", {"file": log, "notes": True}, stop=stop):
            if not report.failed:
                stop.set()
    assert done() == ["three"]


def test_options_of_the_config_hold_unless_others_are_given(
    log: Path, tmp_path: Path, install: Install
) -> None:
    options = {"tail": {"file": str(log), "every": 0.01, "words": ["x"]}}
    config = Config(encoders=("minilm",), options=options)
    stop = Event()
    with Memory.open(tmp_path / "memory", config) as memory:
        for source, _ in watching.watch(memory, "tail", stop=stop):
            assert source == "tail"
            stop.set()
        elsewhere = {"file": tmp_path / "other"}
        with pytest.raises(SourceError, match="other': there is no such file; check --file"):
            next(watching.watch(memory, "tail", elsewhere, stop=Event()))


@pytest.mark.parametrize(
    ("name", "options", "error", "says"),
    [
        ("no", {}, PluginError, "no watcher is called 'no'; installed: .*tail"),
        ("tail", {"depth": 1}, ConfigError, "tail has no option depth; it has: every, file"),
        ("tail", {}, SourceError, "check --file"),
        ("useless", {}, PluginError, "watcher 'useless' is no Watcher"),
        ("wrong", {}, PluginError, "gave 'a line', which is no Arrival"),
    ],
)
def test_what_cannot_be_watched_says_why(
    log: Path,
    memory: Memory,
    install: Install,
    name: str,
    options: dict[str, object],
    error: type[AgentctxError],
    says: str,
) -> None:
    code = """
        class Wrong:
            def __init__(self, services): pass
            def watch(self, stop): yield "a line"
        """
    install("wrong", code, watchers={"wrong": "wrong:Wrong"})
    useless = "class Useless:\n    def __init__(self, services): pass"
    install("useless", useless, watchers={"useless": "useless:Useless"})
    with memory, pytest.raises(error, match=says):
        list(watching.watch(memory, name, options, stop=Event()))


def test_a_watcher_that_breaks_is_named(log: Path, memory: Memory) -> None:
    log.write_text("one\nboom\n")
    with memory:
        with pytest.raises(PluginError, match="the watcher 'tail' failed: RuntimeError"):
            list(watching.watch(memory, "tail", {"file": log}, stop=Event()))
        assert [one.text for one in memory.timeline()] == ["one"]


# -- options --------------------------------------------------------------------------------------


def test_the_options_of_a_factory(log: Path) -> None:
    found = {o.name: o for o in watching.options(registry.factory("watchers", "tail"))}
    assert {name: (o.kind, o.many) for name, o in found.items()} == {
        "file": (Path, False),
        "words": (str, True),
        "every": (float, False),
        "notes": (bool, False),
    }
    assert found["every"].default == 0.02
    assert found["file"].help == "What to read."


def test_options_that_no_command_line_takes() -> None:
    def table(services: object, *, limits: dict[str, float]) -> None: ...

    def taken(services: object, *, memory: str = "") -> None: ...

    with pytest.raises(PluginError, match="'limits' is annotated dict"):
        watching.options(table)
    with pytest.raises(PluginError, match="'memory' is one of the command line"):
        watching.options(taken)


# -- the command ----------------------------------------------------------------------------------


def ran(*words: str | Path) -> tuple[int, str]:
    """How ``agentctx watch`` ends in this process, and what it says."""
    done = CliRunner().invoke(cli, ["watch", *map(str, words)])
    return done.exit_code, done.output


def test_help_lists_watchers_and_their_options(log: Path, install: Install) -> None:
    install("broken", "raise RuntimeError('half installed')", watchers={"broken": "broken:Thing"})
    code, out = ran("--help")
    assert code == 0
    assert "tail" in out
    assert "Lines of a file, as they are written." in out
    assert "half installed" in out
    code, out = ran("tail", "--help")
    assert code == 0
    for said in ("--file", "What to read.", "--notes / --no-notes", "--memory", "--seconds"):
        assert said in out
    assert "[default: 0.02]" in out
    with pytest.raises(PluginError, match="half installed"):
        CliRunner().invoke(cli, ["watch", "broken"], catch_exceptions=False)


def test_watching_for_some_seconds(log: Path, tmp_path: Path) -> None:
    code, out = ran("tail", "--file", log, "--memory", tmp_path / "m", "--seconds", "0.3")
    first, _, third = out.splitlines()
    assert code == 0
    assert first.endswith(" tail: 1 added, 0 unchanged")
    assert third == "2 items, 2 observations added, 0 failed"
    again = ran("tail", "--file", log, "--memory", tmp_path / "m", "--seconds", "0.3", "--json")
    assert again[0] == 0
    rows = [json.loads(line) for line in again[1].splitlines()]
    assert [(row["source"], row["added"], row["unchanged"]) for row in rows] == [("tail", 0, 1)] * 2


def test_a_failed_item_is_named_and_counts(log: Path, tmp_path: Path) -> None:
    log.write_text("one\nbad\nthree\n")
    code, out = ran("tail", "--file", log, "--memory", tmp_path / "m", "--seconds", "0.3")
    assert code == 1
    assert "'tail': line is bad; write another" in out
    assert out.endswith("3 items, 2 observations added, 1 failed\n")


def test_times_and_options_that_make_no_sense(log: Path, tmp_path: Path) -> None:
    for words in (("--seconds", "0"), ("--seconds", "-1"), ("--every", "often"), ("--depth", "1")):
        code, out = ran("tail", "--file", log, "--memory", tmp_path / "m", *words)
        assert code == 2, out
    assert ran("nobody")[0] == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_it_cleanly(log: Path, tmp_path: Path, number: signal.Signals) -> None:
    words = ["tail", "--file", str(log), "--memory", str(tmp_path / "m")]
    code = "from agentctx.cli import main; main()"
    path = os.pathsep.join([str(tmp_path / "site-packages"), *sys.path])
    with subprocess.Popen(
        [sys.executable, "-c", code, "watch", *words],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    ) as process:
        assert process.stdout is not None
        assert "1 added" in process.stdout.readline()
        with log.open("a") as file:
            file.write("a third line\n")
        lines = [process.stdout.readline() for _ in range(2)]
        began = time.monotonic()
        process.send_signal(number)
        rest = process.stdout.read()
        assert process.wait(timeout=10) == 0
    assert time.monotonic() - began < 5
    assert all("1 added" in line for line in lines)
    assert rest == "3 items, 3 observations added, 0 failed\n"
    with Memory.open(tmp_path / "m") as memory:
        assert len(memory.timeline()) == 3
