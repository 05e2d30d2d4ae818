"""JSON columns and meters' values that are as they should be: the whole body is decoded in one go."""

from collections.abc import Iterable
from typing import Any

import msgspec

from .cells import UNREADABLE, Cell, Shape
from .columnar import Table, spread
from .json_rows import KIND_OF, Micros
from .payload import Limits
from .rows import KNOWN, Rows, holds_long_numeral

Texts = list[str | None] | str | msgspec.UnsetType
Counts = list[Micros | None] | Micros | msgspec.UnsetType
Found = set[Shape]


class Common(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """What may stand beside the meters' values: a list, or one word for all."""

    site: Texts = msgspec.UNSET
    ts_utc: Texts = msgspec.UNSET
    ts_us: Counts = msgspec.UNSET
    sent_at: Texts = msgspec.UNSET
    sent_at_us: Counts = msgspec.UNSET
    unit: Texts = msgspec.UNSET
    commodity: Texts = msgspec.UNSET


class WholeColumns(Common, forbid_unknown_fields=True, gc=False):
    """Columns as they should be."""

    meter: Texts = msgspec.UNSET
    value: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class ColumnsBody(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A body of columns."""

    columns: WholeColumns


class MetersBody(Common, forbid_unknown_fields=True, gc=False, kw_only=True):
    """A body of meters' values, beside what holds for all of them."""

    meters: dict[str, float | list[float | None] | None]


_COLUMNS = msgspec.json.Decoder(ColumnsBody)
_VALUES = msgspec.json.Decoder(list[float | None])
_METERS = msgspec.json.Decoder(MetersBody)
LISTED = tuple(sorted(KNOWN - {"value"}))
BESIDE = tuple(sorted(KNOWN - {"meter", "value"}))


def quick_columns(text: bytes, rows: Rows, limits: Limits, site: str | None) -> Found | None:
    """Read {"columns": ...} in one go and give its shapes; None, with nothing read, where it is not as expected."""
    body = _decoded(_COLUMNS, text, limits)
    if body is None:
        return None
    table = _table(body.columns, LISTED, limits)
    if body.columns.value is not msgspec.UNSET:
        raw = bytes(body.columns.value)
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


def _table(fields: Common, names: Iterable[str], limits: Limits) -> Table:
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
