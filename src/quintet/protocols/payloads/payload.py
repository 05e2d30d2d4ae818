"""What a payload becomes: readings, what could not be taken, and the fields that were seen in it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

import pyarrow as pa

from quintet.protocols.sift import CODED_READINGS
from quintet.terms.catalogue import numbers_of, read_toml
from quintet.terms.tables import MOMENT, QUARANTINE

SENT_AT = pa.field("sent_at", MOMENT)
"""The device's own clock when it sent: stands beside READINGS where a payload states it, else it is no column."""
STAMPED = pa.field("stamped", pa.bool_())
"""Marks rows without a time of their own, which have that of receipt; no column where there are none."""
MESSAGE = pa.field("message", pa.int32())
"""Numbers the message of each row, in the order they came; no column where every row is a message of its own."""

Shapes = frozenset[tuple[str, str]]
"""Fields seen and their kinds: number, text, bool, null, object, array, bytes."""


@dataclass(frozen=True, slots=True)
class Payload:
    """One decoded payload.

    `readings` is CODED_READINGS, with SENT_AT, STAMPED and MESSAGE behind it where stated; `refused` is QUARANTINE;
    `rows` counts what the payload held: the sum of both tables.
    """

    readings: pa.Table
    refused: pa.Table
    shapes: Shapes
    rows: int


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one payload: bytes after unpacking, readings, JSON values, and bytes of one row."""

    unpacked_bytes: int
    rows: int
    values: int
    row_bytes: int


@cache
def shipped_limits() -> Limits:
    """Give the bounds that ship with the program."""
    table = read_toml("quintet.protocols", "payloads.toml")
    return Limits(**numbers_of(table, Limits.__slots__, "payloads.toml"))


@dataclass(frozen=True, slots=True)
class Looks:
    """The numbers of `data/looks.toml`; the file says what each is for."""

    fields: int
    name_characters: int
    shapes: int
    extra_fields: int
    block_rows: int
    cell_bytes: int
    list_elements: int
    routes: int
    beside_bytes: int


LOOKS = Looks(**numbers_of(read_toml("quintet.protocols", "looks.toml"), Looks.__slots__, "looks.toml"))
"""How closely payloads are looked at, as shipped: read once, for some of it is asked for each row."""


def nothing(shapes: Iterable[tuple[str, str]] = ()) -> Payload:
    """Give a payload without rows."""
    return Payload(CODED_READINGS.empty_table(), QUARANTINE.empty_table(), frozenset(shapes), 0)


def joined(parts: Sequence[Payload]) -> Payload:
    """Give several payloads as one; SENT_AT and STAMPED are null where a part does not state them."""
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return nothing()
    return Payload(
        pa.concat_tables([part.readings for part in parts], promote_options="default"),
        pa.concat_tables(part.refused for part in parts),
        frozenset[tuple[str, str]]().union(*(part.shapes for part in parts)),
        sum(part.rows for part in parts),
    )
