"""The few MQTT 5 packets that a door reads and writes itself: PUBLISH with its properties, PUBACK."""

import struct
from typing import NamedTuple

FOUR_BYTES = {0x02}
TWO_BYTES = {0x23}
ONE_BYTE = {0x01}
LENGTHS_FIRST = {0x03: 1, 0x08: 1, 0x09: 1, 0x26: 2}
"""Properties of PUBLISH that are texts or bytes with their lengths before them, and how many of these (a pair: two)."""
VARIABLE = {0x0B}
RESPONSE_TOPIC, CORRELATION, EXPIRY = 0x08, 0x09, 0x02
PUBLISH_QOS1 = 0x32


class Reply(NamedTuple):
    """Where the sender of a message wants an answer, and what it knows it by."""

    topic: str
    correlation: bytes


class Publish(NamedTuple):
    """A PUBLISH packet without its first bytes; `mid` 0 is QoS 0, `reply` None where no answer is wanted."""

    topic: str
    payload: bytes
    mid: int
    reply: Reply | None


def read_publish(command: int, raw: bytes) -> Publish:
    """Read a PUBLISH packet (MQTT 5, 3.3): topic, packet id when QoS > 0, properties, payload."""
    at = 2 + (raw[0] << 8 | raw[1])
    topic = raw[2:at].decode("utf-8", "backslashreplace")
    mid = 0
    if command & 0x06:
        mid = raw[at] << 8 | raw[at + 1]
        at += 2
    if not raw[at]:
        return Publish(topic, raw[at + 1 :], mid, None)
    size, at = read_variable(raw, at)
    return Publish(topic, raw[at + size :], mid, reply_in(raw[at : at + size]))


def read_variable(raw: bytes, at: int) -> tuple[int, int]:
    """Read a variable byte integer (MQTT 5, 1.5.5); give it and the place behind it."""
    size, shift = raw[at] & 0x7F, 7
    while raw[at] & 0x80:
        at += 1
        size |= (raw[at] & 0x7F) << shift
        shift += 7
    return size, at + 1


def reply_in(properties: bytes) -> Reply | None:
    """Find Response Topic and Correlation Data among the properties of a PUBLISH (MQTT 5, 3.3.2.3)."""
    topic, correlation, at = "", b"", 0
    while at < len(properties):
        kind = properties[at]
        at += 1
        if kind in LENGTHS_FIRST:
            for _ in range(LENGTHS_FIRST[kind]):
                size = int.from_bytes(properties[at : at + 2], "big")
                said, at = properties[at + 2 : at + 2 + size], at + 2 + size
                if kind == RESPONSE_TOPIC:
                    topic = said.decode("utf-8", "replace")
                elif kind == CORRELATION:
                    correlation = said
        elif kind in VARIABLE:
            _, at = read_variable(properties, at)
        elif kind in FOUR_BYTES:
            at += 4
        elif kind in TWO_BYTES:
            at += 2
        elif kind in ONE_BYTE:
            at += 1
        else:
            break
    return Reply(topic, correlation) if topic else None


def write_publish(topic: str, payload: bytes, mid: int, *, correlation: bytes = b"", expiry_s: int = 0) -> bytes:
    """Write a PUBLISH packet with QoS 1; a broker that cannot deliver it drops it after `expiry_s` (0: never)."""
    name = topic.encode()
    properties = struct.pack(">BI", EXPIRY, expiry_s) if expiry_s else b""
    if correlation:
        properties += struct.pack(">BH", CORRELATION, len(correlation)) + correlation
    body = struct.pack(">H", len(name)) + name + struct.pack(">H", mid) + _variable(len(properties)) + properties
    return bytes([PUBLISH_QOS1]) + _variable(len(body) + len(payload)) + body + payload


def pubacks(mids: list[int]) -> bytes:
    """Write PUBACK packets (MQTT 5, 3.4): type 4, two bytes follow; a missing reason code means success."""
    return b"".join([b"\x40\x02" + mid.to_bytes(2) for mid in mids])


def _variable(number: int) -> bytes:
    out = bytearray()
    while True:
        number, digit = divmod(number, 128)
        out.append(digit | (0x80 if number else 0))
        if not number:
            return bytes(out)
