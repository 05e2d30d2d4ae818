"""Reads what a person types for one try: lists of numbers, lengths of time, amounts; all exact, each slip named."""

import re
from decimal import Decimal
from fractions import Fraction
from math import lcm
from typing import Any

from quintet.terms.errors import UsageError
from quintet.terms.length import DAY_US, length_us

Numbers = list[Decimal | None]
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,2})?", re.ASCII)
FAR = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)[eE][+-]?\d{3,}", re.ASCII)
"""A number with an exponent of three digits or more."""
ENDLESS = re.compile(r"[+-]?inf(inity)?", re.IGNORECASE)
ABSENT = frozenset(("", "null", "none", "nan", "na", "n/a", "-"))
MOST_VALUES = 1_000_000
MOST = 2**60
"""Amounts stay under this magnitude (quintet.vee)."""


def numbers_of(text: str, option: str, *, strict_end: bool = False) -> Numbers:
    """Read `1, 2.5,,9`: an empty place is missing. One comma at the very end ends the list, unless `strict_end`."""
    inner = text.strip().removeprefix("[").removesuffix("]").strip()
    parts = re.split(r"\s*[,;]\s*", inner) if re.search(r"[,;]", inner) else inner.split()
    if not strict_end and len(parts) > 1 and not parts[-1] and parts[-2]:
        parts.pop()
    if not parts or len(parts) > MOST_VALUES:
        raise UsageError(
            "holds no number." if not parts else f"holds more than {MOST_VALUES} numbers.",
            code="bad_values",
            place=option,
            remedy="Give numbers with commas between: 1,2.5,,9 (an empty place is missing).",
        )
    return [_number(part, f"{option}, place {place}") for place, part in enumerate(parts, start=1)]


def number_of(text: str, option: str) -> Decimal:
    """Read one number; an absent one (`nan`, nothing) is none."""
    found = numbers_of(text, option)
    if len(found) != 1 or found[0] is None:
        raise UsageError(f"{text!r} is not one number.", code="bad_number", place=option, remedy="Give one number.")
    return found[0]


def positive(number: Decimal | Fraction, option: str, what: str = "") -> Fraction:
    """Refuse a number that is not above zero; gives it exactly."""
    if number <= 0:
        raise UsageError(
            f"{what or number} must be above zero.",
            code="bad_number",
            place=option,
            remedy="Give a number above zero.",
        )
    return Fraction(number)


def positive_of(text: str, option: str) -> Fraction:
    """Read one number above zero."""
    return positive(number_of(text, option), option)


def _number(text: str, place: str) -> Decimal | None:
    """Read one place of a list."""
    if text.lower() in ABSENT:
        return None
    if ENDLESS.fullmatch(text):
        raise UsageError(
            f"{text!r} is endless: no meter shows it.",
            code="bad_number",
            place=place,
            remedy="Write the number, or leave the place empty where the value is missing.",
        )
    if FAR.fullmatch(text):
        raise UsageError(
            f"{text!r} is beyond what any meter shows, or finer.",
            code="too_large",
            place=place,
            remedy="Give what a meter can count.",
        )
    if NUMBER.fullmatch(text) is None:
        raise UsageError(
            f"{text!r} is no number.",
            code="bad_number",
            place=place,
            remedy="Write a decimal number such as 2.5, or leave the place empty where the value is missing.",
        )
    return Decimal(text)


def cadence_of(text: str, option: str = "--interval") -> int:
    """Read the length of an interval; it divides a day."""
    cadence = length_us(text, option)
    if cadence <= 0 or DAY_US % cadence:
        raise UsageError(
            f"{text!r} does not divide a day.",
            code="bad_interval",
            place=option,
            remedy="Use 1min, 15min, 30min, 60min, 1h, 1day or the like.",
        )
    return cadence


def fineness(numbers: Numbers, ratio: Fraction) -> int:
    """Give how many times finer than a sub-unit (`ratio` of them in one unit) numbers are: 1 where all are whole."""
    return lcm(*((Fraction(number) * ratio).denominator for number in numbers if number is not None))


def fitting(needed: int, largest: Fraction) -> int:
    """Give in how many parts a sub-unit is cut: as many as are needed, or the power of ten that `largest` leaves."""
    room = MOST / max(largest, Fraction(1))
    if needed < room:
        return needed
    return 10 ** max(len(str(int(room))) - 2, 0)


def amounts(numbers: Numbers, ratio: Fraction, unit: str, option: str) -> list[int | None]:
    """Turn numbers into whole sub-units, `ratio` of them in one unit: exactly wherever `ratio` was cut fine enough.

    It is, but where one try holds both very large and very fine numbers (more than 17 digits between them): then what
    is finer is rounded, half to even.
    """
    out: list[int | None] = []
    for place, number in enumerate(numbers, start=1):
        exact = None if number is None else Fraction(number) * ratio
        if exact is not None and abs(exact) >= MOST:
            raise UsageError(
                f"{number} {unit} is beyond what any meter shows.",
                code="too_large",
                place=f"{option}, place {place}",
                remedy="Give what a meter can count.",
            )
        out.append(None if exact is None else round(exact))
    return out


def same_length(given: list[Any], count: int, option: str) -> list[Any]:
    """Give as many facts as there are values: one stands for all of them."""
    if len(given) == 1:
        return given * count
    if len(given) != count:
        raise UsageError(
            f"holds {len(given)} numbers for {count} values.",
            code="bad_values",
            place=option,
            remedy="Give one number for all values, or one for each.",
        )
    return given


def exact_or_none(number: Decimal | Fraction | None) -> Fraction | None:
    """Give a number as a fraction; None where it is missing."""
    return None if number is None else Fraction(number)


def decimal_of(number: Fraction) -> Decimal:
    """Write a fraction as a decimal: exactly where it ends within 30 places, else rounded half-even to 12."""
    scaled, places, bottom = number, 0, number.denominator
    while bottom != 1 and places < 30:
        scaled, places = scaled * 10, places + 1
        bottom = scaled.denominator
    if bottom != 1:
        scaled, places = Fraction(round(number * 10**12)), 12
    digits = f"{abs(int(scaled)):0{places + 1}d}"
    whole, part = (digits[:-places], digits[-places:].rstrip("0")) if places else (digits, "")
    return Decimal(("-" if scaled < 0 else "") + whole + (f".{part}" if part else ""))
