"""The questions of the resident's page: one home, one reader, the rights of `access`."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from quintet.access import Access
from quintet.tariffs.home_rates import HomeRates, rates_of
from quintet.terms.errors import Forbidden, UsageError
from quintet.terms.period import Span, from_us

from .answers import Place
from .answers_home import HomeBill, HomeCompare, HomeHistory, HomeLess, HomeNow, Offered, Tile
from .asked import day_of
from .catalogue import Catalogue
from .home_compare import compared
from .home_history import alike, history_rows, known_share, service_of, stretch_of
from .home_kept import KeptHomes, Told, told_now, usual_span
from .home_limits import home_limits
from .home_month import Home, asked_month, month_bill, using_less
from .home_now import Today, read_day
from .home_services import Service, services_of
from .home_tiles import behind_of, made_tile, no_tiles, now_of
from .home_usual import Usual, usual_of

KEPT = 4096
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
COMING = timedelta(days=3660)
PREMISE = "premise"


class HomeQuestions:
    """Answers what a household asks; safe to be asked by several threads at once. Raises as `Questions` does."""

    def __init__(
        self,
        access: Access,
        catalogue: Callable[[], Catalogue],
        now: Callable[[], int],
        kept: KeptHomes | None = None,
    ) -> None:
        """Ask through one reader's access; `now` gives microseconds since 1970; `kept` is shared by all readers."""
        self._kept = kept
        self._access = access
        self._catalogue = catalogue
        self._now = now
        self._lock = threading.Lock()
        self._usual: dict[tuple[tuple[str, ...], date], tuple[float, Usual]] = {}

    def now(self, place: str) -> HomeNow:
        """Give today's use of each utility so far, beside the same hours of usual days."""
        catalogue, today = self._home(place), self._present(place)
        rates = rates_of(catalogue.registry)
        of = self._access.utilities(place)
        tiles = [self._tile(service, place, today, rates) for service in services_of(catalogue, place, of)]
        tiles += no_tiles(catalogue, {tile.commodity for tile in tiles}, of)
        return now_of(catalogue, place, names_of(catalogue, place), today, tiles)

    def now_told(self, place: str) -> tuple[bytes, str]:
        """Give what `now` gives as JSON, kept where it may be, and a digest of all but the moment of asking."""
        return self._said(self.make_ahead(place) or told_now(self.now(place)))

    def make_ahead(self, place: str, stamp: int | None = None) -> Told | None:
        """Make what is kept, where it may be: None where each reading is to be noted.

        `stamp` is of before anything was read, where something was read ahead.
        """
        alike = self._access.alike(place)
        if self._kept is None or alike is None:
            return None
        catalogue = self._home(place)
        names = names_of(catalogue, place)
        return self._kept.make((place, alike), self._access, catalogue, names, lambda: self._present(place), stamp)

    def usual_span(self, place: str) -> Span | None:
        """Give the days that a home's usual is made of."""
        return usual_span(self._today(place))

    def now_at_hand(self, place: str) -> tuple[bytes, str] | None:
        """Give what `now_told` gives where that needs no reading and no waiting; None: ask that."""
        alike = self._access.alike(place)
        if self._kept is None or alike is None:
            return None
        told = self._kept.asked((place, alike), self._access.registry(), self._now())
        return None if told is None else self._said(told)

    def _said(self, told: Told) -> tuple[bytes, str]:
        return told.at(from_us(self._now()).astimezone(self._access.registry().tz)), told.digest

    def bill(self, place: str, month: str | None = None) -> HomeBill:
        """Give a calendar month's bill (2026-11; default: this one): so far while it lasts, and where it is heading."""
        home = self._seen(place)
        return month_bill(home, asked_month(home, month))

    def less(self, place: str) -> HomeLess:
        """Give what using less until the month's end would save, by utility."""
        return using_less(self._seen(place))

    def _seen(self, place: str) -> Home:
        catalogue = self._home(place)
        return Home(self._access, catalogue, place, names_of(catalogue, place), self._today(place))

    def history(
        self, place: str, utility: str | None = None, length: str = "day", at: str | None = None
    ) -> HomeHistory:
        """Give a utility over the day, week, month or year that holds a day, beside the year before.

        Without a utility the home's first; without a day today.
        """
        catalogue, today = self._home(place), self._today(place)
        of = self._access.utilities(place)
        services = services_of(catalogue, place, of)
        service = service_of(services, utility, place, catalogue.registry.commodities, of)
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
            known_share(rows, stretch, today),
            *pair,
            [Offered(one.commodity.code, one.commodity.name_en, one.commodity.name_ko) for one in services],
            rows,
        )

    def compare(self, place: str) -> HomeCompare:
        """Give the last whole month of each utility beside the mean of homes like it."""
        catalogue, today = self._home(place), self._today(place)
        services = services_of(catalogue, place, self._access.utilities(place))
        return compared(self._access, place, names_of(catalogue, place), services, today)

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
        behind = behind_of(self._access, service, place, today, rates)
        reading = read_day(self._access, service, today, behind.days)
        usual = self._usual_of(service, today) if reading.as_of is not None and today.hours == 24 else None
        return made_tile(reading, usual, behind, today, rates).tile

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
        if mine is None:
            self._not_yet(place, now, tz)
        since = None if mine is None or mine.start == BEGINNING else mine.start
        return Today.at(now, tz, since, mine.end if mine is not None and mine.end <= now else None)

    def _not_yet(self, place: str, now: datetime, tz: ZoneInfo) -> None:
        """Say from when on a home is the reader's that is not yet."""
        coming = self._access.clip(place, Span(now, now + COMING))
        if coming is not None:
            opens = coming.start.astimezone(tz).isoformat()
            raise Forbidden(
                f"your page opens at {opens}.", code="not_yet_yours", place=place, remedy="Come back then.",
                said={"since": opens},
            )  # fmt: skip

    def _present(self, place: str) -> Today:
        """Give the present day; raises Forbidden for a time that is over: of now nothing is his."""
        today = self._today(place)
        if today.left is not None:
            ended = today.left.astimezone(today.tz).isoformat()
            raise Forbidden(
                f"your time here ended at {ended}.",
                code="stay_ended",
                place=place,
                remedy="Your history, your bills and your data of that time are still here.",
                said={"until": ended},
            )
        return today


def names_of(catalogue: Catalogue, place: str) -> tuple[str, str]:
    """Name a home in both languages: a dwelling with the building that it is in."""
    here = catalogue.place(place)
    above: Place | None = catalogue.place(here.parent) if here.level == PREMISE and here.parent else None
    if above is None:
        return here.name_en, here.name_ko
    return f"{above.name_en}-{here.name_en}", f"{above.name_ko}-{here.name_ko}"
