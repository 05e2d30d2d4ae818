"""Sums of flows by hour and place: from intervals of a day when it closes, from the hot rollups before that."""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from quintet.terms.period import HOUR_US
from quintet.terms.tables import SUM

from .engine import Engine, Snapshot, Writing
from .read import ESTIMATED, MEASURED, day_range, effective_sql, lake_interval_paths, versions_sql
from .records import FOREVER

FLOW_SUMS = """flow, commodity, quantity, renewable,
    sum(case when q_measured or q_estimated then amount else 0 end)::decimal(38, 0) as value,
    sum(case when q_measured then cadence_min else 0 end)::bigint as arrived_min,
    sum(case when q_estimated then cadence_min else 0 end)::bigint as estimated_min"""
"""`clip` is 0 for a plain flow, +1 or -1 for the positive or negative half of a signed one (storage)."""
NO_SUMS = pa.schema(
    [
        ("bucket_us", pa.int64()), ("flow", pa.string()), ("commodity", pa.string()), ("quantity", pa.string()),
        ("renewable", pa.bool_()), ("value", SUM), ("arrived_min", pa.int64()), ("estimated_min", pa.int64()),
    ]
)  # fmt: skip
AMOUNT = "case when clip = 0 then sign * value else greatest(clip * sign * value, 0) end"


def placed_sql(source: str, moment: str, placements: str = "placements") -> str:
    """Give SQL that joins valued rows with the placements (the name of their table) in force at their moment."""
    return f"""select p.place, p.flow, p.commodity, p.quantity, p.renewable, p.cadence_min, {AMOUNT} as amount, s.*
        exclude (value) from ({source}) s join {placements} p
        on s.channel = p.channel and s.{moment} >= p.start_us and s.{moment} < p.end_us"""


def interval_flows(
    engine: Engine,
    snapshot: Snapshot,
    low: int,
    high: int,
    placements: pa.Table,
    bucket: str,
    *,
    known_batch: int | None = None,
    by_place: bool = False,
) -> pa.Table:
    """Sum effective intervals in [low, high) by bucket (an SQL expression of start_us) and flow, by place if asked."""
    if not placements.num_rows and not by_place:
        return NO_SUMS.empty_table()
    paths = lake_interval_paths(engine, snapshot, low, high, known_batch)
    versions = versions_sql(paths, some_channels=True, known_batch=known_batch)
    source = f"""select channel, start_us, value, quality in ({MEASURED}) as q_measured,
        quality in ({ESTIMATED}) as q_estimated from ({effective_sql(versions, undone=engine.undone)})"""
    place = "place, " if by_place else ""
    sql = f"""select {bucket} as bucket_us, {place}{FLOW_SUMS} from ({placed_sql(source, "start_us")})
        group by all order by all"""
    return snapshot.arrow(sql, [low, high], {"placements": placements, "wanted": placements.select(["channel"])})


def hour_bucket(phase_us: int) -> str:
    """Give SQL for the start of the local hour that holds start_us."""
    return f"start_us - ((start_us + {phase_us}) % 3600000000)"


def ragged(placements: pa.Table, phase_us: int) -> pa.Array:
    """Mark the placements of channels that somewhere begin or end within a local hour, and not at its start.

    Their hours belong to two placements: only intervals can part them.
    """
    odd = np.zeros(placements.num_rows, np.bool_)
    for name in ("start_us", "end_us"):
        moment = placements[name].to_numpy()
        odd |= (np.abs(moment) < FOREVER) & ((moment + phase_us) % HOUR_US != 0)
    channel = placements["channel"].to_numpy()
    return pa.array(np.isin(channel, channel[odd]))


def flow_hours(engine: Engine, snapshot: Snapshot, day: int, effective: pa.Table, placements: pa.Table) -> pa.Table:
    """Sum a local day's effective intervals (as the lake keeps them) by hour, place and flow for `flow_hour`.

    Channels are summed by hour first: there are far fewer of those than there are intervals. Channels whose placement
    changes within an hour (`ragged`) are left to be summed when asked; signed ones are kept by `write_signed`.
    """
    plain = placements.filter(pc.equal(placements["clip"], 0))
    even = plain.filter(pc.invert(ragged(plain, engine.hour_phase_us)))
    source = f"""select channel, {hour_bucket(engine.hour_phase_us)} as start_us,
        sum(value)::bigint as value, count(*) as intervals, quality in ({MEASURED}) as q_measured,
        quality in ({ESTIMATED}) as q_estimated
        from (select channel, epoch_us(start) as start_us, value, quality from effective)
        where quality in ({MEASURED}, {ESTIMATED}) group by all"""
    sums = snapshot.arrow(
        f"""select start_us as hour_us, place, {FLOW_SUMS} from (select * exclude (cadence_min),
            cadence_min * intervals as cadence_min from ({placed_sql(source, "start_us")}))
            group by all order by all""",
        tables={"effective": effective, "placements": even},
    )
    return sums.append_column("day", pa.array([day] * sums.num_rows, pa.int32()))


ABOVE = "above"
"""Column of placements: the upper places (itself among them) that a place lies in, whose sums are kept too."""
CROSSES = "crosses"
"""Column of placements: the flow counts at its own place and at none above."""


def write_flows(writing: Writing, day: int, hours: pa.Table, placements: pa.Table) -> None:
    """Keep a day's hourly sums in the stead of those kept before; those of upper places too where `placements` tell.

    A whole city's year is read from its own sums: without them every premise's would be added up each time.
    """
    for table in ("flow_hour", "flow_above"):
        writing.execute(f"delete from {table} where day = ?", [day])
    writing.append("flow_hour", hours)
    if ABOVE in placements.column_names:
        sums = writing.arrow(
            f"""select day, hour_us, m.above as place, flow, commodity, quantity, renewable,
                sum(value)::decimal(38, 0) as value, sum(arrived_min)::bigint as arrived_min,
                sum(estimated_min)::bigint as estimated_min
                from hours h join (select distinct place, unnest({ABOVE}) as above from placements) m using (place)
                where h.place = m.above or flow not in (select flow from placements where {CROSSES})
                group by all order by all""",
            tables={"hours": hours, "placements": placements},
        )
        writing.append("flow_above", sums)


@dataclass(frozen=True, slots=True)
class Above:
    """What closed days keep of some places, read at once: the days that keep a place's own sums, and rows with `day`.

    `rows` are a place's own sums as they stand, and of days that keep none what the places in it add up to.
    """

    days: Mapping[str, frozenset[int]]
    rows: Mapping[str, pa.Table]

    def of(self, place: str, stale: Sequence[int]) -> pa.Table:
        """Give a place's rows, those of some days left out."""
        rows = self.rows[place]
        if stale:
            rows = rows.filter(pc.invert(pc.is_in(rows["day"], pa.array(stale, pa.int32()))))
        return rows.drop_columns(["day"])


def read_above(
    engine: Engine,
    snapshot: Snapshot,
    low: int,
    high: int,
    inside: Mapping[str, Set[str]],
    boundary: Mapping[str, str],
    commodities: Set[str],
) -> Above:
    """Read what closed days keep of some places and commodities at once, as `stored_flows` reads that of each.

    `inside` gives of each of the places those that lie in it, itself among them.
    """
    places = list(inside)
    first, last = day_range(engine, low, high)
    tables = {
        "chosen": pa.table({"place": pa.array(places, pa.string())}),
        "carried": pa.table({"commodity": pa.array(sorted(commodities), pa.string())}),
    }
    days: dict[str, set[int]] = {place: set() for place in places}
    sql = """select distinct place, day from flow_above
        where day between $1 and $2 and place in (select place from chosen)"""
    for place, day in snapshot.rows(sql, [first, last], tables={"chosen": tables["chosen"]}):
        days[place].add(int(day))
    found = snapshot.arrow(
        f"""select place, day, {own_columns(boundary)} from flow_above
            where day between $3 and $4 and hour_us >= $1 and hour_us < $2
            and place in (select place from chosen) and commodity in (select commodity from carried)""",
        [low, high, first, last],
        tables,
    )
    found = pa.concat_tables([found, _added_up(snapshot, (low, high, first, last), inside, boundary, days, tables)])
    said = found["place"].combine_chunks().dictionary_encode()
    code, at = said.indices.to_numpy(), {place: number for number, place in enumerate(said.dictionary.to_pylist())}
    rows = found.drop_columns(["place"])
    return Above(
        {place: frozenset(kept) for place, kept in days.items()},
        {place: rows.take(pa.array(np.flatnonzero(code == at.get(place, -1)))) for place in places},
    )


def _added_up(
    snapshot: Snapshot,
    bounds: tuple[int, int, int, int],
    inside: Mapping[str, Set[str]],
    boundary: Mapping[str, str],
    days: Mapping[str, Set[int]],
    tables: Mapping[str, pa.Table],
) -> pa.Table:
    """Sum for each place the hours of the places in it, on the closed days that keep no sums of its own.

    `bounds` are the range in microseconds and its first and last day; a row has the place and its day.
    """
    closed = {
        int(day)
        for (day,) in snapshot.rows("select distinct day from closed_day where day between ? and ?", list(bounds[2:]))
    }
    lacking = [(place, day) for place in inside for day in sorted(closed - days[place])]
    roots = dict.fromkeys(place for place, _ in lacking)
    pairs = [(root, place) for root in roots for place in sorted(inside[root])]
    names = ", ".join(f"'{name}'" for name in boundary)
    return snapshot.arrow(
        f"""select place, day, bucket_us, flow, commodity, quantity, renewable, sum(value)::decimal(38, 0) as value,
            sum(arrived_min)::bigint as arrived_min, sum(estimated_min)::bigint as estimated_min
            from (select m.root as place, f.day, {own_columns(boundary)}
                from flow_hour f join members m on f.place = m.place
                join lacking l on l.root = m.root and l.day = f.day
                where f.day between $3 and $4 and f.hour_us >= $1 and f.hour_us < $2
                and f.commodity in (select commodity from carried) and (f.flow not in ({names}) or f.place = m.root))
            group by all""",
        list(bounds),
        {
            "carried": tables["carried"],
            "members": pa.table(
                {name: pa.array([pair[at] for pair in pairs], pa.string()) for at, name in enumerate(("root", "place"))}
            ),
            "lacking": pa.table(
                {
                    "root": pa.array([place for place, _ in lacking], pa.string()),
                    "day": pa.array([day for _, day in lacking], pa.int32()),
                }
            ),
        },
    )


def own_columns(boundary: Mapping[str, str]) -> str:
    """Give SQL for the columns of kept hours, under the names that flows are summed under."""
    called = " ".join(f"when '{old}' then '{new}'" for old, new in boundary.items())
    return f"""hour_us as bucket_us, case flow {called} else flow end as flow, commodity, quantity, renewable, value,
        arrived_min, estimated_min"""


def own_days(snapshot: Snapshot, place: str, first: int, last: int) -> set[int]:
    """Give the closed days of a range that keep a place's own sums."""
    sql = "select distinct day from flow_above where place = ? and day between ? and ?"
    return {int(day) for (day,) in snapshot.rows(sql, [place, first, last])}


def stored_flows(
    engine: Engine,
    snapshot: Snapshot,
    low: int,
    high: int,
    place: str,
    inside: Set[str],
    boundary: Mapping[str, str],
    stale: list[int],
    above: Above | None = None,
) -> pa.Table:
    """Sum what closed days keep, over a place and the places in it; `above` was read of it already.

    `boundary` maps flows that only count at the place itself to the name they are summed under; `stale` days
    are left out. Days that keep the place's own sums are read from those, as they stand: a flow may have several rows.
    """
    first, last = day_range(engine, low, high)
    names = ", ".join(f"'{name}'" for name in boundary)
    if above is not None:
        return above.of(place, stale)
    days = sorted(own_days(snapshot, place, first, last))
    others = snapshot.rows(
        "select 1 from closed_day where day between ? and ? and not list_contains(?, day) limit 1", [first, last, days]
    )
    columns = own_columns(boundary)
    own = f"""select {columns} from flow_above where place = $5 and day between $3 and $4
        and not list_contains($6, day) and hour_us >= $1 and hour_us < $2 and list_contains($7, day)"""
    summed = f"""select bucket_us, flow, commodity, quantity, renewable, sum(value)::decimal(38, 0) as value,
        sum(arrived_min)::bigint as arrived_min, sum(estimated_min)::bigint as estimated_min
        from (select {columns} from flow_hour where day between $3 and $4 and not list_contains($6, day)
            and not list_contains($7, day) and hour_us >= $1 and hour_us < $2
            and case when flow in ({names}) then place = $5 else place in (select place from inside) end)
        group by all"""
    asked = [low, high, first, last, place, stale, days]
    tables = {"inside": pa.table({"place": pa.array(sorted(inside), pa.string())})}
    return snapshot.arrow(f"{own} union all by name {summed}" if others else own, asked, tables if others else None)


def wrong_above(snapshot: Snapshot, first: int, last: int, root: str, boundary: Iterable[str]) -> list[int]:
    """List the hours in which what all places keep does not add up to what the root keeps, on days that keep both."""
    names = ", ".join(f"'{name}'" for name in boundary)
    found = snapshot.rows(
        f"""select distinct hour_us from (
            select hour_us, sum(value) as value, sum(arrived_min) as arrived, sum(estimated_min) as estimated from (
                select * from flow_hour where day in (select day from flow_above where place = $3)
                union all by name
                select * replace (-value as value, -arrived_min as arrived_min, -estimated_min as estimated_min)
                from flow_above where place = $3)
            where day between $1 and $2 and flow not in ({names})
            group by hour_us, flow, commodity, quantity, renewable)
            where value <> 0 or arrived <> 0 or estimated <> 0 order by hour_us""",
        [first, last, root],
    )
    return [int(hour) for (hour,) in found]


def rolled_up(snapshot: Snapshot, low: int, high: int) -> bool:
    """Tell whether the rollups by hour hold anything in [low, high): what no closing has folded yet."""
    found = snapshot.rows("select 1 from rollup_hour where hour_us >= ? and hour_us < ? limit 1", [low, high])
    return bool(found)


def rollup_flows(
    snapshot: Snapshot,
    low: int,
    high: int,
    placements: pa.Table,
    left_out: list[tuple[int, int]],
    known_batch: int | None = None,
) -> pa.Table:
    """Sum the open rollups by hour and flow; `left_out` are ranges [start, end) that others sum."""
    but = " ".join(f"and not (hour_us >= {start} and hour_us < {end})" for start, end in left_out)
    but += "" if known_batch is None else f" and r.batch <= {known_batch}"
    return snapshot.arrow(
        f"""select r.hour_us as bucket_us, p.flow, p.commodity, p.quantity, p.renewable,
            sum(p.sign * r.value)::decimal(38, 0) as value,
            sum(r.arrived * p.cadence_min)::bigint as arrived_min,
            sum(r.estimated * p.cadence_min)::bigint as estimated_min
            from rollup_hour r join placements p
            on r.channel = p.channel and r.hour_us >= p.start_us and r.hour_us < p.end_us
            where r.hour_us >= ? and r.hour_us < ? {but} group by all order by all""",
        [low, high],
        {"placements": placements},
    )
