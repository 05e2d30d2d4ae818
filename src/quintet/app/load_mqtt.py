"""Plays messages to an MQTT broker at QoS 1: what was not acknowledged when a line broke is sent again.

The library does not say which message a PUBACK is for; the store that it keeps of unacknowledged ones does. With
receipts the broker's PUBACK counts for nothing: a message is kept until its receipt from Quintet is there.
"""

import asyncio
import time
from collections import deque
from typing import Any
from urllib.parse import urlsplit

from gmqtt import Client

from .load_acks import Acks
from .load_http import Next
from .load_limits import LIMITS
from .load_plan import LoadConfig, Message, Tally
from .load_receipts import Receipts


class Unacknowledged:
    """What was published and not yet acknowledged, by packet number; what a new session forgot goes to `again`.

    Its methods are those that the MQTT library calls on its store.
    """

    def __init__(self, acks: Acks, tally: Tally, receipts: Receipts | None = None) -> None:
        """Begin with nothing under way; `receipts` counts what is acknowledged in place of the broker."""
        self._acks, self._tally, self._receipts = acks, tally, receipts
        self._packages: dict[int, bytes] = {}
        self._sent: dict[int, tuple[Message, float]] = {}
        self.again: deque[Message] = deque()
        self.sending: Message | None = None

    @property
    def under_way(self) -> int:
        """Count what is not acknowledged: no `__len__`, or the library would take an empty store for none."""
        return len(self._sent)

    def push_message(self, mid: int, raw_package: bytes) -> None:
        """Take in the message that is being published."""
        self._packages[mid] = raw_package
        if self.sending is not None:
            self._sent[mid] = (self.sending, time.monotonic())

    def remove_message_by_mid(self, mid: int) -> None:
        """Count an acknowledgement."""
        self._packages.pop(mid, None)
        known = self._sent.pop(mid, None)
        if known is None or self._receipts is not None:
            return
        message, began = known
        tally = self._tally
        tally.latency_s.append(time.monotonic() - began)
        tally.acked += 1
        tally.acked_readings += len(message.parcel)
        self._acks.add(message.parcel, 0)

    @property
    def is_empty(self) -> bool:
        """Whether all is acknowledged."""
        return not self._packages

    async def wait_empty(self) -> None:
        """Wait until all is acknowledged."""
        while self._packages:
            await asyncio.sleep(LIMITS.look_ms / 1000)

    def get_all(self) -> list[tuple[int, bytes]]:
        """Give what is unacknowledged, in the order sent."""
        return list(self._packages.items())

    def clear(self) -> None:
        """Send all again: the broker knows nothing of the session."""
        self._packages.clear()
        if self._receipts is not None:
            self._sent.clear()
            self._receipts.all_again()
            return
        self.again.extend(message for message, _ in self._sent.values())
        self._tally.retried += len(self._sent)
        self._sent.clear()


async def play(config: LoadConfig, following: Next, acks: Acks, tally: Tally) -> None:
    """Play until there is no next message, then wait for what is under way within the patience."""
    lines = [_Line(config, number, acks, tally) for number in range(config.clients)]
    await asyncio.gather(*(line.play(following) for line in lines))


class _Line:
    def __init__(self, config: LoadConfig, number: int, acks: Acks, tally: Tally) -> None:
        self._config, self._tally = config, tally
        name = f"quintet-load-{time.time_ns():x}-{config.share[0]}-{number}"
        self._receipts = Receipts(name, acks, tally, config.receipt_s) if config.receipt_s else None
        self._store = Unacknowledged(acks, tally, self._receipts)
        self._client: Any = Client(
            name,
            clean_session=False,
            session_expiry_interval=LIMITS.session_s,
            persistent_storage=self._store,
        )
        self._client.set_config({"reconnect_retries": -1, "reconnect_delay": 1})
        if config.user:
            self._client.set_auth_credentials(config.user, config.password)

        if self._receipts is not None:
            self._client.on_connect = self._ask_for_receipts
            self._client.on_message = self._receipts.take

    def _ask_for_receipts(self, *_: Any) -> None:
        if self._receipts is not None:
            self._client.subscribe(self._receipts.filter, qos=1)

    async def play(self, following: Next) -> None:
        parts = urlsplit(self._config.to)
        await self._client.connect(
            parts.hostname or "127.0.0.1", parts.port or (8883 if parts.scheme == "mqtts" else 1883),
            ssl=parts.scheme == "mqtts",
        )  # fmt: skip
        while (message := await following()) is not None:
            self._tally.sent += 1
            self._tally.sent_readings += len(message.parcel)
            await self._room(LIMITS.under_way)
            self._publish(message)
        deadline = time.monotonic() + self._config.patience_s
        while self._open and time.monotonic() < deadline:
            await self._room(LIMITS.under_way)
            await asyncio.sleep(0.01)
        self._tally.given_up += self._open
        await asyncio.wait_for(self._client.disconnect(), LIMITS.close_s)

    @property
    def _open(self) -> int:
        """Count the messages that are not acknowledged by whoever counts."""
        if self._receipts is not None:
            return self._receipts.open
        return self._store.under_way + len(self._store.again)

    async def _room(self, most: int) -> None:
        """Wait until the line stands and has room; send again what a new session forgot."""
        while True:
            while self._store.again and self._client.is_connected:
                self._publish(self._store.again.popleft())
            if self._receipts is not None and self._client.is_connected:
                for number in self._receipts.overdue():
                    self._publish_asking(self._receipts, number)
            under_way = max(self._store.under_way, 0 if self._receipts is None else self._receipts.open)
            if under_way < most and self._client.is_connected:
                return
            await asyncio.sleep(LIMITS.look_ms / 1000)

    def _publish(self, message: Message) -> None:
        if self._receipts is not None:
            self._publish_asking(self._receipts, self._receipts.add(message))
            return
        self._store.sending = message
        self._client.publish(message.topic, message.payload, qos=1)
        self._store.sending = None

    def _publish_asking(self, receipts: Receipts, number: int) -> None:
        """Publish a message with the place where its receipt goes, and the number that it is known by."""
        message = receipts.sent(number)
        self._store.sending = message
        self._client.publish(
            message.topic,
            message.payload,
            qos=1,
            response_topic=receipts.topic_for(message.topic),
            correlation_data=number.to_bytes(8, "big"),
        )
        self._store.sending = None
