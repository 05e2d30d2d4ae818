"""Behaviour: the shipped tables are whole, and each class responds to hour, day and weather as its row says."""

from datetime import date
from typing import Any

import numpy as np
import pytest

from quintet.simulate.behaviour import SHIFTS, Behaviour, behaviour, meter_types
from quintet.simulate.climate import Weather, weather_of
from quintet.simulate.plan import CityPlan
from quintet.simulate.rhythm import clock_slots
from quintet.terms.catalogue import read_toml
from quintet.terms.errors import BadInput
from quintet.terms.unit import units

WINTER, SUMMER = date(2026, 1, 14), date(2026, 8, 12)


def on(day: date) -> tuple[Weather, np.ndarray[Any, Any]]:
    plan = CityPlan(start=day, days=1)
    return weather_of(plan, day), clock_slots(plan.edges(day)[:-1], plan.zone)


def classes(commodity: str) -> list[int]:
    return [u.klass for a in behaviour().of_kind("dwelling") for u in a.uses if u.meter.commodity == commodity]


def test_every_meter_type_has_a_whole_step() -> None:
    for kind in meter_types().values():
        assert kind.step * kind.steps_per_unit == units()[kind.unit].ratio, kind.code
        assert (kind.dials is not None) == kind.is_register, kind.code


def test_every_dwelling_has_the_five_utilities() -> None:
    wanted = {"electricity", "gas", "water", "hot_water", "heat"}
    for owner in behaviour().of_kind("dwelling"):
        assert {use.meter.commodity for use in owner.uses} == wanted
    assert sum(owner.share for owner in behaviour().of_kind("dwelling")) == pytest.approx(1)
    assert sum(owner.share for owner in behaviour().of_kind("public")) == pytest.approx(1)


def test_winter_heats_and_a_summer_night_does_not() -> None:
    heating = classes("heat")
    assert np.all(behaviour().response(WINTER, *on(WINTER))[heating] > 0)
    assert not behaviour().response(SUMMER, *on(SUMMER))[heating].any()


def test_heat_above_its_season_is_off_even_in_a_cool_hour() -> None:
    weather, slots = on(SUMMER)
    cool_night = Weather(weather.starts_us, np.full(96, 5.0), weather.ghi_w_m2, weather.rh_pct, 20.0)
    assert not behaviour().response(SUMMER, cool_night, slots)[classes("heat")].any()


def test_cooling_raises_power_in_summer() -> None:
    weather, slots = on(SUMMER)
    mild = Weather(weather.starts_us, np.full(96, 20.0), weather.ghi_w_m2, weather.rh_pct, 20.0)
    power = classes("electricity")
    hot = behaviour().response(SUMMER, weather, slots)[power].sum()
    assert hot > 1.05 * behaviour().response(SUMMER, mild, slots)[power].sum()


def test_workers_are_out_by_day_and_home_on_sundays() -> None:
    workday, sunday = date(2026, 4, 15), date(2026, 4, 19)
    power = behaviour().archetypes["couple"].uses[0].klass
    noon = slice(44, 56)
    working, resting = (behaviour().response(day, *on(day))[power] for day in (workday, sunday))
    assert working[noon].mean() < 0.7 * resting[noon].mean()


def test_weights_of_draws_have_the_stated_odds() -> None:
    weather, slots = on(WINTER)
    a, b = behaviour().weights(WINTER, weather, slots)
    k = classes("water")[0] * len(SHIFTS)
    assert np.all(b[k] == 1)
    odds = np.exp(np.maximum(a[k], -50).astype(np.float64))
    assert odds.mean() == pytest.approx(behaviour().draws[classes("water")[0]], rel=0.05)


def table(**changes: Any) -> dict[str, Any]:
    return {**read_toml("quintet.simulate", "archetypes.toml"), **changes}


def test_an_unknown_key_or_a_missing_source_is_refused() -> None:
    uses = table()["use"]
    with pytest.raises(BadInput, match="colour"):
        Behaviour(table(use={**uses, "power": {**uses["power"], "colour": 1}}))
    with pytest.raises(BadInput, match="source"):
        Behaviour({key: value for key, value in table().items() if key != "source"})
    with pytest.raises(BadInput, match="monday"):
        Behaviour(table(shape={**table()["shape"], "odd": {"workday": [1.0] * 24, "monday": [1.0] * 24}}))


def test_a_saturday_without_its_own_shape_is_sundays() -> None:
    shape = behaviour().shape[behaviour().archetypes["single"].uses[1].klass, SHIFTS.index(0)]
    assert np.array_equal(shape[1], shape[2])
    assert not np.array_equal(shape[0], shape[2])
