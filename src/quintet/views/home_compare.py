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
    return Beside(
        service.commodity.code,
        service.commodity.name_en,
        service.commodity.name_ko,
        service.unit.code,
        service.unit.to_decimal(int(days.value.sum())) if days.known.any() else None,
        bool(days.known.all()),
        told,
        NO_METER if mean is None else mean.reason,
    )
