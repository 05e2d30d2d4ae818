"""Whole columns of sub-units as the exact text that people read, without a step in Python for each cell."""

import pyarrow as pa
import pyarrow.compute as pc

from quintet.terms.tables import SUM
from quintet.terms.unit import units


def decimal_texts(amounts: pa.ChunkedArray, unit: pa.ChunkedArray) -> pa.Array:
    """Write a column of sub-units (decimal, nulls kept) in the units that another column names, as `Unit` does."""
    names = unit.combine_chunks()
    whole = amounts.cast(SUM).combine_chunks()
    out = pa.nulls(len(whole), pa.string())
    for places in sorted({units()[name].decimals for name in pc.unique(names).to_pylist()}):
        fitting = pa.array([name for name in pc.unique(names).to_pylist() if units()[name].decimals == places])
        out = pc.if_else(pc.is_in(names, fitting), _texts(whole, places), out)
    return out


def _texts(whole: pa.Array, places: int) -> pa.Array:
    """Write whole numbers with a decimal point that many places from their end, without trailing zeros."""
    # the same 128 bits, read with another scale: no arithmetic, so nothing can be rounded
    scaled = pa.Array.from_buffers(
        pa.decimal128(38, places), len(whole), whole.buffers(), whole.null_count, whole.offset
    )
    text = scaled.cast(pa.string())
    return pc.utf8_rtrim(pc.utf8_rtrim(text, "0"), ".") if places else text
