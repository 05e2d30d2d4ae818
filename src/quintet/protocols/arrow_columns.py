"""Arrow columns as readings: which types can be meant, stamps in microseconds, values as doubles."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from quintet.terms.errors import BadInput
from quintet.terms.tables import MOMENT

from .faults import NUMBER, Marks
from .words import moments, numbers

PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6}
YEARS = (-62_135_596_800, 253_402_300_800)
"""The years 1 .. 9999 in seconds since 1970 UTC: what a date can say."""
WORDS = ("site", "meter", "commodity", "unit", "building")


def check_types(schema: pa.Schema, name: str, stamps: Sequence[str] = ("ts_utc",), counts: Sequence[str] = ()) -> None:
    """Refuse columns whose type cannot be meant; `stamps` are moments, `counts` moments as whole microseconds."""
    wanted: dict[str, str] = {}
    fits: dict[str, bool] = {}
    for column in (column for column in stamps if column in schema.names):
        kind = schema.field(column).type
        if pa.types.is_timestamp(kind) and kind.tz is None:
            raise BadInput(
                f"{column} has no time zone, so its stamps could mean several moments.",
                code="naive_time",
                place=name,
                remedy="Write it as a timestamp with a zone (UTC), or as text such as 2025-01-31T12:00:00+09:00.",
            )
        wanted[column], fits[column] = "a timestamp with a zone", pa.types.is_timestamp(kind) or is_text(kind)
    for column in (column for column in counts if column in schema.names):
        wanted[column], fits[column] = "whole microseconds", pa.types.is_integer(schema.field(column).type)
    kind = schema.field("value").type
    wanted["value"], fits["value"] = "a number", is_number(kind) or is_text(kind)
    for column in (column for column in WORDS if column in schema.names):
        kind = schema.field(column).type
        wanted[column], fits[column] = "text", is_text(kind) or pa.types.is_integer(kind) or pa.types.is_null(kind)
    for column, fine in fits.items():
        if not fine:
            raise BadInput(
                f"{column} is {schema.field(column).type}, not {wanted[column]}.",
                code="wrong_type",
                place=name,
                remedy=f"Write {column} as {wanted[column]}.",
            )


def stamps(column: pa.Array) -> tuple[pa.Array, Marks | None]:
    """Give stamps in microseconds, digits below cut; text is read as text. A year beyond 1 .. 9999 is bad_time."""
    if is_text(column.type):
        return moments(plain(column))
    if column.type.unit == "ns":
        column = _microseconds(column)
    count = pc.cast(column, pa.int64())
    first, last = (limit * PER_SECOND[column.type.unit] for limit in YEARS)
    span = pc.min_max(count)
    if count.null_count == len(count) or (span["min"].as_py() >= first and span["max"].as_py() < last):
        return pc.cast(column, MOMENT), None
    far = pc.fill_null(pc.or_(pc.less(count, first), pc.greater_equal(count, last)), False)
    at = pc.cast(pc.if_else(far, pa.scalar(None, column.type), column), MOMENT)
    return at, np.where(far.to_numpy(zero_copy_only=False), NUMBER["bad_time"], 0).astype(np.uint8)


def _microseconds(column: pa.Array) -> pa.Array:
    """Cut nanoseconds downwards, without the system's table of zones that Arrow's own rounding asks for."""
    empty = column.is_null().to_numpy(zero_copy_only=False)
    count = pc.fill_null(pc.cast(column, pa.int64()), 0).to_numpy() // 1000
    return pa.array(count, pa.int64(), mask=empty).cast(MOMENT)


def written(column: pa.Array) -> pa.Array:
    """Write stamps as RFC 3339 text in UTC."""
    texts = pc.cast(pc.cast(pc.cast(column, pa.int64()), pa.timestamp(column.type.unit)), pa.string())
    dated = pc.replace_substring_regex(texts, r"^(\d+-\d+-\d+) ", r"\1T")
    return pc.binary_join_element_wise(dated, "Z", "")


def values(column: pa.Array) -> tuple[pa.Array, Marks | None]:
    """Give values as doubles; a single-precision number means the shortest decimal that gives it."""
    if is_text(column.type):
        return numbers(plain(column), decimal_comma=False)
    if pa.types.is_floating(column.type) and column.type.bit_width < 64:
        return pc.cast(pc.cast(column, pa.string()), pa.float64()), None
    return pc.cast(column, pa.float64(), safe=False), None


def plain(column: pa.Array) -> pa.Array:
    """Give words as plain strings."""
    return pc.cast(column, pa.string())


def is_text(kind: pa.DataType) -> bool:
    """Say whether a type is text, or a dictionary of texts."""
    inner = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(inner) or pa.types.is_large_string(inner))


def is_number(kind: pa.DataType) -> bool:
    """Say whether a type is a number."""
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def first_fault(one: Marks | None, other: Marks | None) -> Marks | None:
    """Join two columns' faults: of a row with both, the one named first."""
    if one is None or other is None:
        return other if one is None else one
    return np.where((one > 0) & ((other == 0) | (one < other)), one, other)
