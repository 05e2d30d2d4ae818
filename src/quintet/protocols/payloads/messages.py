"""MQTT messages, a whole list at once: one table for all of them, each bad one kept as it was received."""

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from quintet.protocols.faults import NUMBER
from quintet.terms.errors import BadInput
from quintet.terms.tables import QUARANTINE

from .arrow_stream import arrow_rows
from .body import JSON, LINES, MSGPACK, READERS, WAYS, Found
from .cells import UNREADABLE, Shape, fields_of, json_cells, shapes_of
from .columnar import append
from .foreign import read_foreign
from .json_rows import Micros
from .mappings import Mappings, Route
from .originals import SOURCE, Arrived, message_of, message_original, source_of, text_of
from .payload import LOOKS, MESSAGE, Limits, Payload, joined, nothing, shipped_limits
from .rows import Rows, number_of, settle
from .unpack import unpack

SIMPLE = re.compile(rb"-?[0-9]{1,15}(?:\.[0-9]{1,15})?")
SIMPLE_LENGTH = 16
REASONS = {
    "unknown_topic": "No format knows this topic. Send to quintet/v1/SITE/METER, or add a format under mappings/.",
    "undecodable": "The payload cannot be read",
}
ARROW_START, GZIP_START, ZSTD_START = b"\xff\xff\xff\xff", b"\x1f\x8b", b"\x28\xb5\x2f\xfd"


class One(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A message of one reading."""

    value: msgspec.Raw
    ts_utc: str | None = None
    ts_us: Micros | None = None
    unit: str | None = None
    commodity: str | None = None
    sent_at: str | None = None
    sent_at_us: Micros | None = None


_ONE = msgspec.json.Decoder(One)


class Gathering:
    """Gathers the readings of many messages, and remembers which message each came from."""

    def __init__(self, mappings: Mappings, limits: Limits, source: str | None) -> None:
        """Read by mappings; `source` names the sender of all messages, None: each topic says it."""
        self.rows = Rows()
        self.shapes: set[Shape] = set()
        self.parts: list[Payload] = []
        self._refused: list[dict[str, Any]] = []
        self._mappings = mappings
        self._limits = limits
        self._source = source
        self._arrived: list[Arrived] = []
        self._whose: list[int] = []
        self._found: dict[int, Found] = {}
        self._several = False
        """Whether a message brought more than one row."""
        self._streams: list[int] = []
        """The message of each of `parts`, by its place among those that arrived."""

    def take(self, message: Arrived) -> None:
        """Take one message."""
        topic, payload, received_us = message
        route = self._mappings.route(topic)
        if route is None:
            self._aside(message, "unknown_topic", REASONS["unknown_topic"])
        elif route.ignored or not payload:  # an empty message takes back a retained one and says nothing
            return
        elif route.format is not None:
            self._foreign(route, message)
        elif not route.meter:
            self._batch(route, message)
        elif not self._quick(route, payload, received_us):
            self._careful(route, message)
        else:
            self._arrived.append(message)
            self._whose.append(len(self._arrived) - 1)

    def payload(self) -> Payload:
        """Give what was gathered as one payload."""
        rows = self.rows
        if rows.ts_utc.count(None) < len(rows):
            self.shapes.add(("ts_utc", "text"))
        shapes = frozenset(self.shapes)
        message = self._messages() if self._several else None
        sources = self._source or self._sources
        read = settle(rows, shapes, sources, self._originals, message) if len(rows) else nothing(shapes)
        parts = [read, *(numbered(one, number) for one, number in zip(self.parts, self._streams, strict=True))]
        if self._refused:
            refused = pa.Table.from_pylist(self._refused, QUARANTINE)
            parts.append(Payload(nothing().readings, refused, frozenset(), refused.num_rows))
        return in_order(joined(parts)) if self.parts else joined(parts)

    def _messages(self) -> npt.NDArray[np.int32]:
        """Give each row the number of its message: the first place at which it stands among those that arrived."""
        first, numbers = 0, list[int]()
        for place, message in enumerate(self._arrived):
            if message is not self._arrived[first]:
                first = place
            numbers.append(first)
        return np.array(numbers, np.int32)[np.array(self._whose, np.int64)]

    def _quick(self, route: Route, payload: bytes, received_us: int) -> bool:
        """Read a message of one reading as it mostly is; False, with nothing read, where it is otherwise."""
        if payload[0] != 0x7B:  # a bare number has the moment of receipt
            if len(payload) > SIMPLE_LENGTH or SIMPLE.fullmatch(payload) is None:
                return False
            one, number = BARE, payload
        else:
            try:
                one = _ONE.decode(payload)
            except UNREADABLE:
                return False
            number = bytes(one.value)
            if len(number) > SIMPLE_LENGTH or SIMPLE.fullmatch(number) is None:
                return False
        rows = self.rows
        rows.site.append(route.site)
        rows.meter.append(route.meter)
        rows.value.append(float(number))
        rows.ts_utc.append(one.ts_utc)
        untimed = one.ts_utc is None and one.ts_us is None
        if untimed:
            rows.stamped.append(len(rows.row))
        rows.ts_us.append(received_us if untimed else one.ts_us)
        rows.unit.append(one.unit)
        rows.commodity.append(one.commodity)
        rows.sent_at.append(one.sent_at)
        rows.sent_at_us.append(one.sent_at_us)
        rows.row.append(1)
        rows.mark.append(0)
        if one is not BARE and (one.unit or one.commodity or one.sent_at or one.sent_at_us or one.ts_us):
            self._shape({(name, "text") for name in ("unit", "commodity", "sent_at") if getattr(one, name)})
            self._shape({(name, "number") for name in ("ts_us", "sent_at_us") if getattr(one, name) is not None})
        self.shapes.add(("value", "number"))
        return True

    def _careful(self, route: Route, message: Arrived) -> None:
        """Read a message of one reading field by field."""
        _, payload, received_us = message
        fields: dict[str, Any]
        if payload.lstrip()[:1] == b"{":
            cells = json_cells(payload)
            if cells is None:
                self._aside(message, "undecodable", f"{REASONS['undecodable']}: it is no JSON object.")
                return
            self._shape(shapes_of(cells))
            fields, mark = fields_of(cells, route.site)
            if (fields.get("meter") or route.meter).strip() not in ("", route.meter):
                mark = min(mark or NUMBER["other_site"], NUMBER["other_site"])
            timed = any(name in cells and cells[name][0] != "null" for name in ("ts_utc", "ts_us"))
        else:
            value, mark = number_of(payload.decode("utf-8", "replace"))
            fields = {"value": value}
            if mark == NUMBER["bad_value"]:
                self._aside(message, "undecodable", f"{REASONS['undecodable']}: it is neither a number nor an object.")
                return
            self._shape({("value", "number")})
            timed = False
        fields |= {"site": route.site, "meter": route.meter, **({} if timed else {"ts_us": received_us})}
        self._add(message, fields, mark, stamped=not timed)

    def _foreign(self, route: Route, message: Arrived) -> None:
        """Read a message of a format."""
        found = read_foreign(route, message[1], message[2])
        if found is None:
            self._aside(message, "undecodable", f"{REASONS['undecodable']}: it is not what its format sends.")
            return
        self._shape(found[1])
        self._several |= len(found[0]) > 1
        for fields, mark in found[0]:
            # a stamp of the very microsecond of receipt is that of receipt
            self._add(message, fields, mark, stamped=fields.get("ts_us") == message[2])

    def _batch(self, route: Route, message: Arrived) -> None:
        """Read a concentrator's batch: any of the bodies of the HTTP door, told apart by its first bytes."""
        fresh = Rows()
        try:
            kind, plain = kind_of(message[1], self._limits)
            if kind is None:
                self.parts.append(arrow_rows(plain, self._limits, self._source_of(message, route)))
                self._streams.append(len(self._arrived))
                self._arrived.append(message)
                self._several = True
                return
            found = READERS[kind](plain, fresh, self._limits, route.site)
        except BadInput as error:
            self._aside(message, "undecodable", f"{REASONS['undecodable']}: it {error.message}")
            return
        self._shape(found[0])
        self._several |= len(fresh) > 1
        self._arrived.append(message)
        self._found[len(self._arrived) - 1] = found
        self._whose.extend([len(self._arrived) - 1] * len(fresh))
        append(self.rows, fresh)

    def _add(self, message: Arrived, fields: dict[str, Any], mark: int, *, stamped: bool) -> None:
        self._arrived.append(message)
        self._whose.append(len(self._arrived) - 1)
        if stamped:
            self.rows.stamped.append(len(self.rows))
        self.rows.add(fields, 1, mark)

    def _shape(self, shapes: set[Shape]) -> None:
        if len(self.shapes) < LOOKS.shapes:
            self.shapes |= shapes

    def _aside(self, message: Arrived, code: str, reason: str) -> None:
        """Set a whole message aside."""
        topic, payload, received_us = message
        row = {
            "source": self._source_of(message, self._mappings.route(topic)),
            "row": 1,
            "site": None,
            "meter": None,
            "code": code,
            "reason": reason,
            "original": message_original(topic, payload, received_us),
        }
        self._refused.append(row)

    def _source_of(self, message: Arrived, route: Route | None) -> str:
        if self._source is not None:
            return self._source
        return source_of(message[0], route.site if route is not None and route.format is None else "")

    def _sources(self, wanted: list[int]) -> list[str]:
        """Name the senders of some rows."""
        messages = [self._arrived[self._whose[position]] for position in wanted]
        return [self._source_of(message, self._mappings.route(message[0])) for message in messages]

    def _originals(self, wanted: list[int]) -> list[str]:
        """Write the messages of some rows; of a batch only the row itself."""
        out: list[str] = []
        for position in wanted:
            whose = self._whose[position]
            topic, payload, received_us = self._arrived[whose]
            found = self._found.get(whose)
            if found is not None:
                payload = f"[{found[1]([self.rows.row[position] - 1])[0]}]".encode()
            out.append(message_original(topic, payload, received_us))
        return out


BARE = One(value=msgspec.Raw(b"0"))


def numbered(part: Payload, number: int) -> Payload:
    """Give the readings of one message its number."""
    column = pa.array(np.full(part.readings.num_rows, number, np.int32))
    return replace(part, readings=part.readings.append_column(MESSAGE, column))


def in_order(payload: Payload) -> Payload:
    """Put readings in the order of their messages."""
    order = np.argsort(payload.readings[MESSAGE.name].to_numpy(), kind="stable")
    return replace(payload, readings=payload.readings.take(pa.array(order)))


def decode_messages(
    messages: Iterable[Arrived], mappings: Mappings, limits: Limits | None = None, *, source: str | None = None
) -> Payload:
    """Decode MQTT messages to one payload; nothing of a list is lost for one that cannot be read.

    A message without a moment has that of its receipt. `row` is 1, in a batch the reading's number in it. Readings
    stand in the order of their messages; where one brought several, the column MESSAGE parts them. `source` names the
    sender in quarantined rows; None: `mqtt:` and the site of our own topics or the topic's first level.
    """
    gathering = Gathering(mappings, limits or shipped_limits(), source)
    for message in messages:
        gathering.take(message)
    return gathering.payload()


def decode_message(topic: str, payload: bytes, received_us: int, mappings: Mappings) -> Payload:
    """Decode one MQTT message."""
    return decode_messages([(topic, payload, received_us)], mappings)


def decode_original(original: str, mappings: Mappings, *, source: str = SOURCE) -> Payload:
    """Decode the `original` of a quarantined row again: a message, or a row of a body or file.

    Only what an MQTT source sent is a message: a row that looks like one must not choose a topic for itself. What is
    neither comes back in `refused`.
    """
    text = original.encode("utf-8", "replace")
    message = message_of(text) if source.startswith(SOURCE) else None
    if message is not None:
        return decode_messages([message], mappings, source=source)
    cells = json_cells(text)
    if cells is not None and "at" in cells and "ts_utc" not in cells:
        cells = {("ts_utc" if name == "at" else name): cell for name, cell in cells.items()}
    rows = Rows()
    fields, mark = fields_of(cells)
    rows.add(fields, 1, mark)
    return settle(rows, frozenset(shapes_of(cells or {})), source, lambda wanted: [text_of(original)] * len(wanted))


def kind_of(payload: bytes, limits: Limits) -> tuple[str | None, bytes]:
    """Tell what a batch is by its first bytes, unpacked: a media type that `READERS` knows, or None for Arrow."""
    for start, encoding in ((GZIP_START, "gzip"), (ZSTD_START, "zstd")):
        if payload.startswith(start):
            payload = unpack(payload, encoding, limits.unpacked_bytes)
    if payload.startswith(ARROW_START):
        return None, payload
    if payload[:1] >= b"\x80" and not payload.startswith(b"\xef\xbb\xbf"):
        return MSGPACK, payload
    first, _, rest = payload.strip().partition(b"\n")
    cells = json_cells(first) if rest else None
    return (LINES if cells is not None and cells.keys().isdisjoint(WAYS) else JSON), payload
