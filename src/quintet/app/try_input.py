"""Reads what a person types for one try: lists of numbers, lengths of time, amounts; all exact, each slip named."""

import re
from decimal import Decimal
from fractions import Fraction

from quintet.terms.errors import UsageError
from quintet.terms.period import HOUR_US, MICROSECONDS, MINUTE_US
from quintet.terms.unit import Unit

Numbers = list[Decimal | None]
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,2})?")
ABSENT = frozenset(("", "null", "none", "nan", "na", "n/a", "-"))
LENGTH = re.compile(r"(?:PT?)?\s*(\d+(?:\.\d+)?)?\s*([a-z]*)", re.IGNORECASE)
UNITS_US = {
    "us": 1,
    **dict.fromkeys(("ms",), 1000),
    **dict.fromkeys(("s", "sec", "second", "seconds"), MICROSECONDS),
    **dict.fromkeys(("", "m", "min", "mins", "minute", "minutes"), MINUTE_US),
    **dict.fromkeys(("h", "hour", "hours", "hr"), HOUR_US),
    **dict.fromkeys(("d", "day", "days"), 24 * HOUR_US),
}
DAY_US = 24 * HOUR_US
MOST_VALUES = 1_000_000


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
    """Read one number."""
    found = numbers_of(text, option)
    if len(found) != 1 or found[0] is None:
        raise UsageError(f"{text!r} is not one number.", code="bad_number", place=option, remedy="Give one number.")
    return found[0]


def _number(text: str, place: str) -> Decimal | None:
    """Read one place of a list."""
    if text.lower() in ABSENT:
        return None
    if NUMBER.fullmatch(text) is None:
        raise UsageError(
            f"{text!r} is no number.",
            code="bad_number",
            place=place,
            remedy="Write a decimal number such as 2.5, or leave the place empty where the value is missing.",
        )
    return Decimal(text)


def length_us(text: str, option: str) -> int:
    """Read a length of time such as `15min`, `1h`, `1day`, `240s`, `-4min`, `00:04:00`; without a unit: minutes."""
    said = text.strip()
    sign = -1 if said.startswith("-") else 1
    bare = said.lstrip("+-").strip()
    if re.fullmatch(r"\d+:\d{2}(:\d{2})?", bare):
        hours, minutes, *rest = (int(part) for part in bare.split(":"))
        return sign * (hours * HOUR_US + minutes * MINUTE_US + sum(rest) * MICROSECONDS)
    found = LENGTH.fullmatch(bare)
    unit = UNITS_US.get(found[2].lower()) if found else None
    if found is None or unit is None or not (found[1] or found[2]):
        raise UsageError(
            f"{text!r} is no length of time.", code="bad_length", place=option, remedy="Write it as 15min, 1h or 1day."
        )
    amount = Fraction(found[1] or "1") * unit
    if amount.denominator != 1:
        raise UsageError(f"{text!r} is finer than a microsecond.", code="bad_length", place=option)
    return sign * int(amount)


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


def amounts(numbers: Numbers, ratio: Fraction, unit: str, option: str) -> list[int | None]:
    """Turn numbers into whole sub-units (`ratio` of them in one unit); what is finer is refused, never rounded."""
    out: list[int | None] = []
    for place, number in enumerate(numbers, start=1):
        exact = None if number is None else Fraction(number) * ratio
        if exact is not None and exact.denominator != 1:
            raise UsageError(
                f"{number} {unit} is finer than the smallest amount that is kept.",
                code="too_fine",
                place=f"{option}, place {place}",
                remedy="Amounts are whole mWh, mL or mvarh: give at most six decimal places of kWh, m3 or kvarh.",
            )
        if exact is not None and abs(exact) >= 2**60:
            raise UsageError(
                f"{number} {unit} is beyond what any meter shows.", code="too_large", place=f"{option}, place {place}"
            )
        out.append(None if exact is None else int(exact))
    return out


def amounts_in(numbers: Numbers, unit: Unit, option: str) -> list[int | None]:
    """Turn numbers in a unit into whole sub-units."""
    return amounts(numbers, unit.ratio, unit.code, option)


def same_length(given: list[int | None], count: int, option: str) -> list[int | None]:
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
