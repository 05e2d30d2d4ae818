"""Receipts: what became of a message is published to the topic that its sender named, once it is durable.

MQTT acknowledges hop by hop: the PUBACK that a sender gets is its broker's. A receipt is Quintet's own word. It goes
only below quintet/receipts/ and there only under the name of the sender, as the message's topic says it, so that nobody
can make a door write elsewhere, or to somebody else.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

import msgspec

from .frames import PartDone
from .mqtt_limits import ReceiptLimits
from .mqtt_packets import Reply, write_publish

RECEIPTS = "quintet/receipts/"
OWN_TOPICS = ("quintet", "v1")
FIRST_MID, LAST_MID = 1000, 65535
"""Packet ids below are the library's, for its subscriptions."""
REFUSED = 0x80
_JSON = msgspec.json.Encoder()


class Outgoing(NamedTuple):
    """A message that the door publishes."""

    topic: str
    payload: bytes
    correlation: bytes = b""


class Line(Protocol):
    """What is needed of a connection to the broker."""

    @property
    def most_under_way(self) -> int:
        """Messages that the broker takes before it has acknowledged any."""
        ...

    def write(self, packets: bytes) -> bool:
        """Write packets; False when the connection is over."""
        ...


def sender_of(topic: str) -> str:
    """Name who sent a message: the site where our own topics say it, else the topic's first level."""
    first, *more = topic.split("/", 3)
    return more[1] if len(more) > 1 and (first, more[0]) == OWN_TOPICS and more[1] else first


def allowed(reply: Reply, topic: str, most_bytes: int) -> bool:
    """Say whether a message from `topic` may be answered as it asks."""
    return (
        reply.topic.startswith(f"{RECEIPTS}{sender_of(topic)}/")
        and not {"+", "#", "\x00"} & set(reply.topic)
        and len(reply.topic.encode()) <= most_bytes
        and len(reply.correlation) <= most_bytes
    )


def receipt(reply: Reply, done: PartDone) -> Outgoing:
    """Write the receipt of one message."""
    said: dict[str, object] = {
        "accepted": done.accepted,
        "duplicate": done.duplicate,
        "quarantined": done.quarantined,
    }
    if done.problems:
        said["problems"] = [{"row": row, "code": code, "reason": why} for row, code, why in done.problems]
    return Outgoing(reply.topic, _JSON.encode(said), reply.correlation)


class Outbox:
    """What is to be published, kept until the broker has acknowledged it; the oldest is dropped above the bound."""

    def __init__(self, limits: ReceiptLimits) -> None:
        """Begin empty."""
        self._limits = limits
        self._waiting: deque[Outgoing] = deque()
        self._under_way: dict[int, Outgoing] = {}
        self._mid = FIRST_MID
        self.published = self.dropped = 0

    def __len__(self) -> int:
        """Count what the broker has not acknowledged."""
        return len(self._waiting) + len(self._under_way)

    def put(self, messages: Iterable[Outgoing]) -> None:
        """Take messages in; `flush` sends them."""
        self._waiting.extend(messages)
        while len(self._waiting) > self._limits.most_waiting:
            self._waiting.popleft()
            self.dropped += 1

    def flush(self, line: Line) -> None:
        """Send as much as the broker takes at once."""
        room = min(line.most_under_way, LAST_MID - FIRST_MID) - len(self._under_way)
        packets: list[bytes] = []
        sent: dict[int, Outgoing] = {}
        while self._waiting and len(sent) < room:
            mid = self._free_mid(sent)
            one = sent[mid] = self._waiting.popleft()
            packets.append(
                write_publish(one.topic, one.payload, mid, correlation=one.correlation, expiry_s=self._limits.expiry_s)
            )
        if sent and not line.write(b"".join(packets)):
            self._waiting.extendleft(reversed(sent.values()))
        else:
            self._under_way |= sent

    def acknowledged(self, mid: int, code: int) -> None:
        """Note the broker's answer: taken, or refused, which asking again does not change."""
        if self._under_way.pop(mid, None) is not None:
            if code < REFUSED:
                self.published += 1
            else:
                self.dropped += 1

    def lost(self) -> None:
        """Note that the connection is over: what it did not acknowledge goes over the next one."""
        unanswered: Sequence[Outgoing] = list(self._under_way.values())
        self._under_way.clear()
        self._waiting.extendleft(reversed(unanswered))

    def _free_mid(self, sent: dict[int, Outgoing]) -> int:
        while self._mid in self._under_way or self._mid in sent:
            self._step()
        mid = self._mid
        self._step()
        return mid

    def _step(self) -> None:
        self._mid = self._mid + 1 if self._mid < LAST_MID else FIRST_MID
