"""Which days a run over the city judges: weeks, each as often as what it depends on has changed since it was judged."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np

from quintet.pipeline.rows import I64
from quintet.terms.period import day_of_number, day_start, to_us

UNIT_DAYS = 7
"""A unit is a local week from Monday on: what is found in it is stated and replaced together."""
BLOCK_DAYS = 35
"""Rules look at the unit and the four weeks before it: what is usual shows there, and a span may begin there."""
YEAR_DAYS = 364
"""A year before is the same weekdays: 52 weeks."""
MONDAY = 4
"""1970-01-05, the first Monday after day 0."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A week of local days (days since 1970-01-01) from `first` on, judged before `until`: as far as it is over."""

    first: int
    until: int

    @property
    def block(self) -> tuple[int, int]:
        """First day and last-plus-one of the block that is judged."""
        return self.first + UNIT_DAYS - BLOCK_DAYS, self.until

    @property
    def before(self) -> tuple[int, int]:
        """First day and last-plus-one of the period before the block."""
        return self.block[0] - BLOCK_DAYS, self.block[0]

    @property
    def year_before(self) -> tuple[int, int]:
        """First day and last-plus-one of the block's days a year before."""
        low, high = self.block
        return low - YEAR_DAYS, high - YEAR_DAYS


def moment(day: int, tz: ZoneInfo) -> int:
    """Give the first microsecond of a local day."""
    return to_us(day_start(day_of_number(day), tz))


def unit_of(day: int) -> int:
    """Give the first day of the unit that holds a day."""
    return day - (day - MONDAY) % UNIT_DAYS


def units_between(low: int, high: int) -> list[Unit]:
    """List the units that hold days from `low` to before `high`, none of them judged beyond that."""
    return [Unit(first, min(first + UNIT_DAYS, high)) for first in range(unit_of(low), high, UNIT_DAYS)]


def due(
    units: Iterable[Unit], changed: tuple[I64, I64], seen: Mapping[int, tuple[int, str]], bases: Iterable[str]
) -> Iterator[Unit]:
    """Give the units that were never judged, were on another basis, or depend on what came since.

    `changed` holds days with the newest batch that touched each (see `changed_days`), `seen` the batch and basis of
    what was judged, `bases` what each unit is to be judged on.
    """
    for unit, basis in zip(units, bases, strict=True):
        batch, before = seen.get(unit.first, (-1, ""))
        if before != basis or newest_of(unit, changed) > batch:
            yield unit


def newest_of(unit: Unit, changed: tuple[I64, I64]) -> int:
    """Give the newest batch that touched a day which what is found in the unit may depend on."""
    days, batches = changed
    newest = -1
    for low, high in ((unit.before[0], unit.until), unit.year_before):
        first, end = np.searchsorted(days, (low, high))
        newest = max(newest, int(batches[first:end].max(initial=-1)))
    return newest


def holds(changed: tuple[I64, I64], low: int, high: int) -> bool:
    """Tell whether any of the days [low, high) ever had a value."""
    first, end = np.searchsorted(changed[0], (low, high))
    return bool(end > first)
