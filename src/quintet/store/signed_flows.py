"""Signed channels (storages) by hour: what their positive and their negative intervals came to on closed days.

The two halves of an hour cannot be told from its sum, so that a closing day keeps them (`signed_hour`), by channel.
`signed_day` names the days that do, and the batch of the registry that said which channels are signed.
"""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from quintet.terms.period import day_numbers

from .engine import Engine, Snapshot, Writing
from .flows import NO_SUMS, hour_bucket
from .read import ESTIMATED, MEASURED
from .set_flows import SET_SUMS

HALF = "case when p.clip * p.sign > 0 then s.plus else s.minus end"
"""SQL: what an hour's halves come to for a placement: greatest(clip * sign * value, 0), summed."""


def write_signed(
    engine: Engine, writing: Writing, day: int, effective: pa.Table, placements: pa.Table, registry_batch: int
) -> None:
    """Keep the halves of a day's signed channels, those with a `clip`, in the stead of those kept before."""
    signed = placements.filter(pc.not_equal(placements["clip"], 0)).select(["channel"])
    for table in ("signed_hour", "signed_day"):
        writing.execute(f"delete from {table} where day = ?", [day])
    if signed.num_rows:
        hours = writing.arrow(
            f"""select channel, {day}::integer as day, {hour_bucket(engine.hour_phase_us)} as hour_us,
                sum(greatest(value, 0))::bigint as plus, sum(greatest(-value, 0))::bigint as minus,
                (count(*) filter (quality in ({MEASURED})))::smallint as arrived,
                (count(*) filter (quality in ({ESTIMATED})))::smallint as estimated
                from (select channel, epoch_us(start) as start_us, value, quality from effective
                    where channel in (select channel from signed) and quality in ({MEASURED}, {ESTIMATED}))
                group by all order by all""",
            tables={"effective": effective, "signed": signed},
        )
        writing.append("signed_hour", hours)
    writing.execute("insert into signed_day values (?, ?)", [day, registry_batch])


def signed_days(snapshot: Snapshot, first: int, last: int) -> dict[int, int]:
    """Give the closed days that keep halves, and the batch of the registry by which each was made."""
    found = snapshot.rows("select day, registry_batch from signed_day where day between ? and ?", [first, last])
    return {int(day): int(batch) for day, batch in found}


def moved_days(engine: Engine, snapshot: Snapshot, low: int, high: int, channels: pa.Table) -> list[int]:
    """List the local days on which some channels have differences that no closing has folded."""
    found = snapshot.arrow(
        """select distinct hour_us from rollup_hour where hour_us >= $1 and hour_us < $2
            and channel in (select channel from channels)""",
        [low, high],
        {"channels": channels},
    )
    return sorted(set(day_numbers(found["hour_us"].to_numpy(), engine.tz).tolist()))


def signed_hours(snapshot: Snapshot, low: int, high: int, placements: pa.Table, days: Sequence[int]) -> pa.Table:
    """Sum the halves that some days keep by hour and flow; placements have a `clip`, and change at full hours only."""
    if not days or not placements.num_rows:
        return NO_SUMS.empty_table()
    return snapshot.arrow(
        f"""select s.hour_us as bucket_us, p.flow, p.commodity, p.quantity, p.renewable,
            sum({HALF})::decimal(38, 0) as value,
            sum(s.arrived::bigint * p.cadence_min)::bigint as arrived_min,
            sum(s.estimated::bigint * p.cadence_min)::bigint as estimated_min
            from signed_hour s join placements p
            on s.channel = p.channel and s.hour_us >= p.start_us and s.hour_us < p.end_us
            where s.hour_us >= $1 and s.hour_us < $2 and list_contains($3, s.day) group by all""",
        [low, high, list(days)],
        {"placements": placements},
    )


def set_signed(snapshot: Snapshot, days: pa.Table, rows: pa.Table) -> pa.Table:
    """Sum the halves that some days keep by set; `days` holds `day` and `period`.

    Rows hold `first_day` and `end_day` too, and count on the days first_day <= day < end_day.
    """
    if not rows.num_rows or not days.num_rows:
        return SET_SUMS.empty_table()
    return snapshot.arrow(
        f"""select p.key, d.period, sum({HALF})::decimal(38, 0) as value,
            sum(s.arrived::bigint * p.cadence_min)::bigint as arrived_min,
            sum(s.estimated::bigint * p.cadence_min)::bigint as estimated_min
            from signed_hour s join days d on s.day = d.day
            join sets p on s.channel = p.channel and s.day >= p.first_day and s.day < p.end_day
            group by p.key, d.period""",
        tables={"days": days, "sets": rows},
    )
