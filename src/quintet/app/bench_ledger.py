"""`quintet bench ledger`: a city by hour with every definition, its whole tree by month, and plain SQL beside.

The plain SQL is DuckDB over the raw intervals, lying as the city keeps them: one join with the places and one sum. It
gives numbers only: no coverage, no estimated share, no derived flows, nothing as known at a moment.

With QUINTET_BENCH_SIMULATED=n the first n days are simulated, and repeated until all days are there.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from quintet.access import EVERYTHING, Access
from quintet.access.flows import placed
from quintet.ledger.balance import balance
from quintet.ledger.selfsufficiency import selfsufficiency
from quintet.protocols import read_readings
from quintet.registry import Registry
from quintet.terms.period import Resolution, Span, day_start, from_us
from quintet.views.inventories import Question, place_inventory
from quintet.views.report import Asked, place_report
from quintet.views.report_answers import Report
from quintet.views.tree import tree_balances

from .bench_laid import correct, lay_out
from .city import City

Put = Callable[[str, object], None]
SMALL = (60, 3)
USUAL = (200, 30)
"""Households and days without further word; the whole is 17,000 and 365."""
REPEATS = 5
START = date(2025, 1, 1)
"""A year from here on is over."""
LEVEL = 0.9
CORRECTED = 3_000
"""Channels corrected on each of three days."""
CITY = "city"


def measure_ledger(put: Put, *, small: bool, households: int | None = None, days: int | None = None) -> None:
    """Make a city, take its days in, close them, and measure its books."""
    size = SMALL if small else USUAL
    homes, count = households or size[0], days or size[1]
    put("households", homes)
    put("days", count)
    simulated = min(int(os.environ.get("QUINTET_BENCH_SIMULATED", count)), count)
    put("simulated_days", simulated)
    with tempfile.TemporaryDirectory(prefix="quintet-bench-") as work:
        folder = Path(work)
        city = City.create(folder / "city", timezone="Asia/Seoul")
        with closing(city):
            fill(city, folder, homes, simulated, put)
            if simulated < count:
                lay_out(city, START, simulated, count)
            start = day_start(START, city.engine.tz)
            books(city, Span(start, day_start(START + timedelta(days=count), city.engine.tz)), put)
            reports(city, count, put)


def fill(city: City, folder: Path, homes: int, count: int, put: Put) -> None:
    """Take a simulated city in, day by day, each closed when it is over."""
    write = [sys.executable, "-m", "quintet.app.bench_days", str(folder), str(homes), str(count), START.isoformat()]
    subprocess.run(write, check=True)
    settings = json.loads((folder / "city.json").read_text())
    meters = pq.read_table(folder / "meters.parquet")
    city.pipeline.register(meters, settings=settings, source="bench", actor="bench")
    began = perf_counter()
    for number in range(count):
        path = folder / f"day-{number:03}.parquet"
        with path.open("rb") as file, closing(read_readings(file, path.name)) as parts:
            city.pipeline.commit(parts, source=path.name, actor="bench")
        city.close_days(START + timedelta(days=number + 1))
        path.unlink()
    put("fill_s", round(perf_counter() - began, 1))
    put("meters", meters.num_rows)


def books(city: City, span: Span, put: Put) -> None:
    """Measure the city by hour with all definitions, the tree by month, and the plain SQL for both."""
    access, registry = city.access(EVERYTHING), city.registry()
    for resolution in (Resolution.HOUR, Resolution.MONTH):
        access.flows(CITY, Span(span.start, span.start + timedelta(days=1)), resolution)
    hours = timed(lambda: whole_city(access, registry, span))
    put("city_by_hour_all_definitions_ms_first_median", _first_median(hours))
    tree = timed(lambda: whole_tree(access, span))
    put("tree_by_month_ms_first_median", _first_median(tree))
    rows = whole_tree(access, span)
    put("tree_places", len(set(rows["place"].to_pylist())))
    put("tree_rows", rows.num_rows)
    with closing(duckdb.connect()) as base:
        for name, select, mine in (("city_by_hour", HOURS, hours), ("tree_by_month", MONTHS, tree)):
            took = plain(base, city, span, select)
            put(f"{name}_plain_sql_ms_median", round(median(took[1:]), 1))
            put(f"{name}_plain_to_ours_ratio", round(median(took[1:]) / median(mine[1:]), 2))


def reports(city: City, count: int, put: Put) -> None:
    """Measure emissions by hour, a report's figures, and the same figures again after some days were corrected."""
    access, tz = city.access(EVERYTHING), city.engine.tz
    span = Span(day_start(START, tz), day_start(START + timedelta(days=count), tz))
    hourly = Question(CITY, span, Resolution.HOUR)
    put("emissions_by_hour_ms_first_median", _first_median(timed(lambda: place_inventory(access, hourly, tz), 2)))
    known = from_us(city.now())
    built = Asked(CITY, span, known, LEVEL, now=True)
    put("report_figures_ms_first_median", _first_median(timed(lambda: place_report(access, built, tz), 2)))
    before = place_report(access, built, tz)
    correct(city, [START + timedelta(days=at) for at in {0, count // 3, 2 * count // 3}], CORRECTED)
    again: list[Report] = []
    recomputed = Asked(CITY, span, known, LEVEL)
    took = timed(lambda: again.append(place_report(access, recomputed, tz)), 2)
    put("report_figures_after_corrections_ms_first_median", _first_median(took))
    put("report_confirmed", again[-1] == before)


def _first_median(took: list[float]) -> list[float]:
    """Give the first of some times and the median of the others."""
    return [round(took[0], 1), round(median(took[1:]), 1)]


def timed(work: Callable[[], Any], repeats: int = REPEATS) -> list[float]:
    """Give the milliseconds of a first run, and of some more."""
    out: list[float] = []
    for _ in range(repeats + 1):
        began = perf_counter()
        work()
        out.append((perf_counter() - began) * 1000)
    return out


def whole_tree(access: Access, span: Span) -> pa.Table:
    """Balance every place of the city by month."""
    return tree_balances(access, span, Resolution.MONTH, place=CITY, level=None, known_at=None).table


def whole_city(access: Access, registry: Registry, span: Span) -> None:
    """Read the city by hour; balance every carrier and answer every definition."""
    flows = access.flows(CITY, span, Resolution.HOUR)
    known, metered = registry.commodities, flows.boundaries_metered
    balance(flows.flows, place=CITY, edges=flows.edges, commodities=known, boundaries_metered=metered)
    selfsufficiency(
        flows.flows,
        edges=flows.edges,
        commodities=known,
        boundaries_metered=metered,
        interval=Resolution.HOUR.value,
    )


HOURS = "select date_trunc('hour', i.start) as at, p.flow, p.commodity, p.quantity, sum(p.sign * i.value)"
MONTHS = (
    """select date_trunc('month', i.start) as at, a.above, p.flow, p.commodity, p.quantity, sum(p.sign * i.value)"""
)


def plain(base: duckdb.DuckDBPyConnection, city: City, span: Span, select: str) -> list[float]:
    """Ask the same of the raw intervals as they lie in the lake, joined with the places, as one would by hand."""
    registry = city.registry()
    with city.engine.snapshot() as snapshot:
        first, last = city.engine.day_of(span.start_us), city.engine.day_of(span.end_us - 1)
        paths = snapshot.lake_paths("intervals", first, last)
    placements = placed(registry)
    pairs = [(place, above) for place in registry.tree.walk(CITY) for above in registry.tree.path(place)]
    above = pa.table({"place": [pair[0] for pair in pairs], "above": [pair[1] for pair in pairs]})
    base.register("placements", placements)
    base.register("above", above)
    base.execute("set timezone = 'Asia/Seoul'")
    tree = "join above a on a.place = p.place" if "a.above" in select else ""
    sql = f"""{select} from read_parquet({paths!r}) i join placements p on i.channel = p.channel
        and epoch_us(i.start) >= p.start_us and epoch_us(i.start) < p.end_us {tree} group by all"""
    return timed(lambda: base.sql(sql).to_arrow_table())
