"""What changed between two times: lines of screens, levels and events of channels."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentctx import Memory, Observation
from agentctx.changes import LineChange, compare
from agentctx.errors import QueryError
from agentctx.records import Media

NINE = datetime(2026, 3, 14, 9, tzinfo=UTC)
BOARD = "Boiler board\nPressure\n4.1 bar\nFlow\n12 l/min\nNo alarm"


def screen(minute: float, text: str, *, boxes: bool = False, session: str = "s") -> Observation:
    """A screen of one line under the other, 20 pixels high."""
    rows = [
        {"text": line, "box": [10, 20 * n, 200, 20 * n + 18], "confidence": 0.99}
        for n, line in enumerate(text.splitlines())
    ]
    layout = Media.of_bytes("layout", "application/json", json.dumps(rows).encode())
    return Observation(
        modality="screenshot",
        text=text,
        captured_at=NINE + timedelta(minutes=minute),
        session=session,
        source=f"{session}-{minute}.png",
        media=(layout,) if boxes else (),
    )


@pytest.fixture(scope="module")
def memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Memory]:
    folder = tmp_path_factory.mktemp("changes")
    log = folder / "boiler.csv"
    rows = ["time,boiler pressure [bar]"]
    for second in range(0, 3600, 10):
        value = (4.1 if second < 1800 else 6.3) + 0.01 * (second // 10 % 3)
        rows.append(f"{(NINE + timedelta(seconds=second)).isoformat()},{value:.2f}")
    log.write_text("\n".join(rows) + "\n", "utf-8")
    with Memory.open(folder / "memory") as memory:
        report = memory.add([log], session="s")
        assert not report.failed
        memory.add(
            [
                screen(1, BOARD, boxes=True),
                screen(5, "Mail\nInbox 3\nLunch on Friday?", boxes=True),
                screen(40, BOARD.replace("4.1", "6.3").replace("No alarm", "HIGH ALARM"),
                       boxes=True),
                screen(50, "Mail\nInbox 4\nLunch on Friday?\nRe: Lunch", boxes=True),
                screen(41, "Boiler board\nelsewhere", session="t"),
            ]
        )  # fmt: skip
        yield memory


def at(minute: float) -> datetime:
    return NINE + timedelta(minutes=minute)


def test_a_screen_is_compared_line_by_line(memory: Memory) -> None:
    found = memory.changes("the boiler board", since=at(2), until=at(45), session="s")
    (change,) = found.screens
    assert (change.before.source, change.after.source) == ("s-1.png", "s-40.png")
    told = {(line.before, line.after) for line in change.lines}
    assert told == {("4.1 bar", "6.3 bar"), ("No alarm", "HIGH ALARM")}
    assert all(line.box_before == line.box_after is not None for line in change.lines)
    assert found.channels == ()
    assert "'4.1 bar' became '6.3 bar'" in str(found)


def test_without_a_subject_it_is_what_the_screen_showed_and_every_channel(memory: Memory) -> None:
    found = memory.changes(since=at(6), until=at(55), session="s")
    (change,) = found.screens
    assert [line.after for line in change.lines] == ["Inbox 4", "Re: Lunch"]
    assert [channel.channel for channel in found.channels] == ["boiler pressure"]


def test_a_channel_is_compared_by_levels_and_events(memory: Memory) -> None:
    found = memory.changes("boiler pressure", since=at(20), until=at(50))
    assert found.screens == ()
    (change,) = found.channels
    assert change.before is not None
    assert change.after is not None
    assert (change.before.count, change.before.low, change.before.high) == (30, 4.1, 4.12)
    assert change.after.mean == pytest.approx(6.31)
    assert change.unit == "bar"
    assert any("6.3" in event.text for event in change.events)
    assert "boiler pressure: mean 4.11 bar (4.1 to 4.12), then mean 6.31 bar" in str(found)


def test_before_there_was_anything(memory: Memory) -> None:
    early = memory.changes("boiler pressure", since=at(-20), until=at(-10))
    assert (early.channels[0].before, early.channels[0].events) == (None, ())
    assert "no readings, then no readings" in str(early)
    nothing = memory.changes("the boiler board", since=at(2), until=at(3), session="s")
    assert nothing.screens == ()
    assert "nothing is known to have changed" in str(nothing)


def test_a_span_that_ends_before_it_begins_is_refused(memory: Memory) -> None:
    with pytest.raises(QueryError, match="not after since"):
        memory.changes(since=at(2), until=at(1))


def test_a_line_that_moved_is_no_change() -> None:
    assert compare(screen(0, "a one\nb two\nc three"), screen(1, "c three\na one\nb two")) == []


def test_a_value_in_the_same_place_is_one_line_that_changed() -> None:
    (change,) = compare(screen(0, "x\n412", boxes=True), screen(1, "x\n396", boxes=True))
    assert change == LineChange("412", "396", (10, 20, 200, 38), (10, 20, 200, 38))
    told = compare(screen(0, "x\n412"), screen(1, "x\n396"))
    assert told == [LineChange("", "396"), LineChange("412", "")]


LINES = st.lists(st.sampled_from(["4.1 bar", "6.3 bar", "alarm", "no alarm", "ok", ""]), max_size=7)


@given(LINES, LINES, st.booleans())
def test_the_changes_lead_from_one_screen_to_the_other(
    old: list[str], new: list[str], boxes: bool
) -> None:
    before, after = (screen(0, "\n".join(lines), boxes=boxes) for lines in (old, new))
    found = compare(before, after)
    left = sorted(line for line in old if line)
    for change in found:
        assert change.before != change.after
        if change.before:
            left.remove(change.before)
        if change.after:
            left.append(change.after)
    assert sorted(left) == sorted(line for line in new if line)


def test_files_are_read_from_an_encrypted_memory_too(tmp_path: Path) -> None:
    from agentctx import Config

    with Memory.open(tmp_path / "m", Config(key=bytes(range(32)))) as memory:
        memory.add([screen(1, BOARD, boxes=True), screen(9, BOARD + "\nmore", boxes=True)])
        (change,) = memory.changes(since=at(2), until=at(10)).screens
    assert [line.after for line in change.lines] == ["more"]
