"""Estimates that need more than the channel's newest readings: E1, E5, E7 and the three legal ones.

The run over a city's days gathers what they need and calls, for each block of channels of one cadence,

    estimate_with(block, gaps, others, *, history=None, alike=None, order=None, subjects=None, stands=None)
        -> (value int64 m x n, quality uint8 m x n)

`block` and `gaps` are as for `estimate`: gaps must not cover measured values (values that are estimated now may stand
in the block: they are never read). `others` holds arrays of the same m x n cells (sub-units of the block's quantity):

    Others(outage=mask m x n | None,             E7: supply is confirmed to have been out
           check=Known(value, known) | None,     E1: a check meter on the same flow
           parent=Known(...) | None,             E1: the meter above this one
           siblings=Known(...) | None,           E1: the sum of all others below that parent; known only where all are
           profile=Known(...) | None,            E5: the mean of the channel's class (it is set to the own level)
           homes=Known(...) | None)              legal: the mean of homes of the same size in the same block

Only measured values may be put into a Known: an estimate never feeds another. `history` (Block, channels matched by
number, up to 13 months before) serves `last_three_months` and `same_month_last_year`. `stands` (uint8 m x n) is the
quality that stands now in the gaps' cells, MISSING where nothing does: an estimator is asked only if the order in force
puts it before the one that stands. What comes back at gap cells is the better estimate and its quality (an `assigned`
one), or 0 and MISSING where nothing better than what stands can be said; every other cell is the block's own. Commit
the cells with quality > 0; where a stored assigned value comes back as MISSING, withdraw it.
"""

from calendar import monthrange
from collections.abc import Callable

import numpy as np

from quintet.terms.period import day_of_number

from .apportion import SAFE_BITS, bits_of, roomy
from .block import Ints, Mask, cells
from .groups import Span, by_span, days_of
from .guess import Asked, Guess, Known
from .past import UNREACHED

LEVEL_PARTS = 1024
"""A channel's level against its class is taken in parts of this where the exact one would not fit 64 bits."""
LEAST_SHARE = 2
"""One in so many intervals of a month must be measured, or the month says nothing."""


def outage_zero(asked: Asked) -> Guess:
    """E7: nothing was used where supply is confirmed to have been out."""
    none = Guess.nothing(asked.cells)
    if asked.others is None or asked.others.outage is None:
        return none
    return Guess(none.top, none.bottom, asked.others.outage[_cells(asked)])


def check_meter(asked: Asked) -> Guess:
    """E1: what a check meter on the same flow counted."""
    return _as_is(asked, asked.others.check if asked.others else None)


def same_block_homes(asked: Asked) -> Guess:
    """Legal: the mean of homes of the same size in the same block."""
    return _as_is(asked, asked.others.homes if asked.others else None)


def parent_minus_siblings(asked: Asked) -> Guess:
    """E1: the meter above less all others below it; less than nothing says nothing."""
    parent, siblings = (asked.others.parent, asked.others.siblings) if asked.others else (None, None)
    if parent is None or siblings is None:
        return Guess.nothing(asked.cells)
    at = _cells(asked)
    rest = parent.value[at] - siblings.value[at]
    said = parent.known[at] & siblings.known[at] & (rest >= 0)
    return Guess(np.where(said, rest, 0), np.ones(len(rest), np.int64), said)


def class_profile(asked: Asked) -> Guess:
    """E5: the mean course of the class at the channel's own level: its measured sum over that of the class there.

    A channel of which no measured interval lies in the block takes the class as it is.
    """
    profile = asked.others.profile if asked.others else None
    if profile is None:
        return Guess.nothing(asked.cells)
    block = asked.pasts[0].block
    rows = np.unique(asked.gaps.row)
    both = asked.settings.used[block.quality[rows]] & profile.known[rows]
    own, of_class = ((array[rows] * both).sum(axis=1) for array in (block.value, profile.value))
    known = (of_class > 0) & (own >= 0)
    row, column = _cells(asked)
    place = np.searchsorted(rows, row)
    said = profile.known[row, column]
    value = np.where(said, profile.value[row, column], 0)
    top, bottom = np.where(known, own, 1), np.where(known, of_class, 1)
    if bits_of(top) + bits_of(value) > SAFE_BITS:
        top, bottom = roomy(top, LEVEL_PARTS) * LEVEL_PARTS // bottom, np.full(len(rows), LEVEL_PARTS, np.int64)
        value = roomy(value, int(top.max()))
    return Guess(value * top[place], bottom[place], said)


def same_month_last_year(asked: Asked) -> Guess:
    """Legal: the mean day of the same month of the year before, by place on the local clock."""
    return by_span(asked, lambda asked, span: _mean_days(asked, span, lambda day, _: [months_before(day, 12)]))


def last_three_months(asked: Asked) -> Guess:
    """Legal: the mean day of the three calendar months before the gap began, by place on the local clock."""
    return by_span(
        asked,
        lambda asked, span: _mean_days(
            asked, span, lambda _, begun: [months_before(begun, back) for back in (1, 2, 3)]
        ),
    )


def _cells(asked: Asked) -> tuple[Ints, Ints]:
    return cells(asked.gaps.row, asked.gaps.first, asked.gaps.length)


def _as_is(asked: Asked, known: Known | None) -> Guess:
    """Take what another meter says, where it says something."""
    if known is None:
        return Guess.nothing(asked.cells)
    at = _cells(asked)
    said = known.known[at]
    return Guess(np.where(said, known.value[at], 0), np.ones(len(said), np.int64), said)


def months_before(day: int, back: int) -> tuple[int, int]:
    """Give year and month (from 0) of a day since 1970-01-01, so many months before."""
    found = day_of_number(day)
    return divmod(found.year * 12 + found.month - 1 - back, 12)


def _mean_days(
    asked: Asked, span: Span, months: Callable[[int, int], list[tuple[int, int]]]
) -> tuple[Ints, Ints, Mask]:
    """Fill a span with the mean of some months, by place on the local clock; `months` of a day and of the gap's first.

    Where fewer than one in LEAST_SHARE of their days has a measured value there, nothing is said.
    """
    shape = (len(span.rows), span.length)
    top, bottom, said = np.zeros(shape, np.int64), np.ones(shape, np.int64), np.zeros(shape, np.bool_)
    begun = asked.pasts[0].block.first_day + int(asked.pasts[0].block.day_of[span.first])
    for start, end, day, slots in days_of(asked, span.first, span.length):
        total, count, days = of_months(asked, span.rows, frozenset(months(day, begun)), begun, int(slots.max()) + 1)
        top[:, start:end] = total[:, slots]
        bottom[:, start:end] = np.maximum(count[:, slots], 1)
        said[:, start:end] = (count[:, slots] * LEAST_SHARE >= days) & (days > 0)
    return top, bottom, said


def of_months(
    asked: Asked, rows: Ints, months: frozenset[tuple[int, int]], before: int, places: int
) -> tuple[Ints, Ints, int]:
    """Sum the measured values of some months by place on the clock (k x places), before a day; how many; their days."""
    total, count = np.zeros((len(rows), places), np.int64), np.zeros((len(rows), places), np.int64)
    for past in asked.pasts:
        block = past.block
        numbers = block.first_day + np.arange(len(block.whole_day))
        wanted = [number < before and months_before(number, 0) in months for number in numbers.tolist()]
        columns = np.flatnonzero(np.array(wanted, np.bool_)[block.day_of] & (block.slot_of < places))
        own = past.own[rows]
        if not len(columns) or not (own != UNREACHED).any():
            continue
        columns = columns[np.argsort(block.slot_of[columns], kind="stable")]
        slots = block.slot_of[columns]
        heads = np.flatnonzero(np.diff(slots, prepend=-1))
        fine = asked.settings.used[block.quality[own[:, None], columns]] & (own != UNREACHED)[:, None]
        total[:, slots[heads]] += np.add.reduceat(block.value[own[:, None], columns] * fine, heads, axis=1)
        count[:, slots[heads]] += np.add.reduceat(fine, heads, axis=1, dtype=np.int64)
    return total, count, sum(monthrange(year, month + 1)[1] for year, month in months)
