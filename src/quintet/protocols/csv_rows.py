"""CSV in the dataset layout: any of three separators, decimal comma or point, in stretches, each row with its line."""

import csv
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from io import TextIOWrapper
from itertools import islice
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa

from quintet.terms.errors import BadInput

from .columns import READINGS_NEED, check_columns
from .faults import NUMBER, Marks
from .sift import Decoded, Numbers, Part, sift, word_array
from .text import open_text
from .words import moments, numbers

SEPARATORS = (",", ";", "\t")
STRETCH = 1 << 16
"""Rows decoded at a time."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some rows of a CSV as text, each with at least the header's fields, its line and its fault so far."""

    header: list[str]
    rows: list[list[str]]
    lines: list[int]
    marks: Marks
    decimal_comma: bool

    def column(self, name: str) -> pa.Array | None:
        """Give a column's texts; None where the file has none of that name."""
        if name not in self.header:
            return None
        at = self.header.index(name)
        return pa.array([row[at] for row in self.rows], pa.string())

    def originals(self, rows: Numbers) -> list[dict[str, Any]]:
        """Give rows as they were read: header to text; fields beyond the header stand under `rest`."""
        out: list[dict[str, Any]] = []
        for row in rows.tolist():
            fields = self.rows[row]
            rest = fields[len(self.header) :]
            out.append({**dict(zip(self.header, fields, strict=False)), **({"rest": rest} if rest else {})})
        return out


def csv_readings(file: BinaryIO, name: str) -> Generator[Part]:
    """Decode a readings file; `row` is the line on which a row starts, the header being line 1.

    Where the separator is a semicolon or a tab, a comma in a value is its decimal mark. Raises BadInput for an empty
    file, an encoding that is none of those known, and a missing column.
    """
    with closing(csv_stretches(file, name, READINGS_NEED)) as stretches:
        for stretch in stretches:
            yield _part(stretch, name)


def csv_table(file: BinaryIO, name: str, needed: Sequence[str]) -> tuple[pa.Table, list[int], bool]:
    """Read a small table (meters, a map) whole: all columns as text, each row's line, whether commas are decimal marks.

    A row with more or fewer fields than the header is refused, since what a meter is must not be guessed.
    """
    lines: list[int] = []
    tables: list[pa.Table] = []
    header: list[str] = []
    decimal_comma = False
    for stretch in csv_stretches(file, name, needed):
        header, decimal_comma = stretch.header, stretch.decimal_comma
        if stretch.marks.any():
            line = stretch.lines[int(np.flatnonzero(stretch.marks)[0])]
            raise BadInput(
                f"this line has more or fewer than the header's {len(header)} fields.",
                code="wrong_columns",
                place=f"{name} line {line}",
                remedy="Mend the line: a separator is missing or too many.",
            )
        tables.append(pa.table({column: stretch.column(column) for column in header}))
        lines += stretch.lines
    return pa.concat_tables(tables), lines, decimal_comma


def csv_stretches(file: BinaryIO, name: str, needed: Sequence[str]) -> Generator[Stretch]:
    """Read a CSV as text in stretches; at least one, which may hold no rows."""
    text = open_text(file, name)
    try:
        separator, header = _header(text, name, needed)
        reader = csv.reader(text, delimiter=separator)
        before = 1
        first = True
        while True:
            rows, lines, ends = _take(reader, name, before)
            if not rows and not first:
                return
            first = False
            before = ends[-1] if ends else before
            yield Stretch(header, rows, lines, _marks(rows, lines, ends, len(header)), separator != ",")
    finally:
        text.detach()


def _header(text: TextIOWrapper, name: str, needed: Sequence[str]) -> tuple[str, list[str]]:
    """Find the separator with which the first line names most of the columns looked for."""
    line = text.readline()
    if not line.strip():
        raise BadInput(
            "is empty: its first line names no columns.", code="empty_file", place=name, remedy="Export it again."
        )
    splits = [
        (separator, [field.strip() for field in next(csv.reader([line], delimiter=separator))])
        for separator in SEPARATORS
    ]
    separator, header = max(splits, key=lambda split: (len(set(needed) & set(split[1])), len(split[1])))
    check_columns(header, needed, name)
    return separator, header


def _take(reader: Any, name: str, before: int) -> tuple[list[list[str]], list[int], list[int]]:
    """Take up to STRETCH rows: the rows, the lines they start on and the lines they end on; blank lines are no rows."""
    rows: list[list[str]] = []
    lines: list[int] = []
    ends: list[int] = []
    last = before
    try:
        for row in islice(reader, STRETCH):
            end = reader.line_num + 1  # the header was read before
            if row:
                rows.append(row)
                lines.append(last + 1)
                ends.append(end)
            last = end
    except csv.Error as error:
        raise BadInput(
            f"cannot be read from here on: {error}.",
            code="broken_csv",
            place=f"{name} line {last + 1}",
            remedy="Close the quotation mark that opens here; nothing of the file was taken.",
        ) from error
    return rows, lines, ends


def _marks(rows: list[list[str]], lines: list[int], ends: list[int], width: int) -> Marks:
    """Mark rows that run over several lines or have another number of fields; short ones are filled up with nothing."""
    marks = np.zeros(len(rows), np.uint8)
    marks[np.asarray(lines, np.int64) != np.asarray(ends, np.int64)] = NUMBER["broken_quote"]
    for at, row in enumerate(rows):
        if len(row) != width:
            marks[at] = NUMBER["wrong_columns"]
            row.extend([""] * (width - len(row)))
    return marks


def _part(stretch: Stretch, name: str) -> Part:
    """Decode one stretch of a readings file."""
    at, time_marks = moments(stretch.column("ts_utc"))
    value, value_marks = numbers(stretch.column("value"), decimal_comma=stretch.decimal_comma)
    marks = stretch.marks
    for more in (time_marks, value_marks):
        marks = np.where(marks == 0, more, marks)
    words = {name: stretch.column(name) for name in ("site", "meter", "commodity", "unit")}
    coded = {name: None if column is None else word_array(column) for name, column in words.items()}
    decoded = Decoded(
        site=coded["site"],
        meter=coded["meter"],
        at=at,
        value=value,
        commodity=coded["commodity"],
        unit=coded["unit"],
        row=np.asarray(stretch.lines, np.int64),
        marks=marks,
    )
    return sift(decoded, name, stretch.originals)
