"""`quintet bench bills`: a month's bills of every dwelling, all five utilities: reckoned, answered, issued, shown.

The city is made of daily meters, one a utility and dwelling; their days are taken in and closed by the usual way.
"""

import tempfile
from collections.abc import Callable
from contextlib import closing
from datetime import date, datetime, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
import pyarrow as pa

from quintet.access import EVERYTHING
from quintet.terms.period import day_start, to_us
from quintet.terms.reading import clock
from quintet.terms.tables import QUARANTINE, READINGS
from quintet.views.bills import place_bills, reckon_place

from .answer import no_progress
from .answers_bills import bill_issue, bill_run, bill_show
from .city import City
from .requests_bills import BillIssue, BillRun, BillShow

Put = Callable[[str, object], None]
SMALL, USUAL = 60, 17_000
REPEATS = 5
SHOWN = 200
A_COMPLEX = 500
TZ = "Asia/Seoul"
FIRST, DAYS = date(2025, 10, 1), 31
MONTH = "2025-10"
UTILITIES = {"electricity": ("kWh", 10.0), "gas": ("m3", 0.8), "water": ("m3", 0.6), "heat": ("kWh", 15.0),
             "hot_water": ("m3", 0.15)}  # fmt: skip
"""Each utility's unit and what a dwelling uses a day, about."""
AGREED = """
[[billing]]
place = "city"
commodity = "electricity"
contract = "apartment_total"
source = "bench"
[[billing]]
place = "city"
commodity = "gas"
unit_price = "22.2954"
base_won = "1000"
calorific = "42.716"
source = "bench"
[[billing]]
place = "city"
commodity = "water"
card_city = "ansan"
pipe_mm = "13"
source = "bench"
[[billing]]
place = "city"
commodity = "heat"
unit_price = "112.32"
base_won = "4454"
source = "bench"
[[billing]]
place = "city"
commodity = "hot_water"
unit_price = "9000"
base_won = "0"
source = "bench"
"""


def measure_bills(put: Put, *, small: bool, households: int | None = None) -> None:
    """Make a city, take a month in, close it, and measure its bills."""
    homes = households or (SMALL if small else USUAL)
    put("households", homes)
    with tempfile.TemporaryDirectory(prefix="quintet-bench-") as work:
        folder = Path(work) / "city"
        City.create(folder, timezone=TZ).close()
        path = folder / "city.toml"
        path.write_text(path.read_text(encoding="utf-8") + AGREED, encoding="utf-8")
        now = to_us(day_start(FIRST + timedelta(days=40), clock(TZ)))
        with closing(City.open(folder, now=lambda: now)) as city:
            names = _register(city, homes)
            began = perf_counter()
            _fill(city, names)
            put("fill_s", round(perf_counter() - began, 1))
            _measure(city, homes, put)


def _register(city: City, homes: int) -> list[tuple[str, str]]:
    """Register the meters; give (site, meter) of each."""
    rows: list[dict[str, Any]] = []
    for home in range(homes):
        site, building, premise = (
            f"c{home // A_COMPLEX + 1:03}",
            f"{101 + home % A_COMPLEX // 60}",
            f"{home % 60 + 1:04}",
        )
        for commodity, (unit, _) in UTILITIES.items():
            rows.append({
                "site": site, "building": building, "premise": premise, "meter": f"{building}-{premise}-{commodity}",
                "commodity": commodity, "unit": unit, "value_kind": "interval_sum", "cadence_min": 1440, "tz": TZ,
                "role": "consumption", "floor_area_m2": 59.5 + home % 50,
            })  # fmt: skip
    city.pipeline.register(pa.Table.from_pylist(rows), source="bench", actor="bench")
    return [(row["site"], row["meter"]) for row in rows]


def _fill(city: City, names: list[tuple[str, str]]) -> None:
    """Take the month in, day by day, and close it."""
    rng = np.random.default_rng(1)
    usual = np.array([amount for _, amount in UTILITIES.values()] * (len(names) // len(UTILITIES)))
    level = usual * np.repeat(rng.lognormal(0, 0.5, len(names) // len(UTILITIES)), len(UTILITIES))
    nothing = pa.nulls(len(names), pa.string())
    for number in range(DAYS):
        at: datetime = day_start(FIRST + timedelta(days=number), clock(TZ))
        columns: dict[str, Any] = {
            "site": [site for site, _ in names], "meter": [meter for _, meter in names], "at": [at] * len(names),
            "value": np.round(level * rng.uniform(0.6, 1.4, len(names)), 3), "commodity": nothing, "unit": nothing,
            "row": np.arange(1, len(names) + 1),
        }  # fmt: skip
        table = pa.table({name: pa.array(columns[name], READINGS.field(name).type) for name in READINGS.names})
        city.pipeline.commit([(table, QUARANTINE.empty_table())], source=f"day {number}", actor="bench")
    city.close_days(FIRST + timedelta(days=DAYS))


def _measure(city: City, homes: int, put: Put) -> None:
    """Measure each way of asking for the month."""
    access, registry = city.access(EVERYTHING), city.registry()
    end = FIRST + timedelta(days=DAYS)
    put("bills", homes * len(UTILITIES))

    def reckoned() -> Any:
        return reckon_place(access, "city", FIRST, end)

    took = timed(reckoned)
    put("reckon_s_first_median", [round(took[0], 2), round(median(took[1:]), 2)])
    found = reckoned()
    put("total_won", sum(one.total or 0 for one in found.rows))
    put("without_amount", sum(one.total is None for one in found.rows))
    took = timed(lambda: place_bills(reckoned(), registry.commodities))
    put("reckon_with_every_line_s_median", round(median(took[1:]), 2))
    took = timed(lambda: bill_run(city, BillRun(MONTH, "city"), no_progress))
    put("bill_run_answer_s_median", round(median(took[1:]), 2))
    places = sorted({one.metered.place for one in found.rows})[:: max(homes // SHOWN, 1)]
    took = [timed(lambda place=place: bill_show(city, BillShow(place, MONTH), no_progress), 0)[0] for place in places]
    put("bill_show_ms_median_max", [round(median(took) * 1000, 1), round(max(took) * 1000, 1)])
    began = perf_counter()
    issued = bill_issue(city, BillIssue("city", MONTH, "bench"), no_progress).read()
    put("bill_issue_s", round(perf_counter() - began, 2))
    put("issued", issued["issued"])


def timed(work: Callable[[], object], repeats: int = REPEATS) -> list[float]:
    """Give the seconds of each of some runs, the first being the one that finds nothing prepared."""
    out: list[float] = []
    for _ in range(repeats + 1):
        began = perf_counter()
        work()
        out.append(perf_counter() - began)
    return out
