"""A small open city that a test may look at and write to, by a clock that the test sets."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa

from quintet.app.city import City
from quintet.terms.period import to_us
from quintet.terms.tables import QUARANTINE, READINGS

FIRST = datetime(2026, 3, 2, tzinfo=UTC)
SECRET_METER, SECRET_SITE = "kim-cheolsu-101", "haneul-apartments"
COLUMNS = ("site", "building", "meter", "commodity", "unit", "value_kind", "cadence_min", "tz", "role")
METERS = [
    (SECRET_SITE, "b", SECRET_METER, "electricity", "kWh", "interval_sum", "15", "UTC", "consumption"),
    (SECRET_SITE, "b", "water", "water", "m3", "register_cumulative", "15", "UTC", "consumption"),
    (SECRET_SITE, "b", "water-2", "water", "m3", "register_cumulative", "60", "UTC", "consumption"),
]


class Clock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.now = FIRST

    def __call__(self) -> int:
        return to_us(self.now)


def made(folder: Path, clock: Clock) -> City:
    """Make the city and register its meters."""
    City.create(folder, timezone="UTC").close()
    city = City.open(folder, now=clock)
    rows = [dict(zip(COLUMNS, meter, strict=True)) for meter in METERS]
    city.pipeline.register(pa.Table.from_pylist(rows), source="test", actor="test")
    return city


def commit(city: City, rows: Sequence[tuple[str, timedelta, float]]) -> None:
    """Commit readings: meter, time since FIRST, value."""
    said = [
        {"site": SECRET_SITE, "meter": meter, "at": FIRST + after, "value": value, "row": number}
        for number, (meter, after, value) in enumerate(rows, start=1)
    ]
    table = pa.Table.from_pylist(said, READINGS)
    city.pipeline.commit([(table, QUARANTINE.empty_table())], source=SECRET_SITE, actor="test")
