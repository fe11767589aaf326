"""Questions by time: when, while, before, after, between, first, last, at a time, on a day.

Each has something of the same words at another time, on another day, or in another modality.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import pairwise

from agentctx.evaluate.days.records import Clip, Screen, Target
from agentctx.evaluate.days.view import (
    NEAR,
    Draft,
    View,
    event_target,
    heard_target,
    page_target,
    told_target,
)
from agentctx.evaluate.days.wording import clock_words, nearest, rounded

_AROUND = timedelta(minutes=8)


def when(view: View) -> Iterator[Draft]:
    """One modality at the moment of another."""
    for event, page in view.seen():
        slots = view.happening(event)
        yield Draft("when", "when_screen_sensor", [page_target(page)], slots)
    for event, clip in view.at_once():
        slots = view.happening(event)
        yield Draft("when", "when_speech_sensor", [heard_target(clip)], slots)
    yield from _meanwhile(view, "when")


def during(view: View) -> Iterator[Draft]:
    """One modality for as long as another lasted."""
    yield from _meanwhile(view, "during")


def _meanwhile(view: View, type_: str) -> Iterator[Draft]:
    for clip, page in view.together():
        if clip in view.once():
            slots = {"m": view.called(clip.matter)}
            yield Draft(type_, f"{type_}_screen_speech", [page_target(page)], slots)
        if view.own(page.matter):
            slots = {"m": view.called(page.matter), "kind": view.kind(page)}
            yield Draft(type_, f"{type_}_speech_screen", [heard_target(clip)], slots)
    for clip in view.once():
        channel = view.rng.choice(view.day.channels).name
        slots = {"m": view.called(clip.matter), "ch": channel}
        targets = view.reading(channel, clip.at, clip.end)
        yield Draft(type_, f"{type_}_sensor_speech", [targets], slots)


def before_and_after(view: View) -> Iterator[Draft]:
    """What lies on one side of a moment, where its like lies on the other side too."""
    for clip in view.once():
        m = view.called(clip.matter)
        for pages in view.kinds():
            early = [page for page in pages if page.at < clip.at]
            late = [page for page in pages if page.at > clip.end]
            if early and late:
                slots = {"m": m, "kind": view.kind(pages[0])}
                yield Draft("before", "before_screen", [_pages(early)], slots, "free")
                yield Draft("after", "after_screen", [_pages(late)], slots, "free")
        for first, second in view.event_pairs():
            if first.end < clip.at < clip.end < second.start:
                slots = {"m": m, "ch": first.channel}
                yield Draft("before", "before_sensor", [event_target(first)], slots)
                yield Draft("after", "after_sensor", [event_target(second)], slots)
    for earlier, later in view.twice():
        for event in view.day.events:
            between = earlier.end < event.start and event.end < later.at
            if between and view.own(earlier.matter):
                slots = {"m": view.called(earlier.matter), **view.happening(event)}
                yield Draft("before", "before_speech", [told_target(earlier)], slots)
                yield Draft("after", "after_speech", [told_target(later)], slots)


def just(view: View) -> Iterator[Draft]:
    """What came next to a moment, a minute or two away."""
    for clip in view.once():
        slots = {"m": view.called(clip.matter)}
        for page in view.day.screens:
            if timedelta(0) < clip.at - page.at < NEAR:
                yield Draft("just before", "just_before_screen", [page_target(page)], slots)
            if timedelta(0) < page.at - clip.end < NEAR:
                yield Draft("just after", "just_after_screen", [page_target(page)], slots)
    for event, clip in view.noticed():
        slots = view.happening(event)
        yield Draft("just after", "just_after_speech", [heard_target(clip)], slots)
        if clip in view.once():
            slots = {"m": view.called(clip.matter), "ch": event.channel}
            yield Draft("just before", "just_before_sensor", [event_target(event)], slots)


def between(view: View) -> Iterator[Draft]:
    """What there was from one time to another."""
    spans = [("between_speech", clip.at, clip.end, "") for clip in view.day.clips]
    spans += [("between_screen", screen.at, screen.at, "") for screen in view.day.screens]
    spans += [("between_sensor", e.start, e.end, e.channel) for e in view.day.events]
    for phrasing, start, end, channel in spans:
        since, until = rounded(start - _AROUND), rounded(end + _AROUND, up=True)
        inside: list[Target] = []
        if phrasing == "between_speech":
            inside = [t for c in view.day.clips if since <= c.at and c.end <= until
                      for t in heard_target(c)]  # fmt: skip
        elif phrasing == "between_screen":
            inside = _pages([s for s in view.day.screens if since <= s.at <= until])
        else:
            inside = [t for e in view.day.events if e.channel == channel and since <= e.start
                      and e.end <= until for t in event_target(e)]  # fmt: skip
        slots = {
            "t": clock_words(since, view.rng),
            "u": clock_words(until, view.rng),
            "ch": channel,
        }
        yield Draft("between", phrasing, [inside], slots, "must")
    for one, other in pairwise(view.day.clips):
        if one in view.once() and other in view.once():
            inside = _pages([s for s in view.day.screens if one.end < s.at < other.at])
            if inside:
                slots = {"m": view.called(one.matter), "n": view.called(other.matter)}
                yield Draft("between", "between_anchors", [inside], slots, "free")


def first_and_last(view: View) -> Iterator[Draft]:
    """The first and the last of several of a kind on one day."""
    for earlier, later in view.twice():
        slots = {"m": view.called(earlier.matter)}
        yield Draft("first", "first_speech", [told_target(earlier)], slots, "must")
        yield Draft("last", "last_speech", [told_target(later)], slots, "must")
    for pages in view.kinds():
        slots = {"kind": view.kind(pages[0])}
        yield Draft("first", "first_screen", [page_target(pages[0])], slots, "must")
        yield Draft("last", "last_screen", [page_target(pages[-1])], slots, "must")


def clock_time(view: View) -> Iterator[Draft]:
    """What there was at a time of the day."""
    for screen in view.day.screens:
        slots = {"t": clock_words(rounded(screen.at, up=True), view.rng)}
        yield Draft("clock", "clock_screen", [page_target(screen)], slots, "must")
    for clip in view.day.clips:
        slots = {"t": clock_words(nearest(clip.at), view.rng)}
        yield Draft("clock", "clock_speech", [heard_target(clip)], slots, "must")
    for channel in view.day.channels:
        at = rounded(view.rng.choice(view.times[30:-30]))
        slots = {"t": clock_words(at, view.rng), "ch": channel.name}
        targets = view.reading(channel.name, at, at + timedelta(minutes=1))
        yield Draft("clock", "clock_sensor", [targets], slots, "must")


def part_of_day(view: View) -> Iterator[Draft]:
    """Morning or afternoon, where the other half of the day has its like."""
    for pair in view.twice():
        if _halves(pair):
            for clip in pair:
                slots = {"m": view.called(clip.matter)}
                yield Draft("morning", "part_speech", [told_target(clip)], slots, "part", clip.at)
    for matter in dict.fromkeys(page.matter for page in view.pages):
        pages = [page for page in view.pages if page.matter == matter]
        if _halves(pages):
            for page in pages:
                same = [
                    other
                    for other in view.pages
                    if matter in (other.matter, other.aside)
                    and (other.at.hour < 12) == (page.at.hour < 12)
                ]
                slots = {"m": view.called(matter)}
                yield Draft("morning", "part_screen", [_pages(same)], slots, "part", page.at)
    for first, second in view.event_pairs():
        if first.end.hour < 12 <= second.start.hour:
            for event in (first, second):
                slots = {"ch": event.channel}
                needs = [event_target(event)]
                yield Draft("morning", "part_sensor", needs, slots, "part", event.start)


def _halves(items: Sequence[Clip] | Sequence[Screen]) -> bool:
    return {item.at.hour < 12 for item in items} == {True, False}


def yesterday(view: View) -> Iterator[Draft]:
    """What many days have, of the day before."""
    for matter in dict.fromkeys(clip.matter for clip in view.day.clips):
        if not view.own(matter):
            told = [t for clip in view.clips_about(matter) for t in told_target(clip)]
            slots = {"m": view.called(matter)}
            yield Draft("yesterday", "part_speech", [told], slots, "yesterday")
    for matter in dict.fromkeys(page.matter for page in view.pages):
        if not view.own(matter):
            pages = [page for page in view.pages if matter in (page.matter, page.aside)]
            slots = {"m": view.called(matter)}
            yield Draft("yesterday", "part_screen", [_pages(pages)], slots, "yesterday")


def _pages(pages: Sequence[Screen]) -> list[Target]:
    return [target for page in pages for target in page_target(page)]
