"""Rows that could not be taken: kept once each, numbered, and what became of them since, step by step."""

from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from .engine import Snapshot, Writing
from .schema import FINGERPRINT

OPEN, TAKEN, DISMISSED = "open", "taken", "dismissed"
"""States of a row: waits to be mended; became a reading (or says what a later one says); nobody wants it."""

NEWEST = 2**31 - 1


def rows_at(known_batch: int = NEWEST) -> str:
    """Give SQL for every row as it stands now, or stood as known at a batch.

    Its reason is that of the last try, `settled` says how it ended (null: it waits).
    """
    return f"""select q.id, q.batch, q.source, q.row, q.site, q.meter,
        case when s.state = '{OPEN}' then s.code else q.code end as code,
        case when s.state = '{OPEN}' then s.reason else q.reason end as reason,
        q.original, coalesce(s.state, '{OPEN}') as state,
        case when s.state <> '{OPEN}' then s.reason end as settled, s.batch as settled_in, s.actor as settled_by
        from quarantine q left join (
            select id, unnest(arg_max({{'state': state, 'code': code, 'reason': reason, 'batch': batch,
                'actor': actor}}, batch)) from quarantine_step where batch <= {int(known_batch)} group by id) s
        on q.id = s.id where q.batch <= {int(known_batch)}"""


NOW = rows_at()
"""SQL: every row as it stands now."""


@dataclass(frozen=True, slots=True)
class Step:
    """What became of a quarantined row: its state, and why (code and reason)."""

    id: int
    state: str
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows: of a source, with a code, with ids (empty: all of them), in a state ("": any)."""

    source: str = ""
    code: str = ""
    ids: tuple[int, ...] = ()
    state: str = OPEN

    def where(self) -> tuple[str, list[Any]]:
        """Give the SQL condition and its parameters."""
        said: list[tuple[str, Any]] = [("source = ?", self.source), ("code = ?", self.code), ("state = ?", self.state)]
        said = [(sql, value) for sql, value in said if value]
        if self.ids:
            said.append(("list_contains(?, id)", list(self.ids)))
        return " and ".join(["true", *(sql for sql, _ in said)]), [value for _, value in said]


def new_problems(snapshot: Snapshot, problems: pa.Table, *, by_row: bool = True) -> pa.Table:
    """Drop rows that stand in quarantine already, word for word: the same source sent twice changes nothing.

    Without `by_row` it does not matter where in its delivery a row stood: a device that repeats itself is kept once.
    One that was taken since and comes again stands there anew. Gives the rows with their `fingerprint`.
    """
    if not problems.num_rows:
        return problems
    told = FINGERPRINT if by_row else FINGERPRINT.replace("coalesce(row::varchar, '')", "''")
    return snapshot.arrow(
        f"""select p.* from (
                select distinct on (fingerprint) * from (select *, {told} as fingerprint from problems)) p
            anti join (select fingerprint from quarantine where id not in (
                select id from quarantine_step where state = '{TAKEN}')) q on p.fingerprint = q.fingerprint
            order by source, row""",
        tables={"problems": problems},
    )


def append_problems(writing: Writing, fresh: pa.Table) -> None:
    """Keep what `new_problems` gave as part of a batch, numbered on."""
    if not fresh.num_rows:
        return
    last = newest_id(writing)
    count = fresh.num_rows
    fresh = fresh.append_column("id", pa.array(range(last + 1, last + 1 + count), pa.int64()))
    writing.append("quarantine", fresh.append_column("batch", pa.array([writing.batch.id] * count, pa.int32())))


def append_steps(writing: Writing, steps: list[Step]) -> None:
    """Record what became of rows."""
    if steps:
        rows = {
            "id": pa.array([one.id for one in steps], pa.int64()),
            "batch": pa.array([writing.batch.id] * len(steps), pa.int32()),
            "state": [one.state for one in steps],
            "code": [one.code for one in steps],
            "reason": [one.reason for one in steps],
            "actor": [writing.batch.actor] * len(steps),
        }
        writing.append("quarantine_step", pa.table(rows))


def quarantined(
    snapshot: Snapshot, wanted: Wanted, *, limit: int, before: int | None = None, known_batch: int = NEWEST
) -> pa.Table:
    """List rows as they stand now or stood at a batch, newest first: with an id below `before`, the page's last one.

    Gives id, batch, source, row, site, meter, code, reason, original, state, settled, settled_in, settled_by and
    received_us.
    """
    where, values = wanted.where()
    edge = "" if before is None else f" and id < {before}"
    return snapshot.arrow(
        f"""select n.*, b.received_us from (
                select * from ({rows_at(known_batch)}) where {where}{edge} order by id desc limit {limit}) n
            join batch b on n.batch = b.id order by n.id desc""",
        values,
    )


def received(snapshot: Snapshot, wanted: Wanted, *, limit: int, after: int = 0, until: int | None = None) -> pa.Table:
    """List readings set aside in the order they came, with ids above `after` and up to `until`; as `quarantined`."""
    where, values = wanted.where()
    edge = "" if until is None else f" and id <= {until}"
    return snapshot.arrow(
        f"""select n.*, b.received_us from (select * from ({NOW}) where {where} and id > {after}{edge}) n
            join batch b on n.batch = b.id where b.kind = 'readings' order by n.id limit {limit}""",
        values,
    )


def taken_in(snapshot: Snapshot, batches: list[int]) -> pa.Table:
    """List the rows that became readings in some batches: as `received`, with the batch that took each as `taken`."""
    return snapshot.arrow(
        f"""select q.*, b.received_us, s.batch as taken from quarantine q join batch b on q.batch = b.id join (
                select id, batch from quarantine_step where state = '{TAKEN}' and code = '{TAKEN}'
                and list_contains(?, batch)) s on q.id = s.id order by q.id""",
        [batches],
    )


def faulty_sources(snapshot: Snapshot) -> set[str]:
    """Give the sources of all rows ever set aside."""
    return {str(source) for (source,) in snapshot.rows("select distinct source from quarantine")}


def newest_id(snapshot: Snapshot) -> int:
    """Give the id of the newest row; 0 where there is none."""
    return int(snapshot.rows("select coalesce(max(id), 0) from quarantine")[0][0])


def counts(snapshot: Snapshot, state: str = OPEN, *, known_batch: int = NEWEST) -> pa.Table:
    """Count rows in a state ("": all), now or at a batch, per source and code: source, code, rows, newest (id)."""
    where, values = Wanted(state=state).where()
    return snapshot.arrow(
        f"""select source, code, count(*) as rows, max(id) as newest from ({rows_at(known_batch)}) where {where}
            group by source, code order by rows desc, source, code""",
        values,
    )
