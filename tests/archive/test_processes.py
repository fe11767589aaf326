"""Other processes add, forget and die meanwhile."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agentctx import Memory, Observation
from agentctx.records import Media

from .conftest import TOTAL, note, picture
from .contents import contents, counts, store_of


@contextmanager
def python(code: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """A Python process that runs the code, killed with the block."""
    command = [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


# -- forgotten meanwhile ----------------------------------------------------------------------


def shots(count: int) -> list[Observation]:
    """Screens with two pictures each: one of its own, one shared with its neighbour."""
    return [
        note(
            n,
            modality="screenshot",
            media=(picture(b"own %d" % n), picture(b"shared %d" % (n // 2), "thumbnail")),
        )
        for n in range(count)
    ]


def test_what_is_forgotten_while_media_are_copied_is_left_out(
    memory: Memory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of observations forgotten after the export began, nothing that was erased is missed."""
    screens = shots(8)
    memory.add(screens)
    doomed = [screens[2].id, screens[3].id, screens[5].id]
    copying = store_of(memory).media.open
    forgotten = threading.Event()

    def slowly(digest: str) -> object:
        # The export has its state of the memory; now another connection forgets.
        if not forgotten.is_set():
            forgotten.set()
            erase(memory, doomed)
        return copying(digest)

    monkeypatch.setattr(store_of(memory).media, "open", slowly)
    report = memory.export(tmp_path / "backup")
    monkeypatch.undo()
    assert (report.forgotten, report.problems) == (3, ())
    # The fifth is forgotten, its thumbnail is still that of the fourth.
    assert (report.observations, report.media) == (5, 5 + 3)
    held = (tmp_path / "backup").read_bytes()
    for one in (screens[2], screens[3], screens[5]):
        assert one.id.encode() not in held
        assert one.media[0].read() not in held
    with Memory.open(tmp_path / "new") as after:
        assert after.import_(tmp_path / "backup").added == 5
        assert contents(after) == contents(memory)
        assert after.verify().problems == ()


def erase(memory: Memory, ids: list[str]) -> None:
    """Forget as another process does: rows gone and files deleted before the export goes on."""
    code = """
        import sys
        from agentctx import Memory
        from agentctx.errors import StoreError
        with Memory.open(sys.argv[1]) as memory:
            try:
                memory.forget(ids=sys.argv[2:])
            except StoreError as error:  # the index is another process's
                print(error)
    """
    with python(code, memory.directory, *ids) as process:
        assert process.wait(60) == 0
    assert len(memory.timeline()) == 5


_BUSY = """
    import itertools, sys
    from datetime import UTC, datetime, timedelta
    from agentctx import Media, Memory, Observation
    from agentctx.errors import StoreError
    with Memory.open(sys.argv[1]) as memory:
        print("open", flush=True)
        for n in itertools.count():
            batch = [
                Observation(
                    text=f"Round {n} of pump {i}.",
                    captured_at=datetime(2026, 3, 15, tzinfo=UTC) + timedelta(seconds=n, minutes=i),
                    session=f"round {n}",
                    media=(Media.of_bytes("original", "text/plain", f"{n} {i}".encode()),),
                )
                for i in range(8)
            ]
            assert memory.add(batch).added == 8
            try:
                memory.forget(session=f"round {n - 2}") if n > 1 else None
            except StoreError:  # the lease is elsewhere: rows and media are gone all the same
                pass
"""


def test_an_archive_is_one_state_of_a_busy_memory(filled: Memory, tmp_path: Path) -> None:
    """Batches are whole in it or not there, with all their media."""
    with python(_BUSY, filled.directory) as other:
        assert other.stdout
        assert other.stdout.readline() == "open\n"
        deadline = time.monotonic() + 30
        while counts(filled)["observations"] < TOTAL + 16:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        reports = [filled.export(tmp_path / f"backup-{n}") for n in range(6)]
        assert other.poll() is None
    assert all(report.problems == () for report in reports)
    for number, report in enumerate(reports):
        with Memory.open(tmp_path / f"new-{number}") as after:
            assert after.import_(tmp_path / f"backup-{number}").added == report.observations
            sessions = [one.session for one in after.timeline()]
            rounds = {name: sessions.count(name) for name in sessions if "round" in name}
            # A round of which some is left out was forgotten while it was exported.
            assert sum(8 - count for count in rounds.values()) <= report.forgotten
            assert report.observations >= TOTAL
            assert after.verify().problems == ()


# -- killed meanwhile -------------------------------------------------------------------------

_IMPORT = """
    import sys
    from pathlib import Path
    from agentctx import Memory
    from agentctx.memory.archive import reading
    reading._BATCH = 4
    memory = Memory.open(sys.argv[1])
    def wait(*step):
        print(*step, flush=True)
        sys.stdin.readline()
    memory.import_(Path(sys.argv[2]), progress=wait)
    raise SystemExit("nobody killed this")
"""


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of 120 observations, with media."""
    place = tmp_path_factory.mktemp("large")
    with Memory.open(place / "memory") as memory:
        memory.add(shots(120))
        memory.export(place / "archive")
    return place / "archive"


@pytest.mark.parametrize("steps", [5, 31, 50])
def test_a_killed_import_leaves_a_whole_memory_and_can_be_done_again(
    large: Path, tmp_path: Path, steps: int
) -> None:
    with python(_IMPORT, tmp_path / "new", large) as process:
        assert process.stdin
        assert process.stdout
        for _ in range(steps):
            assert process.stdout.readline() != ""
            process.stdin.write("\n")
            process.stdin.flush()
        assert process.stdout.readline() != ""
        os.kill(process.pid, signal.SIGKILL)
    with Memory.open(tmp_path / "new") as memory:
        assert memory.verify().problems == ()
        before = counts(memory)["observations"]
        assert before < 120
        assert (before > 0) is (steps > 30), "writing begins when all is checked"
        report = memory.import_(large)
        assert (report.added, report.unchanged) == (120 - before, before)
        assert memory.verify().problems == ()
    with Memory.open(tmp_path / "once") as once, Memory.open(tmp_path / "new") as again:
        once.import_(large)
        assert contents(again) == contents(once)


def test_a_killed_export_leaves_the_old_archive(filled: Memory, tmp_path: Path) -> None:
    target = tmp_path / "backup"
    filled.export(target)
    before = target.read_bytes()
    code = """
        import sys
        from agentctx import Memory
        with Memory.open(sys.argv[1]) as memory:
            def stop(done, total, name):
                print(name, flush=True)
                if name == "vectors/0":
                    sys.stdin.read()
            memory.export(sys.argv[2], force=True, progress=stop)
    """
    with python(code, filled.directory, target) as process:
        assert process.stdout
        while process.stdout.readline() != "vectors/0\n":
            assert process.poll() is None
        os.kill(process.pid, signal.SIGKILL)
    assert target.read_bytes() == before
    filled.export(target, force=True)
    assert Media.of_file("", "", target).size > 0


def test_a_search_goes_on_while_a_memory_is_exported(filled: Memory, tmp_path: Path) -> None:
    """And so does an add, from another thread of the same process."""
    found: list[int] = []

    def meanwhile(done: int, total: int, name: str) -> None:
        if name == "passages" and not found:
            thread = threading.Thread(target=work)
            thread.start()
            thread.join(20)
            assert not thread.is_alive()

    def work() -> None:
        found.append(filled.add(note(50, "Added meanwhile.")).added)
        found.append(len(filled.search("added meanwhile")))

    report = filled.export(tmp_path / "backup", progress=meanwhile)
    assert found[0] == 1
    assert found[1] >= 1
    assert report.observations == TOTAL
