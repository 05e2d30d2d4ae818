"""One row at a time: its fields as cells, each a kind and a text, judged with a fault by name and nothing lost."""

import binascii
from collections.abc import Mapping
from typing import Any

import msgspec

from quintet.protocols.faults import NUMBER

from .payload import LOOKS
from .rows import KNOWN, TIMES, WORDS, number_of

Cell = tuple[str, str]
"""A field's kind (number, text, bool, null, object, array, bytes) and its text; numbers as they were written."""
Shape = tuple[str, str]

LARGEST_COUNT = 1 << 62
"""No moment in microseconds is beyond it, and it fits into 64 bits."""
KINDS = {b'"': "text", b"t": "bool", b"f": "bool", b"n": "null", b"{": "object", b"[": "array"}
UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What decoders raise for bytes that are none of theirs."""

_RAW_ROW = msgspec.json.Decoder(dict[str, msgspec.Raw])
_TEXT = msgspec.json.Decoder(str)


def json_cells(raw: bytes | msgspec.Raw) -> dict[str, Cell] | None:
    """Read a JSON object's fields; None where it is no object or cannot be read."""
    try:
        return {name: json_cell(bytes(value)) for name, value in _RAW_ROW.decode(raw).items()}
    except UNREADABLE:
        return None


def json_cell(raw: bytes) -> Cell:
    """Read one JSON value; objects and arrays stay as they are."""
    kind = KINDS.get(raw[:1], "number")
    return kind, _TEXT.decode(raw) if kind == "text" else raw.decode("utf-8", "replace")


def object_cells(found: object) -> dict[str, Cell] | None:
    """Give the fields of an object that is decoded already (MessagePack); None where it is none."""
    if not isinstance(found, dict):
        return None
    return {str(name): object_cell(value) for name, value in found.items()}


def object_cell(value: object) -> Cell:
    """Say one decoded value as a cell."""
    if value is None:
        return "null", "null"
    if isinstance(value, bool):
        return "bool", str(value).lower()
    if isinstance(value, int | float):
        return "number", repr(value)
    if isinstance(value, str):
        return "text", value
    if isinstance(value, bytes):
        return "bytes", binascii.b2a_base64(value, newline=False).decode()
    return ("array" if isinstance(value, list) else "object"), ""


def shapes_of(cells: Mapping[str, Cell]) -> set[Shape]:
    """Give a row's fields and their kinds, bounded."""
    return {(clean(name), cell[0]) for name, cell in list(cells.items())[: LOOKS.fields]}


def clean(name: str) -> str:
    """Give a field's name as it may be stored: bounded, and text throughout."""
    return (
        name
        if name.isascii() and len(name) <= LOOKS.name_characters
        else name[: LOOKS.name_characters].encode("utf-8", "replace").decode()
    )


def fields_of(cells: Mapping[str, Cell] | None, site: str | None = None) -> tuple[dict[str, Any], int]:
    """Give a row's known fields, and its fault so far; `site` is the sender's own, which a row may only repeat."""
    if cells is None:
        return {"site": site}, NUMBER["not_a_row"]
    fields: dict[str, Any] = {}
    faults: list[int] = []
    for name in KNOWN & cells.keys():
        kind, text = cells[name]
        if kind == "null":
            continue
        fields[name], fault = _field(name, kind, text)
        if fault:
            faults.append(fault)
    if site is not None:
        if (fields.get("site") or site).strip() not in ("", site):
            faults.append(NUMBER["other_site"])
        fields["site"] = site
    return fields, min(faults, default=0)


def _field(name: str, kind: str, text: str) -> tuple[Any, int]:
    """Read one known field: what it says, and its fault."""
    if name == "value":
        return number_of(text) if kind in ("number", "text") else (None, NUMBER["bad_value"])
    if name in WORDS:
        return (text, 0) if kind in ("number", "text") else (None, NUMBER["bad_word"])
    fault = NUMBER["bad_clock" if name.startswith("sent") else "bad_time"]
    if name in TIMES[::2]:
        return (text, 0) if kind == "text" else (None, fault)
    count = _count(text) if kind == "number" else None
    return (None, fault) if count is None else (count, 0)


def _count(text: str) -> int | None:
    """Read a whole number of microseconds; None where it is none, or none of any time."""
    try:
        count = msgspec.json.decode(text, type=int)
    except UNREADABLE:
        return None
    return count if abs(count) <= LARGEST_COUNT else None
