"""A home's tiles: today's use of each utility with its won, and what of that does not change while today goes on."""

from collections.abc import Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

import msgspec

from quintet.access import Access
from quintet.tariffs import Asked
from quintet.tariffs.home_rates import HomeRates

from .answers_home import HomeNow, Tile
from .catalogue import Catalogue
from .home_bill import Month, first_part, month_of
from .home_limits import home_limits
from .home_now import FINE, NONE, STOPPED, Reading, Today, no_tile, tile_of
from .home_services import Service, carriers_of
from .home_signs import Days, days_of
from .home_stretches import parts_of
from .home_usual import Usual, kind_of


@dataclass(frozen=True, slots=True)
class Behind:
    """What lies behind a utility's today: its days before, and the month's bill as it stood this morning.

    Of that bill, of the use `before`, the `exact` won (None: there is none) and what is said of it: all of it is large.
    """

    days: Days | None
    asked: Asked | None
    before: Fraction
    exact: Fraction | None
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Made:
    """A tile, and from when on it would be another one although nothing comes in."""

    tile: Tile
    until: datetime


def behind_of(access: Access, service: Service, place: str, today: Today, rates: HomeRates) -> Behind:
    """Read what lies behind a utility's today."""
    month = month_of(access, place, today.day.replace(day=1), today)
    stretches = rates.stretches(place, service.commodity.code, month.first, month.end)
    month = next(part for part in parts_of(month, stretches) if part.holds_today)
    days = days_of(access, service, today.day, today.whole)
    past = _use_before(days, month) + first_part(access, service, month).value
    asked = rates.asked(place, service.commodity.code, service.unit, month.first, month.end)
    before = Fraction(past) / service.unit.ratio
    bill = rates.price(asked, before)
    return Behind(days, asked, before, None if bill.bill is None else bill.exact, bill.why)


def made_tile(reading: Reading, usual: Usual | None, behind: Behind, today: Today, rates: HomeRates) -> Made:
    """Give a utility's tile: what today's use adds to the month's bill, and what the usual use would."""
    tile = tile_of(reading, usual, today)
    until = changes_at(reading, today)
    if reading.use is None or reading.state == STOPPED:
        reason = tile.state if reading.use is None else STOPPED
        return Made(msgspec.structs.replace(tile, won_reason=reason), until)
    won, reason = _added(behind, rates, Fraction(reading.use))
    usual_won = None if tile.usual is None or won is None else _added(behind, rates, Fraction(tile.usual))[0]
    return Made(msgspec.structs.replace(tile, won=won, won_usual=usual_won, won_reason=reason), until)


def _added(behind: Behind, rates: HomeRates, use: Fraction) -> tuple[int | None, str | None]:
    """Give the won that a use adds to the bill of this morning, and else why that cannot be said."""
    bill = rates.price(behind.asked, behind.before + use)
    if behind.exact is None or bill.bill is None:
        return None, (behind.why or bill.why)[0]
    return round(bill.exact - behind.exact), None


def changes_at(reading: Reading, today: Today) -> datetime:
    """Give the moment from which on a tile would be another one although nothing comes in: by the clock alone.

    What is fine shows nothing of the time after its last reading. Anything else shows what is missing by now, so it
    changes with each interval that is over.
    """
    step = timedelta(minutes=reading.service.minutes)
    over = today.span.start + (today.now - today.span.start) // step * step
    moments = [today.span.end]
    if reading.state != FINE or reading.as_of is None or reading.as_of > over:
        moments.append(over + step)
    if reading.last is not None:
        limits = home_limits()
        late = reading.last + (limits["late_intervals"] + 1) * step
        silent = reading.last + max(timedelta(hours=limits["silent_after_h"]), 2 * step) + timedelta(microseconds=1)
        moments += [moment for moment in (late, silent) if moment > today.now]
    return min(moments)


def no_tiles(catalogue: Catalogue, held: set[str], of: Set[str] | None = None) -> list[Tile]:
    """Give the tiles of the carriers (`of` these; None: all) that this home is not metered for."""
    missing = [row for row in carriers_of(catalogue) if row.code not in held and (of is None or row.code in of)]
    return [no_tile(row, row.display_unit(next(iter(row.measures)))) for row in missing]


def now_of(catalogue: Catalogue, place: str, names: tuple[str, str], today: Today, tiles: Sequence[Tile]) -> HomeNow:
    """Give a home's today of all its tiles."""
    order = {code: at for at, code in enumerate(catalogue.registry.commodities.rows)}
    tiles = sorted(tiles, key=lambda tile: order[tile.commodity])
    metered = [tile for tile in tiles if tile.state != NONE]
    priced = [tile for tile in metered if tile.won is not None]
    city, tz = catalogue.registry.city, catalogue.registry.tz
    return HomeNow(
        place,
        *names,
        city.tz,
        city.simulated,
        today.now.astimezone(tz),
        today.day,
        today.span.start.astimezone(tz),
        today.span.end.astimezone(tz),
        today.since_day,
        kind_of(today.day, tz),
        max((tile.as_of for tile in tiles if tile.as_of is not None), default=None),
        any(tile.state != FINE for tile in metered),
        sum_of([tile.won for tile in priced]),
        sum_of([tile.won_usual for tile in priced]),
        [tile.commodity for tile in metered if tile.won is None],
        tiles,
    )


def sum_of(amounts: Sequence[int | None]) -> int | None:
    """Add up; None where there is nothing, or something is not known."""
    known = [one for one in amounts if one is not None]
    return sum(known) if known and len(known) == len(amounts) else None


def _use_before(days: Days | None, month: Month) -> int:
    """Give what was used on the month's days that are over, in sub-units."""
    if days is None:
        return 0
    return int(days.value[max((month.whole - days.first).days, 0) :].sum())
