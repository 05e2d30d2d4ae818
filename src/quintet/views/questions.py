"""The questions that people ask of a city: one method a question. Times are text, read on the city's clock."""

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

from quintet.access import Access
from quintet.terms.length import resolution_of
from quintet.terms.period import Resolution, from_us, local_day

from .answers import (
    Balances,
    Certainty,
    CityDay,
    DwellingDay,
    ExceptionDetail,
    Exceptions,
    Findings,
    Intervals,
    Meters,
    Places,
)
from .asked import day_of, known_at_of, span_of, within
from .balances import place_balances
from .catalogue import Catalogue, Shelf, list_meters, list_places
from .certainty import place_certainty
from .city_day import ROOT, city_day
from .days import Heard, heard_day, heard_latest
from .dwelling import dwelling_day
from .exceptions import detail, queue
from .findings import RuleWords, list_findings
from .home import HomeQuestions
from .home_kept import KeptHomes
from .questions_bills import BillQuestions
from .questions_books import BooksQuestions
from .questions_ledger import LedgerQuestions
from .questions_manager import BuildingQuestions
from .series import KEPT, channel_series
from .uncertain_books import uncertain_balances

PAGE = 100
LONGEST_PAGE = 1000
Kind = TypeVar("Kind")
MOST_POINTS = 100_000


def system_now_us() -> int:
    """Give the present moment in microseconds since 1970."""
    return time.time_ns() // 1000


class Questions:
    """Answers one reader's questions; safe to be asked by several threads at once.

    All methods raise UsageError for what cannot be asked, NotFound for a place or channel that is none, Forbidden for
    one that is not the reader's.
    """

    def __init__(
        self,
        access: Access,
        *,
        now: Callable[[], int] = system_now_us,
        rules: Mapping[str, RuleWords] | None = None,
        shelf: Shelf | None = None,
        city: Access | None = None,
        kept: KeptHomes | None = None,
    ) -> None:
        """Ask through one reader's access; `now` gives microseconds since 1970, `rules` what is said of rules by id.

        Readers of one city share a shelf, and what is `kept` of its homes. How far the city was heard is asked of
        `city` (default: the same access): that is a time, not a reading.
        """
        self._access = access
        self._city = city or access
        self._shelf = shelf = shelf or Shelf()
        self.ledger = LedgerQuestions(access)
        self.books = BooksQuestions(access)
        self.bills = BillQuestions(access)
        self.buildings = BuildingQuestions(access, now)
        self._rules = rules or {}
        self._now = now
        # not by a method of its own: made with each request, the two would stay until somebody looks for such circles
        self.home = HomeQuestions(access, lambda: shelf.listed(access), now, kept)

    @property
    def tz(self) -> ZoneInfo:
        """The city's clock, on which times are read."""
        return self._tz()

    def ask(self, kind: Callable[[Access], Kind]) -> Kind:
        """Give this reader's questions of another kind: a class that is made with an access."""
        return kind(self._access)

    def places(
        self,
        *,
        level: str | None = None,
        parent: str | None = None,
        cursor: str | None = None,
        limit: int = PAGE,
        known_at: str | None = None,
    ) -> Places:
        """List places in order of id: all, those of a level, those directly below a parent."""
        most = within(limit, 1, LONGEST_PAGE, "limit")
        access, catalogue, _ = self._then(known_at, self._tz())
        return list_places(access, catalogue, level, parent, cursor, most, known_at)

    def meters(
        self,
        *,
        place: str | None = None,
        commodity: str | None = None,
        cursor: str | None = None,
        limit: int = PAGE,
        known_at: str | None = None,
    ) -> Meters:
        """List channels in order of name: all, those in a place, those of a commodity."""
        most = within(limit, 1, LONGEST_PAGE, "limit")
        access, catalogue, _ = self._then(known_at, self._tz())
        return list_meters(access, catalogue, place, commodity, cursor, most, known_at)

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
        self,
        start: str,
        end: str,
        resolution: str,
        place: str = ROOT,
        known_at: str | None = None,
        uncertainty: float | None = None,
    ) -> Balances:
        """Give a place's supply against use over [start, end), a row a period and carrier.

        With the interval of each number at a nominal level, `uncertainty`, where that is given.
        """
        tz = self._tz()
        if uncertainty is not None:
            span, moment = span_of(start, end, tz), known_at_of(known_at, tz)
            return uncertain_balances(
                self._access, place, span, resolution_of(resolution), level=uncertainty, known_at=moment
            )
        return place_balances(
            self._access, place, span_of(start, end, tz), resolution_of(resolution), known_at_of(known_at, tz), tz
        )

    def certainty(
        self, start: str, end: str, *, place: str = ROOT, level: float = 0.9, known_at: str | None = None
    ) -> Certainty:
        """Give each metered flow's total of a place over whole local days with its interval."""
        tz = self._tz()
        moment = known_at_of(known_at, tz)
        return place_certainty(self._access, place, span_of(start, end, tz), level=level, known_at=moment, tz=tz)

    def city_today(self, day: str | None = None, known_at: str | None = None) -> CityDay:
        """Give the city's day by the hour: the one asked for, else today, else the last that has readings.

        As known at a moment, that moment is the now of the answer.
        """
        tz = self._tz()
        access, catalogue, now = self._then(known_at, tz)
        self._access.may_read(ROOT)
        heard = self._heard(known_at, day, now, tz)
        if heard is not None:
            self._access.may_read(ROOT, heard.span, Resolution.HOUR)
        return city_day(access, catalogue, heard, now, tz)

    def dwelling(self, place: str, day: str | None = None, known_at: str | None = None) -> DwellingDay:
        """Give a dwelling's meters by their own interval over a day, chosen as in `city_today`."""
        tz = self._tz()
        self._access.may_read(place)
        access, catalogue, now = self._then(known_at, tz)
        return dwelling_day(access, catalogue, place, self._heard(known_at, day, now, tz), now, tz)

    def exceptions(
        self,
        *,
        state: str = "open",
        kind: str | None = None,
        place: str | None = None,
        limit: int = PAGE,
        known_at: str | None = None,
    ) -> Exceptions:
        """List the queue of exceptions, worst first, as it stands or stood at a moment: of that age, and so ranked."""
        most, tz = within(limit, 1, LONGEST_PAGE, "limit"), self._tz()
        access, now = self._as_of(known_at, tz)
        return queue(access, state=state, kind=kind, place=place, limit=most, now=now, tz=tz)

    def exception(self, number: int, known_at: str | None = None) -> ExceptionDetail:
        """Give one exception with its evidence and history, as it stands or stood at a moment."""
        tz = self._tz()
        access, now = self._as_of(known_at, tz)
        return detail(access, number, now=now, tz=tz)

    def _as_of(self, known_at: str | None, tz: ZoneInfo) -> tuple[Access, datetime]:
        """Give the access and the now of an answer: of `known_at` where that is asked for."""
        moment = known_at_of(known_at, tz)
        return (self._access, self._moment()) if moment is None else (self._access.as_known(moment), moment)

    def findings(
        self,
        start: str,
        end: str,
        *,
        channel: str | None = None,
        place: str | None = None,
        rule: str | None = None,
        known_at: str | None = None,
        cursor: str | None = None,
        limit: int = PAGE,
    ) -> Findings:
        """List what rules and runs found of a channel, or of all channels of a place, over [start, end)."""
        tz, most = self._tz(), within(limit, 1, LONGEST_PAGE, "limit")
        access, _, _ = self._then(known_at, tz)
        asked = (channel, place, rule)
        return list_findings(access, self._rules, asked, span_of(start, end, tz), limit=most, cursor=cursor, tz=tz)

    def _then(self, known_at: str | None, tz: ZoneInfo) -> tuple[Access, Catalogue, datetime]:
        """Give the access, the catalogue and the now of an answer: of `known_at` where that is asked for."""
        access, now = self._as_of(known_at, tz)
        return access, self._listed() if access is self._access else Catalogue(access), now

    def _heard(self, known_at: str | None, day: str | None, now: datetime, tz: ZoneInfo) -> Heard | None:
        """Read a day and say how far it was heard; one that has not come yet is today, for nothing is known of it."""
        access = self._city.as_known(known_at_of(known_at, tz))
        if day is None:
            return heard_latest(access, ROOT, now, tz)
        return heard_day(access, ROOT, min(day_of(day), local_day(now, tz)), now, tz)

    def _tz(self) -> ZoneInfo:
        return self._access.registry().tz

    def _moment(self) -> datetime:
        return from_us(self._now())

    def _listed(self) -> Catalogue:
        """Give the catalogue of the registry as it stands."""
        return self._shelf.listed(self._access)
