"""A home's last whole month beside homes like it: only means that hide every other home (access/neighbours.py)."""

from datetime import date, timedelta

from quintet.access import Access, Neighbours
from quintet.access.neighbours import limits

from .answers_home import Beside, HomeCompare, Offered
from .home_now import Today
from .home_services import Service
from .home_signs import days_between

DAY = timedelta(days=1)
NO_MONTH, NO_METER = "no_whole_month", "no_meter"
UNKNOWN, PART = "month_unknown", "month_part"
"""Of a home's own month nothing is known, or not all of it."""


def last_month(today: Today) -> tuple[date, date] | None:
    """Give the first and last day of the last calendar month that is all the reader's; None where there is none."""
    last = today.day.replace(day=1) - DAY
    first = last.replace(day=1)
    return None if today.whole is not None and today.whole > first else (first, last)


def compared(access: Access, place: str, names: tuple[str, str], services: list[Service], today: Today) -> HomeCompare:
    """Compare a home's utilities with its class."""
    month = last_month(today)
    found = None if month is None else access.neighbours(place, *month)
    rows = [] if month is None or found is None else [_beside(access, one, month, found) for one in services]
    reason = NO_MONTH if month is None else NO_METER if found is None else None
    if rows and all(row.own_reason == UNKNOWN for row in rows):
        reason = UNKNOWN
    of = None if found is None else found.of
    return HomeCompare(
        place,
        *names,
        today.tz.key,
        None if month is None else f"{month[0]:%Y-%m}",
        reason,
        None if of is None else of.area_low_m2,
        None if of is None else of.area_high_m2,
        of is not None and of.area_known,
        None if of is None else of.occupants,
        [Offered(one.commodity.code, one.commodity.name_en, one.commodity.name_ko) for one in services],
        0 if found is None else found.homes,
        limits()["homes"],
        rows,
    )


def _beside(access: Access, service: Service, month: tuple[date, date], found: Neighbours) -> Beside:
    days = days_between(access, service, month[0], month[1] + DAY)
    mean = next((one for one in found.means if one.carrier == (service.commodity.code, service.unit.quantity)), None)
    told = None if mean is None or mean.mean is None else round(mean.mean / float(service.unit.ratio), 2)
    heard, whole = bool((days.known | days.heard).any()), bool(days.known.all())
    return Beside(
        service.commodity.code,
        service.commodity.name_en,
        service.commodity.name_ko,
        service.unit.code,
        service.unit.to_decimal(int(days.value.sum())) if heard else None,
        whole,
        None if whole else PART if heard else UNKNOWN,
        told,
        NO_METER if mean is None else mean.reason,
    )
