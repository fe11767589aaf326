"""What a memory promises: nothing acknowledged is lost, nothing forgotten stays."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from datetime import UTC, datetime, timedelta
from pathlib import Path

import chromadb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentctx import Config, Media, Memory, Observation
from agentctx.errors import CatalogDamaged, EncoderMismatch, QueryError, SchemaError, StoreError

NINE = datetime(2026, 3, 14, 9, tzinfo=UTC)


def note(n: int, text: str | None = None, session: str = "day", **more: object) -> Observation:
    return Observation(
        text=text or f"Note number {n} is about pump {n} and valve {n * 7}.",
        captured_at=NINE + timedelta(minutes=n),
        session=session,
        source="notes",
        **more,  # type: ignore[arg-type]
    )


def bytes_of(directory: Path) -> bytes:
    return b"".join(p.read_bytes() for p in sorted(directory.rglob("*")) if p.is_file())


# -- putting in and getting back --------------------------------------------------------------


def test_what_was_added_is_found_after_reopening(tmp_path: Path) -> None:
    with Memory.open(tmp_path / "m") as memory:
        report = memory.add([note(n) for n in range(5)])
    assert (report.added, report.unchanged, report.failed) == (5, 0, ())
    with Memory.open(tmp_path / "m") as memory:
        assert memory.search("pump 3")[0].observation == note(3)


def test_adding_again_changes_nothing(memory: Memory) -> None:
    memory.add([note(1), note(2)])
    report = memory.add([note(1), note(2), note(3), note(3)])
    assert (report.added, report.unchanged) == (1, 2)
    assert report.ids == (note(1).id, note(2).id, note(3).id)
    assert len(memory.timeline()) == 3


def test_every_field_comes_back_as_it_was(memory: Memory) -> None:
    one = Observation(
        modality="thermal",
        text="Überhitzt 🔥\nzweite Zeile",
        captured_at=datetime(2026, 3, 14, 10, 0, 0, 123456, tzinfo=UTC),
        duration=0.1 + 0.2,
        session="s",
        source="café.png",
        attributes={"a": 1, "b": 2.5, "c": True, "d": None, "e": "x", "f": (1.0, 2.0)},
        media=(Media.of_bytes("original", "image/png", b"pixels"),),
    )
    memory.add(one)
    (back,) = memory.timeline()
    assert back.id == one.id
    for name in ("modality", "text", "captured_at", "duration", "session", "source"):
        assert getattr(back, name) == getattr(one, name)
    assert dict(back.attributes) == dict(one.attributes)
    assert back.media[0].read() == b"pixels"


@settings(max_examples=25, deadline=None)
@given(
    texts=st.lists(st.text(st.characters(codec="utf-8"), max_size=200), max_size=8),
    numbers=st.lists(st.floats(allow_nan=False), max_size=3),
)
def test_any_text_comes_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], numbers: list[float]
) -> None:
    wanted = [
        note(n, text or " ", attributes={"n": tuple(numbers)}) for n, text in enumerate(texts)
    ]
    with Memory.open(tmp_path_factory.mktemp("any") / "m") as memory:
        memory.add(wanted)
        assert [o.id for o in memory.timeline()] == [o.id for o in wanted]


def test_a_long_text_is_found_by_its_last_line(memory: Memory) -> None:
    filler = "The weather was mild and nothing of note happened on that day. " * 60
    memory.add([note(1, filler + "The secret word is halibut."), note(2, "A short one.")])
    hit = memory.search("what is the secret word? halibut?")[0]
    assert hit.observation.captured_at == note(1).captured_at
    assert "halibut" in hit.passage
    assert len(hit.passage) < len(hit.text) / 2


# -- Chroma -----------------------------------------------------------------------------------


def test_plain_chroma_can_read_a_memory(tmp_path: Path) -> None:
    with Memory.open(tmp_path / "m") as memory:
        memory.add([note(n, attributes={"speaker": "Ann"}) for n in range(7)])
        assert memory.sync_index() == 7
    client = chromadb.PersistentClient(str(tmp_path / "m" / "chroma"))
    found = client.get_collection("text-minilm").get(
        include=["documents", "metadatas", "embeddings"]
    )
    client.close()
    assert sorted(found["ids"]) == sorted(
        f"{note(n, attributes={'speaker': 'Ann'}).id}:0" for n in range(7)
    )
    assert found["metadatas"][0]["speaker"] == "Ann"
    assert found["metadatas"][0]["session"] == "day"
    assert set(found["documents"]) == {note(n).text for n in range(7)}
    assert len(found["embeddings"][0]) == 384


def test_chroma_and_the_exact_scan_agree(tmp_path: Path) -> None:
    with Memory.open(tmp_path / "m") as memory:
        memory.add([note(n) for n in range(60)])
        exact = [memory.search(f"valve {n * 7}", rerank=False) for n in range(10)]
    with Memory.open(tmp_path / "m", Config(exact_limit=0)) as memory:
        indexed = [memory.search(f"valve {n * 7}", rerank=False) for n in range(10)]
    for left, right in zip(exact, indexed, strict=True):
        assert [hit.id for hit in left] == [hit.id for hit in right]


def test_what_chroma_does_not_have_yet_is_found_too(tmp_path: Path) -> None:
    with Memory.open(tmp_path / "m", Config(exact_limit=0)) as memory:
        memory.add([note(n) for n in range(5)])
        assert memory.search("pump 4")[0].observation == note(4)
        assert memory.verify().pending == 5


def test_a_lost_index_is_made_anew(tmp_path: Path) -> None:
    with Memory.open(tmp_path / "m", Config(exact_limit=0)) as memory:
        memory.add([note(n) for n in range(9)])
        memory.sync_index()
    for path in (tmp_path / "m" / "chroma").iterdir():
        path.unlink() if path.is_file() else [p.unlink() for p in path.iterdir()]
    with Memory.open(tmp_path / "m", Config(exact_limit=0)) as memory:
        assert not memory.verify().ok
        assert memory.rebuild_index() == 9
        assert memory.verify().ok
        assert memory.search("pump 4")[0].observation == note(4)


# -- several processes ------------------------------------------------------------------------

_WRITER = textwrap.dedent(
    """
    import os, signal, sys
    from datetime import UTC, datetime
    from agentctx import Memory, Observation
    memory = Memory.open(sys.argv[1])
    when = datetime(2026, 3, 14, 12, tzinfo=UTC)
    report = memory.add([Observation(text=f"From the other process: item {n}", captured_at=when)
                         for n in range(20)])
    print(report.added, flush=True)
    if sys.argv[2] == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    memory.close()
    """
)


def write_elsewhere(directory: Path, end: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", _WRITER, str(directory), end],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
    )
    assert done.stdout.strip() == "20", done.stderr
    return done.returncode


def test_what_was_acknowledged_survives_a_kill(tmp_path: Path) -> None:
    assert write_elsewhere(tmp_path / "m", "die") == -signal.SIGKILL
    with Memory.open(tmp_path / "m") as memory:
        assert len(memory.timeline()) == 20
        assert memory.search("item 7 from the other process")
        assert memory.verify().ok
        memory.rebuild_index()
        assert memory.verify().pending == 0


def test_two_processes_share_one_memory(memory: Memory) -> None:
    memory.add([note(n) for n in range(3)])
    assert memory.search("pump 2")
    memory.rebuild_index()  # takes the lease, so the other one must do without Chroma
    assert write_elsewhere(memory.directory, "close") == 0
    assert memory.search("item 7 from the other process")[0].text.startswith("From the other")
    assert len(memory.timeline()) == 23
    assert memory.verify().ok


# -- what is refused --------------------------------------------------------------------------


def test_vectors_of_another_encoder_are_refused(tmp_path: Path) -> None:
    with Memory.open(tmp_path / "m") as memory:
        memory.add(note(1))
    with sqlite3.connect(tmp_path / "m" / "catalog.sqlite3") as db:
        (card,) = db.execute("SELECT card FROM space WHERE name = 'text-minilm'").fetchone()
        other = json.dumps(json.loads(card) | {"digest": "f" * 64}, sort_keys=True)
        db.execute("UPDATE space SET card = ? WHERE name = 'text-minilm'", (other,))
    db.close()
    with pytest.raises(EncoderMismatch, match=r"text-minilm.*ffffffffffff"):
        Memory.open(tmp_path / "m")


def test_a_memory_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    Memory.open(tmp_path / "m").close()
    with sqlite3.connect(tmp_path / "m" / "catalog.sqlite3") as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(SchemaError, match=r"schema 99.*upgrade agentctx"):
        Memory.open(tmp_path / "m")


def test_a_directory_of_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.doc").write_text("mine")
    with pytest.raises(SchemaError, match="other files"):
        Memory.open(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.doc"]


def test_a_catalog_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "catalog.sqlite3").write_bytes(b"no database" * 1000)
    with pytest.raises(CatalogDamaged, match="mend it with: agentctx repair"):
        Memory.open(tmp_path / "m")


def test_a_file_cannot_be_a_memory(tmp_path: Path) -> None:
    (tmp_path / "m").write_text("a file")
    with pytest.raises(StoreError, match="cannot be a memory"):
        Memory.open(tmp_path / "m")


# -- forgetting -------------------------------------------------------------------------------


def secret(n: int) -> Observation:
    data = b"picture of the zyzzyva " * 9
    return note(
        n,
        "The zyzzyva hides in drawer nine.",
        media=(Media.of_bytes("original", "image/png", data),),
    )


def test_forgotten_is_gone_from_every_file(tmp_path: Path) -> None:
    with Memory.open(tmp_path / "m") as memory:
        memory.add([note(n) for n in range(30)])
        memory.add(secret(50))
        memory.rebuild_index()
        receipt = memory.forget(ids=[secret(50).id])
        assert (receipt.forgotten, receipt.ids) == (1, (secret(50).id,))
        left = memory.search("zyzzyva hides in drawer nine", rerank=False)
        assert secret(50).id not in {hit.id for hit in left}
    everything = bytes_of(tmp_path / "m")
    assert b"pump 7" in everything
    for trace in (b"zyzzyva", secret(50).id.encode(), receipt.media[0].encode()):
        assert trace not in everything


def test_media_that_another_observation_uses_stay(memory: Memory) -> None:
    memory.add([secret(50), secret(51)])
    assert memory.forget(ids=[secret(50).id]).media == ()
    (left,) = memory.timeline()
    assert left.media[0].read().startswith(b"picture")
    assert len(memory.forget(ids=[left.id]).media) == 1


def test_forgetting_follows_its_rule(memory: Memory) -> None:
    memory.add([note(n, session="a" if n < 5 else "b") for n in range(10)])
    assert memory.forget(session="a", since=NINE + timedelta(minutes=3)).forgotten == 2
    assert memory.forget(source="elsewhere").forgotten == 0
    assert memory.forget(until=NINE + timedelta(minutes=1)).forgotten == 1
    assert len(memory.timeline()) == 7
    assert memory.verify().ok


def test_forgetting_everything_must_be_said(memory: Memory) -> None:
    with pytest.raises(QueryError, match="say what to forget"):
        memory.forget()


# -- checking ---------------------------------------------------------------------------------


def test_verify_counts_and_finds_damage(memory: Memory) -> None:
    memory.add([note(1), secret(2)])
    report = memory.verify()
    assert (report.ok, report.observations, report.passages, report.media) == (True, 2, 2, 1)
    stored = memory.timeline()[1].media[0].path
    assert stored is not None
    stored.write_bytes(b"something else")
    assert f"media {stored.name} is absent or damaged" in memory.verify().problems


def test_only_the_owner_may_look(memory: Memory) -> None:
    assert memory.directory.stat().st_mode & 0o077 == 0
