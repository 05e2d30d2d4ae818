"""The books close to the last sub-unit, and plants convert as their table says."""

from datetime import date
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from quintet.simulate.balance import SOURCES, USES, Balance, Flows
from quintet.simulate.demand import Day, Demand
from quintet.simulate.plan import CityPlan
from quintet.simulate.supply import supply

PLAN = CityPlan(start=date(2026, 1, 12), days=2, households=100, faults=False)
DAY: Day = Demand(PLAN, {}).day(0)
AMOUNTS = arrays(np.int64, 96, elements=st.integers(0, 10**12))
CARRIERS = tuple(supply().carriers)


def gap(flows: Flows, carrier: str) -> np.ndarray[Any, Any]:
    """Give what the books of a carrier are off by."""

    def total(*names: str) -> np.ndarray[Any, Any]:
        return sum((flows.get((carrier, name), np.zeros(96, np.int64)) for name in names), np.zeros(96, np.int64))

    return total("import", *SOURCES) - total("export", "loss", *USES)


@settings(max_examples=60, deadline=None)
@given(st.fixed_dictionaries(dict.fromkeys(CARRIERS, AMOUNTS)), AMOUNTS, AMOUNTS)
def test_any_use_and_any_sun_is_met_exactly(uses: dict[str, Any], sun: Any, hot: Any) -> None:
    sums = {(carrier, "consumption"): amount for carrier, amount in uses.items()}
    sums["electricity", "local_generation"] = sun
    sums["hot_water", "conversion_out"] = uses["hot_water"] + hot
    books = Balance(PLAN, DAY, sums)
    for carrier in CARRIERS:
        assert not gap(books.flows, carrier).any(), carrier
    assert all(np.all(amount >= 0) for amount in books.flows.values())


def test_the_guard_sees_one_lost_sub_unit() -> None:
    books = Balance(PLAN, DAY, {("water", "consumption"): np.full(96, 1000)})
    books.flows["water", "import"][5] -= 1
    assert gap(books.flows, "water").tolist() == [0] * 5 + [-1] + [0] * 90


def test_a_surplus_is_exported_or_lost() -> None:
    books = Balance(PLAN, DAY, {("electricity", "local_generation"): np.full(96, 10**10)})
    assert np.all(books.flows["electricity", "export"] > 0)
    assert not books.flows["electricity", "import"].any()
    # Nobody takes the fuel cell's heat: it is lost, and the heat plant stands still.
    heat = books.flows["heat", "conversion_out"]
    assert np.array_equal(books.flows["heat", "loss"], heat)
    assert np.array_equal(heat, books.meters["fuel-cell-heat"])
    assert not books.meters["heat-plant-gas"].any()


def test_plants_convert_by_the_calorific_value() -> None:
    books = Balance(PLAN, DAY, {("heat", "consumption"): np.full(96, 10**9)})
    gas = books.meters["heat-plant-gas"]
    heat = books.meters["heat-plant-heat"]
    # 42.7 MJ/m3 is 42.7/3.6 mWh in a millilitre; 92 % of it becomes heat; the gas is rounded up to a whole millilitre.
    exact = heat / (42.7 / 3.6 * 0.92)
    assert np.all(gas >= exact - 1e-3)
    assert np.all(gas < exact + 1.001)
    cell = books.meters["fuel-cell-gas"]
    assert np.all(np.abs(books.meters["fuel-cell-electricity"] - cell * 42.7 / 3.6 * 0.45) <= 1)
    assert np.all(np.abs(books.meters["fuel-cell-heat"] - cell * 42.7 / 3.6 * 0.38) <= 1)


def test_the_battery_gives_back_less_than_it_took() -> None:
    books = Balance(PLAN, DAY, {})
    charge, discharge = (books.flows["electricity", f"storage_{way}"] for way in ("charge", "discharge"))
    assert np.array_equal(books.meters["battery"], discharge - charge)
    assert 0.87 < discharge.sum() / charge.sum() <= 0.88
    assert not np.any((charge > 0) & (discharge > 0))
    assert charge.sum() == 100 * 800_000
