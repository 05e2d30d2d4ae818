"""A small city with a plant, whose books are known by heart: each hour the same, on the clock of Seoul, March 2022.

Every hour: 100 kWh imported, 30 from a roof, 40 of power and 80 of heat from a plant that takes in 20 m3 of gas; homes
use 150 of power, 70 of heat, 10 m3 of gas and 4 m3 of water; a cinema uses 15 of power.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from quintet.app.city import City
from quintet.terms.period import to_us
from quintet.terms.tables import QUARANTINE, READINGS

START = datetime(2022, 3, 27, 15, tzinfo=UTC)
"""2022-03-28 00:00 in Seoul."""
HOURS = 72
NOW = START + timedelta(days=30)
METERS: Sequence[tuple[str, str | None, str, str, str, str]] = (
    ("city", None, "grid", "electricity", "kWh", "import"),
    ("d1", "b1", "homes", "electricity", "kWh", "consumption"),
    ("d1", "b1", "homes-gas", "gas", "m3", "consumption"),
    ("d1", "b1", "homes-heat", "heat", "kWh", "consumption"),
    ("d1", "b1", "homes-water", "water", "m3", "consumption"),
    ("d1", "b2", "cinema", "electricity", "kWh", "consumption"),
    ("d1", "b1", "roof", "solar", "kWh", "generation"),
    ("d1", None, "plant-gas", "gas", "m3", "consumption"),
    ("d1", None, "plant-power", "electricity", "kWh", "generation"),
    ("d1", None, "plant-heat", "heat", "kWh", "generation"),
)
VALUES = {
    "grid": 100.0, "homes": 150.0, "homes-gas": 10.0, "homes-heat": 70.0, "homes-water": 4.0, "cinema": 15.0,
    "roof": 30.0, "plant-gas": 20.0, "plant-power": 40.0, "plant-heat": 80.0,
}  # fmt: skip
WAVE = 0.0625
"""Even and odd hours differ by so much of the value, for a meter that always says the same is taken for stuck."""
PLANT = """
[[plant]]
id = "chp"
kind = "chp"
place = "d1"
inputs = ["d1/plant-gas"]
outputs = ["d1/plant-power", "d1/plant-heat"]
"""
SETTINGS = """
[city]
name_en = "Naju"
name_ko = "나주"
timezone = "Asia/Seoul"
"""


class Clock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> int:
        return to_us(self.now)


def made(
    folder: Path,
    *,
    ledger: str = "",
    plant: str = PLANT,
    left_out: Sequence[str] = (),
    more: Sequence[tuple[str, str | None, str, str, str, str]] = (),
    values: dict[str, float] | None = None,
) -> City:
    """Make the city with its readings; `ledger` are tables of city.toml, `left_out` meters that never report.

    `more` are further meters, which report `values`.
    """
    City.create(folder, timezone="Asia/Seoul").close()
    clock = Clock()
    first = City.open(folder, now=clock)
    names = ("site", "building", "meter", "commodity", "unit", "role")
    rest: dict[str, Any] = {"value_kind": "interval_sum", "cadence_min": 60, "tz": "Asia/Seoul"}
    rows = [dict(zip(names, meter, strict=True)) | rest for meter in (*METERS, *more)]
    first.pipeline.register(pa.Table.from_pylist(rows), source="test", actor="test")
    first.close()
    (folder / "city.toml").write_text(SETTINGS + ledger + plant, encoding="utf-8")
    city = City.open(folder, now=clock)
    send(city, {meter: value for meter, value in VALUES.items() if meter not in left_out})
    if values:
        send(city, values, sites={meter: site for site, _, meter, *_ in more})
    return city


def send(
    city: City, values: dict[str, float], hours: range = range(HOURS), sites: dict[str, str] | None = None
) -> None:
    """Commit readings of meters, a moment later than all before."""
    sites = sites or {meter: site for site, _, meter, *_ in METERS}
    said = [
        {
            "site": sites[meter], "meter": meter, "at": START + timedelta(hours=hour),
            "value": value * (1 + (WAVE if hour % 2 else -WAVE)), "row": number,
        }
        for number, (meter, value, hour) in enumerate(((m, v, h) for m, v in values.items() for h in hours), start=1)
    ]  # fmt: skip
    city.now.now += timedelta(hours=1)
    table = pa.Table.from_pylist(said, READINGS)
    city.pipeline.commit([(table, QUARANTINE.empty_table())], source="test", actor="test")
