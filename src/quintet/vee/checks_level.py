"""Rules that hold a channel against what it did in the weeks before, day by day: D01, D03, Q01 and Z01.

They need nothing beside the values, only a period that begins some weeks before what is to be judged: days with too
short a history pass. What a channel never did before is no proof of a fault; it is worth a look.
"""

import numpy as np

from quintet.terms.period import HOUR_US

from .apportion import times_floor
from .beside import Beside
from .block import Ints, Mask, spans
from .checks import Settings, Slab
from .found import Found, Spans, joined, unjudged

DAY_HOURS = 24


def day_level(slab: Slab, settings: Settings, beside: Beside) -> Found:
    """D01, D03: so many whole days in a row sum to more than `high` times the most, or less than 1/`low` of the least.

    Most and least are those of as many days in a row within the `history` days before, at least `fewest` of them;
    equal passes. Under `floor` (an hour, on average) nothing is high; a sum of zero is Z01's.
    """
    del beside
    span, history = int(settings["span"]), int(settings["history"])
    total, whole = day_totals(slab)
    count = total.shape[1] - span + 1
    if count <= int(settings["fewest"]):
        return unjudged(len(slab.value))
    sums = np.stack([total[:, d : d + span].sum(axis=1) for d in range(count)], axis=1)
    sure = np.stack([whole[:, d : d + span].all(axis=1) for d in range(count)], axis=1)
    sure &= in_a_row(slab.days, span)
    hit, judged = np.zeros(total.shape, np.bool_), np.zeros(len(total), np.bool_)
    floor = -(-settings["floor"] * DAY_HOURS * span // 1)
    for d in range(span, count):
        past = slice(max(d - history, 0), d - span + 1)
        known = sure[:, d] & (sure[:, past].sum(axis=1) >= int(settings["fewest"]))
        most = np.where(sure[:, past], sums[:, past], 0).max(axis=1)
        least = np.where(sure[:, past], sums[:, past], np.iinfo(np.int64).max).min(axis=1)
        now = np.maximum(sums[:, d], 0)
        high = (now > times_floor(np.maximum(most, 0), settings["high"])) & (now >= int(floor))
        low = (now > 0) & (times_floor(now, settings["low"]) < least)
        hit[:, d : d + span] |= (known & (high | low))[:, None]
        judged |= known
    return Found(in_columns(hit, slab.days), judged)


def long_zero(slab: Slab, settings: Settings, beside: Beside) -> Found:
    """Z01: zeros in a row for longer than `ratio` times the longest such run in the `history` days before it began.

    Runs of up to `hours` pass, and so does a run with less than `fewest` days before it, or with nothing used in them.
    """
    del beside
    value = np.where(slab.judged, slab.value, 1)
    row, first, last = spans(value == 0)
    length = (last - first + 1).astype(np.int64)
    each = DAY_HOURS * HOUR_US // slab.cadence_us
    rows, back = len(slab.value), int(settings["history"]) * each
    used = np.cumsum(np.pad(slab.judged & (slab.value != 0), ((0, 0), (1, 0))), axis=1)
    keep = np.zeros(len(row), np.bool_)
    edges = np.searchsorted(row, np.arange(rows + 1))
    least = int(settings["hours"]) * HOUR_US // slab.cadence_us
    for at in np.flatnonzero((length > least) & (first >= int(settings["fewest"]) * each)).tolist():
        own, since = int(row[at]), max(int(first[at]) - back, 0)
        before = slice(int(edges[own]), at)
        longest = length[before][last[before] >= since].max(initial=0)
        active = int(used[own, first[at]] - used[own, since])
        keep[at] = active > 0 and length[at] > settings["ratio"] * int(longest)
    judged = np.full(rows, slab.value.shape[1] >= int(settings["fewest"]) * each)
    return Found((row[keep], first[keep], last[keep]) if keep.any() else joined([]), judged)


def other_step(slab: Slab, settings: Settings, beside: Beside) -> Found:
    """Q01: days whose amounts are no whole numbers of the step that the meter counted in, or of a coarser one only.

    A meter counts in steps: pulses of 10 Wh, litres. A day's step is the greatest common divisor of its amounts; the
    meter's is the one that most days of the `history` before had, at least `fewest` of them, each with `values` amounts
    that are not zero. Steps under `least` are no steps but rounding. What was scaled, shifted or made up falls off it.
    A day is off it when at least `share` of its amounts are (a reading that was missed halves two of them), coarser
    when it has `many` amounts.
    """
    del beside
    history, fewest = int(settings["history"]), int(settings["fewest"])
    step, amounts = day_steps(slab)
    known = amounts >= int(settings["values"])
    hit, judged = np.zeros(step.shape, np.bool_), np.zeros(len(step), np.bool_)
    for d in range(fewest, step.shape[1]):
        past = slice(max(d - history, 0), d)
        days = known[:, past].sum(axis=1)
        ordered = np.sort(np.where(known[:, past], step[:, past], np.iinfo(np.int64).max), axis=1)
        usual = ordered[np.arange(len(step)), np.maximum(days - 1, 0) // 2]
        same = ((step[:, past] == usual[:, None]) & known[:, past]).sum(axis=1)
        sure = (amounts[:, d] > 0) & (same >= fewest) & (2 * same > days) & (usual >= int(settings["least"]))
        off = (slab.value[:, slice(*slab.days[d])] % np.maximum(usual, 1)[:, None] != 0).sum(axis=1)
        finer = (off > 0) & (off * settings["share"].denominator >= amounts[:, d] * settings["share"].numerator)
        coarser = (off == 0) & (step[:, d] > usual) & (amounts[:, d] >= int(settings["many"]))
        hit[:, d] = sure & (finer | coarser)
        judged |= sure
    return Found(in_columns(hit, slab.days), judged)


def day_steps(slab: Slab) -> tuple[Ints, Ints]:
    """Give the greatest common divisor of each whole day's amounts (k x days), and how many of them are not zero."""
    edges = [edge for day in slab.days for edge in day]
    if not edges:
        return np.zeros((len(slab.value), 0), np.int64), np.zeros((len(slab.value), 0), np.int64)
    inside = edges if edges[-1] < slab.value.shape[1] else edges[:-1]
    step = np.gcd.reduceat(np.abs(slab.value), inside, axis=1)[:, ::2]
    return step, np.add.reduceat((slab.value != 0).astype(np.int64), inside, axis=1)[:, ::2]


def day_totals(slab: Slab) -> tuple[Ints, Mask]:
    """Give the total of each whole day (k x days), and whether every interval of it was measured."""
    edges = [edge for day in slab.days for edge in day]
    if not edges:
        return np.zeros((len(slab.value), 0), np.int64), np.zeros((len(slab.value), 0), np.bool_)
    inside = edges if edges[-1] < slab.value.shape[1] else edges[:-1]
    total = np.add.reduceat(slab.value, inside, axis=1)[:, ::2]
    whole = np.logical_and.reduceat(slab.judged, inside, axis=1)[:, ::2]
    return total, whole


def in_a_row(days: list[tuple[int, int]], span: int) -> Mask:
    """Mark the days with which so many days begin that follow one another."""
    follows = np.array([days[d][1] == days[d + 1][0] for d in range(len(days) - 1)], np.bool_)
    return np.array([bool(follows[d : d + span - 1].all()) for d in range(len(days) - span + 1)], np.bool_)


def in_columns(hit: Mask, days: list[tuple[int, int]]) -> Spans:
    """Turn marked days into spans of columns."""
    row, first, last = spans(hit)
    starts, ends = np.array([day[0] for day in days], np.int32), np.array([day[1] - 1 for day in days], np.int32)
    return row, starts[first], ends[last]
