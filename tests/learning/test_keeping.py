"""Where feedback is kept: by several processes, encrypted, through repair, not in archives."""

import json
import subprocess
import sys
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agentctx import Config, Memory, Observation, Prefer
from agentctx.errors import ConfigError
from agentctx.learning.feedback import options

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
QUESTION = "was the pump checked?"
PUMPS = [
    Observation(
        modality="speech" if n % 2 else "text",
        text=f"The pump was checked, said number {n}.",
        captured_at=NOON - timedelta(hours=n),
    )
    for n in range(8)
]
TEACH = """
import sys
from agentctx import Memory
with Memory.open(sys.argv[1]) as memory:
    hits = memory.search("was the pump checked?")
    for _ in range(5):
        memory.feedback(hits, [hits[1].id], [hits[0].id])
"""


def filled(path: Path, config: Config | None = None) -> Memory:
    memory = Memory.open(path, config)
    memory.add(PUMPS)
    return memory


def teach(memory: Memory, times: int = 5) -> None:
    """Take the newest of what was said, whatever stands first."""
    for _ in range(times):
        hits = memory.search(QUESTION)
        said = [hit for hit in hits if hit.modality == "speech"]
        memory.feedback(hits, [max(said, key=lambda hit: hit.captured_at).id])


def test_processes_lose_nothing_of_each_other(tmp_path: Path) -> None:
    memory = filled(tmp_path / "memory")
    command = [sys.executable, "-c", TEACH, str(memory.directory)]
    running = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(2)]
    for process in running:
        _, told = process.communicate(timeout=60)
        assert process.returncode == 0, told.decode()
    # Searches go by what other processes have learned as well.
    assert memory.learned().choices == 10
    teach(memory, 1)
    assert memory.learned().choices == 11


def test_an_encrypted_memory_keeps_it_encrypted(tmp_path: Path) -> None:
    config = Config(key=bytes(range(32)), learned=True)
    memory = filled(tmp_path / "memory", config)
    teach(memory)
    weights = memory.learned().weights
    memory.close()
    for path in memory.directory.rglob("*"):
        if path.is_file():
            assert b"modality speech" not in path.read_bytes(), path.name
    with Memory.open(memory.directory, config) as again:
        assert again.learned().weights == weights


def test_a_repair_keeps_it(tmp_path: Path) -> None:
    memory = filled(tmp_path / "memory")
    teach(memory)
    learned = memory.learned()
    memory.close()
    assert Memory.repair(memory.directory).ok
    with Memory.open(memory.directory) as again:
        assert again.learned() == learned


def test_an_archive_does_not_hold_it(tmp_path: Path) -> None:
    memory = filled(tmp_path / "memory")
    teach(memory)
    memory.export(tmp_path / "all.agentctx")
    with zipfile.ZipFile(tmp_path / "all.agentctx") as archive:
        assert not any(b"modality speech" in archive.read(name) for name in archive.namelist())
    with Memory.open(tmp_path / "other") as other:
        other.import_(tmp_path / "all.agentctx")
        assert other.learned().choices == 0


def test_unlearning_leaves_no_bytes(tmp_path: Path) -> None:
    memory = filled(tmp_path / "memory")
    teach(memory)
    memory.unlearn()
    # The log of the last writes is folded into the catalog when the memory is closed.
    memory.close()
    kept = b"".join(path.read_bytes() for path in memory.directory.glob("catalog.sqlite3*"))
    assert b"modality speech" not in kept


def test_it_works_with_preferences(tmp_path: Path) -> None:
    memory = filled(tmp_path / "memory", Config(learned=True))
    teach(memory, 20)
    learned = memory.search(QUESTION)
    assert learned[0].modality == "speech"
    oldest = PUMPS[6].id
    hits = memory.search(QUESTION, prefer=Prefer(items=oldest, weights={"items": 3.0}))
    assert hits[0].id == oldest
    names = [signal.name for signal in hits[0].why]
    assert names.index("learned") < names.index("prefer items")


def test_the_numbers_of_a_hit(tmp_path: Path) -> None:
    """Its score in the unit of the weights, so that an added weight means the same everywhere."""
    memory = filled(tmp_path / "memory")
    hits = memory.search(QUESTION, plan=False)
    known = options(hits)
    for hit in hits:
        judged = sum(s.score * s.weight for s in hit.why if s.weight)
        assert known[hit.id].score == pytest.approx(judged, abs=2e-3)
        assert known[hit.id].signals[f"modality {hit.modality}"] == 1.0
    newer = [known[hit.id].signals.get("newer", 0.0)
             for hit in sorted(hits, key=lambda hit: hit.captured_at)]  # fmt: skip
    assert newer == sorted(newer)
    assert (newer[0], newer[-1]) == (0.0, 1.0)
    assert json.dumps([one.signals for one in known.values()])


@pytest.mark.parametrize("value", ["yes", 1, None])
def test_the_switch_is_true_or_false(value: object) -> None:
    assert Config.from_mapping({"learned": True}).learned
    with pytest.raises(ConfigError, match=r"learned is .*; it must be true or false"):
        Config.from_mapping({"learned": value})
