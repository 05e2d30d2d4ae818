"""The questions that people ask of a city: one method a question. Times are text, read on the city's clock."""

import threading
import time
from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from quintet.access import Access
from quintet.terms.period import from_us, local_day

from .answers import Balances, CityDay, DwellingDay, ExceptionDetail, Exceptions, Intervals, Meters, Places
from .asked import day_of, known_at_of, resolution_of, span_of, within
from .balances import place_balances
from .catalogue import Catalogue, list_meters, list_places
from .city_day import ROOT, city_day
from .days import Heard, heard_day, heard_latest
from .dwelling import dwelling_day
from .exceptions import detail, queue
from .series import KEPT, channel_series

PAGE = 100
LONGEST_PAGE = 1000
MOST_POINTS = 100_000


def system_now_us() -> int:
    """Give the present moment in microseconds since 1970."""
    return time.time_ns() // 1000


class Questions:
    """Answers one reader's questions; safe to be asked by several threads at once.

    All methods raise UsageError for what cannot be asked, NotFound for a place or channel that is none, Forbidden for
    one that is not the reader's.
    """

    def __init__(self, access: Access, *, now: Callable[[], int] = system_now_us) -> None:
        """Ask through one reader's access; `now` gives microseconds since 1970."""
        self._access = access
        self._now = now
        self._making = threading.Lock()
        self._catalogue: Catalogue | None = None

    def places(
        self, *, level: str | None = None, parent: str | None = None, cursor: str | None = None, limit: int = PAGE
    ) -> Places:
        """List places in order of id: all, those of a level, those directly below a parent."""
        return list_places(self._access, self._listed(), level, parent, cursor, within(limit, 1, LONGEST_PAGE, "limit"))

    def meters(
        self, *, place: str | None = None, commodity: str | None = None, cursor: str | None = None, limit: int = PAGE
    ) -> Meters:
        """List channels in order of name: all, those in a place, those of a commodity."""
        return list_meters(
            self._access, self._listed(), place, commodity, cursor, within(limit, 1, LONGEST_PAGE, "limit")
        )

    def intervals(
        self,
        channel: str,
        start: str,
        end: str,
        resolution: str,
        known_at: str | None = None,
        max_points: int | None = None,
    ) -> Intervals:
        """Give one channel's series over [start, end), thinned to `max_points` periods where there are more."""
        tz, catalogue = self._tz(), self._listed()
        found = self._access.channel(channel)
        points = None if max_points is None else within(max_points, KEPT, MOST_POINTS, "max_points")
        return channel_series(
            self._access,
            catalogue.meter(found.name),
            span_of(start, end, tz),
            resolution_of(resolution),
            known_at=known_at_of(known_at, tz),
            now=self._moment(),
            tz=tz,
            max_points=points,
        )

    def balances(
        self, start: str, end: str, resolution: str, place: str = ROOT, known_at: str | None = None
    ) -> Balances:
        """Give a place's supply against use over [start, end), a row a period and carrier."""
        tz = self._tz()
        return place_balances(
            self._access, place, span_of(start, end, tz), resolution_of(resolution), known_at_of(known_at, tz), tz
        )

    def city_today(self, day: str | None = None, known_at: str | None = None) -> CityDay:
        """Give the city's day by the hour: the one asked for, else today, else the last that has readings.

        As known at a moment, that moment is the now of the answer.
        """
        tz = self._tz()
        access, catalogue, now = self._then(known_at, tz)
        return city_day(access, catalogue, self._heard(access, day, now, tz), now, tz)

    def dwelling(self, place: str, day: str | None = None, known_at: str | None = None) -> DwellingDay:
        """Give a dwelling's meters by their own interval over a day, chosen as in `city_today`."""
        tz = self._tz()
        self._access.may_read(place)
        access, catalogue, now = self._then(known_at, tz)
        return dwelling_day(access, catalogue, place, self._heard(access, day, now, tz), now, tz)

    def exceptions(
        self, *, state: str = "open", kind: str | None = None, place: str | None = None, limit: int = PAGE
    ) -> Exceptions:
        """List the queue of exceptions, worst first."""
        most = within(limit, 1, LONGEST_PAGE, "limit")
        return queue(self._access, state=state, kind=kind, place=place, limit=most, now=self._moment(), tz=self._tz())

    def exception(self, number: int) -> ExceptionDetail:
        """Give one exception with its evidence and history."""
        return detail(self._access, number, now=self._moment(), tz=self._tz())

    def _then(self, known_at: str | None, tz: ZoneInfo) -> tuple[Access, Catalogue, datetime]:
        """Give the access, the catalogue and the now of an answer: of `known_at` where that is asked for."""
        moment = known_at_of(known_at, tz)
        if moment is None:
            return self._access, self._listed(), self._moment()
        access = self._access.as_known(moment)
        return access, Catalogue(access), moment

    def _heard(self, access: Access, day: str | None, now: datetime, tz: ZoneInfo) -> Heard | None:
        """Read a day and say how far it was heard; one that has not come yet is today, for nothing is known of it."""
        if day is None:
            return heard_latest(access, ROOT, now, tz)
        return heard_day(access, ROOT, min(day_of(day), local_day(now, tz)), now, tz)

    def _tz(self) -> ZoneInfo:
        return self._access.registry().tz

    def _moment(self) -> datetime:
        return from_us(self._now())

    def _listed(self) -> Catalogue:
        """Give the catalogue of the registry as it stands; made again only when that has changed."""
        with self._making:
            if self._catalogue is None or self._catalogue.registry is not self._access.registry():
                self._catalogue = Catalogue(self._access)
            return self._catalogue
