"""Rows as JSON objects: all at once where each is as it should be, else one by one so that the good ones are kept."""

from collections.abc import Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Annotated, Any

import msgspec

from .cells import KINDS, LARGEST_COUNT, UNREADABLE, Shape, clean, fields_of, json_cells, shapes_of
from .payload import LOOKS, Limits
from .rows import KNOWN, TIMES, WORDS, Rows, holds_long_numeral

Micros = Annotated[int, msgspec.Meta(ge=-LARGEST_COUNT, le=LARGEST_COUNT)]
BLOCK = LOOKS.block_rows
GET = {name: attrgetter(name) for name in (*WORDS, *TIMES, "value")}

_RAWS = msgspec.json.Decoder(list[msgspec.Raw])
KIND_OF = {str: "text", int: "number", float: "number", type(None): "null"}


CELL_TYPES: dict[str, Any] = {
    **dict.fromkeys((*WORDS, *TIMES[::2]), str),
    **dict.fromkeys(TIMES[1::2], Micros),
    "value": float,
}
"""What a known field holds as it should be: every way to write readings is made of this table."""

Row = msgspec.defstruct(
    "Row",
    [
        (name, kind | msgspec.UnsetType | (str | None if name == "value" else None), msgspec.UNSET)
        for name, kind in CELL_TYPES.items()
    ],
    forbid_unknown_fields=True,
    gc=False,
)
"""A row as it should be; a field that is not there is UNSET."""


@lru_cache(maxsize=64)
def row_type(extras: tuple[str, ...]) -> type[msgspec.Struct]:
    """Make the type of rows that have these unknown fields beside the known ones."""
    if not extras:
        return Row
    more = [(f"extra_{number}", msgspec.Raw | msgspec.UnsetType, msgspec.UNSET) for number in range(len(extras))]
    names = {f"extra_{number}": name for number, name in enumerate(extras)}
    return msgspec.defstruct("Wider", more, bases=(Row,), rename=names, forbid_unknown_fields=True, gc=False)


@lru_cache(maxsize=64)
def _decoder(extras: tuple[str, ...]) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(list[row_type(extras)])


@lru_cache(maxsize=64)
def _line_decoder(extras: tuple[str, ...]) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(row_type(extras))


def read_rows(raw: bytes, rows: Rows, limits: Limits, site: str | None = None) -> set[Shape] | None:
    """Read a JSON array of rows into `rows`; give its shapes, or None where it is no array or holds too much.

    `site` is the sender's own site, where its rows need not name one.
    """
    if raw.count(b"{") > 2 * limits.rows or raw.count(b",") > limits.values:
        return None
    found = quick_rows(raw, rows, site)
    if found is not None:
        return found
    try:
        listed = _RAWS.decode(raw)
    except UNREADABLE:
        return None
    return block_rows([bytes(one) for one in listed], rows, limits, site)


def block_rows(listed: Sequence[bytes], rows: Rows, limits: Limits, site: str | None) -> set[Shape]:
    """Read rows in blocks, all at once or, where one of a block is not as expected, one by one."""
    shapes: set[Shape] = set()
    for start in range(0, len(listed), BLOCK):
        block = listed[start : start + BLOCK]
        before = len(rows)
        found = quick_rows(b"[" + b",".join(block) + b"]", rows, site, first=start + 1, most=len(block))
        if found is None or len(rows) - before != len(block):
            found = careful_rows(block, rows, limits, site, start + 1)
        if len(shapes) < LOOKS.shapes:
            shapes |= found
    return shapes


def quick_rows(
    raw: bytes, rows: Rows, site: str | None, *, lines: bool = False, first: int = 1, most: int | None = None
) -> set[Shape] | None:
    """Read an array of rows (or one a line) all at once; None, with nothing read, where one is not as expected.

    `first` numbers them; where `most` is given there must be just so many.
    """
    extras = None if holds_long_numeral(raw) else _extras(raw)
    if extras is None:
        return None
    try:
        listed = _line_decoder(extras).decode_lines(raw) if lines else _decoder(extras).decode(raw)
    except UNREADABLE:
        return None
    return take_structs(listed, extras, rows, site, first) if most in (None, len(listed)) else None


def take_structs(
    listed: Sequence[Any], extras: tuple[str, ...], rows: Rows, site: str | None = None, first: int = 1
) -> set[Shape] | None:
    """Take rows that were decoded as `row_type(extras)`; None where one must be looked at more closely."""
    columns: dict[str, list[Any]] = {}
    shapes: set[Shape] = set()
    for name in (*WORDS, *TIMES, "value"):
        column = list(map(GET[name], listed))
        kinds = set(map(type, column))
        if name == "value" and str in kinds:
            return None
        if kinds == {msgspec.UnsetType}:
            continue
        shapes |= {(name, KIND_OF[kind]) for kind in kinds if kind in KIND_OF}
        if msgspec.UnsetType in kinds:
            column = [None if cell is msgspec.UNSET else cell for cell in column]
        columns[name] = column
    if site is not None:
        if any(named is not None and named.strip() not in ("", site) for named in set(columns.get("site", ()))):
            return None
        columns["site"] = [site] * len(listed)
    for number, extra in enumerate(extras):
        firsts = {bytes(memoryview(cell)[:1]) for row in listed if (cell := getattr(row, f"extra_{number}"))}
        shapes |= {(clean(extra), KINDS.get(start, "number")) for start in firsts}
    rows.extend(columns, len(listed), first)
    return shapes


def careful_rows(listed: Sequence[bytes], rows: Rows, limits: Limits, site: str | None, first: int = 1) -> set[Shape]:
    """Read rows one by one; one that is no object, or too long for a row, is marked."""
    shapes: set[Shape] = set()
    for number, raw in enumerate(listed, start=first):
        cells = json_cells(raw) if len(raw) <= limits.row_bytes else None
        if cells is not None and len(shapes) < LOOKS.fields * 4:
            shapes |= shapes_of(cells)
        fields, mark = fields_of(cells, site)
        rows.add(fields, number, mark)
    return shapes


def raw_rows(raw: bytes, wanted: list[int]) -> list[str]:
    """Give some rows of a JSON array as they were written, by position."""
    listed = _RAWS.decode(raw)
    return [bytes(listed[position]).decode("utf-8", "replace") for position in wanted]


def _extras(raw: bytes) -> tuple[str, ...] | None:
    """Look at the first row for fields that no row need have; None where it cannot be read or has too many."""
    start = raw.find(b"{")
    end = raw.find(b"}", start)
    cells = json_cells(raw[start : end + 1]) if 0 <= start < end else {}
    names = tuple(sorted((cells or {}).keys() - KNOWN))
    plain = all(name.isprintable() and not set(name) & set('\\"') for name in names)  # else no type can have them
    return None if cells is None or len(names) > LOOKS.extra_fields or not plain else names
