"""What goes with what on a day, checked against its times one by one."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from agentctx.evaluate.days.chance import seeded
from agentctx.evaluate.days.composing import compose
from agentctx.evaluate.days.records import Day
from agentctx.evaluate.days.view import (
    NEAR,
    View,
    event_target,
    heard_target,
    page_target,
    told_target,
)
from agentctx.evaluate.days.worlds import common_matters, texts

DAYS = compose(12, 7, 14)
MINUTE = timedelta(minutes=1)


def view(day: Day, seed: int = 7) -> View:
    return View(day, seed, seeded("view"))


@pytest.fixture(params=DAYS, ids=lambda day: day.name[11:])
def day(request: pytest.FixtureRequest) -> Day:
    found: Day = request.param
    return found


def test_a_page_is_open_while_something_is_said(day: Day) -> None:
    pairs = view(day).together()
    assert pairs
    for clip, page in pairs:
        assert clip.at <= page.at <= clip.end
    assert len({clip.file for clip, _ in pairs}) == len(pairs)


def test_an_event_happens_while_something_is_said_and_a_page_is_open(day: Day) -> None:
    """Else no question could need three modalities."""
    found = view(day).at_once()
    open_pages = {clip.file for clip, _ in view(day).together()}
    assert any(clip.file in open_pages for _, clip in found)
    for event, clip in found:
        assert clip.at <= event.start <= clip.end
        assert event.kind != "drift"


def test_what_is_noticed_is_spoken_of_within_the_minute(day: Day) -> None:
    for event, clip in view(day).noticed():
        assert timedelta(0) < clip.at - event.start <= MINUTE
        between = [other for other in day.clips if event.start < other.at < clip.at]
        assert not between


def test_what_is_seen_is_the_last_page_before(day: Day) -> None:
    for event, page in view(day).seen():
        before = [screen for screen in day.screens if screen.at <= event.start]
        assert before[-1] == page
        assert event.start - page.at < NEAR


def test_pages_of_a_kind_are_several_and_in_order(day: Day) -> None:
    for pages in view(day).kinds():
        assert len(pages) > 1
        assert len({page.kind for page in pages}) == 1
        assert [page.at for page in pages] == sorted(page.at for page in pages)
        assert pages[0].kind != "dashboard"


def test_what_is_told_once_and_twice_is_all_there_is(day: Day) -> None:
    seen = view(day)
    once = {clip.file for clip in seen.once()}
    twice = {clip.file for pair in seen.twice() for clip in pair}
    assert not once & twice
    rest = [clip for clip in day.clips if clip.file not in once | twice]
    # What is left is common, and told once: other days have it too.
    assert all(not seen.own(clip.matter) for clip in rest)
    for earlier, later in seen.twice():
        assert earlier.matter == later.matter
        assert earlier.end < later.at


def test_common_matters_are_not_of_a_place(day: Day) -> None:
    seen = view(day)
    assert not any(seen.own(matter.name) for matter in common_matters())
    assert any(seen.own(clip.matter) for clip in day.clips)


def test_each_channel_has_its_two_events_by_time(day: Day) -> None:
    pairs = view(day).event_pairs()
    assert len(pairs) == 3
    for first, second in pairs:
        assert first.channel == second.channel
        assert first.start < second.start


def test_a_matter_is_called_by_either_name() -> None:
    day = DAYS[0]
    seen = view(day)
    matter = day.clips[0].matter
    called = {seen.called(matter) for _ in range(30)}
    assert len(called) == 2
    assert matter in called


def test_a_happening_is_told_as_what_it_was(day: Day) -> None:
    seen = view(day)
    for event in day.events:
        told = seen.happening(event)
        ways = texts("phrasings")["did"][event.kind]
        assert told["ch"] == event.channel
        assert told["did"] in ways["up" if event.up else "down"]


@pytest.mark.parametrize("high", [True, False])
def test_extremes_are_in_the_log(day: Day, high: bool) -> None:
    seen = view(day)
    for channel in day.channels:
        values = seen.series[channel.name]
        for target in seen.extremes(channel.name, high=high):
            value = values[seen.times.index(target.start)]
            assert value == (np.nanmax(values) if high else np.nanmin(values))
            assert target.channel == channel.name


def test_a_flat_channel_has_no_extreme() -> None:
    day = DAYS[0]
    calm = replace(day.channels[0], noise=1e-9, season=1e-9)
    seen = view(replace(day, channels=[calm, *day.channels[1:]], events=[]))
    seen.series = {calm.name: np.full(len(seen.times), 5.0)}
    assert seen.extremes(calm.name, high=True) == []


def test_targets_span_what_they_stand_for() -> None:
    day = DAYS[0]
    clip, page = day.clips[0], day.screens[0]
    (told,), (heard,) = told_target(clip), heard_target(clip)
    assert heard.start <= told.start < told.end <= heard.end == clip.end
    assert [(t.source, t.start, t.end) for t in page_target(page)] == [
        (page.file, page.at, page.at)
    ]
    for event in day.events:
        (target,) = event_target(event)
        assert target.start <= event.start <= event.end <= target.end
        wider = (event.start - target.start) + (target.end - event.end)
        assert wider == (2 * MINUTE if event.kind in ("step", "spike") else timedelta(0))
