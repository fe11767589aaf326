"""What every test stands on: no network but this machine's own, and a memory to fill."""

import ipaddress
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agentctx import Memory

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


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    """A new memory with the default configuration."""
    with Memory.open(tmp_path / "memory") as memory:
        yield memory
