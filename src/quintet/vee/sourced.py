"""Reads thresholds that are data: each an exact number with its unit, where it is from and when; all others refused."""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

from quintet.terms.catalogue import check_keys
from quintet.terms.errors import BadInput


def thresholds_of(table: Mapping[str, Any], names: Iterable[str], place: str) -> dict[str, Fraction]:
    """Give the numbers of a table by name: exactly `names`, each a row of value (text), unit, source and date.

    Raises BadInput for a row that is missing or unknown, has other keys, no source, or no number.
    """
    check_keys(dict(table), required=set(names), optional=set(), place=place)
    return {name: _threshold(row, f"{place}, {name}") for name, row in table.items()}


def _threshold(row: Mapping[str, Any], place: str) -> Fraction:
    check_keys(dict(row), required={"value", "unit", "source", "date"}, optional=set(), place=place)
    check_source(row, place)
    try:
        number = Fraction(Decimal(row["value"])) if isinstance(row["value"], str) else None
    except (InvalidOperation, ValueError, OverflowError):
        number = None
    if number is None or number < 0:
        raise BadInput(
            f"{row['value']!r} is no threshold.", code="bad_threshold", place=place, remedy='Write it as text: "1.8".'
        )
    return number


def check_source(row: Mapping[str, Any], place: str) -> None:
    """Refuse a row without a source or a date."""
    if not str(row["source"]).strip() or not isinstance(row["date"], date):
        raise BadInput(
            "has no source or no date.", code="no_source", place=place, remedy="Say where it is from and when."
        )
