"""Parquet in the dataset layout, in bounded stretches: words stay dictionaries, numbers are judged by the column."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from quintet.terms.errors import BadInput
from quintet.terms.tables import MOMENT

from .columns import READINGS_MAY_HAVE, READINGS_NEED, check_columns
from .faults import NUMBER, Marks
from .sift import Decoded, Numbers, Part, sift, word_array
from .words import moments, numbers

MAGIC = b"PAR1"
STRETCH = 1 << 18
"""Rows decoded at a time: 262,144 x 7 columns are some 10 MB, whatever the size of the file's row groups."""
PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6}
YEARS = (-62_135_596_800, 253_402_300_800)
"""The years 1 .. 9999 in seconds since 1970 UTC: what a date can say."""
WORDS = ("site", "meter", "commodity", "unit", "building")


def parquet_readings(file: BinaryIO, name: str) -> Generator[Part]:
    """Decode a readings file; `row` is the record, counted from 1.

    Raises BadInput for a missing column, a column of a type that cannot be meant, a `ts_utc` without a zone (the whole
    file: nothing in it says which moments are meant) and a file that is damaged or truncated.
    """
    with _damage_named(name):
        found = pq.ParquetFile(file)
    schema = found.schema_arrow
    check_columns(schema.names, READINGS_NEED, name)
    _check_types(schema, name)
    columns = [column for column in (*READINGS_NEED, *READINGS_MAY_HAVE) if column in schema.names]
    words = [column for column in WORDS if column in columns and _is_text(schema.field(column).type)]
    with _damage_named(name):
        source = pq.ParquetFile(file, metadata=found.metadata, read_dictionary=words)
    batches = source.iter_batches(batch_size=STRETCH, columns=columns)
    row = 1
    while True:
        with _damage_named(name):
            batch = next(batches, None)
            part = None if batch is None else _part(batch, name, row)
        if batch is None or part is None:
            return
        yield part
        row += batch.num_rows


def parquet_table(file: BinaryIO, name: str, needed: Sequence[str]) -> pa.Table:
    """Read a small table (meters, a map) whole, with the columns it must have; words as plain strings."""
    with _damage_named(name):
        source = pq.ParquetFile(file)
        check_columns(source.schema_arrow.names, needed, name)
        table = source.read()
    for at, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            table = table.set_column(at, field.name, table[field.name].cast(field.type.value_type))
    return table


@contextmanager
def _damage_named(name: str) -> Generator[None]:
    """Say of which file a reader's error is."""
    try:
        yield
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise BadInput(
            f"is damaged or truncated: {str(error).partition(chr(10))[0]}",
            code="damaged_file",
            place=name,
            remedy="Copy or export it again; nothing of it was taken.",
        ) from error


def _check_types(schema: pa.Schema, name: str) -> None:
    """Refuse columns whose type cannot be meant."""
    stamp = schema.field("ts_utc").type
    if pa.types.is_timestamp(stamp) and stamp.tz is None:
        raise BadInput(
            "ts_utc has no time zone, so its stamps could mean several moments.",
            code="naive_time",
            place=name,
            remedy="Write it as a timestamp with a zone (UTC), or as text such as 2025-01-31T12:00:00+09:00.",
        )
    wanted = {"ts_utc": "a timestamp with a zone", "value": "a number"}
    fits = {
        "ts_utc": pa.types.is_timestamp(stamp) or _is_text(stamp),
        "value": _is_number(schema.field("value").type) or _is_text(schema.field("value").type),
    }
    for column in (column for column in WORDS if column in schema.names):
        kind = schema.field(column).type
        wanted[column], fits[column] = "text", _is_text(kind) or pa.types.is_integer(kind) or pa.types.is_null(kind)
    for column, fine in fits.items():
        if not fine:
            raise BadInput(
                f"{column} is {schema.field(column).type}, not {wanted[column]}.",
                code="wrong_type",
                place=name,
                remedy=f"Write {column} as {wanted[column]}.",
            )


def _part(batch: pa.RecordBatch, name: str, row: int) -> Part:
    """Decode one batch whose first record is number `row`."""
    batch.validate(full=True)  # bytes that are no text would surface far from here
    at, time_marks = _moments(batch.column("ts_utc"))
    value, value_marks = _values(batch.column("value"))
    marks = _first(time_marks, value_marks)
    words = {column: word_array(batch.column(column)) for column in WORDS[:4] if column in batch.schema.names}

    def originals(rows: Numbers) -> list[dict[str, Any]]:
        bad = batch.take(pa.array(rows))
        if pa.types.is_timestamp(batch.schema.field("ts_utc").type):
            bad = bad.set_column(bad.schema.get_field_index("ts_utc"), "ts_utc", _written(bad.column("ts_utc")))
        return bad.to_pylist()

    decoded = Decoded(
        site=words["site"],
        meter=words["meter"],
        at=at,
        value=value,
        commodity=words.get("commodity"),
        unit=words.get("unit"),
        row=np.arange(row, row + batch.num_rows, dtype=np.int64),
        marks=marks,
    )
    return sift(decoded, name, originals)


def _moments(column: pa.Array) -> tuple[pa.Array, Marks | None]:
    """Give stamps in microseconds, digits below cut; text is read as text. A year beyond 1 .. 9999 is bad_time."""
    if _is_text(column.type):
        return moments(_plain(column))
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


def _written(column: pa.Array) -> pa.Array:
    """Write stamps as RFC 3339 text in UTC."""
    texts = pc.cast(pc.cast(pc.cast(column, pa.int64()), pa.timestamp(column.type.unit)), pa.string())
    dated = pc.replace_substring_regex(texts, r"^(\d+-\d+-\d+) ", r"\1T")
    return pc.binary_join_element_wise(dated, "Z", "")


def _values(column: pa.Array) -> tuple[pa.Array, Marks | None]:
    """Give values as doubles; a single-precision number means the shortest decimal that gives it."""
    if _is_text(column.type):
        return numbers(_plain(column), decimal_comma=False)
    if pa.types.is_floating(column.type) and column.type.bit_width < 64:
        return pc.cast(pc.cast(column, pa.string()), pa.float64()), None
    return pc.cast(column, pa.float64(), safe=False), None


def _plain(column: pa.Array) -> pa.Array:
    return pc.cast(column, pa.string())


def _is_text(kind: pa.DataType) -> bool:
    inner = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(inner) or pa.types.is_large_string(inner))


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _first(one: Marks | None, other: Marks | None) -> Marks | None:
    """Join two columns' faults: of a row with both, the one named first."""
    if one is None or other is None:
        return other if one is None else one
    return np.where((one > 0) & ((other == 0) | (one < other)), one, other)
