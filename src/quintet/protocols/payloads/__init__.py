"""Payloads of live doors: HTTP bodies and MQTT messages become readings, named bad rows and the shapes seen."""

from .body import MEDIA_TYPES, decode_body
from .mappings import Mappings, load_mappings
from .messages import decode_message, decode_messages, decode_original
from .payload import SENT_AT, Limits, Payload, joined, shipped_limits
from .unpack import ENCODINGS

__all__ = [
    "ENCODINGS",
    "MEDIA_TYPES",
    "SENT_AT",
    "Limits",
    "Mappings",
    "Payload",
    "decode_body",
    "decode_message",
    "decode_messages",
    "decode_original",
    "joined",
    "load_mappings",
    "shipped_limits",
]
