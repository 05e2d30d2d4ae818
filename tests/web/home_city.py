"""A city of three homes with two months of readings up to a fixed moment, for the resident's page.

`ONE` has power, water and heat; its heat meter sends nothing but zeros since 10 November. `TWO` has power, silent for a
month, and gas. `NEW` has a meter that has not sent anything yet. Nobody but ONE's power has a price.
"""

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import numpy as np
import pyarrow as pa

from quintet.access import Access, Scope
from quintet.access.roles import role_named
from quintet.access.scope import Grant
from quintet.app.city import City
from quintet.terms.holidays import holidays_of
from quintet.terms.period import to_us
from quintet.terms.tables import QUARANTINE, READINGS

NOW = datetime(2026, 11, 24, 5, 31, tzinfo=UTC)
"""Tuesday, 14:31 in Seoul."""
FIRST = datetime(2026, 9, 19, 15, tzinfo=UTC)
"""The start of 20 September in Seoul."""
HEARD = datetime(2026, 11, 24, 5, 30, tzinfo=UTC)
STEP = timedelta(minutes=15)
ONE, TWO, NEW = "c1/101/1", "c1/101/2", "c1/101/3"
SILENT_SINCE = datetime(2026, 10, 23, 15, tzinfo=UTC)
STOPPED = date(2026, 11, 10)
SEOUL = timedelta(hours=9)
COURSE = [90 + number * 37 % 21 for number in range(96)]
"""ONE's power in Wh by quarter hour of a working day; on days of rest half as much again."""
METERS = (("1", "power"), ("1", "water"), ("1", "heat"), ("2", "power2"), ("2", "gas"), ("3", "power3"))
COMMODITIES = {"power": ("electricity", "kWh"), "water": ("water", "m3"), "heat": ("heat", "kWh"), "gas": ("gas", "m3")}
CONTRACTS = """
[bills]
provisional = true
[[billing]]
place = "c1/101/1"
commodity = "electricity"
contract = "low_voltage"
source = "test"
"""


def make_city(folder: Path) -> City:
    """Make the city, its readings taken in through the pipeline."""
    City.create(folder, name_en="Naju", name_ko="나주", timezone="Asia/Seoul").close()
    with (folder / "city.toml").open("a", encoding="utf-8") as settings:
        settings.write(CONTRACTS)
    city = City.open(folder, now=lambda: to_us(NOW))
    rows = [meter_row(premise, meter) for premise, meter in METERS]
    table = pa.table({name: [row[name] for row in rows] for name in rows[0]})
    city.pipeline.register(table, source="meters", actor="test")
    commit(city, *history())
    return city


def meter_row(premise: str, meter: str) -> dict[str, object]:
    commodity, unit = COMMODITIES[meter.rstrip("23")]
    return {
        "site": "c1", "building": "101", "premise": premise, "meter": meter, "commodity": commodity, "unit": unit,
        "value_kind": "interval_sum", "cadence_min": 15, "tz": "Asia/Seoul", "role": "consumption",
    }  # fmt: skip


def wh_of(day: date, quarter: int) -> float:
    """Give ONE's power in one quarter hour of a day."""
    rest = day.weekday() >= 5 or day in holidays_of("Asia/Seoul")
    return COURSE[quarter] * (1.5 if rest else 1)


def wh(first: date, last: date) -> Fraction:
    """Give ONE's power over days, both included."""
    days = ((first + timedelta(at)) for at in range((last - first).days + 1))
    return sum((Fraction(wh_of(day, at)) for day in days for at in range(96)), Fraction(0))


def history() -> list[tuple[str, datetime, float]]:
    out: list[tuple[str, datetime, float]] = []
    steps = (HEARD - FIRST) // STEP
    for number in range(steps):
        start = FIRST + number * STEP
        local = start + SEOUL
        out.append(("power", start, wh_of(local.date(), number % 96) / 1000))
        out.append(("water", start, 0.004 if local.hour in (7, 19) else 0.0))
        out.append(("heat", start, 0.0 if local.date() >= STOPPED else 0.25))
        out.append(("gas", start, 0.002 if local.hour == 18 else 0.0))
        if start < SILENT_SINCE:
            out.append(("power2", start, 0.1))
    return out


def commit(city: City, *rows: tuple[str, datetime, float]) -> None:
    """Commit readings (meter, start, amount) as one batch."""
    count = len(rows)
    columns = {
        "site": ["c1"] * count, "meter": [name for name, _, _ in rows], "at": [at for _, at, _ in rows],
        "value": np.array([value for _, _, value in rows]), "commodity": [None] * count, "unit": [None] * count,
        "row": np.arange(1, count + 1),
    }  # fmt: skip
    table = pa.table({name: pa.array(columns[name], READINGS.field(name).type) for name in READINGS.names})
    taken = city.pipeline.commit([(table, QUARANTINE.empty_table())], source="test", actor="test")
    assert taken.quarantined == 0


def resident(city: City, place: str, since: datetime) -> Access:
    """Give the access of somebody who lives at a place since a moment."""
    return city.access(Scope("kim", frozenset(), (Grant(place, role_named("resident"), to_us(since)),)))
