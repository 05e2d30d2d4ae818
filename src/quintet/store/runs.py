"""What runs over a city's days found, and how far they have seen: kept as differences, so that nothing is overwritten.

A finding stands from the batch that stated it until one that withdraws it; as known at a batch, only what was stated up
to it counts. A unit is some local days in a row, named by the first of them (days since 1970-01-01).
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from quintet.terms.quality import qualities

from .audit import audit
from .engine import Engine, Snapshot, Writing
from .events import kinds
from .read import NOTHING, effective_sql, evidence_sql, lake_interval_paths, versions_sql, wanted

FINDINGS = pa.schema(
    [
        ("unit", pa.int32()), ("channel", pa.int32()), ("at_us", pa.int64()), ("until_us", pa.int64()),
        ("rule", pa.string()), ("verdict", pa.string()), ("detail", pa.string()),
    ]
)  # fmt: skip
"""One finding of a unit: from when until when, of which rule, with its figures as JSON."""
KEY = "unit, channel, rule, at_us"
NEWEST = 2**31 - 1
ASSIGNED = ", ".join(str(one.id) for one in qualities().values() if one.assigned)


def standing_findings(
    snapshot: Snapshot, units: tuple[int, int] | None = None, known_batch: int | None = None
) -> pa.Table:
    """Read the findings that stand (FINDINGS, sorted), of all units or of those from the first to the last given."""
    low, high = units or (-(2**31), NEWEST)
    found = snapshot.arrow(
        f"""select {KEY}, unnest(won) from (select {KEY}, arg_max({{'until_us': until_us, 'verdict': verdict,
                'detail': detail, 'standing': standing}}, batch) as won from run_finding
            where unit between ? and ? and batch <= ? group by {KEY}) where won.standing order by {KEY}""",
        [low, high, NEWEST if known_batch is None else known_batch],
    )
    return found.select(FINDINGS.names).cast(FINDINGS)


def append_findings(writing: Writing, found: pa.Table, units: Sequence[int]) -> int:
    """State what the findings (FINDINGS) of some units are now: new and changed ones, and which no longer stand.

    Gives how many rows that took; nothing changed takes none. The batch gets an audit record, which seals what the run
    states of findings, units and exceptions.
    """
    before = standing_findings(writing, (min(units), max(units)) if units else (0, -1))
    columns = ", ".join(FINDINGS.names)
    changed = writing.arrow(
        f"""with gone as (select * from earlier where unit in (select unit from judged))
            select {columns}, true as standing from (select {columns} from fresh except select {columns} from gone)
            union all select {columns}, false as standing from gone where ({KEY}) not in (select ({KEY}) from fresh)
            order by all""",
        tables={"fresh": found, "earlier": before, "judged": pa.table({"unit": pa.array(units, pa.int32())})},
    )
    batch = pa.array([writing.batch.id] * changed.num_rows, pa.int32())
    writing.append("run_finding", changed.append_column("batch", batch))
    audit(writing, action="run", subject="run", detail={"units": list(units), "findings": changed.num_rows})
    return changed.num_rows


def units_seen(snapshot: Snapshot) -> dict[int, tuple[int, str]]:
    """Give for each unit that was judged the newest batch it was judged with, and on what basis."""
    found = snapshot.rows(
        """select unit, won.seen, won.basis from (
            select unit, arg_max({'seen': seen, 'basis': basis}, batch) as won from run_unit group by unit)"""
    )
    return {int(unit): (int(seen), str(basis)) for unit, seen, basis in found}


def note_units(writing: Writing, units: Sequence[int], seen: int, basis: str) -> None:
    """Note that units were judged with all that was known at batch `seen`."""
    count = len(units)
    rows = {
        "unit": pa.array(units, pa.int32()),
        "seen": pa.array([seen] * count, pa.int32()),
        "basis": pa.array([basis] * count, pa.string()),
        "batch": pa.array([writing.batch.id] * count, pa.int32()),
    }
    writing.append("run_unit", pa.table(rows))


def changed_days(snapshot: Snapshot) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """List every local day that has sums, in order, and the newest batch that changed one of its intervals."""
    found = snapshot.arrow(
        "select day::bigint as day, max(batch)::bigint as batch from rollup_day group by day order by day"
    )
    return found["day"].to_numpy(), found["batch"].to_numpy()


def noted_at(snapshot: Snapshot, rules: Sequence[str], within_us: int) -> pa.Table:
    """List when the write path noted what rules found: at_us, cut to multiples of `within_us`, and the newest batch.

    A finding that was noted again counts by its first batch.
    """
    return snapshot.arrow(
        """select at_us // $2 * $2 as at_us, max(batch)::bigint as batch
            from (select channel, rule, at_us, min(batch) as batch from finding
                where list_contains($1, rule) group by all)
            group by all order by at_us""",
        [list(rules), within_us],
    )


def noted_since(snapshot: Snapshot, seen: int) -> bool:
    """Tell whether the write path noted anything after batch `seen`."""
    return bool(snapshot.rows("select 1 from finding where batch > ? limit 1", [seen]))


def last_heard(
    snapshot: Snapshot, channels: npt.NDArray[np.int32], before_day: int, days: int
) -> list[tuple[int, int, int]]:
    """Give for channels the last local day before one of which anything was measured, and what they used until then.

    That is the median of the days, among the `days` that end with it, of which half was measured (sub-units, without
    sign; 0 without such a day). A channel that was not heard before is left out.
    """
    found = snapshot.rows(
        """with sums as (select channel, day, sum(value)::hugeint as value,
                    sum(arrived) >= sum(estimated) as known from rollup_day
                where day < ? and channel in (select channel from wanted)
                group by channel, day having sum(arrived) > 0),
            ends as (select channel, max(day) as day from sums group by channel)
            select e.channel, e.day, least(coalesce(quantile_disc(abs(s.value), 0.5)
                filter (where s.known), 0), 4611686018427387904)::bigint
            from ends e join sums s on s.channel = e.channel and s.day > e.day - ? group by e.channel, e.day
            order by e.channel""",
        [before_day, days],
        {"wanted": wanted(channels)},
    )
    return [(int(channel), int(day), int(usual)) for channel, day, usual in found]


def said_of_registry(snapshot: Snapshot) -> int:
    """Give the newest batch that stated anything of the registry; who lives where and tokens are left out."""
    found = snapshot.rows("select coalesce(max(batch), 0) from record where kind not in ('token', 'occupancy')")
    return int(found[0][0])


def said_of_events(snapshot: Snapshot) -> list[tuple[int, int, int]]:
    """List what was stated of events that a rule may ask for, withdrawals among it: from, until and the batch."""
    noted = [kind.code for kind in kinds().values() if kind.noted]
    found = snapshot.rows(
        """select from_us, coalesce(until_us, 4611686018427387904), batch from event
            where not list_contains($1, kind)""",
        [noted],
    )
    return [(int(low), int(high), int(batch)) for low, high, batch in found]


def said_of_occupancy(snapshot: Snapshot) -> list[tuple[int, int]]:
    """List what was stated of who lives where: from when on it counts, and the batch."""
    found = snapshot.rows("select valid_from_us, batch from record where kind = 'occupancy'")
    return [(int(since), int(batch)) for since, batch in found]


def cells_between(
    engine: Engine, snapshot: Snapshot, low_us: int, high_us: int, channels: npt.NDArray[np.int32]
) -> pa.Table:
    """Read effective intervals of channels with start in [low, high), in any order: columns as of `read.intervals`.

    The lake holds one row for an interval: where no newer one waits in the hot table, nothing has to be resolved.
    """
    hot = snapshot.rows("select 1 from interval where start_us >= ? and start_us < ? limit 1", [low_us, high_us])
    paths = lake_interval_paths(engine, snapshot, low_us, high_us, None)
    versions = versions_sql(paths, some_channels=True, known_batch=None)
    plain = not hot and not engine.undone
    sql = f"select * from ({versions}) where quality not in ({NOTHING})" if plain else effective_sql(versions)
    return snapshot.arrow(sql, [low_us, high_us], {"wanted": wanted(channels)})


def assigned_channels(
    engine: Engine, snapshot: Snapshot, low_us: int, high_us: int, channels: npt.NDArray[np.int32]
) -> npt.NDArray[np.int32]:
    """List those of some channels that have, or had, an assigned interval with start in [low, high)."""
    versions = versions_sql(
        lake_interval_paths(engine, snapshot, low_us, high_us, None), some_channels=True, known_batch=None
    )
    found = snapshot.arrow(
        f"select distinct channel from ({versions}) where quality in ({ASSIGNED}) order by channel",
        [low_us, high_us],
        {"wanted": wanted(channels)},
    )
    return found["channel"].to_numpy()


def beneath_assigned(
    engine: Engine, snapshot: Snapshot, low_us: int, high_us: int, channels: npt.NDArray[np.int32]
) -> pa.Table:
    """Read what the evidence of channels gives with start in [low, high), as if nothing had been assigned; sorted.

    Columns as of `read.intervals`.
    """
    paths = lake_interval_paths(engine, snapshot, low_us, high_us, NEWEST)
    versions = versions_sql(paths, some_channels=True, known_batch=NEWEST)
    sql = evidence_sql(f"select * from ({versions}) where quality not in ({ASSIGNED})")
    return snapshot.arrow(sql + " order by channel, start_us", [low_us, high_us], {"wanted": wanted(channels)})


def changed_channels(snapshot: Snapshot, first_day: int, until_day: int, seen: int) -> npt.NDArray[np.int32]:
    """List the channels with an interval of the local days [first, until) that changed after batch `seen`."""
    found = snapshot.arrow(
        "select distinct channel from rollup_day where day >= ? and day < ? and batch > ? order by channel",
        [first_day, until_day, seen],
    )
    return found["channel"].to_numpy()


def changed_since(snapshot: Snapshot, until_day: int, seen: int) -> bool:
    """Tell whether an interval of a local day before `until_day` changed after batch `seen`."""
    return bool(snapshot.rows("select 1 from rollup_day where day < ? and batch > ? limit 1", [until_day, seen]))
