"""What a home may be told of homes like it: a month's mean of its class, where the class is large enough to hide each.

Homes are of one class when their floor area falls into the same band, they are metered for the same carriers (so they
heat alike), and the registry says the same number of occupants of them, or of neither. Classes do not overlap. A mean
is told of many homes, none of them most of it, and in coarse steps: so it gives nobody away, also not beside other
sums that are told (floor.py).
"""

import threading
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from math import exp, log
from typing import Any

import numpy as np

from quintet.registry import Registry
from quintet.terms.catalogue import numbers_of, read_toml
from quintet.terms.period import day_start, to_us

from .day_sums import PlaceDays

BANDS = ("band_1", "band_2", "band_3", "band_4")
NAMES = ("homes", "step", "share", "estimated", *BANDS)
USE, DWELLING, OCCUPANTS = "consumption", "premise", "occupants"
Carrier = tuple[str, str]
"""Commodity and quantity."""


@lru_cache(maxsize=1)
def limits() -> Mapping[str, int]:
    """Give the limits of neighbours.toml."""
    return numbers_of(read_toml(__package__ or "", "neighbours.toml"), NAMES, "neighbours.toml")


@dataclass(frozen=True, slots=True)
class Class:
    """Of what class a home is; the area band is [low, high) m2, None where it is open or no area is known."""

    area_low_m2: int | None
    area_high_m2: int | None
    area_known: bool
    carriers: frozenset[Carrier]
    occupants: int | None


@dataclass(frozen=True, slots=True)
class Mean:
    """A carrier's mean use of a class in sub-units, rounded; None where it may not be told, and `reason` says why."""

    carrier: Carrier
    mean: float | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Neighbours:
    """A home's class and what its homes used in a month; `homes` counts them, rounded down to tens."""

    of: Class
    homes: int
    means: tuple[Mean, ...]


@dataclass(frozen=True)
class MonthOfHomes:
    """A month of all dwellings: the class of each, and by class and carrier what each home that counts used."""

    classes: Mapping[str, Class]
    used: Mapping[tuple[Class, Carrier], tuple[int, ...]]

    def around(self, place: str) -> Neighbours | None:
        """Give what a home may be told; None where it was metered for nothing in that month."""
        mine = self.classes.get(place)
        if mine is None:
            return None
        homes = sum(one == mine for one in self.classes.values())
        means = tuple(self._mean(mine, carrier) for carrier in sorted(mine.carriers))
        return Neighbours(mine, homes // 10 * 10, means)

    def _mean(self, mine: Class, carrier: Carrier) -> Mean:
        found = self.used.get((mine, carrier), ())
        total = sum(found)
        if len(found) < limits()["homes"]:
            return Mean(carrier, None, "too_few_homes")
        if total <= 0 or max(found) * 100 > total * limits()["share"]:
            return Mean(carrier, None, "one_is_most")
        return Mean(carrier, in_steps(total / len(found)), None)


def in_steps(mean: float) -> float:
    """Round to the nearest step of a scale that grows by so many percent."""
    width = log(1 + limits()["step"] / 100)
    return exp(round(log(mean) / width) * width)


def month_of_homes(registry: Registry, days: PlaceDays, month_end_us: int) -> MonthOfHomes:
    """Sort a month's dwellings into classes, and sum what those used whose every day is known."""
    rows = days.rows.select(["place", "level", "flow", "commodity", "quantity"]).to_pylist()
    of_home: dict[str, dict[Carrier, list[int]]] = {}
    for number, row in enumerate(rows):
        if row["level"] == DWELLING and row["flow"] == USE and bool(days.due[number].any()):
            carrier = (row["commodity"], row["quantity"])
            of_home.setdefault(row["place"], {}).setdefault(carrier, []).append(number)
    classes = {place: _class(registry, place, frozenset(own), month_end_us) for place, own in of_home.items()}
    used: dict[tuple[Class, Carrier], list[int]] = {}
    for place, own in of_home.items():
        for carrier, numbers in own.items():
            amount = _whole(days, numbers)
            if amount is not None:
                used.setdefault((classes[place], carrier), []).append(amount)
    return MonthOfHomes(classes, {key: tuple(values) for key, values in used.items()})


def _whole(days: PlaceDays, numbers: list[int]) -> int | None:
    """Sum a carrier's use; None where a day of it is not known, or too much is estimated."""
    due, share = days.due[numbers], days.estimated[numbers]
    covered = bool(due.any(axis=0).all())
    if not covered or bool(np.isnan(share[due]).any()) or float(share[due].mean()) * 100 > limits()["estimated"]:
        return None
    return int(days.value[numbers].sum())


def _class(registry: Registry, place: str, carriers: frozenset[Carrier], month_end_us: int) -> Class:
    area = registry.tree.bodies[place].get("floor_area_m2")
    bounds = [limits()[name] for name in BANDS]
    at = 0 if area is None else bisect_right(bounds, area)
    low = None if area is None or at == 0 else bounds[at - 1]
    high = None if area is None or at == len(bounds) else bounds[at]
    return Class(low, high, area is not None, carriers, _occupants(registry, place, month_end_us))


def _occupants(registry: Registry, place: str, moment_us: int) -> int | None:
    for stay in registry.occupancies(place):
        said: Any = stay.details.get(OCCUPANTS)
        if stay.start_us < moment_us <= stay.end_us and isinstance(said, int):
            return min(said, 4)
    return None


class Memory:
    """Keeps the newest months that were sorted: making one reads all meters of the city."""

    def __init__(self, most: int = 4) -> None:
        """Keep so many."""
        self._most = most
        self._lock = threading.Lock()
        self._held: dict[tuple[int, date], tuple[Registry, MonthOfHomes]] = {}

    def get(self, registry: Registry, first: date, make: Any) -> MonthOfHomes:
        """Give a month, made by `make` where it is not there; one at a time."""
        key = (id(registry), first)
        with self._lock:
            held = self._held.get(key)
            if held is None:
                if len(self._held) >= self._most:
                    self._held.clear()
                held = self._held[key] = (registry, make())
            return held[1]


MEMORY = Memory()


def end_us(registry: Registry, last: date) -> int:
    """Give the moment at which a local day is over."""
    return to_us(day_start(last + timedelta(days=1), registry.tz))
