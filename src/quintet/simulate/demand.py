"""What is used, in whole sub-units: each row's total of a day, and its course over the day's intervals.

A day's total is drawn first, by itself, and then split over the intervals; so the counters at the start of any day are
the sum of earlier totals, and no interval of an earlier day need be made again. All amounts are whole numbers held in
doubles below 2**53, so that sums and differences are exact in any order.
"""

from dataclasses import dataclass
from datetime import date
from threading import Lock

import numpy as np

from .behaviour import PEAK, Singles, behaviour
from .climate import Weather, mains_c, weather_of
from .layout import Site
from .plan import SLOTS, STEP_US, Chance, CityPlan, Floats, Ints, chance
from .rhythm import clock_slots
from .supply import PPM, Exchanger, supply

CHECKPOINT_DAYS = 16


@dataclass(frozen=True, slots=True)
class Leak:
    """Water that runs off behind a row's meter: sub-units in each interval of [start_us, end_us)."""

    row: int
    start_us: int
    end_us: int
    per_interval: int

    def until(self, moments_us: Ints) -> Ints:
        """Give what has run off until each quarter-hour boundary."""
        return (np.clip(moments_us, self.start_us, self.end_us) - self.start_us) // STEP_US * self.per_interval


@dataclass(frozen=True)
class Day:
    """What all sites share of a day: its boundaries, weather and the weights A and B (see `behaviour`)."""

    number: int
    date: date
    edges: Ints
    weather: Weather
    a: Singles
    b: Singles
    hours: Ints

    @property
    def count(self) -> int:
        """The day's intervals: 96, or 92 and 100 where the clock changes."""
        return len(self.edges) - 1


class Demand:
    """Draws the use of every site; holds nothing but caches, so it may be asked in any order and from any thread."""

    def __init__(self, plan: CityPlan, leaks: dict[int, list[Leak]]) -> None:
        """Take the plan and the leaks by site number."""
        self.plan = plan
        self.leaks = leaks
        self._factors: dict[int, Floats] = {}
        self._day: Day | None = None
        self._marks: dict[int, dict[int, Floats]] = {}
        self._last: dict[int, tuple[int, Floats]] = {}
        self._lock = Lock()

    def day(self, number: int) -> Day:
        """Prepare a day (the last one asked is kept)."""
        kept = self._day
        if kept is not None and kept.number == number:
            return kept
        when = self.plan.day(number)
        edges = self.plan.edges(when)
        weather = weather_of(self.plan, when)
        slots = clock_slots(edges[:-1], self.plan.zone)
        a, b = behaviour().weights(when, weather, slots)
        made = Day(number, when, edges, weather, a, b, (slots * 24 // SLOTS).astype(np.int64))
        self._day = made
        return made

    def factor(self, number: int) -> Floats:
        """Give each class's day total as a multiple of its `per_day`."""
        known = self._factors.get(number)
        if known is None:
            when = self.plan.day(number)
            weather = weather_of(self.plan, when)
            slots = clock_slots(weather.starts_us, self.plan.zone)
            known = behaviour().response(when, weather, slots).sum(axis=1) / SLOTS
            self._factors[number] = known
        return known

    def totals(self, site: Site, number: int) -> Floats:
        """Draw each row's whole use of a day, sub-units."""
        kinds, when = behaviour(), self.plan.day(number)
        rng = chance(self.plan.seed, Chance.TOTALS, site.number, when.toordinal())
        spread = kinds.daily[site.klass]
        noise = np.exp(spread * np.clip(rng.standard_normal(len(site.rows)), -3, 3) - spread**2 / 2)
        away = rng.random(site.homes + 1)[: len(site.away_share)] < site.away_share
        presence = np.where(away[site.home], kinds.away[site.klass], 1.0)
        total = np.rint(site.base * self.factor(number)[site.klass] * noise * presence) * site.drawn
        for leak, ran in self._leaking(site, number):
            total[leak.row] += ran[-1]
        self._exchange(site, total[:, None], number, np.array([self._count(number)]))
        return total

    def _leaking(self, site: Site, number: int) -> list[tuple[Leak, Ints]]:
        """Give a site's leaks of a day and what has run off since its start at each boundary."""
        leaks = self.leaks.get(site.number)
        if not leaks:
            return []
        edges = self.plan.edges(self.plan.day(number))
        begin, end = int(edges[0]), int(edges[-1])
        today = [leak for leak in leaks if leak.start_us < end and leak.end_us > begin]
        return [(leak, leak.until(edges) - leak.until(edges[:1])) for leak in today]

    def _count(self, number: int) -> int:
        """Give the number of intervals of a day."""
        return len(self.plan.edges(self.plan.day(number))) - 1

    def opened(self, site: Site, number: int) -> Floats:
        """Give each row's use from the plan's start to the start of a day: the sum of the totals before it.

        In order a day costs one draw of totals; out of order at most CHECKPOINT_DAYS of them.
        """
        with self._lock:
            marks = self._marks.setdefault(site.number, {0: np.zeros(len(site.rows))})
            at = max(n for n in marks if n <= number)
            sums = marks[at]
            last = self._last.get(site.number)
        if last is not None and at < last[0] <= number:
            at, sums = last
        while at < number:
            sums = sums + self.totals(site, at)
            at += 1
            if at % CHECKPOINT_DAYS == 0:
                with self._lock:
                    marks[at] = sums
        with self._lock:
            self._last[site.number] = (number, sums)
        return sums

    def course(self, site: Site, day: Day) -> Floats:
        """Split the day's totals over its intervals: use since the day's start at each boundary [row, n + 1]."""
        rng = chance(self.plan.seed, Chance.COURSE, site.number, day.date.toordinal())
        totals = self._natural(site, day)
        weight = rng.standard_exponential((len(site.rows), day.count), dtype=np.float32)
        np.minimum(weight, PEAK, out=weight)
        _last_on(weight, behaviour().lasting[site.klass])
        weight *= day.b[site.table]
        weight += day.a[site.table]
        np.maximum(weight, 0, out=weight)
        use = np.empty((len(site.rows), day.count + 1))
        use[:, 0] = 0
        np.cumsum(weight, axis=1, dtype=np.float64, out=use[:, 1:])
        dry = np.flatnonzero((use[:, -1] <= 0) & (totals > 0))
        if len(dry):
            # No draw came about on a day with use: it flows by the clock instead.
            use[dry, 1:] = np.cumsum(np.exp(day.a[site.table[dry]].clip(-50, 50)), axis=1, dtype=np.float64)
        sums = use[:, -1]
        use *= (totals / np.where(sums > 0, sums, 1.0))[:, None]
        np.floor(use, out=use)
        use[:, -1] = totals
        for leak, ran in self._leaking(site, day.number):
            use[leak.row] += ran
        self._exchange(site, use, day.number, np.arange(day.count + 1))
        return use

    def _natural(self, site: Site, day: Day) -> Floats:
        """Give the day's totals without leaks; derived rows are 0."""
        totals = self.totals(site, day.number) * site.drawn
        for leak, ran in self._leaking(site, day.number):
            totals[leak.row] -= ran[-1]
        return totals

    def _exchange(self, site: Site, use: Floats, number: int, intervals: Ints) -> None:
        """Fill a complex's exchanger rows from its hot water's use at each boundary: all three are whole sub-units."""
        made = supply().exchanger
        out = site.groups.get((made.output.carrier, "conversion_out"))
        if out is None:
            return
        used = use[site.groups[(made.output.carrier, "consumption")]].sum(axis=0).astype(np.int64)
        volume = used + used * made.loss_ppm // PPM
        use[out] = volume
        use[site.groups[(made.carries.carrier, "conversion_in")]] = volume
        warmed = volume * warmth_mwh_per_l(made, self.plan.day(number)) // 1000
        standby = made.standby_per_dwelling * site.homes * intervals
        use[site.groups[(made.heated.carrier, "conversion_in")]] = warmed + standby


def _last_on(weight: Singles, lasting: Floats) -> None:
    """Let fluctuations [row, interval] go on into the next interval, by each row's share."""
    rows = np.flatnonzero(lasting > 0)
    share = lasting[rows, None].astype(np.float32)
    running = weight[rows]
    running[:, 1:] = (running[:, 1:] + share * running[:, :-1]) / (1 + share)
    weight[rows] = running


def warmth_mwh_per_l(made: Exchanger, day: date) -> int:
    """Give the heat that warms one litre of that day's mains water, whole mWh."""
    return round(made.mwh_per_litre_k * (made.hot_c - mains_c(day)))
