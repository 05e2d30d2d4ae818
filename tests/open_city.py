"""A city with something to hide: a tower, a small house, a house of three, a school that is open; July 2027 in Seoul.

Every hour each home uses 1 kWh and a little more by its number; every day counts alike, so sums are known by heart.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from quintet.app.city import City
from quintet.terms.period import to_us
from quintet.terms.tables import QUARANTINE, READINGS

START = datetime(2027, 6, 30, 15, tzinfo=UTC)
"""2027-07-01 00:00 in Seoul."""
DAYS = 31
HOUR = timedelta(hours=1)
NOW = START + timedelta(days=60)
TOWER, HOUSE, SMALL = 110, 45, 3
SETTINGS = """
[city]
name_en = "Naju"
name_ko = "나주"
timezone = "Asia/Seoul"
licence = "CC-BY-4.0"

[[place]]
id = "d1"
level = "district"
name_en = "District 1"
name_ko = "1구역"

[[place]]
id = "d1/school"
level = "building"
parent = "d1"
name_en = "School"
name_ko = "학교"
open_data = "a public school: its use is published by ordinance"
"""


class Clock:
    """A clock that goes on by itself, and that the test sets."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> int:
        self.now += timedelta(milliseconds=1)
        return to_us(self.now)


def meters() -> list[dict[str, Any]]:
    """Give the meters: homes of three buildings, a school's, three roofs, and the grid's."""
    rest: dict[str, Any] = {
        "value_kind": "interval_sum", "cadence_min": 60, "tz": "Asia/Seoul", "commodity": "electricity", "unit": "kWh",
        "role": "consumption",
    }  # fmt: skip
    homes = [
        {"site": "d1", "building": building, "premise": f"{number:03d}", "meter": f"{building}-{number:03d}", **rest}
        for building, count in (("tower", TOWER), ("house", HOUSE), ("small", SMALL))
        for number in range(count)
    ]
    roofs = [
        {"site": "d1", "building": "house", "premise": f"{number:03d}", "meter": f"roof-{number:03d}", **rest}
        | {"commodity": "solar", "role": "generation"}
        for number in range(3)
    ]
    water = [
        {"site": "d1", "building": "house", "premise": f"{number:03d}", "meter": f"water-{number:03d}", **rest}
        | {"commodity": "water", "unit": "m3"}
        for number in range(HOUSE)
    ]
    school = {"site": "d1", "building": "school", "meter": "school", **rest}
    grid = {"site": "city", "meter": "grid", **rest, "role": "import"}
    return [*homes, *roofs, *water, school, grid]


def use(row: dict[str, Any]) -> float:
    """Give what a meter says each hour: 1 kWh and a little more, so that no two are alike."""
    if row["meter"] == "grid":
        return 250.0
    if row["meter"] == "school":
        return 40.0
    return 1 + int(row["premise"]) / 1000


def made(
    folder: Path,
    *,
    silent: Sequence[str] = (),
    without: Sequence[str] = (),
    settings: str = SETTINGS,
    hours: range = range(DAYS * 24),
) -> City:
    """Make the city with a month of readings; `silent` meters never report, and it is `without` some."""
    City.create(folder, timezone="Asia/Seoul").close()
    clock = Clock()
    first = City.open(folder, now=clock)
    rows = [row for row in meters() if row["meter"] not in without]
    first.pipeline.register(pa.Table.from_pylist(rows), source="test", actor="test")
    first.close()
    (folder / "city.toml").write_text(settings, encoding="utf-8")
    city = City.open(folder, now=clock)
    send(city, [row for row in rows if row["meter"] not in silent], hours)
    return city


def send(city: City, rows: Sequence[dict[str, Any]], hours: range = range(DAYS * 24)) -> None:
    """Commit hourly readings; a wave keeps them from being taken for stuck."""
    number = len(rows) * len(hours)
    wave = np.where(np.arange(len(hours)) % 2, 0.0625, -0.0625) + 1
    table = pa.table(
        {
            "site": [row["site"] for row in rows for _ in hours],
            "meter": [row["meter"] for row in rows for _ in hours],
            "at": [START + hour * HOUR for hour in hours] * len(rows),
            "value": np.concatenate([use(row) * wave for row in rows]) if number else [],
            "row": np.arange(1, number + 1),
        }
    )
    columns = [
        table[field.name].cast(field.type) if field.name in table.column_names else pa.nulls(number, field.type)
        for field in READINGS
    ]
    whole = pa.Table.from_arrays(columns, schema=READINGS)
    city.pipeline.commit([(whole, QUARANTINE.empty_table())], source="test", actor="test")
