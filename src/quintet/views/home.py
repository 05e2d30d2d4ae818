"""The questions of the resident's page: one home, one reader, the rights of `access`."""

import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import msgspec

from quintet.access import Access
from quintet.terms.errors import NotFound, UsageError
from quintet.terms.period import Span, from_us

from .answers import Place
from .answers_home import HomeBill, HomeCompare, HomeHistory, HomeNow, Offered, Tile
from .asked import day_of
from .catalogue import Catalogue
from .home_bill import Month, bill_line, first_part, month_of
from .home_compare import compared
from .home_history import alike, history_rows, stretch_of
from .home_limits import home_limits
from .home_now import FINE, NONE, STOPPED, Reading, Today, no_tile, read_today, tile_of
from .home_rates import HomeRates, rates_of
from .home_services import Service, carriers_of, services_of
from .home_signs import Days, days_between
from .home_usual import Usual, kind_of, usual_of

KEPT = 4096
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
PREMISE = "premise"


class HomeQuestions:
    """Answers what a household asks; safe to be asked by several threads at once. Raises as `Questions` does."""

    def __init__(self, access: Access, catalogue: Callable[[], Catalogue], now: Callable[[], int]) -> None:
        """Ask through one reader's access; `now` gives microseconds since 1970."""
        self._access = access
        self._catalogue = catalogue
        self._now = now
        self._lock = threading.Lock()
        self._usual: dict[tuple[tuple[str, ...], date], tuple[float, Usual]] = {}

    def now(self, place: str) -> HomeNow:
        """Give today's use of each utility so far, beside the same hours of usual days."""
        catalogue = self._home(place)
        tz, today = catalogue.registry.tz, self._today(place)
        rates = rates_of(catalogue.registry)
        tiles = [self._tile(service, place, today, rates) for service in services_of(catalogue, place)]
        held = {tile.commodity for tile in tiles}
        missing = [row for row in carriers_of(catalogue) if row.code not in held]
        tiles += [no_tile(row, row.display_unit(next(iter(row.measures)))) for row in missing]
        order = {code: at for at, code in enumerate(catalogue.registry.commodities.rows)}
        tiles.sort(key=lambda tile: order[tile.commodity])
        metered = [tile for tile in tiles if tile.state != NONE]
        priced = [tile for tile in metered if tile.won is not None]
        city = catalogue.registry.city
        return HomeNow(
            place,
            *names_of(catalogue, place),
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

    def bill(self, place: str, month: str | None = None) -> HomeBill:
        """Give a calendar month's bill (2026-11; default: this one): so far while it lasts, and where it is heading."""
        catalogue = self._home(place)
        today = self._today(place)
        asked = month_of(today.day.replace(day=1) if month is None else _first(month), today)
        if asked.first > today.day or asked.first >= asked.end:
            raise UsageError(
                f"{month} is not a month of yours.",
                code="bad_month",
                place="month",
                remedy="Ask for one that has begun.",
            )
        rates = rates_of(catalogue.registry)
        lines, as_of = [], None
        for service in services_of(catalogue, place):
            reading = read_today(self._access, service, today) if asked.running else None
            first, end = max(asked.first, today.whole or asked.first), min(asked.end, today.day)
            days = days_between(self._access, service, first, end) if first < end else None
            behind = None if reading is None else reading.days
            use = None if reading is None or reading.use is None else int(Fraction(reading.use) * service.unit.ratio)
            part = first_part(self._access, service, asked.first, today)
            lines.append(bill_line(service, place, asked, days, behind, (part, use), rates))
            if reading is not None and reading.as_of is not None:
                as_of = reading.as_of if as_of is None else max(as_of, reading.as_of)
        priced = [line for line in lines if line.won is not None]
        ahead = [line.ahead for line in priced if line.ahead is not None]
        whole = ahead if len(ahead) == len(priced) else []
        return HomeBill(
            place,
            *names_of(catalogue, place),
            catalogue.registry.city.tz,
            f"{asked.first:%Y-%m}",
            asked.first,
            asked.end - timedelta(days=1),
            (asked.end - asked.first).days,
            asked.over,
            as_of,
            today.since_day,
            sum_of([line.won for line in priced]),
            sum_of([one.won for one in whole]),
            sum_of([one.won_low for one in whole]),
            sum_of([one.won_high for one in whole]),
            [line.commodity for line in lines if line.won is None],
            lines,
        )

    def history(
        self, place: str, utility: str | None = None, length: str = "day", at: str | None = None
    ) -> HomeHistory:
        """Give a utility over the day, week, month or year that holds a day, beside the year before.

        Without a utility the home's first; without a day today.
        """
        catalogue, today = self._home(place), self._today(place)
        services = services_of(catalogue, place)
        if not services:
            raise NotFound(
                "has no meter.", code="no_meter", place=place, remedy="Its use appears with its first meter."
            )
        service = next((one for one in services if utility in (None, one.commodity.code)), None)
        if service is None:
            known = ", ".join(one.commodity.code for one in services)
            raise NotFound("has no such meter.", code="no_meter", place=place, remedy=f"It has {known}.")
        stretch = stretch_of(length, min(day_of(at), today.day) if at is not None else today.day, today.tz)
        rows = history_rows(self._access, service, place, stretch, today)
        known_values = [row.value for row in rows if row.value is not None]
        pair = alike(rows)
        earlier = stretch.first - timedelta(days=1)
        return HomeHistory(
            place,
            *names_of(catalogue, place),
            catalogue.registry.city.tz,
            service.commodity.code,
            service.unit.code,
            length,
            stretch.length.step.value,
            stretch.first,
            stretch.end - timedelta(days=1),
            earlier if today.since_day is None or earlier >= today.since_day else None,
            stretch.end if stretch.end <= today.day else None,
            today.since_day,
            today.now.astimezone(today.tz),
            sum(known_values, Decimal(0)) if known_values else None,
            *pair,
            [Offered(one.commodity.code, one.commodity.name_en, one.commodity.name_ko) for one in services],
            rows,
        )

    def compare(self, place: str) -> HomeCompare:
        """Give the last whole month of each utility beside the mean of homes like it."""
        catalogue, today = self._home(place), self._today(place)
        return compared(self._access, place, names_of(catalogue, place), services_of(catalogue, place), today)

    def _home(self, place: str) -> Catalogue:
        """Give the catalogue, of a place that is one home and the reader's; raises UsageError for others."""
        self._access.may_read(place)
        catalogue = self._catalogue()
        if len(catalogue.registry.descendants(place)) > 1:
            raise UsageError(
                "holds other places.",
                code="not_a_home",
                place=place,
                remedy="Name one dwelling.",
            )
        return catalogue

    def _tile(self, service: Service, place: str, today: Today, rates: HomeRates) -> Tile:
        reading = read_today(self._access, service, today)
        usual = self._usual_of(service, today) if reading.as_of is not None and today.hours == 24 else None
        return self._priced(tile_of(reading, usual, today), reading, place, today, rates)

    def _priced(self, tile: Tile, reading: Reading, place: str, today: Today, rates: HomeRates) -> Tile:
        """Say what today's use adds to the month's bill, and what the usual use would."""
        if reading.use is None or reading.state == STOPPED:
            return msgspec.structs.replace(tile, won_reason=tile.state if reading.use is None else STOPPED)
        service, month = reading.service, month_of(today.day.replace(day=1), today)
        asked = rates.asked(place, service.commodity.code, service.unit, month.first, month.end)
        past = _use_before(reading.days, month) + first_part(self._access, service, month.first, today)
        before = Fraction(past) / service.unit.ratio
        won, reason = rates.added(asked, before, before + Fraction(reading.use))
        usual = (
            None if tile.usual is None or won is None else rates.added(asked, before, before + Fraction(tile.usual))[0]
        )
        return msgspec.structs.replace(tile, won=won, won_usual=usual, won_reason=reason)

    def _usual_of(self, service: Service, today: Today) -> Usual:
        """Give a utility's usual day, made again after a while."""
        key, moment = (service.channels, today.day), time.monotonic()
        with self._lock:
            held = self._usual.get(key)
        if held is not None and moment - held[0] < home_limits()["usual_kept_s"]:
            return held[1]
        made = usual_of(self._access, service, today.day, today.tz, today.whole)
        with self._lock:
            if len(self._usual) >= KEPT:
                self._usual.clear()
            self._usual[key] = (moment, made)
        return made

    def _today(self, place: str) -> Today:
        """Give the present day, and from when on the home is the reader's to see."""
        tz: ZoneInfo = self._access.registry().tz
        now = from_us(self._now())
        mine = self._access.clip(place, Span(BEGINNING, now + timedelta(microseconds=1)))
        return Today.at(now, tz, None if mine is None or mine.start == BEGINNING else mine.start)


def names_of(catalogue: Catalogue, place: str) -> tuple[str, str]:
    """Name a home in both languages: a dwelling with the building that it is in."""
    here = catalogue.place(place)
    above: Place | None = catalogue.place(here.parent) if here.level == PREMISE and here.parent else None
    if above is None:
        return here.name_en, here.name_ko
    return f"{above.name_en}-{here.name_en}", f"{above.name_ko}-{here.name_ko}"


def sum_of(amounts: Sequence[int | None]) -> int | None:
    """Add up; None where there is nothing, or something is not known."""
    known = [one for one in amounts if one is not None]
    return sum(known) if known and len(known) == len(amounts) else None


def _use_before(days: Days | None, month: Month) -> int:
    """Give what was used on the month's days that are over, in sub-units."""
    if days is None:
        return 0
    return int(days.value[max((month.first - days.first).days, 0) :].sum())


def _first(month: str) -> date:
    """Read a month, 2026-11."""
    try:
        return day_of(f"{month}-01" if len(month) == 7 else "")
    except UsageError as error:
        raise UsageError(
            f"{month!r} is no month.", code="bad_month", place="month", remedy="Write it as 2026-11."
        ) from error
