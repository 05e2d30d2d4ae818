"""Marks of doubt: which values bear one, and which spans the findings that stand put one on."""

from collections.abc import Sequence

import pyarrow as pa

from quintet.terms.quality import qualities

from .engine import Engine, Snapshot
from .read import lake_interval_paths, versions_sql
from .runs import standing_findings

RUN = "vee"
"""The kind of the batches in which a run states what it found; of intervals they hold marks alone."""
MARKS = ", ".join(str(one.id) for one in qualities().values() if one.covers)


def marked_spans(engine: Engine, snapshot: Snapshot, low_us: int, high_us: int) -> pa.Table:
    """List the channels with marked intervals in [low, high), and between which starts they lie.

    Columns channel, from_us, until_us, in order of channel. A mark that something took the place of may be among them.
    """
    paths = lake_interval_paths(engine, snapshot, low_us, high_us, None)
    versions = versions_sql(paths, some_channels=False, known_batch=None)
    return snapshot.arrow(
        f"""select channel, min(start_us) as from_us, max(start_us) + 1 as until_us from ({versions})
            where quality in ({MARKS}) group by channel order by channel""",
        [low_us, high_us],
    )


def doubted_spans(snapshot: Snapshot, rules: Sequence[str], low_us: int, high_us: int) -> pa.Table:
    """List what the findings of some rules that stand span of [low, high).

    Columns channel, from_us, until_us, rule, in order of channel.
    """
    return snapshot.arrow(
        """select channel, greatest(at_us, $1) as from_us, least(until_us, $2) as until_us, rule from standing
            where at_us < $2 and until_us > $1 and rule in (select rule from doubting) order by all""",
        [low_us, high_us],
        {"standing": standing_findings(snapshot), "doubting": pa.table({"rule": pa.array(rules, pa.string())})},
    )
