"""The switch of tests/conftest.py works: no test reaches another machine."""

import socket
import threading
import urllib.request

import pytest


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1"])
def test_no_connection_leaves(host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as connection:
        connection.settimeout(0.1)
        with pytest.raises(BaseException, match="a test connects to"):
            connection.connect((host, 80))
        with pytest.raises(BaseException, match="a test connects to"):
            connection.connect_ex((host, 80))


def test_no_name_is_looked_up() -> None:
    with pytest.raises(BaseException, match=r"a test looks up 'example\.org'"):
        urllib.request.urlopen("http://example.org/", timeout=0.1)


def test_this_machine_is_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=lambda: server.accept()[0].close()).start()
        with socket.create_connection(("localhost", server.getsockname()[1]), timeout=2) as client:
            assert client.recv(1) == b""
