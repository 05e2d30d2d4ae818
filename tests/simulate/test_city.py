"""The city as others see it: its truth closes, its meters show it to their resolution, all of it by seed alone."""

from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quintet.simulate import CityPlan, SimulatedCity, simulate_city
from quintet.simulate.balance import SOURCES, USES
from quintet.terms.errors import NotFound
from quintet.terms.unit import units

from .conftest import START, city_of, flowed, series, shown

PLANS = st.builds(
    CityPlan,
    start=st.dates(date(2018, 1, 1), date(2027, 12, 1)),
    days=st.integers(1, 3),
    households=st.integers(1, 150),
    seed=st.integers(0, 2**40),
    tz=st.sampled_from(["Asia/Seoul", "Europe/Berlin", "America/St_Johns"]),
    faults=st.booleans(),
)


def books(table: pa.Table) -> dict[tuple[str, str], np.ndarray[tuple[int], np.dtype[np.int64]]]:
    keys = list(dict.fromkeys(zip(table["commodity"].to_pylist(), table["flow"].to_pylist(), strict=True)))
    masks = {(c, f): pc.and_(pc.equal(table["commodity"], c), pc.equal(table["flow"], f)) for c, f in keys}
    return {key: table.filter(mask)["value"].to_numpy() for key, mask in masks.items()}


@settings(max_examples=25, deadline=None)
@given(PLANS)
def test_the_truth_closes_to_the_last_sub_unit(plan: CityPlan) -> None:
    flows = books(simulate_city(plan, threads=2).truth(plan.last))
    for carrier in {carrier for carrier, _ in flows}:
        parts = {flow: amount for (c, flow), amount in flows.items() if c == carrier}
        gained = sum(amount for flow, amount in parts.items() if flow in {"import", *SOURCES})
        gone = sum(amount for flow, amount in parts.items() if flow in {"export", "loss", *USES})
        assert np.array_equal(gained, gone), carrier
        assert all(np.all(amount >= 0) for amount in parts.values())


@settings(max_examples=8, deadline=None)
@given(PLANS)
def test_the_meters_truth_adds_up_to_the_citys(plan: CityPlan) -> None:
    city = simulate_city(plan, threads=2)
    meters = {(m["site"], m["meter"]): m for m in city.meters.to_pylist()}
    plants = {name: flow for p in city.settings["plant"] for flow, name in ends(p)}
    sums: dict[tuple[str, str], np.ndarray[tuple[int], np.dtype[np.int64]]] = {}
    starts = {at: i for i, at in enumerate(sorted(set(city.truth(plan.last)["start"].cast(pa.int64()).to_pylist())))}
    for key, values in series([city.channel_truth(plan.last)], at="start").items():
        meter = meters[key]
        commodity = "electricity" if meter["commodity"] == "solar" else meter["commodity"]
        roles = {"generation": "local_generation"}
        flow = plants.get("/".join(key)) or roles.get(meter["role"], meter["role"])
        known = sums.setdefault((commodity, flow), np.zeros(len(starts), np.int64))
        for at, amount in values.items():
            known[starts[at]] += amount
    flows = books(city.truth(plan.last))
    stored = sums.pop(("electricity", "storage"))
    assert np.array_equal(stored, flows["electricity", "storage_discharge"] - flows["electricity", "storage_charge"])
    for key, amount in sums.items():
        assert np.array_equal(amount, flows.get(key, np.zeros(len(starts), np.int64))), key


def ends(plant: dict[str, object]) -> list[tuple[str, str]]:
    """Give the flows of a plant's channels, by the rule of city.toml."""
    inputs, outputs = (list(map(str, plant.get(side, []))) for side in ("inputs", "outputs"))  # pyright: ignore[reportArgumentType]
    made = "conversion_out" if inputs else "local_generation"
    return [*(("conversion_in", name) for name in inputs), *((made, name) for name in outputs)]


def test_readings_show_the_truth_to_their_resolution() -> None:
    city = city_of(days=3)
    truth, readings = flowed(city), shown(city)
    meters = {(m["site"], m["meter"]): m for m in city.meters.to_pylist()}
    assert readings.keys() == truth.keys() == meters.keys()
    day_us = 86_400_000_000
    for key, meter in meters.items():
        unit = units()[meter["unit"]].ratio
        steps = {"water": 1000, "hot_water": 1000}.get(meter["commodity"], 100)
        if meter["commodity"] == "heat" and meter["primary_use"] not in {"dwelling", "plant room", "supply"}:
            steps = 1
        stamps, real = np.array(list(readings[key])), np.cumsum(list(truth[key].values()))
        values = np.array(list(readings[key].values()))
        assert np.array_equal(values, np.rint(values * steps) / steps), key
        if meter["value_kind"] == "register_cumulative":
            assert len(values) == 3 * 96 + 1
            seen = (values[1:] - values[0]) * float(unit)
        else:
            assert stamps.tolist() == list(truth[key])
            seen = np.cumsum(values) * float(unit)
        # City meters drop their remainder at each midnight, all others carry it on.
        slack = (3 if key[0] == "city" else 1) * float(unit) / steps + 1e-3
        assert np.all(np.abs(seen - real) <= slack), key
        assert np.all(np.diff(stamps) == day_us // 96)


def test_registers_never_fall_without_faults() -> None:
    city = city_of(days=3, households=60)
    registers = {(m["site"], m["meter"]) for m in city.meters.to_pylist() if m["value_kind"] == "register_cumulative"}
    for key, values in shown(city).items():
        low, numbers = min(values.values()), list(values.values())
        assert low >= 0 or key == ("city", "battery")
        assert key not in registers or all(a <= b for a, b in pairwise(numbers)), key


def test_no_true_reading_exceeds_its_meters_plate() -> None:
    city = city_of(days=2, households=400)
    limits = {(m["site"], m["meter"]): (m["plate_max"], m["unit"]) for m in city.meters.to_pylist()}
    for key, values in flowed(city).items():
        plate, unit = limits[key]
        if plate is not None:
            assert max(values.values()) * 4 <= float(plate) * float(units()[unit].ratio), key


def test_the_seed_alone_decides() -> None:
    rates = {"gap": 0.02, "stuck": 0.01, "late": 0.02, "exchange": 0.01}
    plan = CityPlan(start=START, days=4, households=300, faults=rates)
    one, four = simulate_city(plan, threads=1), simulate_city(plan, threads=4)
    days = [plan.day(i) for i in range(4)]
    in_order = [one.readings(day) for day in days]
    for i in (3, 0, 2, 1, 3):
        assert four.readings(days[i]).equals(in_order[i])
        assert four.truth(days[i]).equals(one.truth(days[i]))
        assert four.late(days[i]).equals(one.late(days[i]))
    assert one.faults.equals(four.faults)
    assert one.meters.equals(four.meters)
    other = simulate_city(CityPlan(start=START, days=4, households=300, seed=2, faults=False))
    assert not other.readings(days[0]).equals(in_order[0])


def test_readings_are_sorted() -> None:
    city = city_of(True, days=2, households=600)
    table = city.readings(START)
    plain = table.cast(pa.schema([("site", pa.string()), ("meter", pa.string()), *list(table.schema)[2:]]))
    assert plain.equals(plain.sort_by([("site", "ascending"), ("meter", "ascending"), ("ts_utc", "ascending")]))


def heat_of(day: date) -> int:
    city = simulate_city(CityPlan(start=day, days=1, households=40, faults=False))
    dwellings = {m["meter"] for m in city.meters.to_pylist() if m["commodity"] == "heat" and m["premise"]}
    night = list(city.plan.edges(day)[:24])
    return sum(v[at] for key, v in flowed(city).items() if key[1] in dwellings for at in night)  # type: ignore[misc]


def test_a_winter_night_heats_and_a_summer_night_does_not() -> None:
    assert heat_of(date(2026, 1, 14)) > 40 * 1_000_000
    assert heat_of(date(2026, 8, 12)) == 0


def test_a_day_outside_of_the_plan_is_not_found() -> None:
    city = city_of(days=2)
    for ask in (city.readings, city.late, city.truth, city.channel_truth, city.weather):
        with pytest.raises(NotFound):
            ask(START + timedelta(days=2))


def test_days_of_a_clock_with_summer_time_are_whole() -> None:
    plan = CityPlan(start=date(2026, 3, 28), days=3, households=5, tz="Europe/Berlin", faults=False)
    city: SimulatedCity = simulate_city(plan)
    assert city.weather(date(2026, 3, 29)).num_rows == 92
    for key, values in shown(city).items():
        assert set(np.diff(list(values)).tolist()) == {900_000_000}, key
        assert len(values) in {96 + 92 + 96, 96 + 92 + 96 + 1}
