"""Writes a simulated city's days as files, in a process of its own so that the bench measures the owner alone."""

import json
import sys
from datetime import date, timedelta
from pathlib import Path

import pyarrow.parquet as pq

from quintet.simulate import CityPlan, simulate_city

START = date(2026, 1, 5)
ROW_GROUP = 1_000_000


def write_days(folder: Path, households: int, days: int, start: date = START) -> None:
    """Write meters.parquet, city.json and one readings file a day (day-000.parquet, ...) without faults."""
    city = simulate_city(CityPlan(households=households, start=start, days=days, faults=False))
    pq.write_table(city.meters, folder / "meters.parquet")
    (folder / "city.json").write_text(json.dumps(city.settings))
    for number in range(days):
        table = city.readings(start + timedelta(days=number))
        pq.write_table(table, folder / f"day-{number:03}.parquet", row_group_size=ROW_GROUP)


if __name__ == "__main__":
    write_days(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), *map(date.fromisoformat, sys.argv[4:]))
