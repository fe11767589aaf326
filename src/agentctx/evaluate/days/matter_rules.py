"""Questions by content: in one modality, in two or three, exact figures, changes, and negation."""

from collections.abc import Iterator
from itertools import pairwise

from agentctx.evaluate.days.view import (
    Draft,
    View,
    event_target,
    heard_target,
    page_target,
    told_target,
)
from agentctx.evaluate.days.wording import clock_words, rounded


def screen(view: View) -> Iterator[Draft]:
    """A page by its kind and matter."""
    for page in view.pages:
        if view.own(page.matter):
            same = [
                other
                for other in view.pages
                if other.kind == page.kind and page.matter in (other.matter, other.aside)
            ]
            slots = {"m": view.called(page.matter), "kind": view.kind(page)}
            yield Draft("screen", "screen", [[t for p in same for t in page_target(p)]], slots)


def speech(view: View) -> Iterator[Draft]:
    """What was said about a matter."""
    for matter in dict.fromkeys(clip.matter for clip in view.day.clips):
        if view.own(matter):
            told = [t for clip in view.clips_about(matter) for t in told_target(clip)]
            yield Draft("speech", "speech", [told], {"m": view.called(matter)})


def sensor(view: View) -> Iterator[Draft]:
    """When a channel did something."""
    for event in view.day.events:
        yield Draft("sensor", "sensor", [event_target(event)], view.happening(event))


def exact(view: View) -> Iterator[Draft]:
    """Figures of a channel."""
    for channel in view.day.channels:
        for phrasing in ("peak", "trough"):
            targets = view.extremes(channel.name, high=phrasing == "peak")
            if targets:
                yield Draft("exact", phrasing, [targets], {"ch": channel.name}, "free")
    for event in view.day.events:
        phrasing = {"dropout": "gap", "step": "level", "drift": "level"}.get(event.kind, "")
        if phrasing:
            yield Draft("exact", phrasing, [event_target(event)], view.happening(event))


def two(view: View) -> Iterator[Draft]:
    """What two modalities tell of one moment."""
    for clip, page in view.together():
        if clip in view.once():
            needs = [told_target(clip), page_target(page)]
            yield Draft("two", "two_speech_screen", needs, {"m": view.called(clip.matter)})
    for event, clip in view.at_once():
        needs = [event_target(event), heard_target(clip)]
        yield Draft("two", "two_speech_sensor", needs, view.happening(event))
    for event, page in view.seen():
        needs = [event_target(event), page_target(page)]
        yield Draft("two", "two_screen_sensor", needs, view.happening(event))


def three(view: View) -> Iterator[Draft]:
    """What all modalities tell of one moment."""
    for event, clip in view.at_once():
        for other, page in view.together():
            if other == clip:
                needs = [event_target(event), page_target(page), heard_target(clip)]
                yield Draft("three", "three", needs, view.happening(event))


def change(view: View) -> Iterator[Draft]:
    """What a dashboard showed before, and after."""
    for before, after in pairwise(view.boards):
        slots = {
            "title": before.title,
            "t": clock_words(rounded(before.at, up=True), view.rng),
            "u": clock_words(rounded(after.at, up=True), view.rng),
        }
        yield Draft("change", "change", [page_target(before), page_target(after)], slots, "must")


def composition(view: View) -> Iterator[Draft]:
    """A matter with another one on the same page, or without it."""
    for page in view.pages:
        if not page.aside or not view.own(page.matter):
            continue
        slots = {"m": view.called(page.matter), "n": view.called(page.aside)}
        both = [p for p in view.pages if {page.matter, page.aside} == {p.matter, p.aside}]
        yield Draft("composition", "together", [[t for p in both for t in page_target(p)]], slots)
        without = [p for p in view.pages if p.matter == page.matter and p.aside != page.aside]
        if without:
            targets = [t for p in without for t in page_target(p)]
            yield Draft("negation", "without", [targets], slots)
