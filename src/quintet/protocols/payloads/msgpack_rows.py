"""MessagePack: the same two shapes as JSON; a list's length is read from its head before anything is made of it."""

from typing import Any

import msgspec

from .cells import UNREADABLE, Shape, fields_of, object_cells, shapes_of
from .columnar import (
    AFTER_FIXED,
    ARRAY_16,
    ARRAY_32,
    FIXED_ARRAY,
    FIXED_MAP,
    MAP_16,
    MAP_32,
    as_text,
    too_many,
)
from .json_rows import row_type, take_structs
from .payload import LOOKS, Limits
from .rows import Rows

_ROWS = msgspec.msgpack.Decoder(list[row_type(())])
_RAWS = msgspec.msgpack.Decoder(list[msgspec.Raw])
_ANY = msgspec.msgpack.Decoder()


def is_map(raw: bytes) -> bool:
    """Say whether MessagePack begins with a map."""
    return bool(raw) and (FIXED_MAP <= raw[0] < FIXED_ARRAY or raw[0] in (MAP_16, MAP_32))


def length_of(raw: bytes | msgspec.Raw) -> int:
    """Give how many elements an array or map promises; 1 for anything else."""
    head = bytes(memoryview(raw)[:5])
    if not head:
        return 1
    if FIXED_MAP <= head[0] < AFTER_FIXED:
        return head[0] & 0x0F
    wide = {ARRAY_16: 3, MAP_16: 3, ARRAY_32: 5, MAP_32: 5}.get(head[0])
    return 1 if wide is None else int.from_bytes(head[1:wide], "big")


def read_msgpack_rows(raw: bytes | msgspec.Raw, rows: Rows, limits: Limits, site: str | None) -> set[Shape] | None:
    """Read an array of rows into `rows`; give its shapes, or None where it is none."""
    if length_of(raw) > limits.rows:
        too_many(limits)
    try:
        found = take_structs(_ROWS.decode(raw), (), rows, site)
        if found is not None:
            return found
    except UNREADABLE:
        pass
    try:
        listed = _RAWS.decode(raw)
    except UNREADABLE:
        return None
    shapes: set[Shape] = set()
    for number, one in enumerate(listed, start=1):
        cells = object_cells(_object(one, limits))
        if cells is not None and len(shapes) < LOOKS.fields * 4:
            shapes |= shapes_of(cells)
        fields, mark = fields_of(cells, site)
        rows.add(fields, number, mark)
    return shapes


def raw_msgpack_rows(raw: bytes | msgspec.Raw, wanted: list[int]) -> list[str]:
    """Give some rows of an array as JSON texts, by position."""
    listed = _RAWS.decode(raw)
    return [as_text(listed[position]) for position in wanted]


def _object(raw: msgspec.Raw, limits: Limits) -> Any:
    """Decode one row; None where it cannot be, or is too long for a row."""
    if memoryview(raw).nbytes > limits.row_bytes:
        return None
    try:
        return _ANY.decode(raw)
    except UNREADABLE:
        return None
