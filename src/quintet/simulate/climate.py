"""The city's weather: a pure function of seed and time, so that any day can be asked for by itself.

Temperature is a yearly cosine, spells of some days (straight lines between random knots), a day's own offset and a
daily cosine; sun is the clear sky's by solar geometry (declination after Cooper 1969; 1000 W/m2 x sin(h)^1.15) times a
random share that the clouds let through.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any

import numpy as np

from quintet.terms.catalogue import check_keys, read_toml
from quintet.terms.period import HOUR_US

from .plan import STEP_US, Chance, CityPlan, Floats, Ints, chance

KEYS = {
    *("source", "date", "latitude_deg", "solar_noon_h", "mean_c", "yearly_amplitude_c", "coldest_day_of_year"),
    *("front_spread_c", "front_days", "day_spread_c", "daily_amplitude_c", "warmest_hour", "mains_mean_c"),
    *("mains_amplitude_c", "mains_lag_days", "rainy_from", "rainy_until", "clear_share", "clear_share_rainy"),
}
YEAR_DAYS = 365.25


@cache
def _climate() -> dict[str, Any]:
    """Read the shipped climate."""
    table = read_toml("quintet.simulate", "climate.toml")
    check_keys(table, required=KEYS, optional=set(), place="climate")
    return table


@dataclass(frozen=True)
class Weather:
    """One local day by interval: temperature (deg C), sun on the flat (W/m2), humidity (%); its mean temperature."""

    starts_us: Ints
    temp_c: Floats
    ghi_w_m2: Floats
    rh_pct: Floats
    mean_c: float


def _season(day: date, lag_days: float = 0.0) -> float:
    """Give the year's course: -1 on the coldest day, 1 half a year later."""
    turn = (day.timetuple().tm_yday - _climate()["coldest_day_of_year"] - lag_days) / YEAR_DAYS
    return float(-np.cos(2 * np.pi * turn))


def mains_c(day: date) -> float:
    """Give the temperature of the water as it comes in, deg C."""
    climate = _climate()
    return climate["mains_mean_c"] + climate["mains_amplitude_c"] * _season(day, climate["mains_lag_days"])


def day_mean_c(seed: int, day: date) -> float:
    """Give a day's own mean temperature, deg C."""
    climate = _climate()
    knot, into = divmod(day.toordinal(), climate["front_days"])
    here, there = (float(chance(seed, Chance.FRONT, k).normal()) for k in (knot, knot + 1))
    share = into / climate["front_days"]
    front = climate["front_spread_c"] * (here * (1 - share) + there * share)
    own = climate["day_spread_c"] * float(chance(seed, Chance.WEATHER, day.toordinal()).normal())
    return climate["mean_c"] + climate["yearly_amplitude_c"] * _season(day) + front + own


def clear_sky_w_m2(day: date, solar_hours: Floats) -> Floats:
    """Give the clear sky's sun on the flat at hours of the zone's standard time."""
    climate = _climate()
    declination = np.radians(-23.44) * np.cos(2 * np.pi * (day.timetuple().tm_yday + 10) / YEAR_DAYS)
    latitude = np.radians(climate["latitude_deg"])
    angle = np.radians(15.0) * (solar_hours - climate["solar_noon_h"])
    sine = np.sin(latitude) * np.sin(declination) + np.cos(latitude) * np.cos(declination) * np.cos(angle)
    return 1000.0 * np.maximum(sine, 0.0) ** 1.15


def weather_of(plan: CityPlan, day: date) -> Weather:
    """Make the weather of a local day at the middle of each of its intervals."""
    climate = _climate()
    starts = plan.edges(day)[:-1]
    hours = (starts + STEP_US // 2 - starts[0]) / HOUR_US
    clock_hours = ((starts + STEP_US // 2 + plan.standard_offset_us) % (24 * HOUR_US)) / HOUR_US
    means = [day_mean_c(plan.seed, day + timedelta(days=d)) for d in (-1, 0, 1)]
    rng = chance(plan.seed, Chance.CLOUDS, day.toordinal())
    rainy = climate["rainy_from"] <= f"{day:%m-%d}" <= climate["rainy_until"]
    clear = climate["clear_share_rainy"] if rainy else climate["clear_share"]
    share = float(rng.beta(4 * clear, 4 * (1 - clear)))
    swing = climate["daily_amplitude_c"] * (0.5 + share)
    daily = np.cos(2 * np.pi * (clock_hours - climate["warmest_hour"]) / 24)
    temp = np.interp(hours, [-12.0, 12.0, 36.0], means) + swing * daily
    flicker = np.interp(hours, np.arange(27.0), rng.uniform(-1, 1, 27)) * 2 * share * (1 - share)
    through = np.clip(share + flicker, 0.04, 1.0)
    damp = np.clip(88 - 35 * share - 14 * daily, 15, 100)
    return Weather(starts, temp, clear_sky_w_m2(day, clock_hours) * through, damp, float(temp.mean()))
