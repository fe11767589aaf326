"""Readings from a broker, in blocks that the sensor plugin observes."""

import hashlib
import json
import math
import socket
import threading
import time
from collections.abc import Generator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

from agentctx.contracts import Arrival, Services
from agentctx.errors import ConfigError, SourceInvalid
from agentctx_mqtt.connection import MOST_UNACKNOWLEDGED, Broker, Connection, Message
from agentctx_mqtt.payload import Reading, readings

_LOOK_SECONDS = 0.2
_DAY = 86_400.0


class Mqtt:
    """Sensor readings from an MQTT 5 broker.

    A message is a number, or a JSON object of numbers. Its topic (and key) is the channel. What
    comes within BLOCK seconds is one log, whose windows and events are told in plain words and
    whose readings stay exact. A message is acknowledged when it is in the memory, not before.
    """

    def __init__(
        self,
        services: Services,
        *,
        broker: Annotated[str, "Its host."] = "localhost",
        port: Annotated[int | None, "Its port; 1883, and 8883 with TLS, if not given."] = None,
        topic: Annotated[tuple[str, ...], "What to watch, with + and #; once or more."] = ("#",),
        block: Annotated[float, "Seconds of readings that make a log."] = 60.0,
        keep: Annotated[float, "Seconds that the broker keeps messages for us."] = _DAY,
        client_id: Annotated[str | None, "Ours; by machine and topics, if not given."] = None,
        username: Annotated[str | None, "Who we are."] = None,
        password: Annotated[str | None, "Seen by other users; better: --password-file."] = None,
        password_file: Annotated[Path | None, "A file whose first line is the password."] = None,
        tls: Annotated[bool, "Speak TLS; --ca does so too."] = False,
        ca: Annotated[Path | None, "Certificates (PEM) of who signs the broker's."] = None,
        client_certificate: Annotated[Path | None, "Our certificate (PEM)."] = None,
        client_key: Annotated[Path | None, "Its key (PEM)."] = None,
    ) -> None:
        del services
        if not 0 < block <= _DAY:
            raise ConfigError(f"block is {block} s; it must be more than 0 s and at most a day")
        if not 0 <= keep < 2**32:
            raise ConfigError(f"keep is {keep} s; it cannot be negative, nor over 136 years")
        if not topic:
            raise ConfigError("topic is empty; name at least one, such as 'plant/#'")
        if password is not None and password_file is not None:
            raise ConfigError("give the password, or a file with it, not both")
        secure = tls or ca is not None
        self._block = block
        self._password_file = password_file
        self._password = password
        self._broker = Broker(
            host=broker,
            port=port or (8883 if secure else 1883),
            topics=tuple(topic),
            client_id=client_id or _own_id(broker, topic),
            keep=math.ceil(keep),
            username=username,
            tls=secure,
            ca=ca,
            certificate=client_certificate,
            key=client_key,
        )

    def watch(self, stop: threading.Event) -> Generator[Arrival, None, None]:
        """Blocks of readings, and messages that are none. Raises SourceUnreadable, ConfigError."""
        connection = Connection(self._with_password())
        with TemporaryDirectory(prefix="agentctx-mqtt-") as folder, closing(connection):
            connection.open()
            block: list[tuple[Message, list[Reading]]] = []
            until = 0.0
            while True:
                message = None if stop.is_set() else connection.next(_LOOK_SECONDS)
                now = message.arrived.timestamp() if message else time.time()
                full = len(block) >= MOST_UNACKNOWLEDGED // 2
                if block and (stop.is_set() or full or now >= until):
                    # After a connection was lost, some of it may come again.
                    if kept := [one for one in block if connection.holds(one[0])]:
                        yield self._arrival(Path(folder), connection, kept)
                    block = []
                if stop.is_set():
                    return
                if message is None:
                    continue
                if not block:
                    until = (now // self._block + 1) * self._block
                try:
                    block.append((message, self._read(message)))
                except SourceInvalid as error:
                    told = partial(connection.done, [message])
                    yield Arrival(item=error, source=self._broker.name, done=told)

    def _with_password(self) -> Broker:
        from dataclasses import replace

        password = self._password
        if self._password_file is not None:
            try:
                lines = Path(self._password_file).read_text("utf-8").splitlines()
            except (OSError, UnicodeDecodeError) as error:
                raise ConfigError(
                    f"{self._password_file} cannot be read: {error}; check --password-file"
                ) from error
            password = lines[0] if lines else ""
        return replace(self._broker, password=password)

    def _read(self, message: Message) -> list[Reading]:
        name = self._broker.name
        try:
            topic = message.sent.topic
        except UnicodeDecodeError as error:
            raise SourceInvalid(name, "a topic is not UTF-8; publish under another") from error
        return readings(name, topic, bytes(message.sent.payload), message.arrived)

    def _arrival(
        self,
        folder: Path,
        connection: Connection,
        block: Sequence[tuple[Message, Sequence[Reading]]],
    ) -> Arrival:
        path = folder / "block.jsonl"
        rows = [_row(reading) for _, found in block for reading in found]
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
        done = partial(connection.done, [message for message, _ in block])
        return Arrival(item=path, source=self._broker.name, done=done)


def _row(reading: Reading) -> dict[str, object]:
    """A row of a long table, as the sensor plugin reads it."""
    # A topic that is a number alone would not be seen as the name of a channel.
    plain = reading.channel.replace(".", "", 1).strip("+-").isdigit()
    return {
        "time": reading.time.isoformat(timespec="microseconds"),
        "channel": f"topic {reading.channel}" if plain else reading.channel,
        "value": reading.value,
        **({"unit": reading.unit} if reading.unit else {}),
    }


def _own_id(broker: str, topics: Sequence[str]) -> str:
    """The same each time, so that the broker knows what it kept; another on other machines."""
    told = "\n".join([socket.gethostname(), broker, *topics]).encode()
    return f"agentctx-{hashlib.sha256(told).hexdigest()[:14]}"
