"""A year of a large city for the bench of the ledger: some simulated days, repeated; and corrections that come late."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from quintet.pipeline.difference import ARRIVED, COUNTED, ESTIMATED, Change
from quintet.pipeline.rows import IntervalRows
from quintet.store.engine import Writing
from quintet.store.read import intervals
from quintet.store.schema import FOLDED_MONTHS
from quintet.terms.length import DAY_US
from quintet.terms.period import day_number, day_start, to_us
from quintet.terms.quality import qualities

from .city import City

SHIFTED = {
    "flow_above": "hour_us",
    "signed_hour": "hour_us",
    "rollup_day": None,
    "closed_day": None,
    "signed_day": None,
}
"""What closed days keep that the bench reads, and which of it is a moment. Hours of premises (`flow_hour`) are not."""
DAYS_AT_ONCE = 30
MORE = 1_000
"""Sub-units by which a corrected interval is larger."""


def lay_out(city: City, first: date, simulated: int, days: int) -> None:
    """Repeat a city's first closed days until there are `days` of them; its clock must have no summer time.

    Raw readings are not repeated, and the lake's log does not know of the files: only who reads through the store does.
    """
    base = day_number(first)
    with city.engine.snapshot() as snapshot:
        version = snapshot.rows("select max(version) from lake_file where lake = 'intervals'")[0][0]
        paths = [snapshot.lake_paths("intervals", base + at, base + at)[0] for at in range(simulated)]
    lake = city.engine.lakes["intervals"]

    def copied(at: int) -> dict[str, object]:
        table = pq.read_table(paths[at % simulated], columns=lake.schema.names)
        moved = pc.add(table["start"].cast(pa.int64()), (at - at % simulated) * DAY_US)
        table = table.set_column(1, lake.schema.field("start"), moved.cast(lake.schema.field("start").type))
        path, size, digest = lake.write(base + at, table)
        return {
            "lake": lake.name, "day": base + at, "path": path, "rows": table.num_rows, "bytes": size, "digest": digest,
            "version": version, "live": True,
        }  # fmt: skip

    with ThreadPoolExecutor(3) as pool:
        files = list(pool.map(copied, range(simulated, days)))
    for low in range(0, len(files), DAYS_AT_ONCE):
        with city.engine.writing("close", "laid", "bench", city.now()) as writing:
            part = files[low : low + DAYS_AT_ONCE]
            writing.append("lake_file", pa.Table.from_pylist(part))
            for at in range(simulated + low, simulated + low + len(part)):
                _repeat(writing, base + at % simulated, at - at % simulated)
        city.engine.checkpoint()
    with city.engine.writing("close", "laid", "bench", city.now()) as writing:
        writing.execute("delete from rollup_month")
        writing.execute(f"insert into rollup_month {FOLDED_MONTHS}")


def _repeat(writing: Writing, day: int, later: int) -> None:
    """Keep what a day keeps for the day that comes so many days later."""
    for table, moment in SHIFTED.items():
        more = f", {moment} + {later * DAY_US} as {moment}" if moment else ""
        writing.execute(
            f"""insert into {table} by name select * replace ({day + later} as day{more}) from {table}
                where day = {day}"""
        )


def correct(city: City, days: Sequence[date], channels: int) -> None:
    """Correct one interval of some channels on each of some closed days, and close them again."""
    for day in days:
        start_us = to_us(day_start(day, city.engine.tz) + timedelta(hours=3))
        with city.engine.exclusive():
            with city.engine.snapshot() as snapshot:
                found = intervals(
                    city.engine, snapshot, start_us, start_us + 1, channels=np.arange(channels, dtype=np.int32)
                )
            channel, start, value, old = (
                found[name].to_numpy() for name in ("channel", "start_us", "value", "quality")
            )
            new = np.full(len(old), qualities()["edited"].id, np.uint8)
            rows = IntervalRows(channel, start, value + MORE, new)
            change = Change(
                rows, COUNTED[new] * rows.value - COUNTED[old] * value, ARRIVED[new] - ARRIVED[old],
                ESTIMATED[new] - ESTIMATED[old],
            )  # fmt: skip
            city.pipeline.write_edit("bench", rows, change, lambda _: None)
        city.close_days(day + timedelta(days=1))
