"""What some channels came to on some closed days: as known at a batch, less what the day's stored sums hold of them."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from quintet.terms.amount import Ints

from .engine import Snapshot
from .flows import FLOW_SUMS, placed_sql
from .read import ESTIMATED, MEASURED, effective_sql, quoted
from .set_flows import paths_of_days

APART = "kind not in ('occupancy', 'token') and kind not like 'ledger.%'"
"""SQL: statements that may change what a channel counts for; moves of people and what the ledger is told do not."""


def statements(snapshot: Snapshot) -> Ints:
    """List the batches that may have changed what a channel counts for, in order."""
    found = snapshot.arrow(f"select distinct batch::bigint as batch from record where {APART} order by batch")
    return np.asarray(found["batch"].to_numpy(), np.int64)


@dataclass(frozen=True, slots=True)
class Pairs:
    """Channels on closed days (`channel`, `day`) whose share in stored sums is to be put right.

    `held` are the placements by which the stored sums counted them.
    """

    rows: pa.Table
    held: pa.Table


def pair_flows(
    snapshot: Snapshot,
    span: tuple[int, int],
    placements: pa.Table,
    bucket: str,
    pairs: Pairs,
    starts: pa.Table,
    *,
    known_batch: int | None,
    undone: bool,
) -> pa.Table:
    """Sum by bucket and flow what to add to stored sums, that pairs count as known at a batch (None: now).

    `starts` holds each local day's `day` and `start_us`. Only what is folded counts: differences since are summed
    apart. `undone`: an edit was ever undone.
    """
    days: list[int] = sorted(set(pairs.rows["day"].to_pylist()))
    chosen = starts.filter(pc.is_in(starts["day"], pa.array(days, pa.int32())))
    since = max(span[0], int(pc.min(chosen["start_us"]).as_py()))
    then = _versions(paths_of_days(snapshot, days), known_batch)
    now = _versions(paths_of_days(snapshot, days, superseded=False), None)
    parts = [
        f"""select {bucket} as bucket_us, {FLOW_SUMS} from ({placed_sql(_on_days(source), "start_us", by)})
            group by all"""
        for source, by in ((effective_sql(then, undone=undone), "placements"), (now, "held"))
    ]
    sql = f"""select * from ({parts[0]}) union all by name select * replace (-value as value,
        -arrived_min as arrived_min, -estimated_min as estimated_min) from ({parts[1]}) order by all"""
    tables = {
        "placements": placements, "held": pairs.held, "wanted": pairs.rows.select(["channel"]), "pairs": pairs.rows,
        "starts": starts,
    }  # fmt: skip
    return snapshot.arrow(sql, [since, span[1]], tables)


def _versions(paths: list[str], known_batch: int | None) -> str:
    """Give SQL for the versions that lake files hold of some channels."""
    known = "" if known_batch is None else f" and batch <= {known_batch}"
    return f"""select channel, epoch_us(start) as start_us, value, quality::utinyint as quality, batch
        from read_parquet({quoted(paths)}) where start >= make_timestamptz($1) and start < make_timestamptz($2)
            and channel in (select channel from wanted){known}"""


def _on_days(source: str) -> str:
    """Give SQL for the rows of a source that belong to one of the pairs."""
    return f"""select s.channel, s.start_us, s.value, s.quality in ({MEASURED}) as q_measured,
        s.quality in ({ESTIMATED}) as q_estimated from ({source}) s asof join starts e on s.start_us >= e.start_us
        where (s.channel, e.day) in (select channel, day from pairs)"""
