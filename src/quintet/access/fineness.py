"""Meters whose intervals are longer than the steps that are asked for: what they counted is known in none of these."""

import pyarrow as pa
import pyarrow.compute as pc

from quintet.store.engine import Engine, Snapshot
from quintet.store.flows import hour_bucket, interval_flows
from quintet.terms.amount import Ints
from quintet.terms.length import DAY_MIN
from quintet.terms.period import FIXED_MINUTES, HOUR_US, Resolution

from .flows import AMOUNTS, KEY, Counted
from .hour_sums import Known, sums


def step_of(resolution: Resolution) -> int | None:
    """Give the minutes of a step that an interval may be too long for; None of weeks and longer ones."""
    return DAY_MIN if resolution is Resolution.DAY else FIXED_MINUTES.get(resolution)


def fits(rows: pa.Table, resolution: Resolution) -> pa.Array:
    """Tell of placements whether their intervals are no longer than the steps."""
    step = step_of(resolution)
    if step is None:
        return pa.array([True] * rows.num_rows, pa.bool_())
    return pc.less_equal(rows["cadence_min"], step)


def fine_sums(
    engine: Engine, snapshot: Snapshot, counted: Counted, edges_us: Ints, known: Known, resolution: Resolution
) -> pa.Table:
    """Sum a place's flows as `sums` does, less what meters with intervals longer than a step say: they stay expected.

    Stored sums of hours hold a longer interval in its first hour, so it is taken off again.
    """
    found = sums(engine, snapshot, counted, edges_us, known)
    if step_of(resolution) is None:
        return found
    rows = pa.concat_tables(part.filter(pc.invert(fits(part, resolution))) for part in (counted.plain, counted.signed))
    if not rows.num_rows:
        return found
    phase = engine.hour_phase_us
    bucket = hour_bucket(phase) if ((edges_us + phase) % HOUR_US == 0).all() else "start_us"
    low, high = int(edges_us[0]), int(edges_us[-1])
    long = interval_flows(engine, snapshot, low, high, rows, bucket, known_batch=known.batch)
    off = long.select(["bucket_us", *KEY, *AMOUNTS])
    for at, name in enumerate(off.column_names):
        if name in AMOUNTS:
            less = pc.negate(off[name].combine_chunks())
            off = off.set_column(at, found.schema.field(name), less.cast(found.schema.field(name).type))
    return pa.concat_tables([found, off])


def longest_min(counted: Counted) -> dict[tuple[str, str], int]:
    """Give the longest interval, in minutes, of the meters of each commodity and quantity."""
    rows = pa.concat_tables([counted.plain, counted.signed]).select(["commodity", "quantity", "cadence_min"])
    every = rows.group_by(["commodity", "quantity"]).aggregate([("cadence_min", "max")]).to_pylist()
    return {(row["commodity"], row["quantity"]): int(row["cadence_min_max"]) for row in every}
