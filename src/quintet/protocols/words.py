"""Columns of text as moments and numbers: the whole column at once, value by value only where one cannot be read."""

import re
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from quintet.terms.tables import MOMENT

from .faults import NUMBER, Marks

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NUMERAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(nan|inf|infinity)", re.ASCII | re.IGNORECASE)
PLAIN_STAMP = (
    r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])[T ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
    r"(\.[0-9]{1,6})?(Z|[+-](0[0-9]|1[0-3]):[0-5][0-9])$"
)
"""Stamps that can certainly be read as a column; all others are read one by one."""
WITH_COMMA = r"^([+-]?\d*),(\d+(?:[eE][+-]?\d+)?)$"


def trimmed(texts: pa.Array) -> pa.Array:
    """Give texts without blanks around them; one that says nothing becomes null."""
    bare = pc.utf8_trim_whitespace(texts)
    return pc.if_else(pc.equal(bare, ""), pa.scalar(None, pa.string()), bare)


def moments(texts: pa.Array) -> tuple[pa.Array, Marks]:
    """Read RFC 3339 stamps with an offset: timestamps (us, UTC), null where there is none, and a fault for each.

    A stamp without an offset is naive_time, one that cannot be read bad_time. Digits below a microsecond are cut.
    """
    bare = trimmed(texts)
    marks = np.zeros(len(bare), np.uint8)
    try:
        return pc.cast(bare, MOMENT), marks
    except pa.ArrowInvalid:
        pass
    plain = pc.match_substring_regex(bare, PLAIN_STAMP)
    read = pc.cast(pc.if_else(plain, bare, pa.scalar(None, pa.string())), MOMENT)
    at = pc.fill_null(pc.cast(read, pa.int64()), 0).to_numpy(zero_copy_only=False).copy()
    empty = bare.is_null().to_numpy(zero_copy_only=False).copy()
    rest = np.flatnonzero(~pc.fill_null(plain, True).to_numpy(zero_copy_only=False))
    for row, text in zip(rest.tolist(), bare.take(pa.array(rest)).to_pylist(), strict=True):
        moment, code = moment_of(text)
        marks[row] = NUMBER[code]
        if moment is None:
            empty[row] = True
        else:
            at[row] = moment
    return pa.array(at, pa.int64(), mask=empty).cast(MOMENT), marks


def numbers(texts: pa.Array, *, decimal_comma: bool) -> tuple[pa.Array, Marks]:
    """Read decimals: doubles, null where there is none, and a fault for each (bad_value where it is no number).

    With `decimal_comma` a single comma is read as the decimal mark; a comma beside a point, or several, is no number,
    because nobody can say which of them parts thousands.
    """
    bare = trimmed(texts)
    marks = np.zeros(len(bare), np.uint8)
    if decimal_comma:
        bare = pc.replace_substring_regex(bare, WITH_COMMA, r"\1.\2")
    try:
        return pc.cast(bare, pa.float64()), marks
    except pa.ArrowInvalid:
        pass
    values: list[float | None] = []
    for row, text in enumerate(bare.to_pylist()):
        fine = text is None or NUMERAL.fullmatch(text) is not None
        values.append(float(text) if fine and text is not None else None)
        marks[row] = 0 if fine else NUMBER["bad_value"]
    return pa.array(values, pa.float64()), marks


def moment_of(text: str) -> tuple[int | None, str]:
    """Read one stamp: microseconds since 1970 and no fault, or no moment and the fault's code."""
    try:
        moment = datetime.fromisoformat(text.upper())
        if moment.tzinfo is None:
            return None, "naive_time"
        return (moment - EPOCH) // timedelta(microseconds=1), ""
    except (ValueError, OverflowError):
        return None, "bad_time"
