"""Sums over sets of channels by period: whole days from the daily rollups, all else from effective intervals.

A set is a table of rows (`channel`, `key`, `sign`, `clip`, `cadence_min`, `start_us`, `end_us`): a channel counts in
the set of that key with its sign from start until end; `clip` is 0 for the whole value, +1 or -1 for the positive or
negative half of a signed one.
"""

import pyarrow as pa

from quintet.terms.tables import SUM

from .engine import Engine, Snapshot
from .read import ESTIMATED, MEASURED, effective_sql, lake_interval_paths, versions_sql

SET_SUMS = pa.schema(
    [
        ("key", pa.int64()), ("period", pa.int64()), ("value", SUM), ("arrived_min", pa.int64()),
        ("estimated_min", pa.int64()),
    ]
)  # fmt: skip
"""`period` is its number among those asked for."""


def set_days(snapshot: Snapshot, days: pa.Table, rows: pa.Table) -> pa.Table:
    """Sum whole local days from the daily rollups; `days` holds `day` and `period`.

    Rows hold `first_day` and `end_day` too, and count on the days first_day <= day < end_day.
    """
    if not rows.num_rows or not days.num_rows:
        return SET_SUMS.empty_table()
    low, high = snapshot.rows("select min(day), max(day) from days", tables={"days": days})[0]
    return snapshot.arrow(
        """select p.key, d.period, sum(p.sign::bigint * r.value)::decimal(38, 0) as value,
            sum(r.arrived::bigint * p.cadence_min)::bigint as arrived_min,
            sum(r.estimated::bigint * p.cadence_min)::bigint as estimated_min
            from rollup_day r join days d on r.day = d.day
            join sets p on r.channel = p.channel and r.day >= p.first_day and r.day < p.end_day
            where r.day between $1 and $2 group by p.key, d.period""",
        [low, high],
        {"days": days, "sets": rows},
    )


def set_intervals(
    engine: Engine, snapshot: Snapshot, edges: pa.Table, rows: pa.Table, known_batch: int | None
) -> pa.Table:
    """Sum effective intervals by period, now or as known at a batch; `edges` holds each `start_us` and `period`.

    The last row of `edges` is where the last period ends.
    """
    if not rows.num_rows:
        return SET_SUMS.empty_table()
    low, high = edges["start_us"][0].as_py(), edges["start_us"][-1].as_py()
    paths = lake_interval_paths(engine, snapshot, low, high, known_batch)
    versions = versions_sql(paths, some_channels=True, known_batch=known_batch)
    sql = f"""select key, period, sum(amount)::decimal(38, 0) as value,
        sum(case when quality in ({MEASURED}) then cadence_min else 0 end)::bigint as arrived_min,
        sum(case when quality in ({ESTIMATED}) then cadence_min else 0 end)::bigint as estimated_min
        from (select p.key, e.period, p.cadence_min, s.quality, case when p.clip = 0 then p.sign * s.value
            else greatest(p.clip * p.sign * s.value, 0) end as amount
            from ({effective_sql(versions, undone=engine.undone)}) s
            join sets p on s.channel = p.channel and s.start_us >= p.start_us and s.start_us < p.end_us
            asof join edges e on s.start_us >= e.start_us
            where s.quality in ({MEASURED}, {ESTIMATED}))
        group by key, period"""
    tables = {"sets": rows, "wanted": rows.select(["channel"]), "edges": edges}
    return snapshot.arrow(sql, [low, high], tables)
