"""Which days a run over the city judges: weeks, each as often as what it depends on has changed since it was judged."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from quintet.terms.period import day_of_number, day_start, to_us

UNIT_DAYS = 7
"""A unit is a local week from Monday on: what is found in it is stated and replaced together."""
BLOCK_DAYS = 35
"""Rules look at the unit and the four weeks before it: what is usual shows there, and a span may begin there."""
YEAR_DAYS = 364
"""A year before is the same weekdays: 52 weeks."""
LIVE_DAYS = 14
"""A city that was heard within two weeks is judged until today, so that its silence is noticed."""
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

    def depends_on(self, day: int) -> bool:
        """Tell whether what is found in the unit may depend on a day's intervals."""
        ranges = ((self.before[0], self.until), self.year_before)
        return any(low <= day < high for low, high in ranges)


def moment(day: int, tz: ZoneInfo) -> int:
    """Give the first microsecond of a local day."""
    return to_us(day_start(day_of_number(day), tz))


def unit_of(day: int) -> int:
    """Give the first day of the unit that holds a day."""
    return day - (day - MONDAY) % UNIT_DAYS


def units_between(low: int, high: int) -> list[Unit]:
    """List the units that hold days from `low` to before `high`, none of them judged beyond that."""
    return [Unit(first, min(first + UNIT_DAYS, high)) for first in range(unit_of(low), high, UNIT_DAYS)]


def ends(changed: list[tuple[int, int, int]], today: int) -> int:
    """Give the day before which all is judged: today, or for a city whose readings lie back the day after the last.

    A last day that fewer than half of the channels of the week before reached was only begun.
    """
    last = changed[-1][0]
    if today - last <= LIVE_DAYS:
        return today
    count = {day: channels for day, _, channels in changed}
    while count.get(last, 0) * 2 < max((count.get(last - back, 0) for back in range(1, UNIT_DAYS + 1)), default=0):
        last -= 1
    return last + 1


def due(
    units: Iterable[Unit], changed: list[tuple[int, int, int]], seen: Mapping[int, tuple[int, str]], basis: str
) -> Iterator[Unit]:
    """Give the units that were never judged, were on another basis, or depend on what came since.

    `changed` lists days with the newest batch that touched them (see `changed_days`), `seen` the batch and basis of
    what was judged.
    """
    for unit in units:
        batch, before = seen.get(unit.first, (-1, ""))
        if before != basis_of(unit, basis) or any(at > batch and unit.depends_on(day) for day, at, _ in changed):
            yield unit


def basis_of(unit: Unit, basis: str) -> str:
    """Name what a unit is judged with beside the readings: rules, registry and events, and how far it is over."""
    return f"{basis}.{unit.until}"
