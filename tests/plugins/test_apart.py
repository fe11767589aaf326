"""Decoder processes: whatever a file does to one, this process and the next file are safe."""

import math
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib import import_module
from itertools import islice
from pathlib import Path
from textwrap import dedent
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from agentctx.contracts import Source
from agentctx.errors import PluginError, SourceInvalid, SourceTooLarge, WeightsNotFound
from agentctx.limits import Limits
from agentctx.plugins import apart

# Tasks are imported by the decoder process, so they need a module of their own.
TASKS = '''
import ctypes, os, re, sys, time
import numpy as np
from agentctx.errors import SourceInvalid, WeightsNotFound

broken = False

def count(source, *numbers):
    yield from numbers

def who(source):
    yield os.getpid()

def array(source, size):
    yield np.arange(size)

def name(source):
    yield source.name, dict(source.attributes), source.limits

def text(source):
    yield source.path.read_text()

def loud(source):
    print("noise")
    os.write(1, b"noise")
    os.write(2, b"noise")
    yield 1

def damaged(source):
    yield 1
    raise SourceInvalid(source.name, "it is cut off")

def unweighted(source):
    raise WeightsNotFound("a", ["b"], "c")
    yield

def wrong(source):
    yield 1 / 0

def fault(source, after=0):
    yield from range(after)
    ctypes.string_at(8)

def abort(source):
    yield from ()
    os.abort()

def leave(source, code):
    yield from ()
    os._exit(code)

def breaking(source):
    global broken
    broken = True
    yield "done"

def fragile(source):
    if broken:
        os.abort()
    yield "done"

def sleep(source, seconds):
    yield os.getpid()
    time.sleep(seconds)

def spin(source):
    """Never lets go of the interpreter, as native code may not."""
    yield os.getpid()
    re.match("(a+)+$", "a" * 60 + "b")

def hoard(source, size):
    yield len(bytearray(size))

def table(source, size):
    import io
    from pyarrow import csv
    rows = csv.read_csv(io.BytesIO(b"a,b\\n" + b"1,2\\n" * 1000)).num_rows
    yield rows, len(bytearray(size))
'''


@pytest.fixture(scope="module")
def tasks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("tasks")
    (folder / "tasks_of_decoders.py").write_text(TASKS)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        apart.end_idle()  # so that the next one knows the folder
        yield import_module("tasks_of_decoders")
        apart.end_idle()


SOURCE = Source(Path("a dir/file.bin"), attributes={"place": "bench"})


def soon(seconds: float, **limits: float) -> Source:
    return replace(
        SOURCE, deadline=time.monotonic() + seconds, limits=Limits(work_seconds=seconds, **limits)
    )


def gone(pid: int, seconds: float = 5.0) -> bool:
    """Whether a process ends within so many seconds."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        try:
            os.kill(pid, 0)
            if Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(") ")[2][0] == "Z":
                return True
        except (ProcessLookupError, FileNotFoundError):
            return True
        time.sleep(0.02)
    return False


def test_items_come_in_order_and_one_process_serves_them_all(tasks: Any) -> None:
    assert list(apart.stream(tasks.count, SOURCE, *range(50))) == list(range(50))
    assert list(apart.stream(tasks.count, SOURCE)) == []
    (first,), (second,) = (list(apart.stream(tasks.who, SOURCE)) for _ in range(2))
    assert first == second != os.getpid()


def test_sources_and_large_arrays_travel_whole(tasks: Any) -> None:
    limits = Limits(rows=7)
    found = list(apart.stream(tasks.name, replace(SOURCE, limits=limits)))
    assert found == [("a dir/file.bin", {"place": "bench"}, limits)]
    (array,) = apart.stream(tasks.array, SOURCE, 3_000_000)
    assert np.array_equal(array, np.arange(3_000_000))


def test_relative_paths_are_from_where_this_process_is(
    tasks: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
        monkeypatch.chdir(tmp_path / name)
        assert list(apart.stream(tasks.text, Source(Path("file")))) == [name]
    whole = Source(tmp_path / "one" / "file")
    (tmp_path / "two" / "file").unlink()
    (tmp_path / "two").rmdir()
    assert list(apart.stream(tasks.text, whole)) == ["one"]


def test_what_libraries_print_does_no_harm(tasks: Any, capfd: pytest.CaptureFixture[str]) -> None:
    assert list(apart.stream(tasks.loud, SOURCE)) == [1]
    assert capfd.readouterr() == ("", "")


def test_errors_come_through_and_the_process_goes_on(tasks: Any) -> None:
    (before,) = apart.stream(tasks.who, SOURCE)
    found = apart.stream(tasks.damaged, SOURCE)
    assert next(found) == 1
    with pytest.raises(SourceInvalid, match=r"^'a dir/file.bin': it is cut off$"):
        next(found)
    with pytest.raises(WeightsNotFound, match="get them with: c"):
        list(apart.stream(tasks.unweighted, SOURCE))
    with pytest.raises(PluginError, match=r"file.bin.*ZeroDivisionError"):
        list(apart.stream(tasks.wrong, SOURCE))
    assert list(apart.stream(tasks.who, SOURCE)) == [before]


def test_a_task_that_cannot_be_imported_is_a_defect_of_the_plugin(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def local(source: Source) -> Iterator[int]:
        yield 1

    with pytest.raises((AttributeError, TypeError, PluginError)):
        list(apart.stream(local, SOURCE))
    # Of a module that is in this process only.
    module = ModuleType("made_here")
    vars(module)["local"] = local
    local.__module__, local.__qualname__ = "made_here", "local"
    monkeypatch.setitem(sys.modules, "made_here", module)
    with pytest.raises(PluginError, match="cannot take its task"):
        list(apart.stream(local, SOURCE))


@pytest.mark.parametrize(
    ("how", "arguments", "code"),
    [
        ("fault", (), -signal.SIGSEGV),
        ("fault", (3,), -signal.SIGSEGV),
        ("abort", (), -signal.SIGABRT),
        ("leave", (0,), 0),
        ("leave", (3,), 3),
    ],
)
def test_a_crash_is_an_error_of_the_file(
    tasks: Any, how: str, arguments: tuple[int, ...], code: int
) -> None:
    with pytest.raises(SourceInvalid, match=rf"file.bin.*exit code {code}\b.*get it again"):
        list(apart.stream(getattr(tasks, how), SOURCE, *arguments))
    assert list(apart.stream(tasks.count, SOURCE, 1)) == [1]


def test_a_file_is_not_blamed_for_the_one_before_it(tasks: Any) -> None:
    assert list(apart.stream(tasks.breaking, SOURCE)) == ["done"]
    assert list(apart.stream(tasks.fragile, SOURCE)) == ["done"]


@pytest.mark.parametrize("how", ["spin", "sleep"])
def test_a_hang_ends_at_the_deadline(tasks: Any, how: str) -> None:
    started = time.monotonic()
    found = apart.stream(getattr(tasks, how), soon(1.5), *((600,) if how == "sleep" else ()))
    pid = next(found)
    with pytest.raises(SourceTooLarge, match=r"limits.work_seconds = 1.5 .*raise that option"):
        next(found)
    assert time.monotonic() - started < 5
    assert gone(pid)
    assert list(apart.stream(tasks.count, SOURCE, 1)) == [1]


def test_a_deadline_that_has_passed_is_one(tasks: Any) -> None:
    with pytest.raises(SourceTooLarge, match="work_seconds"):
        list(apart.stream(tasks.sleep, soon(1e-9), 600))


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not hold memory")
def test_memory_is_held(tasks: Any) -> None:
    small = replace(SOURCE, limits=Limits(decoder_bytes=100_000_000))
    with pytest.raises(SourceTooLarge, match=r"limits.decoder_bytes = 100,000,000 allows"):
        list(apart.stream(tasks.hoard, small, 200_000_000))
    assert list(apart.stream(tasks.hoard, small, 50_000_000)) == [50_000_000]
    # Each file is held to its own limit, whatever the one before it was held to.
    assert list(apart.stream(tasks.hoard, SOURCE, 200_000_000)) == [200_000_000]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not hold memory")
def test_reading_a_table_leaves_the_memory_that_a_file_may_have(tasks: Any) -> None:
    enough = replace(SOURCE, limits=Limits(decoder_bytes=1_200_000_000))
    found = list(apart.stream(tasks.table, enough, 1_000_000_000))
    assert found == [(1000, 1_000_000_000)]


def test_who_stops_listening_ends_the_task(tasks: Any) -> None:
    found = apart.stream(tasks.sleep, SOURCE, 600)
    (pid,) = islice(found, 1)
    found.close()
    assert gone(pid)
    assert list(apart.stream(tasks.count, SOURCE, 1)) == [1]


def test_threads_have_processes_of_their_own(tasks: Any) -> None:
    together = threading.Barrier(3)

    def run(number: int) -> list[int]:
        found = apart.stream(tasks.count, SOURCE, *range(number, number + 40))
        first = next(found)
        together.wait(20)
        return [first, *found]

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(run, (0, 100, 200))) == [
            list(range(start, start + 40)) for start in (0, 100, 200)
        ]
    apart.end_idle()


def test_an_idle_process_ends_by_itself(tasks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "_IDLE_SECONDS", 0.2)
    (pid,) = apart.stream(tasks.who, SOURCE)
    assert gone(pid)
    assert list(apart.stream(tasks.count, SOURCE, 1)) == [1]
    apart.end_idle()


def started(tasks: Any, body: str) -> "subprocess.Popen[str]":
    """A program that uses decoders, with its output to be read."""
    head = """
        import os, signal, sys, time
        from pathlib import Path
        from agentctx.contracts import Source
        from agentctx.plugins import apart
        import tasks_of_decoders as tasks
    """
    return subprocess.Popen(
        [sys.executable, "-c", dedent(head) + dedent(body)],
        env={**os.environ, "PYTHONPATH": str(Path(tasks.__file__).parent)},
        stdout=subprocess.PIPE,
        text=True,
    )


def test_decoders_end_with_their_program(tasks: Any) -> None:
    with started(tasks, "print(*apart.stream(tasks.who, Source(Path('a'))))") as program:
        pid = int(program.communicate(timeout=20)[0])
    assert program.returncode == 0
    assert gone(pid)


def test_a_hanging_decoder_does_not_outlive_a_program_that_was_killed(tasks: Any) -> None:
    body = """
        found = apart.stream(tasks.spin, Source(Path('a'), deadline=time.monotonic() + 1.0))
        print(next(found), flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    with started(tasks, body) as program:
        assert program.stdout is not None
        pid = int(program.stdout.readline())
    assert program.returncode == -signal.SIGKILL
    assert gone(pid, 10)


def test_a_forked_process_has_decoders_of_its_own(tasks: Any) -> None:
    body = """
        source = Source(Path('a'))
        (first,) = apart.stream(tasks.who, source)
        child = os.fork()
        (second,) = apart.stream(tasks.who, source)
        print(first, second, child != 0, flush=True)
        if child:
            assert os.waitpid(child, 0)[1] == 0
            assert list(apart.stream(tasks.who, source)) == [first]
    """
    with started(tasks, body) as program:
        lines = program.communicate(timeout=30)[0].splitlines()
    assert program.returncode == 0
    found = {line.split()[2]: line.split()[:2] for line in lines}
    assert found["True"][0] == found["True"][1] == found["False"][0]
    assert found["False"][1] != found["False"][0]


def test_the_source_tells_when_its_time_is_up() -> None:
    SOURCE.check_time()
    assert math.isinf(SOURCE.deadline)
    with pytest.raises(SourceTooLarge) as raised:
        replace(soon(5.0), deadline=time.monotonic() - 1).check_time()
    said = r"'a dir/file.bin': it takes longer than limits.work_seconds = 5 allows: split it, or .*"
    assert re.fullmatch(said, str(raised.value))


_STARTED = dedent(
    """
    import sys
    started = []
    sys.addaudithook(lambda event, args: event == "subprocess.Popen" and started.append(str(args)))
    from agentctx import Memory
    with Memory.open(sys.argv[1]) as memory:
        assert memory.add(sys.argv[2:]).failed == ()
    print(sum("agentctx.plugins.decoder" in command for command in started))
    """
)


@pytest.mark.parametrize(
    ("name", "text", "decoders"),
    [
        ("note.txt", "The pump is warm.", 0),
        ("call.srt", "1\n00:00:01,000 --> 00:00:02,000\nShut valve seven.\n", 0),
        ("log.csv", "time,flow\n1773478800,1\n1773478801,2\n", 1),
    ],
)
def test_text_starts_no_decoder(tmp_path: Path, name: str, text: str, decoders: int) -> None:
    path = tmp_path / name
    path.write_text(text)
    command = [sys.executable, "-c", _STARTED, str(tmp_path / "memory"), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(done.stdout) == decoders
