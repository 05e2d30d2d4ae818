"""Rows laid over cells of the same channel and start."""

import numpy as np

from .rows import I64, IntervalRows, Mask, starts_of_runs


def laid_over(cells: IntervalRows, rows: IntervalRows) -> IntervalRows:
    """Give cells (sorted) with the value and quality of the rows (sorted) of the same channel and start, if any."""
    at, there = places(cells, rows)
    value, quality = cells.value.copy(), cells.quality.copy()
    value[there], quality[there] = rows.value[at[there]], rows.quality[at[there]]
    return IntervalRows(cells.channel, cells.start_us, value, quality)


def places(cells: IntervalRows, rows: IntervalRows) -> tuple[I64, Mask]:
    """Give for each cell (sorted) the place of the row of its channel and start, and whether there is one."""
    if not len(rows) or not len(cells):
        return np.zeros(len(cells), np.int64), np.zeros(len(cells), np.bool_)
    channel = np.concatenate([rows.channel, cells.channel])
    start = np.concatenate([rows.start_us, cells.start_us])
    order = np.lexsort((np.arange(len(channel)) >= len(rows), start, channel))
    heads = np.zeros(len(order), np.bool_)
    heads[starts_of_runs(channel[order], start[order])] = True
    leader = order[np.maximum.accumulate(np.where(heads, np.arange(len(order)), 0))]
    own = order >= len(rows)
    at = np.zeros(len(cells), np.int64)
    at[order[own] - len(rows)] = leader[own]
    there = at < len(rows)
    return np.where(there, at, 0), there
