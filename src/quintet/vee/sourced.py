"""Reads thresholds that are data: each an exact number with its unit, where it is from and when; all others refused."""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

from quintet.terms.catalogue import check_keys
from quintet.terms.errors import BadInput

MOST_DIGITS = 30


def thresholds_of(table: Mapping[str, Any], names: Iterable[str], place: str) -> dict[str, Fraction]:
    """Give the numbers of a table by name: exactly `names`, each a row of value (text), unit, source and date.

    Raises BadInput for a row that is missing or unknown, has other keys, no source, or no number.
    """
    check_keys(dict(table), required=set(names), optional=set(), place=place)
    return {name: _threshold(row, f"{place}, {name}") for name, row in table.items()}


def _threshold(row: Any, place: str) -> Fraction:
    table_of(row, place)
    check_keys(dict(row), required={"value", "unit", "source", "date"}, optional=set(), place=place)
    check_source(row, place)
    return exact_threshold(row["value"], place)


def exact_threshold(text: Any, place: str, code: str = "bad_threshold") -> Fraction:
    """Read a number from text, 0 or more, of at most MOST_DIGITS digits on either side of the point.

    Raises BadInput for a bare float (it is binary, not what was published), for NaN and for what is endless.
    """
    try:
        found = Decimal(text) if isinstance(text, str) else None
    except InvalidOperation:
        found = None
    if found is not None and found.is_finite() and found >= 0:
        exponent = found.as_tuple().exponent
        if isinstance(exponent, int) and exponent >= -MOST_DIGITS and found.adjusted() <= MOST_DIGITS:
            return Fraction(found)
    raise BadInput(f"{text!r} is no threshold.", code=code, place=place, remedy='Write it as text, as in "1.8".')


def table_of(row: Any, place: str) -> Mapping[str, Any]:
    """Refuse what is no table of keys."""
    if not isinstance(row, Mapping):
        raise BadInput(f"{row!r} is no table.", code="bad_row", place=place, remedy="Write keys and values under it.")
    return row


def words_of(row: Mapping[str, Any], names: Iterable[str], place: str) -> None:
    """Refuse a key of a row that should hold words and holds none, or something else."""
    for name in names:
        if name in row and (not isinstance(row[name], str) or not row[name].strip()):
            raise BadInput(
                f"{name} = {row[name]!r} is no text.", code="bad_row", place=place, remedy="Say it in words."
            )


def check_source(row: Mapping[str, Any], place: str) -> None:
    """Refuse a row without a source or a date."""
    if not isinstance(row["source"], str) or not row["source"].strip() or not isinstance(row["date"], date):
        raise BadInput(
            "has no source or no date.", code="no_source", place=place, remedy="Say where it is from and when."
        )
