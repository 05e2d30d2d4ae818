"""Parquet in the dataset layout, in bounded stretches: words stay dictionaries, numbers are judged by the column."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from quintet.terms.errors import BadInput

from .arrow_columns import WORDS, check_types, first_fault, is_text, stamps, values, written
from .columns import READINGS_MAY_HAVE, READINGS_NEED, check_columns
from .sift import Decoded, Numbers, Part, sift, word_array

MAGIC = b"PAR1"
STRETCH = 1 << 18
"""Rows decoded at a time: 262,144 x 7 columns are some 10 MB, whatever the size of the file's row groups."""


def parquet_readings(file: BinaryIO, name: str) -> Generator[Part]:
    """Decode a readings file; `row` is the record, counted from 1.

    Raises BadInput for a missing column, a column of a type that cannot be meant, a `ts_utc` without a zone (the whole
    file: nothing in it says which moments are meant) and a file that is damaged or truncated.
    """
    with _damage_named(name):
        found = pq.ParquetFile(file)
    schema = found.schema_arrow
    check_columns(schema.names, READINGS_NEED, name)
    check_types(schema, name)
    columns = [column for column in (*READINGS_NEED, *READINGS_MAY_HAVE) if column in schema.names]
    words = [column for column in WORDS if column in columns and is_text(schema.field(column).type)]
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


def _part(batch: pa.RecordBatch, name: str, row: int) -> Part:
    """Decode one batch whose first record is number `row`."""
    batch.validate(full=True)  # bytes that are no text would surface far from here
    at, time_marks = stamps(batch.column("ts_utc"))
    value, value_marks = values(batch.column("value"))
    marks = first_fault(time_marks, value_marks)
    words = {column: word_array(batch.column(column)) for column in WORDS[:4] if column in batch.schema.names}

    def originals(rows: Numbers) -> list[dict[str, Any]]:
        bad = batch.take(pa.array(rows))
        if pa.types.is_timestamp(batch.schema.field("ts_utc").type):
            bad = bad.set_column(bad.schema.get_field_index("ts_utc"), "ts_utc", written(bad.column("ts_utc")))
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
