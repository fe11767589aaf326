"""The stress program is itself to be trusted: what it counts, whom it kills, what it damages."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from agentctx.memory.lease import Lease
from stress_parts import damage, disk, killing, light, recovery, sharing, writers
from stress_parts.actors import ActorDied, ActorError, Nursery
from stress_parts.sharers import Sharer, acknowledged
from stress_parts.wounds import CATALOG, Patient, execute

SCRIPT = Path(__file__).parents[2] / "scripts" / "stress.py"


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    with Nursery() as nursery:
        yield nursery


@pytest.fixture(scope="module")
def patient(nursery: Nursery, tmp_path_factory: pytest.TempPathFactory) -> Patient:
    place = tmp_path_factory.mktemp("patient")
    for name in ("memory", "other"):
        actor = nursery.actor(place / name)
        actor.ask("add", owner=name, numbers=list(range(400)))
        actor.kill()
        execute(place / name / "catalog.sqlite3", "PRAGMA wal_checkpoint(TRUNCATE)")
    return Patient(place / "memory", place / "other", place / "memory")


# -- actors -----------------------------------------------------------------------------------


def test_an_actor_does_what_it_is_told_and_is_gone_when_killed(
    nursery: Nursery, tmp_path: Path
) -> None:
    actor = nursery.actor(tmp_path / "m")
    assert actor.ask("add", owner="a", numbers=[1, 2])["added"] == 2
    assert actor.ask("search", query=light.text("a", 2), limit=1)[0]["text"] == light.text("a", 2)
    with pytest.raises(ActorError, match="QueryError"):
        actor.ask("search", query="a", limit=0)
    for number in range(3, 9):
        actor.tell("add", owner="a", numbers=[number])
    assert [actor.answer()["added"] for _ in range(3, 9)] == [1] * 6, "orders may wait"
    actor.tell("ids")
    answers = actor.kill()
    assert answers in ([], [[one.id for one in light.observations("a", range(1, 9))]])
    while Path(f"/proc/{actor.pid}").exists():  # until it is buried
        time.sleep(0.01)
    with pytest.raises((ActorDied, ValueError)):
        actor.ask("ids")


def test_the_holder_of_the_lease_is_found(tmp_path: Path) -> None:
    assert sharing.holder(tmp_path / "lease") is None
    lease = Lease(tmp_path / "lease")
    assert lease.acquire()
    assert sharing.holder(tmp_path / "lease") == os.getpid()
    lease.release()
    assert sharing.holder(tmp_path / "lease") is None


# -- sharing ----------------------------------------------------------------------------------


def test_a_line_that_is_not_whole_acknowledges_nothing(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("0 3\n4 4\n5 1")
    assert list(acknowledged(tmp_path / "log")) == [0, 1, 2, 3, 4]


def test_a_sharer_counts_what_goes_wrong(tmp_path: Path) -> None:
    (tmp_path / "other.log").write_text("0 7\n")
    kept: list[int] = []

    def add(numbers: Sequence[int]) -> None:
        if len(kept) > 20:
            raise OSError("broken")
        kept.extend(numbers)

    def look(owner: str, number: int) -> bool:
        return owner == "me" and number in kept

    Sharer(tmp_path, "me", add, look).run(0.2)
    told = json.loads((tmp_path / "me.json").read_text())
    assert list(acknowledged(tmp_path / "me.log")) == kept
    assert told["added"] == len(kept)
    assert told["missed_own"] == 0
    assert told["stale"] > 0, "what the other one acknowledged is not found"
    assert list(told["errors"]) == ["FOREIGN OSError: broken"]


def test_processes_share_a_memory_and_one_is_replaced(nursery: Nursery, tmp_path: Path) -> None:
    stress = sharing.Stress(processes=2, seconds=1.5)
    crowd = sharing.Crowd(nursery, tmp_path, "share", stress)
    while not crowd.acknowledged().get("w0"):
        time.sleep(0.01)
    crowd.replace(0, family=True)
    assert crowd.finish() == []
    told, logged = crowd.told(), crowd.acknowledged()
    assert set(logged) == {"w0", "w1", "w2"}
    assert told["errors"] == {}
    assert told["stale"] == told["missed_own"] == 0
    actor = nursery.actor(crowd.directory)
    found = set(actor.ask("ids"))
    actor.kill()
    wanted = {one.id for o, numbers in logged.items() for one in light.observations(o, numbers)}
    assert wanted
    assert wanted <= found


def test_a_writer_is_timed(nursery: Nursery, tmp_path: Path) -> None:
    run = writers._run(nursery, tmp_path, "share", 1, 1.0, "light")
    assert run["writes_per_second"] > 1
    assert run["errors"] == 0
    row = writers._median([run]) | {"writes_over_bare": 1.0}
    assert "agentctx, 1" in writers.table({"rows": {"agentctx, 1": row}})


# -- killing and damaging ---------------------------------------------------------------------


def test_kills_in_a_migration_are_counted(nursery: Nursery, tmp_path: Path) -> None:
    tally = killing.Migration(nursery, tmp_path / "m", 1).run(2)
    assert (tally.points, tally.lost, tally.not_opened, tally.problems) == (2, 0, 0, [])
    assert tally.operation_seconds > 0
    row = killing.told(tally)
    assert "migration" in killing.table({"kinds": {"migration": row}, "recovery": []})


def test_a_loss_is_noticed(nursery: Nursery, tmp_path: Path) -> None:
    lane = killing.Ingest(nursery, tmp_path / "m", 1)
    lane.there.add("an observation that was never stored")
    lane.gone.update(one.id for one in light.observations("p1", [0], media=True))
    actor = lane.new()
    actor.ask("add", owner="p1", numbers=[0], media=True)
    actor.kill()
    lane._check(1)
    assert (lane.tally.lost, lane.tally.came_back) == (1, 1)


def test_a_memory_that_does_not_open_is_noticed(nursery: Nursery, tmp_path: Path) -> None:
    lane = killing.Ingest(nursery, tmp_path, 1)
    (tmp_path / "thesis.doc").write_text("mine")
    lane._check(1)
    assert lane.tally.not_opened == 1
    assert "SchemaError" in lane.tally.problems[0]


def test_a_forget_that_is_not_finished_is_recognised(nursery: Nursery, tmp_path: Path) -> None:
    actor = nursery.actor(tmp_path / "m")
    actor.ask("add", owner="a", numbers=[1])
    assert not recovery._erasing(tmp_path / "m")
    actor.kill()


@pytest.mark.parametrize("name", sorted(CATALOG))
def test_every_wound_of_a_catalog_changes_it(name: str, patient: Patient, tmp_path: Path) -> None:
    copy = Patient(tmp_path / "memory", patient.other, patient.earlier)
    shutil.copytree(patient.memory, copy.memory)
    before = [path.read_bytes() for path in sorted(copy.memory.glob("catalog*")) if path.is_file()]
    CATALOG[name](copy)
    after = [path.read_bytes() for path in sorted(copy.memory.glob("catalog*")) if path.is_file()]
    assert after != before


def test_a_damaged_catalog_has_a_row(nursery: Nursery, patient: Patient, tmp_path: Path) -> None:
    shutil.copytree(patient.memory, tmp_path / "m")
    CATALOG["of a newer version"](Patient(tmp_path / "m", patient.other, patient.earlier))
    row = damage._catalog(nursery, Patient(tmp_path / "m", patient.other, patient.earlier))
    assert "SchemaError" in row["opening"]
    assert "SchemaError" in row["repair_failed"]
    assert "newer version" in damage.table({"chroma": {}, "catalog": {"of a newer version": row}})


# -- the command ------------------------------------------------------------------------------


def test_the_disk_part_says_when_it_can_do_nothing() -> None:
    assert disk.table({"skipped": "only root may"}) == "skipped: only root may"


def test_the_command_names_its_parts() -> None:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--help"], capture_output=True, text=True, check=True
    )
    for part in ("share", "kill", "damage", "disk", "writers"):
        assert f"stress.py {part}" in done.stdout
