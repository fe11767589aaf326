"""Several processes on one memory: none waits for a dead one, none loses what another adds."""

import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agentctx.memory.catalog import Catalog
from agentctx.memory.entries import Entry
from agentctx.memory.lease import Lease
from agentctx.memory.media import MediaStore
from agentctx.records import Filters, Observation

from .writing import add


@contextmanager
def python(code: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """A Python process that runs the code, ended with the block."""
    command = [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().strip()


def entry(text: str) -> Entry:
    when = datetime(2026, 3, 14, 9, tzinfo=UTC)
    return Entry(Observation(text=text, captured_at=when), [(0, len(text))], [])


# -- the lease --------------------------------------------------------------------------------

_HOLDER = """
import sys
from pathlib import Path
from agentctx.memory.lease import Lease
lease = Lease(Path(sys.argv[1]))
print(lease.acquire(), flush=True)
for line in sys.stdin:
    lease.release() if line == "release\\n" else None
    print(lease.acquire() if line == "acquire\\n" else "done", flush=True)
"""


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_a_lease_is_held_by_one_process_until_it_dies(tmp_path: Path, end: signal.Signals) -> None:
    lease = Lease(tmp_path / "lease")
    with python(_HOLDER, tmp_path / "lease") as holder:
        assert said(holder) == "True"
        began = time.monotonic()
        assert not lease.acquire()
        assert not lease.acquire()
        assert time.monotonic() - began < 1, "asking does not wait"
        holder.send_signal(end)
        assert holder.wait() == -end
        assert lease.acquire()
    lease.release()


def test_a_lease_goes_to_and_fro(tmp_path: Path) -> None:
    lease = Lease(tmp_path / "lease")
    assert lease.acquire()
    assert lease.acquire(), "asking again is harmless"
    with python(_HOLDER, tmp_path / "lease") as other:
        assert other.stdin
        assert said(other) == "False"
        lease.release()
        for word, answer in (("acquire", "True"), ("acquire", "True")):
            print(word, file=other.stdin, flush=True)
            assert said(other) == answer
        assert not lease.acquire()
        print("release", file=other.stdin, flush=True)
        assert said(other) == "done"
        assert lease.acquire()
    lease.release()
    lease.release()


def test_a_lease_is_the_process_s_and_not_a_thread_s(tmp_path: Path) -> None:
    lease, second = Lease(tmp_path / "lease"), Lease(tmp_path / "lease")
    answers: list[bool] = []
    thread = threading.Thread(target=lambda: answers.append(lease.acquire()))
    thread.start()
    thread.join()
    assert answers == [True]
    assert lease.acquire()
    assert not second.acquire(), "another memory object in this process is another holder"
    lease.release()
    assert second.acquire()
    second.release()


# -- writers and readers ----------------------------------------------------------------------

_WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from agentctx.memory.catalog import Catalog
from agentctx.memory import entries
from agentctx.memory.entries import Entry
from agentctx.memory.media import MediaStore
from agentctx.records import Observation
folder, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
catalog = Catalog(folder / "catalog.sqlite3", MediaStore(folder / "media"))
print("ready", flush=True)
sys.stdin.readline()
for number in range(count):
    text = f"{name}{number}" if number % 4 else f"common{number}"
    observation = Observation(text=text, captured_at=datetime(2026, 3, 14, 9, tzinfo=UTC))
    with catalog.transaction() as db:
        entry = Entry(observation, [(0, len(text))], [])
        new = entries.insert(db, [entry], {name: [observation.id]}, {})
    print(len(new), flush=True)
catalog.close()
"""


_OPENER = """
import sys
from pathlib import Path
from agentctx.memory import schema
from agentctx.errors import AgentctxError
refused = []
for folder in sys.argv[1:]:
    Path(folder).mkdir(parents=True, exist_ok=True)
    print("ready", flush=True)
    sys.stdin.readline()
    try:
        schema.connect(Path(folder) / "catalog.sqlite3").close()
    except AgentctxError as error:
        refused.append(str(error))
print(refused, flush=True)
"""


def test_several_may_make_one_memory_at_once(tmp_path: Path) -> None:
    folders = [tmp_path / str(number) for number in range(40)]
    with ExitStack() as stack:
        openers = [stack.enter_context(python(_OPENER, *folders)) for _ in range(4)]
        for _ in folders:
            assert [said(opener) for opener in openers] == ["ready"] * 4
            for opener in openers:
                assert opener.stdin
                print("go", file=opener.stdin, flush=True)
        assert [said(opener) for opener in openers] == ["[]"] * 4


def test_two_writers_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path / "catalog.sqlite3", MediaStore(tmp_path / "media"))
    with python(_WRITER, tmp_path, "a", 200) as one, python(_WRITER, tmp_path, "b", 200) as two:
        assert said(one) == said(two) == "ready"
        for process in (one, two):
            assert process.stdin
            print("go", file=process.stdin, flush=True)
        seen = 0
        while one.poll() is None or two.poll() is None:
            found = len(catalog.select(Filters()))
            assert found >= seen, "what was seen once stays"
            seen = found
            time.sleep(0.01)
        assert one.returncode == two.returncode == 0
        assert one.stdout
        assert two.stdout
        acknowledged = sum(map(int, one.stdout.read().split() + two.stdout.read().split()))
    texts = [row.observation.text for row in catalog.select(Filters())]
    shared = {f"common{n}" for n in range(0, 200, 4)}
    own = {f"{name}{n}" for name in "ab" for n in range(200) if n % 4}
    assert len(texts) == acknowledged == len(shared | own)
    assert set(texts) == shared | own
    for name in "ab":
        assert len(catalog.ingested(name)) == 200
    with catalog.transaction() as db:
        db.execute("INSERT INTO passage_words (passage_words, rank) VALUES ('integrity-check', 1)")
    assert catalog.query("PRAGMA integrity_check") == [("ok",)]
    catalog.close()


def test_a_killed_writer_leaves_what_it_acknowledged(tmp_path: Path) -> None:
    with python(_WRITER, tmp_path, "a", 10_000) as writer:
        assert said(writer) == "ready"
        assert writer.stdin
        print("go", file=writer.stdin, flush=True)
        acknowledged = sum(said(writer) == "1" for _ in range(60))
        writer.kill()
        assert writer.stdout
        acknowledged += len(writer.stdout.read().split())
        writer.wait()
    catalog = Catalog(tmp_path / "catalog.sqlite3", MediaStore(tmp_path / "media"))
    found = catalog.counts()["observations"]
    assert acknowledged <= found <= acknowledged + 1, "the last may have been stored unsaid"
    assert catalog.query("PRAGMA integrity_check") == [("ok",)]
    assert add(catalog, [entry("after")], {})
    catalog.close()


def test_readers_do_not_wait_for_a_writer_and_see_what_is_committed(tmp_path: Path) -> None:
    media = MediaStore(tmp_path / "media")
    writer, reader = (Catalog(tmp_path / "catalog.sqlite3", media) for _ in range(2))
    add(writer, [entry("first")], {})
    with writer.transaction() as db:
        db.execute("DELETE FROM observation")
        began = time.monotonic()
        assert [row.observation.text for row in reader.select(Filters())] == ["first"]
        assert reader.counts()["observations"] == 1
        assert time.monotonic() - began < 5, "far below the 30 s that a writer would wait"
    assert reader.select(Filters()) == []
    writer.close()
    reader.close()


def test_a_writer_waits_for_another_and_then_writes(tmp_path: Path) -> None:
    media = MediaStore(tmp_path / "media")
    one, two = (Catalog(tmp_path / "catalog.sqlite3", media) for _ in range(2))
    added: list[set[str]] = []
    thread = threading.Thread(target=lambda: added.append(add(two, [entry("second")], {})))
    with one.transaction() as db:
        db.execute("INSERT INTO audit VALUES (1, 'test', '', 0)")
        thread.start()
        thread.join(0.3)
        assert added == []
    thread.join(20)
    assert added == [{entry("second").observation.id}]
    assert one.counts()["observations"] == 1
    one.close()
    two.close()
