"""What several tests here need: small cities and their readings as plain dictionaries."""

from collections.abc import Iterable, Mapping
from datetime import date

import pyarrow as pa

from quintet.simulate import CityPlan, SimulatedCity, simulate_city

START = date(2026, 1, 12)
Key = tuple[str, str]
Series = dict[Key, dict[int, float]]


def city_of(faults: bool | Mapping[str, float] = False, *, days: int = 3, households: int = 25) -> SimulatedCity:
    return simulate_city(CityPlan(start=START, days=days, households=households, faults=faults), threads=2)


def series(tables: Iterable[pa.Table], value: str = "value", at: str = "ts_utc") -> Series:
    """Give values by (site, meter) and microsecond; the same stamp twice fails."""
    out: Series = {}
    for table in tables:
        columns = [table[name].to_pylist() for name in ("site", "meter", value)]
        for site, meter, number, stamp in zip(*columns, table[at].cast(pa.int64()).to_pylist(), strict=True):
            known = out.setdefault((site, meter), {})
            assert stamp not in known, (site, meter, stamp)
            known[stamp] = number
    return out


def shown(city: SimulatedCity) -> Series:
    """Give all readings that ever arrive."""
    days = [city.plan.day(i) for i in range(city.plan.days)]
    return series([*(city.readings(day) for day in days), *(city.late(day) for day in days)])


def flowed(city: SimulatedCity) -> Series:
    """Give the channels' truth of all days."""
    return series([city.channel_truth(city.plan.day(i)) for i in range(city.plan.days)], at="start")
