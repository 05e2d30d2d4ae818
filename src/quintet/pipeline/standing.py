"""Edits that stand over what evidence gives: it is derived and kept all the same, but neither summed nor shown."""

from dataclasses import replace

import numpy as np

from .difference import ARRIVED, COUNTED, ESTIMATED, Change
from .rows import IntervalRows, Mask


def standing_over(rows: IntervalRows, edits: IntervalRows) -> Mask:
    """Mark the rows over which an edit stands; `edits` in any order."""
    if not len(edits):
        return np.zeros(len(rows), np.bool_)
    own = np.isin(rows.channel, edits.channel)
    width = int(max(rows.start_us.max(initial=0), edits.start_us.max())) + 1
    low = int(min(rows.start_us.min(initial=0), edits.start_us.min()))
    if (width - low) * (int(max(rows.channel.max(initial=0), edits.channel.max())) + 1) >= 2**63:
        known = set(keys(edits))
        return own & np.array([key in known for key in keys(rows)], np.bool_)
    scale = np.int64(width - low)
    mine, theirs = (one.channel * scale + (one.start_us - low) for one in (rows, edits))
    return own & np.isin(mine, theirs)


def keys(rows: IntervalRows) -> list[tuple[int, int]]:
    """Give channel and start of each row."""
    return list(zip(rows.channel.tolist(), rows.start_us.tolist(), strict=True))


def beneath(change: Change, edits: IntervalRows) -> tuple[Change, IntervalRows]:
    """Take out of a change's sums what edits stand over; gives it, and the rows that readers see changed."""
    over = standing_over(change.rows, edits)
    if not over.any():
        return change, change.rows
    sums = (np.where(over, 0, column) for column in (change.value, change.arrived, change.estimated))
    return replace(change, **dict(zip(("value", "arrived", "estimated"), sums, strict=True))), change.rows.take(~over)


def replaced(before: IntervalRows, after: IntervalRows) -> Change:
    """Give the change from what was effective to what is; row for row the same intervals, quality 0 for nothing."""
    old, new = before.quality, after.quality
    return Change(
        after,
        COUNTED[new] * after.value - COUNTED[old] * before.value,
        ARRIVED[new] - ARRIVED[old],
        ESTIMATED[new] - ESTIMATED[old],
    )
