"""The limits of the MQTT door: `data/mqtt.toml` as typed tables."""

from functools import cache
from typing import Any

import msgspec

from quintet.terms.catalogue import read_toml
from quintet.terms.errors import BadInput


class ConnectionLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a door stands to its broker; seconds and messages."""

    keepalive_s: int
    connect_s: float
    session_expiry_s: int
    receive_maximum: int
    first_retry_s: float
    most_retry_s: float
    refused_retry_s: float


class FrameLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much goes to the owner at once; messages, bytes and seconds."""

    most_messages: int
    most_bytes: int
    linger_s: float
    most_under_way: int
    most_held_bytes: int
    message_bytes: int
    most_senders: int
    end_s: float


class AgainLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is sent again, and for how long a redelivered message is known; seconds and bytes."""

    first_retry_s: float
    most_retry_s: float
    remembered_s: float
    remembered_bytes: int


class ReceiptLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a door publishes; messages, bytes and seconds."""

    most_waiting: int
    most_topic_bytes: int
    most_problems: int
    expiry_s: int


class FreshLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How it is found that messages did not wait in the broker; seconds."""

    probe_every_s: float
    fresh_s: float


class ReportLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How often a door says how it is; seconds."""

    every_s: float


class MqttLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All limits of a door."""

    connection: ConnectionLimits
    frame: FrameLimits
    again: AgainLimits
    receipts: ReceiptLimits
    fresh: FreshLimits
    report: ReportLimits


def limits_of(table: dict[str, Any], place: str) -> MqttLimits:
    """Check a table of limits; raises BadInput naming what is missing, unknown or of the wrong kind."""
    try:
        return msgspec.convert(table, MqttLimits)
    except msgspec.ValidationError as error:
        remedy = "See data/mqtt.toml for the known keys."
        raise BadInput(f"{error}.", code="bad_row", place=place, remedy=remedy) from error


@cache
def mqtt_limits() -> MqttLimits:
    """Give the limits that ship with the package."""
    return limits_of(read_toml("quintet.ingest", "mqtt.toml"), "mqtt.toml")
