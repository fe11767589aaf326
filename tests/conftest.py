"""What every test stands on: no network but this machine's own, and a memory to fill."""

import asyncio
import inspect
import ipaddress
import json
import os
import socket
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from agentctx import Memory, Observation

# Before anything imports huggingface_hub, which reads these once. With telemetry its client asks
# the public hub which programs are agents, even when it is told to use another hub.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")


class NetworkForbidden(BaseException):
    """A test tried to reach another machine. No Exception, so that nothing can swallow it."""


def _is_local(host: object) -> bool:
    if host in (None, "", b"", "localhost", b"localhost"):
        return True
    try:
        return ipaddress.ip_address(os.fsdecode(str(host))).is_loopback
    except ValueError:
        return False


@pytest.fixture(autouse=True, scope="session")
def _no_network() -> Iterator[None]:
    def guarded(call: Callable[..., Any]) -> Callable[..., Any]:
        def connect(self: socket.socket, address: Any, /) -> Any:
            inet = self.family in (socket.AF_INET, socket.AF_INET6)
            if inet and not _is_local(address[0]):
                raise NetworkForbidden(f"a test connects to {address}")
            return call(self, address)

        return connect

    resolve = socket.getaddrinfo

    def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        if not _is_local(host):
            raise NetworkForbidden(f"a test looks up {host!r}")
        return resolve(host, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded(socket.socket.connect))
        patch.setattr(socket.socket, "connect_ex", guarded(socket.socket.connect_ex))
        patch.setattr(socket, "getaddrinfo", getaddrinfo)
        yield


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a test that is a coroutine in an event loop of its own, with no plugin for that."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = inspect.signature(pyfuncitem.obj).parameters
    asyncio.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))
    return True


SAMPLES = Path(str(files("agentctx.demo"))) / "samples"


def heard() -> Iterator[Observation]:
    """What was said in the demo, as its transcripts have it: no recogniser has to listen first."""
    for source, call in json.loads((SAMPLES / "transcripts.json").read_text("utf-8")).items():
        start = datetime.fromisoformat(call["captured_at"])
        for sentence in call["sentences"]:
            yield Observation(
                modality="speech",
                text=sentence["text"],
                captured_at=start + timedelta(seconds=sentence["start"]),
                duration=sentence["end"] - sentence["start"],
                session="pump-a",
                source=source,
            )


@pytest.fixture(scope="session")
def incident(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Memory]:
    """The demo's incident, with one of its screens and six minutes of its log; only to be read."""
    folder = tmp_path_factory.mktemp("incident")
    head, *rows = (SAMPLES / "2026-03-14_pump-a.csv").read_text("utf-8").splitlines()
    log = folder / "2026-03-14_pump-a.csv"
    log.write_text(
        "\n".join([head, *(r for r in rows if "T09:10" <= r[10:16] < "T09:16")]), "utf-8"
    )
    with Memory.open(folder / "memory") as memory:
        memory.add(heard())
        screen = SAMPLES / "2026-03-14T091212Z_dashboard-alarm.png"
        report = memory.add([screen, log], session="pump-a")
        assert not report.failed
        yield memory


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    """A new memory with the default configuration."""
    with Memory.open(tmp_path / "memory") as memory:
        yield memory
