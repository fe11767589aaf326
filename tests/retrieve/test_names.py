"""The names that questions may use follow what two handles of one memory add and forget."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from agentctx import Memory, Observation
from agentctx.memory.catalog import Catalog
from agentctx.retrieve import Names

from .story import GALLEY, NOW, YARD, event, said, screen, window


@pytest.fixture
def handles(tmp_path: Path) -> Iterator[tuple[Memory, Memory]]:
    with Memory.open(tmp_path / "memory") as one, Memory.open(tmp_path / "memory") as other:
        yield one, other


def meaning(memory: Memory, question: str) -> dict[str, object]:
    """The names that the main clause of a question is restricted to."""
    clause = memory.plan(question, NOW).clause
    found: dict[str, object] = dict(clause.attributes)
    if clause.session:
        found["session"] = clause.session
    return found


def test_a_new_memory_knows_no_names(memory: Memory) -> None:
    assert meaning(memory, "What did Ann say in session boatyard in Board?") == {}


def test_names_come_with_what_is_added(handles: tuple[Memory, Memory]) -> None:
    one, other = handles
    asked = {
        "What did Zoe say?": ("speaker", ("Zoe",)),
        "What was on the screen in Inkscape?": ("app", ("Inkscape",)),
        "What did the chlorine level do?": ("channel", ("chlorine level",)),
        "What was said in session night watch?": ("session", ("night watch",)),
    }
    added = [
        said("9:00", "The tide is out.", "Zoe"),
        screen("9:01", "A drawing.", "Inkscape"),
        window("9:05", "chlorine level", "ppm", 1.0, 2.0),
        said("9:30", "All quiet.", "Yan", session="night watch"),
    ]
    for (question, (kind, found)), observation in zip(asked.items(), added, strict=True):
        for handle in handles:
            assert kind not in meaning(handle, question)
        one.add(observation)
        for handle in handles:
            assert meaning(handle, question)[kind] == found
    assert other.search("What did Zoe say today?", now=NOW)[0].text == "The tide is out."


def test_names_go_with_what_is_forgotten(handles: tuple[Memory, Memory]) -> None:
    one, other = handles
    question = "What did Dora say in session galley?"
    one.add([said("9:00", "Soup!", "Dora", GALLEY), said("9:01", "Aye.", "Ann", YARD)])
    for handle in handles:
        assert meaning(handle, question) == {"speaker": ("Dora",), "session": (GALLEY,)}
    other.forget(session=GALLEY)
    for handle in handles:
        assert meaning(handle, question) == {}
        assert meaning(handle, "What did Ann say?") == {"speaker": ("Ann",)}
    # What takes the place of the forgotten is read as well.
    one.add(said("9:02", "Soup again!", "Dora", GALLEY))
    for handle in handles:
        assert meaning(handle, question) == {"speaker": ("Dora",), "session": (GALLEY,)}


def test_a_name_stays_while_somebody_has_it(memory: Memory) -> None:
    memory.add([said("9:00", "One.", "Ann"), said("9:05", "Two.", "Ann")])
    first, second = memory.timeline()
    memory.forget([first.id])
    assert meaning(memory, "What did Ann say?") == {"speaker": ("Ann",)}
    memory.forget([second.id])
    assert meaning(memory, "What did Ann say?") == {}


def test_events_name_their_channel_too(memory: Memory) -> None:
    memory.add(event("9:00", "chlorine level", "ppm", "spike", "Spike of chlorine level"))
    assert meaning(memory, "When did the chlorine level spike?") == {"channel": ("chlorine level",)}


def test_attributes_that_are_no_names_are_left_out(memory: Memory) -> None:
    odd = {"speaker": ("Ann", "Bob"), "app": 7, "channel": None}
    memory.add(Observation(text="Two at once.", attributes=odd))
    vocabulary = Names(memory._store).vocabulary()
    assert (vocabulary.speakers, vocabulary.apps, vocabulary.channels) == ([], [], [])


def test_what_is_said_may_be_speech_or_text(memory: Memory) -> None:
    names = Names(memory._store)
    memory.add(Observation(text="Ann: Hello."))
    assert set(names.vocabulary().spoken) == {"speech", "text"}
    assert not names.vocabulary().perceives
    memory.add(said("9:00", "Hello, this is Bob.", "Bob"))
    # Somebody may have written down what was said: notes stay among it.
    assert set(names.vocabulary().spoken) == {"speech", "text"}
    assert names.vocabulary().perceives
    assert set(names.vocabulary().modalities) == {"speech", "text"}


def test_nothing_is_read_again_when_nothing_has_changed(
    memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory.add([said("9:00", "One.", "Ann"), said("9:05", "Two.", "Bob")])
    names = Names(memory._store)
    once = names.vocabulary()
    read = list[str]()
    query = Catalog.query
    monkeypatch.setattr(
        Catalog, "query", lambda self, sql, *rest: read.append(sql) or query(self, sql, *rest)
    )
    # The same object, whose index is kept, too.
    assert names.vocabulary() is once
    assert len(read) == 2  # one row each
    memory.add(said("9:10", "Three.", "Cleo"))
    assert names.vocabulary().speakers == ["Ann", "Bob", "Cleo"]
