"""Why totals differ between two moments of knowledge: every interval that says something else, and what made it so.

A total is a sum over intervals of what each counts for. Between two moments an interval's value may change (by the
batch that brought it), or what it counts for may (by a statement of the registry). Both parts together are exactly the
difference of the totals: the value's part is taken by the later registry, the registry's part by the earlier value.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from quintet.registry import Registry
from quintet.store.edits import edits
from quintet.store.engine import Engine, Snapshot
from quintet.store.flows import AMOUNT
from quintet.store.marks import MARKS, RUN
from quintet.store.read import (
    ESTIMATED,
    MEASURED,
    day_range,
    effective_sql,
    lake_interval_paths,
    versions_sql,
    wanted,
)
from quintet.store.records import ALWAYS, FOREVER
from quintet.terms.amount import Ints
from quintet.terms.length import DAY_US
from quintet.terms.period import day_of_number, day_start, to_us
from quintet.terms.tables import SUM

from .flows import Counted, Due, Key, counted_at, due_times, event_channels, minutes_of
from .series import in_place

REGISTRY_KINDS = "'registry', 'settings', 'token'"
"""Kinds of batches that state what is registered."""
DIFFERENCES = pa.schema(
    [
        ("channel", pa.int32()), ("day", pa.int32()), ("flow", pa.string()), ("commodity", pa.string()),
        ("quantity", pa.string()), ("cause", pa.string()), ("batch", pa.int32()), ("edit", pa.int32()),
        ("change", SUM), ("intervals", pa.int64()),
    ]
)  # fmt: skip
"""What changed, summed: `change` in sub-units of `quantity`. `batch` made it so (0: several); `edit` where one did."""
TOTALS = pa.schema(
    [
        ("flow", pa.string()), ("commodity", pa.string()), ("quantity", pa.string()), ("before", SUM), ("after", SUM),
        ("before_arrived_min", pa.int64()), ("before_estimated_min", pa.int64()),
        ("after_arrived_min", pa.int64()), ("after_estimated_min", pa.int64()),
    ]
)  # fmt: skip
"""`before` and `after` are null where no interval was known then; channel-minutes say how much was."""
COUNTED = f"quality in ({MEASURED}, {ESTIMATED})"
PLACED = ("channel", "flow", "commodity", "quantity", "sign", "clip", "cadence_min", "start_us", "end_us")
HEARD_AFTER_US = 7 * DAY_US
"""How far after a range it is looked whether a channel was heard already: then what is missing before was late."""
Total = tuple[str, str, str]
"""A total: flow, commodity, quantity."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One moment of knowledge: its newest batch, what counted as the registry stood (PLACED), what was due by then.

    `due_min` are the channel-minutes expected of each total in the range; a total that nobody can expect is not there.
    """

    batch: int
    placements: pa.Table
    due_min: Mapping[Total, int]


@dataclass(frozen=True, slots=True)
class Difference:
    """The totals at both moments (TOTALS), summed on their own, and what makes their difference (DIFFERENCES).

    `edits` gives action, person and reason of the edits that the rows name; `due_min` what was due at both moments.
    """

    totals: pa.Table
    rows: pa.Table
    edits: dict[int, tuple[str, str, str]]
    due_min: tuple[Mapping[Total, int], Mapping[Total, int]]


def placements_of(counted: Counted) -> pa.Table:
    """Give what counts for a place."""
    return pa.concat_tables([counted.plain, counted.signed]).select(PLACED)


def placement_of_channel(registry: Registry, channel: int, stretch: tuple[int, int]) -> pa.Table:
    """Give a channel as its own total: every value as it stands, while it is in place."""
    (row,) = registry.channels().filter(pc.equal(registry.channels()["channel"], channel)).to_pylist()
    one: dict[str, Any] = {
        "channel": channel, "flow": "value", "commodity": row["commodity"], "quantity": row["quantity"], "sign": 1,
        "clip": 0, "cadence_min": row["cadence_min"], "start_us": stretch[0], "end_us": stretch[1],
    }  # fmt: skip
    types = {"channel": pa.int32(), "sign": pa.int8(), "clip": pa.int8(), "cadence_min": pa.int32()}
    return pa.table({name: pa.array([one[name]], types.get(name)) for name in PLACED})


def due_of(own: pa.Table, events: Set[int]) -> Mapping[Key, Due]:
    """Give when a channel as its own total is due; one of events never is."""
    return due_times(own.append_column("renewable", pa.array([False] * own.num_rows, pa.bool_())), events)


def due_minutes(due: Mapping[Key, Due], reach: Ints, until_us: int) -> dict[Total, int]:
    """Give the channel-minutes that were due of each total in a range (its two edges, us) until a moment."""
    out: dict[Total, int] = {}
    for (flow, commodity, quantity, _), found in minutes_of(due, reach, until_us).items():
        key = (flow, commodity, quantity)
        out[key] = out.get(key, 0) + int(found.sum())
    return out


def difference(engine: Engine, snapshot: Snapshot, low: int, high: int, before: Moment, after: Moment) -> Difference:
    """Compare what was known of [low, high) (us) at two moments."""
    channels = np.unique(np.concatenate([one.placements["channel"].to_numpy() for one in (before, after)]))
    days = day_edges_table(engine, low, high)
    tables = {
        "wanted": wanted(channels.astype(np.int32)), "was": before.placements, "now": after.placements, "days": days,
    }  # fmt: skip
    paths = lake_interval_paths(engine, snapshot, low, high, after.batch)
    versions = versions_sql(paths, some_channels=True, known_batch=after.batch)
    tables["heard"] = heard(engine, snapshot, (low, high), before.batch, tables["wanted"])
    values = snapshot.arrow(changed_sql(versions, before.batch, after.batch), [low, high], tables)
    moved = moved_channels(before.placements, after.placements, low, high)
    registry = values.slice(0, 0)
    if len(moved):
        held = versions_sql(paths, some_channels=True, known_batch=before.batch)
        registry = snapshot.arrow(moved_sql(held), [low, high], {**tables, "wanted": wanted(moved)})
    totals = snapshot.arrow(totals_sql(versions, before.batch, after.batch), [low, high], tables)
    rows = pa.concat_tables([values.cast(DIFFERENCES), registry.cast(DIFFERENCES)])
    numbers = {number for number in rows["edit"].to_pylist() if number is not None}
    known = {one.id: (one.action, one.actor, one.reason) for one in edits(snapshot) if one.id in numbers}
    return Difference(totals.cast(TOTALS), rows, known, (before.due_min, after.due_min))


def heard(engine: Engine, snapshot: Snapshot, reach: tuple[int, int], batch: int, channels: pa.Table) -> pa.Table:
    """Give the newest interval that was measured as known at a batch: channel, newest_us; none where nothing was."""
    low, high = reach[0], reach[1] + HEARD_AFTER_US
    held = versions_sql(lake_interval_paths(engine, snapshot, low, high, batch), some_channels=True, known_batch=batch)
    sql = f"select channel, max(start_us) as newest_us from ({held}) where quality in ({MEASURED}) group by channel"
    return snapshot.arrow(sql, [low, high], {"wanted": channels})


def day_edges_table(engine: Engine, low: int, high: int) -> pa.Table:
    """Give the local days that a range touches: day (number), low, high (us)."""
    first, last = day_range(engine, low, high)
    edges = [to_us(day_start(day_of_number(day), engine.tz)) for day in range(first, last + 2)]
    numbers = pa.array(range(first, last + 1), pa.int32())
    return pa.table({"day": numbers, "low": pa.array(edges[:-1], pa.int64()), "high": pa.array(edges[1:], pa.int64())})


def moved_channels(before: pa.Table, after: pa.Table, low: int, high: int) -> np.ndarray[Any, np.dtype[np.int32]]:
    """Give the channels that do not count for the same at both moments, somewhere in the range."""
    said = [
        {
            (*row[:-2], max(row[-2], low), min(row[-1], high))
            for row in zip(*(table[name].to_pylist() for name in PLACED), strict=True)
            if row[-2] < high and row[-1] > low
        }
        for table in (before, after)
    ]
    return np.array(sorted({row[0] for row in said[0] ^ said[1]}), np.int32)


def changed_sql(versions: str, was: int, now: int) -> str:
    """Give SQL for DIFFERENCES of intervals that say something else, by the placements of the later moment.

    What made an interval so is what stated its value; a mark of doubt does only where nothing else did.
    """
    changed = f"""with v as not materialized ({versions}),
        c as materialized (select channel, start_us, max(batch) as newest, max(run.id) as marking,
            max(batch) filter (run.id is null) as stated
            from v left join (select id from batch where kind = '{RUN}') run on v.batch = run.id
            where batch > {was} and batch <= {now} group by channel, start_us),
        k as materialized (select v.* from v semi join c on v.channel = c.channel and v.start_us = c.start_us),
        a as ({effective_sql(f"select * from k where batch <= {was}")}),
        b as ({effective_sql(f"select * from k where batch <= {now}")}),
        j as (select c.channel, c.start_us,
            coalesce(case when a.{COUNTED} then a.value end, 0) as old,
            coalesce(case when b.{COUNTED} then b.value end, 0) as value,
            coalesce(a.quality in ({MEASURED}), false) as was_measured,
            coalesce(a.quality in ({ESTIMATED}), false) as was_estimated,
            coalesce(b.quality in ({MEASURED}), false) as is_measured,
            coalesce(b.quality in ({ESTIMATED}), false) as is_estimated,
            coalesce(a.quality, 0) as was, coalesce(b.quality, 0) as quality,
            case when b.batch > {was} and b.batch is distinct from c.marking then b.batch
                else coalesce(c.stated, c.newest) end as batch
            from c left join a on a.channel = c.channel and a.start_us = c.start_us
            left join b on b.channel = c.channel and b.start_us = c.start_us),
        w as (select j.*, t.kind, e.id as edit, e.undoes, j.start_us < heard.newest_us as passed from j
            left join heard on heard.channel = j.channel left join batch t on t.id = j.batch
            left join edit e on e.batch = j.batch)"""
    weighed = f"""select w.channel, w.start_us, p.flow, p.commodity, p.quantity, {CAUSE} as cause, w.batch, w.edit,
        ({AMOUNT.replace("value", "w.value")})::hugeint - ({AMOUNT.replace("value", "w.old")})::hugeint as change
        from w join now p on w.channel = p.channel and w.start_us >= p.start_us and w.start_us < p.end_us
        where (was_measured or was_estimated or is_measured or is_estimated)
            and not (w.kind = '{RUN}' and w.was = w.quality)"""
    return f"{changed} {summed_sql(weighed)}"


CAUSE = f"""case when undoes is not null then 'undo' when edit is not null then 'edit'
    when kind = '{RUN}' then case when quality in ({MARKS}) then 'doubted' else 'cleared' end
    when kind in ({REGISTRY_KINDS}) then 'restated' when kind not in ('readings', 'assigned') then 'rules'
    when is_measured and was_measured then 'corrected' when is_measured and was_estimated then 'measured'
    when is_measured and passed then 'late' when is_measured then 'arrived'
    when is_estimated and was_estimated then 'estimated_anew'
    when is_estimated and was_measured then 'replaced' when is_estimated then 'estimated'
    else 'gone' end"""


def moved_sql(versions: str) -> str:
    """Give SQL for DIFFERENCES of what intervals count for, by the values of the earlier moment."""
    held = f"select * from ({effective_sql(versions)}) where {COUNTED}"
    amount = f"({AMOUNT.replace('value', 'e.value')})::hugeint"
    sides = [
        f"""select e.channel, e.start_us, p.flow, p.commodity, p.quantity, 'registry' as cause, 0 as batch,
            null::integer as edit, {sign} * {amount} as change from e join {name} p
            on e.channel = p.channel and e.start_us >= p.start_us and e.start_us < p.end_us"""
        for sign, name in ((-1, "was"), (1, "now"))
    ]
    both = " union all ".join(sides)
    netted = f"""select channel, start_us, flow, commodity, quantity, cause, batch, edit, sum(change) as change
        from ({both}) group by all having sum(change) <> 0"""
    return f"with e as materialized ({held}) {summed_sql(netted)}"


def summed_sql(source: str) -> str:
    """Give SQL that sums changes by channel, local day, key and cause."""
    return f"""select s.channel, d.day, flow, commodity, quantity, cause,
        batch::integer as batch, edit::integer as edit, sum(change)::decimal(38, 0) as change,
        count(*) as intervals from ({source}) s
        join days d on s.start_us >= d.low and s.start_us < d.high group by all order by all"""


def totals_sql(versions: str, was: int, now: int) -> str:
    """Give SQL for TOTALS, summed from all intervals at each moment on its own; null where there is none."""
    amount = f"({AMOUNT.replace('value', 'e.value')})::hugeint"
    parts = {
        "": amount,
        "_arrived_min": f"case when e.quality in ({MEASURED}) then p.cadence_min end",
        "_estimated_min": f"case when e.quality in ({ESTIMATED}) then p.cadence_min end",
    }
    sides = [
        f"""select p.flow, p.commodity, p.quantity, {", ".join(f"{sql} as {own}{what}" for what, sql in parts.items())}
            from (select * from ({effective_sql(f"select * from v where batch <= {batch}")}) where {COUNTED}) e
            join {name} p on e.channel = p.channel and e.start_us >= p.start_us and e.start_us < p.end_us"""
        for batch, name, own in ((was, "was", "before"), (now, "now", "after"))
    ]
    minutes = [f"{own}{name}" for own in ("before", "after") for name in parts if name]
    counted = ", ".join(f"coalesce(sum({name}), 0)::bigint as {name}" for name in minutes)
    return f"""with v as not materialized ({versions}) select flow, commodity, quantity,
        sum(before)::decimal(38, 0) as before, sum(after)::decimal(38, 0) as after, {counted}
        from ({" union all by name ".join(sides)}) group by all order by all"""


def unexplained(found: Difference) -> dict[tuple[str, str, str], Decimal]:
    """Give what the causes leave of each total's difference: nothing, or the comparison is wrong."""
    left = {
        (row["flow"], row["commodity"], row["quantity"]): (row["after"] or Decimal(0)) - (row["before"] or Decimal(0))
        for row in found.totals.to_pylist()
    }
    for row in found.rows.to_pylist():
        key = (row["flow"], row["commodity"], row["quantity"])
        left[key] = left.get(key, Decimal(0)) - row["change"]
    return {key: amount for key, amount in left.items() if amount}


def counting_of(
    registry: Registry, now: Registry, place: str, channel: int | None
) -> tuple[pa.Table, Mapping[Key, Due]]:
    """Give what counted for a place or a channel as a registry knows it, and when it was due; `now`: as it stands."""
    if channel is not None:
        stretch = in_place(registry).get(channel)
        own = placement_of_channel(now, channel, stretch or (ALWAYS, FOREVER))
        return (own, due_of(own, event_channels(registry))) if stretch is not None else (own.slice(0, 0), {})
    if place not in registry.tree:
        return placements_of(counted_at(now, place)).slice(0, 0), {}
    counted = counted_at(registry, place)
    return placements_of(counted), counted.due
