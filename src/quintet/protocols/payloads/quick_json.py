"""JSON columns and meters' values that are as they should be: the whole body is decoded in one go."""

from collections.abc import Iterable
from typing import Any

import msgspec

from .cells import UNREADABLE, Cell, Shape
from .columnar import COLUMN_TYPES, Table, spread
from .json_rows import CELL_TYPES, KIND_OF
from .payload import Limits
from .rows import KNOWN, SHARED, Rows, holds_long_numeral

Found = set[Shape]


def _fields(names: Iterable[str]) -> list[tuple[str, Any, Any]]:
    """Give struct fields for columns: each a list, or one word for all."""
    return [(name, COLUMN_TYPES[name] | CELL_TYPES[name] | msgspec.UnsetType, msgspec.UNSET) for name in names]


LISTED = tuple(sorted(KNOWN - {"value"}))
BESIDE = tuple(sorted(SHARED))
_STRICT: dict[str, Any] = {"forbid_unknown_fields": True, "gc": False, "kw_only": True}
_VALUE = ("value", msgspec.Raw | msgspec.UnsetType, msgspec.UNSET)
_METER = ("meters", dict[str, float | list[float | None] | None])
_COLUMNS = msgspec.json.Decoder(msgspec.defstruct("WholeColumns", [*_fields(LISTED), _VALUE], **_STRICT))
_METERS = msgspec.json.Decoder(msgspec.defstruct("MetersBody", [_METER, *_fields(BESIDE)], **_STRICT))
_VALUES = msgspec.json.Decoder(COLUMN_TYPES["value"])


def quick_columns(raw_columns: bytes, rows: Rows, limits: Limits, site: str | None) -> Found | None:
    """Read columns in one go and give their shapes; None, with nothing read, where they are not as expected."""
    columns = _decoded(_COLUMNS, raw_columns, limits)
    if columns is None:
        return None
    table = _table(columns, LISTED, limits)
    if columns.value is not msgspec.UNSET:
        raw = bytes(columns.value)
        values = None if holds_long_numeral(raw) else _decoded(_VALUES, raw, limits)
        if values is None:
            return None
        _put(table, "value", values)
    table.gather(rows, site)
    return table.shapes


def quick_meters(text: bytes, rows: Rows, limits: Limits, site: str | None) -> Found | None:
    """Read {"meters": ...} in one go and give its shapes; None, with nothing read, where it is not as expected."""
    body = None if holds_long_numeral(text) else _decoded(_METERS, text, limits)
    if body is None:
        return None
    table = _table(body, BESIDE, limits)
    spread(table, body.meters, list(body.meters.values()))
    table.gather(rows, site)
    return table.shapes


def _decoded(decoder: msgspec.json.Decoder[Any], text: bytes, limits: Limits) -> Any:
    """Decode a text that holds no more values than allowed; None where it is otherwise."""
    if len(text) > limits.values and text.count(b",") > limits.values:
        return None
    try:
        return decoder.decode(text)
    except UNREADABLE:
        return None


def _table(fields: Any, names: Iterable[str], limits: Limits) -> Table:
    """Gather lists, and words that stand for all rows."""
    table = Table(limits)
    for name in names:
        column = getattr(fields, name)
        if isinstance(column, list):
            _put(table, name, column)
        elif column is not msgspec.UNSET:
            one: Cell = (KIND_OF[type(column)], str(column))
            table.ones[name] = one
            table.shapes.add((name, one[0]))
    return table


def _put(table: Table, name: str, column: list[Any]) -> None:
    table.lists[name] = column
    table.shapes |= {(name, KIND_OF[kind]) for kind in set(map(type, column))}
