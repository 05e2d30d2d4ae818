"""`quintet bench commits`: how long a live commit takes, by its number of readings, the short way and the long one."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from quintet.pipeline.delivery import Delivery
from quintet.terms.errors import QuintetError
from quintet.terms.tables import QUARANTINE, READINGS

from .bench_days import START
from .city import City

Sizes = tuple[tuple[int, int], ...]
SHORT = ((1, 40), (200, 40), (2_000, 30), (10_000, 15), (100_000, 5))
"""Readings a commit, and how many commits of that size are measured: readings that continue their channels."""
LONG = ((1, 5), (200, 5), (2_000, 3))
"""The same for readings that say anew what was said of yesterday, or of the closed day before."""
SMALL = 100
"""The smoke run divides the sizes by this."""
WARM_ROWS = 20_000


@dataclass
class Stream:
    """A day's readings in order of time, handed out piece by piece."""

    table: pa.Table
    order: npt.NDArray[np.int64]
    place: int = field(default=0)

    @classmethod
    def of(cls, path: Path) -> "Stream":
        """Read a day's file."""
        table = pq.read_table(path)
        return cls(table, np.argsort(table["ts_utc"].cast(pa.int64()).to_numpy(), kind="stable"))

    def take(self, count: int) -> pa.Table:
        """Give the next readings (READINGS)."""
        part = self.table.take(pa.array(self.order[self.place : self.place + count]))
        self.place += part.num_rows
        columns = {
            "site": part["site"].cast(pa.string()),
            "meter": part["meter"].cast(pa.string()),
            "at": part["ts_utc"].cast(READINGS.field("at").type),
            "value": part["value"],
            "row": pa.array(np.arange(1, part.num_rows + 1)),
        }
        lacking = {name: pa.nulls(part.num_rows, READINGS.field(name).type) for name in READINGS.names}
        return pa.table({**lacking, **columns}).select(READINGS.names).cast(READINGS)

    def corrections(self, count: int) -> pa.Table:
        """Give readings of the middle of the day with another value each."""
        self.place = max(self.place, len(self.order) // 2)
        part = self.take(count)
        value = pa.array(part["value"].to_numpy() + 0.001)
        return part.set_column(part.schema.get_field_index("value"), READINGS.field("value"), value)


def commits(folder: Path, *, small: bool) -> Iterator[tuple[str, object]]:
    """Fill a city with two days from the folder's files, then measure commits of the third; gives figures by name."""
    settings = json.loads((folder / "city.json").read_text())
    with closing(City.create(folder / "city", timezone="Asia/Seoul")) as city:
        meters = pq.read_table(folder / "meters.parquet")
        city.pipeline.register(meters, settings=settings, source="bench", actor="bench")
        for number in (0, 1):
            day = Stream.of(folder / f"day-{number:03}.parquet")
            seconds_of(city, day.take(len(day.order)))
        city.close_days(START + timedelta(days=1))
    began = time.perf_counter()
    with closing(City.open(folder / "city")) as city:
        yield "open_s", round(time.perf_counter() - began, 2)
        divisor = SMALL if small else 1
        day = Stream.of(folder / "day-002.parquet")
        yield "first_commit_ms", round(1000 * seconds_of(city, day.take(WARM_ROWS // divisor)), 1)
        yield from measured(city, "short", SHORT, day.take, divisor)
        for name, number in (("long", 1), ("long_closed_day", 0)):
            yield from measured(city, name, LONG, Stream.of(folder / f"day-{number:03}.parquet").corrections, divisor)


def measured(
    city: City, name: str, sizes: Sizes, part: Callable[[int], pa.Table], divisor: int
) -> Iterator[tuple[str, object]]:
    """Measure commits of several sizes: wall time and the process's own time of the median commit, milliseconds."""
    for size, times in sizes:
        rows = max(size // divisor, 1)
        parts = [part(rows) for _ in range(times)]
        cpu = time.process_time()
        took = [1000 * seconds_of(city, one) for one in parts]
        cpu = (time.process_time() - cpu) / times
        yield f"{name}_{rows}_ms_p50_p99", [round(float(np.quantile(took, q)), 1) for q in (0.5, 0.99)]
        yield f"{name}_{rows}_cpu_ms", round(1000 * cpu, 1)


def seconds_of(city: City, readings: pa.Table) -> float:
    """Commit readings as one batch, as the doors do; gives the seconds it took."""
    began = time.perf_counter()
    delivery = Delivery(readings, QUARANTINE.empty_table(), "bench", "bench")
    (outcome,) = city.pipeline.commit_group([delivery])
    if isinstance(outcome, QuintetError):
        raise outcome
    return time.perf_counter() - began
