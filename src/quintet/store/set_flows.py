"""Sums over sets of channels by period: whole months and days from the rollups, all else from effective intervals.

A set is a table of rows (`channel`, `key`, `sign`, `clip`, `cadence_min`, `start_us`, `end_us`): a channel counts in
the set of that key with its sign from start until end; `clip` is 0 for the whole value, +1 or -1 for the positive or
negative half of a signed one.

Rollups are differences, so that what was known at a batch is the sum of those that are not newer. Closing a day folds
its differences to one a channel, and the sums of months are folded ones: where a folded one is newer than the batch
(`newer_folds`), only intervals tell what it was then.
"""

from collections.abc import Sequence

import pyarrow as pa

from quintet.terms.tables import SUM

from .engine import Engine, Snapshot
from .read import ESTIMATED, MEASURED, effective_sql, lake_interval_paths, versions_sql
from .schema import FOLDED_MONTHS, MONTH

SET_SUMS = pa.schema(
    [
        ("key", pa.int64()), ("period", pa.int64()), ("value", SUM), ("arrived_min", pa.int64()),
        ("estimated_min", pa.int64()),
    ]
)  # fmt: skip
"""`period` is its number among those asked for."""
OPEN = -1
"""The batch up to which an open day is folded."""
ADDED = """sum(p.sign::bigint * r.value)::decimal(38, 0) as value,
            sum(r.arrived::bigint * p.cadence_min)::bigint as arrived_min,
            sum(r.estimated::bigint * p.cadence_min)::bigint as estimated_min"""


def folded_until(snapshot: Snapshot, first: int, last: int) -> dict[int, int]:
    """Give the batch up to which each closed day of a range is folded."""
    sql = "select day, max(batch) from closed_day where day between ? and ? group by day"
    found = snapshot.rows(sql, [first, last])
    return {int(day): int(batch) for day, batch in found}


def set_days(
    snapshot: Snapshot, days: pa.Table, rows: pa.Table, known_batch: int | None = None, *, loose: bool = False
) -> pa.Table:
    """Sum whole local days from the daily rollups; `days` holds `day`, `period` and `folded` (see `folded_until`).

    Rows hold `first_day` and `end_day` too, and count on the days first_day <= day < end_day. `loose`: only what the
    sums of months do not hold, or hold since a batch that is not yet known.
    """
    if not rows.num_rows or not days.num_rows:
        return SET_SUMS.empty_table()
    low, high = snapshot.rows("select min(day), max(day) from days", tables={"days": days})[0]
    more = "" if known_batch is None else f" and r.batch <= {known_batch}"
    if loose:
        later = "" if known_batch is None else f" or (r.channel, d.month) in ({later_months(known_batch)})"
        more += f" and (r.batch > d.folded{later})"
    return snapshot.arrow(
        f"""select p.key, d.period, {ADDED} from rollup_day r join (select *, {MONTH} as month from days) d
            on r.day = d.day join sets p on r.channel = p.channel and r.day >= p.first_day and r.day < p.end_day
            where r.day between $1 and $2{more} group by p.key, d.period""",
        [low, high],
        {"days": days, "sets": rows},
    )


def later_months(known_batch: int) -> str:
    """Give SQL for the channels and months whose sums hold what was not known yet."""
    return f"select channel, month from rollup_month where batch > {known_batch}"


def set_months(snapshot: Snapshot, months: pa.Table, rows: pa.Table, known_batch: int | None = None) -> pa.Table:
    """Sum whole local months of closed days from the monthly rollups; `months` holds `month` and `period`.

    Every row counts in all of them. What is not folded yet, or folded since a batch, `set_days` gives as `loose`.
    """
    if not rows.num_rows or not months.num_rows:
        return SET_SUMS.empty_table()
    known = "" if known_batch is None else f" where r.batch <= {known_batch}"
    return snapshot.arrow(
        f"""select p.key, m.period, {ADDED} from rollup_month r join months m on r.month = m.month
            join sets p on r.channel = p.channel{known} group by p.key, m.period""",
        tables={"months": months, "sets": rows},
    )


def wrong_months(snapshot: Snapshot) -> list[int]:
    """List the months (numbered as in `rollup_month`) whose sums are not those of their folded days."""
    found = snapshot.rows(
        f"""select distinct month from (
            (select * from rollup_month except all select * from ({FOLDED_MONTHS}))
            union all (select * from ({FOLDED_MONTHS}) except all select * from rollup_month)) order by month"""
    )
    return [int(month) for (month,) in found]


def newer_folds(snapshot: Snapshot, days: pa.Table, channels: pa.Table, known_batch: int) -> pa.Table:
    """List `channel` and `day` whose differences were folded with some that are newer than a batch."""
    low, high = snapshot.rows("select min(day), max(day) from days", tables={"days": days})[0]
    return snapshot.arrow(
        """select distinct r.channel, r.day from rollup_day r join days d on r.day = d.day
            where r.day between $1 and $2 and r.batch > $3 and r.batch <= d.folded
                and r.channel in (select channel from channels) order by all""",
        [low, high, known_batch],
        {"days": days, "channels": channels},
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
    tables = {"sets": rows, "wanted": rows.select(["channel"]), "edges": edges}
    return snapshot.arrow(_interval_sums(engine, paths, known_batch), [low, high], tables)


def set_pairs(
    engine: Engine, snapshot: Snapshot, edges: pa.Table, rows: pa.Table, pairs: pa.Table, known_batch: int | None
) -> pa.Table:
    """Sum the effective intervals of some channels on some days (`pairs`) by period, now or as known at a batch.

    `edges` holds each local day's `start_us`, `day` and `period`, its last row being where the last day ends.
    """
    if not rows.num_rows or not pairs.num_rows:
        return SET_SUMS.empty_table()
    days: list[int] = sorted(set(pairs["day"].to_pylist()))
    starts = dict(zip(edges["day"].to_pylist(), edges["start_us"].to_pylist(), strict=True))
    low, high = starts[days[0]], starts[days[-1] + 1]
    paths = paths_of_days(snapshot, days, superseded=known_batch is not None)
    tables = {"sets": rows, "wanted": pairs.select(["channel"]), "edges": edges, "pairs": pairs}
    some = "and (s.channel, e.day) in (select channel, day from pairs)"
    return snapshot.arrow(_interval_sums(engine, paths, known_batch, some), [low, high], tables)


def paths_of_days(snapshot: Snapshot, days: Sequence[int], *, superseded: bool = True) -> list[str]:
    """List the lake files of some days, with those of superseded versions."""
    lakes = ("intervals", "superseded") if superseded else ("intervals",)
    return [path for lake in lakes for path in snapshot.lake_paths_of(lake, days)]


def _interval_sums(engine: Engine, paths: list[str], known_batch: int | None, some: str = "") -> str:
    """Give SQL for sums of the effective intervals among lake files and hot rows; `some` narrows them."""
    versions = versions_sql(paths, some_channels=True, known_batch=known_batch)
    return f"""select key, period, sum(amount)::decimal(38, 0) as value,
        sum(case when quality in ({MEASURED}) then cadence_min else 0 end)::bigint as arrived_min,
        sum(case when quality in ({ESTIMATED}) then cadence_min else 0 end)::bigint as estimated_min
        from (select p.key, e.period, p.cadence_min, s.quality, case when p.clip = 0 then p.sign * s.value
            else greatest(p.clip * p.sign * s.value, 0) end as amount
            from ({effective_sql(versions, undone=engine.undone)}) s
            join sets p on s.channel = p.channel and s.start_us >= p.start_us and s.start_us < p.end_us
            asof join edges e on s.start_us >= e.start_us
            where s.quality in ({MEASURED}, {ESTIMATED}) {some})
        group by key, period"""
