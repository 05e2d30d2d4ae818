"""Closing a day: from the hot tables into the lake, and merging what arrived late for days that are closed."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from quintet.terms.period import day_of_number, day_start, to_us

from .audit import CLOSE, audit
from .digest import file_digest
from .engine import Engine, Snapshot, Writing
from .flows import flow_hours, write_flows
from .lake import LakeFile, log_key
from .read import OUTRANKING, UNDONE, quoted, versions_sql
from .schema import MONTH
from .signed_flows import write_signed


@dataclass(frozen=True, slots=True)
class Closed:
    """What closing one day did: rows published and bytes they take, by lake table."""

    day: int
    files: tuple[LakeFile, ...]

    @property
    def rows(self) -> int:
        """Effective intervals of the day."""
        return sum(file.rows for file in self.files if file.lake == "intervals")


def open_days(engine: Engine, snapshot: Snapshot) -> list[int]:
    """List the local days that have hot intervals or raw readings: not yet closed, or closed with late arrivals."""
    from_us = {"interval": "start_us", "raw": "at_us"}
    found: set[int] = set()
    for table, column in from_us.items():
        low, high = snapshot.rows(f"select min({column}), max({column}) from {table}")[0]
        if low is None:
            continue
        first = int(engine.day_of(low))
        edges = [to_us(day_start(day_of_number(day), engine.tz)) for day in range(first, engine.day_of(high) + 2)]
        starts = pa.table({"day": range(first, first + len(edges) - 1), "low": edges[:-1], "high": edges[1:]})
        rows = snapshot.arrow(
            f"select day from starts where exists (select 1 from {table} where {column} >= low and {column} < high)",
            tables={"starts": starts},
        )
        found.update(rows["day"].to_pylist())
    return sorted(found)


def bounds(engine: Engine, day: int) -> tuple[int, int]:
    """Give a local day's first and last-plus-one microsecond."""
    return (
        to_us(day_start(day_of_number(day), engine.tz)),
        to_us(day_start(day_of_number(day + 1), engine.tz)),
    )


def close_day(
    engine: Engine, day: int, placements: pa.Table, *, actor: str, received_us: int, registry_batch: int | None = None
) -> Closed:
    """Publish a day's intervals and raw readings to the lake and remove them from the hot tables.

    A day that is closed already is merged: its files are written anew with what came late, superseded versions kept.
    `placements` says which channel counts where; it is needed for the city's hourly sums of the day,
    and `registry_batch` says how new the registry was that it comes from (None: the newest).
    """
    with engine.closing:
        return publish_day(engine, day, placements, actor, received_us, registry_batch)


def publish_day(
    engine: Engine, day: int, placements: pa.Table, actor: str, received_us: int, registry_batch: int | None
) -> Closed:
    """Do what `close_day` says; one at a time, on a lake that holds nothing but what is recorded."""
    engine.recover()
    low, high = bounds(engine, day)
    with engine.snapshot() as snapshot:
        until = int(snapshot.rows("select coalesce(max(id), 0) from batch")[0][0])
        tables = {
            "intervals": snapshot.arrow(*effective_day(snapshot, day, low, high, until)),
            "superseded": snapshot.arrow(*superseded_day(snapshot, day, low, high, until)),
            "raw": snapshot.arrow(*raw_day(snapshot, day, low, high, until)),
        }
        old = {name: live_files(snapshot, name, day) for name in tables}
    files: list[LakeFile] = []
    try:
        for name, table in tables.items():
            if table.num_rows or old[name]:
                files.append(engine.lakes[name].publish(day, table, old[name]))
        with engine.writing("close", day_of_number(day).isoformat(), actor, received_us) as writing:
            record_files(writing, day, files)
            told = [[file.lake, file.path, file.rows, file.digest] for file in files]
            audit(writing, action=CLOSE, subject=f"day:{day}", detail={"files": told})
            record_logs(engine, writing)
            remove_hot(writing, low, high, until)
            compact_rollups(writing, day, low, high, until)
            write_flows(writing, day, flow_hours(engine, writing, day, tables["intervals"], placements), placements)
            made_of = registry_batch if registry_batch is not None else newest_record(writing)
            write_signed(engine, writing, day, tables["intervals"], placements, made_of)
            writing.execute("delete from closed_day where day = ?", [day])
            writing.execute("insert into closed_day values (?, ?, ?)", [day, until, made_of])
    except BaseException:
        # What was published but not recorded must not be seen by other engines that read the lake.
        engine.recover()
        raise
    return Closed(day, tuple(files))


def day_versions(snapshot: Snapshot, day: int, until: int) -> str:
    """Give SQL for all versions of a day's intervals, the lake's included."""
    paths = snapshot.lake_paths("intervals", day, day) + snapshot.lake_paths("superseded", day, day)
    return versions_sql(paths, some_channels=False, known_batch=until)


RANKED = """row_number() over (partition by channel, start_us order by case when quality not in ({top}) then 1
    when quality <> {undone} and batch > undone then 2 else 0 end desc, batch desc)"""


def ranked(versions: str) -> str:
    """Give SQL that numbers the versions of each interval, the effective one first and what was undone last."""
    undone = f"""select *, coalesce(max(batch) filter (quality = {UNDONE}) over (partition by channel, start_us), 0)
        as undone from ({versions})"""
    return f"select *, {RANKED.format(top=OUTRANKING, undone=UNDONE)} as place from ({undone})"


def effective_day(snapshot: Snapshot, day: int, low: int, high: int, until: int) -> tuple[str, list[int]]:
    """Give the query of a day's effective rows, as the lake keeps them."""
    return day_query(ranked(day_versions(snapshot, day, until)), "place = 1"), [low, high]


def superseded_day(snapshot: Snapshot, day: int, low: int, high: int, until: int) -> tuple[str, list[int]]:
    """Give the query of a day's superseded rows."""
    return day_query(ranked(day_versions(snapshot, day, until)), "place > 1"), [low, high]


def day_query(source: str, condition: str) -> str:
    """Give SQL for rows in the lake's columns and order."""
    return f"""select channel, make_timestamptz(start_us) as start, value, quality::smallint as quality, batch
        from ({source}) where {condition} order by channel, start_us, batch"""


def raw_day(snapshot: Snapshot, day: int, low: int, high: int, until: int) -> tuple[str, list[int]]:
    """Give the query of a day's raw rows."""
    sql = f"""select channel, make_timestamptz(at_us) as "at", mantissa, exponent::smallint as exponent, unit, batch
        from raw where at_us >= $1 and at_us < $2 and batch <= {until}"""
    paths = snapshot.lake_paths("raw", day, day)
    if paths:
        sql += f' union all select channel, "at", mantissa, exponent, unit, batch from read_parquet({quoted(paths)})'
    return f'select * from ({sql}) order by channel, "at", batch, mantissa, exponent', [low, high]


def live_files(snapshot: Snapshot, lake: str, day: int) -> list[LakeFile]:
    """List a day's live files of a lake table."""
    found = snapshot.rows(
        "select lake, day, path, rows, bytes, digest, version from lake_file where lake = ? and day = ? and live",
        [lake, day],
    )
    return [LakeFile(*row) for row in found]


def record_files(writing: Writing, day: int, files: list[LakeFile]) -> None:
    """Record what was published: from here on readers pin it."""
    for file in files:
        writing.execute("update lake_file set live = false where lake = ? and day = ? and live", [file.lake, day])
        writing.execute(
            "insert into lake_file values (?, ?, ?, ?, ?, ?, ?, true)",
            [file.lake, day, file.path, file.rows, file.bytes, file.digest, file.version],
        )


def record_logs(engine: Engine, writing: Writing) -> None:
    """Record the digests of the log's entries that are new: what other engines read is scrubbed too."""
    known = {key for (key,) in writing.rows("select key from meta")}
    for name, lake in engine.lakes.items():
        for entry in lake.entries():
            key = log_key(name, entry.name)
            if key not in known:
                writing.execute("insert into meta values (?, ?)", [key, file_digest(entry)])


def remove_hot(writing: Writing, low: int, high: int, until: int) -> None:
    """Take the published rows out of the hot tables, keeping each channel's newest time."""
    writing.execute(
        """create or replace temp table newest as select channel, max(at_us) as at_us from (
            select channel, at_us from tail union all
            select channel, at_us from raw where at_us >= ? and at_us < ? and batch <= ?) group by channel""",
        [low, high, until],
    )
    writing.execute("delete from tail")
    writing.execute("insert into tail select channel, at_us from newest")
    writing.execute("drop table newest")
    writing.execute("delete from interval where start_us >= ? and start_us < ? and batch <= ?", [low, high, until])
    writing.execute("delete from raw where at_us >= ? and at_us < ? and batch <= ?", [low, high, until])


def compact_rollups(writing: Writing, day: int, low: int, high: int, until: int) -> None:
    """Fold a closed day's differences into one row a channel; its hours are in `flow_hour` and in the lake."""
    writing.execute(
        """create or replace temp table folded as select channel, day, sum(value)::bigint as value,
            sum(arrived)::smallint as arrived, sum(estimated)::smallint as estimated, max(batch) as batch
            from rollup_day where day = ? and batch <= ? group by channel, day order by channel""",
        [day, until],
    )
    add_to_month(writing, day, until)
    writing.execute("delete from rollup_day where day = ? and batch <= ?", [day, until])
    writing.execute("insert into rollup_day by name select * from folded")
    writing.execute("drop table folded")
    writing.execute("delete from rollup_hour where hour_us >= ? and hour_us < ? and batch <= ?", [low, high, until])


def add_to_month(writing: Writing, day: int, until: int) -> None:
    """Add a day's differences that are folded now, and were not before, to the sums of its month."""
    month = int(writing.rows(f"select {MONTH} from (select ?::integer as day)", [day])[0][0])
    writing.execute(
        f"""create or replace temp table summed as select channel, month, sum(value)::decimal(38, 0) as value,
            sum(arrived)::integer as arrived, sum(estimated)::integer as estimated, max(batch) as batch from (
                select * from rollup_month where month = {month} union all by name
                select channel, {month} as month, value, arrived, estimated, batch from rollup_day
                where day = $1 and batch <= $2
                    and batch > coalesce((select max(batch) from closed_day where day = $1), -1))
            group by channel, month order by channel""",
        [day, until],
    )
    writing.execute(f"delete from rollup_month where month = {month}")
    writing.execute("insert into rollup_month by name select * from summed")
    writing.execute("drop table summed")


def refresh_flows(
    engine: Engine, day: int, placements: pa.Table, *, actor: str, received_us: int, registry_batch: int
) -> None:
    """Sum a closed day's hours anew after the registry changed; intervals and files stay as they are."""
    with engine.writing("refresh", day_of_number(day).isoformat(), actor, received_us) as writing:
        paths = writing.lake_paths("intervals", day, day)
        effective = writing.arrow(
            f"select channel, start, value, quality from read_parquet({quoted(paths)})" if paths else EMPTY_DAY
        )
        write_flows(writing, day, flow_hours(engine, writing, day, effective, placements), placements)
        write_signed(engine, writing, day, effective, placements, registry_batch)
        writing.execute("update closed_day set registry_batch = ? where day = ?", [registry_batch, day])


def keep_halves(
    engine: Engine, days: Sequence[int], placements: pa.Table, *, actor: str, received_us: int, registry_batch: int
) -> None:
    """Keep the halves of signed channels of closed days that were closed before such were kept."""
    signed = placements.filter(pc.not_equal(placements["clip"], 0)).select(["channel"])
    with engine.writing("refresh", "signed", actor, received_us) as writing:
        for day in days:
            paths = writing.lake_paths("intervals", day, day)
            source = f"""select channel, start, value, quality from read_parquet({quoted(paths)})
                where channel in (select channel from signed)"""
            effective = writing.arrow(source if paths else EMPTY_DAY, tables={"signed": signed})
            write_signed(engine, writing, day, effective, placements, registry_batch)


def newest_record(writing: Writing) -> int:
    """Give the batch of the registry's newest statement."""
    return int(writing.rows("select coalesce(max(batch), 0) from record")[0][0])


EMPTY_DAY = "select 0 as channel, make_timestamptz(0) as start, 0::bigint as value, 0 as quality limit 0"
