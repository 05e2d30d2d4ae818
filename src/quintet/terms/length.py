"""Lengths of time as people write them, and the resolutions they name: one reader for commands, options and the API."""

import re
from enum import StrEnum
from fractions import Fraction

from .errors import UsageError

MICROSECONDS = 1_000_000
MINUTE_US = 60 * MICROSECONDS
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US
DAY_MIN = 24 * 60
LENGTH = re.compile(r"(\d+(?:\.\d+)?)?\s*([a-z]*)", re.IGNORECASE | re.ASCII)
CLOCK = re.compile(r"(\d+):([0-5]\d)(?::([0-5]\d))?", re.ASCII)
MONTHS = frozenset(("month", "1month", "1 month", "months", "p1m"))
UNITS_US = {
    "us": 1,
    **dict.fromkeys(("ms",), 1000),
    **dict.fromkeys(("s", "sec", "second", "seconds"), MICROSECONDS),
    **dict.fromkeys(("", "m", "min", "mins", "minute", "minutes"), MINUTE_US),
    **dict.fromkeys(("h", "hour", "hours", "hr"), HOUR_US),
    **dict.fromkeys(("d", "day", "days"), DAY_US),
}


class Resolution(StrEnum):
    """The steps in which series and balances are asked for."""

    QUARTER = "15min"
    HALF = "30min"
    HOUR = "hour"
    DAY = "day"
    MONTH = "month"


RESOLUTIONS = {
    15 * MINUTE_US: Resolution.QUARTER,
    30 * MINUTE_US: Resolution.HALF,
    HOUR_US: Resolution.HOUR,
    DAY_US: Resolution.DAY,
}


def length_us(text: str, place: str) -> int:
    """Read `15min`, `1h`, `hour`, `PT15M`, `1day`, `240s`, `-4min`, `00:04:00`; without a unit: minutes.

    Gives microseconds. Raises UsageError, with `place`, for what is no length or finer than a microsecond.
    """
    said = text.strip()
    bare = said[1:].strip() if said[:1] in ("-", "+") else said
    sign = -1 if said.startswith("-") else 1
    clock = CLOCK.fullmatch(bare)
    if clock is not None:
        hours, minutes, seconds = (int(part or 0) for part in clock.groups())
        return sign * (hours * HOUR_US + minutes * MINUTE_US + seconds * MICROSECONDS)
    found = LENGTH.fullmatch(re.sub(r"^p(?!1m$)t?", "", bare, flags=re.IGNORECASE))
    unit = UNITS_US.get(found[2].lower()) if found else None
    if found is None or unit is None or not (found[1] or found[2]):
        raise UsageError(
            f"{text!r} is no length of time.", code="bad_length", place=place, remedy="Write it as 15min, 1h or 1day."
        )
    amount = Fraction(found[1] or "1") * unit
    if amount.denominator != 1 or amount >= 2**60:
        problem = "finer than a microsecond" if amount.denominator != 1 else "too long"
        remedy = "Write it as 15min, 1h or 1day."
        raise UsageError(f"{text!r} is {problem}.", code="bad_length", place=place, remedy=remedy)
    return sign * int(amount)


def resolution_of(text: str, place: str = "resolution") -> Resolution:
    """Read a resolution by any name of its length: `hour`, `60min` and `1h` are one; `month` has no length.

    Raises UsageError that names the known ones.
    """
    word = text.strip().lower()
    if word in MONTHS:
        return Resolution.MONTH
    try:
        found = RESOLUTIONS.get(length_us(word, place))
    except UsageError:
        found = None
    if found is None:
        raise UsageError(
            f"there is no resolution {text!r}.",
            code="bad_resolution",
            place=place,
            remedy=f"Known: {', '.join(Resolution)}; 60min and 1h mean hour, 1day means day.",
            said={"text": text, "known": list(Resolution)},
        )
    return found
