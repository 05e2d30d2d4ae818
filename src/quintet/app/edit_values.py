"""Values as a person gives them for an edit: on the command line or in a file, in a unit, exact to the sub-unit."""

import csv
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from pathlib import Path

from quintet.terms.errors import BadInput
from quintet.terms.unit import Unit, units

LARGEST = 2**52
"""As the pipeline bounds intervals (4.5 TWh, 4.5 km3)."""
FAR = 30
"""Powers of ten beyond which nobody measures."""
HEADER = ["start", "value"]


def sub_units(text: str, unit: Unit, place: str) -> int:
    """Read a number, with or without a unit, as sub-units; raises BadInput for what is none, too fine or too large.

    Without a unit it is in the channel's own, as `quintet intervals` prints it.
    """
    number, _, said = text.strip().partition(" ")
    own = unit if not said.strip() else units().get(said.strip())
    if own is None or own.quantity != unit.quantity or own.rate:
        raise BadInput(
            f"{said.strip()!r} is no unit for it.", code="bad_unit", place=place, remedy=f"Give it in {unit.code}."
        )
    try:
        amount = Decimal(number)
    except InvalidOperation:
        amount = Decimal("nan")
    if not amount.is_finite():
        raise BadInput(f"{number!r} is no number.", code="bad_value", place=place, remedy="Write it like 12.5.")
    if amount and not -FAR < amount.adjusted() < FAR:
        raise BadInput(f"{number} {own.code} cannot be.", code="too_large_value", place=place)
    exact = Fraction(amount) * own.ratio
    if exact.denominator != 1:
        raise BadInput(
            f"{number} {own.code} is finer than what is kept.",
            code="too_fine_value",
            place=place,
            remedy=f"Give at most {unit.decimals} decimals of {unit.code}.",
        )
    if abs(exact) > LARGEST:
        raise BadInput(f"{number} {own.code} cannot be.", code="too_large_value", place=place)
    return int(exact)


def read_values(path: Path) -> list[tuple[str, str]]:
    """Read a CSV of start and value; raises BadInput naming the line that is none."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            rows = list(csv.reader(lines))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"cannot be read: {error}.", code="unreadable", place=str(path)) from error
    if not rows or [cell.strip() for cell in rows[0][:2]] != HEADER:
        raise BadInput(
            "has no columns start and value.",
            code="bad_header",
            place=str(path),
            remedy="Begin it with the line `start,value`, as `quintet intervals --format csv` does.",
        )
    out: list[tuple[str, str]] = []
    for number, row in enumerate(rows[1:], start=2):
        if not any(cell.strip() for cell in row):
            continue
        if len(row) < 2 or not row[1].strip():
            raise BadInput(
                "has no value.",
                code="no_value",
                place=f"{path}, line {number}",
                remedy="Leave the line out, or fill it.",
            )
        out.append((row[0].strip(), row[1].strip()))
    return out
