"""Receipts as a load generator takes them: what has none after a while is sent again, whatever the broker said."""

import time
from collections import deque
from collections.abc import Iterator
from typing import Any

import msgspec

from quintet.ingest.mqtt_receipts import RECEIPTS, sender_of

from .load_acks import Acks
from .load_plan import Message, Tally

SUCCESS = 0
"""What a message handler answers for a message that was taken (MQTT 5, 3.4.2.1)."""


class Said(msgspec.Struct):
    """What became of a message; `problems` name refused rows."""

    accepted: int
    duplicate: int
    quarantined: int
    problems: list[dict[str, Any]] = []


_SAID = msgspec.json.Decoder(Said)


class Receipts:
    """The messages of one line that have no receipt yet, by number."""

    def __init__(self, name: str, acks: Acks, tally: Tally, patience_s: float) -> None:
        """Take receipts for a client's name; each message waits `patience_s` for its own."""
        self._name, self._acks, self._tally, self._patience_s = name, acks, tally, patience_s
        self._open: dict[int, tuple[Message, float]] = {}
        self._due: deque[tuple[float, int]] = deque()
        self._next = 0
        self.filter = f"{RECEIPTS}+/{name}"

    @property
    def open(self) -> int:
        """Count the messages without a receipt."""
        return len(self._open)

    def topic_for(self, topic: str) -> str:
        """Give where the receipt of a message goes."""
        return f"{RECEIPTS}{sender_of(topic)}/{self._name}"

    def add(self, message: Message) -> int:
        """Take in a new message; give its number."""
        self._next += 1
        self._open[self._next] = (message, time.monotonic())
        return self._next

    def sent(self, number: int) -> Message:
        """Note that a message goes out; give it."""
        self._due.append((time.monotonic() + self._patience_s, number))
        return self._open[number][0]

    def overdue(self) -> Iterator[int]:
        """Give the messages that are to be sent again now."""
        now = time.monotonic()
        while self._due and self._due[0][0] <= now:
            _, number = self._due.popleft()
            if number in self._open:
                self._tally.retried += 1
                yield number

    def all_again(self) -> None:
        """Make everything without a receipt due: the broker knows nothing of what it was sent."""
        self._due = deque((0.0, number) for number in self._open)

    def take(self, _client: Any, _topic: str, payload: bytes, _qos: int, properties: dict[str, Any]) -> int:
        """Take a receipt; one that is known already, or not ours, is passed over."""
        found = properties.get("correlation_data") or [b""]
        number = int.from_bytes(bytes(found[0]), "big")
        known = self._open.pop(number, None)
        if known is None:
            return SUCCESS
        message, began = known
        said = _SAID.decode(payload)
        tally, parcel = self._tally, message.parcel
        tally.latency_s.append(time.monotonic() - began)
        tally.accepted += said.accepted
        tally.duplicate += said.duplicate
        if said.quarantined:
            tally.rejected += said.quarantined
            if len(said.problems) < said.quarantined:
                return SUCCESS  # the list is cut: which of them were taken is not known
            parcel = parcel.without([int(row["row"]) - 1 for row in said.problems])
        tally.acked += 1
        tally.acked_readings += len(parcel)
        self._acks.add(parcel, 0)
        return SUCCESS
