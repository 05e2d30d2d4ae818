"""Messages become parcels for the owner: decoded by sender, each message that wants a receipt by itself."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import pyarrow as pa

from quintet.terms.tables import READINGS

from .frames import Part, packed, unpacked
from .mqtt_client import Message
from .mqtt_receipts import sender_of

ACTOR = "mqtt"
UNTAKEABLE = "untakeable"
CLOCK = "sent_at"
WHOLE, EACH, ALONE = range(3)
"""How messages are decoded: as one delivery; together, each with a receipt; one by one, each with a receipt."""


class Decoded(Protocol):
    """What messages say: READINGS or CODED_READINGS, QUARANTINE, and the (field, kind) pairs that were seen."""

    @property
    def readings(self) -> pa.Table: ...  # noqa: D102
    @property
    def refused(self) -> pa.Table: ...  # noqa: D102
    @property
    def shapes(self) -> frozenset[tuple[str, str]]: ...  # noqa: D102


Decode = Callable[[str, list[tuple[str, bytes, int]]], Decoded | None]
"""Decodes (topic, payload, moment of receipt in us) of one source; None when it fails on them as a whole."""
SetAside = Callable[[str, tuple[str, bytes, int], str, str], pa.Table]
"""Gives the QUARANTINE row of one message: source, (topic, payload, moment of receipt), code, reason."""


@dataclass(frozen=True, slots=True)
class Payloads:
    """What knows the payloads.

    `single` says of a topic whether a message of it that is not empty holds one reading or is refused as a whole;
    `original` gives what stands in quarantine as the original of a message that was refused as a whole.
    """

    decode: Decode
    set_aside: SetAside
    single: Callable[[str], bool]
    original: Callable[[str, bytes, int], str]


@dataclass(slots=True)
class Held:
    """Messages on their way to the owner: decoded, sent, not yet settled.

    `wanting` gives the message of each part that is to have a receipt; `since_s` is when they were decoded.
    """

    id: int
    messages: list[Message]
    readings: bytes
    refused: bytes
    parts: list[Part]
    wanting: dict[int, Message]
    rows: int
    poison: int
    since_s: float
    clock: bool
    tries: int = 0


@dataclass(slots=True)
class _Cut:
    """Tables of several parts, one behind the other."""

    messages: list[Message] = field(default_factory=list[Message])
    readings: list[pa.Table] = field(default_factory=list[pa.Table])
    refused: list[pa.Table] = field(default_factory=list[pa.Table])
    parts: list[Part] = field(default_factory=list[Part])
    wanting: dict[int, Message] = field(default_factory=dict[int, Message])

    def add(self, source: str, messages: list[Message], decoded: Decoded, wanting: Message | None = None) -> None:
        self.messages += messages
        self.readings.append(decoded.readings)
        self.refused.append(decoded.refused)
        if wanting is not None:
            self.wanting[len(self.parts)] = wanting
        rows = decoded.readings.num_rows, decoded.refused.num_rows
        self.parts.append(Part(source, *rows, sorted(decoded.shapes), wanting is not None))

    def add_each(self, source: str, messages: list[Message], decoded: Decoded, bad: list[int | None]) -> None:
        """Add messages that are one row each, every one as a part; `bad` gives the row of those that were refused.

        The shapes stand with the first.
        """
        self.messages += messages
        self.readings.append(decoded.readings)
        self.refused.append(decoded.refused.take(pa.array([row for row in bad if row is not None], pa.int64())))
        shapes = sorted(decoded.shapes)
        for message, row in zip(messages, bad, strict=True):
            self.wanting[len(self.parts)] = message
            self.parts.append(Part(source, int(row is None), int(row is not None), shapes, True))
            shapes = []


@dataclass(frozen=True, slots=True)
class _Untakeable:
    readings: pa.Table
    refused: pa.Table
    shapes: frozenset[tuple[str, str]] = frozenset()


@dataclass(slots=True)
class _Run:
    """Messages of one sender, in the order they came, that are treated in one way."""

    source: str
    way: int
    messages: list[Message] = field(default_factory=list[Message])


class Packer:
    """Makes parcels, numbered from 1."""

    def __init__(self, payloads: Payloads, most_senders: int) -> None:
        """Use what knows the payloads; remember the senders of so many topics."""
        self._payloads = payloads
        self._ways = {WHOLE: self._whole, EACH: self._each, ALONE: self._alone}
        self._number = 0
        self._most_senders = most_senders
        self._senders: dict[str, str] = {}

    def pack(self, messages: list[Message], now_s: float, *, fresh: bool) -> Held | None:
        """Give messages as a parcel; None when the decoder failed on some of them.

        Unless they are `fresh`, what devices say of their own clocks is left out: it can no longer be compared.
        """
        cut = _Cut()
        for run in self._runs(messages):
            if not self._ways[run.way](cut, run.source, run.messages):
                return None
        return self._held(cut, now_s, fresh)

    def aside(self, message: Message, reason: str, now_s: float) -> Held:
        """Give one message that nothing can be done with as a parcel of one quarantined row."""
        source = self._source(message.topic)
        row = self._payloads.set_aside(source, message[:3], UNTAKEABLE, reason)
        cut = _Cut()
        wanting = message if message.reply is not None else None
        cut.add(source, [message], _Untakeable(READINGS.empty_table(), row), wanting)
        return self._held(cut, now_s, True)

    def _runs(self, messages: list[Message]) -> list[_Run]:
        """Gather messages by sender; one that must be treated in another way begins anew: a sender's order counts."""
        runs: list[_Run] = []
        newest: dict[str, _Run] = {}
        single = self._payloads.single
        for message in messages:
            source = self._source(message.topic)
            way = WHOLE if message.reply is None else EACH if message.payload and single(message.topic) else ALONE
            run = newest.get(source)
            if run is None or run.way != way:
                run = newest[source] = _Run(source, way)
                runs.append(run)
            run.messages.append(message)
        return runs

    def _source(self, topic: str) -> str:
        try:
            return self._senders[topic]
        except KeyError:
            if len(self._senders) >= self._most_senders:
                self._senders.clear()
            found = self._senders[topic] = f"{ACTOR}:{sender_of(topic)}"
            return found

    def _whole(self, cut: _Cut, source: str, messages: list[Message]) -> bool:
        decoded = self._payloads.decode(source, [message[:3] for message in messages])
        if decoded is not None:
            cut.add(source, messages, decoded)
        return decoded is not None

    def _each(self, cut: _Cut, source: str, messages: list[Message]) -> bool:
        """Add single readings that want a receipt each: they are decoded together, which is much faster."""
        decoded = self._payloads.decode(source, [message[:3] for message in messages])
        if decoded is None:
            return False
        bad = self._refused_rows(messages, decoded)
        if bad.count(None) == decoded.readings.num_rows and len(bad) - bad.count(None) == decoded.refused.num_rows:
            cut.add_each(source, messages, decoded, bad)
            return True
        return self._alone(cut, source, messages)

    def _alone(self, cut: _Cut, source: str, messages: list[Message]) -> bool:
        """Add messages that want a receipt each, decoded one by one."""
        for message in messages:
            decoded = self._payloads.decode(source, [message[:3]])
            if decoded is None:
                return False
            cut.add(source, [message], decoded, message)
        return True

    def _refused_rows(self, messages: list[Message], decoded: Decoded) -> list[int | None]:
        """Give the row of each message among the refused, None for those that are not: found by their originals."""
        if not decoded.refused.num_rows:
            return [None] * len(messages)
        where: dict[str, list[int]] = {}
        for row, original in enumerate(decoded.refused["original"].to_pylist()):
            where.setdefault(original, []).append(row)
        found = (where.get(self._payloads.original(*message[:3])) for message in messages)
        return [rows.pop(0) if rows else None for rows in found]

    def _held(self, cut: _Cut, now_s: float, fresh: bool) -> Held:
        self._number += 1
        readings = pa.concat_tables(cut.readings, promote_options="default")
        clock = CLOCK in readings.column_names
        if clock and not fresh:
            readings, clock = readings.drop_columns([CLOCK]), False
        refused = pa.concat_tables(cut.refused) if cut.refused else None
        return Held(
            self._number,
            cut.messages,
            packed(readings),
            packed(refused) if refused is not None and refused.num_rows else b"",
            cut.parts,
            cut.wanting,
            readings.num_rows,
            0 if refused is None else refused.num_rows,
            now_s,
            clock,
        )


def without_clock(held: Held) -> None:
    """Leave out of a parcel what devices said of their clocks: it waited too long to be compared."""
    held.readings, held.clock = packed(unpacked(held.readings).drop_columns([CLOCK])), False
