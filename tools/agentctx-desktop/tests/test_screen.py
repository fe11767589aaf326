"""The screen: what is new on it, once, with the window that it is of."""

import itertools
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from agentctx import Config, Memory, registry, watching
from agentctx.contracts import Arrival
from agentctx.errors import ConfigError, SourceError
from agentctx.services import SharedServices
from agentctx.testing.contracts import WatcherContract
from agentctx_desktop import Screen

Make = Callable[..., Any]


class TestContract(WatcherContract):
    factory = Screen

    @pytest.fixture
    def reachable(self, display: str) -> Mapping[str, Any]:
        return {"display": display, "every": 0.1}

    @pytest.fixture
    def unreachable(self) -> Mapping[str, Any]:
        return {"display": ":4711"}

    @pytest.fixture
    def happen(self, window: Make) -> Callable[[], None]:
        shown, numbers = window("Plant"), itertools.count()
        return lambda: shown.show(f"Pressure {next(numbers)} bar")


@pytest.fixture
def looking(display: str) -> Callable[..., list[Arrival]]:
    """``looking(seconds)`` gives what the screen's watcher brings in that time."""

    def look(seconds: float = 0.6) -> list[Arrival]:
        options = {"display": display, "every": 0.05}
        made = registry.build("watchers", "screen", SharedServices(Config()), options)
        stop = threading.Event()
        timer = threading.Timer(seconds, stop.set)
        timer.start()
        found = list(made.watch(stop))
        timer.join()
        return found

    return look


def test_a_screen_that_stays_comes_once(window: Make, looking: Callable[..., Any]) -> None:
    window("Plant").show("Alarm V-417", "bearing too hot")
    (arrival,) = looking()
    assert arrival.source == "screen 1"
    assert dict(arrival.attributes) == {"title": "Plant", "app": "plant"}
    assert abs(arrival.captured_at.timestamp() - time.time()) < 30


def during(shown: Any, looking: Callable[..., Any], *changes: Callable[[], None]) -> list[Arrival]:
    """What arrives while these happen, a third of a second apart."""

    def run() -> None:
        for change in changes:
            time.sleep(0.4)
            change()

    thread = threading.Thread(target=run)
    thread.start()
    found: list[Arrival] = looking(0.4 * len(changes) + 0.7)
    thread.join()
    return found


def test_a_cursor_is_no_news_and_a_word_is(window: Make, looking: Callable[..., Any]) -> None:
    shown = window("Plant")
    shown.show("Alarm V-417")
    blinks = [lambda: shown.dot(2, 20), lambda: shown.dot(2, 20, "white"), lambda: shown.dot(2, 20)]
    assert len(during(shown, looking, *blinks)) == 1
    more = [lambda: shown.show("Alarm V-417", "stopped"), lambda: shown.show("Alarm V-417")]
    assert len(during(shown, looking, *more)) == 3


def test_small_changes_add_up(window: Make, looking: Callable[..., Any]) -> None:
    """Against what was taken last, not what was seen last: slow typing is news in the end."""
    shown = window("Plant")
    shown.show("")
    words = "the pump is hot"
    typed = [lambda n=n: shown.show(words[:n]) for n in (1, 2, 3, 5, 6, 8, 11, 15)]
    found = during(shown, looking, *typed)
    assert 2 <= len(found) <= 5


def test_another_window_is_news_with_its_name(window: Make, looking: Callable[..., Any]) -> None:
    first = window("Plant")
    first.show("Alarm V-417")
    found = during(first, looking, lambda: window("Übersicht – Mail", "Mail").show("From Ann"))
    titles = [arrival.attributes["title"] for arrival in found]
    assert titles[0] == "Plant"
    assert titles[-1] == "Übersicht – Mail"
    assert found[-1].attributes["app"] == "Mail"


def test_a_title_alone_is_no_news(window: Make, looking: Callable[..., Any]) -> None:
    """Not while nothing on the screen is another: a player counts the seconds in its title."""
    shown = window("0:01")
    shown.show("Song")
    titles = [lambda n=n: shown.entitle(f"0:0{n}") for n in range(2, 5)]
    assert len(during(shown, looking, *titles)) == 1


def test_the_words_on_it_are_found(window: Make, display: str, tmp_path: Path) -> None:
    """As `agentctx watch screen` does it, with the real recogniser."""
    shown = window("Plant overview")
    shown.show("Alarm V-417", "Bearing temperature", "88 degrees")
    stop = threading.Event()
    options = {"display": display, "every": 0.1}
    with Memory.open(tmp_path / "memory") as memory:
        for number, (source, report) in enumerate(
            watching.watch(memory, "screen", options, stop=stop, session="shift")
        ):
            assert (source, report.failed) == ("screen 1", ())
            if number == 0:
                shown.show("Alarm V-417", "Bearing temperature", "91 degrees")
            else:
                stop.set()
        first, second = memory.timeline()
        (hit,) = memory.search("how hot is the bearing?", limit=1, modality="screenshot")
    assert "88" in first.text
    assert "91" in second.text
    assert "Alarm V-417" in hit.text
    assert (hit.source, hit.session) == ("screen 1", "shift")
    assert hit.attributes["title"] == "Plant overview"
    assert first.captured_at < second.captured_at


def test_a_monitor_that_is_not_there(display: str) -> None:
    made = Screen(SharedServices(Config()), display=display, monitor=3)
    with pytest.raises(SourceError, match="there are 1 monitors; check --monitor"):
        next(made.watch(threading.Event()))


def test_a_display_that_ends(short_display: Make) -> None:
    with short_display() as name:
        made = Screen(SharedServices(Config()), display=name, every=0.05)
        arrivals = made.watch(threading.Event())
        next(arrivals)
    with closing(arrivals), pytest.raises(SourceError, match="it cannot be seen any more"):
        next(arrivals)


def test_all_monitors_are_one_picture(display: str) -> None:
    made = Screen(SharedServices(Config()), display=display, monitor=0)
    with closing(made.watch(threading.Event())) as arrivals:
        arrival = next(arrivals)
        assert arrival.source == "screens"
        assert isinstance(arrival.item, Path)
        with Image.open(arrival.item) as image:
            assert image.size == (800, 600)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"every": 0.0}, "every is 0.0"),
        ({"change": 0.0}, "change is 0.0"),
        ({"change": 1.5}, "change is 1.5"),
        ({"monitor": -1}, "monitor is -1"),
    ],
)
def test_options_that_make_no_sense(options: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        Screen(SharedServices(Config()), **options)
