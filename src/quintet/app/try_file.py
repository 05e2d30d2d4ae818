"""Values for one try out of a file: one column of a CSV, as the text that --values would hold."""

import csv
from pathlib import Path

from quintet.terms.errors import UsageError

from .try_input import MOST_VALUES, NUMBER

COLUMN, MISSING = "value", "null"


def values_in(path: Path, said: str | None) -> str:
    """Read the column `value` of a CSV file, or its last where no column has that name; an empty cell is missing.

    The first row is a heading unless its cell is a number or empty. Raises UsageError where values were typed too, or
    where the file cannot be read.
    """
    if said is not None:
        raise UsageError("--values and --file both give values.", code="bad_try", remedy="Give one of them.")
    try:
        with path.open(encoding="utf-8-sig", newline="") as handle:
            rows = [row for row in csv.reader(handle) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(
            f"cannot be read: {error}.", code="bad_file", place=f"--file {path}", remedy="Give a CSV file in UTF-8."
        ) from error
    heading = [cell.strip().lower() for cell in rows[0]] if rows else []
    place = heading.index(COLUMN) if COLUMN in heading else -1
    if heading and (COLUMN in heading or not (NUMBER.fullmatch(heading[-1]) or not heading[-1])):
        rows = rows[1:]
    if not rows or len(rows) > MOST_VALUES:
        raise UsageError(
            "holds no values." if not rows else f"holds more than {MOST_VALUES} values.",
            code="bad_file",
            place=f"--file {path}",
            remedy="Give one value a row, in a column named value.",
        )
    cells = [row[place].strip() if -len(row) <= place < len(row) else "" for row in rows]
    strange = next((number for number, cell in enumerate(cells, start=1) if "," in cell or ";" in cell), None)
    if strange is not None:
        raise UsageError(
            f"{cells[strange - 1]!r} is no number.",
            code="bad_number",
            place=f"--file {path}, value {strange}",
            remedy="Write decimals with a point.",
        )
    return ",".join(cell or MISSING for cell in cells)
