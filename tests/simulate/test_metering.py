"""Metering: second meters sort right behind the first, and rollovers are planned or dropped."""

from datetime import date

import numpy as np

from quintet.simulate.demand import Demand
from quintet.simulate.faults import Fault
from quintet.simulate.layout import build
from quintet.simulate.metering import SECOND, meter_up, names_of, start_counts, used_before
from quintet.simulate.plan import CityPlan, Floats

PLAN = CityPlan(start=date(2026, 8, 3), days=6, households=30, faults=False)
SITES = build(PLAN)
SITE = SITES[0]
DEMAND = Demand(PLAN, {})


def row_of(commodity: str) -> int:
    return next(i for i, row in enumerate(SITE.rows) if row.meter.commodity == commodity and row.premise)


def fault(kind: str, row: int, day: int = 3) -> Fault:
    start = int(PLAN.edges(PLAN.day(day))[40])
    return Fault(SITE.number, row, kind, start, start + 1, 1.0, day, 0)


def counted(faults: list[Fault]) -> tuple[Floats, list[Fault]]:
    return start_counts(SITE, faults, DEMAND, used_before(SITE, faults, DEMAND))


def test_use_before_a_planned_day_is_the_counters() -> None:
    rows = [row_of("water"), row_of("gas"), row_of("heat")]
    planned = [fault("rollover", rows[0], 4), fault("exchange", rows[1], 2), fault("gap", rows[2], 3)]
    wanted = {rows[1]: DEMAND.opened(SITE, 2)[rows[1]], rows[0]: DEMAND.opened(SITE, 4)[rows[0]]}
    assert used_before(SITE, planned, DEMAND) == wanted


def test_no_name_sorts_between_a_meter_and_its_second() -> None:
    for site in SITES:
        names = sorted([name for row in site.rows for name in (row.name, row.name + SECOND)])
        assert names == [name for row in site.rows for name in (row.name, row.name + SECOND)]


def test_names_are_numbered_in_order() -> None:
    names = names_of(SITES)
    assert list(names) == sorted(names)
    assert list(names.values()) == list(range(len(names)))


def test_a_rollover_crosses_its_dials_on_its_day() -> None:
    row = row_of("water")
    start, kept = counted([fault("rollover", row)])
    full = SITE.wrap[row] * SITE.step[row]
    begin, end = (start[row] + DEMAND.opened(SITE, day)[row] for day in (3, 4))
    assert kept
    assert begin < full <= end
    assert np.array_equal(np.delete(start, row), np.delete(SITE.start, row))


def test_a_rollover_without_use_is_dropped() -> None:
    row = row_of("heat")  # it is August
    start, kept = counted([fault("rollover", row), fault("gap", row)])
    assert [one.kind for one in kept] == ["gap"]
    assert np.array_equal(start, SITE.start)


def test_an_exchange_adds_a_meter_behind_the_first() -> None:
    row = row_of("gas")
    planned = [fault("exchange", row)]
    made = meter_up(PLAN, SITE, SITE.start, planned, used_before(SITE, planned, DEMAND), names_of(SITES))
    names = [meter.name for meter in made.meters]
    assert names == sorted(names)
    at = names.index(SITE.rows[row].name)
    assert names[at + 1] == SITE.rows[row].name + SECOND == made.meters[at + 1].name
    assert made.meters[at + 1].replaces == names[at]
    assert made.channels.row[at] == made.channels.row[at + 1] == row
    assert made.channels.first.tolist() == [i + (i > row) for i in range(len(SITE.rows))]
    new_count = made.channels.offset[at + 1] + DEMAND.opened(SITE, 3)[row]
    assert 0 <= new_count <= 0.05 * SITE.per_unit[row] * SITE.step[row]
