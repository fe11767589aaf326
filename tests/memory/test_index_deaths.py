"""An index process that dies each time it is started takes nothing along."""

import os
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from stress_parts import light
from stress_parts.actors import ActorError, Nursery, children


def test_searches_and_adds_go_on_when_the_index_is_given_up(tmp_path: Path) -> None:
    with Nursery() as nursery:
        actor = nursery.actor(tmp_path / "m", exact_limit=0)
        actor.ask("add", owner="a", numbers=list(range(20)))
        started = 0
        for _ in range(6):
            found = actor.ask("search", query=light.text("a", 3), limit=1)
            assert found[0]["text"] == light.text("a", 3)
            for pid in children(actor.pid):
                os.kill(pid, signal.SIGKILL)
                started += 1
            while children(actor.pid):
                time.sleep(0.01)
            time.sleep(0.05)  # until the parent has heard of it
        assert started == 3
        assert actor.ask("add", owner="b", numbers=list(range(20)))["added"] == 20
        with pytest.raises(ActorError, match="died 3 times"):
            actor.ask("settle")
        assert actor.ask("forget", session=light.session(3))["forgotten"] == 6
        actor.kill()


def test_rows_that_a_dead_process_wrote_but_did_not_note_are_no_damage(tmp_path: Path) -> None:
    with Nursery() as nursery:
        actor = nursery.actor(tmp_path / "m", exact_limit=0)
        actor.ask("add", owner="a", numbers=list(range(20)))
        actor.ask("settle")
        with closing(sqlite3.connect(tmp_path / "m" / "catalog.sqlite3")) as catalog, catalog:
            catalog.execute("INSERT INTO pending SELECT pk FROM vector WHERE pk > 12")
        assert actor.ask("verify")["problems"] == []
        actor.ask("settle")
        assert actor.ask("verify")["problems"] == []
        found = actor.ask("search", query=light.text("a", 15), limit=1)
        assert found[0]["text"] == light.text("a", 15)
