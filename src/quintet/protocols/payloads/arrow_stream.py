"""Arrow streams: columns as they lie, checked before they are used, and no bytes that unpack to more than was sent."""

import struct
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from quintet.protocols.arrow_columns import check_types, first_fault, is_text, stamps, values, written
from quintet.protocols.columns import READINGS_NEED, check_columns
from quintet.protocols.faults import NUMBER, Marks, as_json
from quintet.protocols.sift import Decoded, word_array
from quintet.terms.errors import BadInput

from .cells import clean
from .columnar import too_many
from .payload import Limits, Payload, joined, nothing
from .rows import SAFE_DIGITS, WORDS, number_of, settle_columns, within_calendar

NEED = ("site", "meter", "value")
TAKEN = (*WORDS, "ts_utc", "ts_us", "sent_at", "sent_at_us", "value")
NAME = "body"
RECORD_BATCH, DICTIONARY = "record batch", "dictionary"
COMPRESSION_SLOT = 3
"""The field of a RecordBatch that says its buffers are compressed (Arrow's Message.fbs)."""


def arrow_rows(body: bytes, limits: Limits, source: str) -> Payload:
    """Decode an Arrow stream. Raises BadInput where it is damaged, lacks a column, or has one of a type not meant."""
    try:
        check_uncompressed(body)
        with pa.ipc.open_stream(pa.py_buffer(body)) as stream:
            check_schema(stream.schema)
            taken = [name for name in TAKEN if name in stream.schema.names]
            parts: list[Payload] = []
            count = 0
            for batch in stream:
                count += batch.num_rows
                if count > limits.rows:
                    too_many(limits)
                chosen = batch.select(taken)
                chosen.validate(full=True)
                parts.append(_part(chosen, count - batch.num_rows, source))
            shapes = {(clean(field.name), kind_of(field.type)) for field in stream.schema}
    except (pa.ArrowException, OSError, UnicodeDecodeError, struct.error, OverflowError) as error:
        raise damaged(error) from error
    return (
        joined([nothing(shapes), *parts])
        if len(parts) != 1
        else Payload(parts[0].readings, parts[0].refused, frozenset(shapes), parts[0].rows)
    )


def damaged(error: Exception) -> BadInput:
    """Say that the bytes are no whole Arrow stream."""
    return BadInput(
        f"is no whole Arrow stream: {str(error).partition(chr(10))[0][:200]}",
        code="damaged_body",
        place=NAME,
        remedy="Write it with an IPC stream writer and send it again; nothing of it was taken.",
    )


def check_schema(schema: pa.Schema) -> None:
    """Refuse a stream that lacks a column, names one twice, or has one of a type that cannot be meant."""
    names = [clean(name) for name in schema.names]
    time = "ts_us" if "ts_us" in names else "ts_utc"
    check_columns(names, (*NEED, time) if time == "ts_us" else READINGS_NEED, NAME)
    if "ts_us" in names and "ts_utc" in names:
        raise BadInput("has both ts_utc and ts_us.", code="two_times", place=NAME, remedy="Keep one of the two.")
    check_types(schema, NAME, counts=("ts_us", "sent_at_us"), stamps=("ts_utc", "sent_at"))


def check_uncompressed(body: bytes) -> None:
    """Refuse buffers compressed inside of the stream: what they unpack to has no bound."""
    for message in pa.ipc.MessageReader.open_stream(pa.py_buffer(body)):
        if message.type in (RECORD_BATCH, DICTIONARY) and compressed(message.metadata.to_pybytes(), message.type):
            raise BadInput(
                "has buffers that are compressed inside of the stream.",
                code="compressed_buffers",
                place=NAME,
                remedy="Write it without compression and send it with Content-Encoding: zstd.",
            )


def compressed(metadata: bytes, kind: str) -> bool:
    """Look into a message's flatbuffer for a compression; raises struct.error where it is no such thing."""
    message = struct.unpack_from("<I", metadata, 0)[0]
    header = _table_field(metadata, message, 2)
    if header is None:
        return False
    batch = header + struct.unpack_from("<I", metadata, header)[0]
    if kind == DICTIONARY:
        inner = _table_field(metadata, batch, 1)
        if inner is None:
            return False
        batch = inner + struct.unpack_from("<I", metadata, inner)[0]
    return _table_field(metadata, batch, COMPRESSION_SLOT) is not None


def _table_field(metadata: bytes, table: int, slot: int) -> int | None:
    """Find where a flatbuffer table's field stands; None where it is not there."""
    vtable = table - struct.unpack_from("<i", metadata, table)[0]
    if vtable < 0:
        raise struct.error("a table without a list of fields")
    size = struct.unpack_from("<H", metadata, vtable)[0]
    at = 4 + 2 * slot
    offset = struct.unpack_from("<H", metadata, vtable + at)[0] if at + 2 <= size else 0
    return table + offset if offset else None


def _part(batch: pa.RecordBatch, before: int, source: str) -> Payload:
    """Decode one batch whose first record is number `before` + 1."""
    names = batch.schema.names
    at, marks = _moments(batch, "ts_utc", "ts_us", "bad_time")
    value, value_marks = _values(batch.column("value"))
    sent = None
    if "sent_at" in names or "sent_at_us" in names:
        sent, clock = _moments(batch, "sent_at", "sent_at_us", "bad_clock")
        clock[clock > 0] = NUMBER["bad_clock"]
        value_marks = first_fault(value_marks, clock)
    decoded = Decoded(
        site=word_array(batch.column("site")),
        meter=word_array(batch.column("meter")),
        at=at,
        value=value,
        commodity=word_array(batch.column("commodity")) if "commodity" in names else None,
        unit=word_array(batch.column("unit")) if "unit" in names else None,
        row=np.arange(before + 1, before + 1 + batch.num_rows, dtype=np.int64),
        marks=first_fault(marks, value_marks),
    )

    def originals(rows: list[int]) -> list[str]:
        bad = batch.take(pa.array(rows, pa.int64()))
        for at, field in enumerate(bad.schema):
            if pa.types.is_timestamp(field.type):
                bad = bad.set_column(at, field.name, written(bad.column(at)))
        return [as_json(row) for row in bad.to_pylist()]

    return settle_columns(decoded, sent, frozenset(), source, originals)


def _moments(batch: pa.RecordBatch, stamp: str, count: str, code: str) -> tuple[pa.Array, Marks]:
    """Read a column of stamps or of microseconds."""
    marks = np.zeros(batch.num_rows, np.uint8)
    if count in batch.schema.names:
        column = batch.column(count)
        if column.type == pa.uint64():  # beyond 2^63 there is no moment
            column = pc.if_else(
                pc.less(column, pa.scalar(1 << 62, pa.uint64())), column, pa.scalar(1 << 62, pa.uint64())
            )
        return within_calendar(pc.cast(column, pa.int64()), marks, code)
    at, found = stamps(batch.column(stamp))
    return within_calendar(at, marks if found is None else found, code)


def _values(column: pa.Array) -> tuple[pa.Array, Marks | None]:
    """Read values; texts and decimals of more digits than a double holds are looked at one by one."""
    if pa.types.is_decimal(column.type):
        column = pc.cast(column, pa.string())
    value, marks = values(column)
    if is_text(column.type):
        texts = pc.cast(column, pa.string())
        long = pc.or_(
            pc.greater(pc.binary_length(texts), SAFE_DIGITS), pc.match_substring(texts, "e", ignore_case=True)
        )
        rest = np.flatnonzero(pc.fill_null(long, False).to_numpy(zero_copy_only=False))
        if len(rest):
            marks = np.zeros(len(value), np.uint8) if marks is None else marks
            for row, text in zip(rest.tolist(), texts.take(pa.array(rest)).to_pylist(), strict=True):
                marks[row] = number_of(text)[1]
    return value, marks


def kind_of(kind: pa.DataType) -> str:
    """Name an Arrow type as shapes do."""
    inner = kind.value_type if pa.types.is_dictionary(kind) else kind
    tests: list[tuple[str, Any]] = [
        ("null", pa.types.is_null),
        ("bool", pa.types.is_boolean),
        ("number", pa.types.is_integer),
        ("number", pa.types.is_floating),
        ("number", pa.types.is_decimal),
        ("array", pa.types.is_list),
        ("array", pa.types.is_large_list),
        ("bytes", pa.types.is_binary),
        ("bytes", pa.types.is_large_binary),
        ("object", pa.types.is_struct),
        ("object", pa.types.is_map),
    ]
    return next((name for name, test in tests if test(inner)), "text")
