"""Moving a memory to other encoders: while it is used, after a kill, and back."""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agentctx import Config, Memory, Observation
from agentctx.errors import EncoderMismatch, PluginError

NINE = datetime(2026, 3, 14, 9, tzinfo=UTC)


def notes(*numbers: int, modality: str = "text") -> list[Observation]:
    return [
        Observation(
            modality=modality,
            text=f"note{n} says that pump{n % 7} of line{n % 3} runs at {n} bar",
            captured_at=NINE + timedelta(minutes=n),
        )
        for n in numbers
    ]


def fill(directory: Path, config: Config, count: int = 300) -> None:
    with Memory.open(directory, config) as memory:
        memory.add(notes(*range(count)))


def found(memory: Memory, numbers: Sequence[int]) -> bool:
    """Whether each of these is the best hit for its own words."""
    for note in notes(*numbers):
        best = memory.search(note.text, 1)
        if [hit.id for hit in best] != [note.id]:
            return False
    return True


def test_a_moved_memory_is_searched_by_the_new_encoder(
    tmp_path: Path, config: Config, own: Config
) -> None:
    fill(tmp_path / "m", config)
    seen: list[tuple[int, int, str]] = []
    report = Memory.reindex(tmp_path / "m", ["second"], own, progress=lambda *a: seen.append(a))
    assert (report.encoders, report.encoded, report.kept) == (("second",), 300, 0)
    assert report.retired == ("text-hash",)
    assert seen[0] == (0, 300, "text-hash")
    assert seen[-1] == (300, 300, "text-hash")
    with Memory.open(tmp_path / "m", own) as memory:
        assert found(memory, [0, 150, 299])
        assert memory.verify().ok
        memory.add(notes(300))
        assert found(memory, [300])
    with pytest.raises(EncoderMismatch, match="reindex"):
        Memory.open(tmp_path / "m", config)


def test_going_back_encodes_only_what_came_since(
    tmp_path: Path, config: Config, own: Config
) -> None:
    fill(tmp_path / "m", config)
    Memory.reindex(tmp_path / "m", ["second"], own)
    with Memory.open(tmp_path / "m", own) as memory:
        memory.add(notes(300, 301))
        memory.forget([notes(5)[0].id])
    report = Memory.reindex(tmp_path / "m", ["first"], own)
    assert (report.encoded, report.kept) == (2, 299)
    with Memory.open(tmp_path / "m", config) as memory:
        assert found(memory, [0, 299, 300, 301])
        assert not found(memory, [5])
        assert memory.verify().ok


def test_again_is_no_work(tmp_path: Path, config: Config, own: Config) -> None:
    fill(tmp_path / "m", config, 10)
    report = Memory.reindex(tmp_path / "m", config=own)
    assert (report.encoders, report.encoded, report.kept) == (("first",), 0, 10)
    assert report.retired == ()


def test_dropping_leaves_no_vector_of_the_old_encoder(
    tmp_path: Path, config: Config, own: Config
) -> None:
    fill(tmp_path / "m", config)
    report = Memory.reindex(tmp_path / "m", ["second"], own, drop=True)
    assert (report.dropped, report.retired) == (300, ())
    with Memory.open(tmp_path / "m", own) as memory:
        assert found(memory, [7])
        assert memory.verify().ok
    assert Memory.reindex(tmp_path / "m", ["first"], own).encoded == 300


def test_an_encoder_is_added_for_what_it_accepts(
    tmp_path: Path, config: Config, own: Config
) -> None:
    with Memory.open(tmp_path / "m", config) as memory:
        memory.add([*notes(*range(20)), *notes(20, 21, 22, modality="speech")])
    report = Memory.reindex(tmp_path / "m", ["first", "third"], own)
    assert (report.encoded, report.kept) == (3, 23)
    with Memory.open(tmp_path / "m", own) as memory:
        memory.add(notes(23, modality="speech"))
        assert memory.verify().ok
    assert Memory.reindex(tmp_path / "m", ["first", "third"], own).encoded == 0


def test_who_has_it_open_goes_over_to_the_new_encoder(
    tmp_path: Path, config: Config, own: Config
) -> None:
    fill(tmp_path / "m", config)
    with Memory.open(tmp_path / "m", own) as follower, Memory.open(tmp_path / "m", config) as bound:
        assert found(follower, [3])
        Memory.reindex(tmp_path / "m", ["second"], own)
        assert found(follower, [3])
        follower.add(notes(300))
        assert found(follower, [300])
        for call in (lambda: bound.search("pump"), lambda: bound.add(notes(301))):
            with pytest.raises(EncoderMismatch, match="reindex"):
                call()
        assert follower.verify().ok


def test_it_is_searched_and_added_to_meanwhile(tmp_path: Path, config: Config, own: Config) -> None:
    fill(tmp_path / "m", config, 600)
    with Memory.open(tmp_path / "m", own) as memory:
        numbers = iter(range(600, 700))
        answers: list[bool] = []

        def beside(done: int, total: int, name: str) -> None:
            number = next(numbers)
            memory.add(notes(number))
            answers.append(found(memory, [number, 4]))

        report = Memory.reindex(tmp_path / "m", ["second"], own, progress=beside)
        assert len(answers) > 4
        assert all(answers)
        assert report.encoded == 600 + len(answers)
        assert found(memory, range(600, 600 + len(answers)))
        assert memory.verify().ok


RUN = """
import sys
from agentctx import Config, Memory
print(Memory.reindex(sys.argv[1], ["second"], Config(reranker=None)).encoded)
"""


@pytest.mark.parametrize("batches", [0, 1, 2])
def test_what_is_killed_is_gone_on_with(
    tmp_path: Path, config: Config, own: Config, site: Path, batches: int
) -> None:
    fill(tmp_path / "m", config)
    (site / "kill").write_text(str(batches))
    command = [sys.executable, "-c", RUN, str(tmp_path / "m")]
    killed = subprocess.run(command, env={"PYTHONPATH": str(site)}, capture_output=True, timeout=60)
    assert killed.returncode == 9, killed.stderr
    with Memory.open(tmp_path / "m", config) as memory:
        assert found(memory, [0, 299])
        assert memory.verify().ok
    (site / "kill").unlink()
    report = Memory.reindex(tmp_path / "m", ["second"], own)
    assert (report.kept, report.encoded) == (128 * batches, 300 - 128 * batches)
    with Memory.open(tmp_path / "m", own) as memory:
        assert found(memory, [0, 128, 299])


def test_passages_that_the_new_encoder_cannot_take_in_whole_are_counted(
    tmp_path: Path, config: Config, own: Config
) -> None:
    fill(tmp_path / "m", config, 10)
    short = replace(own, options={"second": {"max_words": 5}})
    assert Memory.reindex(tmp_path / "m", ["second"], short).cut_short == 10
    with Memory.open(tmp_path / "m", short) as memory:
        assert found(memory, [4])


def test_an_encoder_that_is_not_there_changes_nothing(
    tmp_path: Path, config: Config, own: Config
) -> None:
    fill(tmp_path / "m", config, 10)
    with pytest.raises(PluginError, match="no encoder is called 'fourth'"):
        Memory.reindex(tmp_path / "m", ["fourth"], own)
    with Memory.open(tmp_path / "m", own) as memory:
        assert found(memory, [4])


def test_an_encrypted_memory_is_moved(tmp_path: Path, config: Config, own: Config) -> None:
    key = bytes(range(32))
    fill(tmp_path / "m", replace(config, key=key))
    assert Memory.reindex(tmp_path / "m", ["second"], replace(own, key=key)).encoded == 300
    with Memory.open(tmp_path / "m", replace(own, key=key)) as memory:
        assert found(memory, [0, 299])
        assert memory.verify().ok
