"""The forecast of the resident's page, for the alerts of a month: one home is told one thing."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from quintet.access import Access
from quintet.registry.weather import station_of, stations
from quintet.tariffs.ahead import Ahead
from quintet.terms.period import from_us
from quintet.views.catalogue import Shelf
from quintet.views.home_forecast import Outlook, month_ahead, outlook_of
from quintet.views.home_now import Today
from quintet.views.home_services import services_of
from quintet.views.home_signs import days_of


class PageForecast:
    """Forecasts a home's month as its page does; may be asked by one thread at a time."""

    def __init__(self, access: Access) -> None:
        """Read through an access; what many homes share is read once a day."""
        self._access = access
        self._shelf = Shelf()
        self._outlooks: dict[int | None, Outlook | None] = {}
        self._of: tuple[Any, ...] = ()
        self._stations: Mapping[str, int] = {}

    def __call__(
        self, place: str, commodity: str, now_us: int, since_us: int | None, end: date
    ) -> tuple[Ahead | None, int]:
        """Forecast a utility's use of today and the days up to, not including, `end`, in sub-units.

        Gives how many of the days behind are known, too. `since_us`: when the household moved in, None: not known.
        """
        catalogue, tz = self._shelf.listed(self._access), self._access.registry().tz
        service = next(iter(services_of(catalogue, place, {commodity})), None)
        today = Today.at(from_us(now_us).astimezone(tz), tz, None if since_us is None else from_us(since_us))
        behind = None if service is None else days_of(self._access, service, today.day, today.whole)
        if service is None or behind is None:
            return None, 0
        outlook = self._outlook(place, today, end)
        return month_ahead(self._access, service, behind, end, today, outlook), int(behind.whole.sum())

    def _outlook(self, place: str, today: Today, end: date) -> Outlook | None:
        """Give the weather that a forecast wants, once for all homes of a station."""
        registry = self._access.registry()
        if self._of != (registry, today.day, end):
            self._of, self._outlooks, self._stations = (registry, today.day, end), {}, stations(registry)
        station = station_of(registry, place, self._stations)
        if station not in self._outlooks:
            self._outlooks[station] = outlook_of(self._access, place, today.day, end, today.tz)
        return self._outlooks[station]
