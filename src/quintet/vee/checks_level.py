"""Rules that hold a channel against what it did in the weeks before, day by day: D01, D03 and Z01.

They need nothing beside the values, only a period that begins some weeks before what is to be judged: days with too
short a history pass. What a channel never did before is no proof of a fault; it is worth a look. What a rule doubted
is no history for it until it is `hold` days old: each day of a fault that goes on is named, for so long.
"""

import numpy as np

from quintet.terms.period import HOUR_US

from .apportion import times_floor
from .beside import Beside
from .block import spans
from .checks import Settings, Slab
from .found import Found, joined, unjudged
from .local_days import DAY_HOURS, day_totals, free_before, in_a_row, in_columns

NEAR_RUNS = 8
"""Runs before one that are compared all at once; what is found does not depend on it."""


def day_level(slab: Slab, settings: Settings, beside: Beside) -> Found:
    """D01, D03: so many whole days in a row sum to more than `high` times the most, or less than 1/`low` of the least.

    Most and least are those of as many days in a row within the `history` days before, `fewest` of them at least in
    use: days at zero (heating in summer, an empty dwelling) say nothing of how much is much. Days doubted count from
    `hold` days on. Equal passes. Under `floor` (an hour, on average) nothing is high; a sum of zero is Z01's.
    """
    del beside
    span, history, hold = (int(settings[name]) for name in ("span", "history", "hold"))
    total, whole = day_totals(slab)
    count = total.shape[1] - span + 1
    if count <= int(settings["fewest"]):
        return unjudged(len(slab.value))
    sums = np.stack([total[:, d : d + span].sum(axis=1) for d in range(count)], axis=1)
    sure = np.stack([whole[:, d : d + span].all(axis=1) for d in range(count)], axis=1)
    sure &= in_a_row(slab.days, span)
    in_use = sure & (sums != 0)
    hit, judged = np.zeros(total.shape, np.bool_), np.zeros(len(total), np.bool_)
    floor = -(-settings["floor"] * DAY_HOURS * span // 1)
    for d in range(span, count):
        days, free_days = free_before(hit, d, history, hold)
        past = slice(days.start, d - span + 1)
        free = np.lib.stride_tricks.sliding_window_view(free_days, span, axis=1).all(axis=2)
        known = sure[:, d] & ((in_use[:, past] & free).sum(axis=1) >= int(settings["fewest"]))
        free &= sure[:, past]
        most = np.where(free, sums[:, past], 0).max(axis=1)
        least = np.where(free, sums[:, past], np.iinfo(np.int64).max).min(axis=1)
        now = np.maximum(sums[:, d], 0)
        high = (now > times_floor(np.maximum(most, 0), settings["high"])) & (now >= int(floor))
        low = (now > 0) & (times_floor(now, settings["low"]) < least)
        hit[:, d : d + span] |= (known & (high | low))[:, None]
        judged |= known
    return Found(in_columns(hit, slab.days), judged)


def long_zero(slab: Slab, settings: Settings, beside: Beside) -> Found:
    """Z01: zeros in a row for longer than `ratio` times the longest such run in the `history` days before it began.

    Runs of up to `hours` pass, and so does a run before which less than `fewest` days were measured in that time, or
    nothing was used. A run that was named is no such run until `hold` days after it began.
    """
    del beside
    value = np.where(slab.judged, slab.value, 1)
    row, first, last = spans(value == 0)
    length = (last - first + 1).astype(np.int64)
    each = DAY_HOURS * HOUR_US // slab.cadence_us
    rows, back, fewest = len(slab.value), int(settings["history"]) * each, int(settings["fewest"]) * each
    known = np.cumsum(np.pad(slab.judged, ((0, 0), (1, 0))), axis=1)
    used = np.cumsum(np.pad(slab.judged & (slab.value != 0), ((0, 0), (1, 0))), axis=1)
    keep = np.zeros(len(row), np.bool_)
    edges = np.searchsorted(row, np.arange(rows + 1))
    least = int(settings["hours"]) * HOUR_US // slab.cadence_us
    maybe = (length > least) & (known[row, first] - known[row, np.maximum(first - back, 0)] >= fewest)
    for lag in range(
        1, min(NEAR_RUNS, len(row) - 1) + 1
    ):  # most have a like one shortly before: no need to look at all
        near = (row[lag:] == row[:-lag]) & (last[:-lag] >= np.maximum(first[lag:].astype(np.int64) - back, 0))
        maybe[lag:] &= ~(near & (length[lag:] <= times_floor(length[:-lag], settings["ratio"])))
    hold = int(settings["hold"]) * each

    def odd(at: int) -> bool:
        own, since = int(row[at]), max(int(first[at]) - back, 0)
        before = slice(int(edges[own]), at)
        counts = (last[before] >= since) & (~keep[before] | (first[before] <= first[at] - hold))
        longest = length[before][counts].max(initial=0)
        active = int(used[own, first[at]] - used[own, since])
        return active > 0 and bool(length[at] > settings["ratio"] * int(longest))

    for at in np.flatnonzero(maybe).tolist():
        keep[at] = odd(at)
    # where a run was named, those after it may have had no like but that one
    for own in np.unique(row[keep]).tolist():
        for at in range(int(edges[own]), int(edges[own + 1])):
            if length[at] > least and known[own, first[at]] - known[own, max(int(first[at]) - back, 0)] >= fewest:
                keep[at] = odd(at)
    judged = np.asarray(known[:, -1] >= fewest, np.bool_)
    return Found((row[keep], first[keep], last[keep]) if keep.any() else joined([]), judged)
