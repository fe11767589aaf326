"""What every watcher must hold."""

import inspect
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

import pytest

from agentctx import watching
from agentctx.config import Config
from agentctx.contracts import Arrival, Services, Watcher
from agentctx.errors import SourceError
from agentctx.ingest import Hints, choose, open_source
from agentctx.limits import Limits
from agentctx.records import Observation
from agentctx.services import SharedServices
from agentctx.testing.contracts.factory import FactoryContract

_ARRIVES_SECONDS = 30.0
_ENDS_SECONDS = 5.0
_HAPPENS_SECONDS = 0.2

Arrivals = Generator[Arrival, None, None]


class WatcherContract(FactoryContract):
    """A watcher: it gives what happens as it happens, ends when it is told, and leaves nothing.

    ``remembers``: whether what was not done comes again to the next watcher, as from a queue.
    """

    contract = Watcher
    remembers: ClassVar[bool] = False

    @pytest.fixture
    def reachable(self) -> Mapping[str, Any]:
        """Options of a source that can be watched. To be overridden."""
        raise NotImplementedError("give the suite `reachable`: options of a source that is there")

    @pytest.fixture
    def unreachable(self) -> Mapping[str, Any]:
        """Options of a source that cannot be watched. To be overridden."""
        raise NotImplementedError("give the suite `unreachable`: options of what is not there")

    @pytest.fixture
    def happen(self) -> Callable[[], None]:
        """What makes something new happen; called again and again. To be overridden."""
        raise NotImplementedError("give the suite `happen`: a function that makes things happen")

    @pytest.fixture
    def stop(self) -> threading.Event:
        """What ends a watch."""
        return threading.Event()

    @pytest.fixture
    def arrivals(
        self, services: Services, reachable: Mapping[str, Any], stop: threading.Event
    ) -> Iterator[Arrivals]:
        """A watch, closed at the end."""
        found = self.watched(services, reachable, stop)
        assert isinstance(found, Generator), f"watch() gives {found!r}, no generator"
        with closing(found):
            yield found

    def watched(
        self, services: Services, options: Mapping[str, Any], stop: threading.Event
    ) -> Arrivals:
        """What a fresh watcher gives."""
        made: Watcher = type(self).factory(services, **{**self.options, **options})
        return made.watch(stop)

    def test_its_options_fit_the_command_line(self) -> None:
        """``agentctx watch NAME`` takes each of them."""
        watching.options(type(self).factory)

    def test_nothing_is_opened_before_it_is_asked_for(
        self, services: Services, unreachable: Mapping[str, Any], stop: threading.Event
    ) -> None:
        """What cannot be watched raises a SourceError, when the first item is asked for."""
        arrivals = self.watched(services, unreachable, stop)
        with closing(arrivals), pytest.raises(Exception) as raised:  # noqa: PT011 - to tell which
            next(arrivals)
        error = raised.value
        assert isinstance(error, SourceError), f"{error!r} is no SourceError"
        assert error.reason, "the error gives no reason"

    def test_what_arrives_can_be_added(
        self, arrivals: Arrivals, happen: Callable[[], None], stop: threading.Event
    ) -> None:
        """Each item has a source, and is an observation or a file that a plugin knows."""
        with _happening(happen, stop):
            for arrival in islice(arrivals, 2):
                _check(arrival)
                arrival.done()

    def test_a_file_is_there_until_the_next_is_asked_for(
        self, arrivals: Arrivals, happen: Callable[[], None], stop: threading.Event
    ) -> None:
        """It may be read while it is added, and nothing is left of it at the end."""
        files = []
        with _happening(happen, stop):
            for arrival in islice(arrivals, 2):
                if isinstance(arrival.item, Path):
                    assert arrival.item.read_bytes(), f"{arrival.item} is empty"
                    files.append(arrival.item)
                arrival.done()
        arrivals.close()
        assert [path for path in files if path.exists()] == [], "files are left behind"

    def test_it_ends_when_told(
        self, arrivals: Arrivals, happen: Callable[[], None], stop: threading.Event
    ) -> None:
        """Within five seconds, whether or not something happens, with what it holds."""
        with _happening(happen, stop):
            next(arrivals).done()
        began = time.monotonic()
        stop.set()
        for arrival in arrivals:
            _check(arrival)
            arrival.done()
        took = time.monotonic() - began
        assert took < _ENDS_SECONDS, f"it took {took:.1f} s to end"

    def test_a_watch_that_is_stopped_before_gives_nothing_new(
        self, arrivals: Arrivals, stop: threading.Event
    ) -> None:
        """It ends at once."""
        stop.set()
        began = time.monotonic()
        for arrival in arrivals:
            _check(arrival)
        assert time.monotonic() - began < _ENDS_SECONDS, "it goes on in spite of being stopped"

    def test_closing_lets_go_of_everything(
        self, arrivals: Arrivals, happen: Callable[[], None], stop: threading.Event
    ) -> None:
        """No thread is left."""
        before = set(threading.enumerate())
        with _happening(happen, stop):
            next(arrivals)
        arrivals.close()
        left = set(threading.enumerate()) - before
        assert not left, f"threads are left: {left}"
        assert inspect.getgeneratorstate(arrivals) == inspect.GEN_CLOSED

    def test_what_is_not_done_comes_again(
        self,
        services: Services,
        reachable: Mapping[str, Any],
        arrivals: Arrivals,
        happen: Callable[[], None],
        stop: threading.Event,
    ) -> None:
        """To the next watcher; only where ``remembers`` says so."""
        if not self.remembers:
            return
        with _happening(happen, stop):
            held = _content(next(arrivals))
        arrivals.close()
        over = threading.Event()
        timer = threading.Timer(_ENDS_SECONDS, over.set)
        timer.start()
        with closing(self.watched(services, reachable, over)) as again:
            arrival = next(again, None)
            found = _content(arrival) if arrival else b""
        timer.cancel()
        assert found.startswith(held), f"{held!r} was not done; what came then is {found!r}"


@contextmanager
def _happening(happen: Callable[[], None], stop: threading.Event) -> Iterator[None]:
    """Let things happen beside; the watch is ended when nothing of it arrives."""
    over = threading.Event()

    def run() -> None:
        ends = time.monotonic() + _ARRIVES_SECONDS
        while not over.wait(_HAPPENS_SECONDS):
            if time.monotonic() > ends:
                stop.set()
            happen()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    except StopIteration:
        raise AssertionError(f"nothing arrived in {_ARRIVES_SECONDS:g} s") from None
    finally:
        over.set()
        thread.join()


def _check(arrival: Arrival) -> None:
    assert isinstance(arrival, Arrival), f"{arrival!r} is no Arrival"
    assert arrival.source, f"{arrival} has no source"
    item = arrival.item
    assert not isinstance(item, SourceError), f"what happened was refused: {item}"
    if isinstance(item, Observation):
        assert item.source == arrival.source, f"{item} names another source than {arrival.source}"
        return
    assert isinstance(item, Path), f"{item!r} is neither an observation nor a path"
    hints = Hints("", arrival.captured_at, arrival.attributes, arrival.source)
    choose(open_source(item, hints, Limits()), SharedServices(Config()))


def _content(arrival: Arrival) -> bytes:
    item = arrival.item
    if isinstance(item, Path):
        return item.read_bytes()
    return (item.text if isinstance(item, Observation) else str(item)).encode()
