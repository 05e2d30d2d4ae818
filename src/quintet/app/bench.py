"""`quintet bench NAME`: the figures of docs/performance.md, each measured in one run on this machine."""

import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from quintet.access import EVERYTHING
from quintet.protocols import read_readings
from quintet.simulate.dataset import readings_of
from quintet.terms.errors import UsageError
from quintet.terms.period import Resolution, Span, day_start
from quintet.terms.tables import QUARANTINE

from .bench_bills import measure_bills
from .bench_commits import commits
from .bench_days import START
from .bench_household import measure_household
from .bench_ingest import run_ingest
from .bench_ledger import measure_ledger
from .bench_live import measure_live
from .bench_mqtt import measure_mqtt
from .bench_vee import measure_vee
from .city import City

COMMITS_A_QUARTER = 43
QUARTERS = 96
FEED_ROWS = 50_000
FEED_RATE = 200_000
"""Readings a second that pour in while a household is read."""
VALUE_COLUMNS = ("channel", "start", "value")


@dataclass
class Figures:
    """What was measured, by name, in the order it was."""

    rows: dict[str, object] = field(default_factory=dict[str, object])

    def put(self, name: str, value: object) -> None:
        """Keep a figure and say it at once."""
        self.rows[name] = value
        print(f"{name}: {value}", flush=True)


def run(name: str, *, small: bool, households: int | None = None, days: int | None = None) -> int:
    """Run a bench by name; `small` uses a village of 60 households for the smoke test. Gives the exit code.

    `households` and `days` are for the bench of the ledger, which can be made of any size.
    """
    bench = BENCHES.get(name)
    if bench is None:
        raise UsageError(
            f"there is no bench {name!r}.", code="unknown_bench", remedy=f"There are: {', '.join(BENCHES)}."
        )
    if bench is ledger_figures:
        return bench(small=small, households=households, days=days)
    if bench in (bill_figures, household_figures):
        return bench(small=small, households=households)
    return bench(small=small)


def spine_figures(*, small: bool) -> int:
    """Measure the main job: bulk, live commits, closing, reading; gives the exit code."""
    figures = Figures()
    days = int(os.environ.get("QUINTET_BENCH_DAYS", "3" if small else "30"))
    households = 60 if small else 17_000
    live_quarters = int(os.environ.get("QUINTET_BENCH_QUARTERS", "4" if small else str(QUARTERS)))
    figures.put("machine", f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    with tempfile.TemporaryDirectory(prefix="quintet-bench-") as work:
        folder = Path(work)
        subprocess.run(
            [sys.executable, "-m", "quintet.app.bench_days", work, str(households), str(days + 2)], check=True
        )
        city = City.create(folder / "city", timezone="Asia/Seoul")
        with closing(city):
            settings = json.loads((folder / "city.json").read_text())
            meters = pq.read_table(folder / "meters.parquet")
            began = time.perf_counter()
            city.pipeline.register(meters, settings=settings, source="bench", actor="bench")
            figures.put("register_s", since(began))
            city.pipeline.normaliser()
            city.pipeline.meaning()
            bulk(city, folder, days, figures)
            live(city, folder, days, live_quarters, figures)
            household(city, folder, days + 1, figures, seconds=1.0 if small else 20.0)
            city_by_hour(city, days, figures)
    figures.put("peak_memory_gb", round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, 2))
    print(json.dumps(figures.rows))
    return 0


def commit_figures(*, small: bool) -> int:
    """Measure live commits by size, in a city of its own; gives the exit code."""
    figures = Figures()
    with tempfile.TemporaryDirectory(prefix="quintet-bench-") as work:
        households = "60" if small else "17000"
        subprocess.run([sys.executable, "-m", "quintet.app.bench_days", work, households, "3"], check=True)
        for name, value in commits(Path(work), small=small):
            figures.put(name, value)
    print(json.dumps(figures.rows))
    return 0


def live_figures(*, small: bool) -> int:
    """Measure live push to many listeners, in a city of its own; gives the exit code."""
    figures = Figures()
    for name, value in measure_live(small=small):
        figures.put(name, value)
    print(json.dumps(figures.rows))
    return 0


def ingest_figures(*, small: bool) -> int:
    """Measure the doors beside other stores; gives the exit code."""
    figures = Figures()
    run_ingest(figures.put, small=small)
    print(json.dumps(figures.rows))
    return 0


def mqtt_figures(*, small: bool) -> int:
    """Measure the way through a broker and the MQTT doors; gives the exit code."""
    figures = Figures()
    measure_mqtt(figures.put, small=small)
    print(json.dumps(figures.rows))
    return 0


def vee_figures(*, small: bool) -> int:
    """Measure validation and estimation beside pandas; gives the exit code."""
    figures = Figures()
    measure_vee(figures.put, small=small)
    print(json.dumps(figures.rows))
    return 0


def ledger_figures(*, small: bool, households: int | None = None, days: int | None = None) -> int:
    """Measure the ledger's books beside plain SQL over the raw intervals; gives the exit code."""
    figures = Figures()
    measure_ledger(figures.put, small=small, households=households, days=days)
    print(json.dumps(figures.rows))
    return 0


def bill_figures(*, small: bool, households: int | None = None) -> int:
    """Measure a month's bills of every dwelling, five utilities; gives the exit code."""
    figures = Figures()
    measure_bills(figures.put, small=small, households=households)
    print(json.dumps(figures.rows))
    return 0


def household_figures(*, small: bool, households: int | None = None) -> int:
    """Measure residents' pages while readings come; gives the exit code."""
    figures = Figures()
    measure_household(figures.put, small=small, households=households)
    print(json.dumps(figures.rows))
    return 0


def since(began: float) -> float:
    """Give the seconds since a moment of the performance counter."""
    return round(time.perf_counter() - began, 3)


def ingest(city: City, path: Path) -> int:
    """Take a readings file through the door's decoder and the pipeline; give the rows accepted."""
    with path.open("rb") as file, closing(read_readings(file, path.name)) as parts:
        return city.pipeline.commit(parts, source=path.name, actor="bench").accepted


def bulk(city: City, folder: Path, days: int, figures: Figures) -> None:
    """Take whole days from Parquet, close each; compare with merely loading the same file into a DuckDB table."""
    rates: list[float] = []
    loads: list[float] = []
    closes: list[float] = []
    for number in range(days):
        path = folder / f"day-{number:03}.parquet"
        rows = pq.read_metadata(path).num_rows
        began = time.perf_counter()
        with closing(duckdb.connect(str(folder / "load.duckdb"))) as base:
            base.execute(f"create or replace table t as from '{path}'")
        loads.append(rows / since(began) / 1e6)
        began = time.perf_counter()
        ingest(city, path)
        rates.append(rows / since(began) / 1e6)
        began = time.perf_counter()
        city.close_days(START + timedelta(days=number + 1))
        closes.append(since(began))
        path.unlink()
    figures.put("readings", city.doctor(scrub=False).facts["raw_rows"])
    figures.put("bulk_first_day_million_s", round(rates[0], 2))
    figures.put("bulk_following_days_million_s_median", round(float(np.median(rates[1:])), 2))
    figures.put("duckdb_load_million_s_median", round(float(np.median(loads)), 2))
    figures.put("bulk_to_load_ratio_median", round(float(np.median(np.array(rates) / np.array(loads))), 3))
    figures.put("close_day_s_median_max", [round(float(np.median(closes)), 2), max(closes)])
    sizes(city, "bulk", figures)


def sizes(city: City, name: str, figures: Figures) -> None:
    """Say the bytes an interval of the newest closed day, value and lineage apart, and those of its raw readings."""
    with city.engine.snapshot() as snapshot:
        day = snapshot.rows("select max(day) from closed_day")[0][0]
        files = {lake: snapshot.lake_paths(lake, day, day) for lake in ("intervals", "superseded", "raw")}
    held = pq.read_metadata(files["intervals"][0])
    by_column: dict[str, int] = {}
    for group in range(held.num_row_groups):
        for column in range(held.num_columns):
            chunk = held.row_group(group).column(column)
            by_column[chunk.path_in_schema] = by_column.get(chunk.path_in_schema, 0) + chunk.total_compressed_size
    rows = held.num_rows
    value = sum(size for column, size in by_column.items() if column in VALUE_COLUMNS)
    lineage = sum(by_column.values()) - value + sum(Path(path).stat().st_size for path in files["superseded"])
    figures.put(f"{name}_value_bytes_an_interval", round(value / rows, 3))
    figures.put(f"{name}_lineage_bytes_an_interval", round(lineage / rows, 3))
    raw = sum(Path(path).stat().st_size for path in files["raw"])
    figures.put(f"{name}_raw_bytes_a_reading", round(raw / rows, 3))


def live(city: City, folder: Path, number: int, quarters: int, figures: Figures) -> None:
    """Commit a day as concentrators send it: 43 commits a quarter-hour."""
    path = folder / f"day-{number:03}.parquet"
    took: list[float] = []
    rows = 0
    for part in batches(path, quarters):
        began = time.perf_counter()
        rows += city.pipeline.commit([(part, QUARANTINE.empty_table())], source="live", actor="bench").accepted
        took.append(time.perf_counter() - began)
    figures.put("live_commits", len(took))
    figures.put("live_readings_s", round(rows / sum(took)))
    figures.put("live_commit_ms_p50_p99", [round(1000 * float(np.quantile(took, q)), 1) for q in (0.5, 0.99)])
    began = time.perf_counter()
    city.close_days(START + timedelta(days=number + 1))
    figures.put("live_close_s", since(began))
    sizes(city, "live", figures)


def batches(path: Path, quarters: int) -> list[pa.Table]:
    """Cut a day's file into READINGS tables in order of time: each quarter-hour's meters dealt over 43 commits."""
    table = pq.read_table(path)
    at = table["ts_utc"].cast(pa.int64()).to_numpy()
    quarter = (at - int(at.min())) // 900_000_000
    meter = table["meter"].combine_chunks().dictionary_encode()
    codes = (meter.indices if isinstance(meter, pa.DictionaryArray) else meter.chunk(0).indices).to_numpy()
    key = quarter * COMMITS_A_QUARTER + codes % COMMITS_A_QUARTER
    order = np.argsort(key, kind="stable")
    cuts = np.flatnonzero(np.diff(key[order], prepend=-1))
    out: list[pa.Table] = []
    for low, high in zip(cuts, [*cuts[1:], len(order)], strict=True):
        if key[order[low]] >= quarters * COMMITS_A_QUARTER:
            break
        out.append(readings_of(table.take(pa.array(order[low:high]))))
    return out


def household(city: City, folder: Path, number: int, figures: Figures, *, seconds: float) -> None:
    """Read one household's five utilities, today at 15 min and this month by day, while readings pour in."""
    table = pq.read_table(folder / f"day-{number:03}.parquet")
    order = np.argsort(table["ts_utc"].cast(pa.int64()).to_numpy(), kind="stable")
    ended = threading.Event()
    fed: list[int] = []

    def feed() -> None:
        began = time.perf_counter()
        for low in range(0, len(order), FEED_ROWS):
            part = readings_of(table.take(pa.array(order[low : low + FEED_ROWS])))
            fed.append(city.pipeline.commit([(part, QUARANTINE.empty_table())], source="feed", actor="bench").accepted)
            ahead = sum(fed) / FEED_RATE - (time.perf_counter() - began)
            if ended.wait(max(ahead, 0.0)):
                return

    names = household_names(city)
    today = START + timedelta(days=number)
    start = day_start(today, city.engine.tz)
    span = Span(start, day_start(today + timedelta(days=1), city.engine.tz))
    access = city.access(EVERYTHING)
    dice = np.random.default_rng(1)
    feeder = threading.Thread(target=feed)
    feeder.start()
    began = time.perf_counter()
    quarter: list[float] = []
    month: list[float] = []
    while time.perf_counter() - began < seconds:
        own = names[dice.integers(len(names))]
        asked = time.perf_counter()
        for name in own:
            access.series(name, span, Resolution.QUARTER)
        quarter.append(time.perf_counter() - asked)
        asked = time.perf_counter()
        access.daily(own, today.replace(day=1), today)
        month.append(time.perf_counter() - asked)
    lasted = time.perf_counter() - began
    ended.set()
    feeder.join()
    figures.put("feed_readings_s_while_read", round(sum(fed) / lasted))
    for name, took in (("today", quarter), ("month", month)):
        figures.put(f"household_{name}_ms_p50_p99", [round(float(np.quantile(took, q)) * 1000, 2) for q in (0.5, 0.99)])


def household_names(city: City) -> list[list[str]]:
    """List each dwelling's channels."""
    registry = city.registry()
    own: dict[str, list[str]] = {}
    names = dict(zip(*(registry.channels()[column].to_pylist() for column in ("channel", "name")), strict=True))
    for channel, place, flow in zip(
        *(registry.placements()[column].to_pylist() for column in ("channel", "place", "flow")), strict=True
    ):
        if place.count("/") == 2 and flow == "consumption":
            own.setdefault(place, []).append(names[channel])
    return [sorted(channels) for channels in own.values()]


def city_by_hour(city: City, days: int, figures: Figures) -> None:
    """Ask for the whole city's flows by hour over all closed days, coverage included: first and further times."""
    start = day_start(START, city.engine.tz)
    span = Span(start, start + timedelta(days=days))
    access = city.access(EVERYTHING)
    took: list[float] = []
    for _ in range(6):
        began = time.perf_counter()
        access.flows("city", span, Resolution.HOUR)
        took.append(time.perf_counter() - began)
    figures.put("city_hours_first_s", round(took[0], 3))
    figures.put("city_hours_ms_median", round(1000 * float(np.median(took[1:])), 1))
    figures.put("asked_at", datetime.now(UTC).isoformat(timespec="seconds"))


BENCHES: dict[str, Callable[..., int]] = {
    "spine": spine_figures,
    "commits": commit_figures,
    "live": live_figures,
    "ingest": ingest_figures,
    "mqtt": mqtt_figures,
    "vee": vee_figures,
    "ledger": ledger_figures,
    "bills": bill_figures,
    "household": household_figures,
}
"""Each takes `small` and gives the exit code."""
