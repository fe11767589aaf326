"""What search asks of the store: what is around a time, until when a screen was shown, how much."""

from datetime import datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentctx import Memory, Observation
from agentctx.memory.store import Store
from agentctx.records import Filters

from .story import GALLEY, NOW, STORY, YARD, clock, names, said, screen


def around(
    store: Store, start: datetime, end: datetime, count: int, filters: Filters | None = None
) -> list[str]:
    """The nearest observations to a span, by their names in the story."""
    allowed = None if filters is None else store.passing(filters)
    pks = store.columns.around(start, end, allowed, count)
    passages = store.catalog.passages(pks)
    rows = store.catalog.observations([passages[pk].observation_pk for pk in pks])
    return names(rows[passages[pk].observation_pk] for pk in pks)


def gap(name: str, start: datetime, end: datetime) -> float:
    one = STORY[name]
    gaps = ((one.captured_at - end), (start - one.ended_at), timedelta(0))
    return max(gap.total_seconds() for gap in gaps)


def test_the_nearest_in_time_come_first(yard: Memory) -> None:
    at = clock("9:44:02")
    found = around(yard._store, at, at, 5, Filters(session=(YARD,)))
    assert set(found[:3]) == {"kiln 9:40", "water 9:40", "pump talk"}
    assert found[3] == "water step"


@settings(max_examples=40, deadline=None)
@given(
    st.integers(7 * 60, 16 * 60),
    st.integers(0, 90),
    st.integers(1, 40),
    st.sampled_from([None, Filters(modality=("speech",)), Filters(session=(GALLEY,))]),
)
def test_around_is_a_sort_by_the_gap(
    yard: Memory, minute: int, length: int, count: int, filters: Filters | None
) -> None:
    start = clock("0:00") + timedelta(minutes=minute)
    end = start + timedelta(minutes=length)
    found = around(yard._store, start, end, count, filters)
    allowed = [
        name
        for name, one in STORY.items()
        if filters is None or one.modality in filters.modality or one.session in filters.session
    ]
    assert set(found) <= set(allowed)
    assert len(found) == min(count, len(allowed))
    gaps = [gap(name, start, end) for name in found]
    assert gaps == sorted(gap(name, start, end) for name in allowed)[:count]


def test_around_nothing_allowed_is_nothing(yard: Memory, memory: Memory) -> None:
    assert yard._store.columns.around(NOW, NOW, np.empty(0, np.int64), 5) == []
    assert memory._store.columns.around(NOW, NOW, None, 5) == []


def test_around_follows_what_is_added_and_forgotten(memory: Memory) -> None:
    columns = memory._store.columns
    memory.add([said("9:00", "One."), said("9:10", "Two.")])
    before = columns.around(clock("9:10"), clock("9:10"), None, 9)
    assert len(before) == 2
    memory.add(said("9:09", "Three."))
    after = columns.around(clock("9:10"), clock("9:10"), None, 9)
    assert [after[0], after[2]] == before
    memory.forget(until=clock("9:05"))
    assert columns.around(clock("9:10"), clock("9:10"), None, 9) == after[:2]


@pytest.mark.parametrize(
    ("column", "expected"),
    [("session", ["b", "a", ""]), ("modality", ["speech", "screenshot", "text"])],
)
def test_names_of_columns_are_in_order_of_appearance(
    memory: Memory, column: str, expected: list[str]
) -> None:
    memory.add(
        [
            said("9:00", "One.", session="b"),
            screen("9:01", "Two.", session="a"),
            said("9:02", "Three.", session="b"),
            Observation(text="Four."),
        ]
    )
    columns = memory._store.columns
    assert columns.names(column) == expected
    memory.forget(session="b")
    assert columns.names(column) == [name for name in expected if name not in ("b", "speech")]


def test_a_screen_is_shown_until_the_next_of_its_session(yard: Memory) -> None:
    screens = {one.id: name for name, one in STORY.items() if one.modality == "screenshot"}
    found = yard._store.catalog.shown_until(list(screens))
    shown = {screens[id_]: when for id_, when in found.items()}
    assert len(shown) == len(screens)
    # The galley's menu came in between, in another session.
    assert shown["keel ticket"] == clock("9:41")
    assert shown["tide page"] == clock("9:52")
    assert shown["galley menu"] == clock("9:43:40")
    # Nobody knows what was there an hour later, and the last has no next one.
    assert shown["crane manual"] == clock("10:07")
    assert shown["paint shop"] == clock("14:45")
    # Exactly fifteen minutes are still known of.
    assert shown["rota"] == clock("9:10")


def test_talk_does_not_end_a_screen_and_a_twin_does_not(memory: Memory) -> None:
    first, twin = screen("9:00", "A chart."), screen("9:00", "A map.")
    memory.add([first, twin, said("9:01", "Look here."), screen("9:05", "A list.")])
    found = memory._store.catalog.shown_until([first.id, twin.id, "not there"])
    assert found == dict.fromkeys([first.id, twin.id], clock("9:05"))
    assert memory._store.catalog.shown_until([]) == {}


def test_the_size_is_that_of_the_passages(memory: Memory) -> None:
    assert memory._store.size() == 0
    memory.add([said("9:00", "One."), said("9:10", "Two.")])
    assert memory._store.size() == 2
    memory.add(Observation(text="A long tale of ropes and sails. " * 200))
    assert memory._store.size() > 3


def test_what_was_forgotten_meanwhile_is_not_around(yard: Memory) -> None:
    gone = np.array([1, 2, 10**6], np.int64)
    assert set(yard._store.columns.around(clock("9:44"), clock("9:44"), gone, 5)) == {1, 2}


def test_a_screen_at_the_end_of_the_calendar_is_shown_until_then(memory: Memory) -> None:
    last = Observation(
        modality="screenshot",
        text="the last page",
        captured_at=datetime.max.replace(tzinfo=NOW.tzinfo) - timedelta(days=1),
    )
    memory.add(last)
    found = memory._store.catalog.shown_until([last.id])
    assert found == {last.id: last.captured_at + timedelta(minutes=15)}
    assert memory.search("what was on the screen?", now=NOW)
