"""The pages: a screen's lines are on it, and nothing that would be an answer elsewhere."""

import re
from dataclasses import replace
from html import unescape

import pytest

from agentctx.evaluate.days.composing import compose
from agentctx.evaluate.days.pages import html
from agentctx.evaluate.days.records import Day, Screen
from agentctx.evaluate.days.worlds import common_matters, texts, worlds

DAYS = compose(12, 7, 14)
KINDS = sorted({screen.kind for day in DAYS for screen in day.screens})


def first(kind: str) -> tuple[Day, Screen]:
    return next((day, s) for day in DAYS for s in day.screens if s.kind == kind)


def visible(page: str) -> str:
    """A page's text, without its style and its marks."""
    body = page[page.index("<body>") :]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def test_every_kind_comes_up() -> None:
    assert {"calendar", "chat", "dashboard", "editor", "mail", "sheet", "ticket"} <= set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_shows_its_title_and_lines(kind: str) -> None:
    day, screen = first(kind)
    text = visible(html(day, screen))
    # A chat has no heading but its topic; a file is named after its matter.
    assert screen.title in text
    for line in screen.lines:
        assert line in text
    for label, value in screen.figures.items():
        assert label in text
        assert value in text


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_is_the_same_again(kind: str) -> None:
    day, screen = first(kind)
    assert html(day, screen) == html(day, screen)
    moved = replace(screen, file=screen.file.replace("Z_", "Y_"))
    assert html(day, moved) != html(day, screen)


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_page_shows_cannot_be_markup(kind: str) -> None:
    day, screen = first(kind)
    bad = replace(screen, title="<b>&", lines=["<script>1</script>", "a < b & c"])
    page = html(day, bad)
    assert "<script>" not in page
    if kind != "dashboard":
        assert "a < b & c" in visible(page)


@pytest.mark.parametrize("day", DAYS, ids=lambda day: day.name[11:])
def test_no_page_speaks_of_another_matter(day: Day) -> None:
    """What fills a page would otherwise answer questions that it is not counted for."""
    world = next(one for one in worlds() if one.place == day.place)
    names = {m.name: m.name.removeprefix("the ") for m in (*world.matters, *common_matters())}
    for screen in day.screens:
        text = visible(html(day, screen)).lower()
        told = {name for name, bare in names.items() if bare.lower() in text}
        allowed = {screen.matter, screen.aside}
        # What is written about one matter may name another in passing, as people do.
        written = " ".join(screen.lines).lower()
        assert all(name in allowed or names[name].lower() in written for name in told)


def test_a_clock_is_on_most_pages() -> None:
    shown = 0
    for day in DAYS:
        for screen in day.screens:
            shown += f"{screen.at:%H:%M}" in visible(html(day, screen))
    assert shown > len(DAYS) * 14 // 3


def test_fillers_are_no_matters() -> None:
    filling = texts("pages")
    general = [*filling["small_talk"], *filling["subjects"], *filling["appointments"]]
    for world in worlds():
        matters = (*world.matters, *common_matters())
        names = [matter.name.removeprefix("the ").lower() for matter in matters]
        for line in (*general, *world.fillers, world.board, world.team):
            assert not any(name in line.lower() for name in names)
