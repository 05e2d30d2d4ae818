"""The days ahead of a home's month: what is known of them, and what to expect by days behind and the weather."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from quintet.access import Access
from quintet.ledger.degree_days import day_means, degree_days
from quintet.tariffs.ahead import Ahead, Degrees, Past, ahead_of, usual_degrees
from quintet.terms.errors import Forbidden
from quintet.terms.period import Span, day_start, to_us

from .home_limits import home_limits
from .home_now import Today
from .home_services import Service
from .home_signs import Days, days_between
from .home_usual import REST, kind_of

DAY = timedelta(days=1)
YEAR = 364
"""Days back to the same weekday a year before."""
SMOOTHED = 7
"""Days to either side over which last year's degrees are smoothed: a fortnight's fronts are no climate."""
AFTER = 14
"""Days after those ahead, a year before, that are fitted too."""
Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Outlook:
    """Degree days [days, kinds] of the days behind a day, and of those about it a year before; `first` is the first."""

    first: date
    behind: Values
    year_first: date
    year: Values


def outlook_of(access: Access, place: str, today: date, end: date, tz: ZoneInfo) -> Outlook | None:
    """Read the outdoor temperatures that a forecast up to `end` wants; None where no station speaks for the place."""
    first = today - DAY * home_limits()["days_back"]
    year_first, year_end = first - DAY * (YEAR + SMOOTHED), end - DAY * (YEAR - max(SMOOTHED, AFTER))
    behind, year = (_degrees(access, place, *span, tz) for span in ((first, today), (year_first, year_end)))
    known = ~np.isnan(behind[:, 0])
    return Outlook(first, behind, year_first, year) if known.any() else None


def _degrees(access: Access, place: str, first: date, end: date, tz: ZoneInfo) -> Values:
    """Give the degree days of the days [first, end): heating, cooling; NaN where too little of a day is known."""
    edges = np.array([to_us(day_start(first + DAY * at, tz)) for at in range((end - first).days + 1)], np.int64)
    table = access.outdoor(place, Span(day_start(first, tz), day_start(end, tz)))
    start = table["start"].cast("int64").to_numpy()
    means = day_means(start, table["minutes"].to_numpy().astype(np.int64), table["temp_c"].to_numpy(), edges)
    return np.column_stack(degree_days(means))


@lru_cache(maxsize=1024)
def _rests(first: date, count: int, tz: ZoneInfo) -> npt.NDArray[np.bool_]:
    """Say which of so many days are days of rest."""
    return np.array([kind_of(first + DAY * at, tz) == REST for at in range(count)], np.bool_)


def month_ahead(
    access: Access, service: Service, behind: Days, end: date, today: Today, outlook: Outlook | None
) -> Ahead | None:
    """Forecast a utility's use of today and the days up to, not including, `end`, in sub-units."""
    rest = _rests(behind.first, len(behind.value), today.tz)
    rest_ahead = _rests(today.day, (end - today.day).days, today.tz)
    degrees = None if outlook is None else _degrees_of(access, service, behind, end, today, outlook)
    return ahead_of(behind.value.astype(np.float64), behind.whole, rest, rest_ahead, degrees)


def _degrees_of(
    access: Access, service: Service, behind: Days, end: date, today: Today, outlook: Outlook
) -> Degrees | None:
    """Lay the degrees beside the days behind, and add what is known of the same days a year before."""
    days, ahead = len(behind.value), (end - today.day).days
    skipped = (behind.first - outlook.first).days
    usual = usual_degrees(outlook.year, SMOOTHED)[skipped : skipped + days + ahead]
    if len(usual) < days + ahead:
        return None
    then = outlook.year[SMOOTHED + skipped :][: days + ahead]
    first, last = behind.first - DAY * YEAR, end - DAY * (YEAR - AFTER)
    first = first if today.whole is None else max(first, today.whole)
    past = None if first >= last else _days_a_year_ago(access, service, first, last)
    if past is None:
        none = np.zeros(0, np.bool_)
        return Degrees(outlook.behind[skipped:], usual, then, np.zeros((0, 2)), Past(np.zeros(0), none, none))
    offset = (first - outlook.year_first).days
    rest = _rests(first, len(past.value), today.tz)
    before = outlook.year[offset : offset + len(past.value)]
    return Degrees(outlook.behind[skipped:], usual, then, before, Past(past.value.astype(np.float64), past.whole, rest))


def _days_a_year_ago(access: Access, service: Service, first: date, end: date) -> Days | None:
    """Read last year's days; None where they are not the reader's."""
    try:
        return days_between(access, service, first, end)
    except Forbidden:
        return None
