"""Whole local days of a slab: totals, hours, and the most of the weeks before, for rules that compare days."""

from typing import Any

import numpy as np
import numpy.typing as npt

from quintet.terms.period import HOUR_US

from .block import Ints, Mask, spans
from .checks import Slab
from .found import Spans

Days = list[tuple[int, int]]
"""Whole local days as half-open ranges of columns, in order."""
DAY_HOURS = 24


def summed(how: np.ufunc, value: npt.NDArray[Any], days: Days) -> npt.NDArray[Any]:
    """Put each whole day's columns together (k x n to k x days) by np.add, np.gcd, np.logical_and or the like."""
    edges = [edge for day in days for edge in day]
    if not edges:
        return value[:, :0].copy()
    inside = edges if edges[-1] < value.shape[1] else edges[:-1]
    return how.reduceat(value, inside, axis=1)[:, ::2]


def day_totals(slab: Slab) -> tuple[Ints, Mask]:
    """Give the total of each whole day (k x days), and whether every interval of it was measured."""
    return summed(np.add, slab.value, slab.days), summed(np.logical_and, slab.judged, slab.days)


def days_in_use(slab: Slab) -> Mask:
    """Mark the whole days (k x days) with an amount that is not zero: others are no history of how much is used."""
    return summed(np.logical_or, slab.value != 0, slab.days)


def in_a_row(days: Days, span: int) -> Mask:
    """Mark the days with which so many days begin that follow one another."""
    follows = np.array([days[d][1] == days[d + 1][0] for d in range(len(days) - 1)], np.bool_)
    return np.array([bool(follows[d : d + span - 1].all()) for d in range(len(days) - span + 1)], np.bool_)


def in_columns(hit: Mask, days: Days) -> Spans:
    """Turn marked days into spans of columns."""
    row, first, last = spans(hit)
    starts, ends = np.array([day[0] for day in days], np.int32), np.array([day[1] - 1 for day in days], np.int32)
    return row, starts[first], ends[last]


def hours_of(slab: Slab) -> tuple[Ints, Mask] | None:
    """Give what was used in each hour of each whole day (k x days x 24), and whether all of the hour was measured.

    A day of 23 or 25 hours counts as not measured. None where intervals are no part of an hour, or no day is whole.
    """
    if HOUR_US % slab.cadence_us or not slab.days:
        return None
    each = HOUR_US // slab.cadence_us
    length = DAY_HOURS * each
    starts = np.array([first if end - first == length else 0 for first, end in slab.days])
    fits = np.array([end - first == length for first, end in slab.days], np.bool_)
    if slab.value.shape[1] < length:
        return None
    column = starts[:, None] + np.arange(length)
    shape = (len(slab.value), len(slab.days), DAY_HOURS, each)
    value = slab.value[:, column].reshape(shape).sum(axis=3)
    whole = slab.judged[:, column].reshape(shape).all(axis=3) & fits[:, None]
    return value * whole, whole


def most_before(value: Ints, history: int) -> Ints:
    """Give for each day the most of up to `history` days before it (along axis 1), zero at least.

    Windows of 1, 2, 4 ... days are put together as `history` is made of them.
    """
    out, days = np.zeros_like(value), value.shape[1]
    window, size, done = np.maximum(value, 0), 1, 0
    while done < min(history, days):
        if history & size:
            reach = max(days - 1 - done, 0)
            out[:, days - reach :] = np.maximum(out[:, days - reach :], window[:, :reach])
            done += size
        wider = window.copy()
        wider[:, size:] = np.maximum(window[:, size:], window[:, :-size])
        window, size = wider, size * 2
    return out


def sums_before(value: Ints, history: int) -> Ints:
    """Give for each day the sum of up to `history` days before it (along axis 1)."""
    total = np.cumsum(np.pad(value, [(0, 0), (1, 0), *[(0, 0)] * (value.ndim - 2)]), axis=1)
    days = np.arange(value.shape[1])
    return total[:, days] - total[:, np.maximum(days - history, 0)]


def enough_before(whole: Mask, history: int) -> Ints:
    """Count the days, of up to `history` before each (along axis 1), that are marked."""
    return sums_before(whole.astype(np.int64), history)


def free_before(doubted: Mask, day: int, history: int, hold: int) -> tuple[slice, Mask]:
    """Give the up to `history` days before one, and which of them (k x those) say what is usual.

    A day that the rule itself doubted says so only once it is `hold` days old: what goes on that long is the channel's
    own way. `doubted` is k x days, known for all before the day.
    """
    past = slice(max(day - history, 0), day)
    free = ~doubted[:, past]
    free[:, : max(day - hold + 1 - past.start, 0)] = True
    return past, free


def hours_in_columns(hit: Mask, slab: Slab) -> Spans:
    """Turn marked hours (k x days x 24) into spans of columns."""
    each = HOUR_US // slab.cadence_us
    marked = np.zeros(slab.value.shape, np.bool_)
    for place, (first, end) in enumerate(slab.days):
        own = np.repeat(hit[:, place], each, axis=1)
        marked[:, first:end] = own[:, : end - first] if own.shape[1] >= end - first else False
    return spans(marked)
