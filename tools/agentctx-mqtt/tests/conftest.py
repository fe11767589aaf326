"""A real broker on this machine, and a client that publishes."""

import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

PROGRAM = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin") or (
    shutil.which("mosquitto")
)


class Mosquitto:
    """A broker that can be stopped and started again, with what it had on its disk."""

    def __init__(self, folder: Path, lines: Sequence[str] = (), *, anonymous: bool = True) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self._config = folder / "mosquitto.conf"
        self._log = folder / "mosquitto.log"
        self._config.write_text(
            "\n".join(
                [
                    f"listener {self.port} 127.0.0.1",
                    f"allow_anonymous {str(anonymous).lower()}",
                    # As root it would become another user, who may not write here.
                    "user root",
                    "persistence true",
                    f"persistence_location {folder}/",
                    *lines,
                ]
            )
        )
        self.start()

    def start(self) -> None:
        """Start it, and wait until it listens."""
        assert PROGRAM is not None
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [PROGRAM, "-v", "-c", str(self._config)], stdout=log, stderr=log
            )
        for _ in range(200):
            assert self._process.poll() is None, self.log()
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except ConnectionRefusedError:
                time.sleep(0.05)
            else:
                return
        pytest.fail(self.log())

    def stop(self) -> None:
        """Stop it as the system does; what it keeps is written."""
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(10)

    def log(self) -> str:
        """What it says."""
        return self._log.read_text()


@pytest.fixture(scope="session")
def _installed() -> None:
    if PROGRAM is None:
        pytest.skip("no broker to test against; Debian: apt-get install mosquitto")


MakeBroker = Callable[..., Mosquitto]


@pytest.fixture
def broker(_installed: None, tmp_path: Path) -> Iterator[MakeBroker]:
    """``broker(lines, anonymous=...)`` starts one, which is stopped at the end."""
    made: list[Mosquitto] = []

    def make(lines: Sequence[str] = (), *, anonymous: bool = True) -> Mosquitto:
        folder = tmp_path / f"broker-{len(made)}"
        folder.mkdir()
        made.append(Mosquitto(folder, lines, anonymous=anonymous))
        return made[-1]

    yield make
    for one in made:
        one.stop()


@pytest.fixture
def publish(_installed: None) -> Iterator[Callable[..., None]]:
    """``publish(port, topic, payload, ...)`` returns when the broker has each message."""
    clients: dict[int, Client] = {}

    def send(port: int, *pairs: str | bytes, qos: int = 1, retain: bool = False) -> None:
        if port not in clients:
            clients[port] = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv5)
            clients[port].connect("127.0.0.1", port)
            clients[port].loop_start()
        for topic, payload in zip(pairs[::2], pairs[1::2], strict=True):
            sent = clients[port].publish(str(topic), payload, qos, retain)
            sent.wait_for_publish(10)
            assert sent.is_published()

    yield send
    for client in clients.values():
        client.disconnect()
        client.loop_stop()


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an authority ``ca``, an ``other``, and keys that ``ca`` signed."""
    folder = tmp_path_factory.mktemp("certificates")
    authority = _signed(folder, "ca", None)
    _signed(folder, "other", None)
    _signed(folder, "here", authority)
    _signed(folder, "us", authority)
    return folder


def _signed(folder: Path, name: str, authority: Any) -> Any:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    issuer, signing = authority or (subject, key)
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=authority is None, path_length=None), True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), False
        )
        .sign(signing, hashes.SHA256())
    )
    (folder / f"{name}.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    plain = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / f"{name}.key").write_bytes(plain)
    return subject, key
