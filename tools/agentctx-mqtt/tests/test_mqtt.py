"""Readings from a real broker: exact, in plain words, and none lost that was published."""

import itertools
import json
import logging
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from agentctx import Config, Memory, registry, watching
from agentctx.contracts import Arrival
from agentctx.errors import ConfigError, SourceError
from agentctx.services import SharedServices
from agentctx.testing.contracts import WatcherContract
from agentctx_mqtt import Mqtt

NINE = 1773478800  # 2026-03-14T09:00:00Z
Publish = Callable[..., None]
MakeBroker = Callable[..., Any]
Mosquitto = Any  # conftest's


def watcher(broker: Mosquitto, **more: Any) -> Mqtt:
    """A watcher of the plant with short blocks."""
    given = {"broker": "127.0.0.1", "port": broker.port, "topic": ("plant/#",), "block": 0.5}
    made: Mqtt = registry.build("watchers", "mqtt", SharedServices(Config()), {**given, **more})
    return made


def rows(arrival: Arrival) -> list[dict[str, Any]]:
    """The readings in a block."""
    assert isinstance(arrival.item, Path), arrival.item
    return [json.loads(line) for line in arrival.item.read_text().splitlines()]


def values(arrival: Arrival) -> list[float]:
    """The values in a block."""
    return [row["value"] for row in rows(arrival)]


def subscribed(broker: Mosquitto, **more: Any) -> None:
    """Let the broker know us, so that it keeps what comes from now on."""
    stop = threading.Event()
    stop.set()
    assert list(watcher(broker, **more).watch(stop)) == []


class TestContract(WatcherContract):
    factory = Mqtt
    remembers = True

    @pytest.fixture
    def reachable(self, broker: MakeBroker) -> Mapping[str, Any]:
        self.broker = broker()
        return {"broker": "127.0.0.1", "port": self.broker.port, "block": 0.2}

    @pytest.fixture
    def unreachable(self) -> Mapping[str, Any]:
        return {"broker": "127.0.0.1", "port": 1}

    @pytest.fixture
    def happen(self, reachable: Mapping[str, Any], publish: Publish) -> Callable[[], None]:
        numbers = itertools.count()
        publish(reachable["port"], "elsewhere", "0", qos=0)  # its thread is there from now on

        def happen() -> None:
            number = next(numbers)
            message = {"value": number, "ts": NINE + number}
            publish(reachable["port"], "plant/level", json.dumps(message))

        return happen


def test_readings_are_exact_and_found_in_plain_words(
    broker: MakeBroker, publish: Publish, tmp_path: Path
) -> None:
    here = broker()
    subscribed(here)
    sent = {n: 5 + n % 7 / 10 + (3 if n > 40 else 0) for n in range(60)}
    for n, value in sent.items():
        pressure = {"value": value, "unit": "bar", "ts": NINE + n}
        publish(here.port, "plant/pump-a/pressure", json.dumps(pressure))
    publish(here.port, "plant/motor", json.dumps({"rpm": 1480, "ts": NINE}), "plant/door", "no")
    options = {"broker": "127.0.0.1", "port": here.port, "topic": ("plant/#",), "block": 0.5}
    stop = threading.Event()
    with Memory.open(tmp_path / "memory") as memory:
        failed = []
        for source, report in watching.watch(memory, "mqtt", options, stop=stop):
            assert source == f"mqtt://127.0.0.1:{here.port}/plant/#"
            failed += report.failed
            if report.added:
                stop.set()
        found = memory.readings("plant/pump-a/pressure")
        assert isinstance(found, list)
        assert {round(one.time.timestamp()) - NINE: one.value for one in found} == sent
        assert memory.readings("plant/motor/rpm", aggregate="max") == 1480
        hit, *_ = memory.search("when did the pressure of pump a jump?", limit=1)
    assert "jumped up" in hit.text
    assert "bar" in hit.text
    assert hit.source == f"mqtt://127.0.0.1:{here.port}/plant/#"
    (failure,) = failed
    assert "'no' on plant/door: it is neither a number nor JSON" in str(failure.error)


def test_a_topic_that_is_a_number_is_a_channel(
    broker: MakeBroker, publish: Publish, tmp_path: Path
) -> None:
    here = broker()
    subscribed(here, topic=("+",))
    publish(here.port, "42", "1.5", "4.2", "2.5")
    stop = threading.Event()
    options = {"broker": "127.0.0.1", "port": here.port, "topic": ("+",), "block": 0.2}
    with Memory.open(tmp_path / "memory", Config(encoders=("minilm",))) as memory:
        for _ in watching.watch(memory, "mqtt", options, stop=stop):
            stop.set()
        assert memory.readings("topic 42", aggregate="last") == 1.5
        assert memory.readings("topic 4.2", aggregate="last") == 2.5


def test_what_is_retained_is_no_news(broker: MakeBroker, publish: Publish) -> None:
    """It was measured before anybody watched, nobody knows when."""
    here = broker()
    publish(here.port, "plant/level", "1", retain=True)
    with closing(watcher(here).watch(threading.Event())) as arriving:
        threading.Timer(1, publish, (here.port, "plant/level", "2")).start()
        assert values(next(arriving)) == [2]


def test_what_was_not_done_comes_again_and_what_was_does_not(
    broker: MakeBroker, publish: Publish
) -> None:
    here = broker()
    subscribed(here)
    publish(here.port, "plant/level", "1", "plant/level", "2")
    with closing(watcher(here).watch(threading.Event())) as arriving:
        assert values(next(arriving)) == [1, 2]
    with closing(watcher(here).watch(threading.Event())) as arriving:
        again = next(arriving)
        assert values(again) == [1, 2]
        again.done()
    publish(here.port, "plant/level", "3")
    with closing(watcher(here).watch(threading.Event())) as arriving:
        assert values(next(arriving)) == [3]


def test_a_lost_connection_comes_back_and_loses_nothing(
    broker: MakeBroker, publish: Publish, caplog: pytest.LogCaptureFixture
) -> None:
    """What was stored is not given twice, though it could not be acknowledged in time."""
    here = broker()
    subscribed(here)
    publish(here.port, "plant/level", "1")
    with closing(watcher(here).watch(threading.Event())) as arriving:
        first = next(arriving)
        assert values(first) == [1]
        with caplog.at_level(logging.WARNING):
            here.stop()
            here.start()
            ends = time.monotonic() + 20
            while here.log().count("Sending CONNACK to agentctx") < 3 and time.monotonic() < ends:
                time.sleep(0.05)
        first.done()
        publish(here.port, "plant/level", "2")
        assert values(next(arriving)) == [2]
    assert "is lost" in caplog.text
    assert "trying again" in caplog.text
    # The first, and only it, is acknowledged.
    assert here.log().count("Received PUBACK from agentctx") == 1


def test_without_a_session_what_is_held_is_kept(broker: MakeBroker, publish: Publish) -> None:
    """A broker that has forgotten us sends nothing again."""
    here = broker(["persistence false"])
    subscribed(here, block=6.0)
    publish(here.port, "plant/level", "1")
    found: list[float] = []
    stop = threading.Event()
    with closing(watcher(here, block=6.0).watch(stop)) as arriving:
        timer = threading.Timer(0.5, lambda: (here.stop(), here.start()))
        timer.start()
        for arrival in arriving:
            found += values(arrival)
            arrival.done()
            stop.set()
        timer.join()
    assert found == [1]


def kept(memory: Path) -> float:
    """How many readings of the level a memory has, while another process adds to it."""
    with Memory.open(memory) as opened:
        count = opened.readings("plant/level", aggregate="count")
    assert isinstance(count, float)
    return count


@pytest.mark.timeout(120)
def test_nothing_is_lost_when_it_is_killed(
    broker: MakeBroker, publish: Publish, tmp_path: Path
) -> None:
    """Published while `agentctx watch` runs, is killed, and is away: all of it, once."""
    here = broker(["max_queued_messages 0"])  # however long a busy machine takes to start it again
    subscribed(here, client_id="killed")
    code = "from agentctx.cli import main; main()"
    words = ["--broker", "127.0.0.1", "--port", here.port, "--topic", "plant/#", "--block", "0.3"]
    words += ["--client-id", "killed", "--memory", tmp_path / "memory", "--json"]
    command = [sys.executable, "-c", code, "watch", "mqtt", *map(str, words)]
    count, over = itertools.count(), threading.Event()
    last = -1

    def publishing() -> None:
        nonlocal last
        while not over.wait(0.01):
            last = next(count)
            message = {"value": last, "ts": NINE + last}
            publish(here.port, "plant/level", json.dumps(message))

    publisher = threading.Thread(target=publishing)
    publisher.start()
    try:
        for number in (signal.SIGKILL, signal.SIGTERM):
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
                assert process.stdout is not None
                for _ in range(2):
                    assert json.loads(process.stdout.readline())["failed"] == []
                if number == signal.SIGTERM:
                    over.set()
                    publisher.join()
                    ends = time.monotonic() + 30
                    while kept(tmp_path / "memory") <= last and time.monotonic() < ends:
                        time.sleep(0.5)
                process.send_signal(number)
                process.stdout.read()
                assert process.wait(20) == (-9 if number == signal.SIGKILL else 0)
    finally:
        over.set()
        publisher.join()
    with Memory.open(tmp_path / "memory") as memory:
        found = memory.readings("plant/level")
        assert isinstance(found, list)
        assert [one.value for one in found] == list(range(last + 1))
        assert [one.time.timestamp() - NINE for one in found] == list(range(last + 1))


# -- who we are -----------------------------------------------------------------------------------


@pytest.fixture
def guarded(broker: MakeBroker, tmp_path: Path) -> Mosquitto:
    """A broker that wants a password: that of ``ann`` is ``secret``."""
    (tmp_path / "passwords").touch(0o700)
    subprocess.run(["mosquitto_passwd", "-b", tmp_path / "passwords", "ann", "secret"], check=True)
    (tmp_path / "acl").write_text("user ann\ntopic read plant/#\n")
    (tmp_path / "acl").chmod(0o700)
    lines = [f"password_file {tmp_path}/passwords", f"acl_file {tmp_path}/acl"]
    return broker(lines, anonymous=False)


def test_a_password_from_an_option_or_a_file(guarded: Mosquitto, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("secret\nand a note\n")
    subscribed(guarded, username="ann", password="secret")
    subscribed(guarded, username="ann", password_file=tmp_path / "password")
    with pytest.raises(SourceError, match="refuses the connection: Not authorized") as raised:
        subscribed(guarded, username="ann", password="wrong")
    assert "wrong" not in str(raised.value)
    with pytest.raises(SourceError, match="refuses the connection"):
        subscribed(guarded)
    with pytest.raises(ConfigError, match="check --password-file"):
        subscribed(guarded, username="ann", password_file=tmp_path / "none")


def test_the_own_name_is_the_same_each_time_and_another_for_other_topics(
    broker: MakeBroker,
) -> None:
    here = broker()
    for topic in (("plant/#",), ("plant/#",), ("office/#",)):
        subscribed(here, topic=topic)
    names = [line.split(" as ")[1].split()[0] for line in here.log().splitlines()
             if "New client connected" in line]  # fmt: skip
    assert names[0] == names[1] != names[2]
    assert all(name.startswith("agentctx-") for name in names)


# paho-mqtt leaves the socket of a failed handshake to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_tls(broker: MakeBroker, tmp_path: Path, certificates: Path) -> None:
    here = broker([f"certfile {certificates}/here.pem", f"keyfile {certificates}/here.key"])
    assert watcher(here, ca=certificates / "ca.pem")._broker.name.startswith("mqtts://127.0.0.1:")
    subscribed(here, ca=certificates / "ca.pem")
    with pytest.raises(SourceError, match=r"cannot connect: .*CERTIFICATE_VERIFY_FAILED"):
        subscribed(here, ca=certificates / "other.pem")
    with pytest.raises(SourceError, match=r"cannot connect: .*CERTIFICATE_VERIFY_FAILED"):
        subscribed(here, tls=True)
    (tmp_path / "no.pem").write_text("no certificate")
    with pytest.raises(ConfigError, match="check --ca"):
        subscribed(here, ca=tmp_path / "no.pem")


def test_a_certificate_of_ours(broker: MakeBroker, certificates: Path) -> None:
    lines = [f"certfile {certificates}/here.pem", f"keyfile {certificates}/here.key"]
    here = broker([*lines, f"cafile {certificates}/ca.pem", "require_certificate true"])
    ours = {"client_certificate": certificates / "us.pem", "client_key": certificates / "us.key"}
    subscribed(here, ca=certificates / "ca.pem", **ours)
    with pytest.raises(SourceError, match="it closes the connection"):
        subscribed(here, ca=certificates / "ca.pem")


def test_the_port_follows_tls() -> None:
    services = SharedServices(Config())
    assert Mqtt(services)._broker.name == "mqtt://localhost:1883/#"
    assert Mqtt(services, tls=True)._broker.name == "mqtts://localhost:8883/#"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"block": 0.0}, "block is 0"),
        ({"block": 90_000.0}, "block is 90000"),
        ({"keep": -1.0}, "keep is -1"),
        ({"topic": ()}, "topic is empty"),
        ({"password": "a", "password_file": Path("b")}, "not both"),
    ],
)
def test_options_that_make_no_sense(options: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        Mqtt(SharedServices(Config()), **options)
