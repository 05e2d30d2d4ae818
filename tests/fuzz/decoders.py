"""What is fuzzed: each decoder of payloads with examples to start from, and what must hold of whatever it gives."""

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO

import msgspec
import pyarrow as pa
import zstandard

from quintet.protocols.payloads import (
    ENCODINGS,
    MEDIA_TYPES,
    Limits,
    Mappings,
    Payload,
    decode_body,
    decode_messages,
    decode_original,
    load_mappings,
)
from quintet.protocols.sift import CODED_READINGS
from quintet.terms.errors import BadInput
from quintet.terms.tables import MOMENT, QUARANTINE

LIMITS = Limits(unpacked_bytes=1 << 20, rows=5_000, values=50_000, row_bytes=4_096)
JSON, LINES, MSGPACK, ARROW = MEDIA_TYPES
AT = "2026-01-01T00:00:00Z"
NOW_US = 1_767_225_600_000_000
ROW = {"site": "s", "meter": "m", "ts_utc": AT, "value": 1.25}
ROWS = {"readings": [ROW, {**ROW, "value": "2.50", "unit": "kWh", "rssi": -3}, {**ROW, "ts_utc": "2026-01-01"}]}
COLUMNS = {"columns": {"site": "s", "meter": ["a", "b"], "ts_us": [NOW_US, None], "value": [1, 2.5], "sent_at": AT}}
METERS = {"meters": {"a": [1, 2], "b": [3, None]}, "site": "s", "ts_utc": [AT, AT], "unit": "m3"}
TASMOTA = {"Time": AT[:-1], "ENERGY": {"Total": [1.5, 2.5], "Today": 0.5, "Power": 7}}
MAPPINGS = Mappings(load_mappings().formats, most_routes=1000)


def arrow(columns: dict[str, object], dictionary: bool = False) -> bytes:
    """Write columns as an Arrow stream."""
    table = pa.table(columns)
    if dictionary:
        table = table.set_column(0, table.schema.names[0], table.column(0).dictionary_encode())
    sink = BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


STREAMS = [
    arrow({"site": ["s"], "meter": ["m"], "ts_utc": [AT], "value": ["1.5"]}),
    arrow(
        {"site": ["s", "t"], "meter": ["m", None], "ts_us": [NOW_US, 1 << 62], "value": [1.5, float("nan")]},
        dictionary=True,
    ),
]


def body(media: str, encoding: str = "identity") -> Callable[[bytes], Payload]:
    """Give the decoder of one kind of body."""
    return lambda data: decode_body(data, media, encoding, LIMITS)


def messages(topic: str) -> Callable[[list[bytes]], Payload]:
    """Give the decoder of many messages to one topic."""
    return lambda many: decode_messages([(topic, data, NOW_US) for data in many], MAPPINGS, LIMITS)


def topics(many: list[bytes]) -> Payload:
    """Decode messages whose topics are each one's first line."""
    parted = [data.partition(b"\n") for data in many]
    sent = [(head.decode("utf-8", "surrogateescape"), rest, NOW_US) for head, _, rest in parted]
    return decode_messages(sent, MAPPINGS, LIMITS)


def original(data: bytes) -> Payload:
    """Decode a quarantined original."""
    return decode_original(data.decode("utf-8", "surrogateescape"), MAPPINGS)


@dataclass(frozen=True)
class Decoder:
    """One decoder and payloads that it reads; messages are also decoded many at once, as the door does."""

    decode: Callable[[bytes], Payload]
    examples: list[bytes]
    many: Callable[[list[bytes]], Payload] | None = None


def told(many: Callable[[list[bytes]], Payload], examples: list[bytes]) -> Decoder:
    """Give the decoder of messages."""
    return Decoder(lambda data: many([data]), examples, many)


def texts(*values: object) -> list[bytes]:
    """Write values as JSON."""
    return [json.dumps(value).encode() for value in values]


JSON_EXAMPLES = texts([ROW], ROWS, COLUMNS, METERS)
DECODERS = {
    "json": Decoder(body(JSON), JSON_EXAMPLES),
    "lines": Decoder(body(LINES), [b"\n".join(texts(ROW, ROW)), b"\n\n".join(texts(ROW, 5, ROW))]),
    "msgpack": Decoder(body(MSGPACK), [msgspec.msgpack.encode(value) for value in ([ROW], ROWS, COLUMNS, METERS)]),
    "arrow": Decoder(body(ARROW), STREAMS),
    "gzip": Decoder(body(JSON, "gzip"), [gzip.compress(one, mtime=0) for one in JSON_EXAMPLES]),
    "zstd": Decoder(body(JSON, "zstd"), [zstandard.compress(one) for one in JSON_EXAMPLES]),
    "one": told(messages("quintet/v1/s/m"), [b"12.5", *texts({"value": 1.5, "ts_utc": AT}, {"value": "1", "x": 2})]),
    "batch": told(messages("quintet/v1/s"), [*JSON_EXAMPLES, *STREAMS, msgspec.msgpack.encode(COLUMNS)]),
    "tasmota": told(messages("tele/plug/SENSOR"), texts(TASMOTA, {"ENERGY": {"Total": 1.5}})),
    "zigbee2mqtt": told(messages("zigbee2mqtt/a/b"), texts({"energy": 1.5, "power": 3, "last_seen": 1767225600123})),
    "number": told(messages("homeassistant/sensor/x/state"), [b"12.5", b'"12.5"', b"unavailable"]),
    "topic": told(topics, [b"quintet/v1/s/m\n1.5", b"tele/plug/SENSOR\n{}", b"zigbee2mqtt/a/b/c\n{}"]),
    "original": Decoder(
        original, texts(ROW, {"topic": "quintet/v1/s/m", "payload": {"base64": "MS41"}, "received_us": NOW_US})
    ),
}
assert ENCODINGS == ("identity", "gzip", "zstd")


def check(decoder: Decoder, data: bytes) -> Payload | None:
    """Decode, and prove what must hold of all payloads; None where the payload is refused as a whole."""
    try:
        found = decoder.decode(data)
    except BadInput as error:
        refusal = error
    else:
        return proved(found)
    assert refusal.code
    assert refusal.message
    assert str(refusal).encode()
    return None


def proved(found: Payload) -> Payload:
    """Prove what must hold of a payload."""
    readings, refused = found.readings, found.refused
    assert readings.select(CODED_READINGS.names).schema == CODED_READINGS
    assert refused.schema == QUARANTINE
    assert set(readings.column_names) - set(CODED_READINGS.names) <= {"sent_at", "stamped", "message"}
    if "message" in readings.column_names:
        numbers = readings["message"].to_pylist()
        assert numbers == sorted(numbers)
    assert found.rows == readings.num_rows + refused.num_rows
    readings.validate(full=True)
    refused.validate(full=True)
    assert readings["site"].null_count == readings["meter"].null_count == readings["at"].null_count == 0
    assert all(abs(value) <= 1e15 for value in readings["value"].to_pylist())
    readings["at"].cast(MOMENT).to_pylist()
    refused.to_pylist()
    for field, kind in found.shapes:
        assert field.encode() is not None
        assert kind in {"number", "text", "bool", "null", "object", "array", "bytes"}
    return found
