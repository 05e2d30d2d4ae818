"""What city to make: size, seed, days; and chance that depends on nothing but the seed and a path of numbers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import IntEnum
from functools import cached_property, lru_cache
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from quintet.terms.errors import BadInput, NotFound
from quintet.terms.period import MINUTE_US, day_start, to_us
from quintet.terms.reading import clock

CADENCE_MIN = 15
STEP_US = CADENCE_MIN * MINUTE_US
SLOTS = 1440 // CADENCE_MIN

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class Chance(IntEnum):
    """The independent streams of chance; a number is never reused for something else."""

    LAYOUT = 1
    TOTALS = 2
    COURSE = 3
    FRONT = 4
    WEATHER = 5
    CLOUDS = 6
    FAULTS = 7
    PLANT = 8


def chance(seed: int, stream: Chance, *path: int) -> np.random.Generator:
    """Give the generator of one stream at one path (site, day, ...): the same at any time and on any thread."""
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence(entropy=seed, spawn_key=(int(stream), *path))))


@dataclass(frozen=True, kw_only=True)
class CityPlan:
    """The city to simulate: all 15-minute meters, local days of `tz` from `start`.

    `faults` is True (the shipped rates), False (none) or rates per meter and day by kind, other kinds then being off.
    Raises BadInput for a size, seed or zone that makes no city.
    """

    start: date
    days: int
    households: int = 2000
    seed: int = 1
    tz: str = "Asia/Seoul"
    faults: bool | Mapping[str, float] = True

    def __post_init__(self) -> None:
        """Refuse what makes no city."""
        for name, least in (("days", 1), ("households", 1), ("seed", 0)):
            if getattr(self, name) < least:
                raise BadInput(
                    f"{name} is {getattr(self, name)}.", code="bad_plan", remedy=f"It must be {least} or more."
                )
        clock(self.tz)

    @cached_property
    def zone(self) -> ZoneInfo:
        """The city's clock."""
        return clock(self.tz)

    @cached_property
    def standard_offset_us(self) -> int:
        """The zone's standard offset (local minus UTC) in the plan's year, without summer time."""
        half_years = (date(self.start.year, 1, 1), date(self.start.year, 7, 1))
        return min(int((to_us(day_start(d, self.zone)) - to_us(day_start(d, clock("UTC")))) * -1) for d in half_years)

    @property
    def last(self) -> date:
        """The plan's last local day."""
        return self.start + timedelta(days=self.days - 1)

    def day(self, number: int) -> date:
        """Give the plan's day of that number, from 0."""
        return self.start + timedelta(days=number)

    def number(self, day: date) -> int:
        """Give a day's number in the plan; raises NotFound outside of it."""
        number = (day - self.start).days
        if not 0 <= number < self.days:
            raise NotFound(
                f"{day} is no day of this city.", code="no_such_day", remedy=f"It has {self.start} to {self.last}."
            )
        return number

    def edges(self, day: date) -> Ints:
        """Give a local day's quarter-hour boundaries, both ends included: n + 1 microseconds UTC for n intervals."""
        return _edges(day, self.zone)


@lru_cache(maxsize=4096)
def _edges(day: date, zone: ZoneInfo) -> Ints:
    """Give a day's boundaries, to be read only: they are shared."""
    start = to_us(day_start(day, zone))
    end = to_us(day_start(day + timedelta(days=1), zone))
    edges = np.arange(start, end + 1, STEP_US, dtype=np.int64)
    edges.flags.writeable = False
    return edges
