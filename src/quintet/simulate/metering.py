"""Which meter stands on which row from when to when, and the count it started from: exchanges and rollovers."""

from dataclasses import dataclass

import numpy as np

from .demand import Demand
from .faults import Fault
from .frame import FOREVER_US, Channels
from .layout import Row, Site
from .plan import Chance, CityPlan, Floats, chance

PLANNED = frozenset({"exchange", "rollover"})
SECOND = "-2"
"""A row's second meter is named after the first; no other name sorts between the two."""


@dataclass(frozen=True, slots=True)
class Meter:
    """One meter of the registry: its row, its life (None: not known) and the meter it stands in for."""

    name: str
    row: Row
    installed_us: int | None
    removed_us: int | None
    replaces: str | None


@dataclass(frozen=True, slots=True)
class Metering:
    """A site's channels as arrays and as meters, in the same order."""

    channels: Channels
    meters: list[Meter]


def names_of(sites: list[Site]) -> dict[str, int]:
    """Give a number to all meter names that may occur, second meters included, in sorted order."""
    names = sorted({name for site in sites for row in site.rows for name in (row.name, row.name + SECOND)})
    return {name: i for i, name in enumerate(names)}


def used_before(site: Site, faults: list[Fault], demand: Demand) -> dict[int, float]:
    """Give, for each row with an exchange or a rollover planned, its use before that day: in one pass over the days."""
    planned = sorted((fault for fault in faults if fault.kind in PLANNED), key=lambda fault: fault.day)
    return {fault.row: float(demand.opened(site, fault.day)[fault.row]) for fault in planned}


def start_counts(
    site: Site, faults: list[Fault], demand: Demand, before: dict[int, float]
) -> tuple[Floats, list[Fault]]:
    """Give each row's first count (sub-units), set so that planned rollovers happen on their day, and the faults kept.

    A rollover is dropped where the meter sees too little use that day.
    """
    start = site.start.copy()
    kept: list[Fault] = []
    for fault in faults:
        if fault.kind == "rollover":
            total = demand.totals(site, fault.day)[fault.row]
            full = site.wrap[fault.row] * site.step[fault.row]
            count = full - before[fault.row] - np.floor(total / 2)
            if total < 4 * site.step[fault.row] or count < 0:
                continue
            start[fault.row] = count
        kept.append(fault)
    return start, kept


def meter_up(
    plan: CityPlan, site: Site, start: Floats, faults: list[Fault], before: dict[int, float], names: dict[str, int]
) -> Metering:
    """Set up a site's meters: one a row, and a second one where an exchange is planned.

    A new meter's first reading is the little that its test bench left on it (below 0.05 units) and what its row used
    that day before; so its count needs nothing of the day's course.
    """
    exchanges = {fault.row: fault for fault in faults if fault.kind == "exchange"}
    rng = chance(plan.seed, Chance.FAULTS, site.number, 1000)
    meters: list[Meter] = []
    rows: list[int] = []
    offsets: list[float] = []
    for i, row in enumerate(site.rows):
        fault = exchanges.get(i)
        when = None if fault is None else fault.start_us
        meters.append(Meter(row.name, row, None, when, None))
        rows.append(i)
        offsets.append(float(start[i]))
        if fault is not None:
            meters.append(Meter(row.name + SECOND, row, when, None, row.name))
            rows.append(i)
            bench = np.floor(rng.uniform(0, 0.05) * site.per_unit[i] * site.step[i])
            offsets.append(float(bench) - before[i])
    row_of = np.array(rows, np.intp)
    channels = Channels(
        row=row_of,
        name=np.array([names[m.name] for m in meters], np.int32),
        since_us=np.array([-FOREVER_US if m.installed_us is None else m.installed_us for m in meters], np.int64),
        until_us=np.array([FOREVER_US if m.removed_us is None else m.removed_us for m in meters], np.int64),
        offset=np.array(offsets),
        first=np.searchsorted(row_of, np.arange(len(site.rows))),
    )
    return Metering(channels, meters)
