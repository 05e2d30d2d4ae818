"""Whole hours of many channels: what came to, how much of it was measured and not doubted, how much is known."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from quintet.terms.period import HOUR_US

from .engine import Engine, Snapshot
from .read import effective_sql, lake_interval_paths, quoted_numbers, versions_sql, wanted


def hours_of_channels(
    engine: Engine,
    snapshot: Snapshot,
    start_us: int,
    end_us: int,
    channels: npt.NDArray[np.int32],
    trusted: Sequence[int],
    known: Sequence[int],
) -> pa.Table:
    """Sum effective intervals of channels by the local clock's hour: channel, hour_us, value, trusted, known.

    `trusted` and `known` count the intervals of an hour whose quality is one of those ids; `value` is what the known
    ones come to, in sub-units.
    """
    paths = lake_interval_paths(engine, snapshot, start_us, end_us, None)
    versions = versions_sql(paths, some_channels=True, known_batch=None)
    phase = engine.hour_phase_us
    hour = f"start_us - (((start_us + {phase}) % {HOUR_US}) + {HOUR_US}) % {HOUR_US}"
    sql = f"""select channel, {hour} as hour_us,
            sum(case when quality in ({quoted_numbers(known)}) then value else 0 end)::bigint as value,
            count(*) filter (quality in ({quoted_numbers(trusted)}))::integer as trusted,
            count(*) filter (quality in ({quoted_numbers(known)}))::integer as known
        from ({effective_sql(versions, undone=engine.undone)}) group by channel, hour_us"""
    return snapshot.arrow(sql, [start_us, end_us], {"wanted": wanted(channels)})
