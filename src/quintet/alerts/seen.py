"""What a condition is shown of one dwelling: its hours, the weather, its month so far, its prices and its budget."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from functools import cached_property
from zoneinfo import ZoneInfo

import numpy as np

from quintet.access.home_hours import Calendar, Floats, HoursSeen, Mask
from quintet.tariffs.ahead import Ahead
from quintet.tariffs.home_rates import HomeRates
from quintet.terms.alert import alert_kinds
from quintet.terms.amount import Ints
from quintet.terms.period import HOUR_US, from_us, local_day
from quintet.terms.unit import Unit

from .found import COARSE, GAPS, MOVED_IN, NO_METER, SILENT, Unsaid

Forecast = Callable[[str, str, int, int | None, date], tuple[Ahead | None, int]]
"""Says a home's use of a utility of today and the days up to one, as its page does, and how many days behind it knows.

Asked with place, utility, now, when the household moved in (None: not known), and the day.
"""
VOLUME = "volume"
SHOWN = {VOLUME: "L", "energy": "Wh"}
"""In what a small flow is said: sub-units are thousandths of these."""


def shown(unit: Unit, sub_units: int) -> float:
    """Say sub-units of a utility as people read a small flow (SHOWN)."""
    return round(int(Fraction(sub_units) / unit.ratio * 1000 * 10) / 10, 1)


@dataclass(frozen=True, slots=True)
class MonthUse:
    """A utility's bill under way: its days [start, end), how many are over, and the use on them in its unit.

    `whole`: all that was due on those days is known. `daily` holds what each of them came to, in sub-units; `standing`
    is what the whole month comes to, by its own days or, while they are few, by the weeks before. `own`: all of it lies
    in the time that is looked at; else nothing of it is used, for the month's bill is not of that time alone.
    """

    unit: Unit
    start: date
    end: date
    over: int
    used: Fraction
    whole: bool
    daily: Ints
    standing: Fraction
    own: bool = True


@dataclass(frozen=True, slots=True)
class Alike:
    """Other homes of the same complex over the last days: how many were heard, and how many of them used nothing."""

    days: int
    homes: int
    zero: int


@dataclass(frozen=True)
class HomeSeen:
    """One dwelling as it is shown to conditions; nothing of before the present household is in it.

    `since_us`: from when on it is looked at (`looked_from`), None: all that is known; `stay_us`: when that household
    moved in, 0 where nobody stated it. `carriers` are what dwellings of this city are metered for. `alike` counts other
    homes, by utility; empty where they were not read. `forecast` says the month ahead (None: nobody does). `watched`:
    somebody is to be told where no water is used; `away_until_us`: until then a resident said he is away.
    """

    place: str
    now_us: int
    tz: ZoneInfo
    since_us: int | None
    calendar: Calendar
    services: Mapping[str, HoursSeen]
    coarse: frozenset[str]
    carriers: tuple[str, ...]
    outdoor_c: Floats
    month: Mapping[str, MonthUse]
    rates: HomeRates
    alike: Mapping[str, Alike] = field(default_factory=dict[str, Alike])
    budget_won: int | None = None
    watched: bool = False
    away_until_us: int = 0
    forecast: Forecast | None = None
    stay_us: int = 0

    @cached_property
    def today(self) -> date:
        """The local day of now."""
        return local_day(from_us(self.now_us), self.tz)

    @property
    def begins_us(self) -> int:
        """From when on it is looked at; 0: all that is known."""
        return self.since_us or 0

    def heard_from_us(self, seen: HoursSeen) -> int:
        """Give the first moment of what is known of a utility: an alert rests on nothing before it."""
        first = np.flatnonzero(seen.known)
        return int(self.calendar.start_us[int(first[0]) if len(first) else 0])

    def added_won(self, commodity: str, sub_units: float, *, less: bool = False) -> tuple[int | None, str]:
        """Give the won that more use adds to this month's bill as it stands, and else why that cannot be said.

        `less`: the use is in what stands already, and the won are what it made of it.
        """
        use = self.month.get(commodity)
        if use is None:
            return None, "not_due"
        asked = self.rates.asked(self.place, commodity, use.unit, use.start, use.end)
        more = Fraction(round(sub_units)) / use.unit.ratio
        # so far alone would price the first tier: what counts is the month as it is heading
        before = max(use.standing - more, Fraction(0)) if less else use.standing
        won, reason = self.rates.added(asked, before, before + more)
        return won, reason or ""


def looked_for(kind: str, home: HomeSeen) -> list[str]:
    """Name the utilities in which a kind is looked for: of the table, what this city's dwellings are metered for."""
    here = {*home.carriers, *home.services, *home.coarse}
    return [code for code in alert_kinds()[kind].commodities if code in here]


def unseen(kind: str, home: HomeSeen, commodity: str) -> Unsaid | None:
    """Say why a utility of a dwelling cannot be looked at by the hour at all; None where it can."""
    seen = home.services.get(commodity)
    if seen is None:
        return Unsaid(kind, commodity, COARSE if commodity in home.coarse else NO_METER)
    return None


def unheard(kind: str, home: HomeSeen, seen: HoursSeen, quiet_hours: int) -> Unsaid | None:
    """Say that a meter was not heard of late, and since when; None where it was."""
    heard = np.flatnonzero(seen.sound)
    if not len(heard):
        if home.now_us - home.begins_us <= quiet_hours * HOUR_US:  # who came an hour ago has a meter that is no mute
            return too_new(kind, home, seen.commodity, 1, 0)
        return Unsaid(kind, seen.commodity, SILENT)
    quiet = len(seen.sound) - 1 - int(heard[-1])
    if quiet > quiet_hours:
        return Unsaid(kind, seen.commodity, SILENT, {"hours": quiet})
    return None


def too_new(kind: str, home: HomeSeen, commodity: str, needed_days: int, known_days: int) -> Unsaid:
    """Say that too little of this household's time is known yet."""
    why = MOVED_IN if home.since_us is not None and _lives_days(home) <= needed_days else GAPS
    return Unsaid(kind, commodity, why, {"days": known_days, "needed_days": needed_days})


def _lives_days(home: HomeSeen) -> int:
    return (home.now_us - home.begins_us) // (24 * HOUR_US)


def nights(calendar: Calendar, first: int, until: int) -> Ints:
    """Give for each hour the number of the night to which it belongs, its local day's; -1: none."""
    inside = (calendar.hour >= first) & (calendar.hour < until)
    return np.where(inside, calendar.day, -1)


def smallest_by_night(seen: HoursSeen, calendar: Calendar, night: Ints, hours: int) -> tuple[Ints, Mask]:
    """Give the smallest hour of each night [days], and whether all of its hours are beyond doubt."""
    smallest = np.full(calendar.days, np.iinfo(np.int64).max, np.int64)
    own = (night >= 0) & seen.sound
    np.minimum.at(smallest, night[own], seen.value[own])
    sound = np.bincount(night[own], minlength=calendar.days) >= hours
    return smallest, sound


def days_of(seen: HoursSeen, calendar: Calendar) -> tuple[Ints, Mask]:
    """Give what each local day came to in sub-units, and whether all of its hours are beyond doubt."""
    value = np.zeros(calendar.days, np.int64)
    np.add.at(value, calendar.day, np.where(seen.sound, seen.value, 0))
    sound = np.bincount(calendar.day[seen.sound], minlength=calendar.days)
    full = np.diff(calendar.edges_us) // HOUR_US
    return value, sound >= full
