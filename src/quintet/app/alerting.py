"""Inside `serve`: dwellings that sent something are looked at for alerts, once an hour at most; all of them nightly.

Some hundreds are read at a time, with a rest after each, so that it takes a bounded share of one core and who asks
meanwhile waits for one dwelling only; what goes wrong is said and tried again. Who is told is another's part: the news
are handed over when they are durable.
"""

import threading
from collections import deque
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any

import numpy as np

from quintet.alerts.limits import limits
from quintet.registry import Registry
from quintet.registry.alerts import News
from quintet.terms.alert import Alert
from quintet.terms.catalogue import numbers_of, read_toml
from quintet.terms.period import HOUR_US

from .alert_forecast import PageForecast
from .alert_looks import begins_of, homes_of, look, machine
from .background import Background
from .city import City

NAMES = ("look_s", "home_s", "busy_percent", "again_s", "at_once")
NIGHT_US = 2 * HOUR_US
"""Days are closed and judged in the first hours after midnight; all dwellings are looked at after that."""
NOBODY = (None, None)


@cache
def bounds() -> dict[str, int]:
    """Give the numbers of alerting.toml."""
    return numbers_of(read_toml("quintet.app", "alerting.toml"), NAMES, "alerting.toml")


@lru_cache(maxsize=2)
def dwellings_of_channels(registry: Registry) -> dict[int, str]:
    """Give the place at which each channel of a dwelling stands."""
    homes = set(homes_of_registry(registry))
    found = ((number, registry.place_of(number)) for number in registry.channel_ids.values())
    return {number: place for number, place in found if place in homes}


def homes_of_registry(registry: Registry) -> list[str]:
    """Name all dwellings, in the order of the tree."""
    return [place for place, body in registry.tree.bodies.items() if body.get("level") == "premise"]


class Alerting:
    """The thread that looks for alerts, and the desk of their addresses; `end` waits for the dwellings at hand."""

    def __init__(self, city: City, *, look_s: float | None = None) -> None:
        """Look at the dwellings of an open city; the clock is looked at every `look_s` seconds (default: the limit)."""
        self._city = city
        self._forecast = PageForecast(machine(city))
        self._look_s = bounds()["look_s"] if look_s is None else look_s
        self._lock = threading.Lock()
        self._touched: set[int] = set()
        self._asked: deque[str] = deque()
        self._looked_us: dict[str, int] = {}
        self._waiting: dict[str, None] = {}
        self._night: int | None = None
        self._begun: dict[str, tuple[int | None, int | None]] = {}
        self._of: tuple[Registry, int, int] | None = None
        again_s = bounds()["again_s"]
        self._background = Background("alerting", "looking for alerts", self._look, again_s=again_s)

    def begin(self) -> None:
        """Start to listen to commits, and to look."""
        self._city.pipeline.listeners.append(self.take)
        self._background.begin()

    def end(self) -> None:
        """Look at nothing more, and wait for what is at hand; more than once is once."""
        self._background.end()
        if self.take in self._city.pipeline.listeners:
            self._city.pipeline.listeners.remove(self.take)

    def take(self, committed: Any) -> None:
        """Note which channels a batch changed; called in the committing thread, so nothing more is done here."""
        if committed.rows is not None and len(committed.rows.channel):
            channels = np.unique(committed.rows.channel).tolist()
            with self._lock:
                self._touched.update(channels)

    def now_us(self) -> int:
        """Give the city's present moment."""
        return self._city.now()

    def looked_us(self, place: str) -> int | None:
        """Give when a dwelling was looked at last since this process began."""
        return self._looked_us.get(place)

    def alert(self, number: str) -> Alert:
        """Find an alert by its id; raises NotFound."""
        return self._city.alerts.alert(number)

    def dismiss(self, number: str, by: str) -> Alert:
        """Call an alert no problem; raises BadInput for one that has ended."""
        return self._city.alerts.dismiss(number, by=by)

    def undo(self, number: str, by: str) -> Alert:
        """Take that back; raises as `dismiss` does."""
        return self._city.alerts.undo(number, by=by)

    def budget_bounds(self) -> tuple[int, int]:
        """Give the least and the most that a budget may be, in won."""
        known = limits("pace")
        return known["budget_least"], known["budget_most"]

    def set_budget(self, place: str, won: int | None, tenancy_us: int, by: str) -> None:
        """Set or take away a household's budget; it is looked at again at the next look."""
        self._city.alerts.set_budget(place, won, tenancy_us=tenancy_us, by=by)
        self._asked.append(place)

    def _look(self) -> float:
        """Look at what is due, some dwellings of it; give the seconds until the next look."""
        now_us = self._city.now()
        self._ask_for_the_new()
        night = self._city.engine.day_of(now_us - NIGHT_US)
        if night != self._night:
            every = homes_of(self._city)
            self._waiting = dict.fromkeys(every)
            whole = self._part(list(every), alike=True)
            if whole:
                self._night = night
            return 0.0 if whole else self._look_s
        if self._asked:
            first = [self._asked.popleft() for _ in range(len(self._asked))]
            self._waiting = dict.fromkeys([*reversed(first), *self._waiting])
        for place in self._due(now_us):
            self._waiting.setdefault(place)
        some = list(self._waiting)[: bounds()["at_once"]]
        if not some:
            return self._look_s
        self._part(some, alike=False)
        return 0.0 if self._waiting else self._look_s

    def _ask_for_the_new(self) -> None:
        """Ask for a look at each dwelling of which it is known only now who lives there, or since when.

        Once an hour it is asked in any case: a move that was recorded beforehand comes about without a word.
        """
        registry, changes, hour = self._city.registry(), self._city.people.changes, self._city.now() // HOUR_US
        if self._of is not None and self._of[0] is registry and self._of[1:] == (changes, hour):
            return
        begun = begins_of(self._city, homes_of_registry(registry))
        if self._of is not None:
            self._asked.extend(place for place, one in begun.items() if self._begun.get(place, NOBODY) != one)
        self._of, self._begun = (registry, changes, hour), begun

    def _due(self, now_us: int) -> list[str]:
        """Give the dwellings that sent something since they were looked at, an hour ago or more."""
        with self._lock:
            channels, self._touched = self._touched, set()
        of_channel = dwellings_of_channels(self._city.registry())
        early = now_us - bounds()["home_s"] * 1_000_000
        places = {of_channel[number]: number for number in sorted(channels) if number in of_channel}
        due = [place for place in places if self._looked_us.get(place, 0) <= early]
        late = {places[place] for place in places.keys() - set(due)}
        with self._lock:
            self._touched |= late
        return due

    def _part(self, places: Sequence[str], *, alike: bool) -> bool:
        """Look at some dwellings, with pauses; False where the end came before all were seen."""
        step = bounds()["at_once"]
        for low in range(0, len(places), step):
            if self._background.ended:
                return False
            some = places[low : low + step]
            at_us = self._city.now()  # whose time it is, is asked before the readings
            look(self._city, some, alike=alike, forecast=self._forecast, told=self._tell, rest=self._rest)
            for place in some:
                self._looked_us[place] = at_us
                self._waiting.pop(place, None)
        return True

    def _tell(self, news: News) -> None:
        """Hand over what was raised and what ended."""
        if self._city.telling is not None:
            self._city.telling.tell([*news.raised, *news.ended])

    def _rest(self, worked_s: float) -> None:
        """Rest after so much work, by the share of a core that this may take; the end waits for no rest."""
        share = bounds()["busy_percent"] / 100
        self._background.ending.wait(worked_s * (1 - share) / share)
