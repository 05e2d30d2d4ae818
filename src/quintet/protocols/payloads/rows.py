"""Rows gathered as lists, from whatever format, and settled as one table: good readings and named bad rows."""

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from math import isfinite
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from quintet.protocols.faults import CODES, FAULTS, NUMBER, Marks
from quintet.protocols.sift import Decoded, coded_table, faults_of, word_array
from quintet.protocols.words import NUMERAL, moments
from quintet.terms.amount import LARGEST
from quintet.terms.tables import MOMENT, QUARANTINE

from .payload import MESSAGE, SENT_AT, STAMPED, Payload, Shapes

WORDS = ("site", "meter", "commodity", "unit")
TIMES = ("ts_utc", "ts_us", "sent_at", "sent_at_us")
COLUMNS = (*WORDS, *TIMES, "value")
KNOWN = frozenset(COLUMNS)
"""The fields of a row; any other is kept out of the readings and reported among the shapes."""
SHARED = tuple(name for name in COLUMNS if name not in ("meter", "value"))
"""What may hold for many readings at once."""
EARLIEST_US, LATEST_US = -62_135_596_800_000_000, 253_402_300_800_000_000
"""The years 1 .. 9999: what a date can say."""
SAFE_DIGITS = 15
LONGEST_NUMERAL = 400
LONG_NUMERAL, TINY_NUMERAL = b"0" * (SAFE_DIGITS + 2), b"e-000"

DIGITS = bytes(
    0x30 if byte in b"0123456789." else byte | 0x20 if byte in b"eE" else byte if byte == 0x2D else 0x20
    for byte in range(256)
)
"""Makes all digits and points the same digit, and all but an exponent's letter and sign blank."""

Originals = Callable[[list[int]], list[str]]
"""Gives the original texts of rows, by their positions."""
Sources = str | Originals
"""The sender of all rows, or what gives the senders of rows, by their positions."""


class Rows:
    """Readings as lists of equal length, one a field; `mark` is a row's fault so far (faults.NUMBER), 0 for none."""

    __slots__ = (
        "commodity",
        "mark",
        "meter",
        "row",
        "sent_at",
        "sent_at_us",
        "site",
        "stamped",
        "ts_us",
        "ts_utc",
        "unit",
        "value",
    )

    def __init__(self) -> None:
        """Start without rows."""
        self.site: list[str | None] = []
        self.meter: list[str | None] = []
        self.commodity: list[str | None] = []
        self.unit: list[str | None] = []
        self.ts_utc: list[str | None] = []
        self.ts_us: list[int | None] = []
        self.sent_at: list[str | None] = []
        self.sent_at_us: list[int | None] = []
        self.value: list[float | None] = []
        self.row: list[int] = []
        self.mark: list[int] = []
        self.stamped: list[int] = []
        """Positions of rows whose `ts_us` is the moment of receipt."""

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.row)

    def add(self, fields: dict[str, Any], row: int, mark: int) -> None:
        """Add one row; a field that is not given is missing."""
        get = fields.get
        self.site.append(get("site"))
        self.meter.append(get("meter"))
        self.commodity.append(get("commodity"))
        self.unit.append(get("unit"))
        self.ts_utc.append(get("ts_utc"))
        self.ts_us.append(get("ts_us"))
        self.sent_at.append(get("sent_at"))
        self.sent_at_us.append(get("sent_at_us"))
        self.value.append(get("value"))
        self.row.append(row)
        self.mark.append(mark)

    def extend(self, columns: dict[str, list[Any]], count: int, first: int = 1, mark: int = 0) -> None:
        """Add `count` rows by columns, numbered from `first`; a column that is not given is missing.

        The lists are handed over: nobody else changes them.
        """
        fresh = not self.row
        for name in COLUMNS:
            column = columns.get(name) or [None] * count
            if fresh:  # as it is, without a copy
                setattr(self, name, column)
            else:
                getattr(self, name).extend(column)
        self.row.extend(range(first, first + count))
        self.mark.extend([mark] * count)


def holds_long_numeral(text: bytes) -> bool:
    """Say whether a text may hold a number that a double would change: of 16 digits or more, or below 10^-99."""
    same = text.translate(DIGITS)
    return LONG_NUMERAL in same or TINY_NUMERAL in same


def number_of(text: str) -> tuple[float | None, int]:
    """Read a decimal as written: the number and no fault, or the fault that says why it cannot be kept as it is.

    A blank text is no value. A number that a double would change in what it says is `too_precise`, not rounded.
    """
    bare = text.strip()
    if not bare:
        return None, 0
    if len(bare) > LONGEST_NUMERAL or NUMERAL.fullmatch(bare) is None:
        return None, NUMBER["bad_value"]
    number = float(bare)
    if (len(bare) > SAFE_DIGITS or "e" in bare.lower()) and isfinite(number) and abs(number) <= LARGEST:
        try:
            changed = Decimal(bare) != Decimal(repr(number))
        except InvalidOperation:
            changed = True
        if changed:
            return number, NUMBER["too_precise"]
    return number, 0


def settle(
    rows: Rows,
    shapes: Shapes,
    sources: Sources,
    originals: Originals,
    message: npt.NDArray[np.int32] | None = None,
) -> Payload:
    """Turn gathered rows into a payload; `sources` and `originals` are asked for bad rows only.

    `message` numbers the message of each row, where some are of one.
    """
    at, time_marks = _times(rows.ts_utc, rows.ts_us, "bad_time")
    marks = _first(np.frombuffer(bytes(rows.mark), np.uint8), time_marks)
    sent = None
    if _any(rows.sent_at) or _any(rows.sent_at_us):
        sent, clock_marks = _times(rows.sent_at, rows.sent_at_us, "bad_clock")
        clock_marks[(clock_marks > 0) & (clock_marks != NUMBER["two_times"])] = NUMBER["bad_clock"]
        marks = _first(marks, clock_marks)
    decoded = Decoded(
        site=word_array(pa.array(rows.site, pa.string())),
        meter=word_array(pa.array(rows.meter, pa.string())),
        at=at,
        value=pa.array(rows.value, pa.float64()),
        commodity=word_array(pa.array(rows.commodity, pa.string())) if _any(rows.commodity) else None,
        unit=word_array(pa.array(rows.unit, pa.string())) if _any(rows.unit) else None,
        row=np.array(rows.row, np.int64),
        marks=marks,
    )
    stamped = None
    if rows.stamped:
        stamped = np.zeros(len(rows), np.bool_)
        stamped[rows.stamped] = True
    return settle_columns(decoded, sent, shapes, sources, originals, stamped, message)


def settle_columns(
    decoded: Decoded,
    sent: pa.Array | None,
    shapes: Shapes,
    sources: Sources,
    originals: Originals,
    stamped: npt.NDArray[np.bool_] | None = None,
    message: npt.NDArray[np.int32] | None = None,
) -> Payload:
    """Part good rows from bad ones and quarantine these with their original texts; `sent` is the devices' clock.

    `stamped` marks rows that have the moment of receipt for a time, `message` numbers their messages.
    """
    marks = faults_of(decoded)
    table = coded_table(decoded)
    if sent is not None and sent.null_count < len(sent):
        table = table.append_column(SENT_AT, sent)
    if stamped is not None:
        table = table.append_column(STAMPED, pa.array(stamped))
    if message is not None:
        table = table.append_column(MESSAGE, pa.array(message))
    if marks is None:
        return Payload(table, QUARANTINE.empty_table(), shapes, table.num_rows)
    bad = np.flatnonzero(marks)
    good = table.filter(pa.array(marks == 0))
    aside = table.take(pa.array(bad))
    codes = [CODES[number] for number in marks[bad].tolist()]
    listed = bad.tolist()
    refused = pa.table(
        {
            "source": [sources] * len(listed) if isinstance(sources, str) else sources(listed),
            "row": aside["row"],
            "site": aside["site"].cast(pa.string()),
            "meter": aside["meter"].cast(pa.string()),
            "code": codes,
            "reason": [FAULTS[code] for code in codes],
            "original": originals(listed),
        },
        schema=QUARANTINE,
    )
    return Payload(good, refused, shapes, table.num_rows)


def within_calendar(at: pa.Array, marks: Marks, code: str) -> tuple[pa.Array, Marks]:
    """Take away moments beyond the years 1 .. 9999, each marked with `code`; `at` is int64 microseconds or MOMENT."""
    count = pc.cast(at, pa.int64())
    span = pc.min_max(count)
    low, high = span["min"].as_py(), span["max"].as_py()
    if low is not None and (low < EARLIEST_US or high >= LATEST_US):
        far = pc.fill_null(pc.or_(pc.less(count, EARLIEST_US), pc.greater_equal(count, LATEST_US)), False)
        marks = marks.copy()
        marks[far.to_numpy(zero_copy_only=False)] = NUMBER[code]
        count = pc.if_else(far, pa.scalar(None, pa.int64()), count)
    return pc.cast(count, MOMENT), marks


def _times(texts: list[str | None], counts: list[int | None], code: str) -> tuple[pa.Array, Marks]:
    """Read moments that are given as texts, or as microseconds, each row one of the two at most."""
    marks = np.zeros(len(texts), np.uint8)
    if not _any(counts):
        at, marks = moments(pa.array(texts, pa.string()))
    elif not _any(texts):
        at = pa.array(counts, pa.int64())
    else:
        at, marks = moments(pa.array(texts, pa.string()))
        counted = pa.array(counts, pa.int64())
        both = pc.and_(pc.is_valid(pa.array(texts, pa.string())), pc.is_valid(counted))
        marks[both.to_numpy(zero_copy_only=False)] = NUMBER["two_times"]
        at = pc.coalesce(pc.cast(at, pa.int64()), counted)
    return within_calendar(at, marks, code)


def _any(column: list[Any]) -> bool:
    return column.count(None) < len(column)


def _first(one: Marks, other: Marks) -> Marks:
    """Join two columns' faults: of a row with both, the one named first."""
    return np.where((one > 0) & ((other == 0) | (one < other)), one, other)
