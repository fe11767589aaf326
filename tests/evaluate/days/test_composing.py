"""The stories: the same for the same seed, and built so that questions have one answer."""

import re
from collections import Counter
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentctx.errors import ConfigError
from agentctx.evaluate.days.composing import compose, headline
from agentctx.evaluate.days.records import Clip, Day
from agentctx.evaluate.days.worlds import common_matters, texts, worlds

seeds = st.integers(0, 10_000)
few = settings(max_examples=15, deadline=None)
COMMON = {matter.name for matter in common_matters()}


def about(day: Day, matter: str) -> list[Clip]:
    return [clip for clip in day.clips if clip.matter == matter]


def test_a_seed_is_a_set() -> None:
    assert compose(3, 5, 14) == compose(3, 5, 14)
    assert compose(3, 5, 14) != compose(3, 6, 14)


def test_the_default_set_is_what_the_documentation_says() -> None:
    days = compose(12, 7, 14)
    assert len({day.place for day in days}) == 12
    assert {len(day.screens) for day in days} == {14}
    assert {len(day.clips) for day in days} == {9}
    assert {len(day.events) for day in days} == {6}
    assert {len(day.channels) for day in days} == {3}


def test_days_are_working_days_that_follow_each_other() -> None:
    dates = [day.date for day in compose(12, 7, 14)]
    assert dates == sorted(set(dates))
    assert all(one.weekday() < 5 for one in dates)
    assert dates[0].weekday() == 0
    assert (dates[-1] - dates[0]).days == 15


def test_what_is_common_is_on_several_days() -> None:
    days = compose(12, 7, 14)
    seen: Counter[str] = Counter()
    for day in days:
        matters = {clip.matter for clip in day.clips} | {page.matter for page in day.screens}
        seen.update(matters & COMMON)
        assert len(matters & COMMON) == 2
    assert min(seen.values()) >= 3
    assert set(seen) == COMMON


@few
@given(seeds)
def test_scenes_keep_apart(seed: int) -> None:
    """Pages are minutes apart, so that a page before and a page at a time are not the same."""
    for day in compose(2, seed, 14):
        times = [screen.at for screen in day.screens]
        gaps = [late - early for early, late in pairwise(times)]
        assert min(gaps) >= timedelta(minutes=10)
        assert len({screen.file for screen in day.screens}) == len(day.screens)


@few
@given(seeds)
def test_a_page_is_never_about_what_is_said_beside_it(seed: int) -> None:
    for day in compose(2, seed, 14):
        for clip in day.clips:
            near = [s for s in day.screens if abs(s.at - clip.at) < timedelta(minutes=5)]
            assert len(near) == 1
            assert clip.matter not in (near[0].matter, near[0].aside)


@few
@given(seeds)
def test_one_page_of_a_kind_on_a_matter(seed: int) -> None:
    for day in compose(2, seed, 14):
        pages = [(page.kind, page.matter) for page in day.screens if page.matter]
        assert len(pages) == len(set(pages))
        for page in day.screens:
            assert page.aside != page.matter or not page.matter
            assert (page.kind == "dashboard") == (not page.matter) == bool(page.figures)


@few
@given(seeds)
def test_two_matters_are_told_twice_in_other_words(seed: int) -> None:
    for day in compose(2, seed, 14):
        told = Counter(clip.matter for clip in day.clips)
        twice = [matter for matter, count in told.items() if count == 2]
        assert sorted(told.values()) == [1] * 5 + [2] * 2
        assert len([matter for matter in twice if matter in COMMON]) == 1
        for matter in twice:
            first, second = (
                {s.text for s in clip.sentences if s.matter} for clip in about(day, matter)
            )
            assert first
            assert second
            assert not first & second


@few
@given(seeds)
def test_sentences_follow_each_other(seed: int) -> None:
    for clip in compose(1, seed, 14)[0].clips:
        times = [time for s in clip.sentences for time in (s.start, s.end)]
        assert times == sorted(times)
        assert clip.at < times[0]
        assert clip.end - clip.at < timedelta(seconds=60)
        start, end = clip.about()
        told = [s for s in clip.sentences if s.matter]
        assert (start, end) == (told[0].start, told[-1].end)
        # It begins with something that has nothing to do with the matter.
        assert clip.sentences[0].matter == ""
        said = texts("speech")
        subjects = [line.format(m=clip.matter) for line in said["subjects"]]
        assert clip.sentences[0].text in [*said["openers"], *subjects]


def test_about_half_of_the_recordings_name_their_matter() -> None:
    clips = [clip for day in compose(12, 7, 14) for clip in day.clips]
    named = sum(clip.matter in clip.sentences[0].text for clip in clips)
    assert 0.35 < named / len(clips) < 0.65


@few
@given(seeds)
def test_channels_have_two_events_of_different_kinds(seed: int) -> None:
    for day in compose(2, seed, 14):
        for channel in day.channels:
            kinds = [event.kind for event in day.events if event.channel == channel.name]
            assert len(kinds) == len(set(kinds)) == 2
        for event in day.events:
            assert event.start.second % 10 == 0
            assert event.start <= event.end
            assert day.date == event.start.date() == event.end.date()


def test_pages_hold_what_is_written_about_their_matter() -> None:
    for day in compose(12, 7, 14):
        world = next(one for one in worlds() if one.place == day.place)
        matters = {m.name: m for m in (*world.matters, *common_matters())}
        for page in day.screens:
            if page.matter:
                assert page.title == headline(matters[page.matter])
                assert set(page.lines[:2]) <= set(matters[page.matter].written)
            if page.aside:
                assert page.aside.removeprefix("the ") in page.lines[-1]


def test_of_two_pages_on_a_matter_one_has_nothing_beside_it() -> None:
    for day in compose(12, 7, 14):
        matters = Counter(page.matter for page in day.screens if page.matter)
        for matter in (name for name, count in matters.items() if count == 2):
            first, second = (page for page in day.screens if page.matter == matter)
            assert not first.aside
            assert second.aside


def test_dashboards_move_with_the_hours() -> None:
    day = compose(1, 3, 14)[0]
    boards = [screen for screen in day.screens if screen.kind == "dashboard"]
    assert len(boards) == 3
    assert len({tuple(board.figures.items()) for board in boards}) == 3
    assert all(re.fullmatch(r"[\d,]+ ?\S*", v) for b in boards for v in b.figures.values())


def test_names_tell_the_time_and_nothing_else() -> None:
    for day in compose(2, 7, 14):
        assert day.name == f"{day.date}-{day.name[11:]}"
        for screen in day.screens:
            expected = f"{day.name}/screens/{screen.at:%Y-%m-%dT%H%M%SZ}_screen.png"
            assert screen.file == expected
        for clip in day.clips:
            assert clip.file == f"{day.name}/speech/{clip.at:%Y-%m-%dT%H%M%SZ}_voice.wav"


@pytest.mark.parametrize(("days", "scenes"), [(1, 2), (1, 5), (3, 8), (14, 14), (1, 20)])
def test_other_sizes(days: int, scenes: int) -> None:
    made = compose(days, 1, scenes)
    assert [len(day.screens) for day in made] == [scenes] * days
    assert all(day.clips for day in made)


@pytest.mark.parametrize(
    ("days", "scenes", "message"),
    [(0, 14, "days is 0"), (99, 14, "days is 99"), (1, 1, "scenes is 1"), (1, 99, "from 2 to 24")],
)
def test_a_size_that_makes_no_sense(days: int, scenes: int, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        compose(days, 1, scenes)
