"""Demand: whole sub-units, totals that the course meets exactly, and counters that need no replay."""

from datetime import date

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from quintet.simulate.demand import CHECKPOINT_DAYS, Demand, Leak
from quintet.simulate.layout import Site, build
from quintet.simulate.plan import STEP_US, CityPlan

START = date(2026, 1, 12)


def make(households: int = 30, leaks: dict[int, list[Leak]] | None = None) -> tuple[Demand, list[Site]]:
    plan = CityPlan(start=START, days=40, households=households, faults=False)
    return Demand(plan, leaks or {}), build(plan)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 40), st.integers(0, 200))
def test_a_course_is_whole_rising_and_meets_the_totals(seed: int, households: int, ahead: int) -> None:
    plan = CityPlan(start=date.fromordinal(START.toordinal() + ahead), days=1, households=households, seed=seed)
    demand = Demand(plan, {})
    for site in build(plan):
        use, totals = demand.course(site, demand.day(0)), demand.totals(site, 0)
        assert np.array_equal(use, np.floor(use))
        assert np.all(np.diff(use, axis=1) >= 0)
        assert not use[:, 0].any()
        drawn = site.drawn | (site.kind != "city")
        assert np.array_equal(use[drawn, -1], totals[drawn])
        assert np.all(totals < 2**53)


def test_counters_are_the_same_in_any_order() -> None:
    one, sites = make()
    other, _ = make()
    site = sites[0]
    asked = [0, 3, CHECKPOINT_DAYS, 39, 5, CHECKPOINT_DAYS + 1, 2 * CHECKPOINT_DAYS, 1]
    loose = {n: one.opened(site, n) for n in asked}
    in_order = {n: other.opened(site, n) for n in range(40)}
    plain = np.zeros(len(site.rows))
    for n in range(40):
        assert np.array_equal(in_order[n], plain), n
        if n in loose:
            assert np.array_equal(loose[n], plain), n
        plain = plain + other.totals(site, n)


def test_a_leak_adds_its_flow_and_nothing_else() -> None:
    plain, sites = make()
    site = sites[0]
    row = next(i for i, r in enumerate(site.rows) if r.meter.commodity == "water" and r.premise)
    edges = plain.plan.edges(plain.plan.day(1))
    leak = Leak(row, int(edges[10]), int(edges[-1]) + 4 * STEP_US, 777)
    leaky, _ = make(leaks={site.number: [leak]})
    for number in range(4):
        extra = leaky.course(site, leaky.day(number)) - plain.course(site, plain.day(number))
        assert not np.delete(extra, row, axis=0).any()
        wanted = {1: 777.0 * (96 - 10), 2: 777.0 * 4}.get(number, 0.0)
        assert extra[row, -1] == wanted
        assert (leaky.totals(site, number) - plain.totals(site, number))[row] == wanted
    running = np.diff(leaky.course(site, leaky.day(1))[row] - plain.course(site, plain.day(1))[row])
    assert np.array_equal(running, np.where(np.arange(96) >= 10, 777.0, 0.0))


def test_an_exchanger_follows_its_hot_water() -> None:
    demand, sites = make(households=120)
    site = sites[0]
    use = demand.course(site, demand.day(0))
    used = use[site.groups["hot_water", "consumption"]].sum(axis=0)
    (out,), (water,) = (use[site.groups[key]] for key in (("hot_water", "conversion_out"), ("water", "conversion_in")))
    (heat,) = use[site.groups["heat", "conversion_in"]]
    assert np.array_equal(out, water)
    assert np.all(out >= used)
    assert out[-1] <= 1.03 * used[-1]
    warmed = heat[-1] - 120 * 30_000 * 24  # without the standing loss of 30 W a dwelling
    assert 40 < warmed / out[-1] / 1.163 < 52  # kelvins: January's mains to 55 deg C


def test_a_dwellings_winter_day_is_like_one() -> None:
    demand, sites = make(households=250)
    site = sites[0]
    totals = demand.totals(site, 2)
    means = {
        carrier: totals[[i for i in rows if site.rows[i].premise]].mean() / 1e6
        for (carrier, flow), rows in site.groups.items()
        if flow == "consumption"
    }
    assert 7 < means["electricity"] < 13
    assert 0.1 < means["gas"] < 0.3
    assert 0.2 < means["water"] < 0.5
    assert 0.06 < means["hot_water"] < 0.25
    assert 15 < means["heat"] < 80


def test_nights_have_intervals_without_water() -> None:
    demand, sites = make(households=100)
    site = sites[0]
    rows = [i for i, row in enumerate(site.rows) if row.meter.commodity == "water" and row.premise]
    use = np.diff(demand.course(site, demand.day(0))[rows], axis=1)
    assert (use[:, 8:20] == 0).mean() > 0.9
    assert np.all((use == 0).any(axis=1))


def test_appliances_run_on_over_the_quarter_hour() -> None:
    demand, sites = make(households=250)
    site = sites[0]
    use = np.diff(demand.course(site, demand.day(0)), axis=1)

    def carried_on(commodity: str) -> float:
        rows = [i for i, row in enumerate(site.rows) if row.meter.commodity == commodity and row.premise]
        rest = use[rows] - use[rows].mean(axis=0)  # without the shape that all share
        rest -= rest.mean(axis=1, keepdims=True)
        return float((rest[:, 1:] * rest[:, :-1]).mean() / (rest**2).mean())

    assert carried_on("electricity") > 0.3
    assert abs(carried_on("water")) < 0.15
