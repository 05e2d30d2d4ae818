"""A complex of three flats, five utilities each, and its common area, as a door would have filled it; day by day."""

from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from quintet.app.city import City
from quintet.terms.period import day_start, to_us
from quintet.terms.reading import clock
from quintet.terms.tables import QUARANTINE, READINGS

TZ = "Asia/Seoul"
SEOUL = clock(TZ)
FLATS = ("0101", "0102", "0201")
UNITS = {"electricity": "kWh", "gas": "m3", "water": "m3", "heat": "kWh", "hot_water": "m3"}
FIRST = date(2025, 10, 1)
SETTINGS = """
[[billing]]
place = "city"
commodity = "electricity"
contract = "apartment_total"
source = "supply contract"
[[billing]]
place = "c1"
commodity = "electricity:common"
contract = "general"
unit_price = "139.7"
base_won = "61600"
source = "supply contract"
[[billing]]
place = "city"
commodity = "gas"
contract = "residential"
unit_price = "22.2954"
base_won = "1000"
calorific = "42.7"
source = "supplier's notice"
[[billing]]
place = "city"
commodity = "water"
contract = "household"
card_city = "ansan"
pipe_mm = "13"
source = "city ordinance"
[[billing]]
place = "city"
commodity = "heat"
contract = "residential"
unit_price = "112.32"
base_won = "4454"
source = "supplier's notice"
[[billing]]
place = "city"
commodity = "hot_water"
contract = "residential"
unit_price = "9000"
base_won = "0"
source = "the complex' rules"
"""
DAILY = {"electricity": 10.0, "gas": 0.5, "water": 0.6, "heat": 12.0, "hot_water": 0.1}
"""What the first flat uses a day; the next ones two and three times as much."""


class Clock:
    """A clock that the test sets; each look at it is a second later."""

    def __init__(self, day: date) -> None:
        self.us = to_us(day_start(day, SEOUL))

    def __call__(self) -> int:
        self.us += 1_000_000
        return self.us

    def set(self, day: date) -> None:
        self.us = max(self.us, to_us(day_start(day, SEOUL)))


def meter(name: str, commodity: str, premise: str | None, area: float | None) -> dict[str, Any]:
    return {
        "site": "c1", "building": "101", "premise": premise, "meter": name, "commodity": commodity,
        "unit": UNITS[commodity], "value_kind": "interval_sum", "cadence_min": 1440, "tz": TZ, "role": "consumption",
        "floor_area_m2": area,
    }  # fmt: skip


def made(folder: Path, clock_: Clock, *, settings: str = SETTINGS, left_out: tuple[str, ...] = ()) -> City:
    """Make the city with its meters, the places' areas and what is agreed."""
    City.create(folder, name_en="Naju", name_ko="나주", timezone=TZ).close()
    path = folder / "city.toml"
    places = '\n[[place]]\nid = "c1"\nlevel = "complex"\n'
    path.write_text(path.read_text(encoding="utf-8") + places + settings, encoding="utf-8")
    city = City.open(folder, now=clock_)
    rows = [
        meter(f"{flat}-{commodity}", commodity, flat, 59.5 + 25 * number)
        for number, flat in enumerate(FLATS)
        for commodity in UNITS
        if f"{flat}-{commodity}" not in left_out
    ]
    rows.append(meter("common", "electricity", None, None))
    city.pipeline.register(pa.Table.from_pylist(rows), source="meters", actor="test")
    return city


def send(city: City, days: Mapping[str, float], first: date, count: int) -> None:
    """Send daily amounts of meters."""
    at = [day_start(first + timedelta(days=number), SEOUL) for number in range(count)]
    rows = [(name, moment, value) for name, value in days.items() for moment in at]
    columns: dict[str, Any] = {
        "site": ["c1"] * len(rows), "meter": [row[0] for row in rows], "at": [row[1] for row in rows],
        "value": [row[2] for row in rows], "commodity": [None] * len(rows), "unit": [None] * len(rows),
        "row": range(1, len(rows) + 1),
    }  # fmt: skip
    table = pa.table({name: pa.array(columns[name], READINGS.field(name).type) for name in READINGS.names})
    city.pipeline.commit([(table, QUARANTINE.empty_table())], source="test", actor="test")


def usual(*, left_out: tuple[str, ...] = ()) -> dict[str, float]:
    """Give what every meter counts a day."""
    out = {
        f"{flat}-{commodity}": amount * (number + 1)
        for number, flat in enumerate(FLATS)
        for commodity, amount in DAILY.items()
    }
    out["common"] = 20.0
    return {name: amount for name, amount in out.items() if name not in left_out}
