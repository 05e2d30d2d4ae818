"""The seam over gmqtt: an MQTT 5 connection that hands messages over at once and acknowledges them later, together.

gmqtt acknowledges a message when its handler ends, which takes a task for each. Here its handler of PUBLISH packets is
replaced: a message is only noted, and `acknowledge` writes the PUBACKs once the messages are durable. A packet id is
worth something on its own connection only, so a Connection is never reused: who connects again makes a new one, and an
acknowledgement for a connection that is gone goes nowhere. Then the broker sends the message again.
"""

import asyncio
import logging
import ssl
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from gmqtt import Client, Subscription
from gmqtt.mqtt.handler import MQTTConnectError

from .mqtt_packets import Reply, pubacks, read_publish

NEVER = -2
"""gmqtt's number of reconnects: 0 still allows one and -1 is for ever."""
PUBLISH, PUBACK = "_handle_publish_packet", "_handle_puback_packet"
MOST_UNDER_WAY = 65_535
REFUSED = 0x80
NO_RETAINED = 2
TAKEN_OVER = 0x8E
_SILENT = logging.getLogger("quintet.mqtt.silent")
_SILENT.disabled = True


class Message(NamedTuple):
    """One message as it came; `mid` is its packet id on `connection`, 0 for QoS 0, which is not acknowledged."""

    topic: str
    payload: bytes
    received_us: int
    mid: int
    connection: "Connection"
    reply: Reply | None = None


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """Where the broker is and who we are to it."""

    host: str
    port: int
    client_id: str
    username: str = ""
    password: str = ""
    tls: ssl.SSLContext | None = None


class Subscriptions(NamedTuple):
    """Topic filters that a session is to have, and those that it must not have any more."""

    wanted: list[str]
    unwanted: list[str]


class BrokerRefused(Exception):
    """The broker does not let us in, or does not let us read; the text says why in words for a person."""


class Connection:
    """One connection to a broker, used once. `lost` is set when it is over, `why` then says what the broker said."""

    def __init__(
        self,
        address: BrokerAddress,
        taken: Callable[[Message, bool], None],
        answered: Callable[[int, int], None],
        *,
        keepalive_s: int,
        session_expiry_s: int,
        receive_maximum: int,
    ) -> None:
        """Prepare a connection; `taken` gets each message and whether the broker says that it sent it before.

        `answered` gets packet id and reason code of each PUBACK for what was written.
        """
        self.address = address
        self.lost = asyncio.Event()
        self.why = ""
        self._taken, self._answered = taken, answered
        self._keepalive_s = keepalive_s
        self._granted: asyncio.Future[list[int]] = asyncio.get_running_loop().create_future()
        self._client: Any = Client(
            address.client_id,
            clean_session=False,
            optimistic_acknowledgement=False,
            logger=_SILENT,
            session_expiry_interval=session_expiry_s,
            receive_maximum=receive_maximum,
        )
        self._client.set_config({"reconnect_retries": NEVER, "reconnect_delay": 0})
        if address.username:
            self._client.set_auth_credentials(address.username, address.password)
        handler = self._client._package_handler
        for name, own in ((PUBLISH, self._take), (PUBACK, self._hear_puback)):
            if not hasattr(handler, name):
                raise RuntimeError(f"this version of gmqtt has no {name}: its seam must be looked at again")
            setattr(handler, name, own)
        self._client.on_disconnect = self._on_disconnect
        self._client.on_subscribe = self._on_subscribe

    async def open(self, topics: Subscriptions, patience_s: float) -> None:
        """Connect, attach to the session that the broker kept, and subscribe with QoS 1.

        Raises BrokerRefused with the reason, OSError or TimeoutError when nobody answers.
        """
        async with asyncio.timeout(patience_s):
            where = self.address
            try:
                connecting = self._client.connect(
                    where.host, where.port, ssl=where.tls or False, keepalive=self._keepalive_s
                )
                await self._unless_lost(connecting)
            except MQTTConnectError as error:
                raise BrokerRefused(_refusal(error, where)) from error
            # retained messages are not sent again at each subscription: they were taken when they were published
            wanted = [Subscription(topic, qos=1, retain_handling_options=NO_RETAINED) for topic in topics.wanted]
            self._client.subscribe(wanted)
            granted = await self._unless_lost(self._granted)
            if topics.unwanted:
                # after the others, so that there is no gap; a session that has none of them does not mind
                self._client.unsubscribe(topics.unwanted)
        for subscription, code in zip(wanted, granted, strict=True):
            if code >= REFUSED:
                raise BrokerRefused(
                    f"it does not let {where.username or 'an anonymous client'} read {subscription.topic} "
                    f"(code {code}): see its list of rights (acl_file)."
                )

    @property
    def most_under_way(self) -> int:
        """Messages that the broker takes before it has acknowledged any (MQTT 5, 3.2.2.3.3)."""
        said = self._client._package_handler._connack_properties.get("receive_maximum")
        return int(said[0]) if said else MOST_UNDER_WAY

    def acknowledge(self, mids: list[int]) -> None:
        """Write the PUBACKs of messages of this connection in one go; nothing when it is over."""
        self.write(pubacks(mids))

    def write(self, packets: bytes) -> bool:
        """Write packets; False when the connection is over."""
        line = self._client._connection
        if line is None or line.is_closing() or self.lost.is_set():
            return False
        line.send_package(packets)
        return True

    def pause(self, paused: bool) -> None:
        """Stop reading from the broker, or go on."""
        line = self._client._connection
        if line is None or line.is_closing():
            return
        if paused:
            line._transport.pause_reading()
        else:
            line._transport.resume_reading()

    async def close(self) -> None:
        """Say goodbye; the broker keeps the session."""
        self.lost.set()
        if self._client._connection is not None:
            await self._client.disconnect()

    async def _unless_lost(self, work: Any) -> Any:
        """Wait for work, but no longer than the connection lives."""
        task, lost = asyncio.ensure_future(work), asyncio.ensure_future(self.lost.wait())
        try:
            await asyncio.wait((task, lost), return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
            raise ConnectionResetError(self.why or "the broker hung up")
        finally:
            lost.cancel()
            if not task.done():
                task.cancel()

    def _on_disconnect(self, _client: Client, packet: bytes, *_: Any) -> None:
        if packet[:1] == bytes([TAKEN_OVER]):
            self.why = "another client came with our client id"
        self.lost.set()

    def _on_subscribe(self, _client: Client, _mid: int, granted: Iterable[int], _properties: Any) -> None:
        if not self._granted.done():
            self._granted.set_result(list(granted))

    def _take(self, cmd: int, raw: bytes) -> None:
        """Note one PUBLISH packet."""
        topic, payload, mid, reply = read_publish(cmd, raw)
        self._taken(Message(topic, payload, time.time_ns() // 1000, mid, self, reply), bool(cmd & 0x08))

    def _hear_puback(self, _cmd: int, raw: bytes) -> None:
        self._answered(raw[0] << 8 | raw[1], raw[2] if len(raw) > 2 else 0)


_BAD_LOGIN = (4, 5, 134, 135)


def _refusal(error: MQTTConnectError, where: BrokerAddress) -> str:
    code = int(error._code)
    if code in _BAD_LOGIN:
        who = f"user {where.username!r}" if where.username else "a client without a name"
        return f"it refuses {who} (code {code}): check username and password_file in [mqtt], and the broker's list."
    return f"it refuses the connection: {error}."
