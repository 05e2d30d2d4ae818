"""The layout: as many dwellings as asked, names sorted and unique, registers that start within their dials."""

from collections import Counter
from datetime import date

import numpy as np
import pytest

from quintet.simulate.layout import CITY, build
from quintet.simulate.plan import CityPlan
from quintet.simulate.supply import supply


def sites_of(households: int, seed: int = 1) -> list[tuple[str, list[str]]]:
    plan = CityPlan(start=date(2026, 1, 12), days=1, households=households, seed=seed)
    return [(site.code, [row.name for row in site.rows]) for site in build(plan)]


@pytest.mark.parametrize("households", [1, 2, 249, 250, 251, 1700])
def test_a_city_has_the_households_asked_for(households: int) -> None:
    plan = CityPlan(start=date(2026, 1, 12), days=1, households=households)
    sites = build(plan)
    dwellings = Counter(
        (site.code, row.building, row.premise) for site in sites for row in site.rows if row.primary_use == "dwelling"
    )
    assert len(dwellings) == households
    assert set(dwellings.values()) == {5}
    assert all(premise for _, _, premise in dwellings)
    assert [site.code for site in sites] == sorted(site.code for site in sites)
    assert sum(site.code == CITY for site in sites) == 1
    for site in sites:
        names = [row.name for row in site.rows]
        assert names == sorted(set(names))
        assert site.homes <= supply().layout["dwellings_per_complex"]


def test_registers_start_with_room_on_their_dials() -> None:
    for site in build(CityPlan(start=date(2026, 1, 12), days=1, households=300)):
        registers = site.register
        assert np.all(site.start >= 0)
        assert np.array_equal(site.start, np.floor(site.start))
        assert np.all(site.start[registers] < 0.5 * (site.wrap * site.step)[registers])
        assert np.all(site.start[~registers] < site.step[~registers])


def test_the_layout_depends_on_the_seed_and_not_on_the_days() -> None:
    short, long = (build(CityPlan(start=date(2026, 1, 12), days=n, households=100)) for n in (1, 300))
    assert all(a.rows == b.rows and np.array_equal(a.start, b.start) for a, b in zip(short, long, strict=True))
    assert sites_of(100) != sites_of(100, seed=2)


def test_bigger_users_have_bigger_plates() -> None:
    for site in build(CityPlan(start=date(2026, 1, 12), days=1, households=500)):
        for row in site.rows:
            if row.klass is not None:
                assert row.plate_max is not None, row.name
                hourly = row.base / 24 / (row.meter.step * row.meter.steps_per_unit)
                assert float(row.plate_max) > hourly, row.name
