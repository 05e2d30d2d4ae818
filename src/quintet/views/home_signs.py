"""Signs of life of a home's meters: when one was last heard, and since when it has sent nothing but zeros."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from quintet.access import Access
from quintet.terms.period import Resolution, Span, day_start

from .home_limits import home_limits
from .home_services import Service, heard_until, slots_of

HOURS_AT_LEAST = 23


@dataclass(frozen=True, slots=True)
class Days:
    """Whole local days of one utility, the last one yesterday: sub-units, and whether anything was measured."""

    first: date
    value: npt.NDArray[np.int64]
    heard: npt.NDArray[np.bool_]
    whole: npt.NDArray[np.bool_]
    """All of the day was measured."""
    known: npt.NDArray[np.bool_]
    """All of the day is measured or estimated."""
    share: npt.NDArray[np.float64]
    """How much of the day is, 0 to 1."""


def days_between(access: Access, service: Service, first: date, end: date) -> Days:
    """Read the daily sums of the days from `first` up to, not including, `end`."""
    shape = (len(service.channels), (end - first).days)
    table = access.daily(list(service.channels), first, end - timedelta(days=1))
    value, arrived, estimated = (
        np.array(table[name].fill_null(0).to_numpy(), np.int64).reshape(shape).sum(axis=0)
        for name in ("value", "arrived", "estimated")
    )
    # a day of 23 hours holds fewer intervals
    full = HOURS_AT_LEAST * 60 // service.minutes if service.minutes <= 60 else 1
    known = arrived + estimated >= full
    share = np.where(known, 1.0, (arrived + estimated) / max(24 * 60 // service.minutes, 1))
    return Days(first, value, arrived > 0, (estimated == 0) & (arrived >= full), known, share)


def days_of(access: Access, service: Service, today: date, since: date | None) -> Days | None:
    """Read the daily sums of the days before today; None where there is no such day that the reader may see."""
    first = today - timedelta(days=home_limits()["days_back"])
    first = first if since is None else max(first, since)
    return None if first >= today else days_between(access, service, first, today)


def last_heard(access: Access, service: Service, days: Days | None, tz: ZoneInfo) -> datetime | None:
    """Give the end of the last measured interval before today; None where none is known of the days that are kept."""
    if days is None or not days.heard.any():
        return None
    day = days.first + timedelta(days=int(np.flatnonzero(days.heard)[-1]))
    span = Span(day_start(day, tz), day_start(day + timedelta(days=1), tz))
    return heard_until(slots_of(access, service, span, service.resolution, tz, span.end), service.minutes)


def heard_before(access: Access, service: Service, days: Days, tz: ZoneInfo) -> bool:
    """Tell whether anything was ever heard in the two years before the days that are kept."""
    end = day_start(days.first, tz)
    span = Span(end - timedelta(days=730), end)
    slots = slots_of(access, service, span, Resolution.MONTH, tz, span.end)
    return any(slot.value is not None for slot in slots)


def zero_since(days: Days | None, use_today: int | None) -> date | None:
    """Give the first day of an unbroken run of zeros that reaches to now, after days of use; None where there is none.

    Today must have brought nothing but zeros too, and each day of the run must have been measured.
    """
    limits = home_limits()
    if days is None or use_today != 0:
        return None
    zero = days.whole & (days.value == 0)
    count = len(zero) if zero.all() else int(np.argmax(~zero[::-1]))
    before = slice(len(zero) - count - limits["stopped_use_days"], len(zero) - count)
    if count < limits["stopped_after_days"] or before.start < 0 or not (days.value[before] > 0).all():
        return None
    return days.first + timedelta(days=len(zero) - count)
