"""Dwellings by the hour, many at once: what each utility counted and which hours are beyond doubt.

An hour is sound where each of its intervals was measured and nobody doubts it; what is estimated or doubted is known at
most. Who asks must have the right to each dwelling.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from quintet.registry import Registry
from quintet.registry.tree import LEVELS
from quintet.registry.weather import station_of, stations
from quintet.store.hours import ChannelHours, hours_of_channels
from quintet.store.records import ALWAYS
from quintet.terms.amount import Ints
from quintet.terms.period import HOUR_US, MINUTE_US, Span, day_edges, from_us
from quintet.terms.quality import qualities
from quintet.terms.unit import Unit

from .bills import DWELLING, USED
from .flows import placed
from .sets import Asked
from .weather import outdoor_of

Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
COMPLEX = LEVELS[2]
KNOWN = sorted(one.id for one in qualities().values() if one.kind != "rejected")
TRUSTED = sorted(one.id for one in qualities().values() if one.kind == "measured" and one.espi in (0, 11))
"""Of measured values that nobody doubts: valid (ESPI 0) and derived from other meters (ESPI 11)."""
DAY_HOURS_AT_LEAST = 18
"""Fewer hours of a day give no mean temperature of it."""


@dataclass(frozen=True)
class Calendar:
    """The hours that were read: their starts [h], each with its local day (from 0 on) and hour, and the days' edges."""

    start_us: Ints
    day: Ints
    hour: Ints
    edges_us: Ints

    @classmethod
    def of(cls, span: Span, asked: Asked) -> "Calendar":
        """Lay out the whole hours of a span that begins with a local day."""
        _, edges_us = day_edges(span.start_us, span.end_us - 1, asked.engine.tz)
        count = (span.end_us - span.start_us) // HOUR_US
        start_us = span.start_us + HOUR_US * np.arange(count, dtype=np.int64)
        day = np.searchsorted(edges_us, start_us, side="right") - 1
        return cls(start_us, day.astype(np.int64), (start_us - edges_us[day]) // HOUR_US, edges_us)

    @property
    def days(self) -> int:
        """How many local days were read, the last one perhaps in part."""
        return len(self.edges_us) - 1


@dataclass(frozen=True, slots=True)
class HoursSeen:
    """One utility of a dwelling by the hour [h]: sub-units, and which hours are due, known and beyond doubt.

    `step` is the largest amount of which every hour is a whole multiple: the meter counts no finer, as far as it shows;
    0 where nothing was used.
    """

    commodity: str
    unit: Unit
    value: Ints
    due: Mask
    known: Mask
    sound: Mask
    step: int


@dataclass(frozen=True)
class HomesHours:
    """Dwellings by the hour: what was read of each, by its utilities, and the outdoor temperature of each day.

    `coarse` names the utilities of a dwelling whose meters are read less often than by the hour.
    """

    calendar: Calendar
    seen: Mapping[str, Mapping[str, HoursSeen]]
    coarse: Mapping[str, frozenset[str]]
    outdoor_c: Mapping[str, Floats]


@dataclass(frozen=True, slots=True)
class _Meters:
    """Placements of use of a registry, by dwelling."""

    rows: pa.Table
    at: Mapping[str, Sequence[int]]


@lru_cache(maxsize=2)
def _meters(registry: Registry) -> _Meters:
    """Lay out what counts as the use of a balanced commodity, by place."""
    balanced = {code for code, row in registry.commodities.rows.items() if row.balanced}
    rows = placed(registry)
    at: dict[str, list[int]] = {}
    columns = (rows[name].to_pylist() for name in ("place", "commodity", "flow"))
    for number, (place, commodity, flow) in enumerate(zip(*columns, strict=True)):
        if flow == USED and commodity in balanced:
            at.setdefault(place, []).append(number)
    return _Meters(rows, at)


@lru_cache(maxsize=2)
def _stations(registry: Registry) -> Mapping[str, int]:
    return stations(registry)


def homes_hours(asked: Asked, places: Sequence[str], span: Span) -> HomesHours:
    """Read dwellings by the hour over a span that begins with a local day and ends with an hour: one grouped read."""
    calendar, registry = Calendar.of(span, asked), asked.registry
    meters = _meters(registry)
    numbers = [number for place in places for number in meters.at.get(place, ())]
    rows = meters.rows.take(pa.array(numbers, pa.int64()))
    keys, key_of, coarse = _keyed(rows, registry)
    fine = np.array([one >= 0 for one in key_of], np.bool_)
    read = _Read(calendar, len(keys))
    if fine.any():
        own = rows.filter(pa.array(fine))
        channels = np.unique(own["channel"].to_numpy()).astype(np.int32)
        start, end = span.start_us, int(calendar.start_us[-1]) + HOUR_US
        found = hours_of_channels(asked.engine, asked.snapshot, start, end, channels, TRUSTED, KNOWN)
        read.take(found, own, np.array(key_of, np.int64)[fine])
    seen: dict[str, dict[str, HoursSeen]] = {place: {} for place in places}
    for number, (place, commodity, quantity) in enumerate(keys):
        unit = registry.commodities[commodity].display_unit(quantity)
        seen[place][commodity] = read.seen(number, commodity, unit)
    return HomesHours(calendar, seen, coarse, _temperatures(asked, places, span, calendar))


def _keyed(
    rows: pa.Table, registry: Registry
) -> tuple[list[tuple[str, str, str]], list[int], dict[str, frozenset[str]]]:
    """Give the utilities of dwellings, the number of each row's (-1: not read), and what is read too seldom.

    A utility that is metered in two quantities is taken in the one that its commodity names first.
    """
    columns = (rows[name].to_pylist() for name in ("place", "commodity", "quantity", "cadence_min"))
    said = list(zip(*columns, strict=True))
    order = {code: list(row.measures) for code, row in registry.commodities.rows.items()}
    best: dict[tuple[str, str], str] = {}
    coarse: dict[str, set[str]] = {}
    for place, commodity, quantity, cadence in said:
        if cadence * MINUTE_US > HOUR_US:
            coarse.setdefault(place, set()).add(commodity)
            continue
        held = best.setdefault((place, commodity), quantity)
        if order[commodity].index(quantity) < order[commodity].index(held):
            best[place, commodity] = quantity
    keys = [(place, commodity, quantity) for (place, commodity), quantity in best.items()]
    number = {key: at for at, key in enumerate(keys)}
    key_of = [number.get((place, commodity, quantity), -1) if cadence * MINUTE_US <= HOUR_US else -1
              for place, commodity, quantity, cadence in said]  # fmt: skip
    return keys, key_of, {place: frozenset(names) - seen_of(keys, place) for place, names in coarse.items()}


def seen_of(keys: Sequence[tuple[str, str, str]], place: str) -> frozenset[str]:
    """Name the utilities of a dwelling that are read by the hour."""
    return frozenset(commodity for here, commodity, _ in keys if here == place)


class _Read:
    """Hours of utilities being filled: amounts, and how many channels are due, known and beyond doubt in each."""

    def __init__(self, calendar: Calendar, count: int) -> None:
        shape = (count, len(calendar.start_us))
        self._calendar = calendar
        self._value = np.zeros(shape, np.int64)
        self._due, self._known, self._sound = (np.zeros(shape, np.int16) for _ in range(3))

    def take(self, found: ChannelHours, rows: pa.Table, key: Ints) -> None:
        """Add what was found of channels to the utilities for which they count, while they do."""
        starts = self._calendar.start_us
        at = np.searchsorted(found.channels, rows["channel"].to_numpy()).tolist()
        names = ("cadence_min", "start_us", "end_us", "sign")
        for number, row, cadence, start, end, sign in zip(
            key.tolist(), at, *(rows[name].to_pylist() for name in names), strict=True
        ):
            low, high = np.searchsorted(starts, [start, end]).tolist()
            each = HOUR_US // (cadence * MINUTE_US)
            self._due[number, low:high] += 1
            self._value[number, low:high] += sign * found.value[row, low:high]
            self._known[number, low:high] += found.known[row, low:high] >= each
            self._sound[number, low:high] += found.trusted[row, low:high] >= each

    def seen(self, number: int, commodity: str, unit: Unit) -> HoursSeen:
        """Give one utility's hours."""
        due = self._due[number] > 0
        value, known = self._value[number], due & (self._known[number] >= self._due[number])
        sound = due & (self._sound[number] >= self._due[number])
        step = int(np.gcd.reduce(value[sound])) if sound.any() else 0
        return HoursSeen(commodity, unit, value, due, known, sound, step)


def _temperatures(asked: Asked, places: Sequence[str], span: Span, calendar: Calendar) -> dict[str, Floats]:
    """Give each dwelling's mean outdoor temperature of each day; NaN where too little of it was measured."""
    known = _stations(asked.registry)
    of_station: dict[int | None, Floats] = {None: np.full(calendar.days, np.nan)}
    out: dict[str, Floats] = {}
    for place in places:
        station = station_of(asked.registry, place, known)
        if station is not None and station not in of_station:
            start, mean = outdoor_of(asked.engine, asked.snapshot, asked.registry, station, span, None)[:2]
            of_station[station] = daily_means(start, mean, calendar)
        out[place] = of_station[station]
    return out


def daily_means(start_us: Ints, mean_c: Floats, calendar: Calendar) -> Floats:
    """Give the mean of each day by its hours' means."""
    out = np.full(calendar.days, np.nan)
    if not len(start_us):
        return out
    hour = (start_us - calendar.start_us[0]) // HOUR_US
    inside = (hour >= 0) & (hour < len(calendar.start_us))
    count = np.bincount(hour[inside], minlength=len(calendar.start_us))
    total = np.bincount(hour[inside], weights=mean_c[inside], minlength=len(calendar.start_us))
    heard = count > 0
    hours = np.bincount(calendar.day[heard], minlength=calendar.days)
    sums = np.bincount(calendar.day[heard], weights=total[heard] / count[heard], minlength=calendar.days)
    enough = hours >= DAY_HOURS_AT_LEAST
    out[enough] = sums[enough] / hours[enough]
    return out


def household_since(registry: Registry, place: str, now_us: int) -> int | None:
    """Give since when what a dwelling used is of nobody who lived there before; None where no move is known."""
    stays = registry.occupancies(place)
    here = next((one for one in stays if one.start_us <= now_us < one.end_us), None)
    if here is not None:
        return None if here.start_us <= ALWAYS else here.start_us
    return max((one.end_us for one in stays if one.end_us <= now_us), default=None)


def looked_from(registry: Registry, place: str, now_us: int, right_us: int | None) -> int | None:
    """Give from when on a dwelling is looked at for who lives there now; None: all that is known.

    Where the registry states who lives there, since that household moved in; else since the first of those who have an
    account there may see it (`right_us`), so that what is found may be shown to him.
    """
    since_us = household_since(registry, place, now_us)
    if any(one.start_us <= now_us < one.end_us for one in registry.occupancies(place)):
        return since_us
    return max((at for at in (since_us, right_us) if at is not None), default=None)


@lru_cache(maxsize=2)
def carriers(registry: Registry) -> tuple[str, ...]:
    """Name what dwellings of a city are metered for, in the order of the table of commodities."""
    meters = _meters(registry)
    homes = [place for place in meters.at if registry.tree.bodies[place]["level"] == DWELLING]
    said = meters.rows["commodity"].to_pylist()
    used = {said[number] for place in homes for number in meters.at[place]}
    return tuple(code for code in registry.commodities.rows if code in used)


def metered(registry: Registry, place: str) -> frozenset[str]:
    """Name what a dwelling's use is metered for."""
    meters = _meters(registry)
    return frozenset(meters.rows["commodity"][number].as_py() for number in meters.at.get(place, ()))


def complex_of(registry: Registry, place: str) -> str:
    """Name the complex that a dwelling is in; where there is none, the place right above it."""
    above = registry.tree.path(place)
    return next((one for one in above if registry.tree.bodies[one].get("level") == COMPLEX), above[1])


def whole_hours(first_us: int, now_us: int) -> Span | None:
    """Give the whole hours from a local midnight until now; None where there is none."""
    count = (now_us - first_us) // HOUR_US
    return Span(from_us(first_us), from_us(first_us + count * HOUR_US)) if count > 0 else None
