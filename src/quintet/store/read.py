"""Reading hot tables, overlay and lake as one: effective intervals, now or as known at a batch."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from quintet.terms.quality import qualities

from .engine import Engine, Snapshot

TOP_RANK = max(quality.rank for quality in qualities().values())
OUTRANKING = ", ".join(str(q.id) for q in qualities().values() if q.rank == TOP_RANK)
WITHDRAWN = qualities()["withdrawn"].id
UNDONE = qualities()["edit_withdrawn"].id
NOTHING = f"{WITHDRAWN}, {UNDONE}"
"""Qualities of rows that say that there is no value."""
MEASURED = ", ".join(str(q.id) for q in qualities().values() if q.kind == "measured")
ESTIMATED = ", ".join(str(q.id) for q in qualities().values() if q.kind == "estimated")


def wanted(channels: Sequence[int] | npt.NDArray[np.int32]) -> pa.Table:
    """Give channel numbers as a table to join with."""
    return pa.table({"channel": pa.array(channels, pa.int32())})


def quoted(paths: list[str]) -> str:
    """Give paths as an SQL list."""
    return "[" + ", ".join("'" + path.replace("'", "''") + "'" for path in paths) + "]"


def quoted_numbers(numbers: Sequence[int]) -> str:
    """Give numbers as an SQL list's content; none is a list that holds nothing."""
    return ", ".join(str(int(number)) for number in numbers) or "null"


def versions_sql(paths: list[str], *, some_channels: bool, known_batch: int | None) -> str:
    """Give SQL for all versions of intervals with start in [$1, $2): hot rows and the given lake files."""
    more = " and channel in (select channel from wanted)" if some_channels else ""
    more += f" and batch <= {known_batch}" if known_batch is not None else ""
    sql = f"select channel, start_us, value, quality, batch from interval where start_us >= $1 and start_us < $2{more}"
    if paths:
        sql += f""" union all select channel, epoch_us(start), value, quality::utinyint, batch
            from read_parquet({quoted(paths)})
            where start >= make_timestamptz($1) and start < make_timestamptz($2){more}"""
    return sql


def effective_sql(versions: str, *, undone: bool = True) -> str:
    """Give SQL that keeps, of all versions, the effective one: edits outrank, then the later batch wins.

    The precedence is one integer per row, so that a plain aggregate (not a sort) finds the winner. Where the newest
    word of people is that an edit is `undone`, the newest row of the evidence wins; without such rows that need not be
    looked at.
    """
    row = "{'value': value, 'quality': quality, 'batch': batch}"
    below = f"arg_max({row}, batch) filter (quality not in ({OUTRANKING}))"
    won = f"arg_max({row}, batch::bigint + case when quality in ({OUTRANKING}) then 4294967296 else 0 end)"
    chosen = f"{won} as top, {below} as below" if undone else f"{won} as won"
    inner = f"select channel, start_us, {chosen} from ({versions}) group by channel, start_us"
    if undone:
        inner = f"""select channel, start_us, case when top.quality = {UNDONE} then below else top end as won
            from ({inner})"""
    return f"""select channel, start_us, won.value as value, won.quality as quality, won.batch as batch
        from ({inner}) where won.quality not in ({NOTHING})"""


def evidence_sql(versions: str) -> str:
    """Give SQL that keeps, of all versions, the newest one of the evidence: as if nobody had edited anything."""
    return f"""select channel, start_us, won.value as value, won.quality as quality, won.batch as batch from (
        select channel, start_us, arg_max({{'value': value, 'quality': quality, 'batch': batch}}, batch) as won
        from ({versions}) where quality not in ({OUTRANKING}) group by channel, start_us)
        where won.quality <> {WITHDRAWN}"""


def standing_sql(versions: str) -> str:
    """Give SQL that keeps the edits that stand: of each interval the newest word of people, unless it was undone."""
    return f"""select channel, start_us, won.value as value, won.quality as quality, won.batch as batch from (
        select channel, start_us, arg_max({{'value': value, 'quality': quality, 'batch': batch}}, batch) as won
        from ({versions}) where quality in ({OUTRANKING}) group by channel, start_us) where won.quality <> {UNDONE}"""


def day_range(engine: Engine, start_us: int, end_us: int) -> tuple[int, int]:
    """Give the first and last local day number that [start, end) touches."""
    return engine.day_of(start_us), engine.day_of(end_us - 1)


def lake_interval_paths(
    engine: Engine, snapshot: Snapshot, start_us: int, end_us: int, known_batch: int | None
) -> list[str]:
    """List the lake files that hold a range; superseded versions are only needed for an earlier moment."""
    first, last = day_range(engine, start_us, end_us)
    paths = snapshot.lake_paths("intervals", first, last)
    if known_batch is not None:
        paths += snapshot.lake_paths("superseded", first, last)
    return paths


def intervals(
    engine: Engine,
    snapshot: Snapshot,
    start_us: int,
    end_us: int,
    *,
    channels: Sequence[int] | npt.NDArray[np.int32] | None = None,
    known_batch: int | None = None,
) -> pa.Table:
    """Read effective intervals with start in [start, end): channel, start_us, value, quality, batch; sorted."""
    paths = lake_interval_paths(engine, snapshot, start_us, end_us, known_batch)
    versions = versions_sql(paths, some_channels=channels is not None, known_batch=known_batch)
    tables = {"wanted": wanted(channels)} if channels is not None else None
    sql = effective_sql(versions, undone=engine.undone) + " order by channel, start_us"
    return snapshot.arrow(sql, [start_us, end_us], tables)


def layers(
    engine: Engine,
    snapshot: Snapshot,
    start_us: int,
    end_us: int,
    channels: Sequence[int] | npt.NDArray[np.int32],
    *,
    known_batch: int | None = None,
) -> tuple[pa.Table, pa.Table]:
    """Read what evidence gives of channels with start in [start, end), and the edits that stand over it; both sorted.

    Columns as of `intervals`. What an edit stands over may have been superseded long ago: those files are read too.
    """
    known = 2**31 - 1 if known_batch is None else known_batch
    paths = lake_interval_paths(engine, snapshot, start_us, end_us, known)
    versions = versions_sql(paths, some_channels=True, known_batch=known)
    order, span, tables = " order by channel, start_us", [start_us, end_us], {"wanted": wanted(channels)}
    below = snapshot.arrow(evidence_sql(versions) + order, span, tables)
    return below, snapshot.arrow(standing_sql(versions) + order, span, tables)


def raw_readings(engine: Engine, snapshot: Snapshot, windows: pa.Table, *, known_batch: int | None = None) -> pa.Table:
    """Read raw rows of channels from a moment each on.

    `windows` holds channel, from_us; gives channel, at_us, mantissa, exponent, unit, batch, sorted by channel and time.
    """
    if not windows.num_rows:
        windows = windows.slice(0, 0)
    known = f" and batch <= {known_batch}" if known_batch is not None else ""
    sql = f"""select r.channel, r.at_us, mantissa, exponent, unit, batch from raw r
        join windows w on r.channel = w.channel and r.at_us >= w.from_us where true{known}"""
    lowest = snapshot.arrow("select min(from_us) as low from windows", tables={"windows": windows})["low"][0].as_py()
    paths = [] if lowest is None else snapshot.lake_paths("raw", day_or_first(engine, lowest), 2**31 - 1)
    if paths:
        sql += f""" union all select r.channel, epoch_us(r."at"), mantissa, exponent::tinyint, unit::smallint, batch
            from read_parquet({quoted(paths)}) r join windows w
            on r.channel = w.channel and r."at" >= make_timestamptz(w.from_us) where true{known}"""
    return snapshot.arrow(f"select * from ({sql}) order by channel, at_us", tables={"windows": windows})


def daily_sums(snapshot: Snapshot, channels: npt.NDArray[np.int32], first: int, last: int) -> npt.NDArray[np.int64]:
    """Read daily sums of channels (3 x channels x days: value, arrived, estimated) from the rollups."""
    table = snapshot.arrow(
        """select channel, day, sum(value)::bigint as value, sum(arrived)::bigint as arrived,
            sum(estimated)::bigint as estimated from rollup_day
            where day between ? and ? and channel in (select channel from wanted) group by channel, day""",
        [first, last],
        {"wanted": wanted(channels)},
    )
    out = np.zeros((3, len(channels), last - first + 1), np.int64)
    place = {int(channel): row for row, channel in enumerate(channels)}
    rows = [place[channel] for channel in table["channel"].to_pylist()]
    for at, name in enumerate(("value", "arrived", "estimated")):
        out[at, rows, table["day"].to_numpy() - first] = table[name].to_numpy()
    return out


def day_rows(snapshot: Snapshot, first: int, last: int) -> pa.Table:
    """Read the rows of the daily rollup as they lie: channel, day, value, arrived, estimated, batch.

    What closing has folded is one row a channel and day, what came since are differences.
    """
    return snapshot.arrow(
        "select channel, day, value, arrived, estimated, batch from rollup_day where day between ? and ?", [first, last]
    )


EARLIEST_US = -(10**15)
"""About 1938: no meter's reading is older, and time zone arithmetic still works."""


def day_or_first(engine: Engine, moment_us: int) -> int:
    """Give the local day number of a moment, the first day of all for one before every reading."""
    if moment_us <= EARLIEST_US:
        return -(2**31)
    return engine.day_of(moment_us)


LARGEST_PRIME = 18_446_744_073_709_551_557
"""The largest prime below 2**64."""


def content_hash(snapshot: Snapshot) -> str:
    """Give a digest of all effective intervals, whatever their order, batch or place: the sum of their MD5 sums.

    Two stores that say the same of the same channels have the same hash.
    """
    paths = snapshot.lake_paths("intervals", -(2**31), 2**31 - 1)
    versions = versions_sql(paths, some_channels=False, known_batch=None)
    undone = bool(snapshot.rows("select 1 from edit where undoes is not null limit 1"))
    names = """select (body->>'id')::integer as channel, any_value(key) as name from record
        where kind = 'channel' and body is not null group by all"""
    sql = f"""select sum((md5_number(concat_ws('|', name, start_us, value, quality)) % {LARGEST_PRIME})::hugeint)
        from ({effective_sql(versions, undone=undone)}) e join ({names}) n using (channel)"""
    total = snapshot.rows(sql, [EARLIEST_US, -EARLIEST_US * 8])[0][0]
    return f"{int(total or 0) % 2**64:016x}"
