"""Reads dwellings for the conditions: some hundreds at a time, so that memory is bounded however large the city is."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction
from types import MappingProxyType
from typing import Any

import numpy as np

from quintet.access import Access
from quintet.access.bills import premise_use
from quintet.access.home_hours import (
    Calendar,
    HomesHours,
    HoursSeen,
    carriers,
    complex_of,
    homes_hours,
    household_since,
    looked_from,
    whole_hours,
)
from quintet.tariffs.home_rates import HomeRates, rates_of
from quintet.terms.alert import alert_kinds
from quintet.terms.period import Span, day_start, from_us, local_day, to_us
from quintet.terms.premise_use import PremiseUse

from .limits import limits
from .seen import Alike, Forecast, HomeSeen, MonthUse, days_of

AT_ONCE = 250
"""Dwellings that are read together: 330 MB at most for 57 days of five utilities, most of it the database's."""
HOUR_MIN = 60
STANDING_DAYS = 28
TOGETHER = 8
"""So many dwellings of a complex are billed in one read of all of it: it takes as long as some three single ones."""
FEW_DAYS = 7
"""While fewer days of a month are over, the weeks before say better what it comes to."""


@dataclass(frozen=True)
class Month:
    """The local month of now: its first day, the first of the next, and today."""

    first: date
    end: date
    today: date

    @classmethod
    def of(cls, today: date) -> "Month":
        """Give the month that holds a day."""
        first = today.replace(day=1)
        return cls(first, (first + timedelta(days=32)).replace(day=1), today)


def homes_seen(
    access: Access,
    places: Sequence[str],
    now_us: int,
    budgets: Mapping[str, int],
    watched: Mapping[str, int],
    *,
    alike: bool,
    forecast: Forecast | None = None,
    rights: Mapping[str, int] = MappingProxyType({}),
) -> Iterator[HomeSeen]:
    """Give dwellings as conditions are shown them, in the order of `places`.

    `budgets` are what residents set, by dwelling; `watched` those of which somebody is told that no water is used, and
    until when nobody is at home there (0: nobody said so). `alike`: dwellings of a complex are compared with one
    another; they must stand next to each other in `places` then. `forecast` says the month ahead. `rights`: since when
    the first of those who live there now and have an account may see a dwelling.
    """
    for low in range(0, len(places), AT_ONCE):
        for home in _some(access, places[low : low + AT_ONCE], now_us, budgets, rights, alike=alike):
            away_us = watched.get(home.place, 0)
            yield replace(home, watched=home.place in watched, away_until_us=away_us, forecast=forecast)


def _some(
    access: Access,
    places: Sequence[str],
    now_us: int,
    budgets: Mapping[str, int],
    rights: Mapping[str, int],
    *,
    alike: bool,
) -> list[HomeSeen]:
    registry = access.registry()
    tz = registry.tz
    month = Month.of(local_day(from_us(now_us), tz))
    first = month.today - timedelta(days=limits("unresting")["history_days"] + 1)
    span = whole_hours(to_us(day_start(first, tz)), now_us)
    assert span is not None  # it begins weeks ago
    for place in places:
        access.may_read(place, span)
    with access.asking(places[0], None, span, HOUR_MIN) as asked:
        found = homes_hours(asked, places, span)
    uses = _uses(access, places, month)
    rates, known = rates_of(registry), carriers(registry)
    out = [
        _home(
            registry,
            place,
            now_us,
            found,
            (known, uses.get(place, []), month, rates, rights.get(place)),
            budgets.get(place),
        )
        for place in places
    ]
    return _beside(registry, out) if alike else out


def _uses(access: Access, places: Sequence[str], month: Month) -> dict[str, list[PremiseUse]]:
    """Read what the bills of dwellings count so far, of many of a complex at once; nothing on a month's first day."""
    out: dict[str, list[PremiseUse]] = {}
    if month.today <= month.first:
        return out
    registry, tz = access.registry(), access.registry().tz
    groups: dict[str, list[str]] = {}
    for place in places:
        groups.setdefault(complex_of(registry, place), []).append(place)
    heads = [head for above, own in groups.items() for head in ([above] if len(own) >= TOGETHER else own)]
    wanted = set(places)
    span = Span(day_start(month.first, tz), day_start(month.today, tz))
    for head in heads:
        with access.asking(head, None, span, HOUR_MIN, each=True) as asked:
            for use in premise_use(asked, head, month.first, month.today):
                if use.place in wanted:
                    out.setdefault(use.place, []).append(use)
    return out


Around = tuple[tuple[str, ...], list[PremiseUse], Month, HomeRates, int | None]


def _home(
    registry: Any, place: str, now_us: int, found: HomesHours, around: Around, budget_won: int | None
) -> HomeSeen:
    known, uses, month, rates, right_us = around
    since, stay_us = looked_from(registry, place, now_us, right_us), household_since(registry, place, now_us) or 0
    bound_us = since if since is not None and since > stay_us else None
    services = {code: _own(seen, found.calendar, since) for code, seen in found.seen[place].items()}
    months: dict[str, MonthUse] = {}
    for code, seen in services.items():
        own = [use for use in uses if use.commodity == code and use.end == month.today]
        unit = registry.commodities[code].display_unit(own[-1].quantity) if own else seen.unit
        used = _month_use(replace(seen, unit=unit), found.calendar, own[-1] if own else None, month)
        part = bound_us is not None and bound_us > to_us(day_start(used.start, registry.tz))
        months[code] = _part_of(used, replace(seen, unit=unit), found.calendar) if part else used
    return HomeSeen(
        place,
        now_us,
        registry.tz,
        since,
        found.calendar,
        services,
        found.coarse.get(place, frozenset()),
        known,
        found.outdoor_c[place],
        months,
        rates,
        {},
        budget_won,
        stay_us=stay_us,
    )


def _own(seen: HoursSeen, calendar: Calendar, since_us: int | None) -> HoursSeen:
    """Leave out the hours of before the present household."""
    if since_us is None or since_us <= calendar.start_us[0]:
        return seen
    own = calendar.start_us >= since_us
    sound = seen.sound & own
    step = int(np.gcd.reduce(seen.value[sound])) if sound.any() else 0
    return replace(seen, value=np.where(own, seen.value, 0), due=seen.due & own, known=seen.known & own, sound=sound,
                   step=step)  # fmt: skip


def _month_use(seen: HoursSeen, calendar: Calendar, use: PremiseUse | None, month: Month) -> MonthUse:
    """Give a utility's month under way; what it comes to follows from the weeks before while its days are few."""
    value, whole = days_of(seen, calendar)
    whole[-1] = False
    start = month.first if use is None else use.first
    over = 0 if use is None else (use.end - use.first).days
    used = Fraction(0) if use is None else Fraction(use.value) / seen.unit.ratio
    behind = calendar.days - 1 - over
    daily = value[behind : calendar.days - 1] if over else value[:0]
    days = (month.end - start).days
    late = np.flatnonzero(whole)[-STANDING_DAYS:]
    if over >= FEW_DAYS or not len(late):
        standing = used * days / over if over else used
    else:
        mean = Fraction(int(value[late].sum()), len(late)) / seen.unit.ratio
        standing = used + mean * (days - over)
    known = use is not None and use.arrived_min + use.estimated_min >= use.expected_min
    return MonthUse(seen.unit, start, month.end, over, used, known, daily, standing)


def _part_of(use: MonthUse, seen: HoursSeen, calendar: Calendar) -> MonthUse:
    """Give a month of which only the last days may be looked at: it stands as those days say, for all of its days."""
    value, whole = days_of(seen, calendar)
    whole[-1] = False
    late = np.flatnonzero(whole)[-STANDING_DAYS:]
    mean = Fraction(int(value[late].sum()), len(late)) / seen.unit.ratio if len(late) else Fraction(0)
    return replace(use, used=Fraction(0), whole=False, standing=mean * (use.end - use.start).days, own=False)


def _beside(registry: Any, homes: list[HomeSeen]) -> list[HomeSeen]:
    """Count for each dwelling how the others of its complex did over the last days that are over."""
    wanted = {code for row in alert_kinds().values() for code in row.weather}
    days = limits("dead_meter")["alike_days"]
    zero: dict[tuple[str, str], list[bool]] = {}
    own: dict[tuple[str, str], bool] = {}
    for home in homes:
        group = complex_of(registry, home.place)
        for code in wanted & home.services.keys():
            value, whole = days_of(home.services[code], home.calendar)
            if whole[-days - 1 : -1].all():
                own[home.place, code] = not value[-days - 1 : -1].any()
                zero.setdefault((group, code), []).append(own[home.place, code])
    out: list[HomeSeen] = []
    for home in homes:
        group = complex_of(registry, home.place)
        alike: dict[str, Alike] = {}
        for code in wanted & home.services.keys():
            others, mine = zero.get((group, code), []), own.get((home.place, code))
            count, none = len(others) - (mine is not None), sum(others) - bool(mine)
            alike[code] = Alike(days, count, none)
        out.append(replace(home, alike=alike))
    return out
