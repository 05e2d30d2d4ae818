"""Messages as they were received, as texts that can be kept in quarantine and decoded again."""

import binascii
from typing import Any

import msgspec

from .cells import UNREADABLE
from .json_rows import Micros

SOURCE = "mqtt:"
"""Begins the names of all sources whose originals are messages."""
Arrived = tuple[str, bytes, int]
"""A message: topic, payload, and the moment of receipt in microseconds."""


def message_original(topic: str, payload: bytes, received_us: int) -> str:
    """Write a message as JSON: topic, payload (text, or {"base64": ...} where it is none) and the moment of receipt."""
    said: Any
    try:
        said = payload.decode("utf-8")
    except UnicodeDecodeError:
        said = {"base64": binascii.b2a_base64(payload, newline=False).decode()}
    return msgspec.json.encode({"topic": text_of(topic), "payload": said, "received_us": received_us}).decode()


class Message(msgspec.Struct, forbid_unknown_fields=True):
    """A message as `message_original` writes it."""

    topic: str
    payload: str | dict[str, str]
    received_us: Micros = 0

    def bytes(self) -> bytes | None:
        """Give the payload's bytes; None where they cannot be read back."""
        if isinstance(self.payload, str):
            return self.payload.encode()
        try:
            return binascii.a2b_base64(self.payload.get("base64", "="), strict_mode=True)
        except ValueError:
            return None


def message_of(original: bytes) -> Arrived | None:
    """Read a message as `message_original` wrote it; None for anything else."""
    try:
        message = _MESSAGE.decode(original)
    except UNREADABLE:
        return None
    payload = message.bytes()
    return None if payload is None else (message.topic, payload, message.received_us)


def source_of(topic: str, site: str = "") -> str:
    """Name who sent a message: the site of our own topics, else the topic's first level."""
    return f"{SOURCE}{text_of(site or topic.partition('/')[0])}"


def text_of(word: str) -> str:
    """Give a word as text throughout: what is no character becomes a question mark."""
    return word.encode("utf-8", "replace").decode()


_MESSAGE = msgspec.json.Decoder(Message)
