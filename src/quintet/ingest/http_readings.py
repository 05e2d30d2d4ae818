"""A body of readings as a delivery: what `protocols` decodes, with who sent it."""

from typing import Any

from quintet.pipeline.delivery import Delivery, Shape
from quintet.protocols.payloads.body import ARROW, JSON, LINES, MEDIA_TYPES, MSGPACK, decode_body
from quintet.protocols.payloads.payload import Limits
from quintet.protocols.payloads.rows import KNOWN
from quintet.protocols.payloads.unpack import ENCODINGS
from quintet.terms.errors import BadInput, TooLarge

__all__ = ["ENCODINGS", "MEDIA_TYPES", "delivery_of", "described_bodies", "ignored_fields"]

ACTOR = "http"
READ = KNOWN | {"meters"}
TEXT = {"type": "string"}
ONE_OR_MANY = {"description": "One value for all rows, or one for each.", "type": ["string", "array"]}
ROW = {
    "type": "object",
    "required": ["site", "meter", "value"],
    "properties": {
        "site": TEXT,
        "meter": TEXT,
        "ts_utc": {"type": "string", "format": "date-time", "description": "This or ts_us."},
        "ts_us": {"type": "integer", "description": "Microseconds since 1970 UTC."},
        "value": {"type": ["number", "string"], "description": "A decimal of up to 15 digits."},
        "unit": TEXT,
        "commodity": TEXT,
        "sent_at": {"type": "string", "format": "date-time", "description": "The device's own clock when it sent."},
    },
}
COLUMNS = {
    "type": "object",
    "required": ["site", "meter", "value"],
    "properties": {
        "site": ONE_OR_MANY,
        "meter": ONE_OR_MANY,
        "ts_utc": ONE_OR_MANY,
        "ts_us": {"description": "Microseconds since 1970 UTC.", "type": ["integer", "array"]},
        "value": {"type": "array"},
        "unit": ONE_OR_MANY,
        "commodity": ONE_OR_MANY,
    },
}
WAYS = {
    "anyOf": [
        {"type": "array", "items": ROW},
        {"type": "object", "required": ["readings"], "properties": {"readings": {"type": "array", "items": ROW}}},
        {"type": "object", "required": ["columns"], "properties": {"columns": COLUMNS}},
        {"type": "object", "required": ["meters"], "properties": {"meters": {"type": "object"}}},
    ]
}


def delivery_of(
    body: bytes, media: str, encoding: str, bounds: Limits | None, *, source: str, key: str, digest: str
) -> Delivery:
    """Decode a body, within `bounds` (None: those shipped). Raises BadInput where it cannot be taken as a whole."""
    try:
        found = decode_body(body, media, encoding, bounds, source=source)
    except BadInput as error:
        if error.code == "too_large":
            raise TooLarge(error.message, code=error.code, place=error.place, remedy=error.remedy) from error
        raise
    shapes = frozenset(Shape(field, kind) for field, kind in found.shapes)
    return Delivery(found.readings, found.refused, source, ACTOR, key, digest, shapes, resends=True)


def ignored_fields(delivery: Delivery) -> list[str]:
    """Name the fields of a delivery that nobody reads, as far as they were looked at (the first 64 of a row)."""
    return sorted({shape.field for shape in delivery.shapes} - READ)


def described_bodies() -> dict[str, Any]:
    """Describe the forms of a body (OpenAPI)."""
    return {
        JSON: {"schema": WAYS},
        LINES: {"schema": {"type": "string", "description": "A row as JSON on each line."}},
        MSGPACK: {"schema": {**WAYS, "description": "As JSON, in MessagePack."}},
        ARROW: {"schema": {"type": "string", "format": "binary", "description": "An Arrow stream of these columns."}},
    }
