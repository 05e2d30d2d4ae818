"""What was found of channels: as their readings were committed, and by runs over the city's days."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from .engine import Snapshot
from .read import wanted
from .runs import FINDINGS, KEY, NEWEST

FOUND = pa.schema(
    [
        FINDINGS.field("channel"), ("from_us", pa.int64()), ("until_us", pa.int64()), FINDINGS.field("rule"),
        FINDINGS.field("verdict"), FINDINGS.field("detail"), ("batch", pa.int32()), ("stated_us", pa.int64()),
    ]
)  # fmt: skip
"""One finding: what it spans, its figures as JSON, and the batch and moment that stated it.

`verdict` is empty for what was found as readings were committed.
"""


def findings_between(
    snapshot: Snapshot, channels: npt.NDArray[np.int32], low_us: int, high_us: int, known_batch: int | None = None
) -> pa.Table:
    """Read what touches [low, high) of some channels (FOUND), in order of beginning, channel and rule.

    Of runs what stands, or stood as known at a batch; what several weeks say of one span is told once. Where a run only
    repeats what was found at the commit, that is left out. What was found at the commit is told as it was then.
    """
    known = NEWEST if known_batch is None else known_batch
    found = snapshot.arrow(
        f"""with own as (select {KEY}, unnest(arg_max({{'until_us': until_us, 'verdict': verdict, 'detail': detail,
                'standing': standing, 'batch': batch}}, batch)) from run_finding
                where batch <= $3 and channel in (select channel from wanted) group by {KEY}),
            early as (select channel, at_us, until_us, rule, min(batch) as batch from finding
                where batch <= $3 and channel in (select channel from wanted) group by all),
            every as (select channel, at_us as from_us, max(until_us) as until_us, rule,
                    arg_max(verdict, unit) as verdict, arg_max(detail, unit) as detail, min(batch) as batch
                from own where standing and (channel, rule) not in (select (channel, rule) from early)
                group by channel, rule, at_us
                union all select channel, at_us, until_us, rule, '' as verdict, '{{}}' as detail, batch from early)
            select every.*, coalesce(b.received_us, 0) as stated_us from every left join batch b on b.id = every.batch
            where from_us < $2 and greatest(until_us, from_us + 1) > $1 order by from_us, channel, rule, until_us""",
        [low_us, high_us, known],
        {"wanted": wanted(channels)},
    )
    return found.select(FOUND.names).cast(FOUND)
