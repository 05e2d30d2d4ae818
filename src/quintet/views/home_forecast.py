"""The days ahead of a home's month: what is known of them, and what to expect by days behind and the weather."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from quintet.access import Access
from quintet.ledger.degree_days import day_means
from quintet.tariffs.ahead import Ahead, Degrees, Past, ahead_of
from quintet.tariffs.outdoor import Coming, coming
from quintet.tariffs.outdoor import limits as weather_limits
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
SEASONS = 365.25
"""Days back to the same day of the season."""
AFTER = 14
"""Days after those ahead, a year before, that are fitted too."""
Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Outlook:
    """Mean temperatures of the days from `first` on, those behind; of days a year before; and what to expect ahead."""

    first: date
    behind: Values
    year_first: date
    year: Values
    ahead: Coming


def outlook_of(access: Access, place: str, today: date, end: date, tz: ZoneInfo) -> Outlook | None:
    """Read the outdoor temperatures that a forecast up to `end` wants, and say what to expect of the days ahead.

    None where no station speaks for the place, or it knows too little of the same days of past years.
    """
    first, half = today - DAY * home_limits()["days_back"], weather_limits()["smoothed_days"]
    behind = _means(access, place, first, today, tz)
    if np.isnan(behind).all():
        return None
    years: list[Values] = []
    for back in range(1, weather_limits()["years_read"] + 1):
        shift = DAY * round(SEASONS * back)
        # what is fitted of last year reaches a little further than what is smoothed of it
        more = max(AFTER - half, 0) + 2 if back == 1 else 0
        year = _means(access, place, first - shift - DAY * half, end - shift + DAY * (half + more), tz)
        if np.isnan(year).all():
            break
        years.append(year)
    if not years:
        return None
    days = len(behind) + (end - today).days + 2 * half
    found = coming(behind, [one[:days] for one in years], (end - today).days)
    return None if found is None else Outlook(first, behind, first - DAY * (round(SEASONS) + half), years[0], found)


def _means(access: Access, place: str, first: date, end: date, tz: ZoneInfo) -> Values:
    """Give the mean outdoor temperatures of the days [first, end), degC; NaN where too little of a day is known."""
    edges = np.array([to_us(day_start(first + DAY * at, tz)) for at in range((end - first).days + 1)], np.int64)
    table = access.outdoor(place, Span(day_start(first, tz), day_start(end, tz)))
    start = table["start"].cast("int64").to_numpy()
    return day_means(start, table["minutes"].to_numpy().astype(np.int64), table["temp_c"].to_numpy(), edges)


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


def _degrees_of(access: Access, service: Service, behind: Days, end: date, today: Today, outlook: Outlook) -> Degrees:
    """Lay the temperatures beside the days behind, and add what is known of the same days a year before."""
    lately = outlook.behind[(behind.first - outlook.first).days :]
    first, last = behind.first - DAY * YEAR, end - DAY * (YEAR - AFTER)
    first = first if today.whole is None else max(first, today.whole)
    past = None if first >= last else _days_a_year_ago(access, service, first, last)
    if past is None:
        none = np.zeros(0, np.bool_)
        return Degrees(lately, outlook.ahead, np.zeros(0), Past(np.zeros(0), none, none))
    offset = (first - outlook.year_first).days
    before = outlook.year[offset : offset + len(past.value)]
    rest = _rests(first, len(past.value), today.tz)
    return Degrees(lately, outlook.ahead, before, Past(past.value.astype(np.float64), past.whole, rest))


def _days_a_year_ago(access: Access, service: Service, first: date, end: date) -> Days | None:
    """Read last year's days; None where they are not the reader's."""
    try:
        return days_between(access, service, first, end)
    except Forbidden:
        return None
