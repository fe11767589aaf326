"""A memory shared by processes that add, forget, die and come back, against a plain dict.

`pytest tests/memory/test_state_machine.py --hypothesis-profile=long` looks for minutes.
"""

import os
import shutil
import signal
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from stress_parts import light
from stress_parts.actors import Actor, Nursery, children

OWNER = "machine"
# Tries to have the index made, half a second apart.
_PATIENCE = 60
# Of a session that is never forgotten whole.
SETTLER = light.SESSIONS - 1
ALL = range(24)
ID = {number: light.observations(OWNER, [number])[0].id for number in ALL}

numbers = st.lists(st.sampled_from(ALL), min_size=1, max_size=6)
who = st.sampled_from(["ann", "ben"])
# Of a second: from before the order is read to after it is carried out.
moments = st.sampled_from([0.0, 0.001, 0.003, 0.01, 0.03])


class Shared(RuleBasedStateMachine):
    """Two processes on one memory. The model: the number of each observation that is there."""

    nursery: Nursery
    # From how many vectors on Chroma is asked; its process takes seconds to start.
    exact_limit = 1000

    def __init__(self) -> None:
        super().__init__()
        self.place = Path(tempfile.mkdtemp(prefix="machine-"))
        self.directory = self.place / "memory"
        self.actors: dict[str, Actor] = {}
        self.there: dict[int, str] = {}
        self.settlers: set[str] = set()
        # Of what was forgotten since something was last added, which may have words of it.
        self.receipts: list[str] = []

    @initialize()
    def begin(self) -> None:
        assert self.actor("ann").ask("open")

    def actor(self, name: str) -> Actor:
        if name not in self.actors:
            made = self.nursery.actor(self.directory, exact_limit=self.exact_limit)
            self.actors[name] = made
        return self.actors[name]

    # -- rules --------------------------------------------------------------------------------

    @rule(name=who, chosen=numbers)
    def add(self, name: str, chosen: list[int]) -> None:
        done = self.actor(name).ask("add", owner=OWNER, numbers=chosen)
        new = set(chosen) - set(self.there)
        assert done["added"] == len(new)
        assert done["ids"] == [ID[number] for number in dict.fromkeys(chosen)]
        self.take(new)

    @rule(name=who, chosen=numbers)
    def forget(self, name: str, chosen: list[int]) -> None:
        done = self.actor(name).ask("forget", ids=[ID[number] for number in chosen])
        self.drop(set(chosen) & set(self.there), done)

    @rule(name=who, like=st.integers(0, SETTLER - 1))
    def forget_a_session(self, name: str, like: int) -> None:
        session = light.session(like)
        done = self.actor(name).ask("forget", session=session)
        self.drop({number for number in self.there if light.session(number) == session}, done)

    @rule(name=who, number=st.sampled_from(ALL))
    def search(self, name: str, number: int) -> None:
        found = self.actor(name).ask("search", query=light.text(OWNER, number), limit=len(ALL))
        ids = [hit["id"] for hit in found]
        assert set(ids) <= self.all()
        if number in self.there:
            assert ids[0] == ID[number]
            assert found[0]["text"] == light.text(OWNER, number)

    @rule(name=who, number=st.sampled_from(ALL))
    def search_in_a_session(self, name: str, number: int) -> None:
        session = light.session(number)
        query = light.text(OWNER, number)
        found = self.actor(name).ask("search", query=query, limit=len(ALL), session=session)
        outside = {id_ for n, id_ in self.there.items() if light.session(n) != session}
        assert {hit["id"] for hit in found} <= self.all() - outside
        if number in self.there:
            assert found[0]["id"] == ID[number]

    @rule(name=who)
    def kill(self, name: str) -> None:
        if name in self.actors:
            self.actors.pop(name).kill()

    @rule(name=who, chosen=numbers, after=moments)
    def kill_while_adding(self, name: str, chosen: list[int], after: float) -> None:
        answered = self.kill_in(name, after, "add", owner=OWNER, numbers=chosen)
        new = set(chosen) - set(self.there)
        if answered or self.settled(new):
            self.take(new)

    @rule(name=who, chosen=numbers, after=moments)
    def kill_while_forgetting(self, name: str, chosen: list[int], after: float) -> None:
        gone = set(chosen) & set(self.there)
        answered = self.kill_in(name, after, "forget", ids=[ID[number] for number in chosen])
        if answered:
            self.drop(gone, answered[0])
        elif not self.settled(gone):
            self.drop(gone, None)

    # -- what holds always --------------------------------------------------------------------

    @invariant()
    def everybody_sees_the_same(self) -> None:
        for name in ("ann", "ben"):
            assert set(self.actor(name).ask("ids")) == self.all()

    def teardown(self) -> None:
        try:
            self.check_what_is_left()
        finally:
            self.kill_all()
            shutil.rmtree(self.place)

    def kill_all(self) -> None:
        for name in list(self.actors):
            self.actors.pop(name).kill(family=True)

    def check_what_is_left(self) -> None:
        self.kill_all()
        self.everybody_sees_the_same()
        self.kill_all()
        with closing(sqlite3.connect(self.directory / "catalog.sqlite3")) as db:
            assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert db.execute("PRAGMA foreign_key_check").fetchall() == []
            check = "INSERT INTO passage_words (passage_words, rank) VALUES ('integrity-check', 1)"
            db.execute(check)
        # The others would say the same of what they have in common, at half a second each.
        for receipt in self.receipts[-1:]:
            assert self.actor("ben").ask("erased", fingerprints=receipt) == []

    # -- the model ----------------------------------------------------------------------------

    def all(self) -> set[str]:
        return {*self.there.values(), *self.settlers}

    def take(self, new: set[int]) -> None:
        self.there.update({number: ID[number] for number in new})
        if new:
            self.receipts.clear()

    def drop(self, gone: set[int], receipt: dict[str, Any] | None) -> None:
        for number in gone:
            del self.there[number]
        if receipt is not None:
            assert receipt["forgotten"] == len(gone)
            assert set(receipt["ids"]) == {ID[number] for number in gone}
            self.receipts += [receipt["fingerprints"]] if gone else []

    def kill_in(self, name: str, after: float, verb: str, **order: Any) -> list[Any]:
        """Kill a process while it carries out an order; gives its answer, if it gave one."""
        actor = self.actor(name)
        actor.ask("open")
        actor.tell(verb, **order)
        time.sleep(after)
        os.kill(actor.pid, signal.SIGKILL)
        del self.actors[name]
        return actor.drain()

    def settled(self, chosen: set[int]) -> bool:
        """Whether these are there, after the one died who was at them: all of them or none.

        What it wrote to the log without saying so in the log's index comes to light when all
        processes have ended, unless somebody writes before. That is no harm, since nobody was
        told anything; but here it has to be clear.
        """
        number = SETTLER + light.SESSIONS * len(self.settlers)
        self.settlers |= set(self.actor("ann").ask("add", owner="settler", numbers=[number])["ids"])
        self.receipts.clear()
        found = set(self.actor("ann").ask("ids")) & {ID[number] for number in chosen}
        assert len(found) in (0, len(chosen))
        return bool(found)


class Indexed(Shared):
    """The same with Chroma: searches ask it, and what tends it is killed as well."""

    exact_limit = 0

    def __init__(self) -> None:
        super().__init__()
        # Chroma takes seconds to start: so many times in an example.
        self.starts = settings().stateful_step_count // 15

    @precondition(lambda self: self.starts > 0)
    @rule(name=who)
    def close(self, name: str) -> None:
        self.starts -= 1
        if name in self.actors:
            self.actor(name).ask("close")
            self.actors.pop(name).kill()

    @precondition(lambda self: self.starts > 0)
    @rule(name=who)
    def rebuild(self, name: str) -> None:
        self.starts -= 1
        written = self.actor(name).ask("rebuild")
        # Another process that has the index does it instead.
        assert written in (0, len(self.all()))

    @precondition(lambda self: self.starts > 0)
    @rule(name=who)
    def verify(self, name: str) -> None:
        self.starts -= 1
        found = self.actor(name).ask("verify")
        assert found["problems"] == []
        assert found["observations"] == len(self.all())

    @rule(name=who)
    def kill_the_index(self, name: str) -> None:
        for pid in children(self.actor(name).pid):
            os.kill(pid, signal.SIGKILL)

    @rule(name=who)
    def kill_with_the_index(self, name: str) -> None:
        if name in self.actors:
            self.actors.pop(name).kill(family=True)

    def check_what_is_left(self) -> None:
        super().check_what_is_left()
        last = self.actor("ann")
        # The index process of one that was killed has the index until it ends, a moment later.
        found: dict[str, Any] = {}
        for _ in range(_PATIENCE):
            last.ask("rebuild")
            found = last.ask("verify")
            if not found["pending"]:
                break
            time.sleep(0.5)
        assert (found["problems"], found["pending"]) == ([], 0)
        self.everybody_sees_the_same()
        for number in self.there:
            (hit,) = last.ask("search", query=light.text(OWNER, number), limit=1)
            assert hit["id"] == ID[number]


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    with Nursery() as nursery:
        yield nursery


def machine(kind: type[Shared], nursery: Nursery, examples: int, steps: int) -> None:
    profile = settings.get_current_profile_name()
    many = profile == "long"
    run_state_machine_as_test(
        type(kind.__name__, (kind,), {"nursery": nursery}),
        settings=settings(
            max_examples=examples * (40 if many else 1),
            stateful_step_count=steps * (2 if many else 1),
            deadline=None,
            # A smaller example would take minutes to find, and kills do not happen twice alike.
            phases=[Phase.generate, *([Phase.shrink] if many else [])],
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_two_processes_and_kills(nursery: Nursery) -> None:
    machine(Shared, nursery, examples=10, steps=20)


def test_two_processes_an_index_and_kills(nursery: Nursery) -> None:
    machine(Indexed, nursery, examples=4, steps=15)
