"""The connection to a broker: what comes, once, and acknowledged only when it is stored.

A message of QoS 1 stays with the broker until it is acknowledged. After a connection was lost the
broker sends again what was not; then, what is still held here of the old connection is let go of,
and what was stored but could not be acknowledged any more is acknowledged and not given again.
"""

import logging
import queue
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentctx.errors import ConfigError, SourceUnreadable

if TYPE_CHECKING:
    from paho.mqtt.client import Client, MQTTMessage

_log = logging.getLogger("agentctx_mqtt")
_ANSWER_SECONDS = 10.0
_KEEPALIVE_SECONDS = 30
_LONGEST_WAIT_SECONDS = 60
# Sent by the broker before it waits for acknowledgements; a block must not need more.
MOST_UNACKNOWLEDGED = 10_000
_NO_RETAINED = 2


@dataclass(frozen=True, slots=True)
class Broker:
    """Where a broker is, what is wanted of it, and as whom.

    ``keep``: for how many seconds it shall keep what comes while nobody is connected. TLS is by
    the authorities in ``ca``, or those of the system.
    """

    host: str
    port: int
    topics: tuple[str, ...]
    client_id: str
    keep: int
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: bool = False
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    @property
    def name(self) -> str:
        """How it is called in the memory: ``mqtt://localhost:1883/plant/#``."""
        scheme = "mqtts" if self.tls else "mqtt"
        return f"{scheme}://{self.host}:{self.port}/{' '.join(self.topics)}"


@dataclass(frozen=True, slots=True, eq=False)
class Message:
    """A message as it came, and by which connection of this process."""

    sent: "MQTTMessage"
    connection: int
    arrived: datetime


class Connection:
    """An open connection, that comes back by itself when it is lost."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._messages: queue.Queue[Message] = queue.Queue()
        self._lock = threading.Lock()
        self._number = 0  # of this connection
        self._since = 0  # the first with the broker's present session
        self._stored: dict[int, tuple[str, bytes]] = {}  # and not acknowledged, by message id
        self._ready = threading.Event()
        self._refusal = ""
        self._closing = False
        self._client = self._made()

    def _made(self) -> "Client":
        from paho.mqtt import client as paho
        from paho.mqtt.enums import CallbackAPIVersion

        broker = self._broker
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=broker.client_id,
            protocol=paho.MQTTv5,
            manual_ack=True,
        )
        if broker.username is not None:
            client.username_pw_set(broker.username, broker.password)
        if broker.tls:
            try:
                client.tls_set(_text(broker.ca), _text(broker.certificate), _text(broker.key))
            except (OSError, ValueError) as error:  # SSLError is an OSError
                raise ConfigError(
                    f"the certificates for {broker.name} cannot be used: {error}; check --ca, "
                    "--client-certificate and --client-key"
                ) from error
        client.reconnect_delay_set(1, _LONGEST_WAIT_SECONDS)
        client.on_connect = self._connected
        client.on_subscribe = self._subscribed
        client.on_disconnect = self._lost
        client.on_message = self._came
        return client

    def open(self) -> None:
        """Connect and subscribe; raises SourceUnreadable when that does not succeed."""
        from paho.mqtt.packettypes import PacketTypes
        from paho.mqtt.properties import Properties

        wanted = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        wanted.SessionExpiryInterval = self._broker.keep
        wanted.ReceiveMaximum = MOST_UNACKNOWLEDGED
        try:
            self._client.connect(
                self._broker.host,
                self._broker.port,
                _KEEPALIVE_SECONDS,
                clean_start=False,
                properties=wanted,
            )
        except (OSError, ValueError) as error:
            raise self._unreadable(f"cannot connect: {error}; check host, port and TLS") from error
        self._client.loop_start()
        if not self._ready.wait(_ANSWER_SECONDS):
            raise self._unreadable(f"it did not answer within {_ANSWER_SECONDS:g} s")
        self._check()

    def close(self) -> None:
        """Send what is to be sent, and disconnect; the broker keeps the session."""
        self._closing = True
        self._client.disconnect()
        self._client.loop_stop()

    def next(self, seconds: float) -> Message | None:
        """The next message, None when there is none for so long.

        Raises SourceUnreadable when the broker refuses this client.
        """
        self._check()
        try:
            message = self._messages.get(timeout=seconds)
        except queue.Empty:
            return None
        if not self.holds(message):
            return None
        sent = message.sent
        stored = self._stored.pop(sent.mid, None) if sent.qos else None
        if sent.dup and stored == (sent.topic, sent.payload):
            self.done([message])
            return None
        return message

    def holds(self, message: Message) -> bool:
        """Whether a message is to be stored: not when the broker sends it again."""
        again = self._since <= message.connection < self._number
        return not (message.sent.qos and again)

    def done(self, messages: Sequence[Message]) -> None:
        """Acknowledge messages that are stored."""
        with self._lock:
            for message in messages:
                sent = message.sent
                if message.connection == self._number:
                    self._client.ack(sent.mid, sent.qos)
                elif sent.qos and message.connection >= self._since:
                    self._stored[sent.mid] = (sent.topic, bytes(sent.payload))

    # -- called by the thread of the client -------------------------------------------------------

    def _connected(self, client: "Client", _: Any, flags: Any, reason: Any, __: Any) -> None:  # noqa: ANN401
        from paho.mqtt.subscribeoptions import SubscribeOptions

        if reason.is_failure:
            self._refused(f"it refuses the connection: {reason}; check user, password and TLS")
            return
        with self._lock:
            self._number += 1
            if not flags.session_present:
                self._since = self._number
                self._stored.clear()
        options = SubscribeOptions(qos=1, retainHandling=_NO_RETAINED)
        client.subscribe([(topic, options) for topic in self._broker.topics])

    def _subscribed(self, _: Any, __: Any, ___: int, reasons: Any, ____: Any) -> None:  # noqa: ANN401
        refused = [
            f"{topic} ({reason})"
            for topic, reason in zip(self._broker.topics, reasons, strict=True)
            if reason.is_failure
        ]
        if refused:
            self._refused(f"it does not allow to watch {', '.join(refused)}")
        self._ready.set()

    def _lost(self, _: Any, __: Any, ___: Any, reason: Any, ____: Any) -> None:  # noqa: ANN401
        if self._closing or self._refusal:
            return
        if not self._ready.is_set():
            self._refused("it closes the connection; check its port and our certificate")
            return
        _log.warning("the connection to %s is lost (%s); trying again", self._broker.name, reason)

    def _came(self, _: Any, __: Any, message: "MQTTMessage") -> None:  # noqa: ANN401
        self._messages.put(Message(message, self._number, datetime.now(UTC)))

    def _refused(self, reason: str) -> None:
        self._refusal = reason
        self._ready.set()
        self._client.disconnect()

    # -- errors -----------------------------------------------------------------------------------

    def _check(self) -> None:
        if self._refusal:
            raise self._unreadable(self._refusal)

    def _unreadable(self, reason: str) -> SourceUnreadable:
        return SourceUnreadable(self._broker.name, reason)


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
