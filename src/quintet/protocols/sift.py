"""Decoded columns to good readings and named bad rows: whole columns at once, no work per row where all are good."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from quintet.terms.amount import LARGEST
from quintet.terms.tables import MOMENT, READINGS

from .faults import NUMBER, Marks, quarantine

WORD = pa.dictionary(pa.int32(), pa.string())
CODED_READINGS = pa.schema([field.with_type(WORD) if field.type == pa.string() else field for field in READINGS])
"""READINGS with its words as dictionaries: a meter's name is said once a table, not once a row."""

Part = tuple[pa.Table, pa.Table]
"""Good rows (CODED_READINGS) and those that could not be taken (QUARANTINE), of one bounded stretch of a source."""
Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Decoded:
    """One stretch of readings, column by column, each as long as the others.

    Words are dictionary arrays (null: nothing said; None: the source has no such column); `at` is timestamps (us, UTC)
    and `value` doubles, null where nothing stood or nothing could be read, `marks` then says why. `row` counts from 1.
    """

    site: pa.Array
    meter: pa.Array
    at: pa.Array
    value: pa.Array
    commodity: pa.Array | None
    unit: pa.Array | None
    row: Numbers
    marks: Marks | None = None


def sift(decoded: Decoded, name: str, originals: Callable[[Numbers], list[dict[str, Any]]]) -> Part:
    """Part good rows from bad ones; `originals` gives the rows at some positions as they were read."""
    marks = faults_of(decoded)
    table = coded_table(decoded)
    if marks is None:
        return table, quarantine(name, [], np.zeros(0, np.uint8), [])
    bad = np.flatnonzero(marks)
    good = table.filter(pa.array(marks == 0))
    return good, quarantine(name, decoded.row[bad].tolist(), marks[bad], originals(bad))


def word_array(texts: pa.Array) -> pa.Array:
    """Give words as a dictionary array with 32-bit codes; blank and empty words become null."""
    if not pa.types.is_dictionary(texts.type):
        texts = texts.cast(pa.string()).dictionary_encode()
    words, codes = texts.dictionary.cast(pa.string()), texts.indices.cast(pa.int32())
    bare = pc.utf8_trim_whitespace(words)
    if words.null_count or not bare.equals(words) or pc.any(pc.equal(bare, "")).as_py():
        plain = pc.take(pc.if_else(pc.equal(bare, ""), pa.scalar(None, pa.string()), bare), codes)
        return plain.dictionary_encode()
    return pa.DictionaryArray.from_arrays(codes, words)


def faults_of(decoded: Decoded) -> Marks | None:
    """Name the first fault of every row, in the order of FAULTS; None where no row has one."""
    value = decoded.value.to_numpy(zero_copy_only=False)
    within = np.abs(value) <= LARGEST  # false for NaN, infinity and null
    whole = not (decoded.at.null_count or decoded.site.null_count or decoded.meter.null_count)
    if whole and within.all() and (decoded.marks is None or not decoded.marks.any()):
        return None
    marks = np.zeros(len(value), np.uint8)
    said = decoded.marks if decoded.marks is not None else marks
    no_value = _null(decoded.value)
    checks = [
        ("no_meter", _null(decoded.site) | _null(decoded.meter)),
        ("no_time", _null(decoded.at) & ~np.isin(said, [NUMBER["naive_time"], NUMBER["bad_time"]])),
        ("no_value", no_value & (said != NUMBER["bad_value"])),
        ("not_finite", ~np.isfinite(value) & ~no_value),
        ("out_of_range", ~within),
    ]
    marks[:] = said
    for code, hit in checks:
        number = NUMBER[code]
        marks[hit & ((marks == 0) | (marks > number))] = number
    return marks


def _null(column: pa.Array) -> npt.NDArray[np.bool_]:
    return np.asarray(column.is_null().to_numpy(zero_copy_only=False), np.bool_)


def coded_table(decoded: Decoded) -> pa.Table:
    """Give the columns as CODED_READINGS, good rows and bad ones."""
    count = len(decoded.row)
    missing = pa.DictionaryArray.from_arrays(pa.nulls(count, pa.int32()), pa.array([], pa.string()))
    columns = {
        "site": decoded.site,
        "meter": decoded.meter,
        "at": decoded.at.cast(MOMENT),
        "value": decoded.value,
        "commodity": missing if decoded.commodity is None else decoded.commodity,
        "unit": missing if decoded.unit is None else decoded.unit,
        "row": pa.array(decoded.row),
    }
    return pa.Table.from_arrays([columns[field.name] for field in CODED_READINGS], schema=CODED_READINGS)
