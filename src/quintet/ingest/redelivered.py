"""Knows a message again that the broker sends a second time, so that it keeps its first moment of receipt.

A reading that states no time is taken at the moment of receipt: sent again after a broken connection it would become
another reading. The broker marks what it sends again; here the messages are kept that it may not know to be taken.
"""

from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

from .mqtt_client import Message
from .mqtt_limits import AgainLimits


class _Stretch(NamedTuple):
    at_s: float
    cost: int
    messages: list[Message]


class Redelivered:
    """First moments of receipt by topic and payload, for the time until the broker has sent everything again."""

    def __init__(self, limits: AgainLimits, message_bytes: int) -> None:
        """Remember acknowledged messages within limits; each costs `message_bytes` beside its payload."""
        self._remembered_s = limits.remembered_s
        self._most = limits.remembered_bytes
        self._message_bytes = message_bytes
        self._acknowledged: deque[_Stretch] = deque()
        self._cost = 0
        self._known: dict[tuple[str, bytes], list[int]] = {}

    def acknowledged(self, messages: list[Message], now_s: float) -> None:
        """Note messages whose PUBACK was written: the broker may not have read it when the connection breaks."""
        cost = sum(len(message.payload) + self._message_bytes for message in messages)
        self._acknowledged.append(_Stretch(now_s, cost, messages))
        self._cost += cost
        while self._acknowledged and (
            self._cost > self._most or self._acknowledged[0].at_s < now_s - self._remembered_s
        ):
            self._cost -= self._acknowledged.popleft().cost

    def lost(self, held: Iterable[Message]) -> None:
        """Note that a connection broke while these messages were not acknowledged: all of it may come again."""
        self._known.clear()
        for stretch in self._acknowledged:
            self._note(stretch.messages)
        self._note(held)

    def first_us(self, topic: str, payload: bytes) -> int | None:
        """Give when a message that came again came first; None for one that is not known."""
        moments = self._known.get((topic, payload))
        if not moments:
            return None
        first = moments.pop(0)
        if not moments:
            del self._known[topic, payload]
        return first

    def _note(self, messages: Iterable[Message]) -> None:
        for message in messages:
            if message.mid:
                self._known.setdefault((message.topic, message.payload), []).append(message.received_us)
