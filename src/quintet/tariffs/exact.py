"""Exact numbers and dates of rate cards: text in, fraction or day out, all else refused; the roundings of bills."""

import calendar
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from quintet.terms.catalogue import exact_number
from quintet.terms.errors import BadInput

DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")
ZERO = Fraction(0)


def number(text: Any, place: str) -> Fraction:
    """Read an exact number, 0 or more, from text; a bare TOML float is refused: it is not what was published."""
    return exact_number(text, place, "120.0")


def first_day(text: Any, place: str) -> date:
    """Read a full date."""
    try:
        if isinstance(text, str):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise BadInput(f"{text!r} is no date.", code="bad_row", place=place, remedy="Write 2025-07-01.")


def published(text: Any, place: str) -> str:
    """Check a date of publication given as year, month or day, and give it as it is."""
    match = DATE.fullmatch(text) if isinstance(text, str) else None
    if match:
        year, month = int(match[1]), int(match[2] or 1)
        if 1900 <= year < 2200 and 1 <= month <= 12 and int(match[3] or 1) <= calendar.monthrange(year, month)[1]:
            return match[0]
    raise BadInput(f"{text!r} is no date.", code="bad_row", place=place, remedy="Write 2025, 2025-03 or 2025-03-31.")


def _exactly(amount: Fraction, _to: int) -> Fraction:
    """Leave an amount as it is."""
    return amount


def _floor(amount: Fraction, to: int) -> Fraction:
    """Cut an amount down to a whole multiple."""
    return Fraction(amount.numerator // (amount.denominator * to) * to)


def _half_up(amount: Fraction, to: int) -> Fraction:
    """Round an amount to the nearest whole multiple, a half upwards."""
    unit = amount.denominator * to
    return Fraction((2 * amount.numerator + unit) // (2 * unit) * to)


ROUNDINGS: Mapping[str, Callable[[Fraction, int], Fraction]] = {"none": _exactly, "floor": _floor, "half_up": _half_up}
"""The ways to round that a row may name, each a function of an amount in won and the multiple."""


def added(amounts: Iterable[Fraction]) -> Fraction:
    """Add up; without the sum's useless first addition of 0, for fractions are slow and bills many."""
    out: Fraction | None = None
    for amount in amounts:
        out = amount if out is None else out + amount
    return ZERO if out is None else out


def decimal_of(exact: Fraction) -> Decimal:
    """Write a fraction as a decimal: exactly where it ends within 30 places, else half-even to 12."""
    number, below = exact.numerator, exact.denominator
    if below == 1:
        return Decimal(number)
    rest, twos, fives = below, 0, 0
    while rest % 2 == 0:
        rest, twos = rest // 2, twos + 1
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    places = max(twos, fives)
    if rest == 1 and places <= MOST_PLACES:
        scaled = number * (10**places // below)
    else:
        scaled, places = round(exact * 10**ROUNDED_PLACES), ROUNDED_PLACES
    digits = f"{abs(scaled):0{places + 1}d}"
    whole, part = digits[:-places], digits[-places:].rstrip("0")
    return Decimal(("-" if scaled < 0 else "") + whole + (f".{part}" if part else ""))


MOST_PLACES, ROUNDED_PLACES = 30, 12


def exact_text(exact: Fraction) -> str:
    """Write a fraction as text that reads back as the same: a decimal where it ends, else n/d."""
    written = decimal_of(exact)
    return f"{written:f}" if Fraction(written) == exact else f"{exact.numerator}/{exact.denominator}"


def share_out(total: int, weights: list[Fraction]) -> list[int]:
    """Share whole won by weights so that the shares add up to the total; the largest remainders take the odd won.

    Equal remainders are served in the order given. Raises BadInput where the weights are no such.
    """
    whole = sum(weights, Fraction(0))
    if whole <= 0 or any(weight < 0 for weight in weights):
        raise BadInput("weights want to be 0 or more, and not all 0.", code="bad_weights", place="share_out")
    exact = [total * weight / whole for weight in weights]
    shares = [int(one // 1) for one in exact]
    order = sorted(range(len(exact)), key=lambda at: (shares[at] - exact[at], at))
    for at in order[: total - sum(shares)]:
        shares[at] += 1
    return shares
