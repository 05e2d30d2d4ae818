"""The weather: seasons, sun by day only, and no dependence on what was asked before."""

from datetime import date, timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from quintet.simulate.climate import clear_sky_w_m2, mains_c, weather_of
from quintet.simulate.plan import CityPlan


def plan_of(day: date, seed: int = 1) -> CityPlan:
    return CityPlan(start=day, days=1, seed=seed)


def month_mean(year: int, month: int) -> float:
    days = [date(year, month, 1) + timedelta(days=i) for i in range(28)]
    return float(np.mean([weather_of(plan_of(day), day).mean_c for day in days]))


def test_summers_are_hot_and_winters_cold() -> None:
    january, april, august = (month_mean(2026, month) for month in (1, 4, 8))
    assert -4 < january < 6
    assert january + 5 < april < august - 5
    assert 22 < august < 31


@given(st.dates(date(2018, 1, 1), date(2027, 12, 31)), st.integers(0, 99))
def test_the_sun_shines_by_day_only(day: date, seed: int) -> None:
    weather = weather_of(plan_of(day, seed), day)
    assert np.all(weather.ghi_w_m2 >= 0)
    assert np.all(weather.ghi_w_m2 <= 1000)
    assert not weather.ghi_w_m2[:18].any()  # before 04:30
    assert not weather.ghi_w_m2[-12:].any()  # after 21:00
    assert weather.ghi_w_m2[48] > 0
    assert np.all((weather.rh_pct >= 0) & (weather.rh_pct <= 100))


def test_the_afternoon_is_warmer_than_the_morning() -> None:
    days = [date(2026, 5, 1) + timedelta(days=i) for i in range(20)]
    temps = np.mean([weather_of(plan_of(day), day).temp_c for day in days], axis=0)
    assert 13 * 4 <= int(np.argmax(temps)) <= 17 * 4
    assert temps.max() - temps.min() > 5


def test_midnight_is_no_step() -> None:
    for i in range(40):
        day = date(2026, 1, 1) + timedelta(days=i)
        today, tomorrow = (weather_of(plan_of(d), d).temp_c for d in (day, day + timedelta(days=1)))
        # The daily swing differs from day to day with the clouds: at night by a few degrees at most.
        assert abs(today[-1] - tomorrow[0]) < 4


def test_seeds_make_other_weather_and_the_same_seed_the_same() -> None:
    day = date(2026, 7, 1)
    one, again, other = (weather_of(plan_of(day, seed), day).temp_c for seed in (1, 1, 2))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


def test_clear_sky_is_highest_at_solar_noon_and_in_june() -> None:
    hours = np.arange(0, 24, 0.05)
    june, december = (clear_sky_w_m2(date(2026, month, 21), hours) for month in (6, 12))
    assert abs(hours[int(np.argmax(june))] - 12.55) < 0.1
    assert june.max() > 950
    assert 400 < december.max() < 600


def test_mains_water_lags_behind_the_air() -> None:
    coldest = min((date(2026, 1, 1) + timedelta(days=i) for i in range(365)), key=mains_c)
    assert date(2026, 2, 1) <= coldest <= date(2026, 3, 1)
    assert 4 < mains_c(coldest) < 10
