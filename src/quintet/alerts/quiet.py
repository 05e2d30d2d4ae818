"""Quiet hours: the hours of a person's day, on the city's clock, in which nothing but what is urgent is told."""

from functools import lru_cache
from zoneinfo import ZoneInfo

from quintet.terms.length import MINUTE_US
from quintet.terms.period import from_us

LONGEST = 2 * 1440
"""Minutes of the longest day that a clock may have, twice."""


def quiet(at_us: int, tz: ZoneInfo, from_min: int, until_min: int) -> bool:
    """Tell whether a moment lies in [from, until) by the wall clock; the hours may run over midnight.

    A wall clock that shows a time twice, in autumn, is quiet both times. The same two minutes: never quiet.
    """
    local = from_us(at_us).astimezone(tz)
    minute = local.hour * 60 + local.minute
    if from_min <= until_min:
        return from_min <= minute < until_min
    return minute >= from_min or minute < until_min


@lru_cache(maxsize=4096)
def _end(minute: int, tz: ZoneInfo, from_min: int, until_min: int) -> int:
    for later in range(minute, minute + LONGEST):
        if not quiet(later * MINUTE_US, tz, from_min, until_min):
            return later * MINUTE_US
    return minute * MINUTE_US


def told_from(at_us: int, tz: ZoneInfo, from_min: int, until_min: int) -> int:
    """Give the first moment, from one on, that is not quiet: the moment itself, or the end of the quiet hours.

    Found minute by minute on the wall clock, so that it is right on days on which the clock changes.
    """
    if not quiet(at_us, tz, from_min, until_min):
        return at_us
    return _end(at_us // MINUTE_US, tz, from_min, until_min)


def minutes_of(text: str) -> int | None:
    """Read 22:00 as minutes of the day; None for what is none."""
    hour, colon, minute = text.partition(":")
    fits = colon and len(hour) == 2 and len(minute) == 2 and (hour + minute).isascii() and (hour + minute).isdecimal()
    if not fits or int(hour) > 23 or int(minute) > 59:
        return None
    return int(hour) * 60 + int(minute)
