"""Exact numbers and dates: text of a data row in, fraction or day out, everything else refused; and back to text."""

import calendar
import re
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from quintet.terms.catalogue import exact_number
from quintet.terms.errors import BadInput

DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")


def number(text: Any, place: str) -> Fraction:
    """Read an exact number from text; a bare TOML float is refused: it is binary, not what was published."""
    return exact_number(text, place, "38.5")


def latest_day(text: Any, place: str = "") -> date:
    """Read a date given as year, month or day, and give its last possible day: not known before it."""
    match = DATE.fullmatch(text) if isinstance(text, str) else None
    if match:
        year, month = int(match[1]), int(match[2] or 12)
        try:
            return date(year, month, int(match[3]) if match[3] else calendar.monthrange(year, month)[1])
        except (ValueError, calendar.IllegalMonthError) as error:
            raise BadInput(f"{text!r} is no date.", code="bad_row", place=place) from error
    raise BadInput(f"{text!r} is no date.", code="bad_row", place=place, remedy="Write 2025, 2025-03 or 2025-03-31.")


def said(exact: Fraction, places: int = 6) -> Decimal:
    """Say an exact fraction with that many decimals, half to even, without trailing zeros (6: milligrams of a kg)."""
    whole, rest = divmod(exact.numerator * 10**places, exact.denominator)
    if 2 * rest > exact.denominator or (2 * rest == exact.denominator and whole % 2):
        whole += 1
    digits = f"{abs(whole):0{places + 1}d}"
    text = f"{digits[:-places]}.{digits[-places:]}".rstrip("0").rstrip(".") if places else digits
    return Decimal(f"-{text}" if whole < 0 else text)


def said_if_known(exact: Fraction | None, places: int = 6) -> Decimal | None:
    """Say a figure as `said`; None where it is not known, which is no zero."""
    return None if exact is None else said(exact, places)
